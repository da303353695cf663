/** Wires that carry flits: messages are cut into slots, and headers may share one. */
import type { Flit, PacketLinkPart } from '../../arch/language/fabric.ts';
import type { Agenda } from './agenda.ts';
import { Packets } from './packets.ts';
import { shapesOf, Wire } from './wire.ts';

/**
 * A flit leaves as soon as there is something for it, with what there is by then. Data follow their header in order, over
 * as many flits as they need; a header has a slot of its own or shares one with others of its kind.
 */
export class FlitWire extends Wire {
  readonly #bytes: number;
  readonly #slots: number;
  readonly #slot: number;
  readonly #first: Flit['first'];
  /** By kind: headers in the first slot and in another; 0: a header has slots of its own. */
  readonly #inFirst: Int32Array;
  readonly #inOther: Int32Array;
  /** Messages whose slots are not all sent; the tag is the place in `#tags`, the time when they were begun. */
  readonly #open = new Packets();
  readonly #openSlots = new Packets();
  /** Slots that open messages still need. */
  #pending = 0;
  /** Messages that end with the flit that is being made. */
  readonly #ended = new Packets();
  /** Slots used. */
  used = 0;

  constructor(agenda: Agenda, name: string, part: PacketLinkPart, flit: Flit) {
    super(agenda, name, part);
    this.#bytes = flit.bytes;
    this.#slots = flit.slots;
    this.#slot = flit.slot;
    this.#first = flit.first;
    const shapes = shapesOf(part);
    this.#inFirst = Int32Array.from(shapes, (shape) => shape?.first ?? 0);
    this.#inOther = Int32Array.from(shapes, (shape) => shape?.other ?? 0);
  }

  override save(now: number, into: number[]): void {
    super.save(now, into);
    this.#open.save(now, into);
    this.#openSlots.save(now, into);
    into.push(this.#pending);
  }

  override shift(by: number): void {
    super.shift(by);
    this.#open.shift(by);
    this.#openSlots.shift(by);
  }

  override count(into: number[]): void {
    super.count(into);
    into.push(this.used);
  }

  override skip(since: readonly number[], at: number, times: number): number {
    const next = super.skip(since, at, times);
    this.used += times * (this.used - since[next]!);
    return next + 1;
  }

  protected send(now: number): boolean {
    const slots = this.#slots;
    const first = this.#first;
    let used = 0;
    for (let slot = 0; slot < slots; slot++) {
      const headersOnly = slot === 0 && (first === 'header' || (first === 'header or data' && this.#pending < slots));
      if (!headersOnly && this.#pending > 0) {
        this.#fill();
        used++;
      } else if (this.#begin(now, slot === 0)) used++;
      else if (this.#pending === 0) break;
    }
    if (used === 0) return false;
    const end = this.server.serve(now, this.#bytes);
    this.used += used;
    for (; this.#ended.size > 0; this.#ended.pop()) {
      const { flow, kind, bytes: size, tag } = this.#ended;
      this.launch(end, flow, kind, size, tag);
    }
    return true;
  }

  /** Fills a slot with the next part of the oldest open message. */
  #fill(): void {
    this.#pending--;
    if (--this.#openSlots.tag > 0) return;
    const { flow, kind, bytes, tag } = this.#open;
    this.#ended.push(0, flow, kind, bytes, tag);
    this.#open.pop();
    this.#openSlots.pop();
  }

  /** Fills a slot with a header, or with as many of one kind as share one; false when none waits. */
  #begin(now: number, isFirst: boolean): boolean {
    let input = this.pick(now, -1);
    if (input < 0) return false;
    const kind = this.inputs[input]!.packets.kind;
    const shared = isFirst ? this.#inFirst[kind]! : this.#inOther[kind]!;
    for (let left = Math.max(1, shared); input >= 0; ) {
      this.#openFirst(now, input, shared === 0);
      if (--left === 0) break;
      input = this.pick(now, kind);
    }
    return true;
  }

  /** Takes the first packet of an input. What its own slots hold of the header goes before its payload. */
  #openFirst(now: number, input: number, ownSlots: boolean): void {
    const from = this.inputs[input]!;
    const { flow, kind, bytes, tag } = from.packets;
    const slot = this.#slot;
    const header = ownSlots ? Math.ceil(this.headers[kind]! / slot) - 1 : 0;
    const left = header + Math.ceil(this.payloadOf(kind, bytes) / slot);
    this.take(now, now, from);
    if (left === 0) {
      this.#ended.push(0, flow, kind, bytes, tag);
      return;
    }
    this.#open.push(0, flow, kind, bytes, tag);
    this.#openSlots.push(0, 0, 0, 0, left);
    this.#pending += left;
  }
}
