/** The best way to run a contraction in folds of a systolic array. */
import type { ArrayPart, Content } from '../../arch/language/arch.ts';
import type { Workload } from '../../workloads/language/workload.ts';
import { defaultAssignment } from './assign.ts';
import { type Contraction, contractionOf } from './contraction.ts';
import { BindError } from './dependencies.ts';
import type { FoldEngine } from './fold-costs.ts';
import { foldEstimate } from './fold-estimate.ts';
import { type FoldBuffers, type FoldPlan, foldPlans } from './fold-plan.ts';
import { foldSection } from './fold-section.ts';
import { FoldGrid } from './folds.ts';
import { noPadToRead, noPadToWrite } from './gaps.ts';
import { type Context, costOf, type Found, type Sketch } from './search.ts';
import type { Estimate } from './section.ts';
import { costPerPoint } from './tile-ops.ts';
import type { EngineSite, PimSite, Site, Topology } from './topology.ts';

/** Plans whose estimates differ by less are as fast; the one with the least traffic is taken. */
const closeEnough = 1e-3;

/**
 * Null when a sketch is not one for folds: several einsums, an engine that is no systolic array, ranks over other sides
 * than the dataflow's, or buffering that a mapping asks for. @throws BindError when it does not fit.
 */
export function searchFolds(sketch: Sketch, workload: Workload, context: Context): Found | null {
  const [einsum] = sketch.einsums;
  const assignment = sketch.assignments[0]!;
  const { engine } = assignment;
  if (sketch.einsums.length > 1 || !isSystolic(engine) || !sketch.stored.has(einsum!.output.tensor)) return null;
  if (sketch.hold !== null || sketch.stream.size > 0 || sketch.interleave !== null) return null;
  const usual = defaultAssignment(einsum!, engine);
  if (!sameNames(assignment.rows, usual.rows) || !sameNames(assignment.columns, usual.columns)) return null;
  const contraction = contractionOf(einsum!, workload, context.extents);
  if (contraction === null) return null;
  const cost = costPerPoint(einsum!, { engine });
  const bits = (tensor: string): number => 8 * context.bytesOf(tensor);
  const { topology, wholeFolds } = context;
  const foldEngine: FoldEngine = { site: engine, topology, cost, bits, wholeFolds };
  const best = bestOf(contraction, engine.part, foldEngine);
  return { built: { section: foldSection(best.plan, foldEngine), estimate: best.estimate }, cost: best.cost };
}

interface Candidate {
  readonly plan: FoldPlan;
  readonly estimate: Estimate;
  readonly cost: number;
}

/**
 * Whole folds first; where the memory is what bounds them, time in more and more blocks, for which more of the operands stay
 * on the chip.
 */
function bestOf(contraction: Contraction, array: ArrayPart, engine: FoldEngine): Candidate {
  const gridOf = (blocks: number): FoldGrid => new FoldGrid(contraction, array, engine.cost.interval, blocks);
  const whole = gridOf(1);
  let best: Candidate | null = null;
  let failure: BindError | null = null;
  const mostBlocks = engine.wholeFolds || !whole.canBlock ? 1 : Math.max(1, whole.blocks.size / array.rows);
  // Blocks shorter than the array has rows would wait for each other.
  for (let blocks = 1; blocks <= mostBlocks; blocks *= 2) {
    if (best !== null && best.estimate.trafficSeconds < best.estimate.seconds) break;
    try {
      const candidate = bestPlan(blocks === 1 ? whole : gridOf(blocks), engine);
      if (best === null || candidate.cost < best.cost) best = candidate;
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      failure ??= error;
    }
  }
  if (best === null) throw failure;
  return best;
}

function bestPlan(grid: FoldGrid, engine: FoldEngine): Candidate {
  const plans = foldPlans(grid, buffersOf(engine, grid.contraction));
  const candidates = plans.map((plan): Candidate => {
    const estimate = foldEstimate(plan, engine);
    return { plan, estimate, cost: costOf(estimate) };
  });
  const least = Math.min(...candidates.map(({ cost }) => cost));
  return candidates
    .filter(({ cost }) => cost <= least * (1 + closeEnough))
    .reduce((a, b) => (b.plan.traffic < a.plan.traffic ? b : a));
}

export function isSystolic(engine: EngineSite | PimSite): engine is Site<ArrayPart> {
  return engine.part.kind === 'array' && engine.part.feed === 'systolic';
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

function buffersOf({ site, topology, bits }: FoldEngine, { inputs, weights, einsum }: Contraction): FoldBuffers {
  const { path: engine, hertz } = site;
  const padFor = (content: Content, tensor: string): string => {
    const pad = topology.routes.find(({ pad: path }) => {
      const joined = content === 'results' ? topology.width(engine, path) : topology.width(path, engine);
      return joined !== null && topology.pad(path)!.part.holds.includes(content);
    })?.pad;
    if (pad === undefined) {
      if (content === 'results') throw noPadToWrite(einsum.name, ['memory'], engine, topology);
      throw noPadToRead(einsum.name, tensor, content, engine, topology);
    }
    return pad;
  };
  const pads = {
    inputs: padFor('inputs', inputs.tensor),
    weights: padFor('weights', weights.tensor),
    results: padFor('results', einsum.output.tensor),
  };
  const capacity = new Map(
    Object.values(pads).map((path) => {
      const { part } = topology.pad(path)!;
      return [path, part.capacity * part.count];
    }),
  );
  return { pads, capacity, bits, latency: latencyCycles(pads, topology, hertz) };
}

/** Cycles from a request to memory until its data is in a scratchpad and can be read. */
function latencyCycles(pads: FoldBuffers['pads'], topology: Topology, hertz: number): number {
  const perPad = Object.values(pads).map((path) => {
    const route = topology.routes.find((r) => r.pad === path)!;
    return topology.memoryLatency(route) + topology.padLatency(path);
  });
  return Math.ceil(Math.max(...perPad) * hertz);
}
