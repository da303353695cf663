import { afterAll, describe, expect, it } from 'vitest';
import { describeStandard } from '../../../arch/language/dram/describe.ts';
import { needsRow } from '../../../arch/language/dram/device.ts';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { commandSet } from '../../../models/memory/dram/commands.ts';
import { scopesOf } from '../../../models/memory/pim/scope.ts';
import { Folder } from './sample.ts';

const { standard } = findStandard('attacc-hbm3');
const device = deviceOf(standard);
const named = (name: string) => device.commands.findIndex((command) => command.name === name);
const command = (name: string) => device.commands[named(name)]!;

describe('a dialect', () => {
  it('has all of the standard that it extends, and its own', () => {
    const { standard: base } = findStandard('hbm3');
    const names = standard.commands.map(({ name }) => name).toArray();
    expect(names.slice(0, base.commands.size)).toEqual(base.commands.map(({ name }) => name).toArray());
    expect(names.slice(base.commands.size)).toEqual(
      'PREA ACTAB MACAB ACTSB PRESB MACSB ACTPB PREPB MACPB WRGB MVSB MVGB SFM'.split(' '),
    );
  });

  it('leaves ordinary controllers the commands of the standard', () => {
    const { activate, precharge, prechargeAll } = commandSet(device);
    expect([activate, precharge, prechargeAll].map((at) => device.commands[at]!.name)).toEqual([
      'ACT',
      'PREpb',
      'PREab',
    ]);
  });

  it('says of commands whom they act on and what they do', () => {
    expect(command('MACAB')).toMatchObject({
      level: 0,
      pim: { kind: 'multiplies', from: 'operands', to: 'sums', unit: 4 },
    });
    expect(command('MACSB')).toMatchObject({ level: 4, each: [1, 2, 3], pim: { unit: 3 } });
    expect(command('WRGB')).toMatchObject({ level: 4, pim: { kind: 'moves', from: 'host', to: 'operands', unit: -1 } });
    expect(device.commands.filter(needsRow).map(({ name }) => name)).toEqual(
      'RD WR RDA WRA MACAB MACSB MACPB'.split(' '),
    );
    expect(device.units).toEqual({ type: 'fp16', sums: 'fp16', adds: 'tree', vectors: 1 });
    expect(device.buffers).toContainEqual({ name: 'scores', level: 0, entries: 8192 });
  });

  it('is shown as it is written', () => {
    const text = describeStandard(standard);
    expect(text).toMatch(/ACTSB +row +1 CK +opens bank of each pseudoChannel stackId bankGroup\n/);
    expect(text).toMatch(/MACAB +column +1 CK +multiplies banks of channel by operands into sums on bank\n/);
    expect(text).toMatch(/units +fp16, a sum of each column in fp16\n/);
  });
});

describe('the banks that a command names', () => {
  const scopes = scopesOf(device);
  const banks = (name: string, bank: number) => [...scopes[named(name)]!.banks(bank)];

  it.each([
    ['MACAB', 5, Array.from({ length: 64 }, (_, bank) => bank)],
    ['MACSB', 6, Array.from({ length: 16 }, (_, group) => 4 * group + 2)],
    ['MACPB', 41, [9, 41]],
    ['RD', 41, [41]],
    ['PREab', 41, Array.from({ length: 32 }, (_, bank) => 32 + bank)],
  ])('%s at bank %i', (name, bank, expected) => expect(banks(name, bank)).toEqual(expected));

  it.each([
    ['MACAB', 'ACTAB', 'PREA'],
    ['MACSB', 'ACTSB', 'PRESB'],
    ['MACPB', 'ACTPB', 'PREPB'],
    ['RD', 'ACT', 'PREpb'],
  ])('%s needs %s and %s', (name, opens, closes) => {
    const scope = scopes[named(name)]!;
    expect([device.commands[scope.opens]!.name, device.commands[scope.closes]!.name]).toEqual([opens, closes]);
  });
});

it('a constraint may hold up another bank than that of the earlier command', () => {
  const { constraints } = deviceOf(findStandard('attacc-hbm3-ramulator').standard);
  expect(constraints.filter(({ at }) => at !== undefined)).toMatchObject([
    {
      level: 4,
      at: [
        { level: 2, index: 0, like: -1 },
        { level: 3, index: 0, like: 2 },
      ],
    },
  ]);
});

describe('AiM', () => {
  const { standard: aim } = findStandard('aim-gddr6');
  const { commands, buffers, modes } = deviceOf(aim);
  const index = (name: string) => commands.findIndex((one) => one.name === name);
  const of = (name: string) => commands.find((one) => one.name === name);

  it('reads the sums of all banks at once, in a mode of its own', () => {
    expect(of('RDMAC16')).toMatchObject({ level: 0, takes: 2, pim: { from: 'sums', to: 'host' } });
    const modesOf = (name: string) => modes?.goes.map((commands) => commands[index(name)]);
    expect(modes?.names).toEqual(['usual', 'registers']);
    expect([modesOf('MAC16'), modesOf('RDMAC16'), modesOf('TMOD')]).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
    expect(commands.filter(needsRow).map(({ name }) => name)).toEqual(
      'RD WR RDA WRA MAC16 MAC AF16 EWMUL16 RDCP WRCP WRA16'.split(' '),
    );
    expect(buffers).toContainEqual({ name: 'operands', level: 0, entries: 64 });
  });

  it('is shown as it is written', () => {
    const text = describeStandard(aim);
    expect(text).toMatch(/RDMAC16 +column +1 CK +moves sums of channel to host, takes nCLREG \+ nBL\n/);
    expect(text).toMatch(/WRMAC16 +column +1 CK +moves host to sums of channel, takes/);
    expect(text).toMatch(/AF16 +column +1 CK +computes banks of channel\n/);
  });

  it('leaves ordinary controllers the commands of GDDR6', () => {
    const { activate, write, writeClose, prechargeAll } = commandSet(deviceOf(aim));
    expect([activate, write, writeClose, prechargeAll].map((at) => commands[at]!.name)).toEqual([
      'ACT',
      'WR',
      'WRA',
      'PREab',
    ]);
  });
});

describe('a mistake in a dialect', () => {
  const folder = new Folder();
  afterAll(() => folder.remove());
  const broken = (row: string) =>
    folder.mistakes(() =>
      loadStandard(folder.write('heir.yaml', `standard: X\nextends: aim-gddr6\ncommands: |\n  ${row}\n`)),
    );

  it.each([
    ['X column moves sums of chanel to host', '4:26  there is no level "chanel"', 'channel'],
    ['X column moves sums to host, takes nBLL', '4:38  there is no timing parameter "nBLL"', 'nBL'],
    ['X column moves sums to host, takes 2 - nCL', '4:3  this is -48 clock cycles', 'at least 0'],
  ])('%s', (row, message, hint) => {
    expect(broken(row)).toContain(message);
    expect(broken(row)).toContain(hint);
  });
});
