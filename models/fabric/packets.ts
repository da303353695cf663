/** Packets that wait or are under way, first in, first out, in flat arrays. */
import { type MessageName, messageNames } from '../../arch/language/fabric.ts';

/** Kinds of messages by number. */
export const read = messageNames.indexOf('read');
export const write = messageNames.indexOf('write');
export const data = messageNames.indexOf('data');
export const done = messageNames.indexOf('done');

export const kindCount = messageNames.length;
export const nameOf = (kind: number): MessageName => messageNames[kind] ?? 'read';

/**
 * A ring of packets that grows as needed. Each has a time (picoseconds: when it may be taken), a flow, a kind, bytes (of a
 * request, those it asks for), and a tag for whoever receives it.
 */
export class Packets {
  size = 0;
  #head = 0;
  #mask = 15;
  #times = new Float64Array(16);
  #flows = new Int32Array(16);
  #kinds = new Int32Array(16);
  #bytes = new Int32Array(16);
  #tags = new Int32Array(16);

  push(time: number, flow: number, kind: number, bytes: number, tag: number): void {
    if (this.size > this.#mask) this.#grow();
    this.#put((this.#head + this.size++) & this.#mask, time, flow, kind, bytes, tag);
  }

  /** Puts it behind all that are not later. */
  insert(time: number, flow: number, kind: number, bytes: number, tag: number): void {
    if (this.size > this.#mask) this.#grow();
    let at = this.size++;
    for (; at > 0; at--) {
      const before = (this.#head + at - 1) & this.#mask;
      if (this.#times[before]! <= time) break;
      this.#move(before, (before + 1) & this.#mask);
    }
    this.#put((this.#head + at) & this.#mask, time, flow, kind, bytes, tag);
  }

  pop(): void {
    this.#head = (this.#head + 1) & this.#mask;
    this.size--;
  }

  /** Infinity when there is none. */
  get time(): number {
    return this.size > 0 ? this.#times[this.#head]! : Number.POSITIVE_INFINITY;
  }

  get flow(): number {
    return this.#flows[this.#head]!;
  }

  get kind(): number {
    return this.#kinds[this.#head]!;
  }

  get bytes(): number {
    return this.#bytes[this.#head]!;
  }

  get tag(): number {
    return this.#tags[this.#head]!;
  }

  set tag(tag: number) {
    this.#tags[this.#head] = tag;
  }

  /** Appends all of it; what may be taken already is alike whenever it could. */
  save(now: number, into: number[]): void {
    into.push(this.size);
    for (let i = 0; i < this.size; i++) {
      const at = (this.#head + i) & this.#mask;
      into.push(
        Math.max(0, this.#times[at]! - now),
        this.#flows[at]!,
        this.#kinds[at]!,
        this.#bytes[at]!,
        this.#tags[at]!,
      );
    }
  }

  shift(by: number): void {
    for (let i = 0; i < this.size; i++) this.#times[(this.#head + i) & this.#mask]! += by;
  }

  #put(at: number, time: number, flow: number, kind: number, bytes: number, tag: number): void {
    this.#times[at] = time;
    this.#flows[at] = flow;
    this.#kinds[at] = kind;
    this.#bytes[at] = bytes;
    this.#tags[at] = tag;
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#flows[from]!, this.#kinds[from]!, this.#bytes[from]!, this.#tags[from]!);
  }

  #grow(): void {
    const { size } = this;
    const order = Int32Array.from({ length: size }, (_, i) => (this.#head + i) & this.#mask);
    const grown = <T extends Float64Array | Int32Array>(into: T, from: T): T => {
      order.forEach((at, i) => {
        into[i] = from[at]!;
      });
      return into;
    };
    this.#times = grown(new Float64Array(2 * size), this.#times);
    this.#flows = grown(new Int32Array(2 * size), this.#flows);
    this.#kinds = grown(new Int32Array(2 * size), this.#kinds);
    this.#bytes = grown(new Int32Array(2 * size), this.#bytes);
    this.#tags = grown(new Int32Array(2 * size), this.#tags);
    this.#head = 0;
    this.#mask = 2 * size - 1;
  }
}
