/** Amounts over time, in memory that does not grow with the run. */

/** The most bins a timeline has; the width doubles beyond, so that between half of this and this are in use. */
export const timelineBins = 400;

/** Amounts spread over equal bins of time; the bins double in width as the run grows. */
export class Bins {
  readonly kinds: number;
  readonly values: Float64Array;
  readonly #count: number;
  /** Time per bin. */
  width: number;

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
    this.cover(to);
    const base = kind * this.#count;
    const { width, values } = this;
    const first = Math.floor(from / width);
    const last = Math.ceil(to / width) - 1;
    if (first >= last) {
      values[base + Math.max(0, last)]! += amount;
      return;
    }
    const perTime = amount / (to - from);
    values[base + first]! += ((first + 1) * width - from) * perTime;
    for (let bin = first + 1; bin < last; bin++) values[base + bin]! += width * perTime;
    values[base + last]! += (to - last * width) * perTime;
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
