import { describe, expect, it } from 'vitest';
import { bind } from '../../../models/binding/bind.ts';
import { parseWorkload } from '../../../workloads/language/load.ts';
import type { LoadedWorkload } from '../../../workloads/language/workload.ts';
import { mistakesIn } from '../../workloads/cascades.ts';
import { aMachine, aMapping, plainLinks } from '../machines.ts';

const memoryOf = (dialect: string, channels = 2) =>
  aMachine({ dram: `use: dram/${dialect}, channels: ${channels}, pim: concurrent`, links: plainLinks });

const logicPim = memoryOf('logic-pim-hbm3');

const cascade = (ranks: string, inputs: string, ...einsums: string[]): LoadedWorkload =>
  parseWorkload(
    [
      'workload: test',
      'dtype: fp16',
      `ranks: { ${ranks} }`,
      `inputs: ${inputs}`,
      `output: ${einsums.at(-1)!.split(' = ')[0]}`,
      'cascade: |',
      ...einsums.map((einsum) => `  ${einsum}`),
    ].join('\n'),
    'test.yaml',
  );

const plain = (ranks = 'H: 4, M: 64, N: 2, K: 32') =>
  cascade(ranks, 'W[h,m,k]  X[h,n,k]', 'Y[h,n,m] = X[h,n,k] * W[h,m,k]', 'Z[h,n,m] = exp(Y[h,n,m])');

/** Mistakes of what stands behind `hbm:`, on line 2 from column 15 on. */
const placed = (text: string, arch = logicPim, loaded = plain()) =>
  mistakesIn(() => bind(arch, loaded, aMapping(`place: { hbm: ${text} }`)));

const elsewhere = 'place it on another engine';

describe('a memory', () => {
  it('does products of a matrix and vectors only', () => {
    const message = 'is no product of a matrix and vectors, which is all that hbm computes';
    expect(placed('{ einsums: [Y, Z] }')).toEqual([`2:30 [Z] Z ${message}; ${elsewhere}`]);
    const window = cascade('M: 8, K: 8, I: 15', 'W[i]  X[k]', 'Z[m] = W[m+k] * X[k]');
    expect(placed('{ einsums: [Z] }', logicPim, window)).toEqual([`2:27 [Z] Z ${message}; ${elsewhere}`]);
  });

  it('has to have commands for it', () => {
    expect(placed('{ einsums: [Y] }', memoryOf('hbm-pim'))).toEqual([
      '2:10 [hbm] hbm has no command that multiplies: of HBM-PIM, RDH, WRH, WCRF, WGRA, WGRB, WSRF, WONZ compute; place it on an engine',
    ]);
    const ordinary = aMachine({ dram: 'use: dram/hbm3, channels: 2' });
    for (const arch of [aMachine(), ordinary])
      expect(placed('{ einsums: [Y] }', arch)).toEqual(['2:10 [hbm] hbm computes nothing; place it on an engine']);
  });

  it.each(['rows: m', 'columns: m', 'lanes: m', 'keep: Y'])('has no rows, columns, lanes and registers: %s', (key) => {
    const [name = ''] = key.split(':');
    const lacks = name === 'keep' ? 'registers' : name;
    expect(placed(`{ einsums: [Y], ${key} }`)).toEqual([
      `2:31 [${name}] hbm has no ${lacks}: it is a memory; say in "layout" how its matrices lie`,
    ]);
  });

  it('multiplies numbers of its own width', () => {
    const { workload, places } = plain();
    const bytes = workload.update('tensors', (all) => all.update('X', (tensor) => tensor!.set('dtype', 'int8')));
    expect(placed('{ einsums: [Y] }', logicPim, { workload: bytes, places })).toEqual([
      `2:27 [Y] hbm multiplies fp16, and X of Y is int8; ${elsewhere}`,
    ]);
  });
});

describe('a matrix', () => {
  const inputs = 'W[m,k]  X[k]';

  it('lies in the memory before the run', () => {
    const made = cascade('M: 8, K: 8', inputs, 'A[m,k] = exp(W[m,k])', 'B[k] = exp(X[k])', 'Z[m] = A[m,k] * B[k]');
    expect(placed('{ einsums: [Z] }', logicPim, made)).toEqual([
      `2:27 [Z] Z has no matrix in hbm: B and A are made in the run; ${elsewhere}`,
    ]);
    expect(placed('{ einsums: [Z], layout: { A: {} } }', logicPim, made)).toEqual([
      `2:27 [Z] A of Z is made in the run: a matrix lies in hbm before it; ${elsewhere}`,
    ]);
  });

  it('is there for one einsum', () => {
    const einsums = ['Y[m] = W[m,k] * X[k]', 'B[m] = max(k) W[m,k]', 'Z[m] = Y[m] + B[m]'];
    expect(placed('{ einsums: [Y] }', logicPim, cascade('M: 8, K: 8', inputs, ...einsums))).toEqual([
      `2:27 [Y] W lies in hbm for Y alone, and B reads it, too; ${elsewhere}`,
    ]);
  });

  it('has to fit its channels', () => {
    const large = cascade('M: 200000, K: 4096', inputs, 'Z[m] = W[m,k] * X[k]');
    expect(placed('{ einsums: [Z], layout: { W: { m: bank } } }', memoryOf('neupims-hbm2'), large)).toEqual([
      '2:10 [hbm] W does not fit hbm: in channel 0 it needs 1.638 GB, of 1022 MiB that are left beside other tensors and vectors; lay it over more channels, or make ranks smaller',
    ]);
    expect(() => bind(memoryOf('neupims-hbm2'), large, aMapping('place: { hbm: { einsums: [Z] } }'))).not.toThrow();
  });

  it('has all of what is summed in a tile', () => {
    const lines = ['place: { hbm: { einsums: [Y] } }', 'partition: { K: [K1, K0 8] }', 'loops: [k1]'];
    expect(mistakesIn(() => bind(logicPim, plain(), aMapping(...lines)))).toEqual([
      '4:1 [loops] Y sums over k in hbm, where a tile has all of it; leave k out of the loops',
    ]);
  });
});

describe('a layout', () => {
  const hintOfRows = 'm is of the result: each of its values has a unit, at banks; write "bank" or "[channel, bank]"';

  it.each([
    ['{ V: {} }', '2:41 [V] V is no matrix of Y; one of W'],
    [
      '{ W: {}, X: {} }',
      '2:41 [W] W and X are both operands of Y, and one of them must come as vectors; take one of them out',
    ],
    ['{ W: { mm: bank } }', '2:46 [mm] W has no rank "mm"; did you mean "m"?'],
    ['{ W: { k: bank } }', '2:49 [bank] k is summed, and units of hbm add up along columns; write "column"'],
    ['{ W: { m: column } }', `2:49 [column] ${hintOfRows}`],
    ['{ W: { m: [bank, channel] } }', `2:46 [m] ${hintOfRows}`],
    [
      '{ W: { h: bank } }',
      '2:49 [bank] every h has a matrix of its own, in a channel; write "channel" or "column", or leave it out',
    ],
    ['{ W: { h: column } }', '2:49 [column] matrices of hbm begin rows of their own; leave h out'],
  ])('of %s', (layout, mistake) => {
    expect(placed(`{ einsums: [Y], layout: ${layout} }`)).toEqual([mistake]);
  });

  it('has rows with room for several matrices, where they share them', () => {
    const loaded = plain('H: 4, M: 64, N: 2, K: 400');
    expect(placed('{ einsums: [Y], layout: { W: { h: column } } }', memoryOf('neupims-hbm2'), loaded)).toEqual([
      '2:49 [column] a row of 512 numbers has no room for two of 400; leave h out',
    ]);
  });

  it('is of memories only', () => {
    expect(
      mistakesIn(() => bind(logicPim, plain(), aMapping('place: { array: { einsums: [Y], layout: { W: {} } } }'))),
    ).toEqual(['2:33 [layout] array has no layout: it is of kind array; leave it out']);
  });
});
