/** What a transfer moves, as runs of bytes, and the accesses of one channel that they take. */
import type { AddressMapping } from '../../../arch/language/dram/mapping.ts';

/**
 * Runs of `width` bytes, one for every iteration of nested loops, the last of which is the innermost: from
 * `base + digits . strides`. Bytes may be fractions, where values are smaller than one.
 */
export interface Runs {
  readonly base: number;
  readonly counts: readonly number[];
  readonly strides: readonly number[];
  readonly width: number;
}

/** A run of consecutive bytes. */
export function oneRun(base: number, width: number): Runs {
  return { base, counts: [], strides: [], width };
}

/** The same runs with as few loops as can be: those of one iteration go, and runs that touch become one. */
export function merged({ base, counts, strides, width }: Runs): Runs {
  const loops: { count: number; stride: number }[] = [];
  let whole = width;
  for (let i = counts.length - 1; i >= 0; i--) {
    const [count, stride] = [counts[i]!, strides[i]!];
    if (count === 1) continue;
    const inner = loops[0];
    if (inner === undefined && stride === whole) whole *= count;
    else if (inner && inner.count * inner.stride === stride) inner.count *= count;
    else loops.unshift({ count, stride });
  }
  return { base, counts: loops.map(({ count }) => count), strides: loops.map(({ stride }) => stride), width: whole };
}

/** Bytes of runs, those that several of them have more than once. */
export function bytesIn({ counts, width }: Runs): number {
  return counts.reduce((product, count) => product * count, width);
}

/**
 * The accesses of one channel that cover runs, in order: a block as often as runs that do not follow each other have bytes
 * of it.
 */
export class ChannelStream {
  /** Where the access in hand lies. */
  block = -1;
  bank = 0;
  row = 0;
  column = 0;
  readonly #list: readonly Runs[];
  readonly #mapping: AddressMapping;
  readonly #channel: number;
  readonly #blockBytes: number;
  /** Position in the list, and the iteration of each of its loops. */
  #at = -1;
  #digits = new Int32Array(0);
  #address = 0;
  /** Blocks of the run in hand that are left. */
  #next = 0;
  #last = -1;

  constructor(list: readonly Runs[], mapping: AddressMapping, channel: number, blockBytes: number) {
    this.#list = list;
    this.#mapping = mapping;
    this.#channel = channel;
    this.#blockBytes = blockBytes;
  }

  /** Moves on to the next access; false when there is none. */
  advance(): boolean {
    const mapping = this.#mapping;
    for (;;) {
      while (this.#next <= this.#last) {
        const block = mapping.nextInChannel(this.#channel, this.#next, this.#last);
        this.#next = block + 1;
        if (block > this.#last || block === this.block) continue;
        mapping.decode(block);
        this.block = block;
        this.bank = mapping.bank;
        this.row = mapping.row;
        this.column = mapping.column;
        return true;
      }
      if (!this.#nextRun()) return false;
    }
  }

  #nextRun(): boolean {
    if (!this.#stepLoops()) {
      const runs = this.#list[++this.#at];
      if (runs === undefined) return false;
      this.#digits = new Int32Array(runs.counts.length);
      this.#address = runs.base;
    }
    const { width } = this.#list[this.#at]!;
    this.#next = Math.floor(this.#address / this.#blockBytes);
    this.#last = Math.ceil((this.#address + width) / this.#blockBytes) - 1;
    return true;
  }

  /** The next iteration of the loops in hand; false after the last one. */
  #stepLoops(): boolean {
    const runs = this.#list[this.#at];
    if (runs === undefined) return false;
    for (let i = this.#digits.length - 1; i >= 0; i--) {
      const digit = this.#digits[i]! + 1;
      if (digit < runs.counts[i]!) {
        this.#digits[i] = digit;
        this.#address += runs.strides[i]!;
        return true;
      }
      this.#address -= runs.strides[i]! * this.#digits[i]!;
      this.#digits[i] = 0;
    }
    return false;
  }
}
