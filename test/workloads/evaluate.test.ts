import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateTensors, compileEinsum, evaluate, randomInputs } from '../../workloads/language/evaluate.ts';
import { loadWorkload } from '../../workloads/language/load.ts';
import type { Box } from '../../workloads/language/region.ts';
import { extentsOf, sizeOf } from '../../workloads/language/shapes.ts';
import { einsumsOf, type Workload } from '../../workloads/language/workload.ts';
import { aWorkload, einsumNamed } from './cascades.ts';
import { golden, transpose } from './golden.ts';

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number | string>, tolerance = 1e-12): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    const want = expected[i] === '-inf' ? -Infinity : Number(expected[i]);
    if (found[i] !== want)
      expect(Math.abs(found[i]! - want), `value ${i}: ${found[i]} for ${want}`).toBeLessThan(tolerance);
  }
}

const valuesOf = (workload: Workload, inputs: { [tensor: string]: number[] }, tensor: string): number[] =>
  Array.from(
    evaluate(workload, new Map(Object.entries(inputs).map(([name, v]) => [name, Float64Array.from(v)]))).get(tensor)!,
  );

describe('attention', () => {
  it.each(Object.entries(golden.cascades))(
    'in the %s form has every value of the worked example',
    (name, { tensors }) => {
      const shape = Object.entries({ ...golden.shape, B: 1, H: 1 }).map(([rank, extent]) => `${rank}=${extent}`);
      const { workload } = loadWorkload(`workloads/attention-${name}.yaml`, {
        shape: name === '3-pass' ? shape.filter((option) => !option.startsWith('M0')) : shape,
      });
      const extents = new Map(Object.entries(golden.shape).map(([rank, extent]) => [rank.toLowerCase(), extent]));
      const layouts = { Q: ['e', 'p'], K: ['e', 'm'], V: ['f', 'm'] };
      const inputs = new Map(
        Object.entries(layouts).map(([tensor, layout]) => {
          const { values, ranks } = golden.inputs[tensor]!;
          return [tensor, transpose(values.map(Number), ranks, extents, layout)];
        }),
      );
      const found = evaluate(workload, inputs);
      for (const [tensor, { ranks, values }] of Object.entries(tensors)) {
        const indices = einsumNamed(workload, tensor).output.indices.toArray();
        const own = indices
          .map((index) => index.terms.keySeq().first()!)
          .filter((variable) => !['b', 'h'].includes(variable));
        const shapes = workload.tensors.get(tensor)!.shape.toArray().slice(2);
        const sizes = new Map(own.map((variable, d) => [variable, shapes[d]!]));
        expectClose(transpose(found.get(tensor)!, own, sizes, ranks), values);
      }
    },
  );

  it('has the same result in one, two and three passes', () => {
    const shape = ['B=2', 'H=2', 'E=5', 'F=3', 'P=6', 'M=12'];
    const result = (name: string, more: string[]): Float64Array => {
      const { workload } = loadWorkload(`workloads/attention-${name}.yaml`, { shape: [...shape, ...more] });
      return evaluate(workload, randomInputs(workload, 7)).get('AV')!;
    };
    const three = result('3-pass', []);
    expectClose(result('2-pass', ['M0=4']), three);
    expectClose(result('1-pass', ['M0=4']), three);
    expectClose(result('1-pass', ['M0=1']), three);
    expectClose(result('1-pass', []), three);
  });
});

describe('an einsum', () => {
  it('multiplies matrices', () => {
    const workload = aWorkload('Z[m,n] = A[m,k] * B[k,n]', { ranks: 'M: 2, N: 2, K: 2' });
    expect(valuesOf(workload, { A: [1, 2, 3, 4], B: [5, 6, 7, 8] }, 'Z')).toEqual([19, 22, 43, 50]);
  });

  it.each([
    ['max(m) A[m]', 3],
    ['min(m) A[m]', -2],
    ['product(m) A[m]', -6],
    ['square(A[m])', 14],
    ['A[m] * A[m]', 14],
    ['max(m) -abs(A[m]) + M', 2],
    ['relu(A[m])', 4],
    ['A[m] / 2 - 1', -2],
  ])('Z[] = %s of 1, -2, 3 is %d', (right, expected) => {
    const workload = aWorkload(`Z[] = ${right}`, { ranks: 'M: 3', inputs: 'A[m]', output: 'Z[]' });
    expect(valuesOf(workload, { A: [1, -2, 3] }, 'Z')).toEqual([expected]);
  });

  it.each([
    ['exp', 0.5, Math.exp(0.5)],
    ['log', 0.5, Math.log(0.5)],
    ['sqrt', 0.5, Math.SQRT1_2],
    ['rsqrt', 0.5, Math.SQRT2],
    ['reciprocal', 0.5, 2],
    ['sigmoid', 0.5, 0.6224593312018546],
    ['tanh', 0.5, 0.4621171572600098],
    ['erf', 0.5, 0.5204998778130465],
    ['erf', -2, -0.9953222650189527],
    ['erf', 3.5, 0.9999992569016276],
    ['erf', -10, -1],
    ['erf', 0, 0],
  ])('%s(%d) is %d', (name, x, expected) => {
    const workload = aWorkload(`Z = ${name}(A)`, { inputs: 'A', output: 'Z' });
    expectClose(valuesOf(workload, { A: [x] }, 'Z'), [expected], 1e-15 * Math.max(1, expected));
  });

  it('repeats values along ranks that its right side lacks', () => {
    const workload = aWorkload('Z[m,n] = A[m]', { ranks: 'M: 2, N: 3', inputs: 'A[m]' });
    expect(valuesOf(workload, { A: [1, 2] }, 'Z')).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('reads a split tensor where the whole one has its values', () => {
    const parts = { ranks: 'M: 6, P: 6', split: 'M: [M1, M0 2]', inputs: 'A[p]', output: 'Z[m1]' };
    const workload = aWorkload('Z[m1] = A[m1,m0] - A[p] / 6', parts);
    expect(valuesOf(workload, { A: [1, 2, 3, 4, 5, 6] }, 'Z')).toEqual([18 - 7, 42 - 7, 66 - 7]);
  });

  it('convolves as a naive loop does', () => {
    const size = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2),
        fc.record({ C: size, K: size, P: size, Q: size, R: size, S: size }),
        (stride, n) => {
          const file = stride === 1 ? 'conv2d' : 'conv2d-stride-2';
          const shape = ['N=2', ...Object.entries(n).map(([rank, extent]) => `${rank}=${extent}`)];
          const { workload } = loadWorkload(`workloads/${file}.yaml`, { shape });
          const inputs = randomInputs(workload, 3);
          const [i, w] = [inputs.get('I')!, inputs.get('W')!];
          const [h, v] = [stride * (n.P - 1) + n.R, stride * (n.Q - 1) + n.S];
          const expected: number[] = [];
          for (let b = 0; b < 2; b++)
            for (let k = 0; k < n.K; k++)
              for (let p = 0; p < n.P; p++)
                for (let q = 0; q < n.Q; q++) {
                  let sum = 0;
                  for (let c = 0; c < n.C; c++)
                    for (let r = 0; r < n.R; r++)
                      for (let s = 0; s < n.S; s++)
                        sum +=
                          i[((b * n.C + c) * h + stride * p + r) * v + stride * q + s]! *
                          w[((k * n.C + c) * n.R + r) * n.S + s]!;
                  expected.push(sum);
                }
          expectClose(evaluate(workload, inputs).get('O')!, expected);
        },
      ),
      { seed: 1, numRuns: 30 },
    );
  });
});

describe('a recurrence', () => {
  it('runs iterate by iterate, from its first value to its final iterate', () => {
    const cascade = [
      'X[m]   = R[m] * A[m]',
      'R[m+1] = X[m] + 1  from R[0] = 2',
      'S[m+1] = max(S[m], R[m+1])  from S[0] = -inf',
      'Y[m]   = R[m+1] - S[m]',
      'Z[]    = R[M] + S[M]',
    ].join('\n');
    const workload = aWorkload(cascade, { ranks: 'M: 3', inputs: 'A[m]', output: 'Z[]' });
    const values = (tensor: string) => valuesOf(workload, { A: [3, -1, 2] }, tensor);
    expect(values('R')).toEqual([2, 7, -6, -11]);
    expect(values('S')).toEqual([-Infinity, 7, 7, 7]);
    expect(values('Y')).toEqual([Infinity, -13, -18]);
    expect(values('Z')).toEqual([-4]);
  });

  it('has its first values before anything runs', () => {
    const cascade = 'R[n,m+1,k] = R[n,m,k] + A[m]  from R[n,0,k] = -1.5\nZ[n,k] = R[n,M,k]';
    const workload = aWorkload(cascade, { ranks: 'N: 2, M: 1, K: 2', inputs: 'A[m]', output: 'Z[n,k]' });
    const tensors = allocateTensors(workload, randomInputs(workload, 1));
    expect(Array.from(tensors.get('R')!)).toEqual([-1.5, -1.5, 0, 0, -1.5, -1.5, 0, 0]);
  });
});

describe('boxes', () => {
  const cascades = [
    ['Z[m,n] = A[m,k] * B[k,n]', 'Z[m,n]'],
    ['Z[n] = max(m, k) A[m,k] - B[k,n]', 'Z[n]'],
    ['Z[] = exp(A[m,k]) + B[k,n]', 'Z[]'],
    ['Z[n,k,m] = A[m,k] / B[k,n]', 'Z[n,k,m]'],
    ['Z[m] = min(k) A[m,k]', 'Z[m]'],
    ['Z[m+1,n] = A[m,k] * B[k,n]  from Z[0,n] = 9', 'Z[m+1,n]'],
  ] as const;

  /** All boxes of a grid of cuts, in lexicographic order. */
  function boxesOf(cuts: ReadonlyMap<string, readonly number[]>): Box[] {
    let boxes: [string, readonly [number, number]][][] = [[]];
    for (const [variable, edges] of cuts) {
      const spans = edges.slice(1).map((to, i) => [edges[i]!, to] as const);
      boxes = boxes.flatMap((box) => spans.map((span): (typeof boxes)[number] => [...box, [variable, span]]));
    }
    return boxes.map((box) => new Map(box));
  }

  it('that tile the iteration space give what the whole gives', () => {
    const extent = fc.integer({ min: 1, max: 5 });
    const arbitrary = fc.record({
      cascade: fc.constantFrom(...cascades),
      M: extent,
      N: extent,
      K: extent,
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(arbitrary, fc.infiniteStream(fc.boolean()), ({ cascade: [line, output], M, N, K, seed }, cut) => {
        const workload = aWorkload(line, { ranks: `M: ${M}, N: ${N}, K: ${K}`, output });
        const [einsum] = einsumsOf(workload);
        const inputs = randomInputs(workload, seed);
        const whole = evaluate(workload, inputs).get('Z')!;
        const tensors = allocateTensors(workload, inputs);
        const run = compileEinsum(workload, einsum!);
        const cuts = new Map(
          [...extentsOf(workload, einsum!)].map(([variable, size]) => {
            const inner = Array.from({ length: size - 1 }, (_, i) => i + 1).filter(() => cut.next().value);
            return [variable, [0, ...inner, size]];
          }),
        );
        // What was there before the first box must not matter.
        if (einsum!.iterative === null) tensors.get('Z')!.fill(123);
        for (const box of boxesOf(cuts)) run((name) => tensors.get(name)!, tensors.get('Z')!, box);
        expectClose(tensors.get('Z')!, whole);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('may leave variables out, and may be empty', () => {
    const workload = aWorkload('Z[m,n] = A[m,k] * B[k,n]', { ranks: 'M: 2, N: 2, K: 2' });
    const tensors = new Map(
      Object.entries({ A: [1, 2, 3, 4], B: [5, 6, 7, 8], Z: [0, 0, 0, 0] }).map(([n, v]) => [n, Float64Array.from(v)]),
    );
    const run = compileEinsum(workload, einsumNamed(workload, 'Z'));
    const step = (box: Box): number[] => {
      run((name) => tensors.get(name)!, tensors.get('Z')!, box);
      return Array.from(tensors.get('Z')!);
    };
    expect(step(new Map([['m', [1, 2]]]))).toEqual([0, 0, 43, 50]);
    expect(step(new Map([['n', [1, 1]]]))).toEqual([0, 0, 43, 50]);
    expect(
      step(
        new Map([
          ['m', [0, 1]],
          ['k', [1, 2]],
        ]),
      ),
    ).toEqual([14, 16, 43, 50]);
  });
});

describe('inputs', () => {
  const { workload } = loadWorkload('workloads/gemm.yaml', { shape: ['M=20', 'N=20', 'K=20'] });

  it('at random are the same for the same seed, and spread over -1 to 1', () => {
    const a = randomInputs(workload, 5).get('A')!;
    expect(a).toEqual(randomInputs(workload, 5).get('A'));
    expect(a).not.toEqual(randomInputs(workload, 6).get('A'));
    expect([Math.min(...a), Math.max(...a)].every((x) => x >= -1 && x < 1)).toBe(true);
    expect(Math.max(...a) - Math.min(...a)).toBeGreaterThan(1.8);
    expect(Math.abs(a.reduce((sum, x) => sum + x, 0) / sizeOf(workload.tensors.get('A')!))).toBeLessThan(0.1);
  });

  it('must all be there, in their sizes', () => {
    const inputs = randomInputs(workload, 5);
    expect(() => evaluate(workload, new Map([...inputs].slice(1)))).toThrow(
      'input A has no values; its shape is 20 x 20',
    );
    expect(() => evaluate(workload, inputs.set('B', new Float64Array(3)))).toThrow(
      'input B has 3 values; its shape is 20 x 20',
    );
  });
});
