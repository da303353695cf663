import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { loadMapping } from '../../workloads/language/mapping.ts';
import { expectToAddUp } from './accounting.ts';
import { isAttention, shipped, shippedMachine, shippedMachines, smallShapes } from './machines.ts';

describe.each(shippedMachines)('%s', (machine) => {
  it.each(Object.keys(smallShapes).filter(isAttention))(
    'runs %s as the evaluator does, and accounts for all of it',
    (name) => {
      const workload = shipped(name, smallShapes[name]);
      const result = simulate({ arch: shippedMachine(machine), workload, values: true });
      expect(result.values!.outputs.length).toBeGreaterThan(0);
      for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
      expectToAddUp(result, workload.workload);
    },
  );
});

describe('the mapping fusemax-binding', () => {
  const mapping = loadMapping('workloads/mappings/fusemax-binding.yaml');

  it.each([
    { B: 1, H: 2, E: 3, F: 2, P: 512, M: 512 },
    // Tiles of P that are not whole, and one tile of M.
    { B: 1, H: 1, E: 2, F: 2, P: 300, M: 256 },
    { B: 2, H: 1, E: 1, F: 3, P: 700, M: 1024, M0: 128 },
  ])('computes attention of any shape: %o', (shape) => {
    const workload = shipped('attention-1-pass', shape);
    const result = simulate({ arch: shippedMachine('fusemax'), workload, mapping, values: true });
    expect(result.values!.outputs[0]!.maxRelError).toBeLessThanOrEqual(1e-9);
    expectToAddUp(result, workload.workload);
    expect(result.notes).toEqual([]);
  });

  it('says so when it is used for another machine', () => {
    const workload = shipped('attention-1-pass', { B: 1, H: 1, E: 2, F: 2, P: 64, M: 64, M0: 16 });
    const { notes } = simulate({ arch: shippedMachine('fusemax').set('name', 'mine'), workload, mapping });
    expect(notes).toEqual(['mapping fusemax-binding was written for the machine fusemax, not mine']);
  });
});
