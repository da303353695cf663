import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { banksOf, type DramDevice } from '../../../../arch/language/dram/device.ts';
import { pimActivity, pimDramActivity } from '../../../../models/measure-pim.ts';
import { PimController, type PimMode } from '../../../../models/memory/pim/controller.ts';
import { barrierCommand } from '../../../../models/memory/pim/cursor.ts';
import { runPim } from '../../../../models/memory/pim/run.ts';
import { scopesOf } from '../../../../models/memory/pim/scope.ts';
import { type ChannelWatch, type Outcome, ordinary, outcomes, pim } from '../../../../models/memory/pim/watch.ts';
import { barrier, commands, type PimProgram, repeat } from '../../../../workloads/language/pim-program.ts';
import { attaccAttention } from '../../../../workloads/pim/attacc.ts';
import { dialect } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const device = dialect('attacc-hbm3');
/** Refreshes come often, so that a short run has some. */
const often: DramDevice = {
  ...device,
  refresh: { ...device.refresh, allBank: { ...device.refresh.allBank!, interval: 2200 } },
};
const indexOf = (name: string) => device.commands.findIndex((command) => command.name === name);

interface Arrival {
  readonly name: string;
  readonly bank: number;
  readonly row: number;
  readonly gap: number;
}

const arrivals = (names: readonly string[], length: number) =>
  fc.array(
    fc.record({
      name: fc.constantFrom(...names),
      bank: fc.nat(63),
      row: fc.nat(2),
      gap: fc.oneof(fc.constant(0), fc.nat(60)),
    }),
    { maxLength: length },
  );

interface Options {
  readonly mode: PimMode;
  readonly watched?: boolean;
  /** Executes every cycle, not only those in which something may happen. */
  readonly ticking?: boolean;
}

/** Whose tables all of them take over. */
const like = new PimController(often, often.commands.keys());

type Sent = readonly [kind: number, tick: number, command: number, bank: number, row: number];

function run(programs: readonly Arrival[], requests: readonly Arrival[], { mode, watched = true, ticking }: Options) {
  const sent: Sent[] = [];
  const controller = new PimController(often, often.commands.keys(), {
    like,
    mode,
    watched,
    queue: 6,
    requests: 4,
    log: (tick, command, { command: of, bank, row }) => {
      const { refreshes, access } = often.commands[of]!;
      sent.push([refreshes ? 2 : access === 'none' ? pim : ordinary, tick, command, bank, row]);
    },
  });
  const feeds = [
    { queue: controller.commands, left: [...programs], due: programs[0]?.gap ?? 0 },
    { queue: controller.requests, left: [...requests], due: requests[0]?.gap ?? 0 },
  ];
  let cycle = 1;
  for (; !controller.isIdle || feeds.some(({ left }) => left.length > 0); cycle++) {
    let arrived = false;
    for (const feed of feeds) {
      const [next] = feed.left;
      if (!next || feed.due > cycle || feed.queue.isFull) continue;
      const { name, bank, row } = next;
      const command = name === 'barrier' ? barrierCommand : indexOf(name);
      feed.queue.push({ command, bank, row, column: 0, entry: 0, sum: 0 }, cycle);
      feed.left.shift();
      feed.due = cycle + (feed.left[0]?.gap ?? 0);
      arrived = true;
    }
    if (ticking || arrived || controller.next <= cycle) controller.cycle(cycle);
    if (cycle > 40_000) throw new Error('no end');
  }
  controller.finish(cycle - 1);
  return { sent, cycles: cycle - 1, watch: controller.watch, latencySum: controller.latencySum };
}

const pimNames = ['MACAB', 'MACSB', 'MACPB', 'WRGB', 'MVSB', 'MVGB', 'SFM', 'barrier'];
const counts = (watch: ChannelWatch | null, kind: typeof ordinary | typeof pim) =>
  Object.fromEntries(outcomes.map((outcome, i) => [outcome, watch!.outcomes[kind][i]])) as {
    [outcome in Outcome]: number;
  };
const sum = (values: Iterable<number>) => [...values].reduce((all, one) => all + one, 0);

/** By for whom x banks + bank: ticks with a row open, from the commands that were sent. */
function openTicks(sent: readonly Sent[], end: number): number[] {
  const banks = banksOf(often);
  const scopes = scopesOf(often);
  const total = new Array<number>(2 * banks).fill(0);
  for (let bank = 0; bank < banks; bank++) {
    let open: { kind: number; tick: number } | null = null;
    const close = (tick: number) => {
      if (open) total[open.kind * banks + bank]! += tick - open.tick;
      open = null;
    };
    for (const [kind, tick, command, named] of sent) {
      const { banks: effect } = often.commands[command]!;
      if (effect === 'none' || !scopes[command]!.banks(named).includes(bank)) continue;
      close(tick);
      if (effect === 'opens') open = { kind, tick };
    }
    close(end);
  }
  return total;
}

describe.each(['concurrent', 'blocked'] as const)('what a channel tells of a run, %s,', (mode) => {
  const cases = fc.tuple(arrivals(pimNames, 30), arrivals(['RD', 'WR'], 20));

  it('changes nothing of the run', () => {
    fc.assert(
      fc.property(cases, ([programs, requests]) => {
        const { watch: _, ...watched } = run(programs, requests, { mode });
        const { watch, ...plain } = run(programs, requests, { mode, watched: false });
        expect(watch).toBeNull();
        expect(watched).toEqual(plain);
      }),
      { seed, numRuns: 12 },
    );
  });

  it('is the same whether idle cycles are executed or skipped', () => {
    fc.assert(
      fc.property(cases, ([programs, requests]) => {
        const [a, b] = [false, true].map((ticking) => run(programs, requests, { mode, ticking }).watch!);
        expect(counts(a!, ordinary)).toEqual(counts(b!, ordinary));
        expect(counts(a!, pim)).toEqual(counts(b!, pim));
      }),
      { seed, numRuns: 12 },
    );
  });

  it('adds up: commands, waits and open rows are those of the commands sent', () => {
    fc.assert(
      fc.property(cases, ([programs, requests]) => {
        const { watch, sent, cycles } = run(programs, requests, { mode });
        for (const kind of [ordinary, pim] as const) {
          const own = sent.filter(([of]) => of === kind);
          const all = counts(watch, kind);
          expect(watch!.commands.total(kind)).toBe(own.length);
          // Two may go in a cycle, one on each bus.
          expect(all.sent).toBe(new Set(own.map(([, tick]) => tick)).size);
          expect(sum(Object.values(all))).toBeLessThanOrEqual(cycles);
          expect(mode === 'concurrent' ? all.turn : 0).toBe(0);
        }
        const open = openTicks(sent, 2 * cycles + 1);
        expect(open.map((_, kind) => watch!.open.total(kind))).toEqual(open);
      }),
      { seed, numRuns: 12 },
    );
  });
});

describe('who waits for whom', () => {
  const mac = (bank: number, row = 0): Arrival => ({ name: 'MACPB', bank, row, gap: 0 });
  const read = (bank: number, row: number, gap = 0): Arrival => ({ name: 'RD', bank, row, gap });

  it('nobody, when nothing but reads are sent', () => {
    const { watch } = run([], [read(0, 0), read(1, 0), read(0, 1)], { mode: 'concurrent' });
    const { sent, own, ...others } = counts(watch, ordinary);
    expect([sent, own > 0, sum(Object.values(others))]).toEqual([7, true, 0]);
    expect(sum(Object.values(counts(watch, pim)))).toBe(0);
  });

  it('a read waits for the row that PIM has opened in its bank', () => {
    const { watch, sent } = run([mac(0)], [read(0, 1, 30)], { mode: 'concurrent' });
    const { rowBuffer, constraint, own } = counts(watch, ordinary);
    const at = (name: string) => (sent.find(([, , command]) => command === indexOf(name))![1] - 1) / 2;
    // From its arrival on, until it can open its own; after that for nothing but tRCD.
    expect(rowBuffer).toBe(at('ACT') - 30 - 1);
    expect([constraint, own]).toEqual([0, at('RD') - at('ACT') - 1]);
  });

  it('a multiplication waits for the row that a read has opened', () => {
    const { watch } = run([{ ...mac(0), gap: 30 }], [read(0, 1)], { mode: 'concurrent' });
    expect(counts(watch, pim).rowBuffer).toBeGreaterThan(device.timings.get('nRP')! / 2);
    expect(counts(watch, ordinary).rowBuffer).toBe(0);
  });

  it('a constraint after a command of PIM holds up a read of an open row', () => {
    const moves = Array.from({ length: 12 }, () => ({ name: 'WRGB', bank: 0, row: 0, gap: 0 }));
    const alone = counts(run([], [read(1, 0), read(1, 0, 20)], { mode: 'concurrent' }).watch, ordinary);
    const beside = counts(
      run([{ ...moves[0]!, gap: 20 }, ...moves], [read(1, 0), read(1, 0, 20)], { mode: 'concurrent' }).watch,
      ordinary,
    );
    expect(alone.constraint).toBe(0);
    expect(beside.constraint + beside.commandBus).toBeGreaterThan(0);
  });

  it('requests wait for the turn of PIM in blocked mode, and PIM for theirs', () => {
    const macs = Array.from({ length: 5 }, () => ({ name: 'MACAB', bank: 0, row: 0, gap: 0 }));
    const first = run(macs, [read(7, 1, 5)], { mode: 'blocked' }).watch;
    expect(counts(first, ordinary).turn).toBeGreaterThan(30);
    expect(counts(first, pim).turn).toBe(0);
    const second = run([{ ...macs[0]!, gap: 3 }], [read(7, 1), read(8, 1), read(7, 2)], { mode: 'blocked' }).watch;
    expect(counts(second, pim).turn).toBeGreaterThan(30);
  });

  it('both wait for refreshes', () => {
    const { watch } = run(
      Array.from({ length: 30 }, (_, i) => ({ ...mac(i % 4), gap: 60 })),
      Array.from({ length: 30 }, (_, i) => read(i % 4, 1, 60)),
      { mode: 'concurrent' },
    );
    expect(counts(watch, pim).refresh).toBeGreaterThan(100);
    expect(counts(watch, ordinary).refresh).toBeGreaterThan(100);
  });
});

describe('a run as reports see it', () => {
  const accesses: PimProgram = [
    commands(
      'RD',
      [
        ['channel', 2],
        ['bank', 4],
        ['column', 8],
      ],
      { count: 64 },
    ),
  ];
  const program: PimProgram = [
    repeat(3, commands('MACAB', [['channel', 2]], { count: 20 }), barrier(2)),
    commands('MVSB', [['channel', 2]], { count: 4 }),
  ];
  const result = runPim(often, program, { channels: 2, accesses, watched: true });
  const activity = pimActivity(often, 'concurrent', result);

  it('has the commands of each channel and over time, those of PIM and of requests', () => {
    const [first, second] = activity.channels;
    expect(first!.commands).toMatchObject({ MACAB: 30, MVSB: 2, RD: 32 });
    expect(result.commands.MACAB).toBe(first!.commands.MACAB! + second!.commands.MACAB!);
    const over = sum(activity.channels.flatMap((channel) => [...channel.ordinary, ...channel.pim, ...channel.refresh]));
    expect(over).toBe(sum(Object.values(result.commands)));
    expect(first!.pim.length * activity.bin).toBeGreaterThanOrEqual(activity.cycles * activity.cycle);
  });

  it('has shares of open rows between 0 and 1, of all banks', () => {
    const { ordinary: own, pim: others } = activity.open;
    expect(own).toHaveLength(64);
    expect(activity.banks[5]).toBe('pseudo channel 0, stack id 0, bank group 1, bank 1');
    for (const share of [...own.flat(), ...others.flat()]) expect(share >= 0 && share <= 1).toBe(true);
    expect(Math.max(...others[63]!)).toBeGreaterThan(0.5);
  });

  it('says how long ranks had a row open, which energy depends on', () => {
    const { commands: sent, ranks } = pimDramActivity(often, result);
    expect(sent[indexOf('MACAB')]).toBe(60);
    expect(ranks).toHaveLength(4);
    for (const { activeTicks, idleTicks } of ranks) expect(activeTicks + idleTicks).toBe(2 * result.cycles);
  });

  it('says which command is no access', () => {
    expect(() => runPim(often, [], { accesses: program })).toThrow('MACAB is no access; RD, WR, RDA, WRA are');
  });

  it('takes as much memory for a long run as for a short one', () => {
    const long = runPim(device, attaccAttention({ units: 'bank', heads: 1, length: 4096, dhead: 128, dbyte: 2 }), {
      channels: 16,
      watched: true,
    });
    const { channels } = pimActivity(device, 'concurrent', long);
    expect(long.cycles).toBeGreaterThan(7000);
    expect(Math.max(...channels.map((channel) => channel.pim.length))).toBeLessThanOrEqual(128);
  });
});
