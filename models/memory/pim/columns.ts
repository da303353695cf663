/** Runs of accesses whose rows are open: their columns go out one after the other, each as soon as it may, in one step. */
import type { Access, AccessQueue } from './accesses.ts';
import type { CommandBus } from './bus.ts';
import { type ChannelWatcher, forAccess } from './listener.ts';
import type { PimState } from './state.ts';

/** Told of a column: its run's place in the queue, how many of that run were sent before it in the same step, and the cycle. */
export type ColumnLog = (slot: number, before: number, cycle: number) => void;

const none = -1;

export class Columns {
  /** Runs that may go on, in their order. */
  size = 0;
  /** After `send`: the place of the run that has none left, -1 for none, and the cycle of the last column. */
  done = none;
  last = 0;
  /** After `find`: the bank and the cycle of the next column, and the cycle of another one. */
  bank = 0;
  cycle = 0;
  other = 0;
  readonly #slot: Int32Array;
  readonly #bank: Int32Array;
  readonly #left: Int32Array;
  readonly #cycle: Float64Array;
  readonly #latest: Float64Array;
  readonly #count: Int32Array;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #watcher: ChannelWatcher | null;
  /** Columns that have been sent and not told of: evenly apart, the first, how many. */
  #untold = 0;
  #from = 0;
  #apart = 0;

  constructor(state: PimState, bus: CommandBus, most: number, watcher: ChannelWatcher | null) {
    this.#watcher = watcher;
    this.#state = state;
    this.#bus = bus;
    this.#slot = new Int32Array(most);
    this.#bank = new Int32Array(most);
    this.#left = new Int32Array(most);
    this.#cycle = new Float64Array(most);
    this.#latest = new Float64Array(most);
    this.#count = new Int32Array(most);
  }

  clear(): void {
    this.size = 0;
  }

  /** A run of a queue may go on. */
  add(queue: AccessQueue, slot: number): void {
    const i = this.size++;
    this.#slot[i] = slot;
    this.#bank[i] = queue.bank[slot]!;
    this.#left[i] = queue.left[slot]!;
    this.#count[i] = 0;
  }

  /**
   * Sends the soonest column, of several the first, and those after it in cycles before one, until a run has none left or it
   * is so many columns. The commands are those of `command`, a read or a write. Returns how many.
   */
  send(command: number, before: number, most: number, log: ColumnLog | null): number {
    const { tables } = this.#state;
    for (let i = 0; i < this.size; i++) {
      this.#cycle[i] = this.#bus.cycle(command, this.#state.ready(command, this.#bank[i]!));
    }
    this.done = none;
    const gaps = tables.repeats[command] ? this.#bus.gaps(command, tables) : null;
    const limit = gaps === null ? 1 : most;
    const count =
      this.size === 1
        ? this.#sendRun(command, before, limit, gaps, log)
        : this.#sendAll(command, before, limit, gaps, log);
    this.#start(command);
    return count;
  }

  /** The columns of one run, evenly apart. */
  #sendRun(command: number, before: number, most: number, gaps: Int32Array | null, log: ColumnLog | null): number {
    const bank = this.#bank[0]!;
    const left = this.#left[0]!;
    const from = this.#cycle[0]!;
    const gap = gaps === null ? 1 : gaps[bank * this.#state.banks + bank]!;
    const further = Math.max(0, Math.floor((before - 1 - from) / gap));
    const count = Math.min(left, most, 1 + further);
    if (log !== null) for (let i = 0; i < count; i++) log(this.#slot[0]!, i, from + i * gap);
    this.last = from + (count - 1) * gap;
    this.#watcher?.(forAccess, command, bank, count, from, this.last);
    this.#latest[0] = this.last;
    this.#cycle[0] = this.last + gap;
    this.#count[0] = count;
    if (count === left) this.done = this.#slot[0]!;
    return count;
  }

  #sendAll(command: number, before: number, most: number, gaps: Int32Array | null, log: ColumnLog | null): number {
    const { banks } = this.#state;
    let count = 0;
    let first = this.#soonest();
    do {
      const cycle = this.#cycle[first]!;
      if (log !== null) log(this.#slot[first]!, this.#count[first]!, cycle);
      if (this.#watcher !== null) this.#watch(command, this.#bank[first]!, cycle);
      count++;
      this.last = cycle;
      this.#latest[first] = cycle;
      if (++this.#count[first]! === this.#left[first]!) this.done = this.#slot[first]!;
      if (gaps !== null) first = this.#hold(this.#bank[first]! * banks, cycle, gaps);
    } while (count < most && this.done === none && this.#cycle[first]! < before);
    if (this.#watcher !== null) this.#tell(command, this.#bank[first]!);
    return count;
  }

  #watch(command: number, bank: number, cycle: number): void {
    if (this.#untold === 1) this.#apart = cycle - this.#from;
    else if (this.#untold > 1 && cycle - this.last !== this.#apart) this.#tell(command, bank);
    if (this.#untold++ === 0) this.#from = cycle;
  }

  #tell(command: number, bank: number): void {
    this.#watcher?.(forAccess, command, bank, this.#untold, this.#from, this.last);
    this.#untold = 0;
  }

  #soonest(): number {
    let first = 0;
    for (let i = 1; i < this.size; i++) if (this.#cycle[i]! < this.#cycle[first]!) first = i;
    return first;
  }

  /** Holds up all after a column; returns the soonest. */
  #hold(from: number, cycle: number, gaps: Int32Array): number {
    let first = 0;
    let soonest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.size; i++) {
      const next = cycle + gaps[from + this.#bank[i]!]!;
      if (next > this.#cycle[i]!) this.#cycle[i] = next;
      if (this.#cycle[i]! >= soonest) continue;
      soonest = this.#cycle[i]!;
      first = i;
    }
    return first;
  }

  /** Of a run, only its last column leaves a trace. */
  #start(command: number): void {
    for (let i = 0; i < this.size; i++) {
      const count = this.#count[i]!;
      if (count === 0) continue;
      this.#state.start(command, this.#bank[i]!, none, 1, this.#bus.tick(this.#latest[i]!));
      this.#state.sent[command]! += count - 1;
    }
    this.#bus.send(command, this.last);
  }

  /** Takes from a queue what was sent. Returns the access of the run that is done when that was the last of it. */
  take(queue: AccessQueue): Access | null {
    let own = 0;
    for (let i = 0; i < this.size; i++) {
      const count = this.#count[i]!;
      this.#count[i] = 0;
      this.#left[i]! -= count;
      if (this.#slot[i] === this.done) own = count;
      else if (count > 0) queue.sent(this.#slot[i]!, count);
    }
    return this.done === none ? null : queue.sent(this.done, own);
  }

  /** After columns were sent and no run is done: finds the next one, and the cycle of the next but one. */
  find(): void {
    const first = this.#soonest();
    this.cycle = this.#cycle[first]!;
    this.bank = this.#bank[first]!;
    this.other = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.size; i++) {
      if (i !== first && this.#cycle[i]! < this.other) this.other = this.#cycle[i]!;
    }
  }
}
