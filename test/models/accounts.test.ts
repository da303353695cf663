import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { parseWorkload } from '../../workloads/language/load.ts';
import { expectToAddUp } from './accounting.ts';
import { aGemm, aMachine, aMapping } from './machines.ts';
import { load, scenarios, tryBind } from './scenarios.ts';

describe('cycles, bytes and operations', () => {
  it('add up exactly, for random machines, shapes and mappings', () => {
    let bound = 0;
    fc.assert(
      fc.property(scenarios({ clocks: ['1 GHz', '940 MHz', '333 MHz'] }), (scenario) => {
        const loaded = load(scenario);
        if (tryBind(loaded) === null) return;
        bound++;
        expectToAddUp(simulate(loaded), loaded.workload.workload);
      }),
      { numRuns: 120 },
    );
    expect(bound).toBeGreaterThan(40);
  });

  it('of a run with more cycles than bins add up in every bin', () => {
    const workload = aGemm(64, 64, 64);
    const mapping = aMapping('partition: { M: [M1, M0 4], N: [N1, N0 4] }', 'loops: [m1, n1]');
    const result = simulate({ arch: aMachine(), workload, mapping });
    expect(result.cycles).toBeGreaterThan(4000);
    expectToAddUp(result, workload.workload);
    const [timeline] = result.timelines.engines;
    expect(timeline!.busy.length).toBeGreaterThan(200);
    expect(timeline!.busy.length).toBeLessThanOrEqual(400);
  });

  it('count a step of a graph as often as it is repeated, one time after another', () => {
    const run = (repeat: number) => {
      const text = [
        'workload: net',
        'ranks: { M: 9, N: 7, K: 5 }',
        'inputs: A[m,k]  B[k,n]',
        'output: Z[m,n]',
        'dtype: int8',
        'graph:',
        '  - step: layer',
        `    repeat: ${repeat}`,
        '    cascade: |',
        '      Z[m,n] = A[m,k] * B[k,n]',
      ].join('\n');
      const workload = parseWorkload(text, 'net.yaml');
      const result = simulate({ arch: aMachine(), workload, values: true });
      expectToAddUp(result, workload.workload);
      expect(result.values!.outputs[0]!.maxRelError).toBe(0);
      return result;
    };
    const [once, thrice] = [run(1), run(3)];
    expect(thrice.cycles).toBe(3 * once.cycles);
    expect(thrice.memories[0]!.bytesRead).toBe(3 * once.memories[0]!.bytesRead);
    expect(thrice.mapping.sections.map((section) => section.repeat)).toEqual([3]);
    expect(thrice.einsums[0]!.operations).toBe(3 * 9 * 7 * 5);
  });
});
