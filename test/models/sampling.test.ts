import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arch } from '../../arch/language/arch.ts';
import type { MemoryResult, Result } from '../../models/result.ts';
import { simulate } from '../../models/simulate.ts';
import { expectToAddUp } from './accounting.ts';
import { aMachine, shipped, shippedMachine } from './machines.ts';

const dram = (memory: string): Arch =>
  aMachine({
    dram: memory,
    buffer: 'capacity: 32 KiB, width: 1 KiB, latency: 0 cycles',
    array: 'rows: 16, columns: 16, operations: { mac: 1 }',
  });

const machines = {
  ddr4: dram('use: dram/ddr4, channels: 1'),
  hbm3: dram('use: dram/hbm3, channels: 2'),
  perBank: dram('use: dram/hbm3, channels: 1, refreshes: per-bank, page: closed'),
  timeout: dram('use: dram/ddr4, channels: 1, page: timeout 200 ns'),
} as const;

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, n) => all + n, 0);
const roundsOf = (result: Result) => sum(result.fastForward!.sections.map(({ rounds }) => rounds));
const runOf = (result: Result) => sum(result.fastForward!.sections.map(({ run }) => run));

const memoryOf = (result: Result): MemoryResult & Required<Pick<MemoryResult, 'dram'>> => {
  const memory = result.memories.find((one) => one.dram);
  if (!memory?.dram) throw new Error('no memory of DRAM');
  return { ...memory, dram: memory.dram };
};

function expectNear(actual: number, expected: number, share: number, what: string): void {
  expect(Math.abs(actual - expected), `${what}: ${actual} for ${expected}`).toBeLessThanOrEqual(share * expected);
}

/** What is counted, not estimated. */
const counted = (result: Result) => ({
  ops: result.engines.map(({ name, ops, registers }) => ({ name, ops, registers })),
  busy: result.engines.filter(({ kind }) => kind !== 'dma').map(({ name, busy }) => ({ name, busy })),
  memories: result.memories.map(({ name, bytesRead, bytesWritten, tensors }) => {
    return { name, bytesRead, bytesWritten, tensors };
  }),
  einsums: result.einsums.map(({ name, operations, busy }) => ({ name, operations, busy })),
});

const accessesOf = ({ commands }: MemoryResult): number =>
  sum(Object.entries(commands).flatMap(([name, n]) => (/^(RD|WR|CASRD|CASWR)/.test(name) ? [n] : [])));

/** What DRAM says of itself agrees, estimated or not. */
function expectDramToAddUp(result: Result): void {
  const memory = memoryOf(result);
  const accesses = accessesOf(memory);
  expect(sum(memory.dram.activity.flat())).toBe(accesses);
  expect(sum(memory.dram.channelBytes)).toBe(accesses * memory.dram.burstBytes);
  expect(memory.rowHits + memory.rowMisses + memory.rowConflicts).toBe(accesses);
  expect(memory.dram.bin * memory.dram.activity[0]!.length).toBeGreaterThanOrEqual(result.seconds);
}

interface Case {
  readonly machine: keyof typeof machines;
  readonly workload: string;
  readonly shape: Readonly<Record<string, number>>;
}

/** A case in full and sampled, which must agree in all that is counted, and in what is estimated nearly. */
function runsOf({ machine, workload: name, shape }: Case): { full: Result; sampled: Result } {
  const arch = machines[machine];
  const workload = shipped(name, shape);
  const full = simulate({ arch, workload });
  const sampled = simulate({ arch, workload, sample: true });
  expect(sampled.fastForward!.interval!.seconds).toBeLessThan(0.05 * full.seconds);
  expect(roundsOf(sampled)).toBe(roundsOf(full));
  expect(runOf(sampled)).toBeLessThan((name === 'gemm' ? 0.6 : 0.95) * roundsOf(full));

  expect(counted(sampled)).toEqual(counted(full));
  expectToAddUp(sampled, workload.workload);
  expectDramToAddUp(sampled);
  const [actual, expected] = [memoryOf(sampled), memoryOf(full)];
  expectNear(accessesOf(actual), accessesOf(expected), 0.01, 'accesses');
  expectNear(actual.rowHits, expected.rowHits, 0.02, 'row hits');
  expectNear(sum(actual.dram.activations), sum(expected.dram.activations), 0.1, 'activations');
  expectNear(actual.averageReadLatency, expected.averageReadLatency, 0.05, 'latency of reads');
  expectNear(sampled.energy.total, full.energy.total, 0.02, 'energy');
  return { full, sampled };
}

/** Whether the interval holds the full run. */
function holds({ full, sampled }: { full: Result; sampled: Result }): boolean {
  const { interval } = sampled.fastForward!;
  return Math.abs(sampled.cycles - full.cycles) <= interval!.cycles;
}

describe('sampling what repeats', () => {
  it.each<Case>([
    { machine: 'hbm3', workload: 'gemm', shape: { M: 1760, N: 1760, K: 40 } },
    { machine: 'ddr4', workload: 'gemm', shape: { M: 2040, N: 1760, K: 16 } },
    { machine: 'ddr4', workload: 'attention-1-pass', shape: { B: 2, H: 4, P: 128, M: 512 } },
    { machine: 'perBank', workload: 'mlp', shape: { N: 4096, D: 64, F: 1024 } },
  ])('gives an interval that holds the full run, and counts: $workload $shape on $machine', (one) => {
    expect(holds(runsOf(one))).toBe(true);
  });

  const extent = fc.integer({ min: 1680, max: 1780 });
  const shape = fc.record({ M: extent, N: extent, K: fc.integer({ min: 19, max: 23 }) });
  const machine = fc.constantFrom('ddr4' as const, 'timeout' as const);
  // DRAWS=10 SEED=7 draws more, and others, in some minutes.
  const draws = Number(process.env.DRAWS ?? 2);
  const drawn = fc.sample(fc.record({ machine, workload: fc.constant('gemm'), shape }), draws);
  let held = 0;

  it.each(drawn)('counts what is drawn: $shape on $machine', (one) => {
    if (holds(runsOf(one))) held++;
  });

  it('gives an interval that holds the full run in nine of ten that are drawn', () => {
    expect(held).toBeGreaterThanOrEqual(0.9 * draws);
  });

  it('gives the same result for the same input', () => {
    const workload = shipped('gemm', { M: 1680, N: 1680, K: 16 });
    const run = () => simulate({ arch: machines.ddr4, workload, sample: true });
    expect(JSON.stringify(run())).toBe(JSON.stringify(run()));
  });

  it('runs what is too short in full, and says so', () => {
    const options = { arch: machines.ddr4, workload: shipped('gemm', { M: 128, N: 256, K: 64 }) };
    const { fastForward: off, ...full } = simulate(options);
    const { fastForward, ...sampled } = simulate({ ...options, sample: true });
    expect(off).toMatchObject({ off: 'dram' });
    expect(fastForward!.sections).toEqual([{ rounds: 128, run: 128, used: 'exact' }]);
    expect(fastForward!.interval).toBeUndefined();
    expect(sampled.notes.filter((note) => !full.notes.includes(note))).toEqual([
      'nothing was sampled: no loop is long enough for it, so all rounds were run',
    ]);
    expect({ ...sampled, notes: full.notes }).toEqual(full);
  });

  it('changes nothing without DRAM, nor where all rounds are asked for, and says so', () => {
    const small = { workload: shipped('gemm', { M: 512, N: 512, K: 512 }), arch: shippedMachine('systolic') };
    for (const options of [small, { ...small, fastForward: false }]) {
      const { notes, ...exact } = simulate(options);
      const { notes: more, ...sampled } = simulate({ ...options, sample: true });
      expect(sampled).toEqual(exact);
      expect(more.slice(0, -1)).toEqual(notes);
      expect(more.at(-1)).toMatch(/^nothing (had to be|was) sampled: /);
    }
  });
});
