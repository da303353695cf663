import { afterAll, describe, expect, it } from 'vitest';
import type { Result } from '../../models/result.ts';
import { compositionText } from '../reports/composition-sample.ts';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
const few = scratch.write('few.yaml', compositionText);

describe('a composition of experts', () => {
  it('runs, and is reported again from its file as it was', async () => {
    const files = ['--json', scratch.path('r.json'), '--html', scratch.path('a.html')];
    const { code, stdout } = await clockwright('run', 'sn40l-node', few, '--set', 'parts.hbm.capacity=4 MB', ...files);
    expect([code, stdout.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(/^few on sn40l-node {2,}[\d,]+ cycles of core/),
    ]);
    const { experts, mapping }: Result = JSON.parse(scratch.read('r.json'));
    expect(experts).toMatchObject({ experts: 12, devices: 8, replacement: 'lru', routing: 'uniform' });
    expect(mapping.name).toBe('sn40l-fused');
    expect((await clockwright('report', scratch.path('r.json'), '--html', scratch.path('b.html'))).code).toBe(0);
    expect(scratch.read('b.html')).toBe(scratch.read('a.html'));
  });

  it('is checked and shown', async () => {
    expect((await clockwright('check', 'coe-150')).stdout).toMatch(/composition of experts coe-150, no mistakes\n$/);
    expect((await clockwright('show', 'coe-150')).stdout).toMatch(/^coe-150 {3}150 experts/);
    expect((await clockwright('schema', 'composition')).stdout).toContain('"Clockwright composition of experts"');
  });

  it('says in one go what is wrong', async () => {
    const bad = scratch.write('bad.yaml', compositionText.replace('few', 'bad').replace('batch: 3', 'batch: 0'));
    const { code, stderr } = await clockwright('run', 'sn40l-nod', bad, '--values', '-m', 'gpu-onl');
    expect(code).toBe(2);
    expect(scratch.relative(stderr)).toMatch(
      /there is no file sn40l-nod[\s\S]*bad.yaml:7:8[\s\S]*gpu-onl[\s\S]*--values is for/,
    );
    expect(stderr).toMatch(/4 mistakes\n$/);
  });

  it('needs a mapping that its machine can follow', async () => {
    const { code, stderr } = await clockwright('run', 'sn40l-node', few, '-m', 'gpu-only');
    expect([code, stderr]).toEqual([2, expect.stringContaining('sn40l-node has no array')]);
    const other = await clockwright('run', 'dgx-a100', few, '-m', 'fusemax-binding');
    expect(other.stderr).toContain('describes a mapping, where a serving mapping is needed');
  });

  it('writes nothing when it fails', async () => {
    const many = scratch.write('many.yaml', compositionText.replace('experts: 12', 'experts: 1 Gi'));
    const { code, stderr } = await clockwright('run', 'sn40l-node', many, '--json', scratch.path('none.json'));
    expect([code, scratch.relative(stderr)]).toEqual([
      2,
      expect.stringMatching(/^many.yaml:2:10 {2}1073741824 experts/),
    ]);
    expect(() => scratch.read('none.json')).toThrow('ENOENT');
  });
});
