import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { libraryNames, packageRoot } from '../../arch/language/library.ts';
import { clockwright, repositoryFile, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

describe('check finds no mistakes in what comes with Clockwright:', () => {
  const shelf = (folder: string): string[] =>
    libraryNames(join(packageRoot, folder)).map((name) => `${folder}/${name}.yaml`);
  it.each([...shelf('arch'), ...shelf('workloads')])('%s', async (file) => {
    const { code, stdout, stderr } = await clockwright('check', join(packageRoot, file));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/, no mistakes\n$/);
  });
});

describe('check', () => {
  it('says of each file what it is', async () => {
    const { stdout } = await clockwright(
      'check',
      'tpu-v4',
      'gemm',
      'fusemax-binding',
      'aladdin-45nm',
      'array/tpu-v4-mxu',
      'gpt3-7b-sharegpt',
      'models',
    );
    expect(stdout.replace(/^.*: /gm, '')).toBe(
      `machine tpu-v4, no mistakes
workload gemm, no mistakes
mapping fusemax-binding lays attention-1-pass on fusemax, no mistakes
technology aladdin-45nm, no mistakes
part of kind array, no mistakes
serving workload gpt3-7b-sharegpt, no mistakes
table of 32 models, no mistakes
`,
    );
  });

  it('goes on after a file with mistakes, and counts those of all', async () => {
    const bad = scratch.write('bad.yaml', 'machine: x\nclocks: { core: 1 }\nparts: {}\n');
    const worse = scratch.write('worse.yaml', 'kind: array\nrows: -3\ncolums: 4\n');
    const { code, stdout, stderr } = await clockwright('check', bad, 'gemm', worse);
    expect(code).toBe(2);
    expect(stdout).toMatch(/gemm\.yaml: workload gemm, no mistakes\n$/);
    expect(stderr.match(/^\/.*/gm)?.map((line) => scratch.relative(line))).toEqual([
      'bad.yaml:2:17  1 has no unit, but core needs a frequency',
      'worse.yaml:2:7  -3 is negative, but rows cannot be',
      'worse.yaml:3:1  unknown key "colums" in part',
    ]);
    expect(stderr).toMatch(/\n3 mistakes\n$/);
  });

  it('tries a mapping on the machine that is checked with it', async () => {
    const mapping = repositoryFile('workloads/mappings/fusemax-binding.yaml').replace(
      'machine: fusemax',
      'machine: chip',
    );
    const file = scratch.write('on-chip.yaml', mapping);
    const machine = repositoryFile('arch/fusemax.yaml').replace('machine: fusemax', 'machine: chip');
    const chip = scratch.write('chip.yaml', machine);
    const small = scratch.write('small.yaml', machine.replace('capacity: 16 MiB', 'capacity: 64 KiB'));
    expect((await clockwright('check', file)).stdout).toContain(
      'no mistakes by itself; to try it, check the file of machine chip as well',
    );
    expect((await clockwright('check', file, chip)).stdout).toContain('lays attention-1-pass on chip, no mistakes');
    expect((await clockwright('check', file, small)).stderr).toContain('it holds 64 KiB, and');
  });

  it('checks the operations and the used files of a part', async () => {
    const part = scratch.write('part.yaml', 'kind: vector\noperations: { mac: 1, exp: 6 add }\n');
    expect((await clockwright('check', part)).stderr).toContain(
      '"exp" is counted in "add", which is no operation here',
    );
    const user = scratch.write('user.yaml', 'use: array/nothing\n');
    expect((await clockwright('check', user)).stderr).toContain('there is no part "array/nothing"');
    const other = scratch.write('other.yaml', 'kind: aray\n');
    expect((await clockwright('check', other)).stderr).toContain('"aray" is no kind of part');
    const own = scratch.write('own.yaml', 'use: array/tpu-v4-mxu\nrows: 64\n');
    expect((await clockwright('check', own)).stdout).toContain('part of kind array, no mistakes');
  });
});
