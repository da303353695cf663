import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PimController } from '../../../../models/memory/pim/controller.ts';
import { barrierCommand } from '../../../../models/memory/pim/cursor.ts';
import { runPim } from '../../../../models/memory/pim/run.ts';
import {
  barrier,
  commands,
  isEven,
  ofChannel,
  type PimProgram,
  repeat,
} from '../../../../workloads/language/pim-program.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { dialect, issued, type Sent } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);

interface Arrival {
  readonly name: string;
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  readonly gap: number;
}

/** What is sent, cycle after cycle or only in those cycles in which something may happen. */
function run(dialectName: string, arrivals: readonly Arrival[], isTicking: boolean, postpones = false) {
  const base = dialect(dialectName);
  const { allBank } = base.refresh;
  const device = { ...base, refresh: { ...base.refresh, allBank: allBank && { ...allBank, interval: 1300 } } };
  const sent: Sent[] = [];
  const controller = new PimController(device, device.commands.keys(), {
    scheduler: 'hits-first',
    queue: 6,
    postpones,
    log: (tick, command, address) => sent.push(issued(device, tick, command, address)),
  });
  const left = [...arrivals];
  let due = left[0]?.gap ?? 0;
  for (let cycle = 1; controller.waiting > 0 || left.length > 0; cycle++) {
    const [next] = left;
    const arrived = next !== undefined && due <= cycle && !controller.commands.isFull;
    if (arrived) {
      const { name, bank, row, column } = next;
      const command = name === 'barrier' ? barrierCommand : device.commands.findIndex((one) => one.name === name);
      controller.commands.push({ command, bank, row, column, entry: 0, sum: 0 }, cycle);
      left.shift();
      due = cycle + (left[0]?.gap ?? 0);
    }
    if (isTicking || arrived || controller.next <= cycle) controller.cycle(cycle);
    if (cycle > 40_000) throw new Error('no end');
  }
  return {
    sent,
    broken: checkCommands(device, sent),
    names: sent.map(({ command }) => device.commands[command]!.name),
  };
}

const traffic = (names: readonly string[]) =>
  fc.array(
    fc.record({
      name: fc.constantFrom(...names),
      bank: fc.nat(15),
      row: fc.nat(2),
      column: fc.nat(3),
      gap: fc.oneof(fc.constant(0), fc.nat(80)),
    }),
    { maxLength: 60 },
  );

describe.each([
  ['hbm-pim', ['RD', 'WR', 'WR', 'RD', 'barrier'], false],
  ['hbm-pim-pimsimulator', ['RD', 'WR', 'RD', 'barrier'], true],
  // Two buses, and rows that are closed with an access.
  ['hbm2', ['RD', 'WR', 'RDA', 'WRA', 'barrier'], false],
  ['attacc-hbm3', ['RD', 'WR', 'MACSB', 'MACPB', 'WRGB', 'MVSB', 'barrier'], false],
] as const)('hits first on %s', (name, names, postpones) => {
  it('keeps all rules, comes out the same when idle cycles are skipped, and goes on to the end', () => {
    fc.assert(
      fc.property(traffic(names), (arrivals) => {
        const skipping = run(name, arrivals, false, postpones);
        expect(skipping.sent).toEqual(run(name, arrivals, true, postpones).sent);
        expect(skipping.broken).toEqual([]);
        for (const each of names.filter((one) => one !== 'barrier')) {
          expect(skipping.names.filter((one) => one === each).length).toBe(
            arrivals.filter((one) => one.name === each).length,
          );
        }
      }),
      { seed, numRuns: 8 },
    );
  }, 30_000);
});

describe('of those that wait', () => {
  const names = (...arrivals: readonly (readonly [string, number, number, number])[]) =>
    run(
      'hbm-pim',
      arrivals.map(([name, bank, row, column]) => ({ name, bank, row, column, gap: 0 })),
      false,
    ).sent.map(({ address }, i, all) => `${dialect('hbm-pim').commands[all[i]!.command]!.name} ${address.bank}`);

  it('hits pass those whose rows are closed, and rows that none is for are closed', () => {
    expect(names(['RD', 0, 0, 0], ['RD', 4, 1, 0], ['RD', 0, 0, 1])).toEqual([
      'ACT 0',
      'ACT 4',
      'RD 0',
      'RD 4',
      'RD 0',
    ]);
    expect(names(['RD', 0, 0, 0], ['RD', 0, 1, 0], ['RD', 0, 0, 1])).toEqual([
      'ACT 0',
      'RD 0',
      'RD 0',
      'PREpb 0',
      'ACT 0',
      'RD 0',
    ]);
  });

  it('the last before a barrier waits for all, and rows behind it are opened when it alone is left', () => {
    const sent = names(['RD', 0, 0, 0], ['RD', 4, 0, 0], ['barrier', 0, 0, 0], ['RD', 8, 0, 0]);
    expect(sent).toEqual(['ACT 0', 'RD 0', 'ACT 4', 'ACT 8', 'RD 4', 'RD 8']);
  });
});

describe('the part of one channel in a program', () => {
  const device = dialect('hbm-pim-pimsimulator');
  const sentTo = (program: PimProgram, channels: number, handsOut: 'in order' | 'by channel') => {
    const sent: string[][] = Array.from({ length: channels }, () => []);
    runPim(device, program, {
      channels,
      handsOut,
      refresh: 'none',
      scheduler: 'hits-first',
      queue: 1000,
      log:
        (channel) =>
        (_, command, { bank, row, column }) => {
          if (device.commands[command]!.access !== 'none') sent[channel]!.push(`${bank} ${row} ${column}`);
        },
    });
    return sent.map((list) => list.sort());
  };

  it('is what the channel gets when all is handed out in order', () => {
    const order = fc.record({
      first: fc.nat(20),
      count: fc.nat(90),
      step: fc.nat(4),
      of: fc.integer({ min: 1, max: 200 }),
      at: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.array(order, { maxLength: 4 }), fc.integer({ min: 1, max: 3 }), (steps, times) => {
        const program = [
          repeat(
            times,
            ...steps.map(({ first, count, step, of, at }) =>
              commands(
                'RD',
                [
                  ['channel', 3],
                  ['bank', 2],
                  ['column', 32],
                ],
                { first, count, step: 3 * step, of, at: { channel: at } },
              ),
            ),
            barrier(4),
          ),
        ];
        const inOrder = sentTo(program, 4, 'in order');
        for (let channel = 0; channel < 4; channel++) {
          const [own] = sentTo(ofChannel(program, channel), 1, 'in order');
          expect(own).toEqual(inOrder[channel]);
        }
        if (isEven(program, 4)) expect(new Set(inOrder.map(String)).size).toBe(1);
      }),
      { seed, numRuns: 25 },
    );
  });

  it('is the same for all where steps go through whole rounds of them', () => {
    const step = (rest: { first?: number; count: number }) => [
      commands(
        'RD',
        [
          ['channel', 4],
          ['column', 32],
        ],
        rest,
      ),
    ];
    expect([step({ count: 8 }), step({ count: 9 }), step({ first: 2, count: 8 })].map((one) => isEven(one, 4))).toEqual(
      [true, false, false],
    );
  });

  it('cannot be told when the channel is not what changes first', () => {
    const program = [
      commands(
        'RD',
        [
          ['column', 32],
          ['channel', 4],
        ],
        { count: 8 },
      ),
    ];
    expect(() => ofChannel(program, 0)).toThrow('RD cannot be handed out channel by channel');
  });
});
