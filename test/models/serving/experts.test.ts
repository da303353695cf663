import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { bankOrder } from '../../../models/serving/bank-order.ts';
import { Device } from '../../../models/serving/device.ts';
import { pimPeak, splitExperts } from '../../../models/serving/experts.ts';
import { simulateServing } from '../../../models/serving/simulate.ts';
import { loadServingMapping } from '../../../workloads/language/serving-mapping.ts';
import { parseServing } from '../../../workloads/llm/load.ts';
import type { Experts } from '../../../workloads/llm/operator.ts';

const seed = Number(process.env.SEED ?? 1);

function experts(tokens: readonly number[]): Experts {
  return { kind: 'experts', name: 'expert-up', tokens, inputs: 1, outputs: 1, weights: 2, activations: 2, after: [] };
}

/** Seconds: 4 for the weights of an expert on the array; 1 in the memory for every 8 tokens. */
const peaks = {
  array: { bytesPerSecond: 0.5, flopsPerSecond: 1000, tokens: Number.POSITIVE_INFINITY },
  pim: { bytesPerSecond: 2, flopsPerSecond: Number.POSITIVE_INFINITY, tokens: 8 },
};

describe('experts that are split', () => {
  it('stay in the memory while moving one would take longer', () => {
    expect(splitExperts(experts([8, 0, 3, 1]), peaks)).toEqual({ array: [0, 0, 0, 0], pim: [8, 0, 3, 1] });
  });

  it('go to the array from the largest on, as long as the longer side gets shorter', () => {
    // In the memory 6 + 5 + 1 + 1 = 13 s; then 4 beside 7, then 8 beside 2, which is longer.
    expect(splitExperts(experts([1, 40, 8, 48]), peaks)).toEqual({ array: [0, 0, 0, 48], pim: [1, 40, 8, 0] });
  });

  it('take the first of equal ones', () => {
    expect(splitExperts(experts([40, 40]), peaks)).toEqual({ array: [40, 0], pim: [0, 40] });
  });

  it('count what the array computes where that takes longer than its weights', () => {
    const slow = { ...peaks, array: { ...peaks.array, flopsPerSecond: 10 } };
    // 40 tokens are 80 operations: 8 s, instead of 10 s beside nothing.
    expect(splitExperts(experts([40, 40]), slow).array).toEqual([40, 0]);
    expect(splitExperts(experts([80]), slow).array).toEqual([0]);
  });

  it('are each on one side, and no worse than all in the memory', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100), { maxLength: 16 }), (tokens) => {
        const { array, pim } = splitExperts(experts(tokens), peaks);
        expect(tokens.map((_, i) => [array[i], pim[i]].filter((count) => count !== 0))).toEqual(
          tokens.map((count) => (count > 0 ? [count] : [])),
        );
        const low = (of: readonly number[]) => of.reduce((sum, count) => sum + Math.ceil(count / 8), 0);
        const high = 4 * array.filter((count) => count > 0).length;
        expect(Math.max(high, low(pim))).toBeLessThanOrEqual(low(tokens));
      }),
      { seed },
    );
  });
});

describe('peaks', () => {
  it('of Duplex are four times the bandwidth and 8 operations for each byte', () => {
    const { array, pim } = new Device(loadArch('duplex'), true).peaks;
    expect(pim.bytesPerSecond / array.bytesPerSecond).toBeCloseTo(4, 2);
    expect(pim.tokens).toBe(8);
    expect(array.flopsPerSecond / 1e12).toBeCloseTo(989.4, 1);
  });

  it('of units at the banks are sixteen times the bandwidth', () => {
    const bank = pimPeak(deviceOf(findStandard('bank-pim-hbm3').standard), 80);
    const logic = pimPeak(deviceOf(findStandard('logic-pim-hbm3').standard), 80);
    expect(bank.bytesPerSecond / logic.bytesPerSecond).toBeCloseTo(4, 10);
    expect(bank.tokens).toBe(1);
  });

  it('count the columns that one command multiplies', () => {
    // 32 banks of 64 bytes every 2 ns.
    expect(pimPeak(deviceOf(findStandard('neupims-hbm2').standard), 1).bytesPerSecond).toBeCloseTo(1.024e12, 0);
  });
});

describe('rows that follow each other', () => {
  it('lie in all banks once', () => {
    const order = bankOrder(deviceOf(findStandard('logic-pim-hbm3').standard));
    expect([...order].sort((a, b) => a - b)).toEqual(order.map((_, i) => i));
  });

  it('go over pseudo-channels and bank groups of HBM3 before banks of a group', () => {
    const order = bankOrder(deviceOf(findStandard('logic-pim-hbm3').standard));
    expect(order.slice(0, 4)).toEqual([0, 32, 4, 36]);
    expect(order[16]).toBe(1);
  });

  it('go over the banks of NeuPIMs as they are counted: none is sooner than another', () => {
    const order = bankOrder(deviceOf(findStandard('neupims-hbm2').standard));
    expect(order).toEqual(order.map((_, i) => i));
  });
});

it('experts work on both sides, and as many operations are done as on one', () => {
  const text = `
workload: small
model: { layers: 1, hidden: 256, heads: 2, ffn: 512, vocabulary: 100, experts: 4, activeExperts: 2 }
layers: 1
batch: { requests: 40, context: 8 }
`;
  // Two channels of 80, with their part of the bandwidth.
  const arch = loadArch('duplex')
    .setIn(['parts', 'hbm', 'dram', 'channels'], 2)
    .updateIn(['parts', 'hbm', 'bandwidth'], (bandwidth) => Number(bandwidth) / 40);
  const run = (mapping: string) =>
    simulateServing({
      arch,
      workload: parseServing(text, 'small'),
      mapping: loadServingMapping(mapping),
    }).serving?.operators.filter(({ name }) => name === 'expert-up');
  const [split = [], alone = []] = [run('duplex'), run('duplex-logic-pim')];
  expect(split.map(({ on }) => on).sort()).toEqual(['array', 'pim']);
  expect(alone.map(({ on }) => on)).toEqual(['pim']);
  expect(split.reduce((sum, { flops }) => sum + flops, 0)).toBe(alone[0]?.flops);
});
