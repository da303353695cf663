/** Amounts over time, in memory that does not grow with the run. */
import { apportion } from './estimate.ts';
import { EventLog } from './event-log.ts';

/** The most bins a timeline has; the width doubles beyond, so that between half of this and this are in use. */
export const timelineBins = 400;

/**
 * Amounts spread over equal bins of time; the bins double in width as the run grows. Times and amounts are whole numbers,
 * and so is what each bin gets: of an amount, what has come by any moment is rounded down. No sum depends on its order.
 */
export class Bins {
  readonly kinds: number;
  readonly values: Float64Array;
  readonly #count: number;
  /** Time per bin. */
  width: number;
  /** What is added, while it is recorded. */
  #log: EventLog | null = null;
  /** How much later than they say all that is added from now on has been: time that was passed over before. */
  #shift = 0;

  /** `kinds` independent series of `count` bins (even), at first `width` wide. */
  constructor(kinds: number, count: number, width: number) {
    this.kinds = kinds;
    this.#count = count;
    this.width = width;
    this.values = new Float64Array(kinds * count);
  }

  /**
   * Adds `amount` evenly over the time from `from` to `to`, to >= from >= 0. What takes less time than can be told, from
   * `to` to `to`, falls into the bin that ends there.
   */
  add(kind: number, from: number, to: number, amount: number): void {
    const shift = this.#shift;
    this.cover(to + shift);
    this.#log?.add(kind, from, to, amount);
    this.spread(kind, from + shift, to + shift, amount);
  }

  get shift(): number {
    return this.#shift;
  }

  /** Passes over time in which nothing was added, until the shift is this. */
  shiftTo(shift: number): void {
    this.#shift = shift;
  }

  /** Passes over time from `at` on until the shift is this, in which an amount of each kind has come evenly. */
  pass(at: number, shift: number, amounts: ArrayLike<number>): void {
    const from = at + this.#shift;
    const to = at + shift;
    this.cover(to);
    this.#shift = shift;
    const { width } = this;
    const left = Float64Array.from(amounts);
    const all = left.reduce((sum, amount) => sum + amount, 0);
    const rate = all / (to - from);
    const last = Math.max(0, Math.ceil(to / width) - 1);
    let before = 0;
    for (let bin = Math.min(last, Math.floor(from / width)); bin <= last; bin++) {
      const until = bin === last ? all : Math.floor(rate * ((bin + 1) * width - from));
      apportion(until - before, left).forEach((amount, kind) => {
        this.values[kind * this.#count + bin]! += amount;
        left[kind]! -= amount;
      });
      before = until;
    }
  }

  /** All amounts of a kind. */
  total(kind: number): number {
    const values = this.values.subarray(kind * this.#count, (kind + 1) * this.#count);
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** `add` for what is not to be recorded and lies before the end of the bins. */
  spread(kind: number, from: number, to: number, amount: number): void {
    const base = kind * this.#count;
    const { width, values } = this;
    const first = Math.floor(from / width);
    const last = Math.ceil(to / width) - 1;
    if (first >= last) {
      values[base + Math.max(0, last)]! += amount;
      return;
    }
    const rate = amount / (to - from);
    let before = 0;
    for (let bin = first; bin < last; bin++) {
      const until = Math.floor(rate * ((bin + 1) * width - from));
      values[base + bin]! += until - before;
      before = until;
    }
    values[base + last]! += amount - before;
  }

  /** Adds to the bin in which a time lies. */
  put(kind: number, time: number, amount: number): void {
    this.values[kind * this.#count + Math.floor(time / this.width)]! += amount;
  }

  /** Sets a series to another one. */
  copy(from: number, to: number): void {
    this.values.copyWithin(to * this.#count, from * this.#count, (from + 1) * this.#count);
  }

  /** Adds a series, so many times, to another one. */
  plus(to: number, from: number, times: number): void {
    for (let i = 0; i < this.#count; i++)
      this.values[to * this.#count + i]! += times * this.values[from * this.#count + i]!;
  }

  /** Widens the bins until they reach to `end`. */
  cover(end: number): void {
    while (end > this.width * this.#count) this.#double();
  }

  /** The bins of one kind that lie before time `end`. */
  series(kind: number, end: number): number[] {
    const used = Math.max(1, Math.min(this.#count, Math.ceil(end / this.width)));
    return Array.from(this.values.subarray(kind * this.#count, kind * this.#count + used));
  }

  /** From now on remembers what is added, until it is told to forget it. */
  record(): void {
    this.#log = new EventLog(this.kinds);
  }

  forget(): void {
    this.#log = null;
  }

  /** Entries recorded. */
  get recorded(): number {
    return this.#log?.length ?? 0;
  }

  /** A place in the record, from which what follows can be repeated. */
  mark(): number {
    return this.#log?.mark() ?? 0;
  }

  /** Adds all that was recorded since a mark `times` more, each time `stride` later. */
  repeat(mark: number, stride: number, times: number): void {
    this.#log?.repeat(this, mark, stride, times);
  }

  #double(): void {
    const half = this.#count / 2;
    for (let kind = 0; kind < this.kinds; kind++) {
      const base = kind * this.#count;
      for (let i = 0; i < half; i++)
        this.values[base + i] = this.values[base + 2 * i]! + this.values[base + 2 * i + 1]!;
      this.values.fill(0, base + half, base + this.#count);
    }
    this.width *= 2;
  }
}
