import fc from 'fast-check';
import { it, expect } from 'vitest';
import type { ArrayPart } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { bind } from '../../models/binding/bind.ts';
import { contractionOf } from '../../models/binding/contraction.ts';
import { type FoldPlan, foldPlans } from '../../models/binding/fold-plan.ts';
import { foldSection } from '../../models/binding/fold-section.ts';
import { FoldGrid } from '../../models/binding/folds.ts';
import { List } from 'immutable';
import { Phase, Program } from '../../models/binding/program.ts';
import { type Site, Topology } from '../../models/binding/topology.ts';
import { Machine } from '../../models/machine.ts';
import { measure } from '../../models/measure.ts';
import { extentsOf } from '../../workloads/language/shapes.ts';
import { einsumsOf } from '../../workloads/language/workload.ts';
import { runFolds } from '../reference/scratchpads.ts';
import { aMachine, aWorkload } from './machines.ts';

const cascades = {
  gemm: { cascade: 'Z[m,n] = A[m,k] * B[k,n]', inputs: 'A[m,k]  B[k,n]', ranks: 'mnk' },
  batched: { cascade: 'Z[b,m,n] = A[b,m,k] * B[b,k,n]', inputs: 'A[b,m,k]  B[b,k,n]', ranks: 'bmnk' },
  conv: { cascade: 'Z[n,p,q] = A[c,p+r,q+s] * B[n,c,r,s]', inputs: 'A[c,p+r,q+s]  B[n,c,r,s]', ranks: 'npqcrs' },
  swapped: { cascade: 'Z[n,p] = B[n,c,r] * A[c,p+r]', inputs: 'B[n,c,r]  A[c,p+r]', ranks: 'npcr' },
  strided: { cascade: 'Z[n,p] = A[c,2*p+r] * B[n,c,r]', inputs: 'A[c,2*p+r]  B[n,c,r]', ranks: 'npcr' },
  depthwise: { cascade: 'Z[c,p] = A[c,p+r] * B[c,r]', inputs: 'A[c,p+r]  B[c,r]', ranks: 'cpr' },
  grouped: { cascade: 'Z[g,n,p] = A[g,c,p+r] * B[g,n,c,r]', inputs: 'A[g,c,p+r]  B[g,n,c,r]', ranks: 'gnpcr' },
} as const;

const scenario = fc.record({
  cascade: fc.constantFrom(...(Object.keys(cascades) as (keyof typeof cascades)[])),
  extents: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 6, maxLength: 6 }),
  rows: fc.integer({ min: 1, max: 5 }),
  columns: fc.integer({ min: 1, max: 5 }),
  count: fc.constantFrom(1, 1, 2, 3),
  dataflow: fc.constantFrom('output-stationary', 'weight-stationary', 'input-stationary'),
  overlap: fc.constantFrom('none', 'preload', 'full'),
  capacities: fc.tuple(...[1, 2, 3].map(() => fc.constantFrom(12, 20, 40, 100, 1024))),
  width: fc.constantFrom(1, 5, 64),
  bandwidth: fc.constantFrom(1, 2.5, 0.3, 7, 64),
  latency: fc.constantFrom(0, 7),
  padLatency: fc.constantFrom(0, 1, 3),
  isShared: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function load(s: Scenario) {
  const pad = (i: number, holds: string): string =>
    `kind: scratchpad, clock: core, capacity: ${s.capacities[i]} B, width: ${s.width} B, latency: ${s.padLatency} cycles, holds: [${holds}]`;
  const own = [`ifmap: { ${pad(0, 'inputs')} }`, `filter: { ${pad(1, 'weights')} }`, `ofmap: { ${pad(2, 'results')} }`];
  const names = s.isShared ? ['pad'] : ['ifmap', 'filter', 'ofmap'];
  const arch = aMachine({
    hbm: `bandwidth: ${s.bandwidth} GB/s, latency: ${s.latency} ns`,
    array: `count: ${s.count}, rows: ${s.rows}, columns: ${s.columns}, dataflow: ${s.dataflow}, overlap: ${s.overlap}, operations: { mac: 1 }`,
    more: s.isShared ? [`pad: { ${pad(2, 'inputs, weights, results')} }`] : own,
    links: [
      ...names.flatMap((n) => [`hbm <-> ${n} via dma`, `array <-> ${n}`]),
      'hbm <-> buffer via dma',
      'buffer <-> vector',
    ],
  });
  const { cascade, inputs, ranks } = cascades[s.cascade];
  const sizes = [...ranks].map((rank, i) => `${rank.toUpperCase()}: ${s.extents[i]}`).join(', ');
  const workload = aWorkload(cascade, { inputs, output: cascade.split(' =')[0]!, ranks: sizes });
  return { arch, workload, names };
}

export function plansOf(s: Scenario) {
  const { arch, workload, names } = load(s);
  const topology = new Topology(arch);
  const einsum = einsumsOf(workload.workload)[0]!;
  const contraction = contractionOf(einsum, workload.workload, extentsOf(workload.workload, einsum));
  if (contraction === null) return null;
  const site = topology.engine('array') as Site<ArrayPart>;
  const cost = { interval: 1, depth: 1 };
  const grid = new FoldGrid(contraction, site.part, 1);
  const [i, w, r] = s.isShared ? ['pad', 'pad', 'pad'] : (names as [string, string, string]);
  const pads = { inputs: i!, weights: w!, results: r! };
  const capacity = new Map(Object.values(pads).map((p) => [p, topology.pad(p)!.part.capacity]));
  try {
    const plans = foldPlans(grid, { pads, capacity, bits: () => 8, latency: s.latency + s.padLatency });
    return { arch, workload, plans, capacity, names, engine: { site, topology, cost, bits: () => 8 } };
  } catch { return null; }
}

const ratio = (rate: number) => ({ bytes: Math.round(rate * 10), cycles: 10 });

it('explore', () => {
  let n = 0, bad = 0, over = 0, best = 0, early = 0;
  const overs = new Map<string, number>();
  const shownOver = new Map<string, number>();
  fc.assert(fc.property(scenario, (s) => {
    const found = plansOf(s);
    if (!found) return;
    const { arch, workload, plans, capacity, engine, names } = found;
    const bound = bind(arch, workload).phases.first()!.sections.first()!;
    let matched = false;
    for (const plan of plans) {
      n++;
      const section = foldSection(plan, engine as never);
      if (section.equals(bound)) { best++; matched = true; }
      const program = new Program({ mapping: 'x', phases: List([new Phase({ repeat: 1, sections: List([section]) })]) });
      const result = measure({ arch, workload: workload.workload, program, overrides: [], version: '' }, new Machine(arch).run(program));
      const twin = runFolds(plan, {
        memory: { ...ratio(s.bandwidth), latency: s.latency },
        pads: new Map(names.map((p) => [p, { bytes: s.width, cycles: 1, latency: s.padLatency }])),
        elementBits: 8,
      });
      const array = result.engines.find((e) => e.name === 'array')!;
      const waited = (test: (w: (typeof array.waits)[number]) => boolean) => array.waits.filter(test).reduce((a, b) => a + b.cycles, 0);
      const isDma = (p: string) => p.includes('.dma');
      const role = (t: string) => plan.flows.find((f) => f.tensor === t)!.role;
      const mine = {
        cycles: result.cycles, busy: array.busy,
        stalls: {
          inputs: waited((w) => isDma(w.part) && role(w.tensor) === 'inputs'),
          weights: waited((w) => isDma(w.part) && role(w.tensor) === 'weights'),
          sums: waited((w) => isDma(w.part) && role(w.tensor) === 'results' && w.reason === 'memory'),
          room: waited((w) => w.reason === 'output'),
          ports: waited((w) => !isDma(w.part)),
        },
      };
      const theirs = { cycles: twin.cycles, busy: twin.busy, stalls: twin.stalls };
      const moved = new Map<string, number>();
      for (const m of result.memories) for (const [t, { read, written }] of Object.entries(m.tensors)) {
        const name = m.name === 'hbm' ? 'memory' : m.name;
        if (read) moved.set(`${name} ${t} read`, read);
        if (written) moved.set(`${name} ${t} written`, written);
      }
      const key = (m: ReadonlyMap<string, number>) => JSON.stringify([...m].filter(([, v]) => v > 0).sort());
      if (JSON.stringify(mine) !== JSON.stringify(theirs) || key(moved) !== key(twin.moved)) {
        bad++;
        if (bad < 4) console.log('MISMATCH', JSON.stringify(s), plan.rowLoop, plan.flows.map((f) => [f.role, f.kept, f.slots, f.phase, f.pieces]), mine, theirs, key(moved), key(twin.moved));
      }
      for (const [pad, peak] of twin.peaks) if (peak > capacity.get(pad)!) {
        over++;
        const flows = plan.flows.filter((f) => f.pad === pad);
        const k = `${pad} ${s.cascade} ${s.dataflow} ${flows.map((f) => `${f.role}${f.kept ? ' kept' : ''}`)}`;
        overs.set(k, (overs.get(k) ?? 0) + 1);
        const size = s.extents.reduce((a, b) => a + b);
        if (pad !== 'pad' && size < (shownOver.get(k.split(' ')[0]!) ?? 99)) { shownOver.set(k.split(' ')[0]!, size); console.log('OVER', pad, peak, capacity.get(pad), JSON.stringify(s), flows.map((f) => [f.role, f.kept, f.slots, f.held, f.space, f.values(0), f.pieces]), { spills: plan.spills, rowLoop: plan.rowLoop }); }
      }
    }
    if (!matched) { early++; if (early < 3) console.log('NO PLAN EQUALS BOUND', JSON.stringify(s), bound.name, bound.engines.map(e=>e.engine).toArray()); }
  }), { numRuns: Number(process.env.RUNS ?? 1) });
  console.log({ n, bad, over, best, early }, [...overs].sort((a, b) => b[1] - a[1]).slice(0, 40));
}, 300000);
void InputError; void expect; void (0 as unknown as FoldPlan);
