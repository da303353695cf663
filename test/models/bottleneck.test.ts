import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { aGemm, aMachine, aMapping, aWorkload, type MachineParts } from './machines.ts';

const tiled = aMapping('partition: { M: [M1, M0 4] }', 'loops: [m1]', 'hold: [B]');

const bottleneck = (parts: MachineParts, [M, N, K]: [number, number, number]) =>
  simulate({ arch: aMachine(parts), workload: aGemm(M, N, K), mapping: tiled }).bottleneck;

describe('what bounds a run', () => {
  it('is the engine that is busy nearly all the time, with its einsums', () => {
    const found = bottleneck({ hbm: 'bandwidth: 64 GB/s, latency: 0 ns' }, [256, 4, 64]);
    expect(found).toMatchObject({ part: 'array', kind: 'compute' });
    expect(found.utilization).toBeGreaterThan(0.95);
    expect(found.shares).toEqual([{ name: 'Z', share: found.utilization }]);
  });

  it('is the memory that moves data nearly all the time, with its tensors', () => {
    const found = bottleneck({}, [64, 4, 16]);
    expect(found).toMatchObject({ part: 'hbm', kind: 'memory' });
    expect(found.shares.map(({ name }) => name)).toEqual(['A', 'Z', 'B']);
    expect(found.shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(found.utilization, 12);
    expect(found.reason).toMatch(/^hbm moves data for \d+\.\d % of the run$/);
  });

  it('is DRAM that has something under way nearly all the time, however little of its peak it reaches', () => {
    const arch = aMachine({
      dram: 'use: dram/hbm2, channels: 1, mapping: row-column-bankGroup-bank-pseudoChannel, page: capped 1',
    });
    const { bottleneck, memories } = simulate({ arch, workload: aGemm(64, 4, 16), mapping: tiled });
    expect(bottleneck).toMatchObject({ part: 'hbm', kind: 'memory' });
    expect(bottleneck.reason).toMatch(/^hbm serves requests for \d+\.\d % of the run$/);
    expect(memories[0]!.bandwidth / memories[0]!.peakBandwidth).toBeLessThan(0.5);
  });

  it('is the busier one of two that are hardly ever idle', () => {
    // A tile of 64 cycles moves 272 bytes: 5 at a time take 54 cycles.
    const found = bottleneck({ hbm: 'bandwidth: 5 GB/s, latency: 0 ns' }, [256, 4, 64]);
    expect(found).toMatchObject({ part: 'array', kind: 'compute' });
  });

  it('is what the busiest engine waits for when no part is busy all the time', () => {
    const found = bottleneck({ hbm: 'bandwidth: 64 GB/s, latency: 500 ns' }, [16, 4, 16]);
    expect(found).toMatchObject({ part: 'array', kind: 'dependencies' });
    expect(found.reason).toMatch(
      /^no part is busy for more than \d+\.\d % of the run; array waits \d+\.\d % of the run for [AB] of buffer\.dma\d$/,
    );
  });

  it('names the einsums of the busiest engine from the largest share down', () => {
    const workload = aWorkload('Y[m] = exp(A[m])\nX[m] = Y[m] + A[m]\nZ[m] = X[m] / Y[m]', {
      ranks: 'M: 64',
      inputs: 'A[m]',
      output: 'Z[m]',
    });
    const { shares, part } = simulate({
      arch: aMachine({}, ['hbm.bandwidth=64 GB/s']),
      workload,
      mapping: aMapping('loops: []'),
    }).bottleneck;
    expect(part).toBe('vector');
    expect(shares.map(({ name }) => name)).toEqual(['Y', 'Z', 'X']);
  });
});
