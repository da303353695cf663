import { afterAll, describe, expect, it } from 'vitest';
import { describeStandard } from '../../../arch/language/dram/describe.ts';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { Modes } from '../../../models/memory/pim/modes.ts';
import { changed, Folder, small } from './sample.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const { standard } = findStandard('hbm-pim');
const device = deviceOf(standard);
const named = (name: string) => device.commands.findIndex((command) => command.name === name);

const modal = `${small}units: { type: fp16, sums: fp16, adds: lanes }
buffers:
  code: { entries: 4, column: 4 }
modes: |
  ONE   RD WR
  TWO   WR
  TWO   ACT at banks 0 1
  ONE -> TWO   ACT of row 7 at banks 0 1
  TWO -> ONE   PREpb PREab
`;

describe('modes of a standard', () => {
  const modes = deviceOf(loadStandard(folder.write('modal.yaml', modal))).modes!;
  const commands = deviceOf(loadStandard(folder.write('modal.yaml', modal))).commands.map(({ name }) => name);

  it('say what goes in each: what a row of another one names does not, and what none names does', () => {
    expect(modes.names).toEqual(['ONE', 'TWO']);
    const goes = (name: string) => modes.goes.map((mode) => mode[commands.indexOf(name)]);
    expect([goes('RD'), goes('WR'), goes('ACT'), goes('PREpb')]).toEqual([
      [true, false],
      [true, true],
      [false, [0, 1]],
      [true, true],
    ]);
  });

  it('say what leads from one to another', () => {
    const at = (...names: string[]) => names.map((name) => commands.indexOf(name));
    expect(modes.changes).toEqual([
      { from: 0, to: 1, commands: at('ACT'), row: 7, banks: [0, 1] },
      { from: 1, to: 0, commands: at('PREpb', 'PREab'), row: -1, banks: [] },
    ]);
  });

  it.each([
    ['command', 'ONE   RD WR', 'ONE   RD WX', 'there is no command "WX"'],
    ['mode', 'TWO -> ONE', 'TWO -> OEN', 'no row says what goes in the mode "OEN"'],
    ['bank', 'ACT at banks 0 1', 'ACT at banks 0 8', 'a channel has 8 banks, counted from 0'],
    ['row', 'of row 7', 'of row x', '"x" is not the number of a row'],
    ['half a bank', 'ACT at banks 0 1', 'ACT at banks 0.5', 'this is no whole number'],
    ['rest', 'of row 7 at banks 0 1', 'of row 7 at banks 0 1 ACT', '"ACT" does not go on'],
  ])('have no wrong %s', (_, from, to, message) => {
    const file = folder.write('modal.yaml', changed(modal, [from, to]));
    expect(folder.mistakes(() => loadStandard(file))).toContain(message);
  });

  it('are shown as they are written', () => {
    const text = describeStandard(standard);
    expect(text).toMatch(/HAB_PIM +ACT at banks 0 1\n/);
    expect(text).toMatch(/SB -> HAB +ACT of row 6143 at banks 0 1 8 9\n/);
    expect(text).toMatch(/ACTH +row +1 CK +opens bank of each bankGroup block together\n/);
    expect(text).toMatch(/RDH +column +1 CK +reads, executes crf with bank of each bankGroup block on block\n/);
  });
});

describe('the mode of a channel', () => {
  it('changes when all banks have had the command, in any order, each for the row', () => {
    const modes = new Modes(device);
    const open = (bank: number, row: number) => modes.start(named('ACT'), [bank], () => row);
    for (const bank of [9, 0, 1]) open(bank, 6143);
    open(8, 6142);
    expect([modes.goes(named('RD'), 3), modes.goes(named('ACTH'), 0)]).toEqual([true, false]);
    open(8, 6143);
    expect([modes.goes(named('RD'), 3), modes.goes(named('ACTH'), 0)]).toEqual([false, true]);
    expect([modes.goes(named('ACT'), 1), modes.goes(named('ACT'), 2), modes.goes(named('PREpb'), 9)]).toEqual([
      true,
      false,
      true,
    ]);
    modes.start(named('WONZ'), [0], () => 0);
    expect(modes.goes(named('RDH'), 0)).toBe(true);
  });
});

describe('a command of an extending file', () => {
  const heir = (row: string) => {
    folder.write('base.yaml', small);
    return folder.write('heir.yaml', `extends: base\nstandard: HEIR\ncommands: |\n  ${row}\n`);
  };

  it('stands for the one that it takes over where it says "instead"', () => {
    const { commands } = loadStandard(heir('ACT row 2 CK opens bank instead'));
    expect(
      commands
        .toArray()
        .map(({ name, cycles }) => `${name} ${cycles}`)
        .slice(0, 2),
    ).toEqual(['ACT 2', 'PREpb 1']);
  });

  it.each([
    ['ACT row opens bank', '"ACT" is there twice', 'remove it, or write "instead" behind it'],
    ['ATC row opens bank instead', 'there is no command "ATC" for this one to be instead of', 'did you mean "ACT"?'],
    ['EXE column executes code with bank on bank', 'EXE names a buffer "code", which is not there', ''],
  ])('%s', (row, message, hint) => {
    const text = folder.mistakes(() => loadStandard(heir(row)));
    expect(text).toContain(message);
    expect(text).toContain(hint);
  });
});

it('refreshes may be spread over the interval', () => {
  const { refresh } = deviceOf(findStandard('hbm-pim-pimsimulator').standard);
  expect(refresh.allBank).toMatchObject({ interval: 3900, staggered: true });
  expect(device.refresh.allBank).not.toHaveProperty('staggered');
});
