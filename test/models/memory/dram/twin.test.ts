import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { banksOf, type DramDevice } from '../../../../arch/language/dram/device.ts';
import { type ControllerPolicy, defaultPolicy, type PagePolicy } from '../../../../models/memory/dram/policy.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { type CommandLog, TickingController } from '../../../reference/dram-controller.ts';
import { TickingBanks } from '../../../reference/dram-controller-banks.ts';
import { refreshManager } from '../../../reference/dram-controller-refresh.ts';
import { type Injection, locate, replayTicking, traceRequests } from '../../../reference/dram-controller-replay.ts';
import {
  deviceNames,
  digest,
  fixtureDevice,
  mappingOf,
  policyOf,
  type RecordedCommand,
  type RecordedRun,
  recordedCommands,
  recordedRuns,
  recordsOf,
} from '../../../reference/dram-fixture-device.ts';

/** Collects commands in the form of the recorded ones. */
function collector(): { readonly sent: RecordedCommand[]; readonly log: CommandLog } {
  const sent: RecordedCommand[] = [];
  return { sent, log: (tick, command, path, row, column) => sent.push({ tick, command, path, row, column }) };
}

function replay(device: DramDevice, run: RecordedRun, log: CommandLog): TickingController {
  const requests = traceRequests(run.trace, run.requests, run.rowStride).map((request) =>
    locate(device, mappingOf(run), request),
  );
  const injection = { gap: run.gap, outstanding: run.outstanding ?? Number.POSITIVE_INFINITY };
  return replayTicking(device, policyOf(run), requests, injection, log);
}

function totals(device: DramDevice, { clock, stats }: TickingController) {
  const counts = device.commands.map(({ name }, index) => [name, stats.commands[index]]);
  return {
    ticks: clock,
    latencySum: stats.latencySum,
    hits: stats.rowHits,
    misses: stats.rowMisses,
    conflicts: stats.rowConflicts,
    commands: Object.fromEntries(counts.filter(([, count]) => count !== 0)),
  };
}

describe('the ticking controller repeats a run of Ramulator', () => {
  it.each(recordedRuns)('$name', (run) => {
    const device = fixtureDevice(run.configuration);
    const { sent, log } = collector();
    const controller = replay(device, run, log);
    if (recordsOf(run)) {
      const recorded = recordedCommands(device, run.name);
      const differs = recorded.findIndex((command, index) => JSON.stringify(command) !== JSON.stringify(sent[index]));
      expect(sent[differs]).toEqual(recorded[differs]);
    }
    const { ticks, latencySum, hits, misses, conflicts, commands } = run;
    expect(totals(device, controller)).toEqual({ ticks, latencySum, hits, misses, conflicts, commands });
    if (run.sha256 !== undefined) expect(digest(device, sent)).toBe(run.sha256);
  });
});

const pages: readonly PagePolicy[] = [
  { kind: 'open' },
  { kind: 'closed' },
  { kind: 'capped', cap: 1 },
  { kind: 'capped', cap: 3 },
  { kind: 'timeout', ticks: 20 },
  { kind: 'timeout', ticks: 150 },
];

/** A device, a policy that it can have, requests for few banks and rows so that they meet, and how they come in. */
const runs = fc
  .constantFrom(...deviceNames)
  .map(fixtureDevice)
  .chain((device) =>
    fc.record({
      device: fc.constant(device),
      policy: policies(device),
      requests: fc.array(requests(device), { minLength: 1, maxLength: 150 }),
      injection: fc.record<Injection>({
        gap: fc.constantFrom(0, 3, 60),
        outstanding: fc.constantFrom(1, 4, Number.POSITIVE_INFINITY),
      }),
    }),
  );

function policies(device: DramDevice): fc.Arbitrary<ControllerPolicy> {
  return fc.record({
    scheduler: fc.constantFrom<ControllerPolicy['scheduler']>('frfcfs', 'frfcfs-row-hit'),
    page: fc.constantFrom(...pages),
    refresh: fc.constantFrom<ControllerPolicy['refresh']>(
      'all-bank',
      'none',
      ...(device.refresh.perBank === null ? [] : (['per-bank'] as const)),
    ),
    readQueue: fc.constantFrom(1, 4, 32),
    writeQueue: fc.constantFrom(1, 4, 32),
    writeLow: fc.constant(0.2),
    writeHigh: fc.constant(0.8),
  });
}

function requests(device: DramDevice) {
  const banks = banksOf(device);
  return fc
    .tuple(fc.boolean(), fc.constantFrom(0, 1, banks / 2, banks - 1), fc.nat({ max: 2 }), fc.nat({ max: 3 }))
    .map(([write, bank, row, column]) => ({ write, bank, row, column, block: (row * banks + bank) * 4 + column }));
}

describe('the ticking controller', () => {
  it('answers every request with commands that break no rule, whatever the device and the policy', () => {
    fc.assert(
      fc.property(runs, ({ device, policy, requests, injection }) => {
        const { sent, log } = collector();
        const { stats, completed } = replayTicking(device, policy, requests, injection, log);
        expect(checkCommands(device, sent)).toEqual([]);
        expect(completed).toBe(requests.length);
        expect(stats.reads).toBe(requests.filter((request) => !request.write).length);
        expect(stats.writes).toBe(requests.filter((request) => request.write).length);
        const served = sent.filter(({ command }) => device.commands[command].access !== 'none').length;
        expect(served + stats.forwarded + stats.coalesced).toBe(requests.length);
        expect(stats.rowHits + stats.rowMisses + stats.rowConflicts).toBe(served);
      }),
      { seed: 7, numRuns: 250 },
    );
  });

  const ddr4 = fixtureDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R');
  const names = (sent: readonly RecordedCommand[]) => sent.map(({ command }) => ddr4.commands[command].name);

  /** Ticks a controller to which all requests are sent at once. */
  function ticked(page: PagePolicy, requests: readonly (readonly [bank: number, row: number])[], ticks: number) {
    const { sent, log } = collector();
    const controller = new TickingController(ddr4, { ...defaultPolicy, page }, log);
    requests.forEach(([bank, row], column) => {
      controller.send(false, bank, row, column, column);
    });
    while (controller.clock < ticks) controller.tick();
    return sent;
  }

  it('closes a row with the last access that waits for it when pages are closed', () => {
    expect(
      names(
        ticked(
          { kind: 'closed' },
          [
            [0, 1],
            [0, 1],
            [5, 1],
          ],
          200,
        ),
      ),
    ).toEqual(['ACT', 'ACT', 'RD', 'RDA', 'RDA']);
  });

  it('precharges an unused row as soon as its time is over', () => {
    const sent = ticked({ kind: 'timeout', ticks: 100 }, [[0, 1]], 500);
    expect(sent.map(({ tick }) => tick)).toEqual([1, 17, 117]);
    expect(names(sent)).toEqual(['ACT', 'RD', 'PREpb']);
  });

  it('precharges a bank by itself after its last access within the cap', () => {
    const sent = ticked(
      { kind: 'capped', cap: 2 },
      [
        [0, 1],
        [0, 1],
      ],
      500,
    );
    expect(names(sent)).toEqual(['ACT', 'RD', 'RD', 'PREpb']);
    expect(sent.map(({ tick }) => tick)).toEqual([1, 17, 23, 40]);
  });

  it('closes a row with the first access beyond the cap', () => {
    const hits = [
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ] as const;
    expect(names(ticked({ kind: 'capped', cap: 2 }, hits, 500))).toEqual(['ACT', 'RD', 'RD', 'RDA', 'ACT', 'RD']);
  });

  it('answers a read from a write that waits, after one tick, and merges writes to the same data', () => {
    const { sent, log } = collector();
    const controller = new TickingController(ddr4, { ...defaultPolicy, refresh: 'none' }, log);
    controller.send(true, 0, 1, 0, 7);
    controller.send(true, 0, 1, 0, 7);
    expect(controller.completed).toBe(1);
    controller.send(false, 0, 1, 0, 7);
    controller.tick();
    expect(controller.stats).toMatchObject({ reads: 1, writes: 1, latencySum: 1, forwarded: 1, coalesced: 1 });
    while (controller.clock < 100) controller.tick();
    expect(names(sent)).toEqual(['ACT', 'WR']);
    expect(controller.completed).toBe(3);
  });

  it('answers a forwarded read after the reads before it', () => {
    const controller = new TickingController(ddr4, { ...defaultPolicy, refresh: 'none' });
    controller.send(false, 0, 1, 0, 1);
    // Its row opens at tick 1, its data are asked for at 17 and come at 37.
    while (controller.clock < 20) controller.tick();
    controller.send(true, 9, 1, 0, 8);
    controller.send(false, 9, 1, 0, 8);
    while (controller.clock < 36) controller.tick();
    expect(controller.stats.reads).toBe(0);
    controller.tick();
    expect(controller.stats).toMatchObject({ reads: 2, latencySum: 37 + 1 });
  });

  it('refuses a request whose queue is full', () => {
    const controller = new TickingController(ddr4, { ...defaultPolicy, readQueue: 2, writeQueue: 1 });
    const accepted = [false, false, false, true, true].map((write, block) => controller.send(write, 0, 1, 0, block));
    expect(accepted).toEqual([true, true, false, true, false]);
  });

  it('serves requests of one tick in the order in which they were sent', () => {
    const sent = ticked(
      { kind: 'open' },
      [
        [4, 1],
        [0, 1],
        [8, 1],
      ],
      30,
    );
    expect(sent.map(({ path }) => path[2])).toEqual([1, 0, 2, 1, 0, 2]);
  });

  it('keeps a row that an older request hits, if told to, even while that request cannot start', () => {
    /** The first two commands for the open bank, of a hit and a conflict that wait out the turnaround of a write. */
    const order = (scheduler: ControllerPolicy['scheduler'], rows: readonly number[]) => {
      const { sent, log } = collector();
      const controller = new TickingController(ddr4, { ...defaultPolicy, scheduler, refresh: 'none' }, log);
      controller.send(false, 0, 1, 0, 0);
      while (controller.clock < 60) controller.tick();
      controller.send(true, 4, 1, 0, 1);
      while (controller.clock < 77) controller.tick();
      rows.forEach((row, index) => {
        controller.send(false, 0, row, 0, 10 + index);
      });
      while (controller.clock < 160) controller.tick();
      return names(sent.slice(4, 6));
    };
    expect(order('frfcfs', [1, 2])).toEqual(['PREpb', 'ACT']);
    expect(order('frfcfs-row-hit', [1, 2])).toEqual(['RD', 'PREpb']);
    expect(order('frfcfs-row-hit', [2, 1])).toEqual(['PREpb', 'ACT']);
  });

  it('does not time out a row that a request waits for', () => {
    const { sent, log } = collector();
    const page = { kind: 'timeout', ticks: 50 } as const;
    const controller = new TickingController(ddr4, { ...defaultPolicy, page, refresh: 'none' }, log);
    controller.send(false, 0, 1, 0, 0);
    controller.tick();
    controller.send(true, 0, 1, 0, 1);
    for (let block = 2; controller.clock < 200; controller.tick()) if (controller.send(false, 5, 1, 0, block)) block++;
    expect(names(sent)).not.toContain('PREpb');
    expect(names(sent)).not.toContain('WR');
  });

  it('asks once for a precharge that has to wait', () => {
    const { sent, log } = collector();
    const page = { kind: 'timeout', ticks: 1 } as const;
    const controller = new TickingController(ddr4, { ...defaultPolicy, page }, log);
    controller.send(false, 0, 1, 0, 0);
    controller.send(false, 4, 1, 0, 1);
    while (controller.clock < 34) controller.tick();
    controller.send(false, 0, 1, 1, 2);
    while (controller.clock < 100) controller.tick();
    const precharges = sent.filter(({ command }) => ddr4.commands[command].name === 'PREpb');
    expect(precharges.map(({ tick }) => tick)).toEqual([44, 45]);
  });

  it('turns to writes above the high watermark and back below the low one, both in single precision', () => {
    const banksOpened = (policy: Partial<ControllerPolicy>, writes: number, readAt: number) => {
      const { sent, log } = collector();
      const controller = new TickingController(ddr4, { ...defaultPolicy, ...policy }, log);
      for (let bank = 1; bank <= writes; bank++) controller.send(true, bank, 1, 0, bank);
      while (controller.clock < readAt) controller.tick();
      controller.send(false, 15, 1, 0, 99);
      while (controller.clock < 10) controller.tick();
      return sent.map(({ path }) => path[2] * 4 + path[3]);
    };
    expect(banksOpened({ writeQueue: 4, writeHigh: 0.5 }, 2, 0)[0]).toBe(15);
    expect(banksOpened({ writeQueue: 4, writeHigh: 0.5 }, 3, 0)[0]).toBe(1);
    // 0.2 is a little more than a fifth in single precision: one write of five is below it, so the read goes second.
    expect(banksOpened({ writeQueue: 5, writeLow: 0.2 }, 2, 1)).toEqual([1, 15, 2]);
  });
});

describe('two-step activation and a data clock', () => {
  const lpddr5 = fixtureDevice('LPDDR5/LPDDR5_8Gb_x16/LPDDR5_6400');

  /** After a read of closed bank 15, hits and conflicts that could keep the bus busy: ticks since then, and names. */
  function busy(device: DramDevice): string[] {
    const { sent, log } = collector();
    const controller = new TickingController(device, { ...defaultPolicy, refresh: 'none' }, log);
    let block = 0;
    const read = (bank: number, row: number) => controller.send(false, bank, row, 0, block++);
    for (const bank of [0, 4, 8, 1, 5, 9]) read(bank, 1);
    while (controller.clock < 300) controller.tick();
    read(15, 1);
    for (const bank of [0, 4, 8, 0, 4, 8]) read(bank, 1);
    for (const bank of [1, 5, 9]) read(bank, 2);
    while (controller.clock < 400) controller.tick();
    expect(checkCommands(device, sent)).toEqual([]);
    const names = sent.map(({ tick, command }) => `${tick - 300} ${device.commands[command].name}`);
    return names.filter((name) => !name.startsWith('-')).slice(0, 10);
  }

  it('sends the second activation at its deadline, whatever else could be sent', () => {
    expect(busy(lpddr5)).toEqual([
      '1 ACT1',
      '2 CAS_RD',
      '3 RD',
      '4 PREpb',
      '5 RD',
      '6 PREpb',
      '7 RD',
      '8 PREpb',
      '9 ACT2',
      '10 RD',
    ]);
  });

  it('sends it before a sync that would make it late', () => {
    expect(busy({ ...lpddr5, activationDeadline: 2 }).slice(0, 4)).toEqual(['1 ACT1', '2 ACT2', '3 CAS_RD', '4 RD']);
  });
});

describe('lockstep refresh', () => {
  it('takes a bank of every pseudo-channel at a time, and lets a set rest before its next turn', () => {
    const hbm4 = fixtureDevice('HBM4/HBM4_32Gb_4Hi/HBM4_8000Mbps');
    const due = refreshManager(hbm4, 'per-bank', new TickingBanks(hbm4));
    const seen: [tick: number, channel: number, bank: number][] = [];
    for (let tick = 1; tick <= 18000; tick++)
      for (const { path } of due(tick)) seen.push([tick, path[1], path[3] * 8 + path[4]]);
    const turn = (tick: number, bank: number) => [
      [tick, 0, bank],
      [tick + 1, 1, bank],
    ];
    const firstSet = Array.from({ length: 16 }, (_, bank) => turn((bank + 1) * 976, bank));
    // The second pseudo-channel's set ends at 15617 and rests for nRFCpb = 1120 ticks.
    expect(seen).toEqual([...firstSet.flat(), ...turn(16737, 0), ...turn(17713, 1)]);
  });
});
