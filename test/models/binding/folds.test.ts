import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../arch/language/diagnostics.ts';
import { type BindOptions, bind } from '../../../models/binding/bind.ts';
import { foldsOf } from '../../../models/binding/program.ts';
import { simulate } from '../../../models/simulate.ts';
import { expectToAddUp } from '../accounting.ts';
import { aGemm, aMachine, aWorkload, type MachineParts } from '../machines.ts';
import { runFast, runSlow } from '../twin.ts';

const dataflows = ['output-stationary', 'weight-stationary', 'input-stationary'] as const;

/** Products of matrices in their many forms; every rank is drawn. */
const cascades = {
  gemm: { cascade: 'Z[m,n] = A[m,k] * B[k,n]', inputs: 'A[m,k]  B[k,n]', ranks: 'mnk' },
  transposed: { cascade: 'Z[n,m] = A[k,m] * B[n,k]', inputs: 'A[k,m]  B[n,k]', ranks: 'mnk' },
  batched: { cascade: 'Z[b,m,n] = A[b,m,k] * B[b,k,n]', inputs: 'A[b,m,k]  B[b,k,n]', ranks: 'bmnk' },
  shared: { cascade: 'Z[b,m,n] = A[b,m,k] * B[k,n]', inputs: 'A[b,m,k]  B[k,n]', ranks: 'bmnk' },
  conv: {
    cascade: 'Z[n,p,q] = A[c,p+r,q+s] * B[n,c,r,s]',
    inputs: 'A[c,p+r,q+s]  B[n,c,r,s]',
    ranks: 'npqcrs',
  },
  strided: { cascade: 'Z[n,p] = A[c,2*p+r] * B[n,c,r]', inputs: 'A[c,2*p+r]  B[n,c,r]', ranks: 'npcr' },
  depthwise: { cascade: 'Z[c,p] = A[c,p+r] * B[c,r]', inputs: 'A[c,p+r]  B[c,r]', ranks: 'cpr' },
  dot: { cascade: 'Z[] = A[k] * B[k]', inputs: 'A[k]  B[k]', ranks: 'k' },
} as const;

const scenario = fc.record({
  cascade: fc.constantFrom(...(Object.keys(cascades) as (keyof typeof cascades)[])),
  extents: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 6, maxLength: 6 }),
  rows: fc.integer({ min: 1, max: 5 }),
  columns: fc.integer({ min: 1, max: 5 }),
  count: fc.constantFrom(1, 1, 2, 3),
  dataflow: fc.constantFrom(...dataflows),
  overlap: fc.constantFrom('none', 'preload', 'drain', 'full'),
  capacities: fc.tuple(...[1, 2, 3].map(() => fc.constantFrom('12 B', '40 B', '100 B', '1 KiB'))),
  width: fc.constantFrom(1, 5, 64),
  link: fc.constantFrom('', '3 B/cycle', '16 B/cycle'),
  memory: fc.constantFrom('1 GB/s', '2.5 GB/s', '64 GB/s'),
  latency: fc.constantFrom('0 ns', '7 ns'),
  layout: fc.constantFrom('', ', layout: row-major', ', layout: column-major'),
  clock: fc.constantFrom('core', 'core', 'io'),
  sparse: fc.constantFrom('', '', '', 'A', 'B'),
  pattern: fc.constantFrom([1, 2], [2, 4], [1, 3], [3, 4], [2, 8]),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function machineOf(s: Scenario): MachineParts {
  const pad = (i: number, holds: string): string =>
    `kind: scratchpad, clock: ${s.clock}, capacity: ${s.capacities[i]}, banks: 2, width: ${s.width} B, latency: 1 cycles, holds: [${holds}]${s.layout}`;
  return {
    clocks: 'core: 1 GHz, io: 700 MHz',
    hbm: `bandwidth: ${s.memory}, latency: ${s.latency}`,
    array: `count: ${s.count}, rows: ${s.rows}, columns: ${s.columns}, dataflow: ${s.dataflow}, overlap: ${s.overlap}, sparsity: structured, operations: { mac: 1 }`,
    more: [`ifmap: { ${pad(0, 'inputs')} }`, `filter: { ${pad(1, 'weights')} }`, `ofmap: { ${pad(2, 'results')} }`],
    links: [
      'hbm <-> ifmap via dma',
      'hbm <-> filter via dma',
      'hbm <-> ofmap via dma',
      `ifmap -> array ${s.link}`,
      `filter -> array ${s.link}`,
      `array <-> ofmap ${s.link}`,
      'hbm <-> buffer via dma',
      'buffer <-> vector',
    ],
  };
}

function workloadOf(s: Scenario) {
  const { cascade, extents } = s;
  const { cascade: text, inputs, ranks } = cascades[cascade];
  const sizes = [...ranks].map((rank, i) => `${rank.toUpperCase()}: ${extents[i]}`).join(', ');
  const [kept, of] = s.pattern;
  // Along a rank that is summed, and that an index of the tensor is.
  const along = [...ranks].findLast((rank) => new RegExp(`${s.sparse}\\[([^\\]]*,)?${rank}[,\\]]`).test(inputs));
  const isSummed = along !== undefined && !text.split(' =')[0]!.includes(along);
  const sparse = s.sparse !== '' && isSummed ? { sparse: `${s.sparse}: ${kept}:${of} along ${along}` } : {};
  return aWorkload(text, { inputs, output: text.split(' =')[0]!, ranks: sizes, ...sparse });
}

const fits = (s: Scenario, options: BindOptions) => {
  const arch = aMachine(machineOf(s));
  const workload = workloadOf(s);
  try {
    const program = bind(arch, workload, null, options);
    const section = program.phases.first()!.sections.first()!;
    const folds = foldsOf(section);
    return folds && { arch, workload, program, section, folds };
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
};

/** Runs a property on random scenarios that fit their buffers, and sees to it that there are enough of them. */
function forScenarios(
  numRuns: number,
  options: BindOptions,
  property: (s: Scenario, bound: NonNullable<ReturnType<typeof fits>>) => void,
): void {
  let tried = 0;
  fc.assert(
    fc.property(scenario, (s) => {
      const bound = fits(s, options);
      if (bound === null) return;
      tried++;
      property(s, bound);
    }),
    { numRuns },
  );
  expect(tried).toBeGreaterThan(numRuns / 2);
}

describe('folds of a systolic array', () => {
  it('do in every cycle what their slow twin does, for random products, machines and buffers', () => {
    forScenarios(80, {}, (_, { arch, program, section }) => {
      const moved = section.engines.flatMap(({ ops }) =>
        ops.flatMap(({ accesses }) => accesses.flatMap(({ bytes }) => bytes)),
      );
      expect(Math.min(...moved)).toBeGreaterThanOrEqual(0);
      const fast = runFast(arch, program);
      expect(fast.account.standstill).toEqual([]);
      expect(runSlow(arch, program, fast)).toEqual(fast.account);
    });
  });

  it('compute what the evaluator does to the last bit, and account for every cycle and byte', () => {
    forScenarios(80, {}, (s, { arch, workload }) => {
      const result = simulate({ arch, workload, values: true });
      expect(result.values!.outputs.map((output) => output.maxAbsError)).toEqual([0]);
      // Of a sparse operand, what the array passes over is no operation.
      if (s.sparse === '') expectToAddUp(result, workload.workload);
    });
  });

  it('keep the array busy for a period each, read operands as often as folds do, and never beat the machine', () => {
    const wholeFolds = true;
    forScenarios(100, { wholeFolds }, (s, { arch, workload, folds, section }) => {
      if (s.sparse !== '') return;
      const result = simulate({ arch, workload, wholeFolds });
      const array = result.engines.find((engine) => engine.name === 'array')!;
      const { m, n, k, batch, count, cyclesPerFold } = folds;
      const [rows, columns] = { 'output-stationary': [m, n], 'weight-stationary': [k, n], 'input-stationary': [k, m] }[
        s.dataflow
      ] as [number, number];
      const [rowFolds, columnFolds] = [Math.ceil(rows / s.rows), Math.ceil(columns / s.columns)];
      expect(count).toBe(rowFolds * columnFolds * batch);
      if (s.layout === '') expect(array.busy).toBe(turns(s, rowFolds, columnFolds, batch) * cyclesPerFold);
      const moved = (memory: string, tensor: string) =>
        result.memories.find(({ name }) => name === memory)!.tensors[tensor]!;
      // RULES of SCALE-Sim (test/fixtures/scalesim), without what it adds to output-stationary results by mistake.
      if (s.count === 1) {
        const perColumn = s.dataflow === 'input-stationary' ? 1 : columnFolds;
        expect(moved('ifmap', 'A').read).toBe(batch * m * k * perColumn);
        const again = { 'output-stationary': rowFolds, 'weight-stationary': 1, 'input-stationary': columnFolds }[
          s.dataflow
        ];
        expect(moved('filter', 'B').read).toBe(batch * k * n * again);
        const times = s.dataflow === 'output-stationary' ? 1 : rowFolds;
        expect(moved('ofmap', 'Z').written - moved('hbm', 'Z').read).toBe(batch * m * n * times);
      }
      // Every result is written to memory once, or each of its partial sums is and comes back.
      const written = moved('hbm', 'Z').written;
      expect([1, rowFolds].map((times) => times * batch * m * n)).toContain(written);
      expect(moved('hbm', 'Z').read).toBe(written - batch * m * n);
      const { bytesRead, bytesWritten, peakBandwidth } = result.memories.find(({ name }) => name === 'hbm')!;
      expect(result.seconds * (1 + 1e-9)).toBeGreaterThanOrEqual((bytesRead + bytesWritten) / peakBandwidth);
      for (const { name, capacity } of result.memories.filter((memory) => memory.kind === 'scratchpad')) {
        const used = section.buffers
          .filter((buffer) => buffer.memory === name)
          .reduce((sum, buffer) => sum + buffer.bytes, 0);
        expect(used, name).toBeLessThanOrEqual(capacity);
      }
    });
  });
});

describe('time in blocks', () => {
  const machine = (hbm: string) =>
    aMachine({
      hbm: `bandwidth: ${hbm}, latency: 0 ns`,
      array: 'rows: 4, columns: 4, dataflow: weight-stationary, operations: { mac: 1 }',
      buffer: 'capacity: 400 B, width: 1 KiB, latency: 0 cycles',
    });
  // 64 x 8 inputs and 64 x 16 results do not fit; 4 column folds come back to the inputs.
  const fetched = (hbm: string, options: BindOptions = {}): number => {
    const result = simulate({ arch: machine(hbm), workload: aGemm(64, 16, 8), ...options });
    return result.memories.find(({ name }) => name === 'hbm')!.tensors.A!.read;
  };

  it('let inputs stay on the chip where the memory is the limit', () => {
    expect(fetched('1 GB/s')).toBe(64 * 8);
    expect(fetched('1 GB/s', { wholeFolds: true })).toBe(4 * 64 * 8);
  });

  it('are not worth their weights where it is not', () => {
    expect(fetched('1 TB/s')).toBe(4 * 64 * 8);
  });
});

describe('structured sparsity', () => {
  const run = (sparsity: string) => {
    const arch = aMachine({
      array: `rows: 4, columns: 4, dataflow: weight-stationary, overlap: none, sparsity: ${sparsity}, operations: { mac: 1 }`,
    });
    const sizes = { ranks: 'M: 6, N: 4, K: 16', sparse: 'B: 2:4 along k' };
    const workload = aWorkload('Z[m,n] = A[m,k] * B[k,n]', sizes);
    return simulate({ arch, workload, values: true });
  };

  it('halves the folds of 2:4 weights, which come with their places, on an array that passes over zeros', () => {
    const { engines, memories, values } = run('structured');
    expect(engines[0]!.busy).toBe(2 * (6 + 8 + 4 - 2));
    // 8 of 16 rows of 4 weights, 2 bits each to say which; all inputs.
    expect(memories[0]!.tensors).toMatchObject({ A: { read: 96 }, B: { read: 32 }, 'B.metadata': { read: 8 } });
    expect(values!.outputs[0]!.maxAbsError).toBe(0);
  });

  it('changes nothing on one that does not, and a note says so', () => {
    const { engines, memories, notes } = run('none');
    expect(engines[0]!.busy).toBe(4 * (6 + 8 + 4 - 2));
    expect(memories[0]!.tensors).toMatchObject({ A: { read: 96 }, B: { read: 64 } });
    expect(notes).toContain(
      'array computes all of B, which is 2:4 along k: "sparsity: structured" would pass over its zeros',
    );
  });
});

describe('a scratchpad with a layout', () => {
  /** Busy cycles of one fold: 8 inputs of 4 words through 4 x 4 weights, from a bank whose lines hold 4 words. */
  const busyWith = (inputs: string, weights = '', overlap = 'none'): number => {
    const pad = (holds: string, layout: string) =>
      `{ kind: scratchpad, clock: core, capacity: 1 KiB, width: 4 B, holds: [${holds}]${layout} }`;
    const arch = aMachine({
      array: `rows: 4, columns: 4, dataflow: weight-stationary, overlap: ${overlap}, operations: { mac: 1 }`,
      more: [`a: ${pad('inputs', inputs)}`, `b: ${pad('weights', weights)}`, `z: ${pad('results', '')}`],
      links: ['hbm <-> a via dma', 'hbm <-> b via dma', 'hbm <-> z via dma', 'a -> array', 'b -> array', 'array <-> z'],
    });
    const { engines } = simulate({ arch, workload: aGemm(8, 4, 4) });
    return engines.find(({ name }) => name === 'array')!.busy;
  };
  const free = 4 + 8 + 4 + 4 - 2;

  it('gives a row of words in a cycle when they lie in one line', () => {
    expect(busyWith('')).toBe(free);
    expect(busyWith(', layout: row-major')).toBe(free);
  });

  it('takes a cycle for each line of a bank when they lie in different ones', () => {
    // Inputs A[m,k]: the 4 words of a step are 8 apart, each in a line of its own.
    expect(busyWith(', layout: column-major')).toBe(free + 8 * 3);
    expect(busyWith(', layout: column-major, banks: 2')).toBe(free + 8 * 3);
    expect(busyWith(', layout: column-major, ports: 2')).toBe(free + 8);
    // Weights B[k,n]: the 4 words of a row are 4 apart.
    expect(busyWith('', ', layout: column-major')).toBe(free + 4 * 3);
    expect(busyWith('', ', layout: column-major, banks: 4')).toBe(free);
  });

  it('holds up a load that no stream hides', () => {
    expect(busyWith('', '', 'drain')).toBe(4 + 8);
    expect(busyWith('', ', layout: column-major', 'drain')).toBe(4 + 8 + 4 * 3);
    expect(busyWith(', layout: column-major', '', 'drain')).toBe(4 + 8 + 8 * 3);
  });
});

/**
 * Turns that equal arrays take for folds: side by side over columns first, then over batches, and output-stationary over
 * rows; with other dataflows the arrays that are left share the steps of a fold.
 */
function turns({ count, dataflow }: Scenario, rowFolds: number, columnFolds: number, batch: number): number {
  const onColumns = Math.min(count, columnFolds);
  const onBatches = Math.min(batch, Math.floor(count / onColumns));
  const onRows = dataflow === 'output-stationary' ? Math.min(rowFolds, Math.floor(count / onColumns / onBatches)) : 1;
  return Math.ceil(rowFolds / onRows) * Math.ceil(columnFolds / onColumns) * Math.ceil(batch / onBatches);
}
