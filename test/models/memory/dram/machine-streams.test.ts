import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMapping } from '../../../../arch/language/dram/mapping.ts';
import { Placement } from '../../../../models/memory/dram/placement.ts';
import { bytesIn, ChannelStream, merged, type Runs } from '../../../../models/memory/dram/stream.ts';
import type { Region } from '../../../../workloads/language/region.ts';
import { bareDevice } from '../../../arch/dram/bare-device.ts';
import { aWorkload } from '../../machines.ts';

const device = bareDevice({ channel: 1, rank: 2, bankGroup: 4, bank: 4 }, 64, 16);

/** Where every run begins, one after another. */
function startsOf({ base, counts, strides }: Runs): number[] {
  return counts.reduce(
    (starts, count, i) => starts.flatMap((start) => Array.from({ length: count }, (_, n) => start + n * strides[i]!)),
    [base],
  );
}

/** Blocks that runs have bytes of, in order. */
function blocksOf(runs: Runs, blockBytes: number): number[] {
  return startsOf(runs).flatMap((start) => {
    const first = Math.floor(start / blockBytes);
    const end = Math.ceil((start + runs.width) / blockBytes);
    return Array.from({ length: end - first }, (_, i) => first + i);
  });
}

const runs: fc.Arbitrary<Runs> = fc
  .record({
    base: fc.nat(1e5),
    loops: fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 900 })), { maxLength: 3 }),
    width: fc.oneof(fc.integer({ min: 1, max: 700 }), fc.constantFrom(0.5, 1.5, 64, 128)),
  })
  .map(({ base, loops, width }) => {
    return { base, counts: loops.map(([count]) => count), strides: loops.map(([, stride]) => stride), width };
  });

const mappings = [
  'interleaved',
  'RoBaRaCoCh',
  'ChRaBaRoCo',
  'row-bank-channel:1-column-bankGroup-channel:1-rank',
  'RoBaRaCoCh, channel ^= row',
  'row-channel-bank-bankGroup-rank-column, channel ^= bankGroup, bank ^= row',
  'row-bank-bankGroup-rank-channel-column, channel ^= row, channel ^= bank',
];

describe("a channel's stream", () => {
  it('has the accesses of its channel, in order, but for those that repeat the one before', () => {
    fc.assert(
      fc.property(fc.array(runs, { maxLength: 4 }), fc.constantFrom(...mappings), (list, text) => {
        const mapping = compileMapping(text, device, 4);
        const expected: number[][] = [[], [], [], []];
        for (const block of list.flatMap((one) => blocksOf(one, 64))) {
          mapping.decode(block);
          const own = expected[mapping.channel]!;
          if (own.at(-1) !== block) own.push(block);
        }
        expected.forEach((blocks, channel) => {
          const stream = new ChannelStream(list, mapping, channel, 64);
          for (const block of blocks) {
            expect(stream.advance()).toBe(true);
            mapping.decode(block);
            const { bank, row, column } = mapping;
            expect([stream.block, stream.bank, stream.row, stream.column]).toEqual([block, bank, row, column]);
          }
          expect(stream.advance()).toBe(false);
        });
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('merged runs', () => {
  const bytesOf = (one: Runs): number[] => startsOf(one).flatMap((start) => range(start, start + one.width));
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

  it('are the same bytes in the same order', () => {
    const loop = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(2, 4, 6, 8, 16, 24));
    fc.assert(
      fc.property(fc.array(loop, { maxLength: 4 }), fc.constantFrom(2, 4), (loops, width) => {
        const one = { base: 5, counts: loops.map(([n]) => n), strides: loops.map(([, n]) => n), width };
        expect(bytesOf(merged(one))).toEqual(bytesOf(one));
        expect(bytesIn(merged(one))).toBe(bytesIn(one));
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  it('are one where all touch, and a loop where none does', () => {
    expect(merged({ base: 3, counts: [2, 1, 5], strides: [20, 7, 4], width: 4 })).toEqual({
      base: 3,
      counts: [],
      strides: [],
      width: 40,
    });
    expect(merged({ base: 0, counts: [3, 4], strides: [80, 20], width: 8 })).toEqual({
      base: 0,
      counts: [12],
      strides: [20],
      width: 8,
    });
  });
});

describe('the placement of tensors', () => {
  const workload = aWorkload('Z[m,n] = A[m,k] * B[k,n]', { ranks: 'M: 70, N: 90, K: 60' }).workload;
  const placement = new Placement(workload);
  const whole = (rows: number, columns: number): Region[] => [
    [
      [0, rows],
      [0, columns],
    ],
  ];

  it('is one after another, each at a multiple of 4 KiB', () => {
    expect(placement.runs('A', whole(70, 60), 4200)).toEqual([{ base: 0, counts: [], strides: [], width: 4200 }]);
    expect(placement.runs('B', whole(60, 90), 5400)[0]!.base).toBe(8192);
    expect(placement.runs('Z', whole(70, 90), 6300)[0]!.base).toBe(16384);
  });

  it('has a run for every row of a tile', () => {
    const tile: Region = [
      [3, 7],
      [10, 40],
    ];
    expect(placement.runs('B', [tile], 120)).toEqual([
      { base: 8192 + 3 * 90 + 10, counts: [4], strides: [90], width: 30 },
    ]);
  });

  it('joins regions that touch', () => {
    const regions: Region[] = [
      [
        [2, 3],
        [80, 90],
      ],
      [
        [3, 5],
        [0, 90],
      ],
    ];
    expect(placement.runs('B', regions, 190)).toEqual([{ base: 8192 + 260, counts: [], strides: [], width: 190 }]);
  });

  it('puts what is packed side by side, and what belongs to it behind all tensors', () => {
    const tile: Region = [
      [3, 7],
      [10, 40],
    ];
    expect(placement.runs('B', [tile], 60)).toEqual([{ base: 8192 + 280, counts: [], strides: [], width: 60 }]);
    expect(placement.runs('B', [tile], 15, true)).toEqual([
      { base: 24576 + 8192 + 280, counts: [], strides: [], width: 15 },
    ]);
  });
});
