import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { banksOf, type DramDevice } from '../../../../arch/language/dram/device.ts';
import { PimChannel, type PimChannelOptions } from '../../../../models/memory/pim/channel.ts';
import { commands, type PimProgram, type PimStep, repeat } from '../../../../workloads/language/pim-program.ts';
import { attentionJobs, attentionRows } from '../../../../workloads/pim/attention.ts';
import { gemv } from '../../../../workloads/pim/gemv.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { dialect, issued, type Sent } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);

/** Refreshes come often, so that a short run has some, and there are few rows, so that work and accesses meet in them. */
const often = (name: string): DramDevice => {
  const device = dialect(name);
  const interval = 2400 * device.ticksPerClock;
  return { ...device, refresh: { ...device.refresh, allBank: { ...device.refresh.allBank!, interval } } };
};

const mostCycles = 300_000;

type Piece = { readonly gap: number } & (
  | { readonly job: PimProgram }
  | { readonly isWrite: boolean; readonly address: number; readonly count: number }
);

interface Drive {
  readonly options: PimChannelOptions;
  readonly tellsResults: boolean;
  /** Cycles that are executed at a time, again and again. */
  readonly steps: readonly number[];
}

/** All that is sent, told and counted. With `answers`, some accesses ask for another one as soon as they are told. */
function run(device: DramDevice, pieces: readonly Piece[], { options, tellsResults, steps }: Drive, answers: boolean) {
  const sent: Sent[] = [];
  const told: string[] = [];
  const channel = new PimChannel(
    device,
    {
      job: (tag, cycle) => told.push(`job ${tag} ${cycle}`),
      ...(tellsResults && {
        result: (tag: number, index: number, cycle: number) => told.push(`result ${tag} ${index} ${cycle}`),
      }),
      access: (tag, cycle) => {
        told.push(`access ${tag} ${cycle}`);
        if (answers && tag % 3 === 0 && tag < 1000)
          channel.pushAccess(tag % 2 === 0, tag * 7, 1 + (tag % 20), tag + 1000);
      },
    },
    {
      ...options,
      log: (tick, command, address, multiplications) =>
        sent.push({ ...issued(device, tick, command, address), multiplications }),
    },
  );
  let turn = 0;
  const reach = (cycle: number): void => {
    while (channel.now < cycle) channel.advance(Math.min(cycle, channel.now + steps[turn++ % steps.length]!));
  };
  let cycle = 0;
  pieces.forEach((piece, tag) => {
    cycle += piece.gap;
    reach(cycle);
    if ('job' in piece) channel.pushJob(piece.job, tag);
    else channel.pushAccess(piece.isWrite, piece.address, piece.count, tag);
  });
  while (!channel.isIdle) {
    reach(channel.now + 100);
    if (channel.now > mostCycles) throw new Error('it does not end');
  }
  return { sent, told, counts: [...channel.commands], columns: [...channel.columns] };
}

/** Commands by cycle and for whom, what is told, and what is counted, where nobody asks for more. */
function runUnseen(device: DramDevice, pieces: readonly Piece[], options: PimChannelOptions, steps: readonly number[]) {
  const told: string[] = [];
  const sent: string[] = [];
  const channel = new PimChannel(
    device,
    {
      job: (tag, cycle) => told.push(`job ${tag} ${cycle}`),
      access: (tag, cycle) => told.push(`access ${tag} ${cycle}`),
    },
    {
      ...options,
      watcher: (kind, command, bank, count, first, last) => {
        const apart = count === 1 ? 0 : (last - first) / (count - 1);
        // Of columns of several banks, one is told.
        const where = kind === 0 && device.commands[command]!.access !== 'none' ? '' : bank;
        for (let i = 0; i < count; i++) sent.push(`${first + i * apart} ${kind} ${command} ${where}`);
      },
    },
  );
  let turn = 0;
  const reach = (cycle: number): void => {
    while (channel.now < cycle) {
      const { bound } = channel;
      const before = told.length;
      channel.advance(Math.min(cycle, channel.now + steps[turn++ % steps.length]!));
      for (const one of told.slice(before)) expect(Number(one.split(' ')[2])).toBeGreaterThanOrEqual(bound);
    }
  };
  let cycle = 0;
  pieces.forEach((piece, tag) => {
    cycle += piece.gap;
    reach(cycle);
    if ('job' in piece) channel.pushJob(piece.job, tag);
    else channel.pushAccess(piece.isWrite, piece.address, piece.count, tag);
  });
  while (!channel.isIdle) {
    reach(channel.now + 100);
    if (channel.now > mostCycles) throw new Error('it does not end');
  }
  return { sent: sent.sort(), told, counts: [...channel.commands], columns: [...channel.columns] };
}

/** Attention, or products, of a few rows. */
function programs(device: DramDevice, heads: number, length: number): PimProgram[] {
  if (device.buffers?.some(({ name }) => name === 'sums') && device.commands.every(({ name }) => name !== 'GWRITE')) {
    return device.commands
      .filter(({ pim }) => pim?.kind === 'multiplies')
      .map(({ name }) => gemv(device, name, { rows: heads * 16, columns: 16 * length, lanes: 16 }).program);
  }
  const shape = { heads, headSize: 128, length, keyRow: 1, vectorRow: 3 };
  const { logits, context } = attentionJobs(device, { ...shape, valueRow: 1 + attentionRows(device, shape).keys });
  return [...logits, ...context].map(({ program }) => program);
}

const axis = fc.tuple(
  fc.constantFrom('column', 'row', 'entry', 'sum', 'bank', 'bankGroup'),
  fc.integer({ min: 1, max: 4 }),
);

/** Commands of the PIM work in orders that nobody would choose, so that runs end in the middle of a step. */
const anyProgram = (device: DramDevice): fc.Arbitrary<PimProgram> => {
  const names = device.commands.filter(({ pim, prepares }) => pim !== undefined && !prepares).map(({ name }) => name);
  const step = fc
    .record({
      name: fc.constantFrom(...names),
      order: fc.uniqueArray(axis, { maxLength: 3, selector: ([field]) => field }),
      beside: fc.uniqueArray(axis, { maxLength: 1, selector: ([field]) => field }),
      first: fc.integer({ min: -3, max: 6 }),
      step: fc.nat(3),
      count: fc.integer({ min: 1, max: 40 }),
    })
    .map(({ name, order, beside, first, step, count }): PimStep => {
      const own = beside.filter(([field]) => order.every(([other]) => other !== field));
      return commands(name, order, { beside: own, first: Math.min(first, count - 1), step, count });
    });
  return fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => [repeat(2, ...steps)]);
};

const pieces = (device: DramDevice): fc.Arbitrary<Piece[]> => {
  const gap = fc.oneof(fc.constant(0), fc.nat(300));
  const access = fc
    .record({
      gap,
      isWrite: fc.boolean(),
      bank: fc.nat(banksOf(device) - 1),
      row: fc.nat(3),
      column: fc.nat(device.bursts - 1),
      count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 500 })),
    })
    .map(({ bank, row, column, ...rest }) => ({
      ...rest,
      address: (row * banksOf(device) + bank) * device.bursts + column,
    }));
  const shaped = fc
    .record({ gap, heads: fc.integer({ min: 1, max: 3 }), length: fc.integer({ min: 1, max: 60 }), pick: fc.nat(50) })
    .map(({ gap, heads, length, pick }) => {
      const all = programs(device, heads, length);
      return { gap, job: all[pick % all.length]! };
    });
  // Where work is prepared, programs have to say so.
  const job = device.commands.some(({ prepares }) => prepares)
    ? shaped
    : fc.oneof(shaped, fc.record({ gap, job: anyProgram(device) }));
  return fc.array(fc.oneof({ weight: 3, arbitrary: access }, { weight: 2, arbitrary: job }), {
    minLength: 1,
    maxLength: 12,
  });
};

const names = [
  'neupims-hbm2',
  'neupims-hbm2-corrected',
  'newton-hbm2',
  'attacc-hbm3',
  'bank-pim-hbm3',
  'logic-pim-hbm3',
];

describe.each(['neupims-hbm2', 'neupims-hbm2-corrected', 'newton-hbm2'])('tiles of %s', (name) => {
  const device = often(name);
  const again = fc
    .record({
      heads: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 1, max: 300 }),
      gaps: fc.array(fc.oneof(fc.constant(0), fc.nat(1200)), { minLength: 1, maxLength: 6 }),
    })
    .map(({ heads, length, gaps }): Piece[] => {
      const all = programs(device, heads, length);
      return gaps.map((gap, i) => ({ gap, job: all[i % all.length]! }));
    });
  it.each(['concurrent', 'blocked'] as const)(
    'are done in one step as command by command, %s',
    (mode) => {
      const property = fc.property(
        fc.array(fc.oneof(again, pieces(device)), { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 4 }),
        (lists, steps) => {
          const all = lists.flat();
          const slow = runUnseen(device, all, { mode, oneByOne: true }, steps);
          expect(runUnseen(device, all, { mode }, steps)).toEqual(slow);
        },
      );
      fc.assert(property, { seed, numRuns: 25 });
    },
    60_000,
  );
});

describe.each(names)('a channel of %s', (name) => {
  const device = often(name);
  it.each(['concurrent', 'blocked'] as const)(
    'sends and tells the same in few steps as one command at a time, %s',
    (mode) => {
      const property = fc.property(
        pieces(device),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.boolean(),
        (all, steps, tellsResults, answers) => {
          const drive = { tellsResults, steps };
          const slow = run(device, all, { ...drive, options: { mode, oneByOne: true } }, answers);
          const fast = run(device, all, { ...drive, options: { mode } }, answers);
          expect(fast).toEqual(slow);
          expect(run(device, all, { ...drive, steps: [1000], options: { mode } }, answers)).toEqual(slow);
          expect(checkCommands(device, fast.sent.slice(0, 300))).toEqual([]);
        },
      );
      fc.assert(property, { seed, numRuns: 15 });
    },
    60_000,
  );
});
