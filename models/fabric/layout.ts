/** Where the bytes of a tensor are: whole pages, interleaved over memories by weight. */

/** Weights by memory, in order: so many pages in the first, then in the next, and again. */
export class Layout {
  readonly page: number;
  /** Index of the memory, for each page of a turn. */
  readonly turn: Int32Array;

  /** @throws RangeError when there is no weight */
  constructor(page: number, weights: readonly { readonly target: number; readonly pages: number }[]) {
    this.page = page;
    this.turn = Int32Array.from(weights.flatMap(({ target, pages }) => new Array<number>(pages).fill(target)));
    if (this.turn.length === 0) throw new RangeError('a layout needs a memory');
  }

  /** The memory of the byte at an offset. */
  targetOf(offset: number): number {
    return this.turn[Math.floor(offset / this.page) % this.turn.length]!;
  }

  /** Bytes after which the pattern repeats. */
  get cycle(): number {
    return this.page * this.turn.length;
  }

  /** Bytes in a memory of the first `size`. */
  bytesIn(target: number, size: number): number {
    const [turns, rest] = [Math.floor(size / this.cycle), size % this.cycle];
    const inTurn = this.turn.filter((one) => one === target).length * this.page;
    let last = 0;
    for (let at = 0; at < rest; at += this.page)
      if (this.targetOf(at) === target) last += Math.min(this.page, rest - at);
    return turns * inTurn + last;
  }
}
