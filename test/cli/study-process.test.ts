/** Studies as processes: threads, kills, interrupts, scripts of users. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { slowScript } from '../models/study/studies.ts';
import { Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** The program as it is built for users, under the name by which their scripts know it. */
beforeAll(() => {
  const modules = join(scratch.folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(packageRoot, join(modules, 'clockwright'), 'dir');
  // It builds only what has changed.
  const compiler = join(packageRoot, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: packageRoot });
}, 120_000);

const script = scratch.write('slow.mjs', slowScript(40, 'clockwright'));
const cli = join(packageRoot, 'dist', 'cli.js');
const tsx = join(packageRoot, 'node_modules/tsx/dist/cli.mjs');

function start(args: readonly string[], env: { readonly [name: string]: string } = {}): ChildProcess {
  return spawn(process.execPath, args, { cwd: scratch.folder, env: { ...process.env, ...env } });
}

async function ended(child: ChildProcess) {
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk) => {
      text[stream] += chunk;
    });
  }
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...text };
}

const study = (name: string, jobs: number, ...more: string[]) => [
  ...[cli, 'study', script, '--jobs', String(jobs)],
  ...['--journal', scratch.path(`${name}.jsonl`), '--json', scratch.path(`${name}.json`), ...more],
];
const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

let whole = '';
beforeAll(async () => {
  const { code, stderr } = await ended(start(study('whole', 1)));
  expect([code, stderr.replace(/\d+ %\n/g, '')]).toEqual([0, '']);
  whole = scratch.read('whole.json');
}, 60_000);

describe('a study', () => {
  it('gives the same bytes for any number of threads', async () => {
    const { code } = await ended(start(study('three', 3)));
    expect(code).toBe(0);
    expect(scratch.read('three.json')).toBe(whole);
    expect(linesOf(scratch.path('three.jsonl')).sort()).toEqual(linesOf(scratch.path('whole.jsonl')).sort());
  });

  it.each([
    [1, 1],
    [4, 2],
    [9, 2],
  ])(
    'that is killed after %i rows of %i threads goes on, and comes to the same file',
    async (rows, jobs) => {
      const [name, runs] = [`killed-${rows}`, scratch.path(`killed-${rows}.runs`)];
      const journal = scratch.path(`${name}.jsonl`);
      const child = start(study(name, jobs), { RUNS: runs });
      const end = ended(child);
      while (linesOf(journal).length < rows && child.exitCode === null) await sleep(5);
      child.kill('SIGKILL');
      expect((await end).signal).toBe('SIGKILL');
      expect(existsSync(scratch.path(`${name}.json`))).toBe(false);
      const [kept, begun] = [linesOf(journal), linesOf(runs)];
      expect(kept.length).toBeLessThan(12);
      const { code, stderr } = await ended(start(study(name, jobs), { RUNS: runs }));
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining(`${kept.length} of 12 rows are in ${journal} already`),
      ]);
      expect(scratch.read(`${name}.json`)).toBe(whole);
      expect(linesOf(journal).slice(0, kept.length)).toEqual(kept);
      expect(linesOf(journal)).toHaveLength(12);
      // Only what had no row yet ran again.
      expect(linesOf(runs).length - begun.length).toBe(12 - kept.length);
    },
    60_000,
  );

  it('that is interrupted says how to go on, and exits with 1', async () => {
    const child = start(study('interrupted', 2));
    const end = ended(child);
    while (linesOf(scratch.path('interrupted.jsonl')).length < 2 && child.exitCode === null) await sleep(5);
    child.kill('SIGINT');
    const { code, stderr, stdout } = await end;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`interrupted; finished rows are in ${scratch.path('interrupted.jsonl')}`);
    expect(existsSync(scratch.path('interrupted.json'))).toBe(false);
  });

  it('names the point that fails in a thread, and does the others', async () => {
    const { code, stderr } = await ended(start(study('broken', 2), { BREAK: 'b3' }));
    expect(code).toBe(1);
    expect(stderr).toContain('config=b,size=3 failed: Error: broken on purpose');
    const { rows } = JSON.parse(scratch.read('broken.json'));
    expect(rows[6]).toEqual({ config: 'b', size: 3, error: 'Error: broken on purpose' });
    expect(rows.filter((row: object) => 'figure' in row)).toHaveLength(11);
  });
});

describe("a user's script", () => {
  it('runs by itself, as the command does, and keeps rows beside where it runs', async () => {
    // In TypeScript, and in the older kind of module, as no package.json is there to say otherwise.
    const typed = scratch.write('slow.ts', slowScript(5, 'clockwright'));
    const { code, stdout, stderr } = await ended(
      start([tsx, typed, '--only', 'config=a', '--jobs', '2', '--json', '-']),
    );
    expect([code, stderr.replace(/\d+ %\n/g, '')]).toEqual([0, '']);
    expect(JSON.parse(stdout).rows).toEqual(JSON.parse(whole).rows.slice(0, 4));
    expect(linesOf(scratch.path('.clockwright/slow.jsonl'))).toHaveLength(4);
    const again = await ended(start([cli, 'study', 'slow.ts', '--only', 'config=a|b', '--json', '-']));
    expect([again.code, again.stderr.replace(/\d+ %\n/g, '')]).toEqual([
      0,
      '4 of 8 rows are in .clockwright/slow.jsonl already\n',
    ]);
  });

  it('simulates machines that come with the program, by name', async () => {
    const file = scratch.write(
      'gemm.mts',
      `import { loadArch, loadWorkload, study } from 'clockwright';
export default study({
  name: 'gemm',
  parameters: { size: [32, 64] },
  point: ({ size }) => ({ arch: loadArch('gemmini'), workload: loadWorkload('gemm', { shape: ['M=' + size, 'N=64', 'K=64'] }) }),
  metrics: ({ cycles }) => ({ cycles }),
});
`,
    );
    const { code, stdout } = await ended(start([cli, 'study', file, '--csv', '-']));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^size,cycles\n32,\d+\n64,\d+\n$/)]);
  });
});
