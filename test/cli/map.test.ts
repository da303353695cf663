import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
const small = ['--shape', 'M=512', '--shape', 'N=512', '--shape', 'K=512'];

it('finds a mapping, writes it, and runs it in the same cycles from the file', async () => {
  const file = scratch.path('found.yaml');
  const search = ['--map', 'search', '--candidates', '60', '--map-out', file, '--json', '-'];
  const found = await clockwright('run', 'fusemax', 'gemm', ...small, ...search);
  expect(found).toMatchObject({ code: 0 });
  expect(found.stderr).toMatch(
    /mapping found: [\d,]+ cycles, by default [\d,]+ cycles, at least [\d,]+ cycles; \d+ cand/,
  );
  expect(readFileSync(file, 'utf8')).toContain('machine: fusemax');
  const again = await clockwright('run', 'fusemax', 'gemm', ...small, '-m', file, '--json', '-');
  expect(JSON.parse(again.stdout).cycles).toBe(JSON.parse(found.stdout).cycles);
  const checked = await clockwright('check', file);
  expect(checked.stdout).toContain('lays gemm on fusemax, no mistakes');
});

it.each([
  [['--seed', '2'], '--seed is of a search for a mapping'],
  [['--map-out', '-'], '--map-out is of a search for a mapping'],
  [['--map', 'search', '--budget', 'long'], '--budget long'],
  [['--map', 'search', '-m', 'fusemax-binding'], "cannot be used with option '-m, --mapping"],
])('complains about %j', async (options, complaint) => {
  const { code, stderr } = await clockwright('run', 'fusemax', 'gemm', ...options);
  expect(code).toBe(2);
  expect(stderr).toContain(complaint);
});
