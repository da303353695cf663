import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bind } from '../../models/binding/bind.ts';
import type { Contraction, Operand } from '../../models/binding/contraction.ts';
import { type FoldFlow, type FoldPlan, outerLoop, type Role } from '../../models/binding/fold-plan.ts';
import {
  type Cut,
  type FoldGrid,
  lastBatch,
  lastColumns,
  lastPiece,
  lastRows,
  type Rank,
} from '../../models/binding/folds.ts';
import { simulate } from '../../models/simulate.ts';
import type { StallRun } from '../reference/scratchpads.ts';
import { type Account, accountOf, type FoldCase, type Folds, foldsOf, products } from './fold-runs.ts';

const scenario: fc.Arbitrary<FoldCase> = fc.record({
  product: fc.constantFrom(...(Object.keys(products) as FoldCase['product'][])),
  extents: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 6, maxLength: 6 }),
  rows: fc.integer({ min: 1, max: 5 }),
  columns: fc.integer({ min: 1, max: 5 }),
  count: fc.constantFrom(1, 1, 2, 3),
  dataflow: fc.constantFrom('output-stationary', 'weight-stationary', 'input-stationary'),
  overlap: fc.constantFrom('none', 'preload', 'drain', 'full'),
  bandwidth: fc.constantFrom(5, 10, 25, 70, 640),
  latency: fc.constantFrom(0, 7),
  capacities: fc.array(fc.constantFrom(12, 20, 40, 100, 1024), { minLength: 3, maxLength: 3 }),
  isShared: fc.boolean(),
  width: fc.constantFrom(1, 5, 64),
  padLatency: fc.constantFrom(0, 1, 3),
});

/** Runs a property on random cases that fit. */
function forCases(numRuns: number, property: (own: FoldCase, folds: Folds) => void): void {
  fc.assert(
    fc.property(scenario, (own) => {
      const folds = foldsOf(own);
      if (folds.plans.length > 0) property(own, folds);
    }),
    { numRuns },
  );
}

function chosenPlan({ arch, workload, plans, section }: Folds): FoldPlan {
  const bound = bind(arch, workload).phases.first()!.sections.first()!;
  return plans.find((plan) => section(plan).equals(bound))!;
}

function accountOfTwin({ cycles, busy, stalls, moved }: StallRun): Account {
  return { cycles, busy, stalls, moved: Object.fromEntries([...moved].filter(([, bytes]) => bytes > 0)) };
}

/** A 2 x 2 array, a byte per cycle, no latencies, wide and ample scratchpads. */
const plain: FoldCase = {
  product: 'gemm',
  extents: [1, 2, 2],
  rows: 2,
  columns: 2,
  count: 1,
  dataflow: 'weight-stationary',
  overlap: 'none',
  bandwidth: 10,
  latency: 0,
  capacities: [1024, 1024, 1024],
  isShared: false,
  width: 256,
  padLatency: 0,
};

interface Choice {
  /** Stays on the chip for its next use. */
  readonly keep: readonly Role[];
  readonly outer: 'rows' | 'columns';
}

/** Plans of whole folds. */
function plansFor(own: Partial<FoldCase>, { keep, outer }: Choice): FoldPlan[] {
  return foldsOf({ ...plain, ...own }).plans.filter(
    ({ grid, flows, rowLoop }) =>
      grid.blocks.count === 1 &&
      (rowLoop === outerLoop) === (outer === 'rows') &&
      flows.every(({ role, kept }) => kept === keep.includes(role)),
  );
}

/** A run on which machine and twin agree. */
function runOf(
  own: Partial<FoldCase>,
  choice: Partial<Choice> = {},
  alter = (plan: FoldPlan): FoldPlan => plan,
): StallRun {
  const { machine, twin } = foldsOf({ ...plain, ...own });
  const [plan] = plansFor(own, { keep: [], outer: 'columns', ...choice }).map(alter);
  const run = twin(plan!);
  expect(machine(plan!)).toEqual(accountOfTwin(run));
  return run;
}

function withPlaces(role: Role, slots: number): (plan: FoldPlan) => FoldPlan {
  return (plan) => ({ ...plan, flows: plan.flows.map((flow) => (flow.role === role ? { ...flow, slots } : flow)) });
}

describe('folds that wait for their scratchpads', () => {
  it('wait in every cycle for what their slow twin waits for, under any plan', () => {
    let compared = 0;
    forCases(45, (_, { plans, machine, twin }) => {
      for (const plan of plans) {
        expect(machine(plan)).toEqual(accountOfTwin(twin(plan)));
        compared++;
      }
    });
    expect(compared).toBeGreaterThan(200);
  });

  it('are bound to one of the plans, and simulated as the twin runs it', () => {
    forCases(40, (_, folds) => {
      // Time is cut into blocks only where whole folds fit.
      if (folds.plans.every(({ grid }) => grid.blocks.count > 1)) return;
      const plan = chosenPlan(folds);
      expect(accountOf(simulate(folds), plan)).toEqual(accountOfTwin(folds.twin(plan)));
    });
  });

  it('never hold more operands than their scratchpad', () => {
    forCases(40, ({ isShared }, { plans, capacity, twin }) => {
      if (isShared) return;
      for (const plan of plans) {
        const { peaks } = twin(plan);
        for (const pad of ['ifmap', 'filter']) expect(peaks.get(pad)).toBeLessThanOrEqual(capacity.get(pad)!);
      }
    });
  });

  it('fetch all that they touch, and no more than what they send into the array', () => {
    forCases(40, (_, { plans }) => {
      for (const plan of plans) {
        for (const flow of plan.flows.filter(({ role }) => role !== 'results')) expectToCover(plan, flow);
      }
    });
  });
});

/** Bytes that come for each fold against the elements that it touches, counted one by one. */
function expectToCover(plan: FoldPlan, { operand, kept, values, pieces }: FoldFlow): void {
  if (kept) return;
  const { grid } = plan;
  const last = { batches: grid.batches.count - 1, rows: grid.rows.count - 1, columns: grid.columns.count - 1 };
  for (let b = 0; b <= last.batches; b++) {
    for (let r = 0; r <= last.rows; r++) {
      for (let c = 0; c <= last.columns; c++) {
        const variant =
          (b === last.batches ? lastBatch : 0) |
          (r === last.rows ? lastRows : 0) |
          (c === last.columns ? lastColumns : 0);
        const fetched = (pieces.count - 1) * values(variant) + values(variant | lastPiece);
        const touched = touchedBy(grid, operand!, { b, r, c });
        const { length: sent } = touched;
        expect(fetched).toBeGreaterThanOrEqual(new Set(touched).size * grid.batchesIn(variant));
        expect(fetched).toBeLessThanOrEqual(sent * grid.batchesIn(variant));
      }
    }
  }
}

/** Every element of an operand that a fold multiplies, in its first batch, as often as it is in the matrix. */
function touchedBy(grid: FoldGrid, operand: Operand, fold: { b: number; r: number; c: number }): string[] {
  const { contraction, rank } = grid;
  const block = grid.blocks.count === 1 ? 0 : fold.b;
  const ranges = {
    [rank.rows]: rangeOf(grid.rows, fold.r),
    [rank.columns]: rangeOf(grid.columns, fold.c),
    [rank.time]: rangeOf(grid.blocks, block),
  };
  const [one, other] = grid.extentsOf(operand).map((extent) => rank[extent]) as [Rank, Rank];
  return ranges[one]!.flatMap((i) =>
    ranges[other]!.map((j) => {
      const at = new Map([...valuesAt(contraction, one, i), ...valuesAt(contraction, other, j)]);
      return operand.access.indices
        .map(({ terms, constant }) =>
          [...terms].reduce((sum, [variable, factor]) => sum + factor * (at.get(variable) ?? 0), constant),
        )
        .join(' ');
    }),
  );
}

function rangeOf({ size, last, count }: Cut, index: number): number[] {
  return Array.from({ length: index === count - 1 ? last : size }, (_, i) => index * size + i);
}

/** Values of a rank's variables at a step of the flattened rank, the last variable the fastest. */
function valuesAt({ extents, ...sides }: Contraction, rank: Rank, step: number): [string, number][] {
  let left = step;
  return [...sides[rank].variables].reverse().map((variable) => {
    const extent = extents.get(variable)!;
    const value = left % extent;
    left = (left - value) / extent;
    return [variable, value];
  });
}

describe('a cold fold', () => {
  // Load 2, stream 1, drain 2; output-stationary, no load. A token through a register takes a cycle, there and back.
  it.each([
    // 2 + 4 bytes come one after the other: in place at 6, seen at 7; results leave at 12, are seen at 13, gone at 15.
    { dataflow: 'weight-stationary', extents: [1, 2, 2], cycles: 6 + 1 + 5 + 1 + 2 },
    { dataflow: 'output-stationary', extents: [2, 2, 1], cycles: 4 + 1 + 3 + 1 + 4 },
    // The weights that stream come while the inputs, seen at 5, are loaded.
    { dataflow: 'input-stationary', extents: [2, 1, 2], cycles: 4 + 1 + 5 + 1 + 2 },
  ] as const)('waits for its fill, computes and drains, $dataflow', ({ dataflow, extents, cycles }) => {
    expect(runOf({ dataflow, extents }).cycles).toBe(cycles);
  });

  it('waits for the latency of memory once, and for that of a scratchpad on its way in and out', () => {
    expect(runOf({ latency: 7, padLatency: 3 }).cycles).toBe(15 + 7 + 3 + 3);
  });
});

describe('the weights of four column folds, 4 bytes each', () => {
  const own = { extents: [1, 8, 2] };

  it('come while the fold before computes, where there is room for two', () => {
    // At 2 bytes per cycle: 1 + 2 cycles of fill and a register, four periods of 5, a register and 2 bytes.
    const { cycles, stalls } = runOf({ ...own, bandwidth: 20 }, { keep: ['inputs'] });
    expect(cycles).toBe(3 + 1 + 4 * 5 + 1 + 1);
    expect(stalls).toEqual({ inputs: 0, weights: 3 + 1, sums: 0, room: 0, ports: 0 });
  });

  it.each([
    [20, 2],
    [10, 4],
  ])(
    'come after the fold before has loaded its own, where there is room for one, at %i tenths',
    (bandwidth, transfer) => {
      const double = runOf({ ...own, bandwidth }, { keep: ['inputs'] });
      const single = runOf({ ...own, bandwidth }, { keep: ['inputs'] }, withPlaces('weights', 1));
      // A place is seen to be free a cycle after the load, its weights a cycle after they came: but for the stream and drain
      // of the fold before, three cycles, all of this is waited for in three folds.
      expect(single.stalls.weights - double.stalls.weights).toBe(3 * (1 + transfer + 1 - 3));
      expect(single.cycles - double.cycles).toBe(3 * (1 + transfer + 1 - 3));
    },
  );
});

describe('results', () => {
  it('let the array go on until the places for them and what it can hold itself are taken', () => {
    const own = { extents: [24, 2, 2], bandwidth: 640, padLatency: 7 };
    const { stalls } = runOf(own, {}, withPlaces('results', 1));
    // Eight pieces of 3 cycles. Results leave 2 cycles later, are seen by the DMA after 7 + 1, take it a cycle, and their
    // place is seen to be free after another: 15 in all, in which the array does two pieces, of which it holds one.
    expect(stalls.room).toBe((8 / 2 - 1) * (3 + 2 + 7 + 1 + 1 + 1 - 2 * 3));
  });
});

describe('traffic', () => {
  it('of fills and drains shares the memory, which is then busy in every cycle', () => {
    // 2 bytes of inputs for every step is what the memory can give; 2 bytes of results for each halve that.
    const fills = 4 + 64 * 2;
    const drains = 64 * 2;
    expect(runOf({ extents: [64, 2, 2], bandwidth: 20 }).cycles).toBe((fills + drains) / 2);
  });

  it('of partial sums goes to memory after every row fold and comes back for the next one, where they do not fit', () => {
    const { moved } = runOf({ extents: [8, 2, 6], capacities: [1024, 1024, 8] });
    const rowFolds = 3;
    expect(moved.get('memory Z written')! + moved.get('memory Z read')!).toBe((2 * rowFolds - 1) * 8 * 2);
    expect(runOf({ extents: [8, 2, 6] }, { keep: ['results'] }).moved.get('memory Z written')).toBe(8 * 2);
  });

  it('of inputs is all of them once where they fit, else once for every column fold', () => {
    const extents = [8, 6, 2];
    expect(runOf({ extents }, { keep: ['inputs'] }).moved.get('memory A read')).toBe(8 * 2);
    const small = { extents, capacities: [8, 1024, 1024] };
    expect(plansFor(small, { keep: ['inputs'], outer: 'columns' })).toEqual([]);
    expect(runOf(small).moved.get('memory A read')).toBe(3 * 8 * 2);
  });

  it('of an image is its pixels once where they fit, though the array reads each once for every tap', () => {
    const { moved } = runOf({ product: 'conv', extents: [4, 4, 4, 1, 3, 3] }, { keep: ['inputs', 'results'] });
    expect(moved.get('memory A read')).toBe((4 + 3 - 1) * (4 + 3 - 1));
    const columnFolds = 2;
    expect(moved.get('ifmap A read')).toBe(columnFolds * 4 * 4 * 3 * 3);
  });
});

describe('the same plan on a better machine', () => {
  // Scratchpads so wide that they hold up nothing: what is left are the memory, latencies and places.
  const wide = { width: 256 };
  /** The most that a run takes longer, as a share of it. */
  const slowdown = (change: (own: FoldCase) => FoldCase, alter = (plan: FoldPlan): FoldPlan => plan): number => {
    let worst = 0;
    forCases(15, (drawn) => {
      const own = { ...drawn, ...wide };
      const folds = foldsOf(own);
      const better = foldsOf(change(own));
      for (const plan of folds.plans) {
        const { cycles } = folds.twin(plan);
        worst = Math.max(worst, better.twin(alter(plan)).cycles / cycles - 1);
      }
    });
    return worst;
  };

  it('is never slower with a memory of twice the bandwidth', () => {
    expect(slowdown((own) => ({ ...own, bandwidth: 2 * own.bandwidth }))).toBe(0);
  });

  // The memory serves first who comes first: what asks earlier may go before what is needed sooner.
  it('is hardly slower without latencies', () => {
    expect(slowdown((own) => ({ ...own, latency: 0 }))).toBeLessThan(0.1);
    expect(slowdown((own) => ({ ...own, padLatency: 0 }))).toBeLessThan(0.1);
  });

  it('is not much slower with one more place for every tensor, which is filled before what is needed sooner', () => {
    const alter = (plan: FoldPlan): FoldPlan => ({
      ...plan,
      flows: plan.flows.map((flow) => ({ ...flow, slots: flow.slots + (plan.spills && !flow.operand ? 2 : 1) })),
    });
    expect(slowdown((own) => own, alter)).toBeLessThan(0.2);
  });
});
