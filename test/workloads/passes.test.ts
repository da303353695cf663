import { describe, expect, it } from 'vitest';
import { loadWorkload } from '../../workloads/language/load.ts';
import { passes } from '../../workloads/language/passes.ts';
import { aWorkload, mistakesIn } from './cascades.ts';
import { golden } from './golden.ts';

const attention = (name: string) => loadWorkload(`workloads/attention-${name}.yaml`).workload;

describe('passes over M', () => {
  it.each(Object.entries(golden.cascades))(
    'of %s attention are those of the paper',
    (name, { passes: count, passOf }) => {
      const found = passes(attention(name), 'M');
      expect(found.count).toBe(count);
      expect(Object.fromEntries(found.passOf)).toEqual(passOf);
      expect(found.reasons).toHaveLength(count - 1);
    },
  );

  it('are one less when the division is deferred', () => {
    const cascade = [
      'QK[m,p] = Q[e,p] * K[e,m]',
      'GM[p]   = max(m) QK[m,p]',
      'SN[m,p] = exp(QK[m,p] - GM[p])',
      'SD[p]   = SN[m,p]',
      'SNV[f,p] = SN[m,p] * V[m,f]',
      'AV[f,p] = SNV[f,p] / SD[p]',
    ].join('\n');
    const workload = aWorkload(cascade, {
      ranks: 'E: 2, F: 2, M: 4, P: 3',
      inputs: 'Q[e,p] K[e,m] V[m,f]',
      output: 'AV[f,p]',
    });
    const found = passes(workload, 'M');
    expect(found.count).toBe(golden.deferred.passes);
    expect(Object.fromEntries(found.passOf)).toEqual(golden.deferred.passOf);
  });

  it('have their reasons', () => {
    expect(passes(attention('3-pass'), 'M').reasons).toEqual([
      'SN opens pass 2 over M: it needs GM, complete only after pass 1',
      'A opens pass 3 over M: it needs SD, complete only after pass 2',
    ]);
    expect(passes(attention('2-pass'), 'M').reasons).toEqual([
      'SN opens pass 2 over M: it needs PLM, which needs GM, complete only after pass 1',
    ]);
  });
});

describe('passes over a part of a rank', () => {
  it('count what traverses the outer part alone', () => {
    const found = passes(attention('2-pass'), 'M1');
    expect(found.count).toBe(3);
    expect([...found.passOf.values()]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 3, 3]);
    expect(passes(attention('1-pass'), 'M1').count).toBe(1);
  });

  it('see a rescaling of the tile as a second pass over it', () => {
    expect(passes(attention('1-pass'), 'M0').passOf.get('SLN')).toBe(2);
  });
});

describe('passes over a rank', () => {
  it('are none when nothing iterates over it', () => {
    expect(passes(aWorkload('Z[m] = A[m,k]', { inputs: 'A[m,k]', output: 'Z[m]' }), 'N').count).toBe(0);
  });

  it('are two when the final iterate of one recurrence feeds another', () => {
    const cascade = [
      'R[m+1] = R[m] + A[m]  from R[0] = 0',
      'S[m+1] = S[m] + A[m] / R[M]  from S[0] = 0',
      'Z[]    = S[M]',
    ].join('\n');
    const found = passes(aWorkload(cascade, { inputs: 'A[m]', output: 'Z[]' }), 'M');
    expect(found.count).toBe(2);
    expect(Object.fromEntries(found.passOf)).toEqual({ R: 1, S: 2, Z: null });
  });

  it('are one for einsums of one recurrence', () => {
    const cascade = ['X[m] = R[m] * A[m]', 'R[m+1] = X[m] + A[m]  from R[0] = 1', 'Z[] = R[M]'].join('\n');
    const found = passes(aWorkload(cascade, { inputs: 'A[m]', output: 'Z[]' }), 'M');
    expect(Object.fromEntries(found.passOf)).toEqual({ X: 1, R: 1, Z: null });
  });

  it('of layer norm over its features are three', () => {
    expect(passes(loadWorkload('workloads/layer-norm.yaml').workload, 'D').count).toBe(3);
  });

  it('that does not exist are a mistake', () => {
    expect(mistakesIn(() => passes(attention('1-pass'), 'M2'))).toEqual(['there is no rank "M2"; did you mean "M"?']);
  });
});
