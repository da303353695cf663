import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import type { Result } from '../../index.ts';
import { clockwright, repositoryFile, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const small = ['--shape', 'M=64', '--shape', 'N=64', '--shape', 'K=64'];

describe('run', () => {
  it('takes names of what comes with Clockwright, and files', async () => {
    const byName = await clockwright('run', 'fusemax', 'attention-1-pass', '-m', 'fusemax-binding');
    const files = ['arch/fusemax.yaml', 'workloads/attention-1-pass.yaml', 'workloads/mappings/fusemax-binding.yaml'];
    const [arch, workload, mapping] = files.map((file) => join(packageRoot, file));
    const byFile = await clockwright('run', arch!, workload!, '--mapping', mapping!);
    expect([byName.code, byName.stderr]).toEqual([0, '']);
    expect(byName.stdout).toMatch(
      /^attention-1-pass on fusemax +[\d,]+ cycles of core {3}[\d.]+ ms\nbound by {3}vector/,
    );
    expect(byFile).toEqual(byName);
  });

  it('prints nothing but the result with --json -', async () => {
    const { code, stdout, stderr } = await clockwright('run', 'fusemax', 'gemm', ...small, '--json', '-');
    const result: Result = JSON.parse(stdout);
    expect([code, stderr, result.schema]).toEqual([0, '', 'clockwright/result@1']);
    expect(result.workload.ranks).toEqual({ M: 64, N: 64, K: 64 });
  });

  it('estimates a part with --sample, which neither --values nor --every-cycle go with', async () => {
    const dram = ['--set', 'hbm={ kind: memory, use: dram/hbm3, channels: 8 }'];
    const { code, stdout } = await clockwright('run', 'fusemax', 'gemm', ...small, ...dram, '--sample');
    expect([code, stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringContaining('nothing was sampled: no loop'),
    ]);
    for (const other of ['--values', '--every-cycle']) {
      const refused = await clockwright('run', 'fusemax', 'gemm', ...small, '--sample', other);
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining(`cannot be used with option '${other}'`),
      ]);
    }
  });

  it('prints nothing but the page with --html -', async () => {
    const { stdout } = await clockwright('run', 'fusemax', 'gemm', ...small, '--html', '-');
    expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/);
  });

  it('writes what it is asked for, whole, in folders that it makes', async () => {
    const files = { json: 'out/deep/r.json', html: 'out/r.html', trace: 'out/r.trace.json' };
    const options = Object.entries(files).flatMap(([option, name]) => [`--${option}`, scratch.path(name)]);
    const { code, stdout } = await clockwright('run', 'fusemax', 'gemm', ...small, ...options);
    expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, `report     ${scratch.path('out/r.html')}`]);
    expect(JSON.parse(scratch.read(files.json)).schema).toBe('clockwright/result@1');
    expect(scratch.read(files.html)).toContain('</html>');
    expect(JSON.parse(scratch.read(files.trace))).toHaveProperty('traceEvents');
    expect(readdirSync(scratch.path('out'))).toEqual(['deep', 'r.html', 'r.trace.json']);
  });

  it('writes through a link, and to a device without replacing it', async () => {
    scratch.write('target.json', 'old');
    symlinkSync(scratch.path('target.json'), scratch.path('link.json'));
    await clockwright('run', 'fusemax', 'gemm', ...small, '--json', scratch.path('link.json'), '--html', '/dev/null');
    expect(JSON.parse(scratch.read('target.json')).schema).toBe('clockwright/result@1');
  });

  it('changes the machine with --set and the workload with --shape', async () => {
    const run = async (...options: string[]): Promise<Result> =>
      JSON.parse((await clockwright('run', 'fusemax', 'gemm', ...options, '--json', '-')).stdout);
    const before = await run(...small);
    const after = await run(...small, '--set', 'array.rows=16', '--set', 'clocks.core=1 GHz');
    expect(after.arch.overrides).toEqual(['array.rows=16', 'clocks.core=1 GHz']);
    expect(after.arch.clocks).toEqual({ core: 1e9 });
    const peak = ({ engines }: Result) => engines.find(({ name }) => name === 'array')!.peakOps;
    expect(peak(before)).toBe(256 * 256 * 940e6);
    expect(peak(after)).toBe(16 * 256 * 1e9);
  });

  it('compares values with --values', async () => {
    const { code, stdout } = await clockwright('run', 'fusemax', 'gemm', ...small, '--values');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^values {5}Z: 4,096 elements, largest error /m);
  });
});

describe('run says in one go what is wrong', () => {
  const wrong = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await clockwright('run', ...args);
    expect([code, stdout]).toEqual([2, '']);
    return scratch.relative(stderr).trimEnd();
  };

  it('with every name', async () => {
    expect(await wrong('fusmax', 'atention-1-pass', '-m', 'fusemax-bnding', '--json', scratch.folder)).toBe(
      `there is no file fusmax, and no machine of that name comes with Clockwright; did you mean "fusemax"?
there is no file atention-1-pass, and no workload of that name comes with Clockwright; did you mean "attention-1-pass"?
there is no file fusemax-bnding, and no mapping of that name comes with Clockwright; did you mean "fusemax-binding"?
--json ${scratch.folder}: it is a folder, not a file
4 mistakes`,
    );
  });

  it('with files in the wrong order', async () => {
    const [machine, workload] = [scratch.write('m.yaml', 'machine: x\n'), scratch.write('w.yaml', 'workload: x\n')];
    expect(await wrong(workload, machine, '-m', machine)).toBe(
      `w.yaml describes a workload, where a machine is needed
m.yaml describes a machine, where a workload is needed
m.yaml describes a machine, where a mapping is needed
3 mistakes`,
    );
  });

  it('with its options', async () => {
    const options = ['--set', 'array.row=3', '--set', 'array.rows=lots', '--set', '=3', '--set', 'links.0=3'];
    expect(await wrong('fusemax', 'gemm', ...options, '--shape', 'Q=3', '--shape', 'M=x', '--shape', 'N')).toBe(
      `--set links.0=3: "3" in "links" is not a string; such as "hbm <-> buffer via dma"
--set array.rows=lots: "lots" is no quantity, but rows needs a count; such as "64 Ki"
no "array.row"; did you mean "array.rows"?
"=3" names nothing to set; write "array.rows=128"
--shape M=x: "x" is no quantity, but rank M needs a count; such as "64 Ki"
"N" sets no rank; write P=4096
there is no rank "Q" to set; one of M, N, K
7 mistakes`,
    );
  });

  it('with its outputs, before it runs', async () => {
    const file = scratch.write('file', '');
    expect(await wrong('fusemax', 'gemm', '--json', `${file}/r.json`, '--html', '', '--trace', '-')).toBe(
      `--json file/r.json: part of its path is a file, not a folder
--html : the name of a file is missing
2 mistakes`,
    );
    expect(await wrong('fusemax', 'gemm', '--json', '-', '--html', '-')).toBe(
      '--html -: --json goes there already; name another file',
    );
  });

  it('with a scratchpad too small for the smallest tiles', async () => {
    const workload = scratch.write('tall.yaml', repositoryFile('test/fixtures/mistakes/workload.yaml'));
    const text = await wrong('fusemax', workload, '--set', 'buffer.capacity=1 KiB');
    expect(text).toMatch(
      /^tall\.yaml:11:3 {2}buffer is too small by .*: it holds 1 KiB, and [\d.]+ [KM]i?B are needed; largest: QK /,
    );
    expect(text).toMatch(/\^\^ give it more capacity, or make ranks smaller$/);
  });

  it('with a memory too small for inputs and outputs', async () => {
    expect(await wrong('fusemax', 'attention-1-pass', '--set', 'hbm.capacity=1 MiB')).toBe(
      'inputs and outputs need 384 MiB of memory, but there is 1 MiB; give the memory more capacity, or make ranks smaller',
    );
  });

  it('and writes nothing', async () => {
    const output = scratch.path('nothing.json');
    await wrong('fusemax', 'gemm', '--set', 'array.rows=lots', '--json', output);
    expect(existsSync(output)).toBe(false);
  });
});
