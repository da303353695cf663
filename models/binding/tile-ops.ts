/** What one tile of an einsum costs its engine: cycles, latency, and bytes to and from the scratchpads. */
import { List } from 'immutable';
import type { OperationCost } from '../../arch/language/arch.ts';
import { costOf } from '../../arch/language/operations.ts';
import { operatorsPerPoint } from '../../workloads/language/shapes.ts';
import type { Einsum, Index, Access as TensorAccess } from '../../workloads/language/workload.ts';
import { arrayTiming, canReduce } from '../compute/array.ts';
import { vectorTiming } from '../compute/vector.ts';
import { isContraction, stationaryVariables } from './assign.ts';
import { BindError, type Node } from './dependencies.ts';
import { lacksOperators } from './gaps.ts';
import { type LinkLoad, slowestLink } from './link-time.ts';
import type { Mask, Nest } from './nest.ts';
import type { Assignment, ElementBytes, Layout, Way } from './plan.ts';
import { Access, Arrival, Guard, type Product } from './program.ts';
import type { EngineSite, Topology } from './topology.ts';

/** An einsum's operation without its tokens. Lists are per variant, as in program.ts. */
export interface TileOp {
  readonly ragged: readonly Mask[];
  readonly busy: readonly number[];
  readonly cycles: readonly number[];
  readonly latency: readonly number[];
  readonly points: readonly number[];
  /** The link that takes longest. */
  readonly link: string;
  readonly accesses: readonly Access[];
  readonly arrivals: readonly Arrival[];
  /** Of a memory that computes: cycles are then an estimate. */
  readonly product?: Product;
}

/** Extent of a tile by variable, in one variant. */
export type Extents = (variable: string) => number;

/** One flow of bytes in an execution. */
export interface Flow {
  readonly tensor: string;
  /** Scratchpad or engine at the other end; null stays in registers. */
  readonly other: string | null;
  readonly isPad: boolean;
  readonly write: boolean;
  readonly guard: Guard;
  /** Loops whose last iteration it needs; 0 for none. Part of the variant, so that cycles know of it. */
  readonly atLast: Mask;
  readonly bytes: (extents: Extents) => number;
}

/** @throws BindError when the engine lacks an operation or cannot combine results over its rows or columns. */
export function tileOp(layout: Layout, position: number, topology: Topology, bytesOf: ElementBytes): TileOp {
  const { plan, nodes } = layout;
  const node = nodes[position]!;
  const assignment = onEngine(plan.assignments[position]!);
  const flows = [...readFlows(layout, position, bytesOf), ...writeFlows(layout, position, bytesOf)];
  const raggedAxes = node.variables.filter((v) => plan.nest.isRagged(v)).map((v) => plan.nest.axis(v));
  const drains = [...new Set(flows.map((flow) => flow.atLast).filter((mask) => mask !== 0))];
  const ragged = [...raggedAxes.map((axis) => axis.mask), ...drains];
  const cost = costPerPoint(node.einsum, assignment);
  const variants = Array.from({ length: 2 ** ragged.length }, (_, variant) => {
    const isSet = (bit: number): boolean => (variant & (1 << bit)) !== 0;
    const extents: Extents = (variable) =>
      plan.nest.tileOf(
        variable,
        raggedAxes.some((axis, bit) => axis.variable === variable && isSet(bit)),
      );
    const timing = timingOf(node, assignment, extents, cost);
    const active = flows.filter((flow) => flow.atLast === 0 || isSet(raggedAxes.length + drains.indexOf(flow.atLast)));
    return { extents, timing, active };
  });
  const engine = assignment.engine.path;
  const links = variants.map(({ active, extents }) =>
    slowestLink(linkLoads(active, extents, engine), topology, node.einsum.name),
  );
  return {
    ragged,
    busy: variants.map(({ timing }) => timing.cycles),
    cycles: variants.map(({ timing }, variant) => Math.max(timing.cycles, links[variant]!.cycles)),
    link: links.reduce((a, b) => (b.cycles > a.cycles ? b : a)).name,
    latency: variants.map(({ timing }) => timing.latency),
    points: variants.map(({ extents }) => node.variables.reduce((product, v) => product * extents(v), 1)),
    accesses: flows
      .filter((flow) => flow.isPad)
      .map(
        (flow) =>
          new Access({
            memory: flow.other!,
            tensor: flow.tensor,
            write: flow.write,
            guard: flow.guard.set('last', flow.guard.last | flow.atLast),
            bytes: List(variants.map(({ extents }) => Math.ceil(flow.bytes(extents)))),
          }),
      ),
    arrivals: node.reads
      .filter((read, r) => read.kind === 'memory' || wayOf(layout, position, r).kind !== 'registers')
      .map(({ tensor, access }) => {
        const words = variants.map(({ extents }) => arrivingWords(access, node, assignment, extents));
        return new Arrival({ tensor, words: List(words) });
      }),
  };
}

/** An assignment to an engine that computes tile by tile. */
type OnEngine = Assignment & { readonly engine: EngineSite };

function onEngine(assignment: Assignment): OnEngine {
  const { engine } = assignment;
  if (engine.part.kind === 'memory') throw new Error(`${engine.path} is a memory`);
  return { ...assignment, engine: engine as EngineSite };
}

/** Operator costs of an einsum on an engine, summed per point. @throws BindError on an operator the engine lacks. */
export function costPerPoint(
  einsum: Einsum,
  { engine }: { readonly engine: EngineSite },
): { interval: number; depth: number } {
  let interval = 0;
  let depth = 0;
  for (const [operator, count] of operatorsPerPoint(einsum)) {
    const cost: OperationCost | undefined = costOf(engine.part.operations, operator);
    if (!cost) throw new BindError(lacksOperators(einsum, engine), 'place', undefined, 0, einsum.name);
    interval += count * cost.cycles;
    depth += count * cost.depth;
  }
  // A copy or a transposition computes nothing, but every point passes through the engine.
  return interval === 0 ? { interval: 1, depth: 1 } : { interval, depth };
}

function timingOf(node: Node, assignment: OnEngine, extents: Extents, cost: { interval: number; depth: number }) {
  const { engine, rows, columns, lanes } = assignment;
  const extent = (variables: readonly string[]): number => variables.reduce((product, v) => product * extents(v), 1);
  const reduced = node.einsum.reduced;
  if (engine.part.kind === 'vector') {
    const parallel = lanes ?? node.variables.filter((v) => !reduced.includes(v));
    const serial = node.variables.filter((v) => !parallel.includes(v));
    if (lanes === null)
      return vectorTiming(engine.part, { parallel: extent(parallel), reduced: extent(serial), ...cost });
    // Named lanes are what runs side by side; all else follows one after another in each lane.
    const passes = Math.ceil(extent(parallel) / (engine.part.lanes * engine.part.count)) * extent(serial);
    return { cycles: passes * cost.interval, latency: cost.depth - cost.interval };
  }
  const over = (variables: readonly string[]): boolean => variables.some((v) => reduced.includes(v) && extents(v) > 1);
  for (const side of ['rows', 'columns'] as const) {
    const variables = side === 'rows' ? rows : columns;
    if (over(variables) && !canReduce(engine.part, side)) {
      throw new BindError(
        `${engine.path} cannot reduce ${variables.join(', ')} over its ${side} for ${node.einsum.name}`,
        'place',
        undefined,
        0,
        node.einsum.name,
      );
    }
  }
  // Products are summed as operands pass, without skew or drain where these are broadcast; what lies in the PEs is not.
  const passing = engine.part.feed === 'broadcast' && isContraction(node.einsum);
  const inTime = node.variables.filter((v) => !rows.includes(v) && !columns.includes(v));
  const stationary = stationaryVariables(node.einsum, engine.part);
  return arrayTiming(engine.part, {
    rows: extent(rows),
    columns: extent(columns),
    temporal: extent(inTime.filter((v) => !stationary.includes(v))),
    batch: extent(inTime.filter((v) => stationary.includes(v))),
    ...cost,
    overRows: over(rows) && !passing,
    overColumns: over(columns) && !passing,
  });
}

export function readFlows(layout: Layout, position: number, bytesOf: ElementBytes): Flow[] {
  const node = layout.nodes[position]!;
  const assignment = layout.plan.assignments[position]!;
  return node.reads.flatMap((read, r) => {
    if (read.tensor === assignment.product?.matrix) return [];
    const bytes = (extents: Extents): number =>
      accessElements(read.access, extents) * bytesOf(read.tensor) * refetches(read.access, assignment, extents);
    const flow = { tensor: read.tensor, write: false, guard: new Guard(), atLast: 0, bytes };
    const isSpilled = layout.plan.spill.get(read.tensor)?.includes(node.einsum.name);
    if (read.kind === 'memory' || isSpilled) {
      const load = layout.loaded.find((l) =>
        l.readers.some((reader) => reader.node === position && reader.read === r),
      )!;
      return [{ ...flow, other: load.pad, isPad: true }];
    }
    const way = wayOf(layout, position, r);
    return way.kind === 'registers'
      ? []
      : [{ ...flow, ...end(way, layout.plan.assignments[read.producer]!.engine.path) }];
  });
}

export function writeFlows(layout: Layout, position: number, bytesOf: ElementBytes): Flow[] {
  const { plan, nodes, made } = layout;
  const { einsum, iterates, output } = nodes[position]!;
  const assignment = plan.assignments[position]!;
  const { tensor, readers, pad } = made[position]!;
  const reductionLoops = iterates & ~output;
  const inRegisters = accumulatesInPlace(layout, position);
  const elements = (extents: Extents): number => accessElements(einsum.output, extents) * bytesOf(tensor);
  const flows: Flow[] = [];
  const wired = new Set(
    readers.flatMap(({ node, way }) => (way.kind === 'wires' ? [plan.assignments[node]!.engine.path] : [])),
  );
  const base = { tensor, write: true, guard: new Guard() };
  for (const other of wired) {
    flows.push({ ...base, other, isPad: false, atLast: reductionLoops, bytes: elements });
  }
  // Partial sums that do not stay in the engine's accumulators go through a scratchpad, whoever reads the sum.
  const passes = (extents: Extents): number => reductionFolds(einsum, assignment, extents);
  const inFolds = passes(tileExtents(plan.nest)) > 1;
  if (pad === null && inRegisters && !inFolds) return flows;
  if (pad === null) {
    const { path } = assignment.engine;
    const message = `${tensor}'s partial sums need a scratchpad that ${path} writes and reads`;
    throw new BindError(message, 'partition', undefined, 0, einsum.name);
  }
  const written = (extents: Extents): number => elements(extents) * passes(extents);
  const reread = (extents: Extents): number => elements(extents) * (passes(extents) - 1);
  flows.push({ ...base, other: pad, isPad: true, atLast: inRegisters ? reductionLoops : 0, bytes: written });
  if (inFolds) flows.push({ ...base, write: false, other: pad, isPad: true, atLast: 0, bytes: reread });
  if (!inRegisters && reductionLoops !== 0) {
    const guard = new Guard({ notFirst: reductionLoops });
    flows.push({ ...base, write: false, guard, other: pad, isPad: true, atLast: 0, bytes: elements });
  }
  return flows;
}

/**
 * A layout in which partial sums that leave their engine have a scratchpad to come back from, also where nobody reads the
 * sum from one. The last sum is written there as those before it are.
 */
export function withSumPads(layout: Layout, topology: Topology): Layout {
  const extents = tileExtents(layout.plan.nest);
  const made = layout.made.map((one, position) => {
    const assignment = layout.plan.assignments[position]!;
    const { einsum } = layout.nodes[position]!;
    const stays = accumulatesInPlace(layout, position) && reductionFolds(einsum, assignment, extents) === 1;
    if (one.pad !== null || stays) return one;
    const { path } = assignment.engine;
    const pad = topology.pads.find(
      (site) =>
        site.part.holds.includes('results') &&
        topology.width(path, site.path) !== null &&
        topology.width(site.path, path) !== null,
    );
    return pad ? { ...one, pad: pad.path } : one;
  });
  return { ...layout, made };
}

/**
 * Whether partial sums over loops stay inside the engine: it must be one that accumulates in place, its output tile must
 * be at most one fold, and no loop over other output tiles may lie inside a loop of the reduction.
 */
function accumulatesInPlace({ plan, nodes }: Layout, position: number): boolean {
  const node = nodes[position]!;
  const { engine, rows, columns } = plan.assignments[position]!;
  const reductionLoops = node.iterates & ~node.output;
  if (reductionLoops === 0) return true;
  if (plan.nest.inside(node.output, reductionLoops) !== 0) return false;
  if (engine.part.kind !== 'array') return true;
  if ([...rows, ...columns].some((v) => node.einsum.reduced.includes(v))) return false;
  const { part } = engine;
  const tile = (variables: readonly string[]): number => variables.reduce((n, v) => n * plan.nest.tileOf(v, false), 1);
  return tile(rows) <= part.rows && tile(columns) <= part.columns * part.count;
}

/** Times each result tile is written while its reduced ranks pass over the rows or columns of an array, fold by fold. */
function reductionFolds(einsum: Einsum, { engine, rows, columns }: Assignment, extents: Extents): number {
  const { part } = engine;
  if (part.kind !== 'array') return 1;
  const folds = (variables: readonly string[], size: number): number =>
    variables.some((v) => einsum.reduced.includes(v))
      ? Math.ceil(variables.reduce((n, v) => n * extents(v), 1) / size)
      : 1;
  return folds(rows, part.rows) * folds(columns, part.columns);
}

/** Elements of a tensor that a tile of the iteration space touches. */
export function accessElements(access: TensorAccess, extents: Extents): number {
  return access.indices.reduce((product, index) => product * indexExtent(index, extents), 1);
}

function indexExtent(index: Index, extents: Extents): number {
  return index.terms.reduce((span, coefficient, variable) => span + Math.abs(coefficient) * (extents(variable) - 1), 1);
}

/** An array reads an operand anew for every fold over a side that the operand does not depend on. */
function refetches(access: TensorAccess, { engine, rows, columns }: Assignment, extents: Extents): number {
  const { part } = engine;
  if (part.kind !== 'array') return 1;
  const uses = (v: string): boolean => access.indices.some((index) => index.terms.has(v));
  const folds = (variables: readonly string[], size: number): number =>
    variables.some(uses) ? 1 : Math.ceil(variables.reduce((n, v) => n * extents(v), 1) / size);
  return folds(rows, part.rows) * folds(columns, part.columns);
}

/**
 * Words of an operand that come into registers while a tile is worked on, in all PEs or lanes together: each one that
 * uses an element gets it once, an array's again in every fold. Where more values lie over lanes than there are, a lane
 * gets what each of its values needs, and at most everything.
 */
function arrivingWords(
  access: TensorAccess,
  { einsum, variables }: Node,
  { engine, rows, columns, lanes }: OnEngine,
  extents: Extents,
): number {
  const { part } = engine;
  const spread =
    part.kind === 'array' ? [...rows, ...columns] : (lanes ?? variables.filter((v) => !einsum.reduced.includes(v)));
  const places = spread.reduce((product, v) => product * extents(v), 1);
  const perPlace = accessElements(access, (v) => (spread.includes(v) ? 1 : extents(v)));
  if (part.kind === 'array') return places * perPlace;
  return Math.min(places * perPlace, part.lanes * part.count * accessElements(access, extents));
}

function wayOf(layout: Layout, node: number, read: number): Way {
  const producer = layout.nodes[node]!.reads[read]!.producer;
  return layout.made[producer]!.readers.find((reader) => reader.node === node && reader.read === read)!.way;
}

function end(way: Exclude<Way, { kind: 'registers' }>, producer: string): { other: string; isPad: boolean } {
  return way.kind === 'wires' ? { other: producer, isPad: false } : { other: way.pad, isPad: true };
}

/** What moves over an engine's links in one execution. */
function linkLoads(flows: readonly Flow[], extents: Extents, engine: string): LinkLoad[] {
  return flows.map((flow) => {
    const [from, to] = flow.write ? [engine, flow.other!] : [flow.other!, engine];
    return { from, to, bytes: flow.bytes(extents) };
  });
}

/** Extents of a nest's full tiles. */
export function tileExtents(nest: Nest): Extents {
  return (variable) => nest.tileOf(variable, false);
}
