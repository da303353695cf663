/**
 * A lower bound of what binding will estimate for one choice, found without binding it: tiles that are smaller at the end
 * of a rank are left out, and so are latencies and waits.
 */
import { type Access, accessesOf, type Einsum, variablesOf } from '../../workloads/language/workload.ts';
import { defaultAssignment, stationaryVariables } from '../binding/assign.ts';
import type { ElementBytes } from '../binding/plan.ts';
import { accessElements } from '../binding/tile-ops.ts';
import { type EngineSite, memoryBandwidth, type Topology } from '../binding/topology.ts';
import { arrayTiming } from '../compute/array.ts';
import { vectorTiming } from '../compute/vector.ts';
import { intervalOn } from './bound.ts';
import { type Choice, type ChosenLoop, type Extents, loopsOf } from './choice.ts';

/** What is known of an einsum whatever the choice. */
interface Facts {
  readonly einsum: Einsum;
  readonly variables: readonly string[];
  readonly reads: readonly {
    readonly access: Access;
    readonly variables: readonly string[];
    readonly producer: number;
  }[];
  /** Cycles per point by engine, null where it lacks an operation. */
  readonly intervals: ReadonlyMap<string, number | null>;
}

export class Floor {
  readonly #facts: readonly Facts[];
  readonly #topology: Topology;
  /** One core's, where an engine is in a group of them. */
  readonly #engines: ReadonlyMap<string, { readonly site: EngineSite; readonly cores: number }>;
  readonly #bytesOf: ElementBytes;
  readonly #extents: Extents;
  readonly #stored: ReadonlySet<string>;
  readonly #bandwidth: number;
  /** Bytes per cycle of all ways from scratchpads to an engine, and from it to them. */
  readonly #ways: ReadonlyMap<string, { readonly in: number; readonly out: number }>;

  /** `stored`: tensors made here that are needed outside. */
  constructor(
    einsums: readonly Einsum[],
    stored: ReadonlySet<string>,
    { topology, bytesOf, extents }: { topology: Topology; bytesOf: ElementBytes; extents: Extents },
  ) {
    const makers = new Map(einsums.map(({ output }, i) => [output.tensor, i]));
    this.#topology = topology;
    this.#engines = new Map(topology.engines.map((engine) => [engine.path, oneOf(engine, topology)]));
    this.#bytesOf = bytesOf;
    this.#extents = extents;
    this.#stored = stored;
    this.#bandwidth = topology.memories.reduce((sum, memory) => sum + memoryBandwidth(memory), 0);
    const widths = (of: (pad: string) => number | null): number =>
      topology.pads.reduce((sum, pad) => sum + (of(pad.path) ?? 0), 0);
    this.#ways = new Map(
      topology.engines.map(({ path }) => [
        path,
        { in: widths((pad) => topology.width(pad, path)), out: widths((pad) => topology.width(path, pad)) },
      ]),
    );
    this.#facts = einsums.map((einsum) => ({
      einsum,
      variables: variablesOf(einsum),
      reads: accessesOf(einsum.expression).map((access) => ({
        access,
        variables: [...new Set(access.indices.flatMap(({ terms }) => terms.keySeq()))],
        producer: makers.get(access.tensor) ?? -1,
      })),
      intervals: new Map(topology.engines.map((engine) => [engine.path, intervalOn(einsum, engine)])),
    }));
  }

  /** Whether an engine has the operations of an einsum. */
  canRun(position: number, engine: string): boolean {
    return this.#facts[position]!.intervals.get(engine) !== null;
  }

  /** Seconds. */
  of(choice: Choice): number {
    return Math.max(this.#busiest(choice), this.#traffic(choice) / this.#bandwidth);
  }

  #busiest(choice: Choice): number {
    const loads = new Map<string, number>();
    for (const [i, path] of choice.engines.entries()) {
      const { site, cores } = this.#engines.get(path)!;
      const full = this.#facts[i]!.variables.reduce((n, v) => n * this.#fullTiles(choice, v), 1);
      loads.set(path, (loads.get(path) ?? 0) + (full * this.#cycles(choice, i)) / (site.hertz * cores));
    }
    return Math.max(...loads.values());
  }

  #fullTiles(choice: Choice, variable: string): number {
    return Math.max(1, Math.floor(this.#extents.get(variable)! / choice.tiles.get(variable)!));
  }

  /** Cycles of one full tile. */
  #cycles(choice: Choice, position: number): number {
    const { einsum, reads } = this.#facts[position]!;
    const path = choice.engines[position]!;
    const tile = (v: string): number => Math.min(choice.tiles.get(v) ?? 1, this.#extents.get(v) ?? 1);
    const compute = this.#compute(choice, position, tile);
    const { in: widthIn, out: widthOut } = this.#ways.get(path)!;
    let bytesIn = 0;
    let wires = 0;
    for (const { access, producer } of reads) {
      const from = choice.engines[producer] ?? null;
      if (from === path && choice.keep.has(access.tensor)) continue;
      const bytes = accessElements(access, tile) * this.#bytesOf(access.tensor);
      const direct = from === null || from === path ? null : this.#topology.width(from, path);
      if (direct === null) bytesIn += bytes;
      else wires = Math.max(wires, bytes / direct);
    }
    const { tensor } = einsum.output;
    // Results of a reduction may stay in the engine until they are complete.
    const isWritten = this.#stored.has(tensor) && einsum.reduced.isEmpty();
    const bytesOut = isWritten ? accessElements(einsum.output, tile) * this.#bytesOf(tensor) : 0;
    return Math.max(compute, wires, ratio(bytesIn, widthIn), ratio(bytesOut, widthOut));
  }

  #compute(choice: Choice, position: number, tile: (variable: string) => number): number {
    const { einsum, variables, intervals } = this.#facts[position]!;
    const { site: engine } = this.#engines.get(choice.engines[position]!)!;
    const interval = intervals.get(engine.path) ?? Number.POSITIVE_INFINITY;
    const size = (of: readonly string[]): number => of.reduce((n, v) => n * tile(v), 1);
    const cost = { interval, depth: interval };
    if (engine.part.kind === 'vector') {
      const reduced = einsum.reduced.toArray();
      const parallel = size(variables.filter((v) => !reduced.includes(v)));
      return vectorTiming(engine.part, { parallel, reduced: size(reduced), ...cost }).cycles;
    }
    const { rows, columns } = this.#sides(choice, einsum, engine);
    const inTime = variables.filter((v) => !rows.includes(v) && !columns.includes(v));
    const stationary = stationaryVariables(einsum, engine.part);
    return arrayTiming(engine.part, {
      rows: size(rows),
      columns: size(columns),
      temporal: size(inTime.filter((v) => !stationary.includes(v))),
      batch: size(inTime.filter((v) => stationary.includes(v))),
      ...cost,
      overRows: false,
      overColumns: false,
    }).cycles;
  }

  /** Of those over the sides of an array, the ones that an einsum has; the binder's where none are named. */
  #sides(choice: Choice, einsum: Einsum, engine: EngineSite): { rows: readonly string[]; columns: readonly string[] } {
    const named = choice.sides.get(engine.path);
    const own = variablesOf(einsum);
    const usual = defaultAssignment(einsum, engine);
    return {
      rows: named && named.rows.length > 0 ? named.rows.filter((v) => own.includes(v)) : usual.rows,
      columns: named && named.columns.length > 0 ? named.columns.filter((v) => own.includes(v)) : usual.columns,
    };
  }

  /** Bytes from and to memory. */
  #traffic(choice: Choice): number {
    const loops = loopsOf(choice, this.#extents);
    const tile = (v: string): number => Math.min(choice.tiles.get(v) ?? 1, this.#extents.get(v) ?? 1);
    const loads = new Map<string, number>();
    let bytes = 0;
    for (const { einsum, variables, reads } of this.#facts) {
      for (const { access, variables: own, producer } of reads) {
        if (producer >= 0) continue;
        const times = fetches(loops, variables, own, choice.hold.has(access.tensor), (v) => this.#fullTiles(choice, v));
        const moved = times * accessElements(access, tile) * this.#bytesOf(access.tensor);
        const key = `${access.tensor} ${access.indices.join(' ')}`;
        loads.set(key, Math.min(loads.get(key) ?? Number.POSITIVE_INFINITY, moved));
      }
      const { tensor } = einsum.output;
      if (!this.#stored.has(tensor)) continue;
      const results = variables.filter((v) => !einsum.reduced.includes(v));
      const times = results.reduce((n, v) => n * this.#fullTiles(choice, v), 1);
      bytes += times * accessElements(einsum.output, tile) * this.#bytesOf(tensor);
    }
    return [...loads.values()].reduce((sum, moved) => sum + moved, bytes);
  }
}

/** Times that a tile is fetched: once for each, and again for loops outside of its own where it is not held. */
function fetches(
  loops: readonly ChosenLoop[],
  iterates: readonly string[],
  own: readonly string[],
  isHeld: boolean,
  fullTiles: (variable: string) => number,
): number {
  let times = own.reduce((n, v) => n * fullTiles(v), 1);
  if (isHeld) return times;
  const innermost = loops.findLastIndex(({ variable }) => own.includes(variable));
  for (const { variable, trips } of loops.slice(0, Math.max(0, innermost))) {
    if (iterates.includes(variable) && !own.includes(variable)) times *= trips;
  }
  return times;
}

function oneOf(engine: EngineSite, topology: Topology): { site: EngineSite; cores: number } {
  const group = topology.groupOf(engine.path);
  const site = group && topology.core(group.path).engine(engine.path);
  return site ? { site, cores: group.count } : { site: engine, cores: 1 };
}

function ratio(bytes: number, width: number): number {
  return bytes === 0 ? 0 : bytes / width;
}
