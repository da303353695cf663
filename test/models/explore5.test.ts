import fc from 'fast-check';
import { it } from 'vitest';
import { bind } from '../../models/binding/bind.ts';
import type { FoldPlan } from '../../models/binding/fold-plan.ts';
import { type FoldCase, foldsOf, products } from './fold-runs.ts';
const scenario: fc.Arbitrary<FoldCase> = fc.record({
  product: fc.constantFrom(...(Object.keys(products) as FoldCase['product'][])),
  extents: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 6, maxLength: 6 }),
  rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 5 }),
  count: fc.constantFrom(1, 1, 2, 3),
  dataflow: fc.constantFrom('output-stationary' as const, 'weight-stationary' as const, 'input-stationary' as const),
  overlap: fc.constantFrom('none' as const, 'preload' as const, 'full' as const),
  capacities: fc.array(fc.constantFrom(12, 20, 40, 100, 1024), { minLength: 3, maxLength: 3 }),
  width: fc.constant(256), bandwidth: fc.constantFrom(10, 25, 3, 70, 640),
  latency: fc.constantFrom(0, 7), padLatency: fc.constantFrom(0, 1, 3), isShared: fc.boolean(),
});
const changes: Record<string, [(s: FoldCase) => FoldCase, (p: FoldPlan) => FoldPlan]> = {
  bandwidth: [(s) => ({ ...s, bandwidth: 2 * s.bandwidth }), (p) => p],
  latency: [(s) => ({ ...s, latency: 0 }), (p) => p],
  padLatency: [(s) => ({ ...s, padLatency: 0 }), (p) => p],
  width: [(s) => ({ ...s, width: 2 * s.width }), (p) => p],
  slots: [(s) => s, (p) => ({ ...p, flows: p.flows.map((f) => ({ ...f, slots: f.slots + (p.spills && f.role === 'results' ? 2 : 1) })) })],
};
it('fixed plan monotone', () => {
  const worst: Record<string, { n: number; slower: number; cases: { ratio: number; by: number; from: number; to: number; longest: number; s: string }[] }> = {};
  const regret: { ratio: number; s: string; best: number; chosen: number }[] = []; let regrets = 0;
  fc.assert(fc.property(scenario, (s) => {
    const f = foldsOf(s);
    if (f.plans.length === 0) return;
    const bound = bind(f.arch, f.workload).phases.first()!.sections.first()!;
    const all = f.plans.map((p) => f.twin(p).cycles);
    const chosen = all[f.plans.findIndex((p) => f.section(p).equals(bound))]!;
    const least = Math.min(...all);
    regrets++;
    if (chosen > least * 1.02) regret.push({ ratio: chosen / least, s: JSON.stringify(s), best: least, chosen });
    f.plans.forEach((plan, i) => {
      for (const [name, [change, alter]] of Object.entries(changes)) {
        const to = foldsOf(change(s)).twin(alter(plan)).cycles;
        const from = all[i]!;
        const w = (worst[name] ??= { n: 0, slower: 0, cases: [] });
        w.n++;
        const longest = Math.max(...plan.flows.map((x) => x.values(0))) * 10 / s.bandwidth;
        if (to > from) { w.slower++; w.cases.push({ ratio: to / from, by: to - from, from, to, longest, s: JSON.stringify(s) }); }
      }
    });
  }), { numRuns: Number(process.env.RUNS ?? 300) });
  for (const [name, w] of Object.entries(worst)) {
    console.log(name, w.n, w.slower, w.cases.sort((a, b) => b.ratio - a.ratio).slice(0, 3), 'by', w.cases.sort((a, b) => b.by - a.by).slice(0, 2), 'by/longest', Math.max(0, ...w.cases.map((c) => c.by / Math.max(1, c.longest))));
  }
  const hist = [1.02, 1.1, 1.25, 1.5, 2, 3].map((t) => [t, regret.filter((r) => r.ratio > t).length]);
  console.log('regret', regrets, JSON.stringify(hist), regret.sort((a, b) => b.ratio - a.ratio).slice(0, 3), 'wide', regret.filter((r) => r.s.includes('"width":256')).length, regret.filter((r) => r.s.includes('"width":256')).slice(0, 3));
}, 300000);
