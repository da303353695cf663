import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { PimController, type PimOptions } from '../../../../models/memory/pim/controller.ts';
import { ProgramCursor } from '../../../../models/memory/pim/cursor.ts';
import { type PimRunOptions, runPhases, runPim } from '../../../../models/memory/pim/run.ts';
import { commands, type PimProgram, type PimStep } from '../../../../workloads/language/pim-program.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { runSlowly, sentText } from '../../../reference/pim-host.ts';
import { dialect, sentBy } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const channels = 3;

/** Refreshes come often, so that a short run has some. */
function often(name: string, interval: number): DramDevice {
  const device = dialect(name);
  const { refresh, ticksPerClock } = device;
  return { ...device, refresh: { ...refresh, allBank: { ...refresh.allBank!, interval: interval * ticksPerClock } } };
}

/** Addresses that run along a row, into other rows and banks, or stay where they are; `first` the fastest field. */
const orders = fc.constantFrom<readonly (readonly [string, number])[]>(
  [['column', 12]],
  [
    ['column', 9],
    ['row', 3],
  ],
  [
    ['entry', 5],
    ['row', 3],
  ],
  [
    ['bank', 4],
    ['column', 7],
  ],
  [],
);

const commandsOf = (names: readonly string[], hasChannels: boolean) =>
  fc
    .record({
      command: fc.constantFrom(...names),
      order: orders,
      bank: fc.nat(3),
      row: fc.nat(1),
      channel: fc.nat(channels - 1),
      sums: fc.boolean(),
      first: fc.integer({ min: -2, max: 5 }),
      step: fc.nat(9),
      count: fc.integer({ min: 1, max: 40 }),
    })
    .map(({ command, order, bank, row, channel, sums, first, step, count }): PimStep => {
      const at = { bankGroup: bank, row, ...(hasChannels && { channel }) };
      return { kind: 'commands', command, order, at, first, step, count, ...(sums && { beside: [['sum', 3]] }) };
    });

const few = <T>(one: fc.Arbitrary<T>, maxLength = 4) => fc.array(one, { minLength: 1, maxLength });

/** Commands, barriers and repeats of them, for all channels. */
const plain = (names: readonly string[]): fc.Arbitrary<PimProgram> => {
  const one = fc.oneof(
    { weight: 4, arbitrary: commandsOf(names, true) },
    { weight: 1, arbitrary: fc.constant<PimStep>({ kind: 'barrier', channels }) },
  );
  const repeats = fc.record({ kind: fc.constant('repeat' as const), times: fc.nat(3), steps: few(one, 3) });
  return few(fc.oneof({ weight: 3, arbitrary: one }, { weight: 1, arbitrary: repeats }), 5);
};

/** Instructions, some of which the host waits for, and syncs. */
const instructions = (names: readonly string[]): fc.Arbitrary<PimProgram> => {
  const given = fc.record({
    kind: fc.constant('instruction' as const),
    channels: fc.subarray([0, 1, 2]),
    steps: few(commandsOf(names, false), 2),
  });
  const answer = fc.record({
    kind: fc.constant('instruction' as const),
    channels: fc.subarray([0, 1, 2], { minLength: 1 }),
    steps: fc.constant<PimProgram>([{ kind: 'commands', command: 'RDMAC16', order: [], count: 2 }]),
    waits: fc.constant(true),
  });
  const one = fc.oneof(
    { weight: 5, arbitrary: given },
    { weight: 2, arbitrary: answer },
    { weight: 1, arbitrary: fc.constant<PimStep>({ kind: 'sync' }) },
  );
  const repeats = fc.record({ kind: fc.constant('repeat' as const), times: fc.nat(3), steps: few(one, 3) });
  return few(fc.oneof({ weight: 4, arbitrary: one }, { weight: 1, arbitrary: repeats }), 6);
};

const aimOf = (to: readonly number[]): PimStep => ({
  kind: 'instruction',
  channels: to,
  steps: [commands('MAC16', [], { count: 1 })],
});

/** Accesses wait for no barrier. */
function withoutBarriers(program: PimProgram): PimProgram {
  return program.flatMap((step): PimStep[] => {
    if (step.kind === 'repeat') return [{ ...step, steps: withoutBarriers(step.steps) }];
    return step.kind === 'barrier' ? [] : [step];
  });
}

/** What is sent in a channel, and how long all takes. */
function run(device: DramDevice, program: PimProgram, options: Omit<PimOptions, 'log'>) {
  const sent: string[][] = Array.from({ length: channels }, () => []);
  const { cycles } = runPim(device, program, {
    ...options,
    channels,
    log: (channel) => (tick, command, address) => sent[channel]!.push(sentText(device, tick, command, address)),
  });
  return { cycles, sent };
}

const aim = 'TMOD MAC16 MAC WRGB WRMAC16 RDMAC16 RDCP WRCP EWMUL16 AF16 WRA16'.split(' ');
const gpt = ['MAC16', 'WRGB', 'RDMAC16'];
const attacc = ['MACAB', 'MACSB', 'MACPB', 'WRGB', 'MVSB', 'MVGB', 'SFM'];

describe.each([
  ['aim-gddr6', 'in-order', 'plain', aim, 1500],
  ['aim-gddr6', 'in-order', 'instructions', [...aim, 'RD', 'WR'], 1500],
  ['aim-gddr6', 'oldest', 'plain', ['MAC16', 'WRGB', 'WRMAC16', 'RDMAC16'], 1500],
  ['pim-gpt-gddr6', 'oldest', 'plain', gpt, 700],
  ['pim-gpt-gddr6', 'in-order', 'instructions', gpt, 700],
  ['attacc-hbm3', 'oldest', 'plain', attacc, 1100],
] as const)('%s %s, %s', (name, scheduler, kind, names, interval) => {
  const device = often(name, interval);
  const programs = kind === 'plain' ? plain(names) : instructions(names);
  it('runs of commands as one step are one command after another, to the tick', () => {
    fc.assert(
      fc.property(programs, fc.integer({ min: 2, max: 9 }), (program, queue) => {
        const options = { scheduler, queue };
        const fast = run(device, program, options);
        const slow = runSlowly(device, program, channels, options);
        expect(fast).toEqual(slow);
        const { cycles, commands: sent } = runPim(device, program, { ...options, channels });
        expect(cycles).toBe(slow.cycles);
        for (const { name: command } of device.commands) {
          const count = slow.sent.flat().filter((text) => text.split(' ')[1] === command).length;
          expect([command, sent[command]]).toEqual([command, count]);
        }
      }),
      { seed, numRuns: name === 'attacc-hbm3' ? 8 : 25 },
    );
  }, 60_000);

  it('keep all rules', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const [sent] = sentBy(device, program, { channels, scheduler });
        expect(checkCommands(device, sent)).toEqual([]);
      }),
      { seed, numRuns: 8 },
    );
  }, 60_000);
});

describe('runs of commands go as one step', () => {
  const sentTo = (device: DramDevice, program: PimProgram, options: PimRunOptions) => {
    const sent: string[][] = Array.from({ length: channels }, () => []);
    const {
      cycles,
      finished,
      channels: all,
    } = runPim(device, program, {
      ...options,
      channels,
      log: (channel) => (tick, command, address) => sent[channel]!.push(sentText(device, tick, command, address)),
    });
    return { cycles, finished, sent, latencies: all.map(({ latencySum }) => latencySum) };
  };

  it.each([
    ['attacc-hbm3', 'concurrent', ['MACAB', 'WRGB', 'SFM'], 1100],
    ['attacc-hbm3', 'blocked', ['MACAB', 'WRGB', 'SFM'], 1100],
    ['pim-gpt-gddr6', 'concurrent', gpt, 700],
    ['pim-gpt-gddr6', 'blocked', gpt, 700],
  ] as const)(
    'beside accesses on %s (%s), which come in between',
    (name, mode, names, interval) => {
      const device = often(name, interval);
      fc.assert(
        fc.property(
          plain(names),
          plain(['RD', 'WR']),
          fc.integer({ min: 1, max: 9 }),
          (program, accesses, requests) => {
            const options = { accesses: withoutBarriers(accesses), mode, requests, queue: 8 };
            const slow = sentTo(device, program, { ...options, intake: 10_000 });
            expect(sentTo(device, program, options)).toEqual(slow);
            // Nor does being watched change anything.
            expect(sentTo(device, program, { ...options, watched: true })).toEqual(slow);
          },
        ),
        { seed, numRuns: 12 },
      );
    },
    60_000,
  );

  it('also what a host decodes, watched or not', () => {
    const device = often('aim-gddr6', 1500);
    fc.assert(
      fc.property(instructions([...aim, 'RD', 'WR']), (program) => {
        const options = { scheduler: 'in-order' } as const;
        expect(sentTo(device, program, { ...options, watched: true })).toEqual(sentTo(device, program, options));
      }),
      { seed, numRuns: 12 },
    );
  }, 60_000);
});

describe('what a host decodes', () => {
  const device = dialect('aim-gddr6');
  const sync: PimProgram = [{ kind: 'sync' }];

  it.each<[string, () => unknown]>([
    ['an instruction of the program is for channel 3', () => runPim(device, [aimOf([3])], { channels: 3 })],
    ['not sent hits first', () => runPim(device, sync, { scheduler: 'hits-first' })],
    ['not run beside other accesses', () => runPim(device, sync, { accesses: [commands('RD', [], { count: 1 })] })],
    ['not run in phases', () => runPhases(device, [sync, []])],
  ])('says %s', (message, run) => expect(run).toThrow(message));
});

it('a refresh that no program lets happen is told', () => {
  const device = often('aim-gddr6', 1500);
  const run = () => runPim(device, [commands('TMOD', [], { count: 1 })], { scheduler: 'hits-first' });
  expect(() => runPim(device, [commands('WRGB', [], { count: 1 })], { scheduler: 'hits-first' })).toThrow(
    'WRGB does not go in mode usual of AiM-GDDR6',
  );
  expect(run).not.toThrow();
  const waiting = [commands('TMOD', [], { count: 1 }), commands('WRGB', [['entry', 64]], { count: 4000 })];
  expect(() => runPim(device, waiting, { scheduler: 'hits-first' })).toThrow('REFab does not go in mode registers');
});

it('a row of multiplications is a few steps of work', () => {
  const device = dialect('pim-gpt-gddr6');
  let steps = 0;
  const rows = 500;
  const order = [
    ['column', 64],
    ['row', rows],
  ] as const;
  const cursor = new ProgramCursor([{ kind: 'commands', command: 'MAC16', order, count: 64 * rows }], device);
  const controller = new PimController(device, device.commands.keys(), { refresh: 'none', sent: () => steps++ });
  let hasNext = cursor.next();
  for (let cycle = 1; hasNext || !controller.isIdle; cycle = hasNext ? cycle + 1 : controller.next) {
    for (; hasNext && !controller.commands.isFull; hasNext = cursor.next()) controller.commands.pushRun(cursor, cycle);
    if (controller.next <= cycle || cycle === 1) controller.cycle(cycle);
  }
  expect(controller.rows.sent[device.commands.findIndex(({ name }) => name === 'MAC16')]).toBe(64 * rows);
  expect(steps).toBeLessThan(10 * rows);
});
