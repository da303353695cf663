import { it } from 'vitest';
import { List } from 'immutable';
import { foldSection } from '../../models/binding/fold-section.ts';
import { Phase, Program } from '../../models/binding/program.ts';
import { Machine } from '../../models/machine.ts';
import { measure } from '../../models/measure.ts';
import { runFolds } from '../reference/scratchpads.ts';
import { plansOf } from './explore-stalls.test.ts';
const base = { cascade: 'gemm', extents: [4, 4, 4, 4, 4, 4], rows: 2, columns: 2, count: 1, dataflow: 'weight-stationary', overlap: 'full', capacities: [1024, 1024, 1024], width: 64, bandwidth: 64, latency: 0, padLatency: 0, isShared: false };
function show(name: string, s: object, keep = (_p: unknown) => true) {
  const all = { ...base, ...s } as never as Parameters<typeof plansOf>[0];
  const found = plansOf(all);
  console.log('==', name, JSON.stringify(s));
  if (!found) return console.log('does not fit');
  for (const plan of found.plans.filter(keep)) {
    const section = foldSection(plan, found.engine as never);
    const program = new Program({ mapping: 'x', phases: List([new Phase({ repeat: 1, sections: List([section]) })]) });
    const result = measure({ arch: found.arch, workload: found.workload.workload, program, overrides: [], version: '' }, new Machine(found.arch).run(program));
    const twin = runFolds(plan, { memory: { bytes: Math.round(all.bandwidth * 10), cycles: 10, latency: all.latency }, pads: new Map(found.names.map((p) => [p, { bytes: all.width, cycles: 1, latency: all.padLatency }])), elementBits: 8 });
    console.log(`rows ${plan.rowLoop === 2 ? 'outer' : 'inner'} spills ${plan.spills} cycles ${result.cycles}/${twin.cycles} busy ${twin.busy} period ${plan.grid.cycles.period}`, JSON.stringify(twin.stalls), JSON.stringify([...twin.moved]), 'peaks', JSON.stringify([...twin.peaks]), '\n   ', plan.flows.map((f) => `${f.role}${f.kept ? ' kept' : ''} slots ${f.slots} held ${f.held.bytes}/${f.held.pieces} space ${f.space} pieces ${f.pieces.count} bytes ${f.values(0)}`).join('; '));
  }
}
it('probes', () => {
  show('image over batches', { cascade: 'depthwise', extents: [3, 7, 5], rows: 2, columns: 1, capacities: [30, 1024, 1024] });
  show('image small', { cascade: 'depthwise', extents: [3, 7, 5], rows: 2, columns: 1, capacities: [16, 1024, 1024] });
  show('OS full drain', { dataflow: 'output-stationary', extents: [8, 8, 16] });
  show('WS full', { dataflow: 'weight-stationary', extents: [16, 8, 8] });
});
