import { afterAll, describe, expect, it } from 'vitest';
import type { Result } from '../../models/result.ts';
import { decodeText } from '../reports/serving-sample.ts';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
const workload = scratch.write('small.yaml', decodeText);

describe('run of a language model', () => {
  it('prints a summary, and writes what it is asked for', async () => {
    const files = [
      '--json',
      scratch.path('r.json'),
      '--html',
      scratch.path('r.html'),
      '--trace',
      scratch.path('t.json'),
    ];
    const { code, stdout } = await clockwright('run', 'neupims', workload, '-m', 'neupims', ...files);
    expect([code, stdout.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(/^small on neupims {2,}[\d,]+ cycles of core/),
    ]);
    const result: Result = JSON.parse(scratch.read('r.json'));
    expect(result.serving).toMatchObject({ phase: 'decode', layers: 2, modelLayers: 3, tensor: 2, subBatches: 2 });
    expect(scratch.read('r.html')).toContain('</html>');
    expect(JSON.parse(scratch.read('t.json'))).toHaveProperty('traceEvents');
  });

  it('is reported again from its file as it was', async () => {
    await clockwright(
      'run',
      'neupims',
      workload,
      '-m',
      'neupims',
      '--json',
      scratch.path('a.json'),
      '--html',
      scratch.path('a.html'),
    );
    const again = await clockwright('report', scratch.path('a.json'), '--html', scratch.path('b.html'));
    expect(again.code).toBe(0);
    expect(scratch.read('b.html')).toBe(scratch.read('a.html'));
  });

  it('notes that a mapping was written for another machine', async () => {
    const { stdout } = await clockwright('run', 'neupims-blocked', workload, '-m', 'neupims');
    expect(stdout).toContain('mapping neupims was written for the machine neupims, not neupims-blocked');
  });
});

describe('run of a language model says in one go what is wrong', () => {
  const wrong = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await clockwright('run', ...args);
    expect([code, stdout]).toEqual([2, '']);
    return scratch
      .relative(stderr)
      .replaceAll(/\S*(workloads\/mappings)/g, '$1')
      .trimEnd();
  };

  it('with a mapping that is missing, unknown, or of einsums', async () => {
    expect(await wrong('neupims', workload)).toBe(
      'a language model needs a mapping that says what runs where; such as "--mapping gpu-only", which needs an array and a vector unit',
    );
    expect(await wrong('neupims', workload, '-m', 'neupim')).toBe(
      'there is no file neupim, and no serving mapping of that name comes with Clockwright; did you mean "neupims"?',
    );
    expect(await wrong('neupims', workload, '-m', 'unfused')).toBe(
      'workloads/mappings/unfused.yaml describes a mapping, where a serving mapping is needed',
    );
  });

  it('with options of einsums, and files that cannot be written', async () => {
    const options = ['--shape', 'M=3', '--values', '--map-out', scratch.path('m.yaml'), '--json', scratch.folder];
    expect(await wrong('neupims', workload, '-m', 'neupims', ...options)).toBe(
      `--shape is for cascades of einsums, not for language models
--values is for cascades of einsums, not for language models
--map-out is for cascades of einsums, not for language models
--json ${scratch.folder}: it is a folder, not a file
4 mistakes`,
    );
    expect(await wrong('neupims', workload, '--map', 'search')).toContain(
      '--map is for cascades of einsums, not for language models',
    );
  });

  it('with a machine that has no DRAM, or whose memory does not compute', async () => {
    expect(await wrong('fusemax', workload, '-m', 'gpu-only')).toMatch(
      /^fusemax has no memory of DRAM to serve a language/,
    );
    expect(await wrong('t4', workload, '-m', 'neupims')).toMatch(
      /^workloads\/mappings\/neupims\.yaml:\d+:\d+ {2}no memory of t4 computes\n/,
    );
  });

  it('with a machine that computes in a memory of its own', async () => {
    expect(await wrong('attacc', workload, '-m', 'attacc')).toMatch(
      /^attacc computes in another memory than hbm, which its engines have: such machines do not serve yet; use a mapping/,
    );
    // Which does not keep its engines from serving, nor does a memory whose units run programs.
    for (const machine of ['attacc', 'hbm-pim']) {
      expect((await clockwright('run', machine, workload, '-m', 'gpu-only')).code).toBe(0);
    }
  });

  it('with a model that does not fit', async () => {
    expect(await wrong('t4', 'llama3-70b-decode', '-m', 'gpu-only')).toMatch(
      /^each channel of gddr needs .* for weights and .* more than the 1 GiB that it has; share the weights out to 2 devices/,
    );
  });

  it('with an operation that the vector unit lacks', async () => {
    const options = ['--set', 'vector.operations={ mac: 1 }'];
    expect(await wrong('t4', workload, '-m', 'gpu-only', ...options)).toBe(
      'the vector unit has no operation "add"; it has mac',
    );
  });

  it('with names in the wrong order', async () => {
    expect(await wrong(workload, 'neupims', '-m', 'gpu-only')).toContain(
      'small.yaml describes a serving workload, where a machine is needed',
    );
  });
});
