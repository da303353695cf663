import { describe, expect, it } from 'vitest';
import { loadWorkload } from '../../workloads/language/load.ts';
import {
  bytesOf,
  extentsOf,
  operationCounts,
  operatorsPerPoint,
  pointsOf,
  totalOperations,
} from '../../workloads/language/shapes.ts';
import { aWorkload, einsumNamed } from './cascades.ts';

const inputs = 'A[m,k]  B[k,n]';

describe('operators at a point', () => {
  it.each([
    ['A[m,k] * B[k,n]', { mac: 1 }],
    ['A[m,k] * B[k,n] * 2', { mul: 1, mac: 1 }],
    ['max(k) A[m,k] * B[k,n]', { mul: 1, max: 1 }],
    ['product(k) A[m,k] * B[k,n]', { mul: 2 }],
    ['A[m,k] * B[k,n] / 3', { mul: 1, divide: 1, add: 1 }],
    ['A[m,k] + B[k,n]', { add: 2 }],
    ['exp(A[m,k] - B[k,n])', { sub: 1, exp: 1, add: 1 }],
  ])('of Z[m,n] = %s are %j', (right, expected) => {
    const z = einsumNamed(aWorkload(`Z[m,n] = ${right}`, { inputs }), 'Z');
    expect(Object.fromEntries(operatorsPerPoint(z))).toEqual(expected);
  });

  it('are the map operators alone where nothing is reduced', () => {
    const workload = aWorkload('X[m,k,n] = A[m,k] * B[k,n]\nZ[m,n] = max(k) X[m,k,n]', { inputs });
    expect([...operatorsPerPoint(einsumNamed(workload, 'X'))]).toEqual([['mul', 1]]);
    expect([...operatorsPerPoint(einsumNamed(workload, 'Z'))]).toEqual([['max', 1]]);
  });
});

describe('an iteration space', () => {
  it('has the variables of the output, then the reduced ones', () => {
    const workload = aWorkload('Z[m,n] = A[m,k] * B[k,n]');
    expect([...extentsOf(workload, einsumNamed(workload, 'Z'))]).toEqual([
      ['m', 4],
      ['n', 3],
      ['k', 2],
    ]);
  });

  it('leaves out what is read at its final iterate', () => {
    const { workload } = loadWorkload('workloads/attention-1-pass.yaml');
    expect([...extentsOf(workload, einsumNamed(workload, 'AV')).keys()]).toEqual(['b', 'h', 'f', 'p']);
    expect(pointsOf(workload, einsumNamed(workload, 'RM'))).toBe(64 * 12 * 4 * 1024);
  });
});

describe('a tensor', () => {
  it('of packed values takes whole bytes', () => {
    const { tensors } = aWorkload('Z[m,n] = A[m,k] * B[k,n]', { inputs: 'A[m,k] int4  B[k,n] int1' });
    expect(['A', 'B', 'Z'].map((name) => bytesOf(tensors.get(name)!))).toEqual([4, 1, 24]);
  });

  it('that is read through a window is as wide as the window reaches', () => {
    const { workload } = loadWorkload('workloads/conv2d-stride-2.yaml', { shape: ['P=5', 'Q=4', 'R=3', 'S=2'] });
    expect(workload.tensors.get('I')!.shape.toArray()).toEqual([1, 3, 2 * 4 + 2 + 1, 2 * 3 + 1 + 1]);
  });
});

describe('operations of attention on BERT', () => {
  const [b, h, e, f, p, m] = [64, 12, 64, 64, 1024, 1024];
  const counts = (name: string, einsum: string): object => {
    const { workload } = loadWorkload(`workloads/${name}.yaml`);
    return Object.fromEntries(operationCounts(workload, einsumNamed(workload, einsum)));
  };
  const total = (name: string): object =>
    Object.fromEntries(totalOperations(loadWorkload(`workloads/${name}.yaml`).workload));

  it('in one pass correct the running sums once per tile of M', () => {
    const tiles = m / 256;
    expect(total('attention-1-pass')).toEqual({
      mac: b * h * m * p * (e + f),
      max: b * h * p * (m + tiles),
      sub: b * h * p * (m + tiles),
      exp: b * h * p * (m + tiles),
      add: b * h * p * (m + tiles + f * tiles),
      mul: b * h * p * (tiles + f * tiles),
      divide: b * h * p * f,
    });
  });

  it('in three passes divide every score', () => {
    expect(total('attention-3-pass')).toEqual({
      mac: b * h * m * p * (e + f),
      max: b * h * m * p,
      sub: b * h * m * p,
      exp: b * h * m * p,
      add: b * h * m * p,
      divide: b * h * m * p,
    });
  });

  it('are counted for each einsum', () => {
    expect(counts('attention-1-pass', 'QK')).toEqual({ mac: b * h * m * p * e });
    expect(counts('attention-1-pass', 'LM')).toEqual({ max: b * h * m * p });
    expect(counts('attention-1-pass', 'SLN')).toEqual({ sub: b * h * m * p, exp: b * h * m * p });
  });
});

it('counts the operations of a repeated step as often as it runs', () => {
  const { workload } = loadWorkload('workloads/transformer-encoder-layer.yaml');
  const once = totalOperations(workload).get('mac')!;
  const [p, d] = [512, 768];
  expect(once).toBe(p * (4 * d * d + 2 * d * 4 * d) + 2 * p * p * d);
  const twelve = workload.update('steps', (steps) => steps.map((step) => step.set('repeat', 12)));
  expect(totalOperations(twelve).get('mac')).toBe(12 * once);
});
