import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activities } from '../../models/compute/account.ts';
import { simulate } from '../../models/simulate.ts';
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

  it('are of five kinds: four that are noted and idle', () => {
    expect(activities).toEqual(['busy', 'waitInput', 'waitOutput', 'waitMemory']);
  });
});
