import { describe, expect, it } from 'vitest';
import { banksOf } from '../../../../arch/language/dram/device.ts';
import { controllerFor } from '../../../../models/memory/dram/channel.ts';
import { type ControllerPolicy, defaultPolicy } from '../../../../models/memory/dram/policy.ts';
import { shippedDevice } from './runs.ts';

/**
 * In ticks: an access comes 16 after its activation, and that 16 after a precharge; a precharge 39 after an activation and
 * 9 after a read; reads of one bank group 6 apart, others 4; a read's data have come after 20; a refresh takes 433.
 */
const ddr4 = shippedDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R');
const twoRanks = shippedDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R/rank2');

/** A request for a bank and a row, sent before the tick behind `tick`. */
interface Sent {
  readonly tick?: number;
  readonly write?: boolean;
  readonly bank?: number;
  readonly row?: number;
  readonly column?: number;
}

/** What a controller sends up to a tick: `17 RD 0`, the tick, the command and the first bank that it names. */
function commands(
  policy: Partial<ControllerPolicy>,
  requests: readonly Sent[],
  { device = ddr4, until = 300, from = 0 } = {},
): string[] {
  const sent: string[] = [];
  const log = (tick: number, command: number, bank: number) => {
    if (tick > from) sent.push(`${tick - from} ${device.commands[command].name} ${bank}`);
  };
  const controller = controllerFor(device, { ...defaultPolicy, refresh: 'none', ...policy }, { log });
  const runTo = (tick: number) => {
    while (controller.clock < tick) controller.step(tick);
  };
  for (const { tick = 0, write = false, bank = 0, row = 1, column = 0 } of requests) {
    runTo(from + tick);
    controller.send(write, bank, row, column, (row * banksOf(device) + bank) * 1024 + column);
  }
  runTo(from + until);
  return sent;
}

const columns = (count: number, request: Sent = {}): Sent[] =>
  Array.from({ length: count }, (_, column) => ({ column, ...request }));

describe('pages', () => {
  it('stay open until another row is needed', () => {
    const sent = commands({}, [{}, { tick: 100, column: 1 }, { tick: 200, row: 2 }]);
    expect(sent).toEqual(['1 ACT 0', '17 RD 0', '101 RD 0', '201 PREpb 0', '217 ACT 0', '233 RD 0']);
  });

  it('are closed by the last hit that waits', () => {
    const page = { kind: 'closed' } as const;
    const sent = commands({ page }, [...columns(3), { tick: 100, column: 3 }]);
    expect(sent).toEqual(['1 ACT 0', '17 RD 0', '23 RD 0', '29 RDA 0', '101 ACT 0', '117 RDA 0']);
  });

  it('are closed by an access beyond the cap, or by a precharge where none comes', () => {
    const page = { kind: 'capped', cap: 2 } as const;
    expect(commands({ page }, columns(2))).toEqual(['1 ACT 0', '17 RD 0', '23 RD 0', '40 PREpb 0']);
    const beyond = ['1 ACT 0', '17 RD 0', '23 RD 0', '29 RDA 0', '56 ACT 0', '72 RD 0'];
    expect(commands({ page }, columns(4), { until: 90 })).toEqual(beyond);
  });

  it('are closed when no access used them for long enough', () => {
    const page = { kind: 'timeout', ticks: 50 } as const;
    const sent = commands({ page }, [{}, { tick: 60, column: 1 }, { tick: 150, column: 2 }]);
    expect(sent).toEqual(['1 ACT 0', '17 RD 0', '61 RD 0', '111 PREpb 0', '151 ACT 0', '167 RD 0', '217 PREpb 0']);
  });
});

describe('the scheduler', () => {
  /** A hit waits for the turnaround of a write to another bank, and a conflict of the same bank came after it. */
  const rivals: Sent[] = [{}, { tick: 60, write: true, bank: 4 }, { tick: 77, column: 1 }, { tick: 77, row: 2 }];

  it('closes a row that an older request hits while that cannot start', () => {
    const sent = commands({}, rivals).slice(2);
    const reopened = ['78 PREpb 0', '94 ACT 0', '110 RD 0', '133 PREpb 0', '149 ACT 0', '165 RD 0'];
    expect(sent).toEqual(['61 ACT 4', '77 WR 4', ...reopened]);
  });

  it('keeps it if told to protect hits', () => {
    const sent = commands({ scheduler: 'frfcfs-row-hit' }, rivals).slice(2);
    expect(sent).toEqual(['61 ACT 4', '77 WR 4', '96 RD 0', '105 PREpb 0', '121 ACT 0', '137 RD 0']);
  });

  it('serves a younger hit before an older conflict that cannot start', () => {
    const sent = commands({}, [{}, { tick: 16, row: 2 }, { tick: 16, column: 1 }]);
    expect(sent).toEqual(['1 ACT 0', '17 RD 0', '23 RD 0', '40 PREpb 0', '56 ACT 0', '72 RD 0']);
  });
});

describe('writes', () => {
  it('wait for reads up to the high watermark, then go on down to the low one', () => {
    const policy = { writeQueue: 4, writeHigh: 0.5, writeLow: 0.3 };
    const three: Sent[] = [1, 2, 3].map((bank) => ({ write: true, bank: 4 * bank }));
    const reads = ['1 ACT 0', '17 RD 0', '23 RD 0', '29 RD 0'];
    const writes = ['30 ACT 8', '34 ACT 12', '46 WR 8', '50 WR 12'];
    expect(commands(policy, [...three.slice(1), ...columns(3)], { until: 60 })).toEqual([...reads, ...writes]);
    const turned = [
      '1 ACT 4',
      '5 ACT 8',
      '9 ACT 0',
      '17 WR 4',
      '21 WR 8',
      '40 RD 0',
      '46 RD 0',
      '52 RD 0',
      '53 ACT 12',
    ];
    expect(commands(policy, [...three, ...columns(3)], { until: 60 })).toEqual(turned);
  });

  it('answer reads of their block, and take in writes to it', () => {
    const sent = commands({}, [{ write: true }, { write: true }, {}, { column: 1, write: true }]);
    expect(sent).toEqual(['1 ACT 0', '17 WR 0', '23 WR 0']);
  });
});

describe('refreshes', () => {
  it('of all banks go before requests, once all banks are closed', () => {
    expect(ddr4.refresh.allBank?.interval).toBe(9364);
    const requests: Sent[] = [{ tick: -100 }, { tick: -2, bank: 4, column: 1 }, { column: 1 }];
    const sent = commands({ refresh: 'all-bank' }, requests, { from: 9363, until: 500 });
    // A row that was just opened is read first, and closed 39 after it was opened.
    expect(sent).toEqual(['15 RD 4', '38 PREab 0', '54 REFab 0', '487 ACT 0']);
  });

  it('of one bank leave the others alone, and take turns', () => {
    const hbm2 = shippedDevice('HBM2/HBM2_8Gb/HBM2_2000Mbps');
    const interval = hbm2.refresh.perBank?.interval ?? 0;
    const requests: Sent[] = [
      { tick: -50 },
      { tick: -50, bank: 5 },
      { tick: 0, column: 1 },
      { tick: 0, bank: 5, column: 1 },
    ];
    const sent = commands({ refresh: 'per-bank' }, requests, { device: hbm2, from: interval - 1, until: 250 });
    // The next one falls due 122 ticks after the first; its bank opens 159 after a refresh, and is read 15 later.
    const others = ['1 PREpb 0', '15 REFpb 0', '16 RD 5', '123 REFpb 1'];
    expect(sent).toEqual([...others, '174 ACT 0', '189 RD 0', '245 REFpb 2']);
  });
});

describe('two ranks', () => {
  it('share the data bus with a gap between them, and open rows at the same time', () => {
    const sent = commands({}, [...columns(2), ...columns(2, { bank: 16 })], { device: twoRanks });
    expect(sent).toEqual(['1 ACT 0', '2 ACT 16', '17 RD 0', '23 RD 16', '29 RD 0', '35 RD 16']);
  });

  it('are refreshed one after the other, each closed by itself', () => {
    const requests: Sent[] = [{ tick: -100 }, { tick: -100, bank: 16 }, { column: 1 }, { bank: 16, column: 1 }];
    const choices = { device: twoRanks, from: 9363, until: 500 };
    const refreshed = ['1 PREab 0', '17 REFab 0', '18 PREab 16', '34 REFab 16'];
    const served = ['450 ACT 0', '466 RD 0', '467 ACT 16', '483 RD 16'];
    expect(commands({ refresh: 'all-bank' }, requests, choices)).toEqual([...refreshed, ...served]);
  });
});
