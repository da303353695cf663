/** Words that registers read and write. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataflow } from '../../arch/language/arch.ts';
import { parseArch } from '../../arch/language/load.ts';
import type { Result } from '../../models/result.ts';
import { simulate } from '../../models/simulate.ts';
import type { Parts } from '../workloads/cascades.ts';
import { aGemm, aMachine, aMapping, aWorkload } from './machines.ts';

function registersOf({ engines }: Result, name: string): NonNullable<Result['engines'][number]['registers']> {
  return engines.find((engine) => engine.name === name)!.registers!;
}

describe('registers of a systolic array', () => {
  const extent = fc.integer({ min: 1, max: 20 });
  const side = fc.integer({ min: 1, max: 6 });
  const stationary = { 'output-stationary': null, 'weight-stationary': 'B', 'input-stationary': 'A' } as const;

  it.each(Object.keys(stationary) as Dataflow[])(
    'get what stays when it is loaded, and the rest in every step, %s',
    (dataflow) => {
      const overlap = fc.constantFrom('none', 'preload', 'drain', 'full');
      fc.assert(
        fc.property(fc.record({ M: extent, N: extent, K: extent, R: side, C: side, overlap }), (s) => {
          const { M, N, K, R, C } = s;
          const array = `rows: ${R}, columns: ${C}, dataflow: ${dataflow}, overlap: ${s.overlap}, operations: { mac: 1 }`;
          const result = simulate({ arch: aMachine({ array }), workload: aGemm(M, N, K) });
          const points = M * N * K;
          const kept = stationary[dataflow];
          // An element of what stays goes to one PE, once for each block of time.
          const taken = (tensor: string): number =>
            result.memories.find(({ name }) => name === 'buffer')!.tensors[tensor]!.read;
          // Partial sums come back from the buffer for every fold of k but the first.
          const back = kept === null ? 0 : (Math.ceil(K / R) - 1) * M * N;
          expect(registersOf(result, 'array')).toEqual({
            A: { read: points, written: kept === 'A' ? taken('A') : points },
            B: { read: points, written: kept === 'B' ? taken('B') : points },
            Z: { read: points - M * N, written: points + back },
          });
        }),
        { numRuns: 20 },
      );
    },
  );
});

describe('registers of an array with broadcast feed', () => {
  it('get an element once for each PE that uses it, in every tile and fold', () => {
    const extents = fc.record({ c: fc.integer({ min: 1, max: 5 }), k: fc.integer({ min: 1, max: 7 }) });
    const windows = fc.record({ p: fc.integer({ min: 1, max: 6 }), r: fc.integer({ min: 1, max: 3 }) });
    const sides = fc.constantFrom(['c', 'k'], ['r', 'k'], ['k', 'p'], ['c', 'p']);
    const tile = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        extents,
        windows,
        sides,
        tile,
        tile,
        fc.boolean(),
        ({ c, k }, { p, r }, [rows, columns], tk, tp, looped) => {
          const sizes = { c, k, p, r };
          const tiles = { k: Math.min(tk, k), p: Math.min(tp, p), c: looped ? 1 : c, r };
          const array = `rows: 3, columns: 2, feed: broadcast, operations: { mac: 1 }, reduce: { along: columns, latency: 1 cycle per row }`;
          const result = simulate({
            arch: aMachine({ array }),
            workload: aWorkload('O[k,p] = I[c,p+r] * W[c,k,r]', {
              inputs: 'I[c,p+r]  W[c,k,r]',
              output: 'O[k,p]',
              ranks: `C: ${c}, K: ${k}, P: ${p}, R: ${r}`,
            }),
            mapping: aMapping(
              `partition: { K: [K1, K0 ${tiles.k}], P: [P1, P0 ${tiles.p}] }`,
              `loops: [${['k1', ...(looped ? ['c'] : []), 'p1'].join(', ')}]`,
              `place: { array: { einsums: O, rows: ${rows}, columns: ${columns} } }`,
            ),
          });
          const written = placesOf(sizes, tiles, [rows!, columns!]);
          const points = c * k * p * r;
          const { I, W, O } = registersOf(result, 'array');
          expect([I, W]).toEqual([
            { read: points, written: written((at) => [at.c!, at.p! + at.r!]) },
            { read: points, written: written((at) => [at.c!, at.k!, at.r!]) },
          ]);
          expect(O!.read).toBe(points - k * p);
        },
      ),
      { numRuns: 40 },
    );
  });

  /** Distinct elements in distinct PEs: of all tiles, and of the places that values over the sides have in them. */
  function placesOf(
    sizes: Readonly<Record<string, number>>,
    tiles: Readonly<Record<string, number>>,
    sides: readonly string[],
  ): (element: (at: Readonly<Record<string, number>>) => number[]) => number {
    const points = Object.entries(sizes).reduce<Record<string, number>[]>(
      (all, [v, size]) => all.flatMap((at) => Array.from({ length: size }, (_, i) => ({ ...at, [v]: i }))),
      [{}],
    );
    return (element) =>
      new Set(
        points.map((at) => {
          const tile = Object.keys(sizes).map((v) => Math.floor(at[v]! / tiles[v]!));
          return [tile, sides.map((v) => at[v]!), element(at)].join(' ');
        }),
      ).size;
  }
});

describe('registers of a vector unit', () => {
  const run = (cascade: string, parts: Parts, ...mapping: string[]) =>
    registersOf(
      simulate({ arch: aMachine(), workload: aWorkload(cascade, parts), mapping: aMapping('loops: []', ...mapping) }),
      'vector',
    );

  it('get a value in the lane that works on it, and one of all lanes in each of the four', () => {
    expect(run('Z[m] = X[m] + S', { ranks: 'M: 10', inputs: 'X[m]  S', output: 'Z[m]' })).toEqual({
      X: { read: 10, written: 10 },
      S: { read: 10, written: 4 },
      Z: { read: 0, written: 10 },
    });
  });

  it('read no partial result for the first value of a sum', () => {
    const sums = run('Z[m] = X[m,k]', { ranks: 'M: 3, K: 5', inputs: 'X[m,k]', output: 'Z[m]' });
    expect(sums.Z).toEqual({ read: 3 * 4, written: 3 * 5 });
  });

  it('are not written again with what is kept in them', () => {
    const cascade = 'Y[m] = abs(X[m])\nZ[m] = abs(Y[m])';
    const parts = { ranks: 'M: 8', inputs: 'X[m]', output: 'Z[m]' };
    const place = (keep: string): string => `place: { vector: { einsums: [Y, Z]${keep} } }`;
    expect(run(cascade, parts, place(', keep: [Y]')).Y).toEqual({ read: 8, written: 8 });
    expect(run(cascade, parts, place('')).Y).toEqual({ read: 8, written: 16 });
  });
});

describe('registers of two cores', () => {
  const machine = `
machine: pair
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, bandwidth: 1 GB/s, latency: 0 ns, capacity: 1 GiB }
  core:
    count: 2
    parts:
      buffer: { kind: scratchpad, capacity: 64 KiB, width: 64 B, latency: 0 cycles }
      lane: { kind: vector, lanes: 1, operations: { mac: 1, add: 1 } }
    links:
      - buffer <-> lane
links:
  - hbm <-> core.buffer via dma
`;

  it.each([
    { rank: 'm', begun: 6 * 4 },
    { rank: 'k', begun: 2 * 6 * 4 },
  ])('begin $begun sums when $rank is split', ({ rank, begun }) => {
    const result = simulate({
      arch: parseArch(machine, 'pair.yaml'),
      workload: aGemm(6, 4, 8),
      mapping: aMapping(`cores: { core: ${rank} }`),
    });
    const sums = result.engines
      .flatMap(({ registers = {} }) => Object.entries(registers))
      .filter(([tensor]) => tensor.startsWith('Z'));
    const read = sums.reduce((all, [, words]) => all + words.read, 0);
    // The einsum that adds partial sums up reads each of them.
    expect(read).toBe(6 * 4 * 8 - begun + (rank === 'k' ? begun : 0));
  });
});
