/** The choices for a section, and the steps from one to its neighbours. */
import { accessesOf, type Einsum, variablesOf } from '../../workloads/language/workload.ts';
import { defaultAssignment, defaultEngine } from '../binding/assign.ts';
import { isSystolic } from '../binding/fold-search.ts';
import type { Section } from '../binding/program.ts';
import { isBatch, needsSecondPass, tileSizes } from '../binding/search.ts';
import type { Topology } from '../binding/topology.ts';
import { type Choice, type Extents, keepable, loadedBy, type Sides, tilesOf } from './choice.ts';
import type { Floor } from './floor.ts';

/** Rounds in flight that are tried; null is as many as hide the latencies. */
const depths: readonly (number | null)[] = [null, 1, 2, 3, 4, 6];
const mostInFlight = 4;
/** Most tile sizes of one rank. */
const mostSizes = 14;

export class Space {
  readonly einsums: readonly Einsum[];
  readonly extents: Extents;
  readonly variables: readonly string[];
  readonly #topology: Topology;
  readonly #floor: Floor;
  readonly #iterative: ReadonlySet<string>;
  readonly #loaded: ReadonlySet<string>;
  /** Tile extents by variable, largest first. */
  readonly #sizes: ReadonlyMap<string, readonly number[]>;

  constructor(einsums: readonly Einsum[], extents: Extents, topology: Topology, floor: Floor) {
    this.einsums = einsums;
    this.variables = [...new Set(einsums.flatMap(variablesOf))];
    this.extents = new Map(this.variables.map((v) => [v, extents.get(v)!]));
    this.#topology = topology;
    this.#floor = floor;
    this.#iterative = new Set(einsums.flatMap(({ iterative }) => iterative ?? []));
    this.#loaded = loadedBy(einsums);
    this.#sizes = new Map(this.variables.map((v) => [v, this.#sizesOf(v)]));
  }

  #sizesOf(variable: string): readonly number[] {
    const extent = this.extents.get(variable)!;
    if (this.#iterative.has(variable)) return [1];
    if (needsSecondPass(this.einsums, variable, extent)) return [extent];
    const units = this.#topology.engines.flatMap(({ part }) =>
      part.kind === 'array' ? [part.rows, part.columns] : [],
    );
    const sizes = new Set([extent, 1, ...[...units, 1].flatMap((unit) => tileSizes(extent, unit))]);
    const divisors = Array.from({ length: Math.min(extent, 256) }, (_, i) => i + 1).filter((d) => extent % d === 0);
    const spare = mostSizes - sizes.size;
    for (const d of divisors.flatMap((d) => [d, extent / d]).slice(0, Math.max(0, spare))) sizes.add(d);
    return [...sizes].sort((a, b) => b - a);
  }

  /** The binder's engines and sides, tiles of one fold, batches one by one, everything held and kept that may be. */
  start(engines: readonly string[] | null, sides: ReadonlyMap<string, Sides>): Choice {
    const paths = engines ?? this.einsums.map((einsum) => defaultEngine(einsum, this.#topology).path);
    const units = this.#units(paths, sides);
    const tiles = new Map(
      this.variables.map((v) => {
        const sizes = this.#sizes.get(v)!;
        const unit = units.get(v) ?? (isBatch(this.einsums, v) ? 1 : Number.POSITIVE_INFINITY);
        return [v, sizes.find((size) => size <= unit) ?? sizes.at(-1)!];
      }),
    );
    return {
      engines: paths,
      sides,
      tiles,
      inner: new Map(),
      order: this.#order(),
      hold: this.#loaded,
      keep: keepable(this.einsums, paths),
      stream: new Map(),
      interleave: null,
      cores: this.#widestCores(),
    };
  }

  /** The largest rank of the results over each group of cores: to choose, the binder would have to lay them all. */
  #widestCores(): Map<string, string> {
    const reduced = new Set(this.einsums.flatMap((einsum) => einsum.reduced.toArray()));
    const able = this.variables.filter((v) => !reduced.has(v) && !this.#iterative.has(v));
    const widest = able.reduce<string | null>(
      (best, v) => (best === null || this.extents.get(v)! > this.extents.get(best)! ? v : best),
      null,
    );
    return new Map(widest === null ? [] : this.#topology.groups.map(({ path }) => [path, widest]));
  }

  /** PEs along the side of an array that a variable lies over. */
  #units(engines: readonly string[], sides: ReadonlyMap<string, Sides>): Map<string, number> {
    const units = new Map<string, number>();
    this.einsums.forEach((einsum, i) => {
      const engine = this.#topology.engine(engines[i]!)!;
      if (engine.part.kind !== 'array') return;
      const usual = defaultAssignment(einsum, engine);
      const named = sides.get(engine.path);
      const own = variablesOf(einsum);
      const set = (variables: readonly string[], unit: number): void => {
        for (const v of variables) if (own.includes(v)) units.set(v, Math.max(units.get(v) ?? 1, unit));
      };
      set(named?.rows ?? usual.rows, engine.part.rows);
      set(named?.columns ?? usual.columns, engine.part.columns);
    });
    return units;
  }

  /** Results' ranks, then iterative ones, then the inner loops of the results', then reduced ones. */
  #order(): string[] {
    const reduced = new Set(this.einsums.flatMap((einsum) => einsum.reduced.toArray()));
    const steps = this.variables.filter((v) => this.#iterative.has(v));
    const sums = this.variables.filter((v) => reduced.has(v) && !this.#iterative.has(v));
    const results = this.variables.filter((v) => !reduced.has(v) && !this.#iterative.has(v));
    const inner = (variables: readonly string[]): string[] => variables.map((v) => `${v}'`);
    return [...results, ...steps, ...inner(results), ...sums, ...inner(sums), ...inner(steps)];
  }

  /** The choice that makes the loops of a section as it was bound; null when it has others, such as folds. */
  like(section: Section): Choice | null {
    const computing = section.engines.filter(({ kind }) => kind !== 'dma');
    const site = (name: string): string | undefined =>
      computing.find(({ ops }) => ops.some((op) => op.name === name))?.engine;
    const engines = this.einsums.map(({ name }) => site(name));
    const isPlain = computing.every(({ folds, share }) => folds === null && share === null);
    if (!isPlain || engines.some((path) => path === undefined || !this.#topology.engine(path))) return null;
    const loops = section.loops.map(({ variable }) => variable).toArray();
    if (new Set(loops).size < loops.length) return null;
    const base = this.start(engines as string[], new Map());
    const tiles = new Map(this.variables.map((v) => [v, section.tiles.get(v)?.tile ?? this.extents.get(v)!]));
    const order = [...loops, ...base.order.filter((token) => !loops.includes(token))];
    const hold = new Set([...heldIn(section)].filter((tensor) => this.#loaded.has(tensor)));
    const interleave = section.interleave === 1 ? 1 : null;
    return { ...base, tiles, order, hold, keep: new Set(), interleave };
  }

  /** Every choice that differs in one thing. */
  *neighbours(choice: Choice): Generator<Choice> {
    yield* this.#otherTiles(choice);
    yield* this.#otherSplits(choice);
    yield* this.#otherOrders(choice);
    yield* this.#otherBuffers(choice);
    for (const other of this.#otherEngines(choice)) if (this.canLay(other)) yield other;
    for (const other of this.#otherSides(choice)) if (this.canLay(other)) yield other;
    yield* this.#otherCores(choice);
    for (const interleave of depths) if (interleave !== choice.interleave) yield { ...choice, interleave };
  }

  *#otherTiles(choice: Choice): Generator<Choice> {
    for (const variable of this.variables) {
      const sizes = this.#sizes.get(variable)!;
      const at = sizes.indexOf(choice.tiles.get(variable)!);
      for (const to of new Set([at - 1, at + 1, at - 2, at + 2, 0, sizes.length - 1])) {
        const size = sizes[to];
        if (size !== undefined && to !== at) yield this.#resized(choice, variable, size);
      }
    }
  }

  /** An inner loop stays as it is where it divides the tiles that there are then. */
  #resized(choice: Choice, variable: string, size: number): Choice {
    const resized = { ...choice, tiles: new Map(choice.tiles).set(variable, size) };
    const split = choice.inner.get(variable) ?? 1;
    if (tilesOf(resized, this.extents, variable) % split === 0) return resized;
    const inner = new Map(choice.inner);
    inner.delete(variable);
    return { ...resized, inner };
  }

  *#otherSplits(choice: Choice): Generator<Choice> {
    for (const variable of this.variables) {
      const tiles = tilesOf(choice, this.extents, variable);
      if (tiles === 1) continue;
      const divisors = Array.from({ length: Math.min(tiles, 256) }, (_, i) => i + 1).filter((d) => tiles % d === 0);
      const counts = [...new Set([...divisors, tiles])];
      const at = counts.indexOf(choice.inner.get(variable) ?? 1);
      for (const to of new Set([at - 1, at + 1, at + 2, 0, counts.length - 1])) {
        const count = counts[to];
        if (count !== undefined && to !== at) yield { ...choice, inner: new Map(choice.inner).set(variable, count) };
      }
    }
  }

  /** One loop moved to another place among those that there are. */
  *#otherOrders(choice: Choice): Generator<Choice> {
    const active = choice.order.filter((token) => this.#isLoop(choice, token));
    for (const [from, token] of active.entries()) {
      const others = active.filter((other) => other !== token);
      for (let to = 0; to <= others.length; to++) {
        if (to === from) continue;
        const rest = choice.order.filter((other) => other !== token);
        const at = to === others.length ? rest.length : rest.indexOf(others[to]!);
        const order = rest.toSpliced(at, 0, token);
        if (isNested(order, token)) yield { ...choice, order };
      }
    }
  }

  #isLoop(choice: Choice, token: string): boolean {
    const variable = token.replace("'", '');
    const split = choice.inner.get(variable) ?? 1;
    return token === variable ? tilesOf(choice, this.extents, variable) > split : split > 1;
  }

  *#otherBuffers(choice: Choice): Generator<Choice> {
    for (const tensor of this.#loaded) {
      yield { ...choice, hold: toggled(choice.hold, tensor) };
      const now = choice.stream.get(tensor) ?? 2;
      for (const tiles of [now - 1, now + 1]) {
        if (tiles < 1 || tiles > mostInFlight) continue;
        const stream = new Map(choice.stream).set(tensor, tiles);
        if (tiles === 2) stream.delete(tensor);
        yield { ...choice, stream };
      }
    }
    for (const tensor of keepable(this.einsums, choice.engines)) {
      yield { ...choice, keep: toggled(choice.keep, tensor) };
    }
  }

  /** One einsum on another engine, what it makes and reads kept there if it may be. */
  *#otherEngines(choice: Choice): Generator<Choice> {
    for (const engines of this.reassigned(choice.engines)) {
      const i = engines.findIndex((path, position) => path !== choice.engines[position]);
      const near = new Set([this.einsums[i]!.output.tensor, ...this.#readBy(i)]);
      const kept = [...keepable(this.einsums, engines)].filter((tensor) => near.has(tensor));
      yield { ...choice, engines, keep: new Set([...choice.keep, ...kept]) };
    }
  }

  #readBy(position: number): string[] {
    return accessesOf(this.einsums[position]!.expression).map(({ tensor }) => tensor);
  }

  /** Every assignment that differs in one einsum. */
  *reassigned(engines: readonly string[]): Generator<string[]> {
    for (const [i, path] of engines.entries()) {
      for (const other of this.#topology.engines) {
        if (other.path !== path && this.#floor.canRun(i, other.path)) yield engines.with(i, other.path);
      }
    }
  }

  /** Another rank split over the cores of a group, or one that the binder chooses. */
  *#otherCores(choice: Choice): Generator<Choice> {
    for (const { path } of this.#topology.groups) {
      const now = choice.cores.get(path);
      for (const variable of this.variables) {
        if (variable === now || this.extents.get(variable) === 1 || this.#iterative.has(variable)) continue;
        yield { ...choice, cores: new Map(choice.cores).set(path, variable) };
      }
    }
  }

  get arrays(): string[] {
    return this.#topology.engines.filter(({ part }) => part.kind === 'array').map(({ path }) => path);
  }

  *#otherSides(choice: Choice): Generator<Choice> {
    for (const { path, part } of this.#topology.engines) {
      if (part.kind !== 'array' || !choice.engines.includes(path)) continue;
      for (const sides of this.sidesOf(choice.sides.get(path) ?? null)) {
        const named = new Map(choice.sides);
        if (sides === null) named.delete(path);
        else named.set(path, sides);
        yield { ...choice, sides: named };
      }
    }
  }

  /** Those one step from `sides`; the binder's are null. */
  *sidesOf(sides: Sides | null): Generator<Sides | null> {
    const able = this.variables.filter((v) => this.extents.get(v)! > 1 && !this.#iterative.has(v));
    if (sides === null) {
      yield* this.pairs();
      return;
    }
    yield null;
    for (const key of ['rows', 'columns'] as const) {
      const other = sides[key === 'rows' ? 'columns' : 'rows'];
      for (const v of able) {
        if (other.includes(v)) continue;
        const without = sides[key].filter((name) => name !== v);
        if (!sides[key].includes(v)) yield { ...sides, [key]: [...sides[key], v] };
        else if (without.length > 0) yield { ...sides, [key]: without };
        if (!sides[key].includes(v)) yield { ...sides, [key]: [v] };
      }
    }
  }

  /**
   * Whether arrays could be wired for it: a side sums over all of its ranks or over none, and a systolic array's dataflow
   * says which ranks may lie over which side.
   */
  canLay({ engines, sides }: Choice): boolean {
    return this.einsums.every((einsum, i) => {
      const named = sides.get(engines[i]!);
      if (!named) return true;
      const engine = this.#topology.engine(engines[i]!)!;
      const own = variablesOf(einsum);
      const usual = defaultAssignment(einsum, engine);
      return (['rows', 'columns'] as const).every((side) => {
        const mine = named[side].filter((v) => own.includes(v));
        const summed = mine.filter((v) => einsum.reduced.includes(v));
        const isUniform = summed.length === 0 || summed.length === mine.length;
        return isUniform && (!isSystolic(engine) || mine.every((v) => usual[side].includes(v)));
      });
    });
  }

  /** One variable over the rows and another one over the columns. */
  *pairs(): Generator<Sides> {
    const able = this.variables.filter((v) => this.extents.get(v)! > 1 && !this.#iterative.has(v));
    for (const row of able) {
      for (const column of able) if (column !== row) yield { rows: [row], columns: [column] };
    }
  }
}

/** Whether a variable's outer loop is outside of its inner one. */
function isNested(order: readonly string[], token: string): boolean {
  const variable = token.replace("'", '');
  return order.indexOf(variable) < order.indexOf(`${variable}'`);
}

/** Tensors that a section fetches no tile of twice: their transfers follow no loop that they do not depend on. */
function heldIn({ engines }: Section): Set<string> {
  const held = engines.filter(({ kind, loops, ops }) => {
    const indices = ops.first()?.indices;
    return kind === 'dma' && loops.every(({ variable }) => indices?.some(({ terms }) => terms.has(variable)) ?? false);
  });
  return new Set(held.map(({ ops }) => ops.first()!.name));
}

function toggled(set: ReadonlySet<string>, item: string): Set<string> {
  const other = new Set(set);
  if (!other.delete(item)) other.add(item);
  return other;
}
