/** One direction of a link: inputs that take turns, credits of the receiver, and what is under way. */
import type { LinkMessage, PacketLinkPart } from '../../arch/language/fabric.ts';
import { picosecondsPerSecond, Ratio } from '../kernel/clock.ts';
import type { Agenda, Alarm } from './agenda.ts';
import { kindCount, nameOf, Packets } from './packets.ts';
import { Server } from './server.ts';

/** Whoever is at the far end of wires. */
export interface Receiver {
  /** A packet is there; `wire.release` must be called for it when its room is free again, at once or at a later time. */
  receive(now: number, wire: Wire, flow: number, kind: number, bytes: number, tag: number): void;
}

/** Whoever put packets into an input and wants to know that they have left. */
export interface Sender {
  /** The packet is on the wires; its last byte leaves at `end`. */
  sent(now: number, end: number, flow: number, kind: number, tag: number): void;
}

/** Packets that wait for wires: of one source, and of kinds that may wait for one another. */
export class Input {
  readonly packets = new Packets();
  readonly wire: Wire;
  /** Packets in a turn. */
  readonly weight: number;
  /** Where they have come from, which gets their credits back as they leave. */
  readonly from: Wire | null;
  readonly sender: Sender | null;

  constructor(wire: Wire, weight: number, from: Wire | null, sender: Sender | null) {
    this.wire = wire;
    this.weight = weight;
    this.from = from;
    this.sender = sender;
  }

  /** The packet may leave at a time that is not before `now`, nor before that of the one before it. */
  push(time: number, flow: number, kind: number, bytes: number, tag: number): void {
    this.packets.push(time, flow, kind, bytes, tag);
    if (this.packets.size === 1) this.wire.wakeAt(time);
  }
}

/** Picoseconds per byte on the wires of a link, exactly. */
export function timePerByte({ lanes, rate, data, wire, skips }: PacketLinkPart): Ratio {
  const [blocks, used] = skips > 0 ? [skips, skips - 1] : [1, 1];
  const numerator = BigInt(8 * picosecondsPerSecond) * BigInt(wire) * BigInt(blocks);
  const denominator = BigInt(Math.round(rate)) * BigInt(lanes) * BigInt(data) * BigInt(used);
  const divisor = greatestDivisor(numerator, denominator);
  return new Ratio(Number(numerator / divisor), Number(denominator / divisor));
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}

/** How a link carries messages, by kind; null: it does not. */
export function shapesOf({ messages }: PacketLinkPart): (LinkMessage | null)[] {
  return Array.from({ length: kindCount }, (_, kind) => messages.get(nameOf(kind)) ?? null);
}

export abstract class Wire {
  readonly name: string;
  readonly part: PacketLinkPart;
  readonly server: Server;
  /** Bytes of payload, and packets, that have been received. */
  payload = 0;
  received = 0;
  /** Time that packets waited from when they could be taken until they were. */
  waited = 0;
  readonly inputs: Input[] = [];
  /** By kind: bytes of header, and whether messages carry data. */
  protected readonly headers: Int32Array;
  readonly #carries: Uint8Array;
  /** By kind: whether the receiver's room is limited. */
  readonly #limited: Uint8Array;
  readonly #latency: number;
  readonly #control: number;
  protected readonly grants: Alarm;
  protected readonly flight = new Packets();
  readonly #arrivals: Alarm;
  #receiver: Receiver | null = null;
  #reverse: Wire | null = null;
  readonly #credits: Float64Array;
  readonly #room: Float64Array;
  readonly #returns = new Packets();
  #turn = 0;
  #left = 0;
  /** Whether something could be sent but for credits. */
  #starved = false;

  constructor(agenda: Agenda, name: string, part: PacketLinkPart) {
    this.name = name;
    this.part = part;
    this.server = new Server(timePerByte(part));
    const kinds = shapesOf(part);
    this.headers = Int32Array.from(kinds, (shape) => shape?.header ?? 0);
    this.#carries = Uint8Array.from(kinds, (shape) => Number((shape?.payload ?? 0) > 0));
    this.#credits = Float64Array.from(kinds, (shape) => shape?.credits ?? Number.POSITIVE_INFINITY);
    this.#room = Float64Array.from(kinds, (shape) => shape?.buffer ?? Number.POSITIVE_INFINITY);
    this.#limited = Uint8Array.from(kinds, (shape) => Number((shape?.credits ?? shape?.buffer ?? null) !== null));
    this.#latency = part.latency;
    this.#control = part.control;
    this.#arrivals = agenda.alarm({ act: (now) => this.#deliver(now) }, 0);
    this.grants = agenda.alarm({ act: (now) => this.#grant(now) }, 1);
  }

  /** Who gets what it carries, and the wires of the other direction, which carry acknowledgements; null: none are needed. */
  connect(receiver: Receiver, reverse: Wire | null): void {
    this.#receiver = receiver;
    this.#reverse = reverse;
  }

  input(weight = 1, from: Wire | null = null, sender: Sender | null = null): Input {
    const input = new Input(this, weight, from, sender);
    this.inputs.push(input);
    if (this.inputs.length === 1) this.#left = weight;
    return input;
  }

  wakeAt(time: number): void {
    this.grants.lower(Math.max(time, this.server.free));
  }

  /** The receiver's room for a packet is free at a time, which the sender knows a latency later. */
  release(time: number, kind: number, bytes: number): void {
    if (this.#limited[kind] === 0) return;
    this.#returns.insert(time + this.#latency, 0, kind, this.payloadOf(kind, bytes), 0);
    if (this.#starved) this.wakeAt(this.#returns.time);
  }

  save(now: number, into: number[]): void {
    this.server.save(now, into);
    this.flight.save(now, into);
    // Credits that have come back by now are as good as any.
    this.#collect(now);
    this.#returns.save(now, into);
    into.push(...this.#credits, ...this.#room, this.#turn, this.#left, Number(this.#starved));
    for (const { packets } of this.inputs) packets.save(now, into);
  }

  shift(by: number): void {
    this.server.shift(by);
    this.flight.shift(by);
    this.#returns.shift(by);
    for (const { packets } of this.inputs) packets.shift(by);
  }

  count(into: number[]): void {
    this.server.count(into);
    into.push(this.payload, this.received, this.waited);
  }

  skip(since: readonly number[], at: number, times: number): number {
    const next = this.server.skip(since, at, times);
    this.payload += times * (this.payload - since[next]!);
    this.received += times * (this.received - since[next + 1]!);
    this.waited += times * (this.waited - since[next + 2]!);
    return next + 3;
  }

  /** Sends what may go; false when nothing may. */
  protected abstract send(now: number): boolean;

  /** Bytes of payload of a message. */
  protected payloadOf(kind: number, bytes: number): number {
    return this.#carries[kind] === 1 ? bytes : 0;
  }

  /** The input whose turn it is among those with a packet that may go, of one kind or, with -1, any; -1 for none. */
  protected pick(now: number, kind: number): number {
    const count = this.inputs.length;
    for (let step = 0; step < count; step++) {
      const i = (this.#turn + step) % count;
      if (!this.#mayGo(this.inputs[i]!.packets, now, kind)) continue;
      if (step > 0) {
        this.#turn = i;
        this.#left = this.inputs[i]!.weight;
      }
      if (--this.#left === 0) {
        this.#turn = (i + 1) % count;
        this.#left = this.inputs[this.#turn]!.weight;
      }
      return i;
    }
    return -1;
  }

  /** Takes the first packet of an input, whose last byte leaves at `end`. */
  protected take(now: number, end: number, { packets, from, sender }: Input): void {
    const { flow, kind, bytes, tag } = packets;
    this.waited += now - packets.time;
    packets.pop();
    const payload = this.payloadOf(kind, bytes);
    this.#credits[kind]! -= 1;
    this.#room[kind]! -= payload;
    from?.release(end, kind, bytes);
    sender?.sent(now, end, flow, kind, tag);
  }

  /** A packet whose last byte leaves at `end` is on its way. */
  protected launch(end: number, flow: number, kind: number, bytes: number, tag: number): void {
    this.flight.push(end + this.#latency, flow, kind, bytes, tag);
    if (this.flight.size === 1) this.#arrivals.lower(end + this.#latency);
  }

  #mayGo(packets: Packets, now: number, kind: number): boolean {
    if (packets.time > now || (kind >= 0 && packets.kind !== kind)) return false;
    const own = packets.kind;
    if (this.#credits[own]! >= 1 && this.#room[own]! >= this.payloadOf(own, packets.bytes)) return true;
    this.#starved = true;
    return false;
  }

  #grant(now: number): void {
    if (now < this.server.free) {
      this.grants.set(this.server.free);
      return;
    }
    this.#collect(now);
    this.#starved = false;
    if (this.send(now)) {
      this.grants.lower(this.server.free);
      return;
    }
    let next = this.#starved ? this.#returns.time : Number.POSITIVE_INFINITY;
    for (const { packets } of this.inputs) if (packets.time > now && packets.time < next) next = packets.time;
    if (next < Number.POSITIVE_INFINITY) this.grants.lower(next);
  }

  #collect(now: number): void {
    const returns = this.#returns;
    while (returns.time <= now) {
      this.#credits[returns.kind]! += 1;
      this.#room[returns.kind]! += returns.bytes;
      returns.pop();
    }
  }

  #deliver(now: number): void {
    const { flight } = this;
    while (flight.time <= now) {
      const { flow, kind, bytes, tag } = flight;
      flight.pop();
      this.received++;
      this.payload += this.payloadOf(kind, bytes);
      if (this.#control > 0) this.#reverse?.server.serve(now, this.#control);
      this.#receiver?.receive(now, this, flow, kind, bytes, tag);
    }
    if (flight.size > 0) this.#arrivals.lower(flight.time);
  }
}

/** Wires that carry each packet by itself, with its header and frame. */
export class PacketWire extends Wire {
  readonly #frame: number;

  constructor(agenda: Agenda, name: string, part: PacketLinkPart) {
    super(agenda, name, part);
    this.#frame = part.frame;
  }

  protected send(now: number): boolean {
    const i = this.pick(now, -1);
    if (i < 0) return false;
    const input = this.inputs[i]!;
    const { flow, kind, bytes, tag } = input.packets;
    const end = this.server.serve(now, this.#frame + this.headers[kind]! + this.payloadOf(kind, bytes));
    this.take(now, end, input);
    this.launch(end, flow, kind, bytes, tag);
    return true;
  }
}
