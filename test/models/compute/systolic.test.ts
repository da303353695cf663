import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataflow } from '../../../arch/language/arch.ts';
import { foldCycles } from '../../../models/compute/array.ts';
import { simulate } from '../../../models/simulate.ts';
import { evaluate, randomInputs } from '../../../workloads/language/evaluate.ts';
import { type FoldStart, multiply, multiplyAt, type Run, type SystolicArray } from '../../reference/systolic-array.ts';
import { type Crossing, Hazard, type Matrix } from '../../reference/systolic-pes.ts';
import { aGemm, aMachine, aMapping } from '../machines.ts';

/** Random cases of each dataflow with each overlap; RUNS=n SEED=n tries more, or others. */
const runs = Number(process.env.RUNS ?? 30);

const dataflows = ['output-stationary', 'weight-stationary', 'input-stationary'] as const;
const overlaps = ['none', 'preload', 'drain', 'full'] as const;
const kinds = dataflows.flatMap((dataflow) => overlaps.map((overlap) => ({ dataflow, overlap })));

interface Case {
  readonly array: SystolicArray;
  readonly a: Matrix;
  readonly b: Matrix;
}

const numberOf = fc.oneof(
  fc.integer({ min: -99, max: 99 }),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.double({ min: -1, max: 1, noNaN: true }),
);

function matrices(rows: number, columns: number): fc.Arbitrary<Matrix> {
  const row = fc.array(numberOf, { minLength: columns, maxLength: columns });
  return fc.array(row, { minLength: rows, maxLength: rows });
}

/** A product on an array of up to 9 x 9, every rank up to `most`. */
function casesOf(kind: Pick<SystolicArray, 'dataflow' | 'overlap'>, most = 20): fc.Arbitrary<Case> {
  const side = fc.integer({ min: 1, max: 9 });
  const extent = fc.integer({ min: 1, max: most });
  return fc
    .record({ rows: side, columns: side, M: extent, N: extent, K: extent })
    .chain(({ rows, columns, M, N, K }) =>
      fc.record({ array: fc.constant({ ...kind, rows, columns }), a: matrices(M, K), b: matrices(K, N) }),
    );
}

/** Added up in the order of K. */
function productOf(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0]!.map((_, n) => row.reduce((sum, value, k) => sum + value * b[k]![n]!, 0)));
}

/** How often operands enter a fold: the extent of the rank that lies over neither side of the array. */
function stepsOf({ array, a, b }: Case): number {
  return { 'output-stationary': b.length, 'weight-stationary': a.length, 'input-stationary': b[0]!.length }[
    array.dataflow
  ];
}

function foldCountOf({ array: { rows, columns, dataflow }, a, b }: Case): number {
  const [M, N, K] = [a.length, b[0]!.length, b.length];
  const over = { 'output-stationary': [M, N], 'weight-stationary': [K, N], 'input-stationary': [K, M] }[dataflow];
  return Math.ceil(over[0]! / rows) * Math.ceil(over[1]! / columns);
}

describe.each(kinds)('an array of registers, $dataflow, overlap $overlap', (kind) => {
  it('computes the matrix product, each result added up in the order of K', () => {
    fc.assert(
      fc.property(casesOf(kind), ({ array, a, b }) => {
        expect(multiply(array, a, b).product).toEqual(productOf(a, b));
      }),
      { numRuns: runs },
    );
  });

  it('takes the cycles of every fold that the fast model says', () => {
    fc.assert(
      fc.property(casesOf(kind), (product) => {
        const { load, length, period } = foldCycles(product.array, stepsOf(product));
        const run = multiply(product.array, product.a, product.b);
        expect(run.folds.length).toBe(foldCountOf(product));
        expect(run.cycles).toBe((run.folds.length - 1) * period + length);
        run.folds.forEach(({ stream, lastResult }, fold) => {
          expect([stream, lastResult]).toEqual([fold * period + load, fold * period + length - 1]);
        });
      }),
      { numRuns: runs },
    );
  });

  it('loads weights in the cycles of its own fold, behind the stream of the fold before, or since that began', () => {
    fc.assert(
      fc.property(casesOf(kind), (product) => {
        const { folds } = multiply(product.array, product.a, product.b);
        const since = (before: (typeof folds)[number]): number =>
          ({
            none: before.lastResult + 1,
            preload: before.stream,
            drain: before.stream + stepsOf(product),
            full: before.stream,
          })[kind.overlap];
        folds.forEach(({ load, stream }, fold) => {
          if (kind.dataflow === 'output-stationary') expect(load).toBe(stream);
          else expect(load).toBe(fold === 0 ? 0 : since(folds[fold - 1]!));
        });
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
  });

  it('gives the results and the cycles of a whole run of the simulator', () => {
    const side = fc.integer({ min: 1, max: 9 });
    const extent = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(side, side, extent, extent, extent, (rows, columns, M, N, K) => {
        const array = `rows: ${rows}, columns: ${columns}, dataflow: ${kind.dataflow}, overlap: ${kind.overlap}`;
        const buffer = 'capacity: 1 MiB, width: 64 KiB, latency: 0 cycles';
        const arch = aMachine({ array: `${array}, operations: { mac: 1 }`, buffer });
        const workload = aGemm(M, N, K);
        const result = simulate({ arch, workload, mapping: aMapping('loops: []'), values: true });
        const inputs = randomInputs(workload.workload, 1);
        const [a, b] = [rowsOf(inputs.get('A')!, K), rowsOf(inputs.get('B')!, N)];
        const run = multiply({ ...kind, rows, columns }, a, b);

        expect(result.values!.outputs[0]!.maxAbsError).toBe(0);
        expect(run.product).toEqual(rowsOf(evaluate(workload.workload, inputs).get('Z')!, N));
        // Operands at a byte per cycle, a cycle to the array, one to the store, and the result at a byte per cycle.
        expect(result.cycles).toBe(M * K + K * N + 1 + run.cycles + 1 + M * N);
        const { busy } = result.engines.find(({ name }) => name === 'array')!;
        const product: Case = { array: { ...kind, rows, columns }, a, b };
        expect(busy).toBe(run.folds.length * foldCycles(product.array, stepsOf(product)).period);
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
  });
});

function rowsOf(values: Float64Array, columns: number): number[][] {
  return Array.from({ length: values.length / columns }, (_, row) => [
    ...values.subarray(row * columns, (row + 1) * columns),
  ]);
}

const asEarlyAsCanBe = kinds.filter(({ overlap }) => overlap === 'drain' || overlap === 'full');

describe.each(asEarlyAsCanBe)('the hardware of an array, $dataflow, overlap $overlap', (kind) => {
  const { dataflow } = kind;

  it('allows no fold to begin a cycle earlier than it does', () => {
    fc.assert(
      fc.property(casesOf(kind, 12), ({ array, a, b }) => {
        const { folds } = multiply(array, a, b);
        folds.forEach(({ load, stream }, fold) => {
          const begin = (start: FoldStart) => () =>
            multiplyAt(array, a, b, folds.with(fold, { ...folds[fold]!, ...start }));
          if (stream > 0) expect(begin({ load, stream: stream - 1 })).toThrow(Hazard);
          if (load > 0 && load < stream) expect(begin({ load: load - 1, stream })).toThrow(Hazard);
        });
      }),
      { numRuns: runs },
    );
  });

  it('computes the same, started at the same times or later', () => {
    const delays = fc.array(fc.nat(3), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(casesOf(kind, 12), delays, ({ array, a, b }, late) => {
        const { folds } = multiply(array, a, b);
        let delay = 0;
        const starts = folds.map(({ load, stream }, fold): FoldStart => {
          const before = delay;
          delay += late[fold % late.length]!;
          return { load: load + before, stream: stream + (dataflow === 'output-stationary' ? before : delay) };
        });
        const run = multiplyAt(array, a, b, starts);
        expect(run.product).toEqual(productOf(a, b));
        expect(run.folds.map(({ load, stream }) => ({ load, stream }))).toEqual(starts);
      }),
      { numRuns: runs },
    );
  });
});

describe('an array with one weight register in each PE', () => {
  const [R, C, T] = [3, 4, 5];
  const array = { rows: R, columns: C, dataflow: 'weight-stationary', overlap: 'drain' } as const;
  const ones = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => Array(columns).fill(1));
  const [a, b] = [ones(T, R), ones(R, 2 * C)];
  const first = { load: 0, stream: R };

  it('takes the weights of a fold row by row behind the last operands of the one before, which drains meanwhile', () => {
    const { folds, crossings } = multiply(array, a, b);
    const cyclesOf = (port: Crossing['port'], fold: number, lane: number): number[] =>
      crossings.filter((own) => own.port === port && own.fold === fold && own.lane === lane).map(({ cycle }) => cycle);
    for (let column = 0; column < C; column++) {
      const lastSum = cyclesOf('top', 0, column).at(-1)!;
      expect(cyclesOf('weight', 1, column)).toEqual(Array.from({ length: R }, (_, row) => lastSum + 1 + row));
      expect(cyclesOf('top', 1, column)[0]).toBe(lastSum + 1 + R);
    }
    expect(cyclesOf('weight', 1, 0)[0]).toBe(cyclesOf('left', 0, 0).at(-1)! + 1);
    expect(folds[0]!.lastResult).toBeGreaterThan(folds[1]!.load);
  });

  it('meets a hazard when weights come a cycle before that, or operands before they have come', () => {
    const load = R + T;
    expect(multiplyAt(array, a, b, [first, { load, stream: load + R }]).product).toEqual(productOf(a, b));
    const early = [
      { load: load - 1, stream: load + R },
      { load, stream: load + R - 1 },
    ];
    for (const start of early) expect(() => multiplyAt(array, a, b, [first, start])).toThrow(Hazard);
  });

  it('cannot do what an array with two does', () => {
    const two = { ...array, overlap: 'full' } as const;
    const { folds } = multiply(two, a, b);
    expect(multiplyAt(two, a, b, folds).product).toEqual(productOf(a, b));
    expect(() => multiplyAt(array, a, b, folds)).toThrow(Hazard);
  });
});

describe('the edges of an array without overlap', () => {
  const [R, C] = [3, 4];
  const size = { rows: R, columns: C, overlap: 'none' } as const;
  const [M, N, K] = [5, 6, 7];
  const ones = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => Array(columns).fill(1));
  const runOf = (dataflow: Dataflow): Run => multiply({ ...size, dataflow }, ones(M, K), ones(K, N));

  /** When things cross an edge, as cycles of their fold. */
  function expectTimes(run: Run, port: Crossing['port'], at: (index: number, lane: number) => number): void {
    const crossings = run.crossings.filter((crossing) => crossing.port === port);
    expect(crossings.length).toBeGreaterThan(0);
    for (const { cycle, fold, index, lane } of crossings) expect(cycle - run.folds[fold]!.load).toBe(at(index, lane));
  }

  // SCALE-Sim 2.0.2, cycles of a fold in its traces of the scratchpads' ports.
  it.each(['weight-stationary', 'input-stationary'] as const)('are passed when SCALE-Sim says, %s', (dataflow) => {
    const run = runOf(dataflow);
    // SCALE-Sim sends a row to all columns at once; here column c gets it c cycles later, as it needs it.
    expectTimes(run, 'weight', (row, column) => R - 1 - row + column);
    expectTimes(run, 'left', (step, row) => R + step + row);
    expectTimes(run, 'result', (step, column) => 2 * R - 1 + step + column);
  });

  it('are passed when SCALE-Sim says by operands, output-stationary', () => {
    const run = runOf('output-stationary');
    expectTimes(run, 'left', (step, row) => step + row);
    expectTimes(run, 'top', (step, column) => step + column);
  });

  it('are passed by output-stationary results when they are made, which SCALE-Sim has before that', () => {
    const run = runOf('output-stationary');
    const made = (row: number, column: number) => K - 1 + row + column;
    expectTimes(run, 'result', made);
    // SCALE-Sim lets the bottom row's leave first, when that row's last operands have not come so far: in the same
    // cycles of each column, but the wrong way round.
    const inScaleSim = (row: number, column: number) => K - 1 + (R - 1 - row) + column;
    const rows = [...Array(R).keys()];
    expect(inScaleSim(R - 1, 0)).toBeLessThan(made(R - 1, 0));
    for (let column = 0; column < C; column++) {
      expect(rows.map((row) => inScaleSim(row, column)).reverse()).toEqual(rows.map((row) => made(row, column)));
    }
  });
});
