/** The values of SCALE-Sim's own files, and of what users make of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScaleSimConfig } from '../../workloads/import/scalesim/config.ts';
import { productOf } from '../../workloads/import/scalesim/layer.ts';
import { parseScaleSimTopology, type ScaleSimLayer } from '../../workloads/import/scalesim/topology.ts';
import {
  alexnet,
  type Change,
  changed,
  config,
  fixture,
  headers,
  layersOf,
  sparse,
  topologyMistakes,
  v2,
  v3,
} from './scalesim-files.ts';

describe('a configuration', () => {
  it('of v2 in CALC mode has no bandwidth and no sparsity', () => {
    expect(config(v2)).toEqual({
      name: 'scale_example_run_32x32_os',
      rows: 32,
      columns: 32,
      dataflow: 'os',
      ifmapBytes: 65536,
      filterBytes: 65536,
      ofmapBytes: 65536,
      bandwidth: null,
      sparsity: false,
      layout: null,
      notes: [],
    });
  });

  it('of v3 in USER mode has both, and says what is not done', () => {
    expect(config(v3)).toEqual({
      name: 'scalesim_sparsity',
      rows: 128,
      columns: 128,
      dataflow: 'ws',
      ifmapBytes: 262144,
      filterBytes: 262144,
      ofmapBytes: 262144,
      bandwidth: 50,
      sparsity: true,
      layout: null,
      notes: [
        'OptimizedMapping is ignored: every row of a layer keeps the N:M of the topology, where SCALE-Sim draws an N for each row at random.',
        'SparseRep ellpack_block is ignored: a kept weight comes with its place in its block, log2 M bits rounded up.',
      ],
    });
  });

  it('keeps height and width, and the three scratchpads, apart', () => {
    const { rows, columns, ifmapBytes, filterBytes, ofmapBytes } = config(
      v2,
      [/ArrayHeight:\s+32/, 'ArrayHeight: 8'],
      [/IfmapSramSzkB:\s+64/, 'IfmapSramSzkB: 1'],
      [/FilterSramSzkB:\s+64/, 'FilterSramSzkB: 2'],
      [/OfmapSramSzkB:\s+64/, 'OfmapSramSzkB: 3'],
    );
    expect([rows, columns, ifmapBytes, filterBytes, ofmapBytes]).toEqual([8, 32, 1024, 2048, 3072]);
  });

  it.each<[string, Change]>([
    ['"=" for ":"', [/:/g, '=']],
    ['keys in lower case', [/^\w+/gm, (key) => key.toLowerCase()]],
    ['line breaks of Windows', [/\n/g, '\r\n']],
    ['a byte order mark', [/^/, '\uFEFF']],
    ['comments on lines of their own', [/\n/g, '\n# ArrayHeight: 7\n  ; ArrayHeight: 9\n']],
    ['keys indented alike', [/^(?=\w)/gm, '  ']],
    ['blank lines and a newline at the end', [/$/, '\n\n']],
  ])('is the same with %s', (_, change) => {
    expect(config(v2, change)).toEqual(config(v2));
  });

  it('ends its keys at the first of ":" and "="', () => {
    expect(config(v2, ['run_name = scale', 'run_name : a=b:scale']).name).toBe('a=b:scale_example_run_32x32_os');
  });

  it('takes the first of several bandwidths, and says so when they differ', () => {
    const several = (list: string): ScaleSimConfig =>
      config(v2, ['Bandwidth : 10', `Bandwidth : ${list}`], ['CALC', 'USER']);
    expect(several('10,10')).toMatchObject({ bandwidth: 10, notes: [] });
    expect(several('10, 20')).toMatchObject({
      bandwidth: 10,
      notes: ['Of the bandwidths 10, 20 the first counts, as in SCALE-Sim.'],
    });
  });

  it('says when [layout] has other bandwidths, but not in CALC mode, where none counts', () => {
    const other: Change = ['FilterSRAMBankBandwidth: 50', 'FilterSRAMBankBandwidth: 20'];
    const dense: Change = ['SparsitySupport : true', 'SparsitySupport : false'];
    expect(config(v3, other, dense).notes).toEqual([
      'SCALE-Sim v3 reads 50 words of the IFMAP and 20 of the filters per cycle, as [layout] says; here the Bandwidth of 50 is that of all operands.',
    ]);
    expect(config(v3, other, dense, ['USER', 'CALC']).notes).toEqual([]);
  });

  it("has a layout of the operands whose layout is the user's own", () => {
    const ifmap: Change = ['IfmapCustomLayout: False', 'IfmapCustomLayout: True'];
    const banks: Change = ['IfmapSRAMBankNum: 1', 'IfmapSRAMBankNum: 4'];
    expect(config(v3, ifmap, banks).layout).toEqual({ ifmap: { banks: 4, ports: 2, wordsPerLine: 50 }, filter: null });
    const filter: Change = ['FilterCustomLayout: False', 'FilterCustomLayout: TRUE'];
    expect(config(v3, filter).layout).toEqual({ ifmap: null, filter: { banks: 1, ports: 2, wordsPerLine: 50 } });
  });

  it('says what it ignores', () => {
    const text = changed(v3, ['SparsitySupport : true', 'SparsitySupport : false'], ['Trace: False', 'Trace: True']);
    const more = '[network_presets]\nTopologyCsvLoc: "a.csv"\n[accelergy]\nx: 1\n';
    expect(config(`${text}\nRowwise: 1\nColour: red\n${more}`).notes).toEqual([
      'UseRamulatorTrace is ignored: no latencies are taken from a trace of Ramulator.',
      'TopologyCsvLoc is ignored: "a.csv" is read only when it is given.',
      'In [layout], Rowwise, Colour are not read.',
      'The section [accelergy] is not read.',
    ]);
  });
});

describe('a topology', () => {
  it('of convolutions has sizes, and one stride for both directions', () => {
    const layers = parseScaleSimTopology(alexnet, 'my.csv', 'conv');
    expect(layers.map(({ name }) => name)).toEqual(['Conv1', 'Conv2', 'Conv3', 'Conv4', 'Conv5']);
    expect(layers[0]).toEqual({
      kind: 'conv',
      name: 'Conv1',
      height: 224,
      width: 224,
      filterHeight: 11,
      filterWidth: 11,
      channels: 3,
      filters: 96,
      strideHeight: 4,
      strideWidth: 4,
      sparsity: null,
      place: { file: 'my.csv', line: 2, column: 1, length: 5, text: alexnet.split('\n')[1] },
    });
  });

  it('of GEMMs may have spaces in names, and no newline at its end', () => {
    expect(layersOf(fixture('v2_gemm_test_mnk_input.csv'), 'gemm')).toEqual([
      { kind: 'gemm', name: 'Test 1', m: 128, n: 64, k: 256, sparsity: null },
    ]);
  });

  it('has the sparsity of each layer, and names that repeat', () => {
    expect(layersOf(sparse, 'gemm')).toEqual([
      { kind: 'gemm', name: 'GEMM_1', m: 3, n: 5, k: 16, sparsity: { kept: 3, of: 4 } },
      { kind: 'gemm', name: 'GEMM_1', m: 1, n: 5, k: 16, sparsity: { kept: 1, of: 4 } },
    ]);
  });

  it('reads each size from its own column', () => {
    expect(layersOf(`${headers.conv}\na, 31, 29, 7, 5, 3, 2, 4, 6, 2:4,`, 'conv')).toEqual([
      {
        kind: 'conv',
        name: 'a',
        height: 31,
        width: 29,
        filterHeight: 7,
        filterWidth: 5,
        channels: 3,
        filters: 2,
        strideHeight: 4,
        strideWidth: 6,
        sparsity: { kept: 2, of: 4 },
      },
    ]);
  });

  it.each([
    ['9', { strideHeight: 4, strideWidth: 9, sparsity: null }],
    ['1:4', { strideHeight: 4, strideWidth: 4, sparsity: { kept: 1, of: 4 } }],
    ['1:4, 9', { strideHeight: 4, strideWidth: 9, sparsity: { kept: 1, of: 4 } }],
  ])('has %s behind the stride of a convolution', (extras, expected) => {
    expect(layersOf(`${headers.conv}\na, 31, 29, 7, 5, 3, 2, 4, ${extras},`, 'conv')).toMatchObject([expected]);
  });

  it('takes a column of batches of one', () => {
    const header = headers.conv.replace('Strides,', 'Strides, Batch Size,');
    expect(layersOf(`${header}\na, 5, 5, 3, 3, 2, 6, 2, 1,`, 'conv')).toMatchObject([{ strideWidth: 2 }]);
    expect(topologyMistakes(`${header}\na, 5, 5, 3, 3, 2, 6, 2, 8,`, 'conv')).toEqual([
      '2:25 [8] layer "a" has a batch of "8"; layers have none here; write 1, and the layer as often as it runs',
    ]);
  });

  it.each<[string, Change]>([
    ['without commas at the ends of rows', [/,\s*$/gm, '']],
    ['with line breaks of Windows', [/\n/g, '\r\n']],
    ['with blank lines', [/\n/g, '\n\n']],
    ['with rows of commas, as spreadsheets write them', [/\n/g, '\n,,,,,\n']],
    ['with empty fields behind the last', [/,\n/g, ',, ,\n']],
    ['with semicolons in the header', [/^[^\n]*/, 'Layer; IFMAP Height; see the paper']],
    ['with comments', [/,\n/g, ',# 3, 4\n # Conv9, 1\n']],
    ['with comments and no commas before them', [/,\n/g, ' # 3, 4\n']],
    ['with a byte order mark', [/^/, '\uFEFF']],
    ['with tabs before the names', [/\nConv/g, '\n\tConv']],
    ['below a blank line and a header', [/^/, '\n']],
    ['below a comment in place of the header', [/^[^\n]*/, '# AlexNet']],
  ])('is the same %s', (_, change) => {
    expect(layersOf(changed(alexnet, change), 'conv')).toEqual(layersOf(alexnet, 'conv'));
  });

  it.each(['\r\n', '\r', '\n'])('has places without byte order mark and line break %j', (end) => {
    const layers = parseScaleSimTopology(`\uFEFF# mine${end}a, 3, 4, 5,${end}`, 'my.csv', 'gemm');
    expect(layers[0]!.place).toEqual({ file: 'my.csv', line: 2, column: 1, length: 1, text: 'a, 3, 4, 5,' });
    expect(topologyMistakes(`\uFEFFa, 3, 4, 5,${end}`, 'gemm')[0]).toContain('1:1 [a, 3, 4, 5,]');
  });

  it('has quoted names without commas, and semicolons in names, as they are written', () => {
    const names = layersOf(`${headers.gemm}\n"fc 1", 3, 4, 5,\nfc;2, 3, 4, 5,`, 'gemm');
    expect(names).toMatchObject([{ name: '"fc 1"' }, { name: 'fc;2' }]);
  });

  it('may have a "#" in a name', () => {
    expect(layersOf(`${headers.gemm}\nhead #1, 3, 4, 5,`, 'gemm')).toMatchObject([{ name: 'head #1', k: 5 }]);
  });

  it('is depthwise where a name has DP in it, in upper case', () => {
    const rows = ['a_DP1', 'ADPT', 'dp1'].map((name) => `${name}, 5, 5, 3, 3, 2, 6, 1,`).join('\n');
    const layers = parseScaleSimTopology(`${headers.conv}\n${rows}`, 'my.csv', 'conv');
    expect(layers.map(({ kind }) => kind)).toEqual(['depthwise', 'depthwise', 'conv']);
    expect(layers.map(productOf)).toEqual([
      { m: 9, n: 6, k: 9 },
      { m: 9, n: 6, k: 9 },
      { m: 9, n: 6, k: 18 },
    ]);
  });

  it('has the matrix products that SCALE-Sim makes of it', () => {
    const runs = JSON.parse(fixture('reference.json')) as { conv?: number[]; gemm: [number, number, number] }[];
    const measured = runs.filter(({ conv }) => conv);
    expect(measured.length).toBeGreaterThan(30);
    const rows = measured.map(({ conv }, i) => `run${i}, ${conv!.join(', ')},`).join('\n');
    const products = parseScaleSimTopology(`${headers.conv}\n${rows}`, 'my.csv', 'conv').map(productOf);
    expect(products.map(({ m, n, k }) => [m, n, k])).toEqual(measured.map(({ gemm }) => gemm));
  });

  it('reads back what is written, however it is spaced', () => {
    const size = fc.integer({ min: 1, max: 1000 });
    const space = fc.constantFrom('', ' ', '\t', '   ');
    fc.assert(
      fc.property(fc.array(fc.tuple(size, size, size, space, space), { minLength: 1 }), fc.boolean(), (rows, comma) => {
        const text = rows.map(
          ([m, n, k, a, b], i) => `${a}L${i}${b},${a}${m}${b},${n}${a},${b}${k}${comma ? ',' : ''}`,
        );
        const layers = parseScaleSimTopology([headers.gemm, ...text].join('\n'), 'my.csv', 'gemm');
        expect(layers.map((layer) => Object.values(productOf(layer)))).toEqual(rows.map(([m, n, k]) => [m, n, k]));
        expect(layers.map(marked)).toEqual(rows.map((_, i) => `L${i}`));
      }),
    );
  });
});

function marked({ place }: ScaleSimLayer): string {
  return place.text.slice(place.column - 1, place.column - 1 + place.length);
}
