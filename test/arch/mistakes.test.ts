import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { parseArch } from '../../arch/language/load.ts';

const good = `machine: chip
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, bandwidth: 400 GiB/s, latency: 100 ns, capacity: 16 GiB }
  buffer: { kind: scratchpad, capacity: 1 MiB, width: 64 B }
  array:
    kind: array
    rows: 16
    columns: 16
    operations: { mac: 1, exp: 6 mac }
links:
  - hbm <-> buffer via dma
  - buffer -> array  64 B/cycle
`;

/** What a user reads after changing some text of the good machine. */
function changed(...changes: [string, string][]): string {
  const text = changes.reduce((all, [from, to]) => {
    if (!all.includes(from)) throw new Error(`"${from}" is not in the machine`);
    return all.replace(from, to);
  }, good);
  return mistakes(text);
}

function mistakes(text: string, set: string[] = []): string {
  try {
    parseArch(text, 'chip.yaml', { set });
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'no mistake';
}

it('has no mistakes to begin with', () => expect(mistakes(good)).toBe('no mistake'));

describe('a mistake in a machine file shows its line, what is wrong and what to do:', () => {
  it('an unknown key', () => {
    expect(changed(['    columns: 16', '    colums: 16'])).toBe(`chip.yaml:9:5  unknown key "colums" in array
   9 |     colums: 16
     |     ^^^^^^ did you mean "columns"?`);
  });

  it('a size where a rate is needed', () => {
    expect(changed(['400 GiB/s', '400 GiB'])).toBe(`chip.yaml:4:35  "400 GiB" is a size, but bandwidth needs a rate
   4 |   hbm: { kind: memory, bandwidth: 400 GiB, latency: 100 ns, capacity: 16 GiB }
     |                                   ^^^^^^^ write "400 GiB/s"`);
  });

  it('a size of zero', () => {
    expect(changed(['1 MiB', '0 MiB'])).toBe(`chip.yaml:5:41  "0 MiB" is zero, but capacity cannot be
   5 |   buffer: { kind: scratchpad, capacity: 0 MiB, width: 64 B }
     |                                         ^^^^^`);
  });

  it.each([
    ['a negative count', 'rows: 16', 'rows: -16', '8:11  -16 is negative, but rows cannot be'],
    ['no rows', 'rows: 16', 'rows: 0', '8:11  0 is zero, but rows cannot be'],
    ['a list for a number', 'rows: 16', 'rows: [16]', '8:5  "rows" is not a string or a number'],
    ['a missing key', ', width: 64 B', '', '5:3  "width" is missing'],
    ['a choice that does not exist', 'rows: 16', 'rows: 16\n    feed: sistolic', '9:11  "sistolic" is no feed'],
    ['a kind that does not exist', 'kind: array', 'kind: aray', '7:11  "aray" is no kind of part'],
    ['no kind', 'kind: memory, ', '', '4:3  "kind" is missing'],
    ['no machine name', 'machine: chip', 'about: nothing', '1:1  "machine" is missing'],
    ['no clocks', 'clocks: { core: 1 GHz }', 'about: nothing', '1:1  "clocks" is missing'],
    ['an alias of nothing', 'rows: 16', 'rows: *few', '8:11  nothing is named "&few"'],
    [
      'an alias inside what it stands for',
      'array:',
      'array: &a\n    parts: *a',
      '7:12  "*a" is inside what it stands for',
    ],
    ['a key written twice', 'rows: 16', 'rows: 16\n    rows: 8', '9:5  this key is written twice'],
    ['clocks without one', '{ core: 1 GHz }', '{}', '2:1  there is no clock'],
    ['a clock without a unit', '1 GHz', '1', '2:17  1 has no unit, but core needs a frequency'],
    ['a clock that does not exist', 'kind: array', 'kind: array\n    clock: coer', '8:12  there is no clock "coer"'],
    ['an unnamed clock of two', 'core: 1 GHz', 'core: 1 GHz, io: 2 GHz', '5:3  "clock" is missing'],
    ['an unknown operation', 'exp: 6', 'exq: 6', '10:27  unknown key "exq" in operations'],
    [
      'a cost in an operation that is not there',
      '6 mac',
      '6 add',
      '10:32  "exp" is counted in "add", which is no operation here',
    ],
    [
      'a cost that leads back to itself',
      'mac: 1,',
      'mac: 1 exp,',
      '10:24  "mac" is counted in operations that lead back to it or to none',
    ],
    ['a cost without a meaning', '6 mac', 'six', '10:32  "six" is no cost'],
    [
      'a depth shorter than the cycles',
      'exp: 6 mac',
      'exp: { cycles: 6, depth: 2 }',
      '10:27  "exp" has a depth of 2, less than its 6 cycles',
    ],
    ['no operations at all', '{ mac: 1, exp: 6 mac }', '{}', '10:5  "array" computes nothing'],
    [
      'a reduction across the wrong thing',
      'rows: 16',
      'rows: 16\n    reduce: { along: columns, latency: 1 cycle per column }',
      '9:40  a reduction along columns crosses rows, but its latency is per column',
    ],
    [
      'a latency in cycles of no clock',
      '100 ns',
      '10 cycles',
      '4:55  "10 cycles" is a number of cycles, but latency needs a time',
    ],
    [
      'a rate per cycle of no clock',
      '400 GiB/s',
      '400 B/cycle',
      '4:35  "400 B/cycle" is per cycle, but bandwidth has no clock and needs a rate per second',
    ],
    [
      'a part that is not one',
      'hbm: { kind: memory, bandwidth: 400 GiB/s, latency: 100 ns, capacity: 16 GiB }',
      'hbm: 16 GiB',
      '4:8  "hbm" is no part',
    ],
    ['a name with a dot', '  buffer:', '  buf.fer:', '5:3  "buf.fer" is no name for a part'],
    ['a link to no part', '-> array', '-> aray', '13:15  there is no part "aray"'],
    ['a link from no part', 'hbm <->', 'hmb <->', '12:5  there is no part "hmb"'],
    ['a link over no part', 'via dma', 'via bus', '12:24  there is no part "bus"'],
    [
      'a link over a part that is no way',
      'via dma',
      'via array',
      '12:24  "array" is of kind array, but links run over a dma, link or packet-link',
    ],
    ['a link without an arrow', '<->', '=', '12:5  "hbm = buffer via dma" is no link'],
    ['a link to itself', '-> array', '-> buffer', '13:15  "buffer" is linked to itself'],
    ['a link with a size', '64 B/cycle', '64 B', '13:22  "64 B" is a size, but a link needs a rate'],
    ['a link with a forgotten via', 'via dma', 'dma', '12:20  "dma" is no quantity, but a link needs a rate'],
    ['a link written twice', '- buffer', '- hbm -> buffer via dma\n  - buffer', '13:5  this link is written twice'],
    [
      'a technology that does not exist',
      'machine: chip',
      'machine: chip\ntechnology: aladin-45nm',
      '2:13  there is no technology "aladin-45nm"',
    ],
    [
      'a used part that does not exist',
      'kind: array',
      'use: array/tpu-v4-mux',
      '7:10  there is no part "array/tpu-v4-mux"',
    ],
  ])('%s', (_, from, to, expected) => {
    expect(changed([from, to])).toContain(`chip.yaml:${expected}`);
  });

  it.each([
    ['-> aray', 'did you mean "array"?'],
    ['-> array  64 B', 'write "64 B/s"'],
    ['-> array  dma', 'write "via dma"'],
    ['-> array via buffer', 'one of dma'],
  ])('a link `buffer %s` says %s', (end, hint) => {
    expect(changed(['-> array  64 B/cycle', end])).toContain(`^ ${hint}`);
  });

  it('a link to a DMA engine instead of over it', () => {
    expect(changed(['links:', '  mover: { kind: dma }\nlinks:'], ['-> array  64 B/cycle', '-> mover'])).toBe(
      `chip.yaml:14:15  "mover" is of kind dma, which links run over, not to
  14 |   - buffer -> mover
     |               ^^^^^ write "via mover" after the two parts that it joins`,
    );
  });

  it('a link per cycle between memories', () => {
    const ssd =
      '  ssd: { kind: memory, bandwidth: 1 GB/s, latency: 1 us, capacity: 1 TiB }\nlinks:\n  - ssd -> hbm 64 B/cycle';
    expect(changed(['links:', ssd])).toContain('13:16  "64 B/cycle" is per cycle, but neither end has a clock');
  });

  it('all mistakes of schema, meaning and links at once, top to bottom', () => {
    const text = changed(
      ['400 GiB/s', '400'],
      ['width: 64 B', 'width: 64 B, clock: cor'],
      ['exp: 6 mac', 'exp: 6 macs'],
      ['via dma', 'via dam'],
      ['-> array', '-> aray'],
    );
    expect(text.match(/^chip\.yaml:\d+/gm)).toEqual([
      'chip.yaml:4',
      'chip.yaml:5',
      'chip.yaml:10',
      'chip.yaml:12',
      'chip.yaml:13',
    ]);
    expect(text).toMatch(/\n5 mistakes$/);
  });

  it('a part with a mistake is not missing for the links', () => {
    expect(changed(['capacity: 1 MiB', 'capacity: lots'])).not.toContain('there is no part');
  });

  it('text that is not YAML', () => {
    expect(changed(['{ core: 1 GHz }', '{ core: 1 GHz'])).toContain('chip.yaml:2:9  "{" is not closed');
  });
});

describe('--set', () => {
  it.each([
    ['arry.rows=128', 'no "arry.rows"; did you mean "array.rows"?'],
    ['array.row=128', 'no "array.row"; did you mean "array.rows"?'],
    ['parts.aray.rows=128', 'no "parts.aray.rows"; did you mean "array.rows"?'],
    ['clocks.cor=1 GHz', 'no "clocks.cor"; did you mean "clocks.core"?'],
    ['array.rows.x=1', 'no "array.rows.x"; did you mean "array.rows"?'],
    ['array.rows', '"array.rows" sets nothing; write "array.rows=VALUE"'],
    ['array.rows=many', '--set array.rows=many: "many" is no quantity, but rows needs a count; such as "64 Ki"'],
    ['array.rows=128 B', '--set array.rows=128 B: "128 B" is a size, but rows needs a count; write 128'],
    ['array.feed=both', '--set array.feed=both: "both" is no feed; one of systolic, broadcast'],
    ['array.operations.exq=1', '--set array.operations.exq=1: unknown key "exq" in operations; did you mean "exp"?'],
    ['technology=aladdin', '--set technology=aladdin: there is no technology "aladdin"; one of aladdin-45nm, '],
    ['array.rows=*x', '--set array.rows=*x: not YAML'],
    ['array.rows=[1', '--set array.rows=[1: not YAML'],
  ])('%s says what was expected', (set, message) => {
    expect(mistakes(good, [set])).toContain(message);
  });

  it('reports its mistakes together with those of the file', () => {
    const text = mistakes(good.replace('1 MiB', '1 MB/s'), ['array.rows=many', 'arry.rows=1']);
    expect(text).toContain('chip.yaml:5:41');
    expect(text).toMatch(/\n3 mistakes$/);
  });
});

describe('a used file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clockwright-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What a user reads with these files beside a machine whose array says `use`. */
  function mistakesOf(files: { readonly [name: string]: string }, use: string, head = 'about: a test'): string {
    mkdirSync(join(folder, 'parts', 'technology'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'parts', `${name}.yaml`), text);
    try {
      parseArch(`${head}\n${good}`.replace('kind: array', use), join(folder, 'chip.yaml'));
    } catch (error) {
      if (error instanceof InputError) return error.message.replaceAll(`${folder}/`, '');
      throw error;
    }
    return 'no mistake';
  }

  it('has its mistakes reported at its own place', () => {
    expect(mistakesOf({ small: 'kind: array\nfeed: sistolic\noverlap: full\n' }, 'use: small')).toBe(
      `parts/small.yaml:2:7  "sistolic" is no feed
   2 | feed: sistolic
     |       ^^^^^^^^ did you mean "systolic"?`,
    );
  });

  it('that is not YAML is reported at its own place', () => {
    expect(mistakesOf({ broken: 'kind: [array\n' }, 'use: broken')).toContain(
      'parts/broken.yaml:1:7  "[" is not closed',
    );
  });

  it('may use another, but not itself', () => {
    const files = { one: 'kind: array\nuse: two\n', two: 'feed: broadcast\n', round: 'kind: array\nuse: round\n' };
    expect(mistakesOf(files, 'use: one')).toBe('no mistake');
    expect(mistakesOf(files, 'use: round')).toContain('parts/round.yaml:2:6  round uses round: a circle');
  });

  it('of a technology names rows whose source is not listed', () => {
    const rows = '  mac: { energy: 1 pJ, area: 1 um2, source: papr }\n';
    const technology = `technology: t\nnode: 45 nm\nsources: { paper: A paper }\nunits:\n${rows}`;
    expect(mistakesOf({ 'technology/t': technology }, 'kind: array', 'technology: t')).toBe(
      `parts/technology/t.yaml:5:45  "papr" is not among the sources
   5 |   mac: { energy: 1 pJ, area: 1 um2, source: papr }
     |                                             ^^^^ did you mean "paper"?`,
    );
  });

  it('of a technology is checked like any other', () => {
    const technology = 'technology: t\nnode: 45 um\nsram: [{ capacity: 1 KiB, read: 1 pJ, area: 1 mm2, source: x }]\n';
    expect(mistakesOf({ 'technology/t': technology }, 'kind: array', 'technology: t')).toContain(
      'parts/technology/t.yaml:2:7  "45 um" is no feature size',
    );
    const partial = technology.replace('um', 'nm').replace('sram', 'sources: { x: A paper }\nsram');
    expect(mistakesOf({ 'technology/t': partial }, 'kind: array', 'technology: t')).toContain(
      'parts/technology/t.yaml:4:8  an SRAM row has width, read and write, or none of them',
    );
  });
});

describe('whatever a file says', () => {
  const tokens = good.split(/(\s+|[{},:[\]])/);
  const replacement = fc.constantFrom(
    '',
    '{}',
    '[]',
    '~',
    '0',
    '-1',
    'x',
    '1 B',
    '*a',
    '<<',
    'parts',
    'use: x',
    '"',
    '\n',
  );

  it('is a machine, or a list of mistakes with places in the file', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(tokens.length - 1), replacement), { maxLength: 3 }), (edits) => {
        const changedTokens = [...tokens];
        for (const [at, token] of edits) changedTokens[at] = token;
        const text = changedTokens.join('');
        try {
          parseArch(text, 'chip.yaml');
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          for (const { place } of error.diagnostics) {
            expect(place?.text).toBe(text.split('\n')[place!.line - 1] ?? '');
            expect(place!.column).toBeGreaterThanOrEqual(1);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
