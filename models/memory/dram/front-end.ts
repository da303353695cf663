/**
 * What stands before a channel's controller: transfers offer it their accesses, one of which it takes in each tick at most.
 *
 * A request that comes between two ticks is offered after the first of them. In every tick each transfer offers its next
 * access in turn, from the one behind that whose access was taken last, until one is taken: a full read queue does not hold
 * up writes.
 */
import type { Completions, Controller } from './controller.ts';
import type { ChannelStream } from './stream.ts';

/** What a transfer has to do in one channel. */
export class Part {
  readonly write: boolean;
  readonly stream: ChannelStream;
  /** Tick after which its first access is offered. */
  readonly from: number;
  /** Tick after which its first access was taken; -1 before. */
  firstTaken = -1;
  /** Tick from which on it is known that all accesses were taken; -1 before. */
  taken = -1;
  /** Accesses taken, and reads among them that are not done. */
  accesses = 0;
  waiting = 0;
  /** Tick at which the last data so far have come. */
  arrived = 0;

  constructor(write: boolean, stream: ChannelStream, from: number) {
    this.write = write;
    this.stream = stream;
    this.from = from;
  }

  get done(): boolean {
    return this.taken >= 0 && this.waiting === 0;
  }
}

export class FrontEnd implements Completions {
  readonly controller: Controller;
  /** Parts by tag: those that are not done. */
  readonly #parts: (Part | null)[] = [];
  readonly #free: number[] = [];
  /** Tags of the parts that offer accesses, and which of them is first in turn. */
  readonly #sending: number[] = [];
  #turn = 0;
  /** Parts that are not done, among them those that still offer accesses. */
  unfinished = 0;
  /** Whether a part was taken as a whole, or done, since `run` began. */
  #changed = false;
  /** Tick at which the last data so far have been written. */
  lastWrite = 0;
  readonly #writeLatency: number;

  /** `makeController` is given whom to tell of requests that are done. */
  constructor(makeController: (completions: Completions) => Controller, writeLatency: number) {
    this.controller = makeController(this);
    this.#writeLatency = writeLatency;
  }

  /** The last tick executed; no access has been offered after it yet. */
  get clock(): number {
    return this.controller.clock;
  }

  /** Takes on a part whose stream stands at its first access. */
  add(part: Part): void {
    const tag = this.#free.pop() ?? this.#parts.length;
    this.#parts[tag] = part;
    this.#sending.push(tag);
    this.unfinished++;
  }

  /** Executes ticks up to `limit`, or fewer when a part was taken as a whole, or done. */
  run(limit: number): void {
    const { controller } = this;
    this.#changed = false;
    while (controller.clock < limit && !this.#changed) {
      controller.step(this.#offer() ? controller.clock + 1 : Math.min(limit, this.#nextArrival()));
    }
  }

  /** Executes ticks up to one. */
  runTo(tick: number): void {
    while (this.clock < tick) this.run(tick);
  }

  readDone(tag: number, tick: number): void {
    const part = this.#parts[tag]!;
    part.waiting--;
    part.arrived = tick;
    if (part.done) this.#finish(tag);
  }

  writeDone(_tag: number, tick: number): void {
    const end = tick + this.#writeLatency;
    if (end > this.lastWrite) this.lastWrite = end;
  }

  /** Executes ticks until nothing waits; returns the tick of the last data. */
  drain(): number {
    const { controller } = this;
    while (controller.waiting > 0) controller.step(Number.MAX_SAFE_INTEGER);
    return Math.max(controller.lastRead, this.lastWrite);
  }

  /** Offers accesses until one is taken; false when none is. */
  #offer(): boolean {
    const sending = this.#sending;
    for (let i = 0; i < sending.length; i++) {
      const turn = this.#turn + i;
      const at = turn < sending.length ? turn : turn - sending.length;
      const tag = sending[at]!;
      const part = this.#parts[tag]!;
      if (part.from > this.clock || !this.#send(part, tag)) continue;
      this.#turn = at + 1;
      if (!part.stream.advance()) this.#takenWhole(part, at);
      return true;
    }
    return false;
  }

  #send(part: Part, tag: number): boolean {
    const { bank, row, column, block } = part.stream;
    // Before it is sent: one that is answered at once is done by then.
    if (!part.write) part.waiting++;
    if (this.controller.send(part.write, bank, row, column, block, tag)) {
      if (part.accesses++ === 0) part.firstTaken = this.clock;
      return true;
    }
    if (!part.write) part.waiting--;
    return false;
  }

  #takenWhole(part: Part, at: number): void {
    const [tag] = this.#sending.splice(at, 1) as [number];
    this.#turn = at;
    part.taken = this.clock + 1;
    this.#changed = true;
    if (part.done) this.#finish(tag);
  }

  #finish(tag: number): void {
    this.#parts[tag] = null;
    this.#free.push(tag);
    this.unfinished--;
    this.#changed = true;
  }

  /** The first tick after which a part offers its first access; infinite when all do already. */
  #nextArrival(): number {
    let first = Number.MAX_SAFE_INTEGER;
    for (const tag of this.#sending) {
      const { from } = this.#parts[tag]!;
      if (from > this.clock && from < first) first = from;
    }
    return first;
  }
}
