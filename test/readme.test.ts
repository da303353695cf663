import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../arch/language/library.ts';
import {
  loadArch,
  loadMapping,
  loadServing,
  loadServingMapping,
  loadWorkload,
  simulate,
  simulateServing,
  summary,
} from '../index.ts';
import { pictureSvg } from '../reports/picture.ts';
import { clockwright, Scratch } from './cli/command.ts';

const file = (path: string): string => join(packageRoot, path);
const readme = readFileSync(file('README.md'), 'utf8');
const scratch = new Scratch();
afterAll(() => scratch.remove());

describe('the README', () => {
  const result = simulate({
    arch: loadArch(file('arch/fusemax.yaml')),
    workload: loadWorkload(file('workloads/attention-1-pass.yaml')),
    mapping: loadMapping(file('workloads/mappings/fusemax-binding.yaml')),
  });

  it('shows what the main job prints', () => {
    expect(readme).toContain(summary(result, { report: 'reports/out/attention-1-pass-on-fusemax.html' }).trim());
  });

  it("shows the main job's picture", async () => {
    await expect(pictureSvg(result)).toMatchFileSnapshot(file('docs/main-job.svg'));
  });

  it('shows what the replay of a stream prints', async () => {
    const trace = scratch.write('stream.txt', Array.from({ length: 100_000 }, (_, i) => `R ${i}\n`).join(''));
    const { stdout } = await clockwright('replay', 'ddr4', trace);
    expect(readme).toContain(stdout.trim());
  });

  it('shows what a language model prints, with the first of its notes', () => {
    const served = simulateServing({
      arch: loadArch(file('arch/neupims.yaml')),
      workload: loadServing(file('workloads/gpt3-7b-sharegpt-balanced.yaml')),
      mapping: loadServingMapping(file('workloads/mappings/neupims-one-batch.yaml')),
    });
    const text = summary({ ...served, notes: served.notes.slice(0, 1) }, { report: 'serving.html' });
    expect(readme).toContain(text.trim());
  }, 120_000);

  it('links to files that exist', () => {
    for (const [, target] of readme.matchAll(/\]\(([^)]+)\)/g)) expect(() => readFileSync(file(target!))).not.toThrow();
  });

  it('names scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(file('package.json'), 'utf8'));
    for (const [, script] of readme.matchAll(/npm (?:run )?(start|test|bench|study)\b/g))
      expect(scripts).toHaveProperty(script!);
  });
});
