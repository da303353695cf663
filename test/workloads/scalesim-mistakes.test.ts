/** What a user reads after a mistake in a SCALE-Sim file: exact words and exact places. */
import { describe, expect, it } from 'vitest';
import { mistakesIn } from './cascades.ts';
import {
  alexnet,
  type Change,
  config,
  fixture,
  headers,
  type Kind,
  layersOf,
  sparse,
  topologyMistakes,
  v2,
  v3,
} from './scalesim-files.ts';

const configMistakes = (text: string, ...changes: readonly Change[]): string[] =>
  mistakesIn(() => config(text, ...changes));
/** Of rows from line 2 on. */
const rowMistakes = (rows: string, kind: Kind): string[] => topologyMistakes(`${headers[kind]}\n${rows}`, kind);

describe('a mistake in a configuration is told where it is:', () => {
  it.each<[string, readonly Change[], string]>([
    [
      'a misspelt key',
      [['ArrayHeight', 'ArayHeight']],
      '5:1 [ArayHeight] there is no ArrayHeight in [architecture_presets]; did you mean "ArrayHeight"?',
    ],
    [
      'a missing key',
      [[/Dataflow.*\n/, '']],
      '4:2 [architecture_presets] there is no Dataflow in [architecture_presets]; add a line such as "Dataflow: os"',
    ],
    [
      'a missing bandwidth',
      [
        [/Bandwidth.*\n/, ''],
        ['CALC', 'USER'],
      ],
      '4:2 [architecture_presets] there is no Bandwidth in [architecture_presets]; add a line such as "Bandwidth: 10"',
    ],
    [
      'no value',
      [[/ArrayWidth:\s+32/, 'ArrayWidth:']],
      '6:1 [ArrayWidth] ArrayWidth has no value; such as "ArrayWidth: 32"',
    ],
    [
      'a misspelt section',
      [['[general]', '[General]']],
      '1:2 [General] SCALE-Sim has no section [General]; did you mean "general"?',
    ],
    [
      'a missing section',
      [[/\[run_presets\].*/s, '']],
      '1:1 [[general]] there is no section [run_presets]; write "[run_presets]" and under it keys such as "InterfaceBandwidth: CALC"',
    ],
    [
      'an unknown dataflow',
      [['Dataflow : os', 'Dataflow : rs']],
      '14:12 [rs] Dataflow cannot be "rs"; did you mean "os"?',
    ],
    [
      'a dataflow in upper case',
      [['Dataflow : os', 'Dataflow : WS']],
      '14:12 [WS] Dataflow cannot be "WS"; did you mean "ws"?',
    ],
    ['an unknown mode', [['CALC', 'AUTO']], '18:21 [AUTO] InterfaceBandwidth cannot be "AUTO"; one of CALC, USER'],
    [
      'no number',
      [[/ArrayWidth:\s+32/, 'ArrayWidth: wide']],
      '6:13 [wide] ArrayWidth is not a whole number: "wide"; write a whole number from 1, such as 32',
    ],
    [
      'a fraction',
      [[/IfmapSramSzkB:\s+64/, 'IfmapSramSzkB: 0.5']],
      '7:16 [0.5] IfmapSramSzkB is not a whole number: "0.5"; write a whole number from 1, such as 64',
    ],
    [
      'zero',
      [[/ArrayWidth:\s+32/, 'ArrayWidth: 0']],
      '6:13 [0] ArrayWidth is zero; write a whole number from 1, such as 32',
    ],
    [
      'a negative number',
      [[/ArrayWidth:\s+32/, 'ArrayWidth: -4']],
      '6:13 [-4] ArrayWidth is not a whole number: "-4"; write a whole number from 1, such as 32',
    ],
    [
      'a number too large',
      [[/ArrayWidth:\s+32/, 'ArrayWidth: 2000000000000']],
      '6:13 [2000000000000] ArrayWidth is more than 2^40; write a whole number from 1, such as 32',
    ],
    [
      'an array too high',
      [['ArrayHeight:    32', 'ArrayHeight: 1099511627776']],
      '5:14 [1099511627776] ArrayHeight is more than 65,536; write a whole number from 1 to 65,536, such as 32',
    ],
    [
      'an array too wide by one column',
      [[/ArrayWidth:\s+32/, 'ArrayWidth: 65537']],
      '6:13 [65537] ArrayWidth is more than 65,536; write a whole number from 1 to 65,536, such as 32',
    ],
    [
      'a comment behind a value',
      [[/ArrayWidth:\s+32/, 'ArrayWidth: 32 # wide']],
      '6:13 [32 # wide] ArrayWidth is not a whole number: "32 # wide"; a comment has a line of its own',
    ],
    [
      'a bandwidth in a list',
      [
        ['Bandwidth : 10', 'Bandwidth : 10,'],
        ['CALC', 'USER'],
      ],
      '13:13 [10,] Bandwidth is not a whole number: ""; write a whole number from 1, such as 10',
    ],
    [
      'a key twice',
      [['MemoryBanks:   1', 'arrayheight: 8']],
      '15:1 [arrayheight] "arrayheight" is written twice; the first is in line 5; remove one of them',
    ],
    [
      'a section twice',
      [['[run_presets]', '[general]\n[run_presets]']],
      '17:2 [general] a second section [general]; the first is in line 1; put the keys of both under it',
    ],
    [
      'no delimiter',
      [['Dataflow : os', 'Dataflow os']],
      '14:1 [Dataflow os] this line has no ":" or "="; write a key, ":" and a value, such as "ArrayHeight: 32"',
    ],
    [
      'an indented line',
      [['ArrayWidth', '  ArrayWidth']],
      '6:3 [ArrayWidth:     32] this line is indented, which makes it part of the value of ArrayHeight; begin it under ArrayHeight',
    ],
    [
      'a section left open',
      [['[general]', '[general']],
      '1:1 [[general] the name of a section ends with "]"; write "[general]"',
    ],
    [
      'a key above all sections',
      [['[general]', 'a: b\n[general]']],
      '1:1 [a] "a" is in no section; write a line such as "[general]" above it',
    ],
  ])('%s', (_, changes, mistake) => {
    expect(configMistakes(v2, ...changes)).toEqual([mistake]);
  });

  it.each<[string, Change, string]>([
    [
      'a switch',
      ['SparsitySupport : true', 'SparsitySupport : maybe'],
      '20:19 [maybe] SparsitySupport is neither true nor false: "maybe"; write True or False',
    ],
    [
      'a misspelt section that may be left out',
      ['[sparsity]', '[sparse]'],
      '19:2 [sparse] SCALE-Sim has no section [sparse]; did you mean "sparsity"?',
    ],
    [
      'a misspelt switch',
      ['SparsitySupport', 'SparsitySuport'],
      '20:1 [SparsitySuport] there is no SparsitySupport in [sparsity]; did you mean "SparsitySupport"?',
    ],
    [
      'no banks',
      ['IfmapSRAMBankNum: 1', 'IfmapSRAMBankNum: 0'],
      '33:19 [0] IfmapSRAMBankNum is zero; write a whole number from 1, such as 10',
    ],
  ])('%s', (_, change, mistake) => {
    expect(configMistakes(v3, change)).toEqual([mistake]);
  });

  it('all of them at once', () => {
    const wrong = configMistakes(
      v2,
      ['ArrayHeight:    32', 'ArrayHeight: x'],
      ['Dataflow : os', 'Dataflow : o'],
      ['run_name', 'name'],
    );
    expect(wrong).toHaveLength(3);
  });

  it('a topology in its place', () => {
    expect(configMistakes(sparse)).toEqual([
      '1:1 [Layer Name, M, N, K, Sparsity,] this is no configuration: it has no [section]; the configuration (.cfg) comes first, then the topology (.csv)',
    ]);
    expect(configMistakes('')).toHaveLength(1);
  });
});

describe('a mistake in a topology is told where it is:', () => {
  it.each([
    [
      'no number',
      'a, 5, x, 3, 3, 2, 6, 1,',
      '2:7 [x] the IFMAP width of layer "a" is not a whole number: "x"; write a whole number from 1',
    ],
    [
      'a fraction',
      'a, 5, 5, 3, 3, 2, 6.5, 1,',
      '2:19 [6.5] the number of filters of layer "a" is not a whole number: "6.5"; write a whole number from 1',
    ],
    [
      'zero',
      'a, 5, 5, 3, 3, 0, 6, 1,',
      '2:16 [0] the number of channels of layer "a" is zero; write a whole number from 1',
    ],
    [
      'a negative stride',
      'a, 5, 5, 3, 3, 2, 6, -1,',
      '2:22 [-1] the stride of layer "a" is not a whole number: "-1"; write a whole number from 1',
    ],
    [
      'a stride width of zero',
      'a, 5, 5, 3, 3, 2, 6, 1, 0,',
      '2:25 [0] the stride width of layer "a" is zero; write a whole number from 1',
    ],
    [
      'an empty field',
      'a, 5, , 3, 3, 2, 6, 1,',
      '2:6 [ ] the IFMAP width of layer "a" is empty; write a whole number from 1',
    ],
    [
      'a field too few',
      'a, 5, 5, 3, 3, 2, 6,',
      '2:21 [] layer "a" ends before its stride; such as "Conv1, 224, 224, 11, 11, 3, 96, 4,"',
    ],
    [
      'many too few',
      'a, 5, 5,',
      '2:9 [] layer "a" ends before its filter height; such as "Conv1, 224, 224, 11, 11, 3, 96, 4,"',
    ],
    [
      'a field too many',
      'a, 5, 5, 3, 3, 2, 6, 1, 1, 1:4, 7,',
      '2:33 [7] layer "a" has a field too many; such as "Conv1, 224, 224, 11, 11, 3, 96, 4,"',
    ],
    [
      'two sparsities',
      'a, 5, 5, 3, 3, 2, 6, 1, 1:4, 1:4,',
      '2:30 [1:4] layer "a" has a field too many; such as "Conv1, 224, 224, 11, 11, 3, 96, 4,"',
    ],
    [
      'a filter too high',
      'a, 5, 9, 6, 6, 2, 6, 1,',
      '2:10 [6] the filter height of layer "a" is 6, more than its IFMAP height of 5; nothing is padded; write the height of the IFMAP with its padding',
    ],
    [
      'a filter too wide',
      'a, 9, 5, 6, 6, 2, 6, 1,',
      '2:13 [6] the filter width of layer "a" is 6, more than its IFMAP width of 5; nothing is padded; write the width of the IFMAP with its padding',
    ],
    [
      'no name',
      ' , 5, 5, 3, 3, 2, 6, 1,',
      '2:2 [, 5, 5, 3, 3, 2, 6, 1,] this layer has no name; write one before the first comma',
    ],
    [
      'N above M',
      'a, 5, 5, 3, 3, 2, 6, 1, 5:4,',
      '2:25 [5:4] the sparsity of layer "a" keeps 5 weights of 4; such as 2:4, two weights of every four',
    ],
    [
      'too many words',
      'a, 1048577, 1048577, 1, 1, 1, 1, 1,',
      '2:1 [a, 1048577, 1048577, 1, 1, 1, 1, 1,] the IFMAP (M x K) of layer "a" has more than 2^40 words; split the layer into smaller ones',
    ],
    [
      'too many channels to go through',
      'DP, 1024, 1024, 1, 1, 2097152, 1, 1,',
      '2:1 [DP, 1024, 1024, 1, 1, 2097152, 1, 1,] the IFMAP (M x K) of layer "DP" has more than 2^40 words; split the layer into smaller ones',
    ],
  ])('%s in a convolution', (_, row, mistake) => {
    expect(rowMistakes(row, 'conv')).toEqual([mistake]);
  });

  it.each([
    ['no number', 'a, 3, n, 5,', '2:7 [n] the N of layer "a" is not a whole number: "n"; write a whole number from 1'],
    ['a field too few', 'a, 3, 4,', '2:9 [] layer "a" ends before its K; such as "Linear1, 128, 64, 256,"'],
    [
      'no N:M',
      'a, 3, 4, 5, 2,',
      '2:13 [2] the sparsity of layer "a" is not N:M: "2"; such as 2:4, two weights of every four',
    ],
    [
      'a sparsity of zero',
      'a, 3, 4, 5, 0:4,',
      '2:13 [0:4] the sparsity of layer "a" is not N:M: "0:4"; such as 2:4, two weights of every four',
    ],
    [
      'a sparsity of three parts',
      'a, 3, 4, 5, 1:2:4,',
      '2:13 [1:2:4] the sparsity of layer "a" is not N:M: "1:2:4"; such as 2:4, two weights of every four',
    ],
    [
      'a quoted name with a comma',
      '"proj, up", 3, 4, 5,',
      '2:1 ["proj, up"] the name "proj, up" has a comma in it, which ends it even between quotes; write the name without commas',
    ],
    [
      'semicolons for commas',
      'a; 3; 4; 5;',
      '2:1 [a; 3; 4; 5;] this line has semicolons between its fields; fields are separated by commas',
    ],
    [
      'tabs for commas',
      'a\t3\t4\t5',
      '2:1 [a\t3\t4\t5] this line has tabs between its fields; fields are separated by commas',
    ],
    [
      'a large IFMAP',
      'a, 1048577, 1, 1048576,',
      '2:1 [a, 1048577, 1, 1048576,] the IFMAP (M x K) of layer "a" has more than 2^40 words; split the layer into smaller ones',
    ],
    [
      'a large filter',
      'a, 1, 1048577, 1048576,',
      '2:1 [a, 1, 1048577, 1048576,] the filter matrix (K x N) of layer "a" has more than 2^40 words; split the layer into smaller ones',
    ],
    [
      'a large OFMAP',
      'a, 1048577, 1048576, 1,',
      '2:1 [a, 1048577, 1048576, 1,] the OFMAP (M x N) of layer "a" has more than 2^40 words; split the layer into smaller ones',
    ],
    [
      'a number beyond all bounds',
      `a, 1${'0'.repeat(400)}, 1, 1,`,
      `2:4 [1${'0'.repeat(400)}] the M of layer "a" is more than 2^40; write a whole number from 1`,
    ],
  ])('%s in a GEMM', (_, row, mistake) => {
    expect(rowMistakes(row, 'gemm')).toEqual([mistake]);
  });

  it.each([
    ['semicolons', ';'],
    ['tabs', '\t'],
  ])('%s for commas in the header and all rows, once', (called, mark) => {
    const text = ['Layer name,M,N,K', 'a,3,4,5', 'b,3,4,5'].join('\n').replaceAll(',', mark);
    const header = text.split('\n')[0];
    expect(topologyMistakes(text, 'gemm')).toEqual([
      `1:1 [${header}] this line has ${called} between its fields; fields are separated by commas`,
    ]);
  });

  it('the largest operands are none', () => {
    expect(rowMistakes('a, 1048576, 1048576, 1048576,', 'gemm')).toEqual([]);
  });

  it('all of them at once', () => {
    expect(rowMistakes('a, 3, x, y,\nb, 1, 2, 3,\nc, 1, 2, 0, 9:1,', 'gemm').map((text) => text.split(' ')[0])).toEqual(
      ['2:7', '2:10', '4:10', '4:13'],
    );
  });

  it('a layer in the first line, which SCALE-Sim skips', () => {
    expect(topologyMistakes('a, 3, 4, 5,\nb, 3, 4, 5,', 'gemm')).toEqual([
      '1:1 [a, 3, 4, 5,] the first line is skipped as the header, but this one is a layer; write a header above it: "Layer name, M, N, K,"',
    ]);
    expect(topologyMistakes('a, 5, 5, 3, x, 2, 6, 1,\nb, 5, 5, 3, 3, 2, 6, 1,', 'conv')).toHaveLength(1);
  });

  it('convolutions read as GEMMs, and the other way round', () => {
    const title = headers.conv.trim();
    expect(topologyMistakes(alexnet, 'gemm')).toEqual([
      `1:1 [${title}] this is a topology of convolutions, but it is read as one of GEMMs; leave out --gemm`,
    ]);
    expect(topologyMistakes(sparse, 'conv')).toEqual([
      '1:1 [Layer Name, M, N, K, Sparsity,] this is a topology of GEMMs, but it is read as one of convolutions; add --gemm',
    ]);
  });

  it('the wrong kind under a header that says nothing', () => {
    expect(topologyMistakes('my layers\na, 5, 5, 3, 3, 2, 6, 1,', 'gemm')).toEqual([
      '1:1 [my layers] this is a topology of convolutions, but it is read as one of GEMMs; leave out --gemm',
    ]);
    expect(topologyMistakes('my layers\na, 5, 5, 3,', 'conv')).toHaveLength(1);
  });

  it('a row too short under the right header is no file of the other kind', () => {
    expect(rowMistakes('a, 5, 5, 3,', 'conv')[0]).toContain('ends before its filter width');
  });

  it('the header of the other kind above rows of this one is none', () => {
    expect(layersOf(`${headers.conv}\na, 3, 4, 5,`, 'gemm')).toMatchObject([{ m: 3, n: 4, k: 5 }]);
  });

  it('another file in its place', () => {
    expect(topologyMistakes(fixture('v3_layout_conv_test.csv'), 'conv')[0]).toContain(
      'this is a layout, not a topology; layouts are not read; give the file with the sizes of the layers',
    );
    expect(topologyMistakes(v2, 'gemm')).toEqual([
      '1:1 [[general]] this is a configuration, not a topology; the configuration (.cfg) comes first, then the topology (.csv)',
    ]);
  });

  it('no layers', () => {
    const hint = 'write "Layer name, M, N, K," and below it layers such as "Linear1, 128, 64, 256,"';
    expect(topologyMistakes('\n\n', 'gemm')).toEqual([`1:1 [] the topology is empty; ${hint}`]);
    expect(topologyMistakes('Layer, M, N, K\n', 'gemm')).toEqual([
      `1:15 [] the topology has a header and no layers; ${hint}`,
    ]);
  });
});
