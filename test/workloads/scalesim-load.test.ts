/** SCALE-Sim's files together: what the configuration makes of the layers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadScaleSim, type ScaleSimRun } from '../../workloads/import/scalesim/load.ts';
import { workloadOf } from '../../workloads/import/scalesim/workload.ts';
import { mistakesIn } from './cascades.ts';
import { type Change, changed, headers, type Kind, v2, v3 } from './scalesim-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'clockwright-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(config: string, rows: string, kind: Kind = 'gemm'): ScaleSimRun {
  const files = [join(folder, 'my.cfg'), join(folder, 'my.csv')] as const;
  writeFileSync(files[0], config);
  writeFileSync(files[1], `${headers[kind]}\n${rows}`);
  return loadScaleSim(...files, kind);
}

/** A configuration of 8 rows and 4 columns. */
function array(dataflow: string): string {
  const sizes: Change[] = [
    [/ArrayHeight:\s+32/, 'ArrayHeight: 8'],
    [/ArrayWidth:\s+32/, 'ArrayWidth: 4'],
  ];
  return dataflow === 'os' ? changed(v2, ...sizes) : changed(v2, ...sizes, ['Dataflow : os', `Dataflow : ${dataflow}`]);
}

function stepsOf(names: readonly string[]): string[] {
  const place = { file: 'my.csv', line: 2, column: 1, length: 1, text: '' };
  const layers = names.map((name) => ({ kind: 'gemm', name, m: 1, n: 1, k: 1, sparsity: null, place }) as const);
  const { loaded } = workloadOf(layers, 'topology');
  expect(loaded.workload.tensors.size).toBe(3 * names.length);
  return loaded.workload.steps.map((step) => step.name).toArray();
}

describe('names of tensors', () => {
  it('are numbered until they are free', () => {
    expect(stepsOf(['fc', 'fc', 'fc'])).toEqual(['fc', 'fc#2', 'fc#3']);
    expect(stepsOf(['fc#2', 'fc', 'fc', 'fc'])).toEqual(['fc#2', 'fc', 'fc#3', 'fc#4']);
    expect(stepsOf(['fc', 'fc', 'fc#2'])).toEqual(['fc', 'fc#2', 'fc#2#2']);
    expect(stepsOf(['a b', 'a_b', 'a  b'])).toEqual(['a_b', 'a_b#2', 'a_b#3']);
  });

  it('never repeat', () => {
    const name = fc.constantFrom('a', 'a b', 'a_b', 'a#2', 'a#3', 'a#2#2', 'a_b#2', 'a b#2');
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), (names) => {
        expect(new Set(stepsOf(names)).size).toBe(names.length);
      }),
    );
  });
});

describe('folds', () => {
  // On 8 x 4, 2^20 x 2^11 of the ranks that lie over rows and columns are 2^17 x 2^9 folds.
  const [rows, columns] = [2 ** 20, 2 ** 11];

  it.each([
    ['os', `${rows}, ${columns}, 1`, `${rows + 1}, ${columns}, 1`],
    ['ws', `1, ${columns}, ${rows}`, `1, ${columns}, ${rows + 1}`],
    ['is', `${columns}, 1, ${rows}`, `${columns}, 1, ${rows + 1}`],
  ])('of a layer are at most 2^26, %s', (dataflow, most, more) => {
    expect(mistakesIn(() => load(array(dataflow), `a, ${most},`))).toEqual([]);
    expect(mistakesIn(() => load(array(dataflow), `a, ${more},`))).toEqual([
      '2:1 [a] layer "a" has 67,109,376 folds on 8 x 4, more than the 67,108,864 that can be run; write a larger ArrayHeight or ArrayWidth, or a smaller layer',
    ]);
  });

  it('are those of all channels of a depthwise layer', () => {
    const layer = (channels: number): string => `DP, 8, 4, 1, 1, ${channels}, 4, 1,`;
    // 32 pixels are 4 folds.
    expect(mistakesIn(() => load(array('os'), layer(2 ** 24), 'conv'))).toEqual([]);
    expect(mistakesIn(() => load(array('os'), layer(2 ** 24 + 1), 'conv'))[0]).toContain('has 67,108,868 folds');
  });

  it('are counted for every layer', () => {
    const text = 'a, 1048576, 1048576, 1,\nb, 1, 1, 1,\nc, 1048576, 1048576, 1,';
    expect(mistakesIn(() => load(array('os'), text)).map((mistake) => mistake.split(' ')[0])).toEqual(['2:1', '4:1']);
  });
});

describe('notes', () => {
  const off: Change = ['SparsitySupport : true', 'SparsitySupport : false'];
  const ignored = (which: string): string =>
    `The N:M of ${which} is ignored: SparsitySupport in [sparsity] is not true.`;

  it.each<[string, string]>([
    ['off', changed(v3, off)],
    ['absent', v2],
  ])('say that the sparsity of layers has no effect when support for it is %s', (_, config) => {
    expect(load(config, 'a, 3, 4, 8, 2:4,\nb, 3, 4, 8,').notes).toEqual([ignored('layer "a"')]);
    expect(load(config, 'a, 3, 4, 8, 2:4,\nb, 3, 4, 8, 4:4,\nc, 3, 4, 8, 1:4,').notes).toEqual([ignored('2 layers')]);
  });

  it('say nothing of layers that keep all weights', () => {
    expect(load(v2, 'a, 3, 4, 8, 4:4,\nb, 3, 4, 8,').notes).toEqual([]);
  });

  it('are those of the configuration where sparsity counts, and stand before others', () => {
    const dense = load(v3, 'a, 3, 4, 8, 2:4,');
    expect(dense.notes).toEqual(dense.config.notes);
    expect(dense.notes).toHaveLength(2);
    expect(
      load(changed(v2, ['CALC', 'USER'], ['Bandwidth : 10', 'Bandwidth : 10, 20']), 'a, 3, 4, 8, 2:4,').notes,
    ).toEqual(['Of the bandwidths 10, 20 the first counts, as in SCALE-Sim.', ignored('layer "a"')]);
  });
});
