import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Contraction, contractionOf, distinctElements, type Side } from '../../../models/binding/contraction.ts';
import { extentsOf } from '../../../workloads/language/shapes.ts';
import { einsumsOf } from '../../../workloads/language/workload.ts';
import { aWorkload } from '../machines.ts';

function contraction(cascade: string, inputs: string, ranks: Readonly<Record<string, number>>): Contraction {
  const sizes = Object.entries(ranks)
    .map(([rank, extent]) => `${rank}: ${extent}`)
    .join(', ');
  const { workload } = aWorkload(cascade, { inputs, output: cascade.split(' =')[0]!, ranks: sizes });
  const [einsum] = einsumsOf(workload);
  return contractionOf(einsum!, workload, extentsOf(workload, einsum!))!;
}

/** Values of a side's variables at one of its flattened values, the last variable fastest. */
function valuesAt({ variables }: Side, at: number, extents: ReadonlyMap<string, number>): [string, number][] {
  let left = at;
  return [...variables].reverse().map((variable) => {
    const extent = extents.get(variable)!;
    const value = left % extent;
    left = Math.floor(left / extent);
    return [variable, value];
  });
}

describe('a contraction', () => {
  it('has as its sides the ranks of one operand, of the other, of both, and those that are summed', () => {
    const grouped = contraction('Z[g,p,n] = A[g,p+r,c] * B[g,n,r,c]', 'A[g,p+r,c]  B[g,n,r,c]', {
      G: 2,
      P: 3,
      N: 4,
      R: 2,
      C: 5,
    });
    const names = ({ variables, size }: Side) => [...variables, size];
    expect([grouped.m, grouped.n, grouped.k, grouped.batch].map(names)).toEqual([
      ['p', 3],
      ['n', 4],
      ['r', 'c', 10],
      ['g', 2],
    ]);
  });

  it('is none without a sum, or of three tensors', () => {
    expect(contraction('Z[m,n] = A[m] * B[n]', 'A[m]  B[n]', { M: 2, N: 2 })).toBeNull();
    expect(contraction('Z[m] = A[m,k] * B[k] * C[k]', 'A[m,k]  B[k]  C[k]', { M: 2, K: 2 })).toBeNull();
  });
});

describe('distinct elements of blocks of a convolution', () => {
  const size = fc.integer({ min: 1, max: 5 });
  const shape = fc.record({ P: size, Q: size, R: size, S: size, C: size, N: fc.constant(2) });

  it('are never fewer than what any block touches, nor more than the products, and exact for one value', () => {
    fc.assert(
      fc.property(shape, fc.constantFrom(1, 2, 3), fc.nat(), fc.nat(), (ranks, stride, a, b) => {
        const access = `A[${stride}*p+r,q+s,c]`;
        const conv = contraction(`Z[n,p,q] = ${access} * B[n,r,s,c]`, `${access}  B[n,r,s,c]`, ranks);
        const [ofM, ofK] = [1 + (a % conv.m.size), 1 + (b % conv.k.size)];
        const counted = distinctElements(conv, conv.inputs, [
          [conv.m, ofM],
          [conv.k, ofK],
        ]);
        expect(counted).toBeLessThanOrEqual(ofM * ofK);
        for (let m = 0; m < conv.m.size; m += ofM) {
          for (let k = 0; k < conv.k.size; k += ofK) {
            const touched = new Set<string>();
            for (let i = m; i < Math.min(conv.m.size, m + ofM); i++) {
              for (let j = k; j < Math.min(conv.k.size, k + ofK); j++) {
                const at = new Map([...valuesAt(conv.m, i, conv.extents), ...valuesAt(conv.k, j, conv.extents)]);
                const of = (variable: string): number => at.get(variable)!;
                touched.add(`${stride * of('p') + of('r')} ${of('q') + of('s')} ${of('c')}`);
              }
            }
            expect(counted).toBeGreaterThanOrEqual(touched.size);
            if (ofM === conv.m.size && ofK === conv.k.size) expect(counted).toBe(touched.size);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
