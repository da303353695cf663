import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { PimController, type PimMode } from '../../../../models/memory/pim/controller.ts';
import { barrierCommand } from '../../../../models/memory/pim/cursor.ts';
import type { Addressed } from '../../../../models/memory/pim/queue.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { dialect, issued, type Sent } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const device = dialect('attacc-hbm3');
/** Refreshes come often, so that a short run has some. */
const often: DramDevice = {
  ...device,
  refresh: { ...device.refresh, allBank: { ...device.refresh.allBank!, interval: 2200 } },
};
const indexOf = (name: string) => device.commands.findIndex((command) => command.name === name);

/** A command that arrives so many cycles after the one before, if its queue has room. */
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

/** What is sent, cycle after cycle or only in those cycles in which something may happen. */
function run(pim: readonly Arrival[], ordinary: readonly Arrival[], mode: PimMode, isTicking: boolean) {
  const sent: Sent[] = [];
  const controller = new PimController(often, often.commands.keys(), {
    mode,
    queue: 6,
    requests: 4,
    log: (tick, command, address) => sent.push(issued(often, tick, command, address)),
  });
  const feeds = [
    { queue: controller.commands, left: [...pim], due: 0 },
    { queue: controller.requests, left: [...ordinary], due: 0 },
  ];
  for (const feed of feeds) feed.due = feed.left[0]?.gap ?? 0;
  for (let cycle = 1; !controller.isIdle || feeds.some(({ left }) => left.length > 0); cycle++) {
    let arrived = false;
    for (const feed of feeds) {
      const [next] = feed.left;
      if (!next || feed.due > cycle || feed.queue.isFull) continue;
      feed.queue.push(addressed(next), cycle);
      feed.left.shift();
      feed.due = cycle + (feed.left[0]?.gap ?? 0);
      arrived = true;
    }
    if (isTicking || arrived || controller.next <= cycle) controller.cycle(cycle);
    if (cycle > 40_000) throw new Error('no end');
  }
  return { sent, latencySum: controller.latencySum };
}

function addressed({ name, bank, row }: Arrival): Addressed {
  const command = name === 'barrier' ? barrierCommand : indexOf(name);
  return { command, bank, row, column: 0, entry: 0, sum: 0 };
}

const pimNames = ['MACAB', 'MACSB', 'MACPB', 'WRGB', 'MVSB', 'MVGB', 'SFM', 'barrier'];

describe.each(['concurrent', 'blocked'] as const)('PIM commands and requests on one channel, %s', (mode) => {
  it('keep all rules, and come out the same when idle cycles are skipped', () => {
    fc.assert(
      fc.property(arrivals(pimNames, 30), arrivals(['RD', 'WR'], 20), (pim, ordinary) => {
        const skipping = run(pim, ordinary, mode, false);
        expect(skipping).toEqual(run(pim, ordinary, mode, true));
        expect(checkCommands(often, skipping.sent)).toEqual([]);
        const count = (names: readonly string[], from: readonly { readonly name: string }[]) =>
          from.filter(({ name }) => names.includes(name)).length;
        const names = skipping.sent.map(({ command }) => ({ name: often.commands[command]!.name }));
        for (const name of [...pimNames.slice(0, -1), 'RD', 'WR']) {
          expect([name, count([name], names)]).toEqual([name, count([name], [...pim, ...ordinary])]);
        }
      }),
      { seed, numRuns: 20 },
    );
  }, 30_000);
});

it('in blocked mode no request goes between PIM commands that wait', () => {
  const pim = Array.from({ length: 5 }, () => ({ name: 'MACAB', bank: 0, row: 0, gap: 0 }));
  const ordinary = [{ name: 'RD', bank: 7, row: 1, gap: 5 }];
  const order = (mode: PimMode) =>
    run(pim, ordinary, mode, false).sent.map(({ command }) => often.commands[command]!.name);
  expect(order('blocked')).toEqual(['ACTAB', 'MACAB', 'MACAB', 'MACAB', 'MACAB', 'MACAB', 'PREpb', 'ACT', 'RD']);
});

it('column commands wait behind a barrier, openings of rows do not', () => {
  const pim = [
    { name: 'MACPB', bank: 0, row: 0, gap: 0 },
    { name: 'barrier', bank: 0, row: 0, gap: 0 },
    { name: 'WRGB', bank: 17, row: 0, gap: 0 },
    { name: 'MACPB', bank: 1, row: 0, gap: 0 },
  ];
  const names = run(pim, [], 'concurrent', false).sent.map(({ command }) => often.commands[command]!.name);
  expect(names).toEqual(['ACTPB', 'ACTPB', 'MACPB', 'WRGB', 'MACPB']);
});

describe('the checker', () => {
  /** Rules that commands break; each is a name, a cycle, a bank and a row. */
  const broken = (on: DramDevice, ...sent: readonly (readonly [string, number, number, number])[]) =>
    checkCommands(
      on,
      sent.map(([name, cycle, bank, row]) =>
        issued(on, 2 * cycle + 1, indexOf(name), addressed({ name, bank, row, gap: 0 })),
      ),
    ).map(({ index, rule }) => `${index}: ${rule}`);

  it('holds commands against those before at any bank that they name', () => {
    const early = broken(device, ['ACTSB', 0, 4, 1], ['MACSB', 18, 60, 1]);
    expect(early).toContain('1: bank ACTSB -> MACSB nRCDRD');
    expect(broken(device, ['ACTSB', 0, 4, 1], ['MACSB', 19, 60, 1])).toEqual([]);
    expect(broken(device, ['ACTSB', 0, 4, 1], ['ACTSB', 18, 61, 1])).toEqual([]);
  });

  it('wants the row open in every bank that is multiplied', () => {
    expect(broken(device, ['ACTPB', 0, 4, 1], ['MACPB', 19, 36, 1])).toEqual([]);
    expect(broken(device, ['ACTPB', 0, 4, 1], ['MACPB', 19, 4, 2])).toEqual(['1: accesses are to the open row']);
    expect(broken(device, ['ACTPB', 0, 4, 1], ['MACAB', 60, 4, 1])).toEqual(['1: accesses are to the open row']);
  });

  it('lets nothing go beside a command that takes both buses', () => {
    const rule = '2: one command per bus and tick';
    expect(broken(device, ['ACTPB', 0, 4, 1], ['PREPB', 45, 4, 0], ['WRGB', 45, 0, 0])).toContain(rule);
    expect(broken(device, ['ACTAB', 0, 0, 1], ['PREA', 45, 0, 0], ['WRGB', 45, 0, 0])).toEqual([]);
  });

  it('knows rows that hold up another bank', () => {
    const tool = dialect('attacc-hbm3-ramulator');
    // Bank 21 is bank 1 of bank group 1 of stack id 1; held up is bank 1 of the same bank group of stack id 0.
    const sent = [
      ['ACTPB', 0, 5, 1],
      ['ACTPB', 2, 21, 1],
      ['MACPB', 50, 21, 1],
    ] as const;
    expect(broken(tool, ...sent, ['PREPB', 57, 5, 0])).toEqual([
      '3: bank MACPB -> PREPB nRTPL at stackId 0 at bankGroup stackId',
    ]);
    expect(broken(tool, ...sent, ['PREPB', 58, 5, 0])).toEqual([]);
  });
});
