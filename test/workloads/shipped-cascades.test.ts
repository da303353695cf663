/** What cascades compute, against loops written out. */
import { describe, expect, it } from 'vitest';
import { evaluate, randomInputs } from '../../workloads/language/evaluate.ts';
import { loadWorkload } from '../../workloads/language/load.ts';
import { passes } from '../../workloads/language/passes.ts';
import type { Workload } from '../../workloads/language/workload.ts';

function run(name: string, shape: Readonly<Record<string, number>>) {
  const { workload } = loadWorkload(`workloads/${name}.yaml`, {
    shape: Object.entries(shape).map(([rank, extent]) => `${rank}=${extent}`),
  });
  const values = evaluate(workload, randomInputs(workload, 3));
  return (tensor: string) => at(values.get(tensor)!, workload, tensor);
}

function at(values: Float64Array, workload: Workload, tensor: string): (...position: number[]) => number {
  const shape = workload.tensors.get(tensor)!.shape.toArray();
  return (...position) => values[position.reduce((offset, i, d) => offset * shape[d]! + i, 0)]!;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The mean of values, weighted by the exponentials of their scores. */
function attend(scores: readonly number[], values: readonly number[]): number {
  const weights = scores.map(Math.exp);
  return sum(weights.map((weight, i) => weight * values[i]!)) / sum(weights);
}

describe('attention-gqa', () => {
  it('gives all heads of a group the same keys and values, in one pass', () => {
    const [E, M0] = [3, 2];
    const of = run('attention-gqa', { G: 2, R: 3, E, F: 2, P: 4, M: 6, M0 });
    const [q, k, v, av] = ['Q', 'K', 'V', 'AV'].map(of);
    for (const [g, r, f, p] of [
      [0, 0, 0, 0],
      [1, 2, 1, 3],
      [1, 0, 1, 2],
    ] as const) {
      const scores = range(6).map((m) => sum(range(E).map((e) => q!(0, g, r, e, p) * k!(0, g, e, m >> 1, m & 1))));
      const values = range(6).map((m) => v!(0, g, f, m >> 1, m & 1));
      expect(av!(0, g, r, f, p)).toBeCloseTo(attend(scores, values), 12);
    }
    expect(passes(loadWorkload('workloads/attention-gqa.yaml').workload, 'M').count).toBe(1);
  });
});

describe('attention-sliding-window', () => {
  it('gives every query the W keys from its own position on', () => {
    const [E, W] = [3, 4];
    const of = run('attention-sliding-window', { H: 2, E, F: 2, P: 5, W });
    const [q, k, v, av] = ['Q', 'K', 'V', 'AV'].map(of);
    for (const p of range(5)) {
      const scores = range(W).map((w) => sum(range(E).map((e) => q!(0, 1, e, p) * k!(0, 1, e, p + w))));
      expect(av!(0, 1, 0, p)).toBeCloseTo(
        attend(
          scores,
          range(W).map((w) => v!(0, 1, 0, p + w)),
        ),
        12,
      );
    }
  });
});

describe('conv-chain', () => {
  it('is one convolution after another, whatever the bands', () => {
    const [C, K, Q, rows] = [2, 3, 3, 6];
    const bands = [
      [1, 6],
      [2, 3],
      [6, 1],
    ].map(([P1, P0]) => run('conv-chain', { C, K, L: 2, P1: P1!, P0: P0!, Q }));
    const [i, w1, b1, w2, b2] = ['I', 'W1', 'B1', 'W2', 'B2'].map(bands[0]!);
    const window = range(9).map((n) => [Math.floor(n / 3), n % 3] as const);
    const first = (k: number, h: number, w: number): number =>
      Math.max(
        0,
        b1!(k) + sum(range(C).flatMap((c) => window.map(([r, s]) => i!(0, c, h + r, w + s) * w1!(k, c, r, s)))),
      );
    const second = (l: number, p: number, q: number): number =>
      Math.max(
        0,
        b2!(l) + sum(range(K).flatMap((k) => window.map(([r, s]) => first(k, p + r, q + s) * w2!(l, k, r, s)))),
      );
    for (const p of range(rows)) {
      const expected = second(1, p, 2);
      expect(bands[0]!('Y')(0, 1, 0, p, 2)).toBeCloseTo(expected, 12);
      expect(bands[1]!('Y')(0, 1, Math.floor(p / 3), p % 3, 2)).toBeCloseTo(expected, 12);
      expect(bands[2]!('Y')(0, 1, p, 0, 2)).toBeCloseTo(expected, 12);
    }
  });
});

describe('mamba-scan', () => {
  it('goes from state to state', () => {
    const [T, D, N] = [5, 2, 3];
    const of = run('mamba-scan', { B: 1, T, D, N });
    const [x, raw, b, c, alog, skip, y] = ['X', 'RAW', 'BT', 'CT', 'ALOG', 'SKIP', 'Y'].map(of);
    for (const d of range(D)) {
      let state = range(N).map(() => 0);
      for (const t of range(T)) {
        const step = Math.log1p(Math.exp(raw!(0, t, d)));
        state = state.map((h, n) => Math.exp(-step * Math.exp(alog!(d, n))) * h + step * b!(0, t, n) * x!(0, t, d));
        expect(y!(0, t, d)).toBeCloseTo(sum(state.map((h, n) => h * c!(0, t, n))) + skip!(d) * x!(0, t, d), 12);
      }
    }
  });
});

describe('mlp-gated', () => {
  it('gates one layer by the silu of another', () => {
    const of = run('mlp-gated', { N: 1, D: 2, F: 3 });
    const [g, u, a] = ['G', 'U', 'A'].map(of);
    for (const f of range(3)) expect(a!(0, f)).toBeCloseTo((g!(0, f) / (1 + Math.exp(-g!(0, f)))) * u!(0, f), 12);
  });
});
