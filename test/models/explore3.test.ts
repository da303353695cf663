import fc from 'fast-check';
import { it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { type FoldCase, foldsOf, products } from './fold-runs.ts';
const scenario: fc.Arbitrary<FoldCase> = fc.record({
  product: fc.constantFrom(...(Object.keys(products) as FoldCase['product'][])),
  extents: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 6, maxLength: 6 }),
  rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 5 }),
  count: fc.constantFrom(1, 1, 2, 3),
  dataflow: fc.constantFrom('output-stationary' as const, 'weight-stationary' as const, 'input-stationary' as const),
  overlap: fc.constantFrom('none' as const, 'preload' as const, 'full' as const),
  capacities: fc.array(fc.constantFrom(12, 20, 40, 100, 1024), { minLength: 3, maxLength: 3 }),
  width: fc.constantFrom(1, 5, 64), bandwidth: fc.constantFrom(10, 25, 3, 70, 640),
  latency: fc.constantFrom(0, 7), padLatency: fc.constantFrom(0, 1, 3), isShared: fc.boolean(),
});
const changes: Record<string, (s: FoldCase) => FoldCase> = {
  bandwidth: (s) => ({ ...s, bandwidth: 2 * s.bandwidth }),
  capacity: (s) => ({ ...s, capacities: s.capacities.map((c) => 2 * c) }),
  latency: (s) => ({ ...s, latency: 0, padLatency: 0 }),
  width: (s) => ({ ...s, width: 2 * s.width }),
};
it('monotone', () => {
  const worst: Record<string, { n: number; slower: number; cases: { ratio: number; by: number; from: number; to: number; s: string }[] }> = {};
  fc.assert(fc.property(scenario, (s) => {
    const plans = foldsOf(s);
    if (plans.plans.length === 0) return;
    const run = (c: FoldCase) => { const f = foldsOf(c); return simulate({ arch: f.arch, workload: f.workload }).cycles; };
    const from = run(s);
    for (const [name, change] of Object.entries(changes)) {
      const to = run(change(s));
      const w = (worst[name] ??= { n: 0, slower: 0, cases: [] });
      w.n++;
      if (to > from) { w.slower++; w.cases.push({ ratio: to / from, by: to - from, from, to, s: JSON.stringify(s) }); }
    }
  }), { numRuns: Number(process.env.RUNS ?? 300) });
  for (const [name, w] of Object.entries(worst)) {
    console.log(name, w.n, w.slower, w.cases.sort((a, b) => b.ratio - a.ratio).slice(0, 4), 'by', w.cases.sort((a, b) => b.by - a.by).slice(0, 2));
  }
}, 300000);
