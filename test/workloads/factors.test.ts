import { is, List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { parseWorkload } from '../../workloads/language/load.ts';
import { einsumsOf } from '../../workloads/language/workload.ts';
import { aWorkload, mistakesOf } from './cascades.ts';

const parts = { ranks: 'P1: 3, P0: 4, R: 2', inputs: 'I[P0*p1+p0+r]  W[r]', output: 'Z[p1,p0]' };
const banded = 'Z[p1,p0] = I[P0*p1+p0+r] * W[r]';

describe('a coefficient of an index that is written as a name', () => {
  it('is the extent of that rank', () => {
    const named = aWorkload(banded, parts);
    const plain = aWorkload(banded.replaceAll('P0*', '4*'), { ...parts, inputs: parts.inputs.replaceAll('P0*', '4*') });
    expect(is(List(einsumsOf(named)), List(einsumsOf(plain)))).toBe(true);
    expect(named.tensors.get('I')!.shape.toArray()).toEqual([3 * 4 + 1]);
  });

  it('follows the extent', () => {
    const wider = aWorkload(banded, parts, { shape: ['P0=6'] });
    expect(wider.tensors.get('I')!.shape.toArray()).toEqual([3 * 6 + 1]);
  });

  it('adds to other coefficients of the variable, and may be taken away', () => {
    const workload = aWorkload('Z[p] = I[P*p-P*p+2*p]', { ranks: 'P: 3', inputs: 'I[2*p]', output: 'Z[p]' });
    expect(einsumsOf(workload)[0]!.expression.toString()).toContain('"p": 2');
  });

  it('is renamed with the ranks of a used workload', () => {
    const text = [
      'workload: using',
      'ranks: { C: 2, K: 3, L: 4, A1: 2, A0: 5, N: 1, Q: 4 }',
      'inputs: I[n,c,A0*a1+t+r,v+s]  W1[k,c,r,s]  B1[k]  W2[l,k,r,s]  B2[l]',
      'output: Y[n,l,a1,a0,q]',
      'graph:',
      '  - step: chain',
      '    use: conv-chain',
      '    with: { ranks: { P1: A1, P0: A0 }, tensors: { W1: W1, B1: B1, W2: W2, B2: B2 } }',
    ].join('\n');
    const { workload } = parseWorkload(text, 'using.yaml');
    // Two bands of five rows, and two more around each for either convolution.
    expect(workload.tensors.get('I')!.shape.toArray()).toEqual([1, 2, 2 * 5 + 4, 4 + 4]);
  });

  it.each([
    ['Z[p1,p0] = I[PP0*p1+p0+r] * W[r]', '6:16 [PP0] there is no rank or parameter "PP0"; did you mean "P0"?'],
    ['Z[p1,p0] = I[P0*P1+p0+r] * W[r]', '6:19 [P1] "P1" stands where an index such as m, m1+1 or 2*p+r is expected'],
  ])('is a rank or a parameter, and its variable is none: %s', (cascade, mistake) => {
    expect(mistakesOf(cascade, parts)).toEqual([mistake]);
  });

  it('is a whole number', () => {
    const text = `workload: w\nparameters: { S: 1.5 }\nranks: { P: 3 }\ninputs: I[2*p]\noutput: Z[p]\ncascade: Z[p] = I[S*p]`;
    expect(() => parseWorkload(text, 'w.yaml')).toThrow(
      'S is 1.5, and a factor of an index is a whole number from 1 up',
    );
  });
});
