import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramCommand, DramCurrents, DramDevice } from '../../../arch/language/dram/device.ts';
import { type DramActivity, type DramRankTicks, dramEnergy } from '../../../models/physical/dram.ts';

const [rank, bank] = [1, 2];
const nothing = {
  bus: 'row',
  ticks: 1,
  level: bank,
  banks: 'none',
  access: 'none',
  refreshes: false,
  syncs: 'none',
} as const;

const commands: readonly DramCommand[] = [
  { ...nothing, name: 'ACT1', banks: 'activates' },
  { ...nothing, name: 'ACT', banks: 'opens' },
  { ...nothing, name: 'PREpb', banks: 'closes' },
  { ...nothing, name: 'PREab', level: rank, banks: 'closes' },
  { ...nothing, name: 'RD', bus: 'column', access: 'read' },
  { ...nothing, name: 'RDA', bus: 'column', access: 'read', banks: 'closes' },
  { ...nothing, name: 'WR', bus: 'column', access: 'write' },
  { ...nothing, name: 'WRA', bus: 'column', access: 'write', banks: 'closes' },
  { ...nothing, name: 'REFab', level: rank, refreshes: true },
  { ...nothing, name: 'REFpb', refreshes: true },
];
const indexOf = (name: string): number => commands.findIndex((command) => command.name === name);

interface Numbers {
  readonly clockPs: number;
  readonly width: number;
  readonly dq: number;
  readonly timings: { readonly [name: string]: number };
  readonly currents: DramCurrents | null;
}

/** What energy asks of a device, with nothing that restrains commands. */
function deviceWith({ timings, ...numbers }: Numbers, ticksPerClock = 1): DramDevice {
  return {
    ...numbers,
    name: 'test device',
    standard: 'test',
    organisation: 'test',
    speed: 'test',
    levels: ['channel', 'rank', 'bank'],
    counts: [1, 1, 16],
    rows: 1024,
    bursts: 128,
    burstBytes: numbers.width,
    ticksPerClock,
    commands,
    constraints: [],
    readLatency: 20,
    writeLatency: 16,
    dualBus: false,
    halfCycle: ticksPerClock === 2,
    activationDeadline: 0,
    dataClock: null,
    refresh: {
      allBank: { command: indexOf('REFab'), interval: 9360 },
      perBank: { command: indexOf('REFpb'), interval: 585, lockstep: false, setGap: 0 },
    },
    timings: new Map(Object.entries(timings).map(([name, cycles]) => [name, cycles * ticksPerClock])),
  };
}

/** DDR4-2400R, 8 Gb x8 chips: eight of them at 1.2 V, 833 ps, so 1 mA in each over a cycle is 7.9968 pJ. */
const ddr4: Numbers & { currents: DramCurrents } = {
  clockPs: 833,
  width: 64,
  dq: 8,
  timings: { nBL: 4, nRAS: 39, nRP: 16, nRC: 55, nRFC: 433, nRFCpb: 200 },
  currents: { VDD: 1.2, IDD0: 48, IDD2N: 34, IDD3N: 43, IDD4R: 135, IDD4W: 123, IDD5AB: 250 },
};
const pJ = 1e-12;

const sent = (counts: { readonly [command: string]: number }, ranks: readonly DramRankTicks[] = []): DramActivity => ({
  commands: commands.map(({ name }) => counts[name] ?? 0),
  ranks,
});

function energyOf(device: DramDevice, activity: DramActivity) {
  const energy = dramEnergy(device, activity);
  if (energy === null) throw new Error('the device has no currents');
  return energy;
}

describe('energy of a DDR4-2400 rank, by hand', () => {
  const device = deviceWith(ddr4);
  const refreshesBanks = (IDD5PB: number) => deviceWith({ ...ddr4, currents: { ...ddr4.currents, IDD5PB } });

  it.each([
    ['an activation draws IDD0 over tRC, less standby', 'ACT', 'activate', 3350.6592],
    ['a read draws IDD4R over IDD3N while its data come', 'RD', 'read', 2942.8224],
    ['a read that closes its bank costs what a read does', 'RDA', 'read', 2942.8224],
    ['a write draws IDD4W over IDD3N while its data are sent', 'WR', 'write', 2558.976],
    ['a write that closes its bank costs what a write does', 'WRA', 'write', 2558.976],
    ['a refresh draws IDD5AB over IDD3N for tRFC', 'REFab', 'refresh', 716761.1808],
  ] as const)('%s', (_, command, action, picojoules) => {
    const { total, by, notes } = energyOf(device, sent({ [command]: 3 }));
    expect(by[action] / pJ).toBeCloseTo(3 * picojoules, 6);
    expect(total).toBe(by[action]);
    expect(notes).toEqual([]);
  });

  it('charges the second of two activation commands only, and no precharge', () => {
    expect(energyOf(device, sent({ ACT1: 5, PREpb: 5, PREab: 5 })).total).toBe(0);
  });

  it('draws IDD3N with a row open and IDD2N without, in every rank', () => {
    const ranks = [
      { activeTicks: 700, idleTicks: 300 },
      { activeTicks: 0, idleTicks: 1000 },
    ];
    const { by, total } = energyOf(device, sent({}, ranks));
    expect(by['background active'] / pJ).toBeCloseTo(700 * 343.8624, 6);
    expect(by['background precharged'] / pJ).toBeCloseTo(1300 * 271.8912, 6);
    expect(total).toBe(by['background active'] + by['background precharged']);
    expect(by).not.toHaveProperty('self-refresh');
  });

  it('charges the refresh of one bank where IDD5PB is above IDD3N', () => {
    const { by, notes } = energyOf(refreshesBanks(60), sent({ REFpb: 2 }));
    expect(by['refresh bank'] / pJ).toBeCloseTo(2 * 27189.12, 6);
    expect(notes).toEqual([]);
  });

  it('counts the refresh of one bank as nothing where IDD5PB is unknown or below standby, and says so', () => {
    const unknown = energyOf(device, sent({ REFpb: 2 }));
    expect([unknown.total, unknown.notes]).toEqual([
      0,
      ['test device: IDD5PB is not known; refreshes of a bank counted as 0 J'],
    ]);
    const low = energyOf(refreshesBanks(5), sent({ REFpb: 2 }));
    expect([low.total, low.notes]).toEqual([
      0,
      ['test device: IDD5PB of 5 mA is not above IDD3N of 43 mA; refreshes of a bank counted as 0 J'],
    ]);
    expect(energyOf(device, sent({ RD: 1 })).notes).toEqual([]);
  });

  it('draws IDD3P, IDD2P and IDD6 in power-down and self-refresh', () => {
    const currents = { ...ddr4.currents, IDD2P: 25, IDD3P: 37, IDD6: 30 };
    const low = {
      activeTicks: 0,
      idleTicks: 0,
      activePowerDownTicks: 10,
      idlePowerDownTicks: 20,
      selfRefreshTicks: 40,
    };
    const { by, notes } = energyOf(deviceWith({ ...ddr4, currents }), sent({}, [low]));
    expect(by['power-down active']! / pJ).toBeCloseTo(10 * 37 * 7.9968, 6);
    expect(by['power-down precharged']! / pJ).toBeCloseTo(20 * 25 * 7.9968, 6);
    expect(by['self-refresh']! / pJ).toBeCloseTo(40 * 30 * 7.9968, 6);
    expect(notes).toEqual([]);
  });

  it('counts power-down as standby where its current is unknown, and says so', () => {
    const low = {
      activeTicks: 0,
      idleTicks: 0,
      activePowerDownTicks: 10,
      idlePowerDownTicks: 20,
      selfRefreshTicks: 40,
    };
    const { total, notes } = energyOf(device, sent({}, [low]));
    expect(total / pJ).toBeCloseTo((10 * 43 + 60 * 34) * 7.9968, 6);
    expect(notes).toEqual([
      'test device: IDD3P is not known; power-down active counted with IDD3N',
      'test device: IDD2P is not known; power-down precharged counted with IDD2N',
      'test device: IDD6 is not known; self-refresh counted with IDD2N',
    ]);
  });
});

describe('what a device says of its energy', () => {
  const busy = sent({ ACT: 100, RD: 70, WRA: 30, REFab: 2 }, [{ activeTicks: 900, idleTicks: 1100 }]);
  const expected = energyOf(deviceWith(ddr4), busy);
  const withTimings = (timings: { readonly [name: string]: number }) => deviceWith({ ...ddr4, timings });

  it('is nothing without currents', () => {
    expect(dramEnergy(deviceWith({ ...ddr4, currents: null }), busy)).toBeNull();
  });

  it('does not depend on the length of a tick', () => {
    const halves = sent({ ACT: 100, RD: 70, WRA: 30, REFab: 2 }, [{ activeTicks: 1800, idleTicks: 2200 }]);
    expect(energyOf(deviceWith(ddr4, 2), halves).total).toBeCloseTo(expected.total, 18);
  });

  it('takes tRAS + tRP for tRC, nBL_min for nBL and nRFCab for nRFC where a standard names them so', () => {
    expect(energyOf(withTimings({ nBL_min: 4, nBL_max: 8, nRAS: 39, nRP: 16, nRFCab: 433 }), busy)).toEqual(expected);
  });

  it('takes tRC where it is not tRAS + tRP', () => {
    const { by } = energyOf(withTimings({ ...ddr4.timings, nRC: 60 }), sent({ ACT: 1 }));
    expect(by.activate / pJ).toBeCloseTo(3350.6592 + 5 * 48 * 7.9968, 6);
  });

  it('counts commands as nothing whose timing is missing, and says so once', () => {
    const { by, notes } = energyOf(withTimings({}), sent({ ACT: 1, RD: 1, RDA: 1, REFab: 1 }));
    expect([by.activate, by.read, by.refresh]).toEqual([0, 0, 0]);
    expect(notes).toEqual([
      'test device: has no timing nRAS or nRP; activate counted as 0 J',
      'test device: has no timing nBL; read counted as 0 J',
      'test device: has no timing nRFC; refresh counted as 0 J',
    ]);
  });

  it('is the same for channels together as for each, and the sum of its parts', () => {
    const device = deviceWith({ ...ddr4, currents: { ...ddr4.currents, IDD5PB: 60, IDD2P: 25 } });
    const count = fc.nat(1_000_000);
    const ranks = fc.array(fc.record({ activeTicks: count, idleTicks: count, idlePowerDownTicks: count }), {
      maxLength: 4,
    });
    const channel = fc.record({ commands: fc.tuple(...commands.map(() => count)), ranks });
    fc.assert(
      fc.property(channel, channel, (a, b) => {
        const both = { commands: a.commands.map((n, i) => n + b.commands[i]!), ranks: [...a.ranks, ...b.ranks] };
        const { total, by } = energyOf(device, both);
        const apart = energyOf(device, a).total + energyOf(device, b).total;
        expect(Math.abs(total - apart)).toBeLessThanOrEqual(1e-12 * apart);
        expect(Object.values(by).reduce((sum, joules) => sum + joules, 0)).toBe(total);
      }),
      { numRuns: 200 },
    );
  });
});

type Run = readonly [
  trace: string,
  ...counts: readonly [act: number, rd: number, wr: number, ref: number, active: number, idle: number],
  ...picojoules: readonly number[],
];
const fixture = new URL('../../fixtures/dram/dramsim3-energy.json', import.meta.url);
const {
  configurations,
}: { configurations: readonly (Omit<Numbers, 'clockPs'> & { name: string; tCK: number; runs: readonly Run[] })[] } =
  JSON.parse(readFileSync(fixture, 'utf8'));

describe("DRAMsim3's energy from its own counts", () => {
  it('covers its 114 runs', () => {
    expect(configurations.flatMap(({ runs }) => runs)).toHaveLength(114);
  });

  it.each(configurations)('$name', ({ name: _, tCK, runs, ...numbers }) => {
    const device = deviceWith({ ...numbers, clockPs: tCK * 1000 });
    for (const [trace, ACT, RD, WR, REFab, activeTicks, idleTicks, ...picojoules] of runs) {
      const { by, total } = energyOf(device, sent({ ACT, RD, WR, REFab }, [{ activeTicks, idleTicks }]));
      const ours = [
        by.activate,
        by.read,
        by.write,
        by.refresh,
        by['background active'],
        by['background precharged'],
        total,
      ];
      expect(picojoules).toHaveLength(ours.length);
      const apart = ours.map((joules, i) => Math.abs(joules / pJ - picojoules[i]!) / Math.max(picojoules[i]!, 1));
      expect([trace, Math.max(...apart)]).toEqual([trace, expect.closeTo(0, 9)]);
    }
  });
});
