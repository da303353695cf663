/** What a machine cannot execute, or a mapping cannot order: which einsum, which operation or tensor, and where. */
import { describe, expect, it } from 'vitest';
import { bind } from '../../models/binding/bind.ts';
import type { LoadedMapping } from '../../workloads/language/mapping.ts';
import type { LoadedWorkload } from '../../workloads/language/workload.ts';
import { mistakesIn } from '../workloads/cascades.ts';
import { aMachine, aMapping, aWorkload, shipped, shippedMachine, smallShapes } from './machines.ts';

const small = (name: string): LoadedWorkload => shipped(name, smallShapes[name]);

describe('operations that no engine has', () => {
  it.each([
    [
      'fusemax',
      'attention-gqa',
      'mac: 1, max: 1, add: 1, exp: 6 mac',
      [
        '22:3 [AV] no engine can run AV, which needs divide: array lacks divide, it has add, exp, mac, max; vector lacks divide, it has add, exp, mac, max; add divide to the operations of vector',
      ],
    ],
    [
      'flat',
      'mamba-scan',
      'mac: 1, add: 1, exp: 1',
      [
        '12:3 [DT] no engine can run DT, which needs exp, add and log: array lacks exp, add and log, it has mac; vector lacks log, it has add, exp, mac; add log to the operations of vector',
      ],
    ],
    [
      'tpu-v4',
      'mlp-gated',
      'mac: 1, add: 1',
      [
        '12:3 [A] no engine can run A, which needs sigmoid and mul: array lacks sigmoid, it has mac; vector lacks sigmoid, it has add, mac; add sigmoid to the operations of vector',
      ],
    ],
    [
      'systolic',
      'softmax',
      'mac: 1, add: 1',
      [
        '10:3 [GM] no engine can run GM, which needs max: array lacks max, it has mac; vector lacks max, it has add, mac; add max to the operations of vector',
        '11:3 [SN] no engine can run SN, which needs sub and exp: array lacks sub and exp, it has mac; vector lacks exp, it has add, mac; add exp to the operations of vector',
        '13:3 [Y] no engine can run Y, which needs divide: array lacks divide, it has mac; vector lacks divide, it has add, mac; add divide to the operations of vector',
      ],
    ],
    [
      'gemmini',
      'layer-norm',
      'mac: 1, add: 1, divide: 1',
      [
        '15:3 [SCALE] no engine can run SCALE, which needs divide, add and rsqrt: array lacks divide, add and rsqrt, it has mac; vector lacks rsqrt, it has add, divide, mac; add rsqrt to the operations of vector',
      ],
    ],
  ])('of %s are all told, for %s', (machine, name, operations, mistakes) => {
    const arch = shippedMachine(machine, [`vector.operations={ ${operations} }`]);
    expect(mistakesIn(() => bind(arch, small(name)))).toEqual(mistakes);
  });

  it.each([
    ['flat', ['LM needs max', 'SLN needs sub and exp', 'SLD needs add']],
    ['gemmini', ['LM needs max', 'SLN needs sub and exp', 'SLD needs add']],
    ['systolic', ['LM needs max', 'SLN needs sub and exp', 'SLD needs add']],
    ['tpu-v4', ['LM needs max', 'SLN needs sub and exp', 'SLD needs add']],
    ['fusemax', []],
  ])('of the array of %s are told where they are placed there', (machine, needs) => {
    const mapping = aMapping('place:', '  array: { einsums: [QK, LM, SLN, SLD] }');
    const columns = [26, 30, 35];
    expect(mistakesIn(() => bind(shippedMachine(machine), small('attention-gqa'), mapping))).toEqual(
      needs.map((text, i) => {
        const [einsum] = text.split(' ');
        return `3:${columns[i]} [${einsum}] ${text}, which array lacks: it has mac; place it on another engine`;
      }),
    );
  });

  it('leave einsums that an engine can run alone', () => {
    const arch = shippedMachine('fusemax', ['vector.operations={ mac: 1, add: 1, max: 1, divide: 1 }']);
    // The exponentials go to the array.
    expect(mistakesIn(() => bind(arch, small('attention-3-pass')))).toEqual([]);
  });
});

describe('a second pass', () => {
  const again = (einsum: string, loop: string, tensor: string): string =>
    `${einsum} needs another pass over ${loop}: ${tensor} is complete only when ${loop} has ended; leave ${loop} out of the loops, or put ${einsum} into a later section`;

  it.each<[string, LoadedMapping, string]>([
    ['softmax', aMapping('loops: [m]'), `2:1 [loops] ${again('SN', 'm', 'GM')}`],
    [
      'layer-norm',
      aMapping('partition: { D: [D1, D0 8] }', 'loops: [b, p, d1]'),
      `3:1 [loops] ${again('XC', 'd1', 'MEAN')}`,
    ],
    [
      'attention-sliding-window',
      aMapping('partition: { W: [W1, W0 4] }'),
      `2:1 [partition] ${again('SN', 'w1', 'GM')}`,
    ],
    ['mlp', aMapping('partition: { D: [D1, D0 4] }'), `2:1 [partition] ${again('GW', 'd1', 'G')}`],
    ['bottleneck', aMapping('loops: [n, p]'), `2:1 [loops] ${again('C2', 'p', 'A1')}`],
    [
      'attention-2-pass',
      aMapping(
        'sections:',
        '  - { einsums: [QK, LM, SLN, SLD], loops: [m1] }',
        '  - { einsums: [GM, PLM], loops: [m1] }',
      ),
      `4:27 [loops] ${again('PLM', 'm1', 'GM')}`,
    ],
  ])('of %s is refused where its loops are', (name, mapping, mistake) => {
    for (const machine of ['flat', 'fusemax', 'tpu-v4']) {
      expect(mistakesIn(() => bind(shippedMachine(machine), small(name), mapping))).toEqual([mistake]);
    }
  });
});

describe('an iterative rank that is no loop', () => {
  const needs = (einsum: string, variable: string): string =>
    `${einsum} needs its own last iteration's value: ${variable} must be one of the loops; name ${variable} in "loops"`;

  it.each<[string, LoadedMapping, string]>([
    ['mamba-scan', aMapping('loops: [b, d]'), `2:1 [loops] ${needs('H', 't')}`],
    ['mamba-scan', aMapping('partition: { D: [D1, D0 8] }'), `2:1 [partition] ${needs('H', 't')}`],
    [
      'mamba-scan',
      aMapping('partition: { T: [T1, T0 3] }', 'loops: [b, t1]'),
      `3:1 [loops] ${needs('H', 't')} in place of parts of T`,
    ],
    [
      'attention-gqa',
      aMapping('sections:', '  - { einsums: [QK, LM], loops: [b, g, m1] }', '  - { einsums: [RM], loops: [b, g] }'),
      `4:22 [loops] ${needs('RM', 'm1')}`,
    ],
  ])('of %s is asked for', (name, mapping, mistake) => {
    expect(mistakesIn(() => bind(shippedMachine('fusemax'), small(name), mapping))).toEqual([mistake]);
  });
});

describe('a link that is missing', () => {
  const out = 'out: { kind: scratchpad, clock: core, capacity: 1 MiB, width: 1 KiB }';
  const product = 'Y[m,n] = A[m,k] * B[k,n]\nZ[m,n] = exp(Y[m,n])';

  it.each<[string, readonly string[], string, LoadedMapping | null, string]>([
    [
      'from the vector unit to memory',
      ['hbm <-> buffer via dma', 'buffer <-> array', 'buffer -> vector', 'array -> vector'],
      product,
      null,
      '7:3 [Z] no scratchpad for results joins vector to memory, which Z needs: vector reads from buffer and array and writes to nothing; hbm is joined to buffer',
    ],
    [
      'to the vector unit',
      ['hbm <-> buffer via dma', 'buffer <-> array', 'vector -> buffer'],
      'Y[m,n] = exp(C[m,n])\nZ[m,n] = A[m,k] * B[k,n] + Y[m,n]',
      null,
      '6:3 [Y] no scratchpad for inputs joins a memory to vector, where Y reads C: vector reads from nothing and writes to buffer; hbm is joined to buffer',
    ],
    [
      'from the vector unit to the array',
      [
        'hbm <-> buffer via dma',
        'hbm <-> out via dma',
        'buffer -> array',
        'buffer -> vector',
        'array -> vector',
        'vector -> out',
      ],
      'Y[m,k] = exp(A[m,k])\nZ[m,n] = Y[m,k] * B[k,n]',
      aMapping('loops: [m]'),
      '6:3 [Y] no scratchpad for results joins vector to array, which Y needs: vector reads from buffer and array and writes to out; hbm is joined to buffer and out',
    ],
    [
      'for partial sums back to the array',
      ['hbm <-> buffer via dma', 'hbm <-> out via dma', 'buffer -> array', 'array -> out', 'buffer <-> vector'],
      'Z[m,n] = A[m,k] * B[k,n]',
      aMapping('loops: [k, m]'),
      '6:3 [Z] Z needs a link from out to array, which the machine lacks: array reads from buffer and writes to out; hbm is joined to buffer and out; add the link "out -> array"',
    ],
    [
      'for partial sums out of the array',
      ['hbm <-> buffer via dma', 'buffer -> array', 'array -> vector', 'buffer <-> vector'],
      product,
      aMapping('loops: [k, m]'),
      "2:1 [loops] Y's partial sums need a scratchpad that array writes and reads",
    ],
  ])('%s is named, with the einsum that needs it', (_, links, cascade, mapping, mistake) => {
    const inputs = cascade.includes('C[') ? 'A[m,k]  B[k,n]  C[m,n]' : 'A[m,k]  B[k,n]';
    const workload = aWorkload(cascade, { ranks: 'M: 8, N: 8, K: 8', inputs });
    const arch = aMachine({ links, more: links.some((link) => link.includes('out')) ? [out] : [] });
    expect(mistakesIn(() => bind(arch, workload, mapping))).toEqual([mistake]);
  });
});
