import { it } from 'vitest';
import { bind } from '../../models/binding/bind.ts';
import { foldEstimate } from '../../models/binding/fold-section.ts';
import { costOf } from '../../models/binding/search.ts';
import { simulate } from '../../models/simulate.ts';
import { Topology } from '../../models/binding/topology.ts';
import { type FoldCase, foldsOf } from './fold-runs.ts';
function show(json: string, more: object) {
  const s = { ...JSON.parse(json), ...more } as FoldCase;
  const f = foldsOf(s);
  const topology = new Topology(f.arch);
  const bound = bind(f.arch, f.workload).phases.first()!.sections.first()!;
  console.log('=====', JSON.stringify(s), simulate({ arch: f.arch, workload: f.workload }).cycles);
  for (const plan of f.plans) {
    const e = foldEstimate(plan, { site: topology.engine('array') as never, topology, cost: { interval: 1, depth: 1 }, bits: () => 8 });
    const t = f.twin(plan);
    console.log(f.section(plan).equals(bound) ? '*' : ' ', `cost ${(costOf(e) * 1e9).toFixed(2)} seconds ${(e.seconds * 1e9).toFixed(1)} fill ${(e.fillSeconds * 1e9).toFixed(1)} traffic ${plan.traffic}`, `rows ${plan.rowLoop === 2 ? 'outer' : 'inner'} spills ${plan.spills} cycles ${t.cycles} busy ${t.busy}`, JSON.stringify(t.stalls), plan.flows.map((x) => `${x.role}${x.kept ? ' kept' : ''} slots ${x.slots} pieces ${x.pieces.count} bytes ${x.values(0)}`).join('; '), `mem ${[...t.moved].filter(([k]) => k.startsWith('memory')).map(([k, v]) => `${k} ${v}`)}`);
  }
}
it('show', () => {
  const cases: [string, object][] = JSON.parse(process.env.CASES!);
  for (const [s, m] of cases) { show(s, {}); show(s, m); }
});
