/** The attention of BERT on FuseMax, against the closed forms of the artifact's cost model (FPSG-UIUC/micro24-fusemax-artifact f543beb). */
import { describe, expect, it } from 'vitest';
import type { EngineResult, Result } from '../../models/result.ts';
import { type SimulateOptions, simulate } from '../../models/simulate.ts';
import { loadMapping } from '../../workloads/language/mapping.ts';
import { shipped, shippedMachine } from './machines.ts';

const side = 256;
const E = 64;
const F = 64;
const H = 12;

describe.each([
  // Joules, as the artifact gives them for a batch of 64.
  { B: 64, P: 1024, energy: 1.950060973312116 },
  { B: 4, P: 4096, energy: 30.8975200741192 / 16 },
])('BERT attention on fusemax, B=$B and P=M=$P', ({ B, P, energy }) => {
  const M = P;
  const result = simulate({
    arch: shippedMachine('fusemax'),
    workload: shipped('attention-1-pass', { B, H, E, F, P, M }),
    mapping: loadMapping('workloads/mappings/fusemax-binding.yaml'),
  } satisfies SimulateOptions);
  const M1 = M / side;
  const tiles = B * H * M1 * (P / side);
  /** +Binding: the vector array is never without work, T x (2 F + 10 + F / M1) cycles. */
  const cycles = tiles * (2 * F + 10 + F / M1);

  it('keeps the vector unit busy for exactly the cycles of the model', () => {
    expect(busy(result, 'vector')).toBe(cycles);
    expect(busyByEinsum(result, 'vector', tiles)).toEqual({
      RM: 1,
      PRM: 7,
      SPD: 1,
      RD: 1,
      SPNV: F,
      RNV: F,
      AV: F / M1,
    });
  });

  it('keeps the array busy for exactly the cycles of the model', () => {
    expect(busy(result, 'array')).toBe(tiles * (E + 1 + 7 + 1 + F));
    expect(busyByEinsum(result, 'array', tiles)).toEqual({ QK: E, LM: 1, SLN: 7, SLD: 1, SLNV: F });
  });

  it('takes at most half a percent more than the vector unit needs', () => {
    expect(result.cycles).toBeGreaterThanOrEqual(cycles);
    expect(result.cycles / cycles).toBeLessThan(1.005);
    expect(result.bottleneck).toMatchObject({ part: 'vector', kind: 'compute' });
  });

  it('is as utilised as the model says', () => {
    expect(Math.abs(engineOf(result, 'vector').utilization - 1)).toBeLessThan(0.01);
    expect(Math.abs(engineOf(result, 'array').utilization - (tiles * (E + F + 9)) / cycles)).toBeLessThan(0.01);
  });

  it('moves every input and output once', () => {
    const { bytesRead, bytesWritten } = result.memories.find((memory) => memory.name === 'hbm')!;
    expect(bytesRead).toBe(2 * B * H * (E * P + E * M + F * M));
    expect(bytesWritten).toBe(2 * B * H * F * P);
  });

  it('needs the energy of the model, which leaves out all but one register file', () => {
    const counted = Object.values(result.energy.by).flatMap((actions) =>
      Object.entries(actions).flatMap(([action, joules]) => (action.startsWith('register') ? [] : [joules])),
    );
    expect(Math.abs(counted.reduce((sum, joules) => sum + joules, 0) / energy - 1)).toBeLessThan(0.02);
  });
});

function engineOf(result: Result, name: string): EngineResult {
  return result.engines.find((engine) => engine.name === name)!;
}

function busy(result: Result, engine: string): number {
  return engineOf(result, engine).busy;
}

/** Cycles per tile. */
function busyByEinsum(result: Result, engine: string, tiles: number): Record<string, number> {
  const einsums = result.einsums.filter((einsum) => einsum.engine === engine);
  return Object.fromEntries(einsums.map((einsum) => [einsum.name, einsum.busy / tiles]));
}
