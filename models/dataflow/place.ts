/** Lays a section on the grid: operators on PCUs, buffers in PMUs, streams on AGCUs. */
import { InputError } from '../../arch/language/diagnostics.ts';
import type { DataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import { buffersOf, fitBuffers, type PlacedBuffer } from './buffers.ts';
import type { RduDevice } from './device.ts';
import type { FlowOperator } from './graph.ts';
import type { PipelineSpec } from './pipeline-spec.ts';
import { type Routes, routesOf } from './routes.ts';
import type { Section } from './section.ts';
import { specOf } from './spec.ts';
import { type TileWork, tileWork } from './work.ts';

export interface PlacedOperator {
  readonly operator: FlowOperator;
  readonly firings: number;
  readonly pcus: number;
  /** The first of its PCUs; the others follow. */
  readonly first: number;
  readonly work: TileWork;
}

export interface PlacedSection {
  readonly section: Section;
  readonly operators: readonly PlacedOperator[];
  readonly buffers: readonly PlacedBuffer[];
  readonly routes: Routes;
  readonly spec: PipelineSpec;
}

/**
 * Operators get PCUs in proportion to their work, so that the slowest is as fast as can be. Where what comes to an operator's
 * PCUs and goes from them takes longer than the work, more PCUs are more ways: PCUs are shared out again in proportion to the
 * cycles that were taken, as long as that helps.
 * @throws InputError when there are not enough PCUs or PMUs: which operator or tensor needs how many, and what there is
 */
export function place(section: Section, device: RduDevice, { buffers: depth }: DataflowMapping): PlacedSection {
  let best = lay(section, device, depth, noDemand);
  for (let round = 1; round < mostRounds && section.tiles > 1 && slowest(best) > 1.1 * slowestWork(best); round++) {
    const next = lay(section, device, depth, demandOf(best));
    if (slowest(next) >= slowest(best)) break;
    best = next;
  }
  return best;
}

const mostRounds = 6;

/** PCU-cycles of one tile that operators take, by name, where that is more than their work. */
type Demand = ReadonlyMap<string, number>;
const noDemand: Demand = new Map();

function lay(section: Section, device: RduDevice, depth: number, demand: Demand): PlacedSection {
  const { operators, buffers } = assign(section, device, depth, demand);
  const routes = routesOf(operators, buffers, device);
  return { section, operators, buffers, routes, spec: specOf(operators, buffers, routes, device) };
}

function demandOf({ operators, spec }: PlacedSection): Demand {
  const intervals = new Map(spec.stages.map(({ name, interval }) => [name, interval]));
  return new Map(operators.map(({ operator, pcus }) => [operator.name, pcus * (intervals.get(operator.name) ?? 0)]));
}

/** Cycles in which the slowest stage does all of its tiles, and in which it would if only work counted. */
function slowest({ spec }: PlacedSection): number {
  return Math.max(...spec.stages.map(({ firings, interval }) => firings * interval));
}

function slowestWork({ operators }: PlacedSection): number {
  return Math.max(
    ...operators.map(({ firings, pcus, work }) => (pcus > 0 ? firings * Math.ceil(work.cycles / pcus) : 0)),
  );
}

/** Units for a section, without the ways between them. @throws InputError as `place` does */
export function assign(
  section: Section,
  device: RduDevice,
  depth: number,
  demand: Demand = noDemand,
): Pick<PlacedSection, 'operators' | 'buffers'> {
  const operators = sharePcus(section, device, demand);
  return { operators, buffers: fitBuffers(buffersOf(section, depth), operators, device) };
}

function sharePcus(section: Section, { part }: RduDevice, demand: Demand): PlacedOperator[] {
  const all = section.operators.toArray().map((operator) => {
    const firings = operator.streamed ? section.tiles : 1;
    return { operator, firings, work: tileWork(operator, section.tiles, part.pcu) };
  });
  const taken = ({ operator, work }: (typeof all)[number]): number =>
    Math.max(work.cycles, demand.get(operator.name) ?? 0);
  const computing = all.filter(({ work }) => work.cycles > 0);
  if (computing.length > part.pcus) {
    const message = `the section ${section.title} needs ${computing.length} PCUs, one for each operator that computes, of ${part.pcus}`;
    throw new InputError({ message, hint: 'fuse fewer operators' });
  }
  const needed = (cycles: number): number[] =>
    computing.map((one) => Math.ceil(taken(one) / Math.floor(cycles / one.firings)));
  const fits = (cycles: number): boolean => needed(cycles).reduce((sum, count) => sum + count, 0) <= part.pcus;
  // The least time in which all operators, each with so many PCUs, have done all of their tiles.
  let least = Math.max(1, ...computing.map(({ firings }) => firings));
  let most = Math.max(1, ...computing.map((one) => one.firings * taken(one)));
  while (least < most) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle)) most = middle;
    else least = middle + 1;
  }
  const counts = needed(most);
  let next = 0;
  return all.map((one) => {
    const pcus = one.work.cycles > 0 ? (counts[computing.indexOf(one)] ?? 0) : 0;
    next += pcus;
    return { ...one, pcus, first: next - pcus };
  });
}
