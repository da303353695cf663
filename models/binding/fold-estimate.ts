/** How long a plan of folds takes, about: what binding decides by. */
import { FoldCosts, type FoldEngine } from './fold-costs.ts';
import {
  batchLoop,
  bytesOf,
  type FoldFlow,
  type FoldPlan,
  innerLoop,
  outerLoop,
  trafficOf,
  tripsOf,
} from './fold-plan.ts';
import { lastPiece } from './folds.ts';
import type { Estimate } from './section.ts';
import { memoryBandwidth, padBandwidth, type Topology } from './topology.ts';

export function foldEstimate(plan: FoldPlan, engine: FoldEngine): Estimate {
  const { site, topology } = engine;
  const { grid, pieces } = plan;
  const bandwidth = bandwidthOf(plan, topology);
  const foldsInTurn = tripsOf(plan, batchLoop | innerLoop | outerLoop);
  const period = Math.max(grid.cycles.period, plan.spills ? roundTrip(plan, engine, bandwidth) : 0);
  const trafficSeconds = plan.traffic / bandwidth;
  const fillSeconds = plan.first / bandwidth + (grid.cycles.length - grid.cycles.period) / site.hertz;
  const roundSeconds = (foldsInTurn * pieces.stream.count) / site.hertz;
  const busiest = Math.max((foldsInTurn * period) / site.hertz, trafficSeconds, padSeconds(plan, engine));
  return { seconds: busiest, fillSeconds, trafficSeconds, roundSeconds };
}

/** Bytes per second of the memory that the scratchpads are filled from, or of the narrowest way to it. */
function bandwidthOf({ flows }: FoldPlan, topology: Topology): number {
  const routes = topology.routes.filter(({ pad }) => flows.some((flow) => flow.pad === pad));
  return Math.min(
    ...routes.map(({ memory }) => memoryBandwidth(topology.memory(memory)!)),
    ...routes.map(({ port }) => port?.bytesPerSecond ?? Number.POSITIVE_INFINITY),
  );
}

/**
 * Cycles per fold that partial sums which go to memory leave at least: a piece of them is streamed, leaves the array, is
 * stored and fetched again before the next row fold can add to it.
 */
function roundTrip(plan: FoldPlan, engine: FoldEngine, bandwidth: number): number {
  const { site, topology } = engine;
  const { grid, pieces, rowLoop } = plan;
  const flow = plan.flows.find(({ operand }) => operand === null)!;
  const route = topology.routes.find(({ pad }) => pad === flow.pad)!;
  const inSeconds =
    (2 * bytesOf(flow, 0)) / bandwidth + topology.memoryLatency(route) + 2 * topology.padLatency(flow.pad);
  const inArray = grid.cycles.stream / pieces.stream.count + new FoldCosts(plan, engine).latency('stream', 0);
  const foldsBetween = rowLoop === outerLoop ? tripsOf(plan, innerLoop) : 1;
  return (inArray + inSeconds * site.hertz) / foldsBetween;
}

/** Seconds that the busiest scratchpad serves the array and its DMAs. */
function padSeconds(plan: FoldPlan, engine: FoldEngine): number {
  const bytes = new Map<string, number>();
  for (const flow of plan.flows) {
    bytes.set(flow.pad, (bytes.get(flow.pad) ?? 0) + trafficOf(plan, flow) + arrayBytes(plan, flow, engine));
  }
  return Math.max(...[...bytes].map(([pad, n]) => n / padBandwidth(engine.topology.pad(pad)!)));
}

/** Bytes that the array reads of an operand, or writes of results and reads of their sums, about. */
function arrayBytes(plan: FoldPlan, flow: FoldFlow, { bits }: FoldEngine): number {
  const { grid, rowLoop } = plan;
  const folds = tripsOf(plan, batchLoop | innerLoop | outerLoop);
  if (flow.operand !== null)
    return (folds * grid.batches.size * grid.elements(flow.operand, 0, null) * bits(flow.tensor)) / 8;
  const sums = flow.phase === 'stream' ? 2 - 1 / tripsOf(plan, rowLoop) : 1;
  const perFold = (flow.pieces.count - 1) * flow.values(0) + flow.values(lastPiece);
  return folds * perFold * sums;
}
