import { afterAll, describe, expect, it } from 'vitest';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { changed, Folder, small } from './sample.ts';

const folder = new Folder();
afterAll(() => folder.remove());

/** What a user reads after changing some text of the small standard. */
function broken(...changes: readonly (readonly [string, string])[]): string {
  return extending(changed(small, ...changes), 'small.yaml');
}

function extending(text: string, name = 'heir.yaml'): string {
  return folder.mistakes(() => loadStandard(folder.write(name, text)));
}

it('has no mistakes to begin with', () => expect(broken()).toBe('no mistake'));

describe('a mistake in a standard shows its place, also in a table:', () => {
  it('an unknown parameter of a latency', () => {
    expect(broken(['-> RD   nRCD', '-> RD   nRCB'])).toBe(`small.yaml:21:28  there is no timing parameter "nRCB"
  21 |   bank     ACT     -> RD   nRCB
     |                            ^^^^ did you mean "nRCD"?`);
  });

  it.each([
    ['level', '  bank     ACT', '  bnak     ACT', '21:3  there is no level "bnak"', 'did you mean "bank"?'],
    ['command', 'RD RDA  -> RD ', 'RD RAD  -> RD ', '18:15  there is no command "RAD"', 'did you mean "RD"?'],
    ['second command', '-> RD   nRCD', '-> RB   nRCD', '21:23  there is no command "RB"', 'did you mean "RD"?'],
    ['function', 'max(nRFC', 'mox(nRFC', '22:28  there is no command "mox"', 'one of'],
    ['arrow', 'ACT     -> RD   nRCD', 'ACT     RD   nRCD', '21:25  "nRCD" is not "->"', 'what waits'],
    ['latency', '-> RD   nRCD', '-> RD', '21:25  the line ends where how long they wait', 'such as "nRCD"'],
    ['bracket', 'max(nRFC, 20 ns)', 'max(nRFC, 20 ns', '22:43  the line ends where ")" should follow', ''],
    ['operator', 'nBL + 2 ', 'nBL + + 2 ', '20:34  "+" is not a timing parameter or a number', ''],
    [
      'rest',
      'nBL + 2           sibling',
      'nBL + 2 siblings',
      '20:36  "siblings" does not go on',
      '"sibling" may follow',
    ],
    ['window', 'window 4', 'window 0', '19:53  a window is a whole number', 'such as "window 4"'],
    ['window', 'window 4', 'window 2.5', '19:53  a window is a whole number', 'such as "window 4"'],
    ['window', 'window 4', 'window', '19:52  a window is a whole number', 'such as "window 4"'],
    ['sibling', 'channel  RD RDA  -> RD   nBL', 'channel  RD -> RD nBL sibling', '18:25  a channel has no sib', ''],
    ['character', 'nBL + 2 ', 'nBL & 2 ', '20:32  "&" has no meaning here', 'remove it'],
  ])('a wrong %s in a constraint', (_, from, to, place, hint) => {
    const message = broken([from, to]);
    expect(message).toContain(`small.yaml:${place}`);
    expect(message).toContain(hint);
  });

  it.each([
    ['no effect', 'RD     column  reads', 'RD     column', '9:3  "RD" does nothing', 'such as "opens bank"'],
    ['an unknown effect', 'column  reads\n', 'column  raeds\n', '9:18  no command "raeds" anything', '"reads"?'],
    ['an unknown bus', 'RD     column', 'RD     colum', '9:10  "colum" is no bus', 'did you mean "column"?'],
    ['an unknown level', 'closes rank', 'closes rnak', '8:25  there is no level "rnak"', 'did you mean "rank"?'],
    ['a row of all banks', 'opens bank', 'opens rank', '6:24  "rank" is not "bank"', ''],
    ['half a tick', 'PREpb  row     ', 'PREpb  row 1.5 CK ', '7:3  1.5 CK are no whole ticks', '"ticks: 2"'],
    ['no time at all', 'PREpb  row     ', 'PREpb  row 0 CK ', '7:14  a command takes some time', ''],
    ['no unit of its time', 'PREpb  row     ', 'PREpb  row 2 ', '7:16  "closes" is not "CK"', 'write "2 CK"'],
    ['the name of another', 'PREab  row', 'PREpb  row', '8:3  "PREpb" is there twice', 'remove one'],
    ['no comma', 'reads, closes', 'reads closes', '11:24  "closes" is not a comma', ''],
  ])('a command with %s', (_, from, to, place, hint) => {
    const message = broken([from, to]);
    expect(message).toContain(`small.yaml:${place}`);
    expect(message).toContain(hint);
  });

  it.each([
    ['an unknown key', 'prefetch: 8', 'prefetch: 8\nwidht: 64', '4:1  unknown key "widht"'],
    ['no levels', 'levels: [channel, rank, bank, row, column]', 'about: x', '"levels" is missing'],
    ['levels without a channel', '[channel, rank,', '[rank,', '2:1  levels begin with the channel'],
    ['levels without rows', 'bank, row, column]', 'bank]', '2:1  levels end with bank, row, column'],
    ['an organisation without a level', 'dq: 8, banks: 8,', 'dq: 8,', '29:3  FOUR does not say how many banks'],
    ['a level that there is not', 'dq: 8, banks', 'dq: 8, bankGroups: 4, banks', '29:32  unknown key "bankGroups"'],
    ['part of an access', 'columns: 1 Ki', 'columns: 1001', '29:64  1001 columns are no whole number of accesses'],
    ['part of a bus', 'dq: 8,', 'dq: 7,', '29:29  chips of 7 data pins do not fill a bus of 64 bits'],
    ['an unknown parameter elsewhere', 'nCL + nBL', 'nCL + nLB', '13:21  there is no timing parameter "nLB"'],
    ['an unknown interval', 'all-bank: nREFI', 'all-bank: nREFL', '15:22  there is no timing parameter "nREFL"'],
    ['a misspelt parameter', ', nCWL: 8', ', CWL: 8', '32:43  unknown key "CWL" in FAST'],
    ['a parameter that a speed lacks', 'nCL: 10, nCWL: 8,', 'nCL: 10,', '32:3  FAST does not give nCWL'],
    ['a parameter that a chip lacks', '8Gb: 160 ns', '2Gb: 160 ns', '26:23  "2Gb" is no organisation, density'],
    ['a table without the chip', ', 8Gb: 160 ns', '', '26:3  nRFC has no value for EIGHT at 2000 MT/s'],
    ['a circle', 'nBL: 4', 'nBL: nRCD2\n  nRCD2: nBL + 1', '24:3  nBL needs nRCD2 needs nBL: a circle'],
    ['a division by zero', 'nBL: 4', 'nBL: 4 / 0', '24:3  nBL is Infinity clock cycles'],
    ['a negative parameter', 'nBL: 4', 'nBL: 4 - 6', '24:3  nBL is -2 clock cycles'],
    ['a clock that stands still', 'tCK: 1 ns', 'tCK: 0 ns', '32:28  "0 ns" is zero, but tCK cannot be'],
    ['no time for a clock', 'tCK: 1 ns', 'tCK: 1', '32:28  1 has no unit, but tCK needs a time'],
    ['a refresh of no command', 'refreshes rank', 'manages rank', '15:22  no command refreshes all banks'],
    [
      'a refresh that is unknown',
      '{ all-bank: nREFI }',
      '{ all-banks: nREFI }',
      '15:12  unknown key "all-banks" in refresh',
    ],
    ['no command that reads', '  RD     column  reads\n', '', 'there is no command "RD"'],
    ['two activations without a deadline', 'opens bank', 'activates bank', 'no command opens bank'],
  ])('%s', (_, from, to, message) => expect(broken([from, to])).toContain(message));

  it('currents of no organisation', () => {
    const currents = 'currents:\n  FIVE 2000: { VDD: 1, IDD0: 1, IDD2N: 1, IDD3N: 1, IDD4R: 1, IDD4W: 1, IDD5AB: 1 }\n';
    expect(extending(small + currents)).toContain('heir.yaml:35:3  "FIVE 2000" is no organisation and rate');
  });

  it('many at once', () => {
    const message = broken(
      ['reads\n', 'raeds\n'],
      ['-> RD   nRCD', '-> RD   nRCD window 0'],
      ['opens bank', 'opens rank'],
    );
    expect(message.split('\n').at(-1)).toMatch(/^\d mistakes$/);
  });
});

describe('a standard that no controller could run shows its place:', () => {
  const twoSteps: readonly [string, string] = [
    '  ACT    row     opens bank\n',
    '  ACT    row     opens bank\n  ACT1   row     activates bank\n',
  ];
  const deadline: readonly [string, string] = ['constraints: |', 'activation deadline: 8\nconstraints: |'];
  const clock: readonly [string, string] = ['constraints: |', 'data clock: { reads: 9, writes: 9 }\nconstraints: |'];

  it.each([
    ['a division by 0', [['-> RD   nRCD', '-> RD   nRCD / 0']], '21:3  this is Infinity clock cycles for FOUR at FAST'],
    ['a negative latency of reads', [['read latency: nCL', 'read latency: 3 - nCL']], '13:15  this is -3 clock cycles'],
    ['refreshes in no time', [['all-bank: nREFI', 'all-bank: 0 * nREFI']], '15:22  this is 0 clock cycles'],
    [
      'refreshes that never end',
      [['nREFI: 7800', 'nREFI: 20']],
      '15:22  a refresh every 20 clock cycles leaves no time',
    ],
    [
      'refreshes of open banks',
      [['  PREab  row     closes rank\n', '']],
      '14:22  no command closes all banks of a rank',
    ],
    ['two steps and no data clock', [twoSteps, deadline], '17:22  rows opened in two steps go with a "data clock"'],
    ['a data clock without two steps', [clock], '16:1  a data clock that stops goes with an "activation deadline"'],
    ['a data clock without a sync', [clock], '16:1  no command syncs writes'],
  ] as const)('%s', (_, changes, message) => expect(broken(...changes)).toContain(`small.yaml:${message}`));

  it('a rate that a table does not have', () => {
    const message = broken(['nFAW: { x8: 20, x16: 28 }', 'nFAW: { 2000: 20 }']);
    expect(message).toContain('nFAW has no value for FOUR at 1000 MT/s');
    expect(message).toContain('add it there, or give it in the speed SLOW');
  });
});

describe('a mistake in a standard that extends another shows its place:', () => {
  folder.write('base.yaml', small);

  it.each([
    ['no such standard', 'extends: bsae\n', 'heir.yaml:1:10  there is no standard "bsae"'],
    [
      'a row that is not there',
      'extends: base\nwithout: |\n  bank ACT -> RD nRAS\n',
      'heir.yaml:3:3  no row of the extended',
    ],
    [
      'an unknown command',
      'extends: base\nconstraints: |\n  bank CPY -> RD nCL\n',
      'heir.yaml:3:8  there is no command',
    ],
    [
      'an unknown parameter',
      'extends: base\nconstraints: |\n  bank ACT -> WR nX\n',
      'heir.yaml:3:18  there is no timing',
    ],
    [
      'a missing one',
      'extends: base\nspeeds: { NEW: { rate: 1, tCK: 1 ns } }\n',
      'heir.yaml:2:11  NEW does not give nCL',
    ],
    [
      'a command of the other',
      'extends: base\ncommands: |\n  ACT row opens bank\n',
      'heir.yaml:3:3  "ACT" is there twice',
    ],
    [
      'lost lines',
      'extends: base\nconstraints:\n  bank ACT -> RD 1\n  bank ACT -> WR 1\n',
      'heir.yaml:3:3  the rows of',
    ],
    ['itself', 'extends: heir\n', 'heir extends heir: a circle'],
  ])('%s', (_, text, message) => expect(extending(text)).toContain(message));

  it('one of the extended standard', () => {
    folder.write('broken.yaml', changed(small, ['nRCD\n', 'nRCX\n']));
    expect(extending('extends: broken\n')).toContain('broken.yaml:21:28  there is no timing parameter "nRCX"');
  });
});

describe('a device that a standard does not have:', () => {
  const standard = loadStandard(folder.write('good.yaml', small));

  it.each([
    [{ organisation: 'FUOR' }, 'SMALL has no organisation "FUOR"; did you mean "FOUR"?'],
    [{ speed: 'FASTR' }, 'SMALL has no speed "FASTR"; did you mean "FAST"?'],
  ])('%o', (choice, message) => expect(folder.mistakes(() => deviceOf(standard, choice))).toBe(message));

  it('ranks where there are none', () => {
    const text = changed(
      small,
      ['channel, rank, bank', 'channel, bank'],
      [', ranks: 2', ''],
      ['closes rank', 'closes channel'],
    );
    const flat = text.replaceAll('refreshes rank', 'refreshes channel').replace(/^ {2}rank .*\n/gm, '');
    const none = loadStandard(folder.write('flat.yaml', flat));
    expect(folder.mistakes(() => deviceOf(none, { ranks: 2 }))).toBe('SMALL has no ranks; it has channel, bank');
  });
});

/** The small standard with units, and a command that computes. */
const computing: readonly (readonly [string, string])[] = [
  [
    'read latency',
    '  ACTX row opens banks of rank\n  MACX column multiplies banks of rank by xs into ys on bank\nread latency',
  ],
  [
    'timings:',
    'units: { type: fp16, sums: fp32, adds: tree }\nbuffers: { xs: { entries: 4 }, ys: { of: bank, entries: 4 } }\ntimings:',
  ],
];

describe('a mistake in a dialect shows its place:', () => {
  it('there is none to begin with', () => expect(broken(...computing)).toBe('no mistake'));

  it.each([
    [
      'a buffer that is not there',
      'by xs',
      'by zs',
      '14:3  MACX names a buffer "zs", which is not there',
      'did you mean "xs"?',
    ],
    ['a level of units', 'on bank', 'on bnak', 'there is no level "bnak"', 'did you mean "bank"?'],
    ['the level of a buffer', 'of: bank', 'of: bnak', 'there is no level "bnak"', 'did you mean "bank"?'],
    ['what is opened', 'opens banks of rank', 'opens banks rank', '"rank" is not "of"', 'such as "banks of channel"'],
    [
      'no units',
      'units: { type: fp16, sums: fp32, adds: tree }\n',
      '',
      'MACX multiplies, but there are no units',
      'such as "units',
    ],
    [
      'a function',
      'multiplies banks of rank by xs into ys on bank',
      'applies sofmax to xs',
      'there is no function "sofmax"',
      '"softmax"?',
    ],
    [
      'the end of a move',
      'multiplies banks of rank by xs into ys on bank',
      'moves hots to xs',
      'a buffer "hots"',
      '"host"?',
    ],
  ])('%s', (_, from, to, message, hint) => {
    const text = broken(...computing, [from, to]);
    expect(text).toContain(message);
    expect(text).toContain(hint);
  });

  it('a row for a bank that is nowhere', () => {
    expect(broken(['-> RD   nRCD', '-> RD   nRCD at bnak 0'])).toContain('there is no level "bnak"');
    expect(broken(['-> RD   nRCD', '-> RD   nRCD at rank bnak'])).toContain('there is no level "bnak"');
  });
});
