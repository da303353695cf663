import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScratchpadPart } from '../../../arch/language/arch.ts';
import { affineConflictCycles, type Banks, banksOf, conflictCycles } from '../../../models/memory/banks.ts';
import { readTile } from '../../reference/banked-pad.ts';

/** 8 banks of lines of 4 elements. */
const pad: Banks = { banks: 8, ports: 1, line: 4 };

const rows = 32;
const columns = 64;

/** Steps along the rows of a row-major matrix: each step wants one row. */
function byRow(banks: Banks, rowStride: number, width = columns): number {
  return affineConflictCycles(banks, rows, width, rowStride, 1);
}

/** Steps along its columns: each step wants one column. */
function byColumn(banks: Banks, rowStride: number): number {
  return affineConflictCycles(banks, columns, rows, 1, rowStride);
}

describe('the banks of a scratchpad', () => {
  it('have lines of as many whole elements as an access has room for, at least one', () => {
    const part = new ScratchpadPart({ banks: 16, ports: 2, width: 5 });
    expect(banksOf(part, 16)).toEqual({ banks: 16, ports: 2, line: 2 });
    expect(banksOf(part, 4).line).toBe(10);
    expect(banksOf(part, 64).line).toBe(1);
  });
});

describe('a row-major tile', () => {
  it('read along rows has no conflicts when a row fits the lines across the banks', () => {
    expect(byRow(pad, 32, 32)).toBe(rows);
    expect(byRow(pad, 64, 33)).toBe(2 * rows);
    expect(byRow(pad, 64, 64)).toBe(2 * rows);
  });

  it('has conflicts all the same when such a row begins inside a line and so lies in one line more', () => {
    expect(affineConflictCycles(pad, 4, 31, 31, 1)).toBe(1 + 2 + 2 + 1);
  });

  it('of a power of two in columns, read along columns, hits one bank', () => {
    expect(byColumn(pad, 64)).toBe(columns * rows);
  });

  it('read along columns has as few conflicts as it can when its rows are padded by one line', () => {
    expect(byColumn(pad, 64 + pad.line)).toBe((columns * rows) / pad.banks);
  });

  it('is read faster by as many times as a bank has ports, in whole cycles', () => {
    expect(byColumn({ ...pad, ports: 2 }, 64)).toBe((columns * rows) / 2);
    expect(byColumn({ ...pad, ports: 5 }, 64)).toBe(columns * Math.ceil(rows / 5));
    expect(byColumn({ ...pad, ports: 32 }, 64)).toBe(columns);
  });
});

describe('a step', () => {
  it('gets all words of a line with one access, wherever they stand in the step', () => {
    const addresses = [0, 32, 1, 33, 2, 34];
    expect(conflictCycles(pad, 1, 6, (_, word) => addresses[word]!)).toBe(2);
  });

  it('waits for the bank of which it wants most lines', () => {
    const addresses = [0, 4, 36, 68, 32, 8];
    expect(conflictCycles(pad, 1, 6, (_, word) => addresses[word]!)).toBe(3);
  });

  it('that wants nothing takes a cycle', () => {
    expect(conflictCycles(pad, 3, 4, (step, word) => (step === 1 ? -1 : 32 * word))).toBe(4 + 1 + 4);
    expect(conflictCycles(pad, 3, 0, () => 0)).toBe(3);
    expect(affineConflictCycles(pad, 3, 0, 1, 1)).toBe(3);
  });

  it('finds its lines far apart in a large address space', () => {
    const far = 2 ** 36;
    expect(conflictCycles(pad, 2, 3, (step, word) => step + (word % 2) * far)).toBe(4);
  });
});

const someBanks: fc.Arbitrary<Banks> = fc.record({
  banks: fc.integer({ min: 1, max: 9 }),
  ports: fc.integer({ min: 1, max: 3 }),
  line: fc.integer({ min: 1, max: 12 }),
});

describe('conflict cycles', () => {
  it('are those of a scratchpad that is ticked cycle by cycle', () => {
    const address = fc.oneof({ weight: 1, arbitrary: fc.constant(-1) }, { weight: 4, arbitrary: fc.nat(300) });
    const tile = fc.tuple(fc.nat(20), fc.nat(12)).chain(([words, steps]) => {
      const step = fc.array(address, { minLength: words, maxLength: words });
      return fc.array(step, { minLength: steps, maxLength: steps }).map((wanted) => ({ words, wanted }));
    });
    fc.assert(
      fc.property(someBanks, tile, (banks, { words, wanted }) => {
        const cycles = conflictCycles(banks, wanted.length, words, (step, word) => wanted[step]![word]!);
        expect(cycles).toBe(readTile(banks, wanted));
      }),
      { numRuns: 500 },
    );
  });

  it('of windows that slide over an image with a border are those of a ticked scratchpad', () => {
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(someBanks, size, size, fc.integer({ min: 1, max: 3 }), (banks, height, width, channels) => {
        // A step is a tap of a 3 x 3 kernel and a channel, a word an output pixel; the image is padded by one.
        const taps = Array.from({ length: 9 * channels }, (_, tap) => tap);
        const pixels = Array.from({ length: height * width }, (_, pixel) => pixel);
        const wanted = taps.map((step) => {
          const tap = Math.floor(step / channels);
          return pixels.map((pixel) => {
            const row = Math.floor(pixel / width) + Math.floor(tap / 3) - 1;
            const column = (pixel % width) + (tap % 3) - 1;
            const isInside = row >= 0 && row < height && column >= 0 && column < width;
            return isInside ? (row * width + column) * channels + (step % channels) : -1;
          });
        });
        const cycles = conflictCycles(banks, taps.length, pixels.length, (step, word) => wanted[step]![word]!);
        expect(cycles).toBe(readTile(banks, wanted));
      }),
      { numRuns: 200 },
    );
  });
});

describe('conflict cycles of an affine tile', () => {
  it('are those of the same tile read step by step', () => {
    const stride = fc.oneof(fc.nat(12), fc.nat(500));
    fc.assert(
      fc.property(someBanks, fc.nat(60), fc.nat(20), stride, stride, (banks, steps, words, stepStride, wordStride) => {
        const cycles = conflictCycles(banks, steps, words, (step, word) => step * stepStride + word * wordStride);
        expect(affineConflictCycles(banks, steps, words, stepStride, wordStride)).toBe(cycles);
      }),
      { numRuns: 1000 },
    );
  });

  it('take no longer to find for a million million steps', () => {
    expect(affineConflictCycles(pad, 1e12 + 1, 31, 31, 1)).toBe(1.5e12 + 1);
  });
});
