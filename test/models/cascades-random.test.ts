import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { compulsory, expectValues, fusedCascades, inOneSection, trafficOf, unfused } from './fused-cascades.ts';
import { shipped, shippedMachine, shippedMachines, smallShapes } from './machines.ts';

describe('any shape in any tiles', () => {
  /** Ranks that others follow from, or that parts of others divide. */
  const drawShape = (name: string): fc.Arbitrary<Record<string, number>> =>
    fc
      .record(Object.fromEntries(Object.keys(smallShapes[name]!).map((rank) => [rank, fc.integer({ min: 1, max: 7 })])))
      .map((shape) => (shape.M0 === undefined ? shape : { ...shape, M: shape.M! * shape.M0 }));

  const scenario = fc
    .record({
      name: fc.constantFrom(...fusedCascades),
      machine: fc.constantFrom(...shippedMachines),
      tile: fc.integer({ min: 1, max: 7 }),
    })
    .chain((drawn) => drawShape(drawn.name).map((shape) => ({ ...drawn, shape })));

  it('gives the values of the evaluator, and moves at least what has to be moved', () => {
    fc.assert(
      fc.property(scenario, ({ name, machine, tile, shape }) => {
        const workload = shipped(name, shape);
        const arch = shippedMachine(machine);
        for (const mapping of [inOneSection(name, tile), unfused]) {
          const result = simulate({ arch, workload, mapping, values: true });
          expectValues(result);
          expect(trafficOf(result)).toBeGreaterThanOrEqual(compulsory(workload));
        }
      }),
      { numRuns: 25 },
    );
  });
});
