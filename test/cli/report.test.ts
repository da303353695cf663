import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const small = ['--shape', 'M=64', '--shape', 'N=64', '--shape', 'K=64'];

describe('report', () => {
  let summary = '';
  beforeAll(async () => {
    const run = await clockwright('run', 'fusemax', 'gemm', ...small, '--json', scratch.path('r.json'));
    summary = run.stdout;
  });

  it('says of a saved result what its run said', async () => {
    expect(await clockwright('report', scratch.path('r.json'))).toEqual({ code: 0, stdout: summary, stderr: '' });
  });

  it('writes the page that the run would have written', async () => {
    await clockwright('run', 'fusemax', 'gemm', ...small, '--html', scratch.path('run.html'));
    await clockwright('report', scratch.path('r.json'), '--html', scratch.path('report.html'));
    expect(scratch.read('report.html')).toBe(scratch.read('run.html'));
  });

  it.each([
    ['text', 'machine: x', 'is not JSON, or not all of it; give a file that "clockwright run --json" wrote'],
    ['nothing', '', 'is empty; give a file that "clockwright run --json" wrote'],
    ['null', 'null', 'is no result: it has no "schema" key; expected "clockwright/result@1"'],
    ['a list', '[1]', 'is no result: it has no "schema" key; expected "clockwright/result@1"'],
    [
      'another version',
      '{ "schema": "clockwright/result@0" }',
      'is no result: its schema is "clockwright/result@0"; expected "clockwright/result@1"',
    ],
    [
      'the schema alone',
      '{ "schema": "clockwright/result@1", "cycles": 1, "clock": "core", "seconds": 1, "engines": [], "memories": [] }',
      'is no whole result: it lacks arch, workload, mapping, einsums, energy, area, bottleneck, timelines, notes; give a file that "clockwright run --json" wrote',
    ],
  ])('refuses %s', async (_, text, expected) => {
    const { code, stderr } = await clockwright('report', scratch.write('bad.json', text));
    expect([code, scratch.relative(stderr)]).toEqual([2, `bad.json ${expected}\n`]);
  });

  it('puts several side by side, against the first', async () => {
    const wide = scratch.path('wide.json');
    await clockwright('run', 'fusemax', 'gemm', ...small, '--set', 'array.rows=64', '--json', wide);
    const { code, stdout } = await clockwright(
      'report',
      scratch.path('r.json'),
      wide,
      '--html',
      scratch.path('c.html'),
    );
    expect([code, stdout.split('\n')[0]]).toEqual([0, '2 results   gemm M 64 N 64 K 64 on fusemax mapped as default']);
    expect(stdout).toMatch(/array\.rows=64 +[\d.]+ ns +[\d.]+ /);
    expect(scratch.read('c.html')).toContain('array.rows=64');
  });

  it('refuses a trace of several, and to write over one of them', async () => {
    const r = scratch.path('r.json');
    const { stderr } = await clockwright('report', r, r, '--trace', scratch.path('t.json'));
    expect(scratch.relative(stderr)).toBe(
      '--trace t.json: a trace is of one result, not of 2; give one result, or leave --trace out\n',
    );
    expect((await clockwright('report', r, '--html', r)).stderr).toContain('this file is read');
  });

  it('refuses half a result', async () => {
    const half = scratch.write('half.json', scratch.read('r.json').slice(0, 2000));
    expect((await clockwright('report', half)).stderr).toContain('half.json is not JSON, or not all of it');
  });

  it('refuses what cannot be read or written, in one go', async () => {
    const { code, stderr } = await clockwright('report', scratch.path('no.json'), '--html', scratch.folder);
    expect([code, scratch.relative(stderr)]).toEqual([
      2,
      `cannot read no.json: there is no such file or folder\n--html ${scratch.folder}: it is a folder, not a file\n2 mistakes\n`,
    ]);
  });
});

describe('schema', () => {
  it.each(['arch', 'workload', 'serving', 'mapping', 'standard'])('of %s is JSON', async (kind) => {
    const { code, stdout } = await clockwright('schema', kind);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ $schema: expect.any(String), type: 'object' });
  });
});

describe('a command line', () => {
  it.each([
    [['rn'], "error: unknown command 'rn'\n(Did you mean run?)"],
    [['run'], "error: missing required argument 'arch'"],
    [['run', 'fusemax', 'gemm', '--jsn'], "error: unknown option '--jsn'\n(Did you mean --json?)"],
    [['run', 'fusemax', 'gemm', 'mlp'], "error: too many arguments for 'run'. Expected 2 arguments but got 3."],
    [['schema', 'report'], "error: command-argument value 'report' is invalid for argument 'kind'."],
  ])('%j is refused with 2', async (args, expected) => {
    const { code, stdout, stderr } = await clockwright(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(expected);
    expect(stderr).toContain('"clockwright --help" lists the commands');
  });

  it.each([[[]], [['--help']], [['run', '--help']], [['--version']]])('%j is answered with 0', async (args) => {
    const { code, stdout, stderr } = await clockwright(...args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: clockwright|^\d+\.\d+\.\d+\n$/);
  });
});
