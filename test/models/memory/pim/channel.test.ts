import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { PimChannel, type PimChannelOptions } from '../../../../models/memory/pim/channel.ts';
import type { PimMode } from '../../../../models/memory/pim/controller.ts';
import type { PimProgram } from '../../../../workloads/language/pim-program.ts';
import { attentionJobs, attentionRows } from '../../../../workloads/pim/attention.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { dialect, issued, type Sent } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
/** Refreshes come often, so that a short run has some. */
const often = (device: DramDevice): DramDevice => ({
  ...device,
  refresh: { ...device.refresh, allBank: { ...device.refresh.allBank!, interval: 2400 } },
});
const dialects = ['newton-hbm2', 'neupims-hbm2', 'neupims-hbm2-corrected'].map((name) => often(dialect(name)));
const [newton, neupims, corrected] = dialects as [DramDevice, DramDevice, DramDevice];

/** Work that comes so many cycles after the piece before. */
type Piece = { readonly gap: number } & (
  | { readonly job: PimProgram; readonly row?: number }
  | { readonly isWrite: boolean; readonly address: number; readonly count: number }
);

interface Run {
  readonly sent: Sent[];
  readonly told: string[];
  readonly end: number;
}

/** What is sent and told; `steps` are the cycles that are executed at a time, again and again. */
function run(
  device: DramDevice,
  pieces: readonly Piece[],
  options: PimChannelOptions,
  steps: readonly number[] = [],
): Run {
  const sent: Sent[] = [];
  const told: string[] = [];
  const channel = new PimChannel(
    device,
    {
      job: (tag, cycle) => told.push(`job ${tag} ${cycle}`),
      result: (tag, index, cycle) => told.push(`result ${tag} ${index} ${cycle}`),
      access: (tag, cycle) => told.push(`access ${tag} ${cycle}`),
    },
    {
      ...options,
      log: (tick, command, address, multiplications) =>
        sent.push({ ...issued(device, tick, command, address), multiplications }),
    },
  );
  let turn = 0;
  const reach = (cycle: number) => {
    while (channel.now < cycle) {
      const step = steps.length > 0 ? steps[turn++ % steps.length]! : Number.POSITIVE_INFINITY;
      channel.advance(Math.min(cycle, channel.now + step));
    }
  };
  let cycle = 0;
  pieces.forEach((piece, tag) => {
    cycle += piece.gap;
    reach(cycle);
    if ('job' in piece) channel.pushJob(piece.job, tag, piece.row);
    else channel.pushAccess(piece.isWrite, piece.address, piece.count, tag);
  });
  while (!channel.isIdle) {
    reach(channel.now + 100);
    if (channel.now > 200_000) throw new Error('no end');
  }
  return { sent, told, end: channel.now };
}

const jobs = (device: DramDevice, heads: number, length: number): PimProgram[] => {
  const shape = { heads, headSize: 128, length, keyRow: 100, vectorRow: 3 };
  const { logits, context } = attentionJobs(device, {
    ...shape,
    valueRow: 100 + attentionRows(device, shape).keys,
  });
  return [...logits, ...context].map(({ program }) => program);
};

const pieces = (device: DramDevice) =>
  fc
    .array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.nat(400)),
        pick: fc.nat(20),
        heads: fc.integer({ min: 1, max: 5 }),
        length: fc.integer({ min: 1, max: 90 }),
        isWrite: fc.boolean(),
        bank: fc.nat(31),
        row: fc.constantFrom(2, 3, 100, 101, 102),
        count: fc.integer({ min: 1, max: 40 }),
      }),
      { minLength: 1, maxLength: 14 },
    )
    .map((all) =>
      all.map(({ gap, pick, heads, length, isWrite, bank, row, count }): Piece => {
        const programs = jobs(device, heads, length);
        if (pick < 6) return { gap, job: programs[pick % programs.length]! };
        return { gap, isWrite, address: (row * 32 + bank) * 16 + (pick % 16), count };
      }),
    );

const nameOf = (device: DramDevice, { command }: Sent) => device.commands[command]!.name;

describe.each(
  dialects.flatMap((device) =>
    (['concurrent', 'blocked'] as const).map((mode) => [device.standard, mode, device] as const),
  ),
)('jobs and accesses on %s, %s', (_, mode, device) => {
  it('keep all rules, all are done, and it is the same however many cycles are executed at a time', () => {
    fc.assert(
      fc.property(
        pieces(device),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        (all, steps) => {
          const whole = run(device, all, { mode });
          expect(checkCommands(device, whole.sent)).toEqual([]);
          const done = whole.told
            .filter((text) => !text.startsWith('result'))
            .map((text) => Number(text.split(' ')[1]));
          expect(done.sort((a, b) => a - b)).toEqual(all.map((_, tag) => tag));
          const stepped = run(device, all, { mode }, steps);
          expect([stepped.told, stepped.sent]).toEqual([whole.told, whole.sent]);
          const columns = all.reduce((sum, piece) => sum + ('job' in piece ? 0 : piece.count), 0);
          expect(whole.sent.filter((one) => ['RD', 'WR'].includes(nameOf(device, one))).length).toBe(columns);
          // One rank after the other, each as often as it has to be.
          const refreshes = whole.sent.filter((one) => nameOf(device, one) === 'REF');
          expect(refreshes.map(({ path }) => path[1])).toEqual(refreshes.map((_, i) => i % 2));
          expect(refreshes.length).toBeGreaterThanOrEqual(Math.floor(whole.end / 1200) - 1);
        },
      ),
      { seed, numRuns: 8 },
    );
  }, 60_000);
});

it('the rows of a job count from that which it begins with, but for the row that vectors are copied from', () => {
  for (const device of [newton, neupims]) {
    const shape = { heads: 2, headSize: 128, length: 600, vectorRow: 3 };
    const of = (keyRow: number, valueRow: number): PimProgram[] => {
      const { logits, context } = attentionJobs(device, { ...shape, keyRow, valueRow });
      return [...logits, ...context].map(({ program }) => program);
    };
    const before = [{ gap: 0, isWrite: false, address: 0, count: 70 }];
    const moved = of(0, 50).map((job) => ({ gap: 20, job, row: 200 }));
    const placed = of(200, 250).map((job) => ({ gap: 20, job }));
    expect(run(device, [...before, ...moved], {})).toEqual(run(device, [...before, ...placed], {}));
  }
});

describe('work before a refresh', () => {
  const long = jobs(neupims, 4, 1500)
    .slice(0, 1)
    .map((job): Piece => ({ gap: 1, job }));

  it.each([newton, neupims])('is not begun unless it ends before: $standard', (device) => {
    const { sent } = run(
      device,
      jobs(device, 4, 1500)
        .slice(0, 1)
        .map((job): Piece => ({ gap: 1, job })),
      {},
    );
    const names = sent.map((one) => nameOf(device, one));
    const refreshes = sent.flatMap((one, i) => (names[i] === 'REF' ? [{ i, tick: one.tick }] : []));
    expect(refreshes.length).toBeGreaterThan(4);
    for (const { i, tick } of refreshes) {
      // What came before was the end of a piece of work, and no row of the rank was opened for a piece that had to wait.
      const before = names.slice(0, i).findLast((name) => !['PRE', 'PIM_PRECHARGE', 'REF'].includes(name));
      expect(before).toBe(device === newton ? 'READRES' : 'COMPS_READRES');
      const begun = sent.slice(0, i).findLast((_, at) => names[at] === 'P_HEADER')!;
      expect(tick - begun.tick).toBeGreaterThan(120);
    }
  });

  it('would be begun without its estimate, and the refresh would have to wait for it', () => {
    const careless = { ...neupims, commands: neupims.commands.map(({ estimate: _, ...command }) => command) };
    const late = (device: DramDevice) =>
      run(device, long, {})
        .sent.filter((one) => nameOf(device, one) === 'REF')
        .map(({ tick }, i) => tick - 1200 * (i + 1));
    expect(Math.max(...late(neupims))).toBeLessThan(60);
    expect(late(careless)).not.toEqual(late(neupims));
  });
});

describe('a second row buffer', () => {
  const indexOf = (device: DramDevice, name: string) => device.commands.findIndex((command) => command.name === name);
  /** Rules that commands break; each is a name, a tick, a bank and a row. */
  const broken = (device: DramDevice, ...all: readonly (readonly [string, number, number, number])[]) =>
    checkCommands(
      device,
      all.map(([name, tick, bank, row]) =>
        issued(device, tick, indexOf(device, name), { command: 0, bank, row, column: 0, entry: 0, sum: 0 }),
      ),
    ).map(({ rule }) => rule);
  const groups = Array.from(
    { length: 8 },
    (_, i) => ['G_ACT', 30 * (i % 4) + (i > 3 ? 1 : 0), (i % 4) * 4 + (i > 3 ? 16 : 0), 7] as const,
  ).sort((a, b) => a[1] - b[1]);

  it.each([
    [
      'its activation soon after the other one',
      'bank ACT -> G_ACT nRC',
      [
        ['ACT', 0, 0, 5],
        ['G_ACT', 6, 0, 7],
      ],
    ],
    [
      'the other one soon after it',
      'bank G_ACT -> ACT nRC',
      [
        ['G_ACT', 0, 0, 7],
        ['ACT', 30, 1, 5],
      ],
    ],
    [
      'it soon after a precharge',
      'bank PRE -> G_ACT nRP',
      [
        ['ACT', 0, 0, 5],
        ['PRE', 50, 0, 0],
        ['G_ACT', 51, 0, 7],
      ],
    ],
    [
      'a precharge during multiplications',
      'channel COMP READRES -> PRE nRTP',
      [...groups, ['COMP', 110, 0, 7], ['PRE', 111, 3, 0]],
    ],
    [
      'multiplications sooner after writes',
      'channel WR -> COMP READRES nCWL + nBL + nWTRL',
      [
        ['ACT', 0, 0, 5],
        ...groups.map(([name, tick, bank, row]) => [name, tick + 60, bank, row] as const),
        ['WR', 160, 0, 5],
        ['COMP', 172, 0, 7],
      ],
    ],
  ] as const)('allows %s', (_, rule, all) => {
    expect(broken(newton, ...all)).toContain(rule);
    expect(broken(neupims, ...all)).not.toContain(rule);
    if (!rule.includes('WR') && !rule.includes('COMP')) expect(broken(neupims, ...all)).toEqual([]);
  });

  it('still shares nFAW, and a row is in one of the two', () => {
    expect(broken(neupims, ['G_ACT', 0, 0, 7], ['ACT', 29, 4, 5])).toContain('rank G_ACT -> G_ACT ACT nFAW');
    expect(broken(neupims, ['G_ACT', 0, 0, 7], ['ACT', 30, 0, 7])).toEqual(['a row is open in one row buffer only']);
    expect(broken(neupims, ['G_ACT', 0, 0, 7], ['REF', 100, 0, 0])).toContain('only closed banks are refreshed');
  });

  it('lets requests go on between multiplications, which keep their rows', () => {
    const work: Piece[] = [
      { gap: 1, job: jobs(newton, 4, 200)[0]! },
      { gap: 0, isWrite: false, address: 16 * 64, count: 256 },
    ];
    const both = run(neupims, [{ gap: 1, job: jobs(neupims, 4, 200)[0]! }, work[1]!], { mode: 'concurrent' });
    const count = (name: string) => both.sent.filter((one) => nameOf(neupims, one) === name).length;
    expect([count('G_ACT'), count('ACT')]).toEqual([7 * 8, 17]);
    const one = run(newton, work, { mode: 'blocked' });
    expect(both.end).toBeLessThan(one.end);
  });

  it('holds a request to the row that is worked on until the work is done', () => {
    const all: Piece[] = [
      { gap: 1, job: jobs(neupims, 4, 32)[0]! },
      { gap: 150, isWrite: false, address: (100 * 32 + 9) * 16, count: 1 },
    ];
    const { sent } = run(neupims, all, {});
    const names = sent.map((one) => nameOf(neupims, one));
    expect(names.slice(-3)).toEqual(['PIM_PRECHARGE', 'ACT', 'RD']);
    expect(names.indexOf('RD')).toBeGreaterThan(names.lastIndexOf('COMPS_READRES'));
  });
});

it('a precharge waits for the multiplications where the dialect says so', () => {
  const program = jobs(corrected, 1, 512).at(-1)!;
  const after = (device: DramDevice) => {
    const { sent } = run(device, [{ gap: 1, job: program }], {});
    const names = sent.map((one) => nameOf(device, one));
    return sent[names.indexOf('PIM_PRECHARGE')]!.tick - sent[names.indexOf('COMPS_READRES')]!.tick;
  };
  // 32 columns, the last of which begins 62 cycles after the first.
  expect([after(neupims), after(corrected)]).toEqual([5, 67]);
});

describe.each(['concurrent', 'blocked'] as const)('%s', (mode: PimMode) => {
  it('requests go between pieces of work, or wait for the end of one', () => {
    const all: Piece[] = [
      { gap: 1, job: jobs(neupims, 4, 96)[0]! },
      { gap: 300, isWrite: false, address: 16 * 70, count: 4 },
    ];
    const { sent } = run(neupims, all, { mode });
    const names = sent.map((one) => nameOf(neupims, one));
    const first = names.indexOf('RD');
    const between = names
      .slice(names.lastIndexOf('P_HEADER', first), first)
      .filter((name) => name === 'COMPS_READRES').length;
    // Four of each piece.
    expect(between === 4).toBe(mode === 'blocked');
  });
});
