import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { is } from 'immutable';
import { describe, expect, it } from 'vitest';
import { einsumText } from '../../workloads/language/describe.ts';
import { loadWorkload, parseWorkload } from '../../workloads/language/load.ts';
import { einsumsOf, type Workload } from '../../workloads/language/workload.ts';
import { aWorkload, mistakesIn, mistakesOf } from './cascades.ts';

const matmul = 'Z[m,n] = A[m,k] * B[k,n]';
const shapeOf = (workload: Workload, tensor: string): number[] => workload.tensors.get(tensor)!.shape.toArray();
const linesOf = (workload: Workload): string[] => einsumsOf(workload).map(einsumText);

describe('ranks', () => {
  it('are counts, or arithmetic on ranks and parameters in any order', () => {
    const text = [
      'workload: test',
      'parameters: { WIDTH: 4 }',
      'ranks: { F: WIDTH * D, D: 1 Ki, E: (D - 24) / 8 }',
      'inputs: A[d,f]',
      'output: Z[e,d]',
      'cascade: Z[e,d] = A[d,f] / WIDTH',
    ].join('\n');
    const { ranks } = parseWorkload(text, 'test.yaml').workload;
    expect(ranks.toObject()).toEqual({ F: 4096, D: 1024, E: 125 });
    const narrow = parseWorkload(text, 'test.yaml', { shape: ['WIDTH=2', 'E = 3'] }).workload;
    expect(narrow.ranks.toObject()).toEqual({ F: 2048, D: 1024, E: 3 });
  });

  it.each([
    ['M: 4, N: 3, K: 5 / 2', '2:25 [5 / 2] rank K is 2.5: 5 / 2 is not a whole number from 1 up'],
    ['M: 4, N: 3, K: 0', '2:25 [0] rank K is 0: 0 is not a whole number from 1 up'],
    ['M: 4, N: 3, K: 2 * MM', '2:29 [MM] there is no rank or parameter "MM"; did you mean "M"?'],
    ['M: N, N: M, K: 2', '2:13 [N] M depends on itself; N leads back to M'],
    ['M: 4, N: 3, K: 2 *', '2:28 [ ] the line ends where a tensor, a number or a function is expected'],
    ['M: 4, N: 3, K: 16 KB', '2:25 [16 KB] "16 KB" is a size, but K needs a count; write 16'],
    ['M: 4, N: 3, K: ', '2:26 [}] "K" is not a number or a string; such as "K: 1024"'],
    ['M: 4, N: 3, K: 2, k: 2', '2:28 [k] "k" is no name of a rank; ranks are in upper case, such as K'],
  ])('{ %s } is a mistake', (ranks, mistake) => {
    expect(mistakesOf(matmul, { ranks })).toContain(mistake);
  });

  it('may be set from outside', () => {
    const workload = aWorkload(matmul, {}, { shape: ['M=16', 'K=4 Ki'] });
    expect(workload.ranks.toObject()).toEqual({ M: 16, N: 3, K: 4096 });
    expect(shapeOf(workload, 'A')).toEqual([16, 4096]);
  });

  it('that do not exist cannot be set', () => {
    expect(mistakesOf(matmul, {}, { shape: ['MM=16', 'K'] })).toEqual([
      '"K" sets no rank; write P=4096',
      'there is no rank "MM" to set; did you mean "M"?',
    ]);
    expect(mistakesOf(matmul, {}, { shape: ['M=0', 'N=1 MiB'] })).toEqual([
      '--shape M=0: "0" is zero, but rank M cannot be',
      '--shape N=1 MiB: "1 MiB" is a size, but rank N needs a count; write 1',
    ]);
  });
});

describe('a split rank', () => {
  const parts = { ranks: 'M: 12, N: 3', split: 'M: [M1, M0 4]', inputs: 'A[m,n]  B[m,n]', output: 'Z[n]' };
  const cascade = 'X[m1,n] = A[m1,m0,n]\nZ[n] = X[m1,n] * B[m1,m0,n]';

  it('has an outer part that follows from the rank and the inner part', () => {
    expect(aWorkload(cascade, parts).ranks.toObject()).toEqual({ M: 12, M1: 3, M0: 4, N: 3 });
    expect(aWorkload(cascade, parts, { shape: ['M=8'] }).ranks.get('M1')).toBe(2);
    expect(aWorkload(cascade, parts, { shape: ['M0=6'] }).ranks.get('M1')).toBe(2);
  });

  it('may be cut more than once', () => {
    const workload = aWorkload('Z[n] = A[m2,m1,m0,n] * B[m,n]', { ...parts, split: 'M: [M2, M1 3, M0 2]' });
    expect(workload.ranks.toObject()).toEqual({ M: 12, M2: 2, M1: 3, M0: 2, N: 3 });
    expect(workload.split.get('M')!.toArray()).toEqual(['M2', 'M1', 'M0']);
  });

  it('shorter than its inner part is one part', () => {
    const { ranks } = aWorkload(cascade, parts, { shape: ['M=3'] });
    expect([ranks.get('M1'), ranks.get('M0')]).toEqual([1, 3]);
  });

  it('must be divided by its inner part', () => {
    expect(mistakesOf(cascade, { ...parts, ranks: 'M: 14, N: 3' })).toEqual([
      '2:13 [14] M is 14, which its part M0 of 4 does not divide; the nearest that 4 divides are 12 and 16',
    ]);
    expect(mistakesOf(cascade, parts, { shape: ['M=14'] })).toEqual([
      '8:10 [M] M is 14, which its part M0 of 4 does not divide; the nearest that 4 divides are 12 and 16',
    ]);
  });

  it('has an outermost part that cannot be set', () => {
    expect(mistakesOf(cascade, parts, { shape: ['M1=2'] })).toEqual([
      'the extent of M1 follows from M and M0; set M or M0',
    ]);
  });

  it.each([
    [
      'M: [M1 3, M0 4]',
      '8:14 [M1 3] the extent of M1, the outermost part, follows from M and the other parts; write "M1"',
    ],
    ['M: [M1, M0]', '8:18 [M0] M0 needs a size; such as "M0 256"'],
    ['M: [M1, N 4]', '8:18 [N 4] N is a rank already; name the part of M otherwise'],
    ['Q: [Q1, Q0 4], M: [M1, M0 4]', '8:10 [Q] there is no rank "Q" to split; one of M, N'],
  ])('split: { %s } is a mistake', (split, mistake) => {
    expect(mistakesOf(cascade, { ...parts, split })).toContain(mistake);
  });

  it('gives an input that is read by its parts a dimension for each', () => {
    const workload = aWorkload(cascade, parts);
    expect(shapeOf(workload, 'A')).toEqual([3, 4, 3]);
    expect(linesOf(workload)).toEqual(cascade.split('\n'));
  });

  it('leaves an input whole that is read by parts and whole as well', () => {
    const workload = aWorkload('X[m1,n] = A[m1,m0,n]\nZ[n] = X[m1,n] * A[m,n]', parts);
    expect(shapeOf(workload, 'A')).toEqual([12, 3]);
    expect(linesOf(workload)[0]).toBe('X[m1,n] = A[4*m1+m0,n]');
  });

  it('leaves a tensor whole that is produced whole', () => {
    const workload = aWorkload('X[m,n] = A[m,n] * B[m,n]\nZ[n] = max(m1, m0) X[m1,m0,n]', parts);
    expect(shapeOf(workload, 'X')).toEqual([12, 3]);
    expect(linesOf(workload)[1]).toBe('Z[n] = max(m1, m0) X[4*m1+m0,n]');
  });

  it('may walk over another rank of the same extent, and of no other', () => {
    const inputs = 'A[p,n]';
    const line = 'Z[n] = A[m1,m0,n] * A[p,n]';
    expect(linesOf(aWorkload(line, { ...parts, inputs, ranks: 'M: 12, P: M, N: 3' }))).toEqual([
      'Z[n] = A[4*m1+m0,n] * A[p,n]',
    ]);
    expect(mistakesOf(line, { ...parts, inputs, ranks: 'M: 12, P: 8, N: 3' })).toEqual([
      '6:12 [m1] m1,m0 has extent 12, but A has 8 there; it is A[p,n]',
    ]);
  });
});

describe('tensors', () => {
  it('have the data type of the workload, or their own', () => {
    const inputs = 'A[m,k] int8, "B[k,n]": fp32'.replaceAll('"', '');
    const workload = aWorkload(matmul, { inputs: `"${inputs}"`, output: 'Z[m,n] fp32' });
    expect(workload.tensors.map(({ dtype, role }) => `${role} ${dtype}`).toObject()).toEqual({
      A: 'input int8',
      B: 'input fp32',
      Z: 'output fp32',
    });
    expect(aWorkload(matmul).tensors.get('A')!.dtype).toBe('bf16');
  });

  it.each([
    [{ inputs: 'A[m,k] int9  B[k,n]' }, '3:16 [int9] "int9" is no data type; did you mean "int8"?'],
    [{ inputs: 'A[m,k]  B[k,n]  A[m]' }, '3:25 [A] A is an input already, in line 3; give this one another name'],
    [{ inputs: 'A[m,K]  B[k,n]' }, '3:13 [K] K is no index of an input; write k'],
    [{ output: 'Y[m,n]' }, '4:9 [Y] no einsum produces "Y"; one of Z'],
    [{ output: 'A[m,k]' }, '4:9 [A] A is an input, not an output; one of Z'],
    [{ output: 'Z[n,m]' }, '4:9 [Z[n,m]] Z is not what line 6 produces; write Z[m,n]'],
  ])('%j is a mistake', (parts, mistake) => {
    expect(mistakesOf(matmul, parts)).toContain(mistake);
  });
});

describe('a workload file', () => {
  it('has all its mistakes reported at once, also with unknown keys in it', () => {
    const text = [
      'workload: test',
      'rank: { M: 3 }',
      'ranks: { M: 2 }',
      'inputs: A[m]',
      'output: Z[m]',
      'cascade: Z[m] = B[m]',
    ];
    expect(mistakesIn(() => parseWorkload(text.join('\n'), 'test.yaml'))).toEqual([
      '2:1 [rank] unknown key "rank"; did you mean "ranks"?',
      '6:17 [B] there is no tensor "B"; one of A, Z',
    ]);
  });

  it('shows the line of a mistake in the file that it is in', () => {
    const text = [
      'workload: test',
      'ranks: { M: 2 }',
      'inputs: A[m]',
      'output: Z[m]',
      'cascade: |',
      '  Z[m] = exp(A[m]',
    ];
    expect(() => parseWorkload(text.join('\n'), 'a/test.yaml')).toThrow(
      [
        'a/test.yaml:6:18  the line ends where "," or ")" is expected',
        '   6 |   Z[m] = exp(A[m]',
        '     |                  ^',
      ].join('\n'),
    );
  });

  it('may have its tensors on several lines', () => {
    const text = [
      'workload: test',
      'ranks: { M: 2 }',
      'inputs:',
      '  A[m]',
      '  B[q]  C[m] int9',
      'output: Z[m]',
      'cascade: Z[m] = A[m]',
    ];
    expect(mistakesIn(() => parseWorkload(text.join('\n'), 'test.yaml'))).toEqual([
      '5:5 [q] there is no rank "Q"; give it an extent under "ranks"',
      '5:14 [int9] "int9" is no data type; did you mean "int8"?',
    ]);
  });

  it('must say what is computed, once', () => {
    const head = 'workload: test\nranks: { M: 2 }\ninputs: A[m]\noutput: A[m]\n';
    expect(mistakesIn(() => parseWorkload(head, 'test.yaml'))).toContain(
      '1:1 [w] nothing is computed; write either a cascade of einsums or a graph of steps',
    );
    expect(mistakesIn(() => parseWorkload(`${head}cascade: Z[m] = A[m]\ngraph: []`, 'test.yaml'))).toContain(
      '6:1 [graph] "graph" stands beside "cascade"; write either a cascade of einsums or a graph of steps',
    );
  });

  it('gives an equal value for an equal text, and places by einsum', () => {
    expect(is(aWorkload(matmul), aWorkload(matmul))).toBe(true);
    expect(is(aWorkload(matmul), aWorkload(matmul, {}, { shape: ['M=5'] }))).toBe(false);
    const { places } = loadWorkload('workloads/attention-1-pass.yaml');
    expect(places.get('LM')).toMatchObject({ line: 12, column: 3, length: 2 });
  });
});

describe('a graph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workloads-'));
  const file = (name: string, ...lines: string[]): string => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, lines.join('\n'));
    return path;
  };
  file(
    'scale',
    'workload: scale',
    'parameters: { FACTOR: 2 }',
    'ranks: { N: 4, R: N / 2 }',
    'split: { N: [N1, N0 2] }',
    'inputs: X[n]',
    'output: Y[n1,n0]',
    'cascade: |',
    '  T[n1,n0] = X[n1,n0] * FACTOR',
    '  S[]      = T[n1,n0] * R',
    '  Y[n1,n0] = T[n1,n0] + S[]',
  );
  const graph = (steps: string[], head: { ranks?: string; output?: string; inputs?: string } = {}): string =>
    [
      'workload: graph',
      `ranks: { ${head.ranks ?? 'N: 8'} }`,
      `inputs: ${head.inputs ?? 'A[n]'}`,
      `output: ${head.output ?? 'Z[n1,n0]'}`,
      'graph:',
      ...steps.map((step) => `  - ${step}`),
    ].join('\n');
  const load = (steps: string[], head = {}): Workload =>
    parseWorkload(graph(steps, head), join(folder, 'graph.yaml')).workload;

  it('puts used workloads in the place of their steps', () => {
    const workload = load([
      '{ step: first, use: scale, with: { tensors: { X: A } } }',
      '{ step: again, use: scale.yaml, with: { tensors: { X: Y, Y: Z } }, repeat: 3 }',
    ]);
    expect(workload.steps.map(({ name, repeat }) => `${name} ${repeat}`).toArray()).toEqual(['first 1', 'again 3']);
    expect(linesOf(workload)).toEqual([
      'first.T[n1,n0] = A[n1,n0] * 2',
      'first.S[] = first.T[n1,n0] * 4',
      'Y[n1,n0] = first.T[n1,n0] + first.S[]',
      'again.T[n1,n0] = Y[n1,n0] * 2',
      'again.S[] = again.T[n1,n0] * 4',
      'Z[n1,n0] = again.T[n1,n0] + again.S[]',
    ]);
  });

  it('has its own extents of ranks, and takes over the others', () => {
    const { ranks, split } = load(['{ step: s, use: scale, with: { tensors: { X: A, Y: Z } } }']);
    expect(ranks.toObject()).toEqual({ N: 8, N1: 4, N0: 2, R: 4 });
    expect(split.get('N')!.toArray()).toEqual(['N1', 'N0']);
  });

  it('may call ranks otherwise than the workloads that it uses', () => {
    const step = (ranks: string) => `{ step: s, use: scale, with: { ranks: { ${ranks} }, tensors: { X: A, Y: Z } } }`;
    const workload = load([step('N: P')], { ranks: 'P: 16', inputs: 'A[p]', output: 'Z[n1,n0]' });
    expect(workload.ranks.toObject()).toEqual({ P: 16, N1: 8, N0: 2, R: 8 });
    expect(linesOf(workload)[0]).toBe('s.T[n1,n0] = A[n1,n0] * 2');
  });

  it('that splits a rank itself has that split used', () => {
    const text = graph(['{ step: s, use: scale, with: { tensors: { X: A, Y: Z } } }'], { output: 'Z[na,nb]' });
    const { workload } = parseWorkload(`${text}\nsplit: { N: [NA, NB 4] }`, join(folder, 'graph.yaml'));
    expect(workload.ranks.toObject()).toMatchObject({ N: 8, NA: 2, NB: 4 });
    expect(linesOf(workload)[2]).toBe('Z[na,nb] = s.T[na,nb] + s.S[]');
  });

  it('may use a graph, whose steps keep their names or are repeated as one', () => {
    writeFileSync(
      join(folder, 'twice.yaml'),
      graph([
        '{ step: first, use: scale, with: { tensors: { X: A } } }',
        '{ step: again, use: scale, with: { tensors: { X: Y, Y: Z } } }',
      ]),
    );
    const once = load(['{ step: layer, use: twice }']);
    expect(once.steps.map(({ name }) => name).toArray()).toEqual(['layer.first', 'layer.again']);
    expect(linesOf(once)[0]).toBe('layer.first.T[n1,n0] = A[n1,n0] * 2');
    const many = load(['{ step: layer, use: twice, repeat: 12 }']);
    expect(many.steps.map(({ name, repeat, einsums }) => [name, repeat, einsums.size]).toArray()).toEqual([
      ['layer', 12, 6],
    ]);
  });

  it('has a mistake in a file that it uses twice reported once', () => {
    file('wrong', 'workload: wrong', 'ranks: { N: 4 }', 'inputs: X[n]', 'output: Y[n]', 'cascade: Y[n] = X[n] +');
    const steps = [
      '{ step: s, use: wrong, with: { tensors: { X: A } } }',
      '{ step: t, use: wrong, with: { tensors: { X: A, Y: Z } } }',
    ];
    expect(mistakesIn(() => load(steps))).toEqual([
      '5:23 [] the line ends where a tensor, a number or a function is expected',
    ]);
  });

  it('finds workloads that come with Clockwright', () => {
    const workload = load(['{ step: s, use: softmax }'], { ranks: 'N: 8, M: 4', inputs: 'X[n,m]', output: 'Y[n,m]' });
    expect(linesOf(workload)[0]).toBe('s.GM[n] = max(m) X[n,m]');
  });

  it.each([
    ['{ step: s, use: scael }', /^6:21 \[scael\] there is no workload "scael"; did you mean "scale"\?$/],
    [
      '{ step: s, use: scale, with: { tensors: { Q: A, Y: Z } } }',
      /\[Q\] "Q" is no input or output of scale; one of X, Y$/,
    ],
    ['{ step: s, use: scale, with: { ranks: { N: P }, tensors: { X: A } } }', /\[P\] there is no rank "P"; one of N$/],
    [
      '{ step: s, use: scale, with: { tensors: { Y: Z } } }',
      /\[scale\] scale needs X\[n\], but there is no X before step "s"; one of A$/,
    ],
    [
      '{ step: s, use: scale, with: { tensors: { X: B, Y: Z } } }',
      /\[B\] scale needs X\[n\], but there is no B before step "s"; one of A$/,
    ],
    [
      '{ step: s, use: scale, with: { ranks: { R: N }, tensors: { X: A, Y: Z } } }',
      /\[scale\] N and R of step "s" would both be called N/,
    ],
    ['{ step: s }', /\[s\] step "s" has neither "cascade" nor "use"; give it one of them$/],
    ['{ step: s-s, use: scale }', /\[s-s\] "step": a step has one word for its name$/],
    ['{ step: s, use: graph }', /\[graph\] "graph" uses itself; .*graph\.yaml uses .*graph\.yaml$/],
  ])('%s is a mistake', (step, mistake) => {
    writeFileSync(join(folder, 'graph.yaml'), graph([step]));
    expect(mistakesIn(() => loadWorkload(join(folder, 'graph.yaml'))).join('\n')).toMatch(new RegExp(mistake, 'm'));
  });
});
