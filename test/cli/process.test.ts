/** The command line as a process: what only that shows. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

function start(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', 'tsx', join(packageRoot, 'cli.ts'), ...args], { cwd: packageRoot });
}

async function ended(child: ChildProcessWithoutNullStreams) {
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.stderr += chunk;
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...text };
}

it('exits with 0 and the whole of a long result on standard output', async () => {
  const { code, stdout, stderr } = await ended(start('run', 'fusemax', 'gemm', '--json', '-'));
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.length).toBeGreaterThan(2 ** 16);
  expect(JSON.parse(stdout).schema).toBe('clockwright/result@1');
});

it('exits with 2 and mistakes on standard error, without a stack', async () => {
  const { code, stdout, stderr } = await ended(start('run', 'fusemax', 'gemm', '--set', 'array.rows=0'));
  expect([code, stdout, stderr]).toEqual([2, '', '--set array.rows=0: 0 is zero, but rows cannot be\n']);
});

it('ends quietly when its reader does', async () => {
  const child = start('run', 'fusemax', 'gemm', '--json', '-');
  child.stdout.destroy();
  const { code, stderr } = await ended(child);
  expect([code, stderr]).toEqual([0, '']);
});

it('tells how far a long run is on standard error, and leaves no file when interrupted', async () => {
  const shape = ['--shape', 'B=1', '--shape', 'P=128Ki', '--shape', 'M=128Ki', '--every-cycle'];
  const output = ['--json', scratch.path('r.json'), '--html', scratch.path('r.html')];
  const child = start('run', 'fusemax', 'attention-1-pass', '-m', 'fusemax-binding', ...shape, ...output);
  const end = ended(child);
  await Promise.race([once(child.stderr, 'data'), sleep(20_000)]);
  child.kill('SIGINT');
  const { signal, stdout, stderr } = await end;
  expect([signal, stdout]).toEqual(['SIGINT', '']);
  expect(stderr).toMatch(/^(\d+0 %\n)+$/);
  expect(readdirSync(scratch.folder)).toEqual([]);
}, 60_000);
