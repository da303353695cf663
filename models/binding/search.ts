/**
 * Tiles, loop order and buffering of a section when no mapping gives them: hill climbing from a few starts, by
 * the estimate of section.ts. A plan that is taken is a legal one that fits the scratchpads.
 */
import { accessesOf, type Einsum, variablesOf } from '../../workloads/language/workload.ts';
import { BindError, nodesOf } from './dependencies.ts';
import { type LoopSpec, Nest } from './nest.ts';
import { type Assignment, type ElementBytes, layOut, type Plan } from './plan.ts';
import { isWhole } from './product-op.ts';
import { type BuiltSection, buildSection, type Estimate } from './section.ts';
import type { Topology } from './topology.ts';

export interface Context {
  readonly topology: Topology;
  readonly bytesOf: ElementBytes;
  /** Extent by rank variable. */
  readonly extents: ReadonlyMap<string, number>;
  /** Whether folds of a systolic array stream all of their time: SCALE-Sim's do. */
  readonly wholeFolds: boolean;
}

/** Most tiles that a map or a reduction is cut into, about. */
const mostStreamed = 512;

/** What is given of a section, to be completed. */
export interface Sketch {
  readonly einsums: readonly Einsum[];
  readonly assignments: readonly Assignment[];
  readonly stored: ReadonlySet<string>;
  readonly keep: ReadonlySet<string> | null;
  readonly hold: ReadonlySet<string> | null;
  readonly stream: ReadonlyMap<string, number>;
  readonly interleave: number | null;
  /** Whether a mapping gives the nest. */
  readonly isGiven: boolean;
  /** As in a plan; left out by what no mapping says. */
  readonly refetch?: Plan['refetch'];
  readonly order?: Plan['order'];
  readonly pipeline?: Plan['pipeline'];
  readonly passes?: Plan['passes'];
  readonly spill?: Plan['spill'];
  readonly replace?: Plan['replace'];
}

export interface Found {
  readonly built: BuiltSection;
  /** Estimated seconds. */
  readonly cost: number;
}

/** One point of the search. */
interface Choice {
  /** Position in each variable's list of tile extents. */
  readonly tiles: ReadonlyMap<string, number>;
  readonly order: number;
  /** Tensors that stay on the chip as long as they are used again. */
  readonly hold: ReadonlySet<string>;
}

/** @throws BindError that says why when nothing fits. */
export function search(sketch: Sketch, context: Context): Found {
  const space = new Space(sketch, context);
  const scored = new Map<string, Scored>();
  const score = (choice: Choice): Scored => {
    const key = `${[...choice.tiles.values()]} ${choice.order} ${[...choice.hold].sort()}`;
    let result = scored.get(key);
    if (!result) {
      result = space.score(choice);
      scored.set(key, result);
    }
    return result;
  };
  if (space.streams !== null) {
    const streamed = downhill(space.streams, score);
    if (streamed) return streamed;
  }
  const found = space.starts.map((start) => climb(start, space, score));
  let best = found.reduce((a, b) => (isBetter(b, a) ? b : a));
  for (const start of space.extremes) if (isBetter(score(start), best)) best = climb(start, space, score);
  if (best.found === null) throw best.error;
  return best.found;
}

/** The best of choices whose cost falls and then rises; null when none fits. */
function downhill(choices: readonly Choice[], score: (choice: Choice) => Scored): Found | null {
  let best: Found | null = null;
  let worse = 0;
  for (const choice of choices) {
    const { found } = score(choice);
    if (found === null) continue;
    if (best === null || found.cost < best.cost) {
      best = found;
      worse = 0;
    } else if (++worse === 2) break;
  }
  return best;
}

/** From neighbour to better neighbour until there is none. */
function climb(start: Choice, space: Space, score: (choice: Choice) => Scored): Scored {
  let at = start;
  let best = score(at);
  // The costlier kinds of move are tried only where the cheaper ones lead no further.
  const moves = [space.otherTiles, space.otherHolds, space.exchangedTiles, space.otherOrders];
  for (let kind = 0; kind < moves.length; kind++) {
    let improved = false;
    for (const choice of moves[kind]!.call(space, at)) {
      const candidate = score(choice);
      if (!isBetter(candidate, best)) continue;
      at = choice;
      best = candidate;
      improved = true;
    }
    if (improved) kind = -1;
  }
  return best;
}

type Scored = { readonly found: Found; readonly error: null } | { readonly found: null; readonly error: BindError };

function isBetter(a: Scored, b: Scored): boolean {
  if (a.found === null)
    return b.found === null && a.error.excess > 0 && (b.error.excess === 0 || a.error.excess < b.error.excess);
  if (b.found === null) return true;
  return a.found.cost < b.found.cost;
}

/** Estimated seconds; among plans that are as fast, less traffic and fewer rounds count, for what an estimate leaves out. */
export function costOf({ seconds, fillSeconds, trafficSeconds, roundSeconds }: Estimate): number {
  return seconds + fillSeconds + 1e-3 * (trafficSeconds + roundSeconds);
}

class Space {
  readonly starts: readonly Choice[];
  /** Whole tensors, and what needs the least space: when that does not fit, nothing does. */
  readonly extremes: readonly Choice[];
  /** Contiguous tiles of the results, for einsums that pass over what they read once. Null for all others. */
  readonly streams: readonly Choice[] | null;
  readonly #sketch: Sketch;
  readonly #context: Context;
  /** Tile extents to choose from by variable, largest first. */
  readonly #sizes: ReadonlyMap<string, readonly number[]>;
  readonly #orders: readonly (readonly string[])[];

  constructor(sketch: Sketch, context: Context) {
    this.#sketch = sketch;
    this.#context = context;
    const variables = [...new Set(sketch.einsums.flatMap(variablesOf))];
    const iterative = new Set(sketch.einsums.flatMap((einsum) => einsum.iterative ?? []));
    const units = spatialUnits(sketch.assignments);
    this.#sizes = new Map(
      variables.map((v) => {
        const extent = context.extents.get(v)!;
        // What a memory sums over is whole in a tile.
        if (sketch.assignments.some(({ product }) => product && isWhole(product, v))) return [v, [extent]];
        if (needsSecondPass(sketch.einsums, v, extent)) return [v, [extent]];
        if (iterative.has(v)) return [v, [1]];
        return [v, tileSizes(extent, units.get(v) ?? 1)];
      }),
    );
    this.#orders = loopOrders(sketch.einsums, variables, iterative);
    const smallest = (of: (variable: string) => boolean): Choice['tiles'] =>
      new Map(variables.map((v) => [v, of(v) ? this.#sizes.get(v)!.length - 1 : 0]));
    const hold = sketch.hold ?? loadedTensors(sketch.einsums);
    const reduced = new Set(sketch.einsums.flatMap((einsum) => einsum.reduced.toArray()));
    this.extremes = [
      { tiles: smallest(() => false), order: 0, hold },
      { tiles: smallest(() => true), order: 0, hold: sketch.hold ?? new Set() },
    ];
    this.streams = sketch.einsums.every(passesThrough) ? this.#contiguous(hold, reduced) : null;
    // From large tiles, and from small ones of the results with whole reductions: each may miss what the other finds.
    this.starts = [
      { tiles: smallest((v) => !units.has(v) && isBatch(sketch.einsums, v)), order: 0, hold },
      { tiles: smallest((v) => !reduced.has(v)), order: 0, hold },
    ];
  }

  /** From the whole result down to a share of it that fills the pipeline soon, cut along the outermost ranks first. */
  #contiguous(hold: ReadonlySet<string>, reduced: ReadonlySet<string>): Choice[] {
    const at = new Map([...this.#sizes.keys()].map((variable) => [variable, 0]));
    const choices: Choice[] = [];
    let tiles = 1;
    for (const [variable, sizes] of [...this.#sizes].filter(([v]) => !reduced.has(v))) {
      for (let i = 0; i < sizes.length && tiles <= mostStreamed; i++) {
        tiles = (tiles * Math.ceil(sizes[0]! / sizes[i]!)) / (i > 0 ? Math.ceil(sizes[0]! / sizes[i - 1]!) : 1);
        if (i === 0 && choices.length > 0) continue;
        at.set(variable, i);
        choices.push({ tiles: new Map(at), order: 0, hold });
      }
    }
    return choices;
  }

  /** One tile a size smaller or larger. */
  *otherTiles(choice: Choice): Generator<Choice> {
    for (const variable of choice.tiles.keys()) {
      yield* this.#resized(choice, variable, 1);
      yield* this.#resized(choice, variable, -1);
    }
  }

  /** One tile a size larger and another one a size smaller. */
  *exchangedTiles(choice: Choice): Generator<Choice> {
    for (const larger of choice.tiles.keys()) {
      for (const grown of this.#resized(choice, larger, -1)) {
        for (const smaller of choice.tiles.keys()) if (smaller !== larger) yield* this.#resized(grown, smaller, 1);
      }
    }
  }

  *#resized(choice: Choice, variable: string, by: 1 | -1): Generator<Choice> {
    const next = choice.tiles.get(variable)! + by;
    if (next < 0 || next >= this.#sizes.get(variable)!.length) return;
    yield { ...choice, tiles: new Map(choice.tiles).set(variable, next) };
  }

  *otherOrders(choice: Choice): Generator<Choice> {
    for (let order = 0; order < this.#orders.length; order++) if (order !== choice.order) yield { ...choice, order };
  }

  *otherHolds(choice: Choice): Generator<Choice> {
    if (this.#sketch.hold !== null) return;
    for (const tensor of loadedTensors(this.#sketch.einsums)) {
      const hold = new Set(choice.hold);
      if (!hold.delete(tensor)) hold.add(tensor);
      yield { ...choice, hold };
    }
  }

  score(choice: Choice): Scored {
    try {
      const built = completeAndBuild(this.#sketch, this.#context, this.#nest(choice), choice.hold);
      return { found: { built, cost: costOf(built.estimate) }, error: null };
    } catch (error) {
      if (error instanceof BindError) return { found: null, error };
      throw error;
    }
  }

  #nest(choice: Choice): Nest {
    const { extents } = this.#context;
    const tiles = new Map([...choice.tiles].map(([v, at]) => [v, this.#sizes.get(v)![at]!]));
    const loops = this.#orders[choice.order]!.flatMap((variable): LoopSpec[] => {
      const trips = Math.ceil(extents.get(variable)! / tiles.get(variable)!);
      if (trips === 1) return [];
      return [{ name: tiles.get(variable) === 1 ? variable : `${variable}_tile`, variable, trips }];
    });
    return new Nest(new Map([...tiles.keys()].map((v) => [v, extents.get(v)!])), tiles, loops);
  }
}

/** Fills in what a sketch leaves open of a plan in a nest, and builds the section. */
export function completeAndBuild(
  sketch: Sketch,
  context: Context,
  nest: Nest,
  hold: ReadonlySet<string>,
): BuiltSection {
  const attempt = (interleave: number | null): BuiltSection => {
    const plan: Plan = {
      refetch: new Set(),
      order: [],
      pipeline: [],
      passes: [],
      spill: new Map(),
      replace: new Map(),
      ...sketch,
      nest,
      keep: sketch.keep ?? new Set(),
      hold,
      interleave,
      lockstep: sketch.interleave === 1,
    };
    return buildSection(layOut(plan, context.topology), context.topology, context.bytesOf);
  };
  try {
    return attempt(sketch.interleave);
  } catch (error) {
    // More rounds in flight need more buffers: without them it may fit.
    if (!(error instanceof BindError && error.excess > 0 && sketch.interleave === null)) throw error;
    return attempt(1);
  }
}

function loadedTensors(einsums: readonly Einsum[]): Set<string> {
  const made = new Set(einsums.map((einsum) => einsum.output.tensor));
  return new Set(
    einsums
      .flatMap((e) => accessesOf(e.expression).map((access) => access.tensor))
      .filter((tensor) => !made.has(tensor)),
  );
}

/** How many points of a variable an array's side or a vector's lanes take at once. */
function spatialUnits(assignments: readonly Assignment[]): Map<string, number> {
  const units = new Map<string, number>();
  const atLeast = (variables: readonly string[], unit: number): void => {
    for (const v of variables) units.set(v, Math.max(units.get(v) ?? 1, unit));
  };
  for (const { engine, rows, columns } of assignments) {
    if (engine.part.kind !== 'array') continue;
    atLeast(rows, engine.part.rows);
    atLeast(columns, engine.part.columns);
  }
  return units;
}

/** The whole extent, then multiples of `unit` by halving, down to one unit. */
export function tileSizes(extent: number, unit: number): number[] {
  const sizes = [extent];
  let size = 2 ** Math.floor(Math.log2(Math.max(1, (extent - 1) / unit))) * unit;
  for (; size >= unit && size >= 1; size /= 2) if (size < extent) sizes.push(size);
  return sizes;
}

/** Whether all results of an einsum have elements of their own in some operand: a map or a reduction. */
function passesThrough(einsum: Einsum): boolean {
  if (einsum.iterative !== null) return false;
  const results = variablesOf(einsum).filter((v) => !einsum.reduced.includes(v));
  return accessesOf(einsum.expression).some(({ indices }) =>
    results.every((v) => indices.some(({ terms }) => terms.has(v))),
  );
}

/** Whether every tensor of the section has this variable, so that its values never meet. */
export function isBatch(einsums: readonly Einsum[], variable: string): boolean {
  return einsums.every(
    (einsum) =>
      !einsum.reduced.includes(variable) &&
      accessesOf(einsum.expression).some((access) => access.indices.some((index) => index.terms.has(variable))),
  );
}

/** Whether some einsum can begin only when another has been through the whole of this variable. */
export function needsSecondPass(einsums: readonly Einsum[], variable: string, extent: number): boolean {
  const extents = new Map([...new Set(einsums.flatMap(variablesOf))].map((v) => [v, v === variable ? extent : 1]));
  const nest = new Nest(extents, new Map([[variable, 1]]), [{ name: variable, variable, trips: 2 }]);
  try {
    nodesOf(einsums, nest);
    return false;
  } catch (error) {
    if (error instanceof BindError && error.key === 'loops') return true;
    throw error;
  }
}

/**
 * Orders worth trying, outer to inner: ranks of the results, then iterative ranks, then reduced ones, so that a result is
 * finished soon; with two of the results' ranks swapped; and with one of them inside the iterative ranks, which gives
 * the iterations of one result time while others are worked on.
 */
function loopOrders(
  einsums: readonly Einsum[],
  variables: readonly string[],
  iterative: ReadonlySet<string>,
): string[][] {
  const reduced = new Set(einsums.flatMap((einsum) => einsum.reduced.toArray()));
  const steps = variables.filter((v) => iterative.has(v));
  const sums = variables.filter((v) => reduced.has(v) && !iterative.has(v));
  const results = variables.filter((v) => !reduced.has(v) && !iterative.has(v));
  const orders = [[...results, ...steps, ...sums]];
  for (let i = 0; i + 1 < results.length; i++) {
    const swapped = [...results];
    [swapped[i], swapped[i + 1]] = [swapped[i + 1]!, swapped[i]!];
    orders.push([...swapped, ...steps, ...sums]);
  }
  if (steps.length > 0) {
    for (const inner of results) orders.push([...results.filter((v) => v !== inner), ...steps, inner, ...sums]);
  }
  return orders;
}
