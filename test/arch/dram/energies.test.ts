import { afterAll, describe, expect, it } from 'vitest';
import { describeStandard } from '../../../arch/language/dram/describe.ts';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { changed, Folder, small } from './sample.ts';

const folder = new Folder();
afterAll(() => folder.remove());
folder.write('small.yaml', small);

/** A dialect of the small standard: eight banks of 64 B columns, rows of 128 of them. */
const dialect = `standard: SMALL-PIM
extends: small
commands: |
  G_ACT    row     opens banks of rank
  G_PRE    row     closes rank
  COMP     column  multiplies banks of rank by xs into ys on bank
  GWRITE   column  moves host to xs
  FINISH   column  applies softmax to ys
units: { type: fp16, sums: fp32, adds: tree }
buffers:
  xs: { of: channel, entries: 8 }
  ys: { entries: 1 }
energies:
  cell: 0.5 pJ/bit
  ACT: 828 pJ
  RD: cell + 2 way
  way: 0.25 pJ/bit
  G_ACT: 4 ACT
  COMP: cell + 2 pJ/multiplication + 1 pJ
  GWRITE: 16 RD
`;

const energies = (text: string) => {
  const device = deviceOf(loadStandard(folder.write('dialect.yaml', text)));
  return Object.fromEntries(device.commands.map(({ name }, index) => [name, device.energies?.[index] ?? null]));
};
const picojoules = (text: string) =>
  Object.fromEntries(Object.entries(energies(text)).map(([name, given]) => [name, given && given.joules * 1e12]));

describe('energies of commands', () => {
  it('are sums, multiples of other commands, and per bit and multiplication of what a command does', () => {
    const given = picojoules(dialect);
    expect(given).toMatchObject({ ACT: 828, G_ACT: 4 * 828, WR: null, PREpb: null, REFab: null, FINISH: null });
    expect(given.RD).toBeCloseTo(512, 9);
    expect(given.GWRITE).toBeCloseTo(16 * 512, 9);
    // Eight banks of 512 bits, 32 numbers each.
    expect(given.COMP).toBeCloseTo(8 * 512 * 0.5 + 8 * 32 * 2 + 1, 9);
  });

  it('count the rows that a command opens, and the column that one moves, in bits', () => {
    const given = picojoules(changed(dialect, ['4 ACT', 'cell'], ['16 RD', 'cell']));
    expect(given.G_ACT).toBeCloseTo(8 * 128 * 512 * 0.5, 6);
    expect(given.GWRITE).toBeCloseTo(256, 9);
  });

  it('may be multiples of what currents give', () => {
    const currents = '{ VDD: 1.2, IDD0: 48, IDD2N: 34, IDD3N: 43, IDD4R: 135, IDD4W: 123, IDD5AB: 250 }';
    const text = changed(dialect, ['GWRITE: 16 RD', `GWRITE: 16 WR + 1 pJ\ncurrents:\n  FOUR 2000: ${currents}`]);
    const { GWRITE } = energies(text);
    expect(GWRITE).toEqual({ joules: 1e-12, times: [[4, 16]] });
  });

  it('are taken over and replaced one by one', () => {
    folder.write('dialect.yaml', dialect);
    const heir = folder.write('heir.yaml', 'standard: HEIR\nextends: dialect\nenergies:\n  ACT: 1 nJ\n');
    const device = deviceOf(loadStandard(heir));
    const of = (name: string) => device.energies?.[device.commands.findIndex((one) => one.name === name)]?.joules;
    expect([of('G_ACT'), of('ACT')]).toEqual([4e-9, 1e-9]);
  });

  it('go with the power of standby, in watts', () => {
    const text = `${dialect}background: { active: 66 mW, precharged: 0.048 W }\n`;
    expect(deviceOf(loadStandard(folder.write('power.yaml', text))).background).toEqual({
      active: 0.066,
      precharged: 0.048,
    });
  });

  it('are told of where there are any', () => {
    const text = `${dialect}background: { active: 66 mW, precharged: 48 mW }\n`;
    const shown = describeStandard(loadStandard(folder.write('power.yaml', text)));
    expect(shown).toMatch(/energies +of 5 commands, background power\n/);
    expect(shown).not.toContain('currents');
  });
});

describe('a mistake in energies shows its place:', () => {
  it.each([
    ['no unit', '828 pJ', '828', '15:8  the line ends where a unit should follow', 'such as "828 pJ"'],
    ['an unknown unit', '828 pJ', '828 pj', '15:12  there is no command or energy "pj"', ''],
    ['an unknown command', '4 ACT', '4 ATC', '18:12  there is no command or energy "ATC"', 'did you mean "ACT"?'],
    ['a command without an energy', '16 RD', '16 WR', '20:14  WR has no energy', 'give it one'],
    ['an unknown share', '0.25 pJ/bit', '0.25 pJ/byte', '17:16  "byte" is not bit or multiplication', ''],
    ['no sum', '4 ACT', '4 ACT ACT', '18:16  "ACT" is not a "+"', ''],
    ['what is named nowhere', 'RD: cell + 2 way', 'RD: cell', '17:3  "way" is no command, and no energy', ''],
    ['a circle', 'cell: 0.5 pJ/bit', 'cell: 2 way + 3 RD', 'cell needs RD needs cell: a circle', ''],
    ['bits of what has none', '16 RD', '16 RD\n  REFab: cell', 'REFab moves no bits, but its energy is per bit', ''],
    ['products of what has none', '16 RD', '1 pJ/multiplication', '20:11  GWRITE does not multiply', ''],
    ['a negative one', '828 pJ', '-828 pJ', '15:8  "-" is not an energy', ''],
  ])('%s', (_, from, to, place, hint) => {
    const message = folder.mistakes(() => loadStandard(folder.write('dialect.yaml', changed(dialect, [from, to]))));
    expect(message).toContain(place);
    expect(message).toContain(hint);
  });

  it('a power that is none', () => {
    const text = `${dialect}background: { active: 66 pJ, precharged: 48 mW }\n`;
    expect(folder.mistakes(() => loadStandard(folder.write('power.yaml', text)))).toContain(
      '"66 pJ" is an energy, but active needs a power',
    );
  });
});

it("AttAcc's: the cell and the ways to the units and to the host", () => {
  const device = deviceOf(findStandard('attacc-hbm3').standard);
  const of = (name: string) => device.energies![device.commands.findIndex((one) => one.name === name)]!.joules / 1e-12;
  expect(of('MACAB')).toBeCloseTo(64 * (256 * (0.11 + 0.44) + 16 * 0.32), 6);
  expect(of('MACSB')).toBeCloseTo(16 * (256 * (0.11 + 0.44 + 1.01) + 16 * 0.32), 6);
  expect(of('MACPB')).toBeCloseTo(2 * (256 * (0.11 + 0.44 + 1.01 + 1.23 + 0.5) + 16 * 0.32), 6);
  expect(of('WRGB')).toBeCloseTo(256 * (0.3 + 0.5 + 1.23 + 1.01), 6);
  expect(of('MVSB')).toBeCloseTo(256 * (0.5 + 1.23 + 1.01), 6);
  expect(of('RD')).toBeCloseTo(256 * (0.11 + 0.44 + 1.01 + 1.23 + 0.5 + 0.3), 6);
});
