import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWorkload, einsumText } from '../../workloads/language/describe.ts';
import { loadWorkload, parseWorkload } from '../../workloads/language/load.ts';
import { einsumsOf, type LoadedWorkload, type Workload } from '../../workloads/language/workload.ts';
import { mistakesIn } from './cascades.ts';

const folder = mkdtempSync(join(tmpdir(), 'weights-'));
const file = (name: string, ...lines: string[]): void => writeFileSync(join(folder, `${name}.yaml`), lines.join('\n'));
const layer = [
  'ranks: { N: 4, D: 8, E: D }',
  'inputs: X[n,d]',
  'weights: W[e,d] int8  B[e]',
  'output: Y[n,e]',
  'sparse: { W: 2:4 along d }',
  'padded: T',
  'cascade: |',
  '  T[n,e] = X[n,d] * W[e,d]',
  '  Y[n,e] = T[n,e-1] + B[e]',
];
file('layer', 'workload: layer', ...layer);
const loadText = (steps: string[], weights?: string): LoadedWorkload =>
  parseWorkload(
    [
      'workload: net',
      'ranks: { N: 4, D: 8, E: D, F: D }',
      'inputs: A[n,d]',
      ...(weights === undefined ? [] : [`weights: ${weights}`]),
      'output: Z[n,f]',
      'graph:',
      ...steps.map((step) => `  - ${step}`),
    ].join('\n'),
    join(folder, 'net.yaml'),
  );
const first = '{ step: first, use: layer, with: { tensors: { X: A } } }';
const rest = '{ step: rest, use: layer, with: { ranks: { D: E, E: F }, tensors: { X: Y, Y: Z } }, repeat: 3 }';
const instancesOf = (workload: Workload): object =>
  workload.tensors
    .filter(({ role }) => role === 'input')
    .map(({ instances }) => instances)
    .toObject();

describe('weights', () => {
  it('are inputs of the workload that declares them', () => {
    const { workload } = loadWorkload(join(folder, 'layer.yaml'));
    expect(workload.tensors.map(({ role, dtype, instances }) => `${role} ${dtype} ${instances}`).toObject()).toEqual({
      X: 'input bf16 1',
      W: 'input int8 1',
      B: 'input bf16 1',
      T: 'intermediate bf16 1',
      Y: 'output bf16 1',
    });
  });

  it('are those of each step that uses it, in the names of its ranks and with all that is said of them', () => {
    const { workload } = loadText([first, rest]);
    expect(einsumsOf(workload).map(einsumText)).toEqual([
      'first.T[n,e] = A[n,d] * first.W[e,d]',
      'Y[n,e] = first.T[n,e-1] + first.B[e]',
      'rest.T[n,f] = Y[n,e] * rest.W[f,e]',
      'Z[n,f] = rest.T[n,f-1] + rest.B[f]',
    ]);
    const { dtype, role, sparsity } = workload.tensors.get('rest.W')!;
    expect({ dtype, role, sparsity: sparsity!.toObject() }).toEqual({
      dtype: 'int8',
      role: 'input',
      sparsity: { kept: 2, of: 4, rank: 'e', dimension: 1 },
    });
    expect(
      workload.tensors
        .filter(({ padded }) => padded)
        .keySeq()
        .toArray(),
    ).toEqual(['first.T', 'rest.T']);
  });

  it('are there once for every repetition of their step', () => {
    const loaded = loadText([first, rest]);
    expect(instancesOf(loaded.workload)).toEqual({ A: 1, 'first.W': 1, 'first.B': 1, 'rest.W': 3, 'rest.B': 3 });
    const text = describeWorkload(loaded);
    expect(text).toMatch(/rest\.B .* 16 B {2}3 of them\n/);
    // A and Z of 64 B each, and four times 64 B of W and 16 B of B.
    expect(text).toContain('\n  448 B of inputs and outputs');
  });

  it('of a graph may be given to its steps', () => {
    const shared = first.replace('X: A', 'X: A, W: WS');
    const again = rest.replace('X: Y', 'X: Y, W: WS');
    const { workload } = loadText([shared, again], 'WS[e,d] int8');
    expect(instancesOf(workload)).toEqual({ A: 1, WS: 3, 'first.B': 1, 'rest.B': 3 });
    // Both steps say that it is sparse along its second rank, though each by another name.
    expect(workload.tensors.get('WS')!.sparsity!.toObject()).toMatchObject({ rank: 'd', dimension: 1 });
  });

  it('of a used graph are those of its steps, behind its own name', () => {
    file(
      'pair',
      'workload: pair',
      'ranks: { N: 4, D: 8, E: D, F: D }',
      'inputs: A[n,d]',
      'weights: G[f]',
      'output: Q[n,f]',
      'graph:',
      `  - ${first}`,
      `  - ${rest.replace(', repeat: 3', '')}`,
      '  - { step: scale, cascade: "Q[n,f] = Z[n,f] * G[f]" }',
    );
    const { workload } = loadText(['{ step: all, use: pair, with: { tensors: { Q: Z } }, repeat: 2 }']);
    expect(instancesOf(workload)).toEqual({
      A: 1,
      'all.G': 2,
      'all.first.W': 2,
      'all.first.B': 2,
      'all.rest.W': 2,
      'all.rest.B': 2,
    });
  });

  it.each([
    [[first.replace('X: A', 'X: A, WW: A')], /\[WW\] "WW" is no input or output of layer; did you mean "W"\?/],
    [[first.replace('X: A', 'X: A, W: V'), rest], /\[V\] layer needs W\[e,d\], but there is no V before step "first"/],
    [[first.replace('X: A', '')], /\[layer\] layer needs X\[n,d\], but there is no X before step "first"/],
  ])('%j is a mistake', (steps, mistake) => {
    expect(mistakesIn(() => loadText(steps)).join('\n')).toMatch(mistake);
  });

  it('cannot be inputs as well', () => {
    expect(mistakesIn(() => loadText([first, rest], 'A[n,d]'))).toContain(
      '4:10 [A] A is an input already, in line 3; give this one another name',
    );
  });
});
