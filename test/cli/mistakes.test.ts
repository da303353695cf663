/** What a user reads after a mistake in a file: exact words, exact place, exit code 2. */
import { afterAll, describe, expect, it } from 'vitest';
import { clockwright, repositoryFile, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const texts = {
  machine: repositoryFile('test/fixtures/mistakes/machine.yaml'),
  workload: repositoryFile('test/fixtures/mistakes/workload.yaml'),
  mapping: repositoryFile('test/fixtures/mistakes/mapping.yaml'),
};

type Change = readonly [from: string, to: string];

/** Standard error of `check` on a file without mistakes after changes to its text. */
async function mistakes(kind: keyof typeof texts, ...changes: Change[]): Promise<string> {
  const text = changes.reduce((all, [from, to]) => {
    if (!all.includes(from)) throw new Error(`"${from}" is not in the ${kind}`);
    return all.replace(from, to);
  }, texts[kind]);
  return told(scratch.write('my.yaml', text));
}

async function told(...files: string[]): Promise<string> {
  const { code, stderr, stdout } = await clockwright('check', ...files);
  expect([code, stdout]).toEqual([2, '']);
  return scratch.relative(stderr).trimEnd();
}

it('is not found where there is none', async () => {
  const files = Object.entries(texts).map(([kind, text]) => scratch.write(`${kind}.yaml`, text));
  const { code, stderr } = await clockwright('check', ...files);
  expect([code, stderr]).toEqual([0, '']);
});

describe('a mistake of YAML is told where it can be mended:', () => {
  it.each<[string, keyof typeof texts, Change, string]>([
    ['no colon', 'machine', ['rows: 256', 'rows 256'], '17:5  there is no colon; write "rows: 256"'],
    ['no colon after a heading', 'machine', ['parts:', 'parts'], '9:1  there is no colon; write "parts:"'],
    [
      'no space after a colon',
      'machine',
      ['rows: 256', 'rows:256'],
      '17:5  there is no space after the colon; write "rows: 256"',
    ],
    ['a tab', 'machine', ['    rows', '\trows'], '17:1  a tab stands in the indentation; write spaces'],
    ['a key twice', 'machine', ['rows', 'columns: 1\n    rows'], '19:5  this key is written twice; remove one of them'],
    [
      'no comma',
      'machine',
      ['32, ports', '32 ports'],
      '13:63  there is no comma between two keys; write "32, ports: 4"',
    ],
    ['an open brace', 'machine', ['4 cycles }', '4 cycles'], '13:5  "{" is not closed; end it with "}"'],
    ['an open bracket', 'workload', ['M0 256]', 'M0 256'], '6:13  "[" is not closed; end it with "]"'],
    ['a brace too many', 'machine', ['MHz }', 'MHz }}'], '6:26  nothing opens "}"; remove it'],
    ['an open quote', 'machine', [': fusemax', ': "fusemax'], '1:10  a quote is not closed; end the text with "'],
    [
      'a line too far left',
      'machine',
      ['    columns', '   columns'],
      '18:4  no line above is indented like this one; line it up with the keys that it belongs beside',
    ],
    [
      'a line too far right',
      'machine',
      ['    columns', '      columns'],
      '18:7  this line is indented deeper than what it follows; line it up with "rows"',
    ],
    ['a colon in a text', 'machine', ['A 2-D', 'A: 2-D'], '2:8  a second colon in one value; put the text in quotes'],
    ['a dash too many', 'machine', ['  vector:', '  - vector:'], '25:3  an item of a list among keys; remove the dash'],
    [
      'a link without a dash',
      'machine',
      ['- array -> vector', 'array -> vector'],
      '51:3  a link without a dash; write "- array -> vector    512 B/cycle"',
    ],
    [
      'a sign that YAML keeps',
      'machine',
      [': fusemax', ': @fusemax'],
      '1:10  text cannot begin with @ here; put it in quotes',
    ],
    [
      'an einsum outside its cascade',
      'workload',
      ['  LM[', 'LM['],
      '12:1  this line is outside the text that it belongs to; indent it like the lines above',
    ],
    [
      'two files in one',
      'machine',
      ['\nclocks', '\n---\nclocks'],
      '6:1  a second document begins here; a file describes one thing: remove this line',
    ],
  ])('%s', async (_, kind, change, expected) => {
    const [head, , carets] = (await mistakes(kind, change)).split('\n');
    expect(`${head}; ${carets!.replace(/^.*\^ /, '')}`).toBe(`my.yaml:${expected}`);
  });

  it('in every line that has one, without those that only follow', async () => {
    const text = await mistakes(
      'machine',
      ['rows: 256', 'rows 256'],
      ['lanes: 256', 'lanes:256'],
      ['    overlap', '\toverlap'],
    );
    expect(text.match(/^my\.yaml:.*/gm)).toEqual([
      'my.yaml:17:5  there is no colon',
      'my.yaml:21:1  a tab stands in the indentation',
      'my.yaml:28:5  there is no space after the colon',
    ]);
  });
});

describe('a mistake in a machine:', () => {
  it.each<[string, Change, string]>([
    [
      'an unknown key',
      ['lanes: 256', 'lnes: 256'],
      `my.yaml:28:5  unknown key "lnes" in vector
  28 |     lnes: 256
     |     ^^^^ did you mean "lanes"?`,
    ],
    [
      'no clocks',
      ['clocks: { core: 940 MHz }\n', ''],
      `my.yaml:1:1  "clocks" is missing
   1 | machine: fusemax
     | ^ such as "clocks: { core: 940 MHz }"`,
    ],
    [
      'a negative size',
      ['16 MiB', '-16 MiB'],
      `my.yaml:13:48  "-16 MiB" is negative, but capacity cannot be
  13 |     { kind: scratchpad, clock: core, capacity: -16 MiB, banks: 32, ports: 4, width: 512 B, latency: 4 cycles }
     |                                                ^^^^^^^`,
    ],
    [
      'a number with commas',
      ['rows: 256', 'rows: 1,024'],
      `my.yaml:17:11  "1,024" has commas in a number
  17 |     rows: 1,024
     |           ^^^^^ write "1024"`,
    ],
    [
      'a list of operations',
      ['{ mac: 1, max: 1, add: 1, exp: 6 mac }', '[mac, max]'],
      `my.yaml:22:5  "operations" is not a map of keys and values
  22 |     operations: [mac, max] # cycles per PE; exp is six multiply-adds
     |     ^^^^^^^^^^ such as "operations: { mac: 1, exp: 6 mac }"`,
    ],
    [
      'a number for a link',
      ['hbm <-> buffer     via dma', '12'],
      `my.yaml:47:5  "12" in "links" is not a string
  47 |   - 12
     |     ^^ such as "hbm <-> buffer via dma"`,
    ],
  ])('%s', async (_, change, expected) => expect(await mistakes('machine', change)).toBe(expected));

  it('with all others, also of its links and its technology', async () => {
    const text = await mistakes(
      'machine',
      ['rows: 256', 'rows: lots'],
      ['940 MHz', '940'],
      ['via dma', 'vai dma'],
      ['aladdin-45nm', 'aladin-45nm'],
      ['lanes', 'laines'],
    );
    expect(text.match(/^my\.yaml:\d+:\d+ .*|^\d+ mistakes/gm)).toEqual([
      'my.yaml:4:13  there is no technology "aladin-45nm"',
      'my.yaml:6:17  940 has no unit, but core needs a frequency',
      'my.yaml:17:11  "lots" is no quantity, but rows needs a count',
      'my.yaml:28:5  unknown key "laines" in vector',
      'my.yaml:47:24  "vai dma" is no quantity, but a link needs a rate',
      '5 mistakes',
    ]);
  });
});

describe('a mistake in a workload:', () => {
  it.each<[string, Change, string]>([
    [
      'a wrong number of indices',
      ['* K[b,h,e,m1,m0]', '* K[b,h,e]'],
      `my.yaml:11:36  K has 3 indices here, but 4 in line 7
  11 |   QK[b,h,m1,m0,p]   = Q[b,h,e,p] * K[b,h,e]
     |                                    ^^^^^^^^ it is K[b,h,e,m]`,
    ],
    [
      'a misspelt rank',
      ['* K[b,h,e,m1,m0]', '* K[b,h,e,n1,m0]'],
      `my.yaml:11:44  there is no rank "N1"
  11 |   QK[b,h,m1,m0,p]   = Q[b,h,e,p] * K[b,h,e,n1,m0]
     |                                            ^^ did you mean "m1"?`,
    ],
    [
      'a rank without an extent, once',
      ['F: 64, ', ''],
      `my.yaml:7:39  there is no rank "F", here and in 4 other lines
   7 | inputs: Q[b,h,e,p]  K[b,h,e,m]  V[b,h,f,m]
     |                                       ^ give it an extent under "ranks"`,
    ],
    [
      'parts of a rank that is not split',
      ['split: { M: [M1, M0 256] }\n', ''],
      `my.yaml:10:10  there is no rank "M1", here and in 11 other lines
  10 |   QK[b,h,m1,m0,p]   = Q[b,h,e,p] * K[b,h,e,m1,m0]
     |          ^^ cut M into parts: split: { M: [M1, M0 256] }
my.yaml:10:13  there is no rank "M0", here and in 4 other lines
  10 |   QK[b,h,m1,m0,p]   = Q[b,h,e,p] * K[b,h,e,m1,m0]
     |             ^^ cut M into parts: split: { M: [M1, M0 256] }
2 mistakes`,
    ],
    [
      'a rank in lower case, once',
      ['{ B: 64', '{ b: 64'],
      `my.yaml:5:10  "b" is no name of a rank
   5 | ranks: { b: 64, H: 12, E: 64, F: 64, P: 1024, M: 1024 }
     |          ^ ranks are in upper case, such as B`,
    ],
    [
      'a tensor in lower case, once',
      ['  QK[', '  qk['],
      `my.yaml:11:3  "qk" is no name of a tensor
  11 |   qk[b,h,m1,m0,p]   = Q[b,h,e,p] * K[b,h,e,m1,m0]
     |   ^^ tensors begin in upper case: QK`,
    ],
    [
      'an extent that its parts do not divide',
      ['M: 1024', 'M: 1000'],
      `my.yaml:5:50  M is 1000, which its part M0 of 256 does not divide
   5 | ranks: { B: 64, H: 12, E: 64, F: 64, P: 1024, M: 1000 }
     |                                                  ^^^^ the nearest that 256 divides are 768 and 1024`,
    ],
    [
      'an unknown function',
      ['= exp(QK', '= expp(QK'],
      `my.yaml:14:23  "expp" is no function
  14 |   SLN[b,h,m1,m0,p]  = expp(QK[b,h,m1,m0,p] - RM[b,h,m1+1,p])
     |                       ^^^^ did you mean "exp"?`,
    ],
    [
      'a missing equals sign',
      ['      = max(m0)', '        max(m0)'],
      `my.yaml:12:23  "max" stands where "=" is expected
  12 |   LM[b,h,m1,p]        max(m0) QK[b,h,m1,m0,p]
     |                       ^^^`,
    ],
    [
      'a cascade without its bar',
      ['cascade: |', 'cascade:'],
      `my.yaml:10:1  the lines of this cascade run together
  10 | cascade:
     | ^^^^^^^ write "cascade: |" to keep the lines apart`,
    ],
    [
      'no cascade',
      [texts.workload.slice(texts.workload.indexOf('cascade')), ''],
      `my.yaml:1:1  nothing is computed
   1 | workload: attention-1-pass
     | ^ write either a cascade of einsums or a graph of steps`,
    ],
    [
      'a split into one part',
      ['[M1, M0 256]', '[M1]'],
      `my.yaml:6:10  "M" has 1 item, but needs at least 2
   6 | split: { M: [M1] }
     |          ^`,
    ],
  ])('%s', async (_, change, expected) => expect(await mistakes('workload', change)).toBe(expected));

  it('with all others, also after a wrong data type', async () => {
    const text = await mistakes(
      'workload',
      ['bf16', 'bf17'],
      ['M0 256', 'M0 250'],
      ['exp(QK', 'expp(QK'],
      ['* V[', '* W['],
    );
    expect(text.match(/^my\.yaml:\d+:\d+ .*|^\d+ mistakes/gm)).toEqual([
      'my.yaml:4:8  "bf17" is no dtype',
      'my.yaml:5:50  M is 1024, which its part M0 of 250 does not divide',
      'my.yaml:14:23  "expp" is no function',
      'my.yaml:16:42  there is no tensor "W"',
      '4 mistakes',
    ]);
  });
});

describe('a mistake in a mapping:', () => {
  it.each<[string, Change, string]>([
    [
      'an engine that is not there',
      ['  vector:', '  vctor:'],
      `my.yaml:11:3  the machine has no engine "vctor"
  11 |   vctor: { einsums: [RM, PRM, SPD, RD, SPNV, RNV, AV], lanes: p0, keep: [RM, PRM, SPD, RD] }
     |   ^^^^^ did you mean "vector"?`,
    ],
    [
      'an einsum that is not there',
      ['[QK, LM,', '[QKK, LM,'],
      `my.yaml:10:23  no einsum "QKK" in this section
  10 |   array:  { einsums: [QKK, LM, SLN, SLD, SLNV], rows: m0, columns: p0, keep: [QK, SLN] }
     |                       ^^^ did you mean "QK"?`,
    ],
    [
      'an einsum in two places',
      ['[RM, PRM, SPD, RD, SPNV', '[SLD, RM, PRM, SPD, RD, SPNV'],
      `my.yaml:11:23  SLD is placed on array already
  11 |   vector: { einsums: [SLD, RM, PRM, SPD, RD, SPNV, RNV, AV], lanes: p0, keep: [RM, PRM, SPD, RD] }
     |                       ^^^ take it out of one of them`,
    ],
    [
      'a rank over rows that is not there',
      ['rows: m0', 'rows: m9'],
      `my.yaml:10:54  no rank or part "m9" here
  10 |   array:  { einsums: [QK, LM, SLN, SLD, SLNV], rows: m9, columns: p0, keep: [QK, SLN] }
     |                                                      ^^ did you mean "m1"?`,
    ],
    [
      'lanes of an array',
      ['rows: m0', 'lanes: m0'],
      `my.yaml:10:55  array has no lanes: it is of kind array
  10 |   array:  { einsums: [QK, LM, SLN, SLD, SLNV], lanes: m0, columns: p0, keep: [QK, SLN] }
     |                                                       ^^ write rows or columns`,
    ],
    [
      'a loop that is not there',
      ['loops: [b, h', 'loops: [b, hh'],
      `my.yaml:8:12  no loop "hh"
   8 | loops: [b, hh, p2, m1, p1]                       # outer to inner, one tile per step
     |            ^^ did you mean "h"?`,
    ],
    [
      'a loop too few',
      [', m1, p1]', ', m1]'],
      `my.yaml:8:1  "p1" is not among the loops
   8 | loops: [b, h, p2, m1]                       # outer to inner, one tile per step
     | ^^^^^ name every part but the innermost`,
    ],
    [
      'a part without a size',
      ['P0 256]', 'P0]'],
      `my.yaml:7:26  P0 has no size
   7 | partition: { P: [P2, P1, P0] }              # P1 tiles share K and V; as many as fit the buffer
     |                          ^^ write "P0 256"`,
    ],
    [
      'no tiles in flight',
      ['K: 2', 'K: 0'],
      `my.yaml:13:14  0 is zero, but K cannot be
  13 | stream: { K: 0, V: 2 }                          # tiles in flight: double buffering
     |              ^`,
    ],
  ])('%s', async (_, change, expected) => expect(await mistakes('mapping', change)).toBe(expected));

  it('with all others, top to bottom', async () => {
    const text = await mistakes(
      'mapping',
      ['loops: [b, h', 'loops: [b, b'],
      ['keep: [QK', 'keep: [QX'],
      ['hold: { buffer', 'hold: { bufer'],
      ['RD, RNV] }', 'RD, RNX] }'],
      ['stream: { K', 'stream: { KK'],
    );
    expect(text.match(/^my\.yaml:\d+:\d+ .*|^\d+ mistakes/gm)).toEqual([
      'my.yaml:8:12  loop "b" stands twice',
      'my.yaml:10:78  no tensor QX in this section',
      'my.yaml:12:9  the machine has no scratchpad "bufer"',
      'my.yaml:12:28  no tensor RNX in this section',
      'my.yaml:13:11  no tensor KK in this section',
      '5 mistakes',
    ]);
  });
});

describe('a file that is none of these:', () => {
  it.each([
    ['nothing', '', 'my.yaml:1:1  the file is empty\n   1 | \n     | ^ such as "machine: my-chip"'],
    [
      'a list',
      '- a\n',
      'my.yaml:1:1  a file begins with keys and values\n   1 | - a\n     | ^ such as "machine: my-chip"',
    ],
    [
      'other keys',
      'name: x\n',
      `my.yaml:1:1  the file does not say what it describes
   1 | name: x
     | ^ a machine begins with "machine: NAME", a workload with "workload: NAME", a mapping with "mapping: NAME"`,
    ],
    ['no text', Uint8Array.of(0xff, 0xfe, 0x6d, 0x00), 'my.yaml is not text; save it as UTF-8'],
  ])('%s', async (_, content, expected) => expect(await told(scratch.write('my.yaml', content))).toBe(expected));

  it('a folder, a file that is not there', async () => {
    scratch.write('my-chip.yaml', texts.machine);
    expect(await told(scratch.folder, scratch.path('my-chp.yaml'))).toBe(
      `${scratch.folder} is a folder, not a file
there is no file my-chp.yaml; did you mean "my-chip.yaml"?
2 mistakes`,
    );
  });

  it('a long line is shown around the mistake', async () => {
    const line = `about: { ${Array.from({ length: 200 }, (_, i) => `k${i}: ${i}`).join(', ')} }`;
    const shown = await told(scratch.write('my.yaml', `machine: x\n${line}\nclocks: {}\nparts: {}\n`));
    for (const text of shown.split('\n')) expect(text.length).toBeLessThan(180);
  });
});
