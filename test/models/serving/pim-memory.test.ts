import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { Clock, Ratio } from '../../../models/kernel/clock.ts';
import { PimMemory, type PimMemoryOptions } from '../../../models/serving/pim-memory.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import { attentionJobs } from '../../../workloads/pim/attention.ts';
import { gemv } from '../../../workloads/pim/gemv.ts';
import { dialect } from '../memory/pim/runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const channels = 4;

/** Refreshes come often, so that a short run has some. */
const often = (name: string): DramDevice => {
  const device = dialect(name);
  const interval = 2400 * device.ticksPerClock;
  return { ...device, refresh: { ...device.refresh, allBank: { ...device.refresh.allBank!, interval } } };
};

/** Cycles after what came before, and what is asked for then; jobs and operands by channel, null for all. */
type Piece = { readonly gap: number } & (
  | { readonly isWrite: boolean; readonly runs: readonly { readonly base: number; readonly width: number }[] }
  | { readonly channel: number | null; readonly program: PimProgram }
  | { readonly channel: number | null; readonly bytes: number }
);

function memoryOf(device: DramDevice, options: Partial<PimMemoryOptions>): PimMemory {
  const clock = Clock.ofPeriod('memory', new Ratio(device.clockPs, 1));
  return new PimMemory(device, clock, channels, false, { issue: null, ...options });
}

/** Lets time pass; returns when all that is under way up to then has been told. */
function pass(memory: PimMemory, ps: number): void {
  while (memory.bound <= ps && memory.bound < Number.POSITIVE_INFINITY) memory.advance(ps);
}

/** All that is told, and all that reports show. */
function run(device: DramDevice, pieces: readonly Piece[], options: Partial<PimMemoryOptions>) {
  const memory = memoryOf(device, options);
  const told: string[] = [];
  let ps = 0;
  let last = 0;
  pieces.forEach((piece, index) => {
    ps += piece.gap * device.clockPs;
    pass(memory, ps);
    const done = (at: number): void => {
      told.push(`${index} ${at}`);
      last = Math.max(last, at);
    };
    if ('runs' in piece) memory.submit(ps, piece.runs, piece.isWrite, done);
    else if ('program' in piece) memory.job(ps, piece.channel, piece.program, done);
    else memory.write(ps, piece.channel, piece.bytes, done);
  });
  pass(memory, Number.POSITIVE_INFINITY);
  memory.finish(Math.max(ps, last));
  const end = memory.cycles + 1;
  return {
    told,
    commands: memory.channels.map((channel) => [...channel.commands]),
    activity: memory.activity,
    busy: memory.busy,
    over: memory.channels.map((_, channel) => memory.watch.commands(channel, end)),
    open: memory.watch.open(end),
    accesses: memory.watch.accesses(end),
  };
}

function programs(device: DramDevice): PimProgram[] {
  if (device.buffers?.some(({ name }) => name === 'sums') && device.commands.every(({ name }) => name !== 'GWRITE')) {
    return device.commands
      .filter(({ pim }) => pim?.kind === 'multiplies')
      .map(({ name }) => gemv(device, name, { rows: 32, columns: 256, lanes: 16 }).program);
  }
  const { logits, context } = attentionJobs(device, {
    heads: 2,
    headSize: 128,
    length: 40,
    keyRow: 1,
    valueRow: 3,
    vectorRow: 5,
  });
  return [...logits, ...context].map(({ program }) => program);
}

const piecesOf = (device: DramDevice): fc.Arbitrary<Piece[]> => {
  const row = device.bursts * device.burstBytes;
  // Mostly so late that all has been done before.
  const gap = fc.oneof(fc.constant(0), fc.nat(300), fc.integer({ min: 1000, max: 4000 }));
  const even = fc
    .record({ first: fc.nat(8), rows: fc.integer({ min: 1, max: 4 }) })
    .map(({ first, rows }) => ({ base: first * channels * row, width: rows * channels * row }));
  const any = fc.record({ base: fc.nat(8 * channels * row), width: fc.integer({ min: 1, max: 3 * row }) });
  const transfer = fc.record({
    gap,
    isWrite: fc.boolean(),
    runs: fc.array(fc.oneof({ weight: 4, arbitrary: even }, { weight: 1, arbitrary: any }), {
      minLength: 1,
      maxLength: 3,
    }),
  });
  const channel = fc.oneof(fc.constant(null), fc.nat(channels - 1));
  const job = fc.record({ gap, channel, program: fc.constantFrom(...programs(device)) });
  const operand = fc.record({ gap, channel, bytes: fc.integer({ min: 1, max: row }) });
  return fc.array(
    fc.oneof({ weight: 4, arbitrary: transfer }, { weight: 1, arbitrary: job }, { weight: 1, arbitrary: operand }),
    { minLength: 2, maxLength: 14 },
  );
};

const dialects = ['neupims-hbm2', 'newton-hbm2', 'attacc-hbm3', 'bank-pim-hbm3', 'logic-pim-hbm3', 'pim-gpt-gddr6'];

describe.each(dialects)('channels of %s that do the same', (name) => {
  const device = often(name);
  it.each(['concurrent', 'blocked'] as const)(
    'are simulated once, and nothing can tell that, %s',
    (mode) => {
      const issue = fc.constantFrom(null, 0.5);
      const property = fc.property(piecesOf(device), issue, (pieces, issue) => {
        const apart = run(device, pieces, { mode, issue, apart: true });
        expect(run(device, pieces, { mode, issue })).toEqual(apart);
      });
      fc.assert(property, { seed, numRuns: 25 });
    },
    60_000,
  );
});

describe('a memory of channels that compute', () => {
  const device = often('neupims-hbm2');
  const row = device.bursts * device.burstBytes;
  const even = { base: 0, width: 8 * channels * row };
  const pause = 10_000 * device.clockPs;

  it('simulates one channel where all do the same, and each again from when one has a job', () => {
    const memory = memoryOf(device, {});
    const nows = (): number => new Set(memory.channels.map(({ now }) => now)).size;
    const [program] = programs(device);
    memory.submit(0, [even], false, () => {});
    pass(memory, pause);
    expect(nows()).toBe(2);
    memory.job(pause, 2, program!, () => {});
    expect(nows()).toBe(1);
    pass(memory, 2 * pause);
    expect(memory.channels.map(({ commands }) => commands.reduce((all, one) => all + one, 0))[2]).toBeGreaterThan(0);
    // The job's row is closed by the refresh since.
    memory.submit(2 * pause, [even], true, () => {});
    pass(memory, 3 * pause);
    expect(nows()).toBe(2);
  });

  it('does not where bytes are not laid over all of them evenly', () => {
    const memory = memoryOf(device, {});
    memory.submit(0, [{ base: 0, width: row }], false, () => {});
    pass(memory, pause);
    memory.finish(pause);
    const read = device.commands.findIndex(({ access }) => access === 'read');
    expect(memory.channels.map(({ commands }) => commands[read])).toEqual([device.bursts, 0, 0, 0]);
  });
});
