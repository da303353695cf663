import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { expectToAddUp } from './accounting.ts';
import { isAttention, shipped, shippedMachine, shippedMachines, smallShapes } from './machines.ts';

/** Attention is in shipped-attention.test.ts. */
const workloads = Object.keys(smallShapes).filter((name) => !isAttention(name));

describe.each(shippedMachines)('%s', (machine) => {
  it.each(workloads)('runs %s as the evaluator does, and accounts for all of it', (name) => {
    const workload = shipped(name, smallShapes[name]);
    const result = simulate({ arch: shippedMachine(machine), workload, values: true });
    expect(result.values!.outputs.length).toBeGreaterThan(0);
    for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
    expectToAddUp(result, workload.workload);
  });
});
