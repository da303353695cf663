import { existsSync, mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { indexFile } from '../models/study/studies.ts';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const script = scratch.write(
  'toy.ts',
  `import { study } from ${JSON.stringify(indexFile)};

export default study({
  name: 'toy',
  about: 'a study for tests',
  parameters: { config: ['flat', 'binding'], 'long name': ['p, q', 'r'], seq: [1024, 4096], fast: [false, true] },
  skip: (p) => p.fast && p.seq === 4096,
  inputs: (p) => ({ ...p }),
  run: (p) => {
    if (process.env.BREAK === String(p.seq)) throw new Error('broken on purpose');
    return p.seq / (p.config === 'flat' ? 1 : 4) / (p.fast ? 2 : 1);
  },
  metrics: (time) => ({ latency: time * 1e-6, none: null }),
  units: { latency: 's' },
  claims: [
    { text: 'four times as fast', source: 'sense', target: 4.1, measured: (rows) => rows[0].latency / rows[6].latency },
    { text: 'not known', source: 'nobody', target: 1, measured: () => null },
  ],
});
`,
);
let journal = '';
let count = 0;
beforeEach(() => {
  journal = scratch.path(`${++count}.jsonl`);
});
afterEach(() => vi.unstubAllEnvs());

const run = (...options: string[]) => clockwright('study', script, '--jobs', '1', '--journal', journal, ...options);
const rowsOf = async (...options: string[]) => {
  const { code, stdout, stderr } = await run(...options, '--json', '-');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).rows as { config: string; seq: number; fast: boolean; latency: number }[];
};
const mistake = async (...options: string[]) => {
  const { code, stdout, stderr } = await run(...options);
  expect([code, stdout]).toEqual([2, '']);
  return scratch.relative(stderr);
};

describe('a study', () => {
  it('shows its rows with units, and claims against measured', async () => {
    const { code, stdout, stderr } = await run('--only', 'long name=r', '--only', 'fast=false');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`toy   a study for tests

config   long name    seq  fast    latency  none
flat     r          1,024  false  1.024 ms     –
flat     r          4,096  false  4.096 ms     –
binding  r          1,024  false  256.0 µs     –
binding  r          4,096  false  1.024 ms     –

claim               source  target  measured  error  holds
four times as fast  sense      4.1         –      –  not measured
not known           nobody       1         –      –  not measured
measured on 4 finished rows, not on the whole grid of 12
`);
  });

  it('writes rows and claims as JSON and CSV, and a page', async () => {
    const files = { json: scratch.path('o.json'), csv: scratch.path('o.csv'), html: scratch.path('o.html') };
    const { code, stdout } = await run(...Object.entries(files).flatMap(([option, file]) => [`--${option}`, file]));
    expect(code).toBe(0);
    expect(stdout).toContain(`report     ${files.html}`);
    const { study, rows, claims, ...others } = JSON.parse(scratch.read('o.json'));
    expect([study, rows.length, others]).toEqual(['toy', 12, {}]);
    expect(rows[2]).toEqual({
      config: 'flat',
      'long name': 'p, q',
      seq: 4096,
      fast: false,
      latency: 0.004096,
      none: null,
    });
    expect(claims).toEqual(
      [
        { claim: 'four times as fast', source: 'sense', target: 4.1, measured: 4, error: -0.1 / 4.1, holds: true },
        { claim: 'not known', source: 'nobody', target: 1, measured: null, error: null, holds: null },
      ].map((claim) => ({ ...claim, error: claim.error === null ? null : expect.closeTo(claim.error, 12) })),
    );
    expect(scratch.read('o.csv').split('\n').slice(0, 3)).toEqual([
      'config,long name,seq,fast,latency,none',
      'flat,"p, q",1024,false,0.001024,',
      'flat,"p, q",1024,true,0.000512,',
    ]);
    expect(scratch.read('o.html')).toContain('four times as fast');
  });

  it('takes the rows of an earlier run, and says so', async () => {
    await run('--only', 'config=flat');
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([0, `6 of 12 rows are in ${journal} already\n`]);
    expect((await run('--no-resume')).stderr).toBe('');
    expect((await run('--resume')).stderr).toBe(`12 of 12 rows are in ${journal} already\n`);
  });

  it('goes on where a point fails, names it, and exits with 1', async () => {
    vi.stubEnv('BREAK', '4096');
    const { code, stdout, stderr } = await run(
      '--only',
      'config=flat,long name=r',
      '--csv',
      scratch.path('broken.csv'),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^flat {4}r {10}4,096 {2}false {2}failed: Error: broken on purpose$/m);
    expect(stderr).toMatch(
      /^config=flat,long name=r,seq=4096,fast=false failed: Error: broken on purpose\n {4}at .*toy.ts/,
    );
    expect(stderr).toMatch(/1 of 3 points failed; they are tried again next time\n$/);
    expect(scratch.read('broken.csv').split('\n')[3]).toBe('flat,r,4096,false,,,Error: broken on purpose');
    vi.unstubAllEnvs();
    expect((await run('--only', 'config=flat,long name=r')).code).toBe(0);
  });
});

describe('--only', () => {
  it('takes the points that have these values', async () => {
    const rows = await rowsOf('--only', 'config=binding, seq=1024|4 Ki');
    expect(rows.map(({ config }) => config)).toEqual(Array(6).fill('binding'));
    expect((await run('--only', 'fast=true,seq=1024', '--only', 'config=flat', '--csv', '-')).stdout).toBe(
      'config,long name,seq,fast,latency,none\nflat,"p, q",1024,true,0.000512,\nflat,r,1024,true,0.000512,\n',
    );
  });

  it('says every mistake, and what was meant', async () => {
    expect(await mistake('--only', 'confg=flat,seq=1025,config=flt|binding,fast')).toBe(
      [
        '--only: study toy has no parameter "confg"; did you mean "config"?',
        '--only: "1025" is no value of "seq"; did you mean "1024"?',
        '--only: "flt" is no value of "config"; did you mean "flat"?',
        '--only: "fast" is no condition; write "parameter=value", or "parameter=value|value"',
        '4 mistakes\n',
      ].join('\n'),
    );
    expect(await mistake('--only', 'fast=true,seq=4096')).toContain('study toy has no such points');
  });
});

describe('--points', () => {
  const points = (text: string) => scratch.write('points.csv', text);

  it('replaces the grid, in the order of the file, with numbers of its own', async () => {
    const file = points('\ufeffseq, config ,fast,long name\r\n512,binding,false,"p, q"\r\n\r\n4096,flat,false,r\r\n');
    expect((await run('--points', file, '--csv', '-')).stdout).toBe(
      'config,long name,seq,fast,latency,none\nbinding,"p, q",512,false,0.000128,\nflat,r,4096,false,0.004096,\n',
    );
  });

  it('may leave parameters to the grid', async () => {
    expect(await rowsOf('--points', points('seq\n4096\n'), '--only', 'config=flat')).toHaveLength(2);
    expect(await rowsOf('--points', points('seq,config\n2 Ki,flat\n'), '--only', 'seq=2048')).toHaveLength(4);
  });

  it('says every mistake at its place', async () => {
    expect(await mistake('--points', points('seq,confi\n1,flat\n'))).toBe(
      `points.csv:1:5  study toy has no parameter "confi"
   1 | seq,confi
     |     ^^^^^ did you mean "config"?
`,
    );
    const file = points('config,seq,fast\nflat,many,false\n flat, 1024\nbindin,,false\nflat,4096,true\n');
    expect(await mistake('--points', file)).toBe(
      `points.csv:2:6  "many" is no value of "seq"
   2 | flat,many,false
     |      ^^^^ one of 1024, 4096
points.csv:3:1  2 values, but the first line names 3 parameters
   3 |  flat, 1024
     | ^^^^^^^^^^^
points.csv:4:1  "bindin" is no value of "config"
   4 | bindin,,false
     | ^^^^^^ did you mean "binding"?
points.csv:4:8  "seq" has no value here
   4 | bindin,,false
     |        ^ one of 1024, 4096
points.csv:5:1  study toy skips this point
   5 | flat,4096,true
     | ^^^^
5 mistakes
`,
    );
    expect(await mistake('--points', points('config\n'))).toBe('points.csv has no points under its first line\n');
    expect(await mistake('--points', points(''))).toMatch(
      /^points.csv is empty; the first line names parameters: config,/,
    );
    expect(await mistake('--points', scratch.path('none.csv'))).toMatch(/^cannot read none.csv: there is no such file/);
  });
});

describe('what cannot be a study', () => {
  const code2 = async (...args: string[]) => {
    const { code, stdout, stderr } = await clockwright('study', ...args);
    expect([code, stdout]).toEqual([2, '']);
    return scratch.relative(stderr);
  };

  it('is told from what can', async () => {
    expect(await code2('aray-size')).toBe(
      'there is no file aray-size, and no study of that name comes with Clockwright; did you mean "array-size"?\n',
    );
    expect(await code2(scratch.path('none.ts'))).toMatch(/^there is no file none.ts/);
    expect(await code2(scratch.write('other.ts', 'export const a = 1;\n'))).toBe(
      'other.ts has no study; write "export default study({ ... })"\n',
    );
    expect(await code2(scratch.write('throws.ts', 'throw new TypeError("what");\n'))).toMatch(
      /^cannot load throws.ts: TypeError: what\n {4}at .*throws.ts/,
    );
    expect(await code2(script, '--jobs', '0')).toContain('It is no whole number of 1 or more');
  });

  it('leaves nothing when an output cannot be written', async () => {
    expect(await mistake('--json', scratch.folder, '--csv', script)).toContain('it is a folder');
    expect(await mistake('--csv', script)).toContain('toy.ts: this file is read');
    expect(existsSync(journal)).toBe(false);
    mkdirSync(scratch.path('folder'));
    expect(await mistake('--journal', scratch.path('folder'))).toContain('it is a folder');
  });
});
