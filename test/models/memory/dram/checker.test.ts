import { describe, expect, it } from 'vitest';
import type { DramConstraint, DramDevice } from '../../../../arch/language/dram/device.ts';
import { checkCommands, type IssuedCommand } from '../../../reference/dram-checker.ts';
import {
  deviceNames,
  fixtureDevice,
  recordedCommands,
  recordedRuns,
  recordsOf,
} from '../../../reference/dram-fixture-device.ts';

const start = 1001;

/** The path of a command: the first node of each level, but `index` at level `at`. */
function pathOf(device: DramDevice, command: number, at: number, index: number): number[] {
  const { level } = device.commands[command];
  return Array.from({ length: level + 1 }, (_, depth) => (depth === at ? index : 0));
}

/** Some commands `after`, then one `before` that starts `distance` ticks later; `index` is its node's at the row's level. */
function planted(
  device: DramDevice,
  row: DramConstraint,
  [after, before]: readonly [number, number],
  { count = row.window, distance = row.latency - 1, index = row.sibling ? 1 : 0 } = {},
): IssuedCommand[] {
  const earlier = { tick: start, command: after, path: pathOf(device, after, row.level, 0), row: 0 };
  const later = { tick: start + distance, command: before, path: pathOf(device, before, row.level, index), row: 0 };
  return [...Array.from({ length: count }, () => earlier), later];
}

/** Pairs of commands that a row keeps apart. */
function pairsOf(row: DramConstraint): (readonly [number, number])[] {
  return row.after.flatMap((after) => row.before.map((before) => [after, before] as const));
}

/** The device with at least two nodes at each level but the channel, so that every row has other nodes to tell apart. */
function widened(name: string): DramDevice {
  const device = fixtureDevice(name);
  return { ...device, counts: device.counts.map((count, level) => (level === 0 ? 1 : Math.max(2, count))) };
}

const breaks = (device: DramDevice, row: DramConstraint, commands: readonly IssuedCommand[]) =>
  checkCommands(device, commands).some(({ index, rule }) => index === commands.length - 1 && rule === row.text);

describe.each(deviceNames)('the checker on %s', (name) => {
  const device = widened(name);
  const positive = device.constraints.filter((row) => row.latency > 0);

  it('catches a command a tick too early for any row, and lets it pass a tick later', () => {
    expect(positive.length).toBeGreaterThan(25);
    for (const row of positive)
      for (const pair of pairsOf(row)) {
        expect([row.text, pair, breaks(device, row, planted(device, row, pair))]).toEqual([row.text, pair, true]);
        const legal = planted(device, row, pair, { distance: row.latency });
        expect([row.text, pair, breaks(device, row, legal)]).toEqual([row.text, pair, false]);
      }
  });

  it('counts as many commands as the window of a row says', () => {
    for (const row of positive)
      for (const pair of pairsOf(row)) {
        const commands = planted(device, row, pair, { count: row.window - 1 });
        expect([row.text, breaks(device, row, commands)]).toEqual([row.text, false]);
      }
  });

  it('leaves nodes alone that a row does not tie together', () => {
    for (const row of positive.filter(({ level }) => level > 0))
      for (const pair of pairsOf(row)) {
        if (device.commands[pair[1]].level < row.level) continue;
        const commands = planted(device, row, pair, { index: row.sibling ? 0 : 1 });
        expect([row.text, breaks(device, row, commands)]).toEqual([row.text, false]);
      }
  });
});

it('holds a command for all nodes of a level not against their siblings', () => {
  const device = fixtureDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R');
  const [PREpb, PREab] = ['PREpb', 'PREab'].map((name) =>
    device.commands.findIndex((command) => command.name === name),
  );
  const text = 'bank PREpb PREab -> PREpb >= 5 sibling';
  const row = { level: 3, after: [PREpb, PREab], before: [PREpb], latency: 5, window: 1, sibling: true, text };
  const extended = { ...device, constraints: [row] };
  expect(breaks(extended, row, planted(extended, row, [PREpb, PREpb]))).toBe(true);
  expect(breaks(extended, row, planted(extended, row, [PREab, PREpb]))).toBe(false);
});

describe('the checker finds nothing in what Ramulator sent', () => {
  it.each(recordedRuns.filter(recordsOf))('$name', ({ name, configuration }) => {
    const device = fixtureDevice(configuration);
    const commands = recordedCommands(device, name);
    expect(commands.length).toBeGreaterThan(700);
    expect(checkCommands(device, commands)).toEqual([]);
  });
});

/** Commands as `tick name row`, all for the first bank. */
function commandsOf(device: DramDevice, lines: readonly string[]): IssuedCommand[] {
  return lines.map((line) => {
    const [tick, name, row] = line.split(' ');
    const command = device.commands.findIndex((candidate) => candidate.name === name);
    const path = pathOf(device, command, 0, 0);
    return { tick: Number(tick), command, path, ...(row === undefined ? {} : { row: Number(row) }) };
  });
}

describe('the checker knows the state of banks', () => {
  const broken = (device: DramDevice, ...lines: string[]) =>
    checkCommands(device, commandsOf(device, lines)).map(({ index, rule }) => `${index}: ${rule}`);
  const ddr4 = fixtureDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R');
  const lpddr5 = fixtureDevice('LPDDR5/LPDDR5_8Gb_x16/LPDDR5_6400');
  const hbm2 = fixtureDevice('HBM2/HBM2_8Gb/HBM2_2000Mbps');
  const hbm3 = fixtureDevice('HBM3/HBM3_16Gb_8hi/HBM3_6400Mbps');

  it('passes a legal life of a bank', () => {
    expect(broken(ddr4, '1 ACT 3', '17 RD 3', '100 PREpb', '200 ACT 4', '216 WRA 4', '300 REFab')).toEqual([]);
    expect(broken(lpddr5, '1 ACT1 3', '9 ACT2 3', '16 CAS_RD', '17 RD 3', '37 CAS_WR', '38 WR 3')).toEqual([]);
  });

  it('opens only closed banks', () => {
    expect(broken(ddr4, '1 ACT 3', '101 ACT 4')).toEqual(['1: only closed banks are opened']);
    expect(broken(lpddr5, '1 ACT1 3', '2 ACT2 3', '101 ACT1 4')).toContain('2: only closed banks are opened');
  });

  it('accesses only the open row', () => {
    const rule = 'accesses are to the open row';
    expect(broken(ddr4, '1 RD 3')).toEqual([`0: ${rule}`]);
    expect(broken(ddr4, '1 ACT 3', '17 WR 4')).toEqual([`1: ${rule}`]);
    expect(broken(ddr4, '1 ACT 3', '17 RDA 3', '27 RD 3')).toEqual([`2: ${rule}`]);
    expect(broken(lpddr5, '1 ACT1 3', '16 CAS_RD', '17 RD 3')).toContain(`2: ${rule}`);
  });

  it('refreshes only closed banks', () => {
    const rule = 'only closed banks are refreshed';
    expect(broken(ddr4, '1 ACT 3', '101 REFab')).toEqual([`1: ${rule}`]);
    expect(broken(hbm2, '1 ACT 3', '101 REFpb')).toEqual([`1: ${rule}`]);
    expect(broken(hbm2, '1 ACT 3', '101 PREpb', '201 REFpb')).toEqual([]);
  });

  it('wants a second activation, in time and of the same row', () => {
    const [follows, late] = ['a second activation follows the first', 'a second activation comes before its deadline'];
    expect(broken(lpddr5, '1 ACT1 3', '10 ACT2 3')).toEqual([`1: ${late}`]);
    expect(broken(lpddr5, '1 ACT1 3', '2 ACT2 4')).toEqual([`1: ${follows}`]);
    expect(broken(lpddr5, '1 ACT2 3')).toEqual([`0: ${follows}`]);
    expect(broken(lpddr5, '1 ACT1 3', '101 PREpb')).toEqual([`1: ${follows}`]);
    expect(broken(lpddr5, '1 ACT1 3', '101 REFab')).toContain(`1: ${follows}`);
  });

  it('wants a data clock that runs', () => {
    const rule = 'an access needs a running data clock';
    const opening = ['1 ACT1 3', '2 ACT2 3'];
    const { read } = lpddr5.dataClock ?? { read: 0 };
    expect(broken(lpddr5, ...opening, '17 RD 3')).toEqual([`2: ${rule}`]);
    expect(broken(lpddr5, ...opening, '16 CAS_WR', '17 RD 3')).toEqual([`3: ${rule}`]);
    expect(broken(lpddr5, ...opening, '16 CAS_RD', '17 RD 3', `${16 + read} RD 3`)).toEqual([]);
    expect(broken(lpddr5, ...opening, '16 CAS_RD', '17 RD 3', `${17 + read} RD 3`)).toEqual([`4: ${rule}`]);
  });

  it('sends one command per bus and tick, in order, and not on any edge', () => {
    const sameTick = (device: DramDevice, ...names: readonly [string, string]) =>
      names.map((name, bank) => {
        const [command] = commandsOf(device, [`1 ${name} 0`]);
        return { ...command, path: [...command.path.slice(0, -1), bank] };
      });
    const taken = { index: 1, rule: 'one command per bus and tick' };
    expect(checkCommands(ddr4, sameTick(ddr4, 'PREpb', 'RD'))).toContainEqual(taken);
    expect(checkCommands(hbm2, sameTick(hbm2, 'PREpb', 'PREpb'))).toContainEqual(taken);
    expect(checkCommands(hbm2, sameTick(hbm2, 'PREpb', 'RD'))).not.toContainEqual(taken);
    expect(broken(ddr4, '5 PREpb', '4 PREpb')).toContain('1: commands are in order of time');
    expect(broken(hbm3, '2 ACT 3')).toEqual(['0: only precharges start on falling edges']);
    expect(broken(hbm3, '1 ACT 3', '100 PREpb')).toEqual([]);
  });
});
