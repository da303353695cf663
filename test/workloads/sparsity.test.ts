import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeWorkload } from '../../workloads/language/describe.ts';
import { randomInputs } from '../../workloads/language/evaluate.ts';
import { loadWorkload, parseWorkload } from '../../workloads/language/load.ts';
import { totalOperations } from '../../workloads/language/shapes.ts';
import { compressedBytes, keptAlong, keptElements, metadataBits } from '../../workloads/language/sparsity.ts';
import { Sparsity, type Workload } from '../../workloads/language/workload.ts';
import { mistakesIn } from './cascades.ts';

interface Head {
  readonly ranks?: string;
  readonly inputs?: string;
  readonly dtype?: string;
  readonly split?: string;
}

/** A product of matrices with a sparse operand; `sparse` begins in line 6. */
function product(sparse: string, { ranks, inputs, dtype, split }: Head = {}): Workload {
  const text = [
    'workload: test',
    `ranks: { ${ranks ?? 'M: 3, N: 5, K: 8'} }`,
    `inputs: A[m,k]  ${inputs ?? 'W[k,n]'}`,
    `dtype: ${dtype ?? 'bf16'}`,
    'output: Z[m,n]',
    `sparse: ${sparse}`,
    ...(split === undefined ? [] : [`split: { ${split} }`]),
    `cascade: Z[m,n] = ${split === undefined ? 'A[m,k] * W[k,n]' : 'A[m,k1,k0] * W[k1,k0,n]'}`,
  ];
  return parseWorkload(text.join('\n'), 'test.yaml').workload;
}

const pattern = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .map(([a, b]) => ({ kept: Math.min(a, b), of: Math.max(a, b) }));

describe('an N:M pattern', () => {
  it('keeps N of every whole block, and of the rest as many as are there, at most N', () => {
    const kept = (extent: number, kept: number, of: number): number => keptAlong(extent, new Sparsity({ kept, of }));
    expect([8, 9, 10, 11].map((extent) => kept(extent, 2, 4))).toEqual([4, 5, 6, 6]);
    expect([kept(2, 3, 4), kept(7, 1, 3), kept(7, 4, 4)]).toEqual([2, 3, 7]);
    fc.assert(
      fc.property(pattern, fc.integer({ min: 0, max: 40 }), (ratio, extent) => {
        let count = 0;
        for (let i = 0; i < extent; i++) if (i % ratio.of < ratio.kept) count++;
        expect(keptAlong(extent, new Sparsity(ratio))).toBe(count);
      }),
    );
  });

  it('needs as many bits for each element kept as say where in its block it is, but none when all are', () => {
    const bits = (kept: number, of: number): number => metadataBits(new Sparsity({ kept, of }));
    expect([bits(2, 4), bits(1, 3), bits(1, 2), bits(4, 8), bits(5, 9)]).toEqual([2, 2, 1, 3, 4]);
    expect([bits(1, 1), bits(4, 4)]).toEqual([0, 0]);
  });

  it('compresses a tensor to whole bytes of values and positions', () => {
    const bytes = (sparse: string, head: Head): number => compressedBytes(product(sparse, head).tensors.get('W')!);
    // 4 of 8 elements of 5 columns: 20 of 16 bits and 2.
    expect(bytes('{ W: 2:4 along k }', {})).toBe(45);
    // 4 of 5 rows of 8: 32 of 4 bits and 2; and one row of 3.
    expect(bytes('{ W: 3:4 along n }', { dtype: 'int4' })).toBe(24);
    expect(bytes('{ W: 1:5 along n }', { ranks: 'M: 3, N: 3, K: 1', dtype: 'int1' })).toBe(1);
    expect(bytes('{ W: 4:4 along k }', {})).toBe(80);
    expect(compressedBytes(product('{ W: 2:4 along k }').tensors.get('A')!)).toBe(48);
  });
});

describe('random inputs', () => {
  it('keep at most N of every block along the rank, and all that may be kept', () => {
    const dimension = fc.constantFrom('k', 'n');
    fc.assert(
      fc.property(
        pattern,
        dimension,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (ratio, rank, n, k) => {
          const workload = product(`{ W: ${ratio.kept}:${ratio.of} along ${rank} }`, {
            ranks: `M: 1, N: ${n}, K: ${k}`,
          });
          const tensor = workload.tensors.get('W')!;
          const values = randomInputs(workload, 4).get('W')!;
          expect(values.filter((value) => value !== 0).length).toBe(keptElements(tensor));
          const blocks = new Map<string, number>();
          values.forEach((value, i) => {
            const [row, column] = [Math.floor(i / n), i % n];
            const block =
              rank === 'k' ? `${Math.floor(row / ratio.of)},${column}` : `${row},${Math.floor(column / ratio.of)}`;
            blocks.set(block, (blocks.get(block) ?? 0) + Number(value !== 0));
          });
          expect(Math.max(...blocks.values())).toBeLessThanOrEqual(ratio.kept);
        },
      ),
    );
  });

  it('keep elements at every position of a block, the same for the same seed', () => {
    const workload = product('{ W: 1:4 along k }', { ranks: 'M: 1, N: 1, K: 4000' });
    const values = randomInputs(workload, 8).get('W')!;
    for (const position of [0, 1, 2, 3]) {
      const kept = values.filter((value, i) => value !== 0 && i % 4 === position).length;
      expect(Math.abs(kept - 250)).toBeLessThan(50);
    }
    expect(randomInputs(workload, 8).get('W')).toEqual(values);
    expect(randomInputs(workload, 9).get('W')).not.toEqual(values);
  });

  it('are those of dense tensors where nothing is sparse', () => {
    const dense = randomInputs(product('{}'), 2);
    expect(randomInputs(product('{ W: 2:4 along k }'), 2).get('A')).toEqual(dense.get('A'));
    expect(randomInputs(product('{ W: 4:4 along k }'), 2).get('W')).toEqual(dense.get('W'));
  });
});

describe('the sparsity of a tensor', () => {
  it('is that of the dimension that the rank is', () => {
    const sparsityOf = (sparse: string) => product(sparse).tensors.get('W')!.sparsity!.toObject();
    expect(sparsityOf('{ W: 2:4 along k }')).toEqual({ kept: 2, of: 4, rank: 'k', dimension: 0 });
    expect(sparsityOf('{ W: 1:3 along n }')).toEqual({ kept: 1, of: 3, rank: 'n', dimension: 1 });
    expect(product('{ W: 2:4 along k }').tensors.get('A')!.sparsity).toBeNull();
  });

  it('is that of the innermost part of a split rank', () => {
    const { tensors } = product('{ W: 2:4 along k }', { split: 'K: [K1, K0 4]' });
    expect(tensors.get('W')!.sparsity!.toObject()).toEqual({ kept: 2, of: 4, rank: 'k0', dimension: 1 });
  });

  it('leaves the operations those of the dense einsum', () => {
    const { workload } = loadWorkload('workloads/gemm-sparse-2-4.yaml');
    expect([...totalOperations(workload)]).toEqual([['mac', 2 ** 30]]);
  });

  it('is shown with the size that it leaves', () => {
    const text = describeWorkload(loadWorkload('workloads/gemm-sparse-2-4.yaml'));
    expect(text).toMatch(/ W {2}input .* 2 MiB {2}2:4 along k: 1\.13 MiB compressed\n/);
    expect(text).toMatch(/ A {2}input .* 2 MiB\n/);
  });

  it('is taken over from a used workload, in the names of the graph', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sparse-'));
    const used = [
      'workload: used',
      'ranks: { M: 4, N: 4, K: 4 }',
      'inputs: A[m,k]  W[k,n]',
      'output: Z[m,n]',
      'sparse: { W: 2:4 along k }',
      'cascade: Z[m,n] = A[m,k] * W[k,n]',
    ];
    writeFileSync(join(folder, 'used.yaml'), used.join('\n'));
    const graph = (inputs: string): string =>
      [
        'workload: graph',
        'ranks: { M: 4, N: 4, D: 8 }',
        `inputs: ${inputs}`,
        'output: Z[m,n]',
        'graph: [{ step: s, use: used, with: { ranks: { K: D }, tensors: { W: WD } } }]',
      ].join('\n');
    const { workload } = parseWorkload(graph('A[m,d]  WD[d,n]'), join(folder, 'graph.yaml'));
    expect(workload.tensors.get('WD')!.sparsity!.toObject()).toEqual({ kept: 2, of: 4, rank: 'd', dimension: 0 });
    const named = parseWorkload(`${graph('A[m,d]  WD[d,n]')}\nsparse: { WD: 2:4 along d }`, join(folder, 'graph.yaml'));
    expect(named.workload.tensors).toEqual(workload.tensors);
    const other = `${graph('A[m,d]  WD[d,n]')}\nsparse: { WD: 1:4 along d }`;
    expect(mistakesIn(() => parseWorkload(other, join(folder, 'graph.yaml')))).toEqual([
      '6:11 [WD] WD is 2:4 along d already',
    ]);
  });
});

describe('mistakes', () => {
  it.each([
    ['{ W: 4:2 along k }', '6:14 [4:2] 4 elements cannot be kept of 2; write 2:4'],
    ['{ W: 0:4 along k }', '6:14 [0:4] nothing is kept of a block; write 1:4'],
    ['{ W: 2:0 along k }', '6:14 [2:0] 2 elements cannot be kept of 0; a block has at least one element'],
    ['{ WW: 2:4 along k }', '6:11 [WW] there is no input "WW"; did you mean "W"?'],
    ['{ Z: 2:4 along m }', '6:11 [Z] Z is computed: its sparsity cannot be known; one of A, W'],
    ['{ W: 2:4 along m }', '6:24 [m] W has no rank m: it is W[k,n]; one of k, n'],
    ['{ W: 2:4 along K }', '6:24 [K] "K" stands where a rank variable is expected'],
    ['{ W: 2:4 of k }', '6:18 [of] "of" stands where "along" is expected'],
    ['{ W: 2:4 }', '6:17 [ ] the line ends where "along" is expected'],
    ['{ W: 2.5:4 along k }', '6:14 [2.5] "2.5" is no whole number; elements are whole'],
    ['{ W: half }', '6:14 [half] "half" stands where a pattern such as "2:4 along k" is expected'],
    ['{ W: 2:4 along k n }', '6:26 [n] "n" stands where the end is expected'],
    ['{ W: 0.5 }', '6:14 [0.5] "W" is not a string; such as "W: 2:4 along k"'],
    ['W 2:4', '6:9 [W 2:4] "sparse" is not a map of keys and values'],
  ])('sparse: %s', (sparse, mistake) => {
    expect(mistakesIn(() => product(sparse)).join('\n')).toContain(mistake);
  });

  it('a block must not lie across parts of a split rank', () => {
    expect(
      mistakesIn(() => product('{ W: 2:4 along k }', { ranks: 'M: 3, N: 5, K: 12', split: 'K: [K1, K0 6]' })),
    ).toEqual(['6:24 [k] blocks of 4 along k do not divide its part K0 of 6; make K0 a multiple of 4']);
  });

  it('a pattern along a whole rank is none along one of the parts that a graph declares', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sparse-'));
    const common = ['ranks: { M: 4, K: 8 }', 'split: { K: [K1, K0 4] }', 'output: Z[m]'];
    const cascade = 'cascade: Z[m] = A[m,k1,k0] * W[k1,k0]';
    const used = ['workload: used', ...common, 'inputs: A[m,k]  W[k]', 'sparse: { W: 2:4 along k }', cascade];
    writeFileSync(join(folder, 'used.yaml'), used.join('\n'));
    const graph = ['workload: graph', ...common, 'inputs: A[m,k]  W[k1,k0]', 'graph: [{ step: s, use: used }]'];
    expect(mistakesIn(() => parseWorkload(graph.join('\n'), join(folder, 'graph.yaml')))).toEqual([
      '6:24 [k] W has no rank k: it is W[k1,k0]; did you mean "k1"?',
    ]);
  });

  it('a block may be larger than its rank', () => {
    const workload = product('{ W: 2:4 along k }', { ranks: 'M: 3, N: 5, K: 3' });
    expect(keptElements(workload.tensors.get('W')!)).toBe(10);
  });
});
