import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arch } from '../../arch/language/arch.ts';
import type { Program } from '../../models/binding/program.ts';
import { DeadlockError, Kernel } from '../../models/kernel/kernel.ts';
import { Machine, type RunRecord } from '../../models/machine.ts';
import { Port } from '../../models/memory/port.ts';
import type { Result } from '../../models/result.ts';
import { type SimulateOptions, simulate } from '../../models/simulate.ts';
import { loadMapping } from '../../workloads/language/mapping.ts';
import { ShuffledKernel } from './kernel/graph.ts';
import { aMachine, shipped, shippedMachine } from './machines.ts';
import { load, scenarios, tryBind } from './scenarios.ts';
import { programs } from './sections.ts';

/** All that a run leaves behind, or where it came to a standstill; and the iterations that it skipped. */
function outcome(arch: Arch, program: Program, fastForward: boolean, kernel = () => new Kernel()) {
  try {
    const record = new Machine(arch, kernel).run(program, { fastForward });
    const skipped = record.sections.reduce((sum, section) => sum + section.skipped, 0);
    return { skipped, recorded: recordedBy(record) };
  } catch (error) {
    if (error instanceof DeadlockError) return { skipped: 0, recorded: error.waits };
    throw error;
  }
}

function recordedBy({ sections, engines, ops, ports, length }: RunRecord) {
  return {
    length,
    sections: sections.map(({ start, end, rounds }) => ({ start, end, rounds })),
    engines: engines.map(({ name, account, waits }) => {
      const { width, values } = account.bins;
      return { name, totals: account.totals, width, values, waits: [...waits] };
    }),
    ops: ops.map(({ engine, ...op }) => ({ ...op, engine: engine.name })),
    ports: [...ports.values()].map((port) => {
      const { name, bytesRead, bytesWritten, reads, writes } = port;
      const served = port instanceof Port ? [port.readLatencySum, port.timeline.width, ...port.timeline.values] : [];
      return { name, bytesRead, bytesWritten, reads, writes, served };
    }),
  };
}

/** The result with what repeats skipped, which must be that of running all of it. */
function resultOf(options: SimulateOptions): Result {
  const { fastForward, ...result } = simulate(options);
  const { fastForward: whole, ...expected } = simulate({ ...options, fastForward: false });
  expect(JSON.stringify(result)).toBe(JSON.stringify(expected));
  expect(whole).toMatchObject({ off: 'every-cycle' });
  return { ...result, ...(fastForward && { fastForward }) };
}

const total = (result: Result, count: 'rounds' | 'run') =>
  result.fastForward!.sections.reduce((sum, section) => sum + section[count], 0);

describe('skipping what repeats', () => {
  it.each([
    { clocks: 'core: 1 GHz', hbm: 'bandwidth: 8 GB/s', what: 'one clock' },
    { clocks: 'core: 1 GHz', hbm: 'bandwidth: 7.3 GB/s', what: 'one clock and an odd rate' },
    { clocks: 'core: 1 GHz, fast: 1.5 GHz', hbm: 'bandwidth: 7.5 GB/s', what: 'two clocks' },
    { clocks: 'core: 999999937 Hz, odd: 1 GHz', hbm: 'bandwidth: 8 GB/s', what: 'clocks that share no edge' },
  ])('changes nothing in loop programs that no binder makes, on $what', ({ clocks, hbm }) => {
    const arch = aMachine({
      clocks,
      hbm: `${hbm}, latency: 3 ns`,
      buffer: 'capacity: 1 MiB, width: 5 B, latency: 0 cycles',
    });
    const options = { clocks: [...arch.clocks.keys()], memories: ['hbm', 'buffer'], trips: [40, 10, 6, 4] };
    let skips = 0;
    fc.assert(
      fc.property(programs(options), fc.nat(), (program, seed) => {
        const { skipped, recorded } = outcome(arch, program, true);
        if (skipped > 0) skips++;
        expect(recorded).toEqual(outcome(arch, program, false).recorded);
        expect(outcome(arch, program, true, () => new ShuffledKernel(seed))).toEqual({ skipped, recorded });
      }),
      { numRuns: 30 },
    );
    if (clocks === 'core: 1 GHz') expect(skips).toBeGreaterThan(1);
  });

  it('changes nothing in random workloads on random machines', () => {
    let skips = 0;
    fc.assert(
      fc.property(scenarios({ clocks: ['1 GHz', '940 MHz'] }), (scenario) => {
        const { arch, ...loaded } = load(scenario);
        const program = tryBind({ arch, ...loaded });
        if (program === null) return;
        const { skipped, recorded } = outcome(arch, program, true);
        if (skipped > 0) skips++;
        expect(recorded).toEqual(outcome(arch, program, false).recorded);
      }),
      { numRuns: 60 },
    );
    expect(skips).toBeGreaterThan(2);
  });

  it.each([
    ['fusemax', 'attention-1-pass', { B: 3, H: 5, P: 1500, M: 2048 }, true],
    ['fusemax', 'attention-1-pass', { B: 40, H: 3, P: 1024, M: 1024 }, true],
    ['fusemax', 'softmax', {}, false],
    ['tpu-v4', 'attention-2-pass', { B: 2, H: 2, P: 1000, M: 1280 }, false],
    ['tpu-v4', 'gemm', { M: 3000, N: 2100, K: 1700 }, false],
    ['gemmini', 'conv2d', {}, false],
    ['gemmini', 'gemm-batched', {}, false],
    ['systolic', 'gemm', { M: 1500, N: 777, K: 1300 }, false],
    ['systolic', 'mlp', {}, false],
    ['multi-core', 'gemm', { M: 1500, N: 2048, K: 500 }, false],
    ['flat', 'attention-3-pass', {}, false],
  ] as const)('changes nothing on %s running %s %j', (machine, workload, shape, isMapped) => {
    const mapping = isMapped ? loadMapping('workloads/mappings/fusemax-binding.yaml') : null;
    const result = resultOf({ arch: shippedMachine(machine), workload: shipped(workload, shape), mapping });
    expect(total(result, 'run')).toBeLessThanOrEqual(total(result, 'rounds'));
  });

  const bert = (tokens: number, B: number) => ({
    arch: shippedMachine('fusemax', ['parts.hbm.capacity=64 TiB']),
    workload: shipped('attention-1-pass', { B, P: tokens, M: tokens }),
    mapping: loadMapping('workloads/mappings/fusemax-binding.yaml'),
  });

  it('adds up thousands of iterations of every loop', () => {
    const result = resultOf(bert(8192, 16));
    expect(total(result, 'rounds')).toBe(16 * 12 * 32 * 32);
    expect(total(result, 'run')).toBeLessThan(3000);
  });

  it('runs attention over 64 thousand and a million tokens', () => {
    const before = process.cpuUsage();
    const [short, long] = [65536, 1048576].map((tokens) => simulate(bert(tokens, 64)));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(5);
    expect(total(short!, 'rounds')).toBe(64 * 12 * 256 ** 2);
    expect(total(long!, 'rounds')).toBe(64 * 12 * 4096 ** 2);
    expect(total(long!, 'run')).toBeLessThan(50_000);
    // The vector unit works nearly all of the time, 136 cycles on a tile.
    expect(long!.cycles / total(long!, 'rounds')).toBeCloseTo(138, 0);
  });

  it('is off where values move and where a memory remembers', () => {
    const small = { workload: shipped('gemm', { M: 64, N: 64, K: 64 }) };
    const systolic = shippedMachine('systolic');
    expect(simulate({ ...small, arch: systolic, values: true }).fastForward).toMatchObject({ off: 'values' });
    const dram = aMachine({ dram: 'use: dram/hbm2, channels: 1' });
    expect(simulate({ ...small, arch: dram }).fastForward).toMatchObject({ off: 'dram' });
  });
});
