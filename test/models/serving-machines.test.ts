import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { expectToAddUp } from './accounting.ts';
import { shipped, shippedMachine, smallShapes } from './machines.ts';

/** Machines for language models are ordinary ones too: memories that compute are ordinary DRAM then. */
describe.each([
  ...['a100', 'attacc', 'duplex', 'duplex-bank-pim', 'h100', 'hbm-pim', 'pim-gpt', 't4'],
  ...['neupims', 'neupims-blocked', 'neupims-npu-only'],
])('%s', (machine) => {
  it.each(['gemm', 'softmax', 'attention-3-pass'])('runs %s', (name) => {
    const workload = shipped(name, smallShapes[name]);
    const result = simulate({ arch: shippedMachine(machine), workload, values: true });
    for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
    expectToAddUp(result, workload.workload);
  });
});
