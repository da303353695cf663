/**
 * Linear maps over bits: every target bit is the exclusive or of some source bits. Address mappings are such maps, plain
 * ones with a single source bit each.
 */
import { bits, integer } from 'bitwise';
import type { Bits } from 'bitwise/types.js';

/** One row for each target bit, with a 1 for every source bit that it is the exclusive or of; bit 0 comes first. */
export type BitMatrix = readonly Bits[];

/** The row of one target bit that is a single source bit. */
export function unitRow(source: number, size: number): Bits {
  return Array.from({ length: size }, (_, i) => (i === source ? 1 : 0));
}

/** The map back, by Gauss-Jordan elimination over GF(2); null when two sources have the same target. */
export function inverseOf(matrix: BitMatrix): BitMatrix | null {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...unitRow(i, size)]);
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex((row, i) => i >= column && row[column] === 1);
    const row = rows[pivot];
    if (row === undefined) return null;
    rows.splice(pivot, 1);
    rows.splice(column, 0, row);
    for (let i = 0; i < size; i++) {
      const other = rows[i];
      if (i !== column && other?.[column] === 1) rows[i] = bits.xor(other, row);
    }
  }
  return rows.map((row) => row.slice(size));
}

/** Where a bit is kept: bit `bit` of the 32-bit word `word`. */
interface BitPlace {
  readonly word: number;
  readonly bit: number;
}

/** Places of bits that fill one word after the other, `sizes` bits in each. */
export function placesIn(sizes: readonly number[]): BitPlace[] {
  return sizes.flatMap((size, word) => Array.from({ length: size }, (_, bit) => ({ word, bit })));
}

/** A shift of one source word, of which some bits go to one target word. */
interface Step {
  readonly source: number;
  readonly target: number;
  /** Bits to the left; to the right when negative. */
  readonly shift: number;
  mask: number;
}

/** Numbers that a step takes in an array. */
const stepLength = 5;

/** A matrix as shifts and masks of words: all bits that move equally far from one word to another are one step. */
export class WordMap {
  /** Of each step: source word, target word, bits to the left, bits to the right, mask of the target. */
  readonly #steps: Int32Array;

  /** Row i of the matrix is the bit at `targets[i]`; its column j the bit at `sources[j]`. */
  constructor(matrix: BitMatrix, sources: readonly BitPlace[], targets: readonly BitPlace[]) {
    this.#steps = Int32Array.from(
      stepsOf(matrix, sources, targets).flatMap(({ source, target, shift, mask }) => [
        source,
        target,
        Math.max(0, shift),
        Math.max(0, -shift),
        mask,
      ]),
    );
  }

  /** Writes all target words. Source bits that the matrix has no column for are ignored. */
  apply(source: Int32Array, target: Int32Array): void {
    const steps = this.#steps;
    for (let i = 0; i < target.length; i++) target[i] = 0;
    for (let i = 0; i < steps.length; i += stepLength) {
      const moved = (source[steps[i]!]! << steps[i + 2]!) >>> steps[i + 3]!;
      target[steps[i + 1]!]! ^= moved & steps[i + 4]!;
    }
  }
}

function stepsOf(matrix: BitMatrix, sources: readonly BitPlace[], targets: readonly BitPlace[]): Step[] {
  const steps: Step[] = [];
  matrix.forEach((row, i) => {
    const { word: target, bit } = targets[i]!;
    row.forEach((isUsed, j) => {
      if (isUsed === 0) return;
      const { word: source, bit: from } = sources[j]!;
      const shift = bit - from;
      let step = steps.find((s) => s.source === source && s.target === target && s.shift === shift);
      if (step === undefined) {
        step = { source, target, shift, mask: 0 };
        steps.push(step);
      }
      step.mask = integer.setBit(step.mask, bit, 1);
    });
  });
  return steps;
}
