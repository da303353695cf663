/**
 * Sections on the cores of a group: each core does its share of one rank on its own engines and scratchpads, and all of
 * them contend for what they share. A rank that is summed over leaves partial results, which a second section adds up.
 */
import { List } from 'immutable';
import type { SectionMapping } from '../../workloads/language/mapping.ts';
import {
  accessesOf,
  Einsum,
  type Expression,
  einsumsOf,
  Operation,
  Access as TensorAccess,
  variablesOf,
  type Workload,
} from '../../workloads/language/workload.ts';
import { BindError } from './dependencies.ts';
import { type LoopSpec, Nest } from './nest.ts';
import { partsIn, withPartialSums } from './partial-sums.ts';
import { type EngineProgram, type Op, type Section, Share } from './program.ts';
import { type Context, completeAndBuild, type Found, type Sketch } from './search.ts';
import type { CoreGroup, Route, Topology } from './topology.ts';

/** What is laid, and on what: all of a machine, or one core with the extents of its share. */
export interface Task {
  readonly workload: Workload;
  readonly topology: Topology;
  /** Extent by rank variable. */
  readonly extents: ReadonlyMap<string, number>;
  readonly einsums: readonly Einsum[];
  readonly section: SectionMapping | null;
  /** Whether all cores that a rank can be split over are to be used. */
  readonly allCores?: boolean;
}

/** Lays a task as if its engines were all there is. `like` is the section of a larger share, to be cut in the same way. */
type Lay = (task: Task, like: Section | null) => Found;

export interface Laid {
  readonly sections: readonly Section[];
  /** Estimated seconds. */
  readonly cost: number;
}

/**
 * Lays einsums over the cores of a group when they run there alone, each core's share of one rank as `lay` would lay it;
 * else as `lay` does. `engines` are the paths of the engines that they run on.
 * @throws BindError when they fit no core, or the rank that the mapping names cannot be split.
 */
export function overCores(task: Task, engines: (task: Task) => readonly string[], lay: Lay): Laid {
  const paths = engines(task);
  const group = task.topology.groups.find(({ path }) => paths.every((engine) => engine.startsWith(`${path}.`)));
  checkAsked(task, group, paths);
  if (!group) return alone(lay(task, null));
  const best = bestOf(
    splitsOf(task, group).map((variable) => new Split(task, group, variable, group.count, lay)),
    (sum) => overCores(sum, engines, lay),
  );
  if (best !== null) return best.laid;
  if (task.section?.cores.has(group.path)) {
    const message = `the cores of ${group.path} cannot work for themselves: they use a scratchpad that they share`;
    throw new BindError(message, 'cores', 'leave it out');
  }
  return alone(lay(task, null));
}

/**
 * The best split of those that need no scratchpad outside of the group, over all cores or, while that is less time, over
 * half as many; null when there is none.
 * @throws BindError, that of the first, when none can be built.
 */
function bestOf(splits: readonly Split[], laySum: (task: Task) => Laid): Split | null {
  let best: Split | null = null;
  let failure: unknown;
  const isBuilt = (split: Split): boolean => {
    try {
      split.build(laySum);
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      failure ??= error;
      return false;
    }
    if (split.isInside && (best === null || split.isBetterThan(best))) best = split;
    return true;
  };
  const built = splits.filter(isBuilt);
  if (built.length === 0) throw failure;
  for (const split of built) {
    let fewest = split;
    for (let half = split.half(); half !== null && isBuilt(half) && half.laid.cost < fewest.laid.cost; ) {
      fewest = half;
      half = fewest.half();
    }
  }
  return best;
}

function alone({ built, cost }: Found): Laid {
  return { sections: [built.section], cost };
}

/** @throws BindError when a mapping gives cores to a section that does not run on them alone. */
function checkAsked({ section, einsums }: Task, group: CoreGroup | undefined, engines: readonly string[]): void {
  if (!section || section.einsums === null) return;
  const other = section.cores.keySeq().find((path) => path !== group?.path);
  if (other === undefined) return;
  const outside = engines.filter((engine) => !engine.startsWith(`${other}.`));
  const names = einsums.map((einsum) => einsum.name).join(', ');
  throw new BindError(
    `${names} cannot be split over ${other}: they run on ${[...new Set(outside)].join(' and ')} too`,
    'cores',
    `place all of them in ${other}, or leave it out`,
  );
}

/** Rank variables to try; a null is one core that does it all, where there is nothing to split. */
function splitsOf({ einsums, extents, section }: Task, group: CoreGroup): (string | null)[] {
  const variables = [...new Set(einsums.flatMap(variablesOf))];
  const asked = section?.cores.get(group.path);
  if (asked !== undefined && variables.includes(asked)) {
    const why = obstacle(einsums, asked);
    if (why !== null)
      throw new BindError(`${asked} cannot be split over ${group.path}: ${why}`, 'cores', 'name another rank');
    return [asked];
  }
  const able = variables.filter((variable) => extents.get(variable)! > 1 && obstacle(einsums, variable) === null);
  return able.length > 0 ? able : [null];
}

/** Why no core can work on its own part of a variable; null when each can. */
function obstacle(einsums: readonly Einsum[], variable: string): string | null {
  for (const einsum of einsums) {
    const { name, iterative, reduced } = einsum;
    if (iterative === variable) return `${name} goes through it step by step`;
    if (!variablesOf(einsum).includes(variable)) return `${name} is the same for all of it`;
    if (reduced.includes(variable) && iterative !== null) return `${name} sums over it in every step of ${iterative}`;
    for (const access of accessesOf(einsum.expression)) {
      const maker = einsums.find((other) => other.output.tensor === access.tensor);
      if (maker?.reduced.includes(variable)) return `${name} needs ${access.tensor}, which is reduced over it`;
      const strays = maker?.output.indices.some(
        (made, d) => made.terms.has(variable) && !access.indices.get(d)!.equals(made),
      );
      if (strays) return `${name} needs parts of ${access.tensor} that other cores make`;
    }
  }
  return null;
}

/** One way to split a section: along a variable, or not at all. */
class Split {
  readonly #task: Task;
  readonly #group: CoreGroup;
  readonly #variable: string | null;
  readonly #lay: Lay;
  readonly #shares: readonly (Share | null)[];
  readonly #sections: Section[] = [];
  #cost = 0;
  /** Whether fewer cores, which fetch less, may take less time. */
  #mayGainByFewer = false;

  constructor(task: Task, group: CoreGroup, variable: string | null, count: number, lay: Lay) {
    this.#task = task;
    this.#group = group;
    this.#variable = variable;
    this.#lay = lay;
    this.#shares = variable === null ? [null] : sharesOf(variable, task.extents.get(variable)!, count);
  }

  get laid(): Laid {
    return { sections: this.#sections, cost: this.#cost };
  }

  /** Whether no core needs a scratchpad outside of the group. */
  get isInside(): boolean {
    return this.#sections.every(({ buffers }) =>
      buffers.every(({ memory }) => memory.startsWith(`${this.#group.path}[`)),
    );
  }

  /** Less time; in the same time, more cores, and then fewer bytes. */
  isBetterThan(other: Split): boolean {
    if (this.#cost !== other.#cost) return this.#cost < other.#cost;
    const more = this.#shares.length - other.#shares.length;
    return more > 0 || (more === 0 && this.#bytes < other.#bytes);
  }

  get #usesAll(): boolean {
    return this.#task.allCores === true || this.#task.section?.cores.get(this.#group.path) === this.#variable;
  }

  /** The same over half as many cores; null where that is not the binder's to choose, or no gain. */
  half(): Split | null {
    const count = Math.floor(this.#shares.length / 2);
    if (count === 0 || this.#usesAll || !this.#mayGainByFewer) return null;
    return new Split(this.#task, this.#group, this.#variable, count, this.#lay);
  }

  get #bytes(): number {
    return this.#sections.reduce((sum, { engines }) => sum + engines.reduce((n, engine) => n + bytesOf(engine), 0), 0);
  }

  /** `laySum` lays the section that adds up partial results. @throws BindError when a share fits no core. */
  build(laySum: (task: Task) => Laid): void {
    const { einsums, workload } = this.#task;
    const cores = this.#task.topology.core(this.#group.path, this.#shares.length);
    const full = this.#lay(this.#share(0, cores), null);
    this.#cost = full.cost;
    const last = this.#shares.length - 1;
    const isUneven = last > 0 && extentOf(this.#shares[last]!) < extentOf(this.#shares[0]!);
    const smaller = isUneven ? this.#lay(this.#share(last, cores), full.built.section) : full;
    const reduced = einsums.filter((einsum) => this.#variable !== null && einsum.reduced.includes(this.#variable));
    const isPartial = this.#shares.length > 1 && reduced.length > 0;
    const { seconds, trafficSeconds } = full.built.estimate;
    this.#mayGainByFewer = isPartial || trafficSeconds >= seconds;
    const parts = this.#shares.map((share, core) => {
      const { section } = (core === last ? smaller : full).built;
      const own = new CoreSection(section, cores, core, share).section();
      return isPartial ? inPart(own, reduced, core) : own;
    });
    this.#sections.push(merged(full.built.section, parts));
    if (!isPartial) return;
    const extended = withParts(workload, new Map(reduced.map((einsum) => [einsum.name, parts.length])));
    const sums = einsumsOf(extended).filter(({ name }) => reduced.some((einsum) => einsum.name === name));
    for (const sum of sums) {
      const asked = { section: null, allCores: this.#usesAll };
      const laid = laySum({ ...this.#task, workload: extended, einsums: [sum], ...asked });
      this.#sections.push(...laid.sections);
      this.#cost += laid.cost;
    }
  }

  #share(core: number, topology: Topology): Task {
    const share = this.#shares[core]!;
    if (share === null) return { ...this.#task, topology };
    return {
      ...this.#task,
      topology,
      extents: new Map(this.#task.extents).set(share.variable, extentOf(share)),
    };
  }
}

/** Bytes that a DMA asks for, as if all its tiles were full ones. */
function bytesOf({ kind, loops, ops }: EngineProgram): number {
  if (kind !== 'dma') return 0;
  const trips = loops.reduce((n, loop) => n * loop.trips, 1);
  return ops.reduce((sum, { inner, accesses }) => sum + trips * inner * accesses.first()!.bytes.first()!, 0);
}

/** Equal shares but for the last one; none for cores that have nothing left to do. */
function sharesOf(variable: string, extent: number, cores: number): Share[] {
  const each = Math.ceil(extent / cores);
  return Array.from({ length: Math.ceil(extent / each) }, (_, core) => {
    return new Share({ variable, from: core * each, to: Math.min(extent, (core + 1) * each) });
  });
}

function extentOf(share: Share | null): number {
  return share === null ? 1 : share.to - share.from;
}

/** A section on one of the cores: names of what is the core's own, and its share. */
class CoreSection {
  readonly #section: Section;
  readonly #topology: Topology;
  readonly #core: number;
  readonly #share: Share | null;

  constructor(section: Section, topology: Topology, core: number, share: Share | null) {
    this.#section = section;
    this.#topology = topology;
    this.#core = core;
    this.#share = share;
  }

  section(): Section {
    return this.#section
      .update('engines', (engines) =>
        engines.map((program) =>
          program
            .set('engine', this.#name(program.engine))
            .set('share', this.#share)
            .update('ops', (ops) => ops.map((op) => this.#op(op, program.kind))),
        ),
      )
      .update('buffers', (buffers) => buffers.map((buffer) => buffer.set('memory', this.#name(buffer.memory))));
  }

  #name(path: string): string {
    return this.#topology.nameOn(this.#core, path);
  }

  #op(op: Op, kind: EngineProgram['kind']): Op {
    const wires = kind === 'dma' ? this.#routeOf(op).wires : null;
    return op.update('accesses', (accesses) => {
      const own = accesses.map((access) => access.set('memory', this.#name(access.memory)));
      return wires ? own.push(own.first()!.set('memory', this.#name(wires.name))) : own;
    });
  }

  #routeOf({ accesses }: Op): Route {
    return this.#topology.routes.find(
      ({ memory, pad }) =>
        accesses.some((access) => access.memory === memory) && accesses.some((access) => access.memory === pad),
    )!;
  }
}

/** Sections side by side; loops, tiles and folds are those of the full share. */
function merged(full: Section, parts: readonly Section[]): Section {
  let engines = 0;
  let channels = 0;
  const shifted = parts.map((part) => {
    const [firstEngine, firstChannel] = [engines, channels];
    engines += part.engines.size;
    channels += part.channels.size;
    return part
      .update('engines', (programs) => programs.map((program) => withChannels(program, firstChannel)))
      .update('channels', (specs) =>
        specs.map((spec) => spec.set('from', spec.from + firstEngine).set('to', spec.to + firstEngine)),
      );
  });
  return full.merge({
    einsums: List(new Set(shifted.flatMap((part) => [...part.einsums]))),
    engines: List(shifted.flatMap((part) => [...part.engines])),
    channels: List(shifted.flatMap((part) => [...part.channels])),
    buffers: List(shifted.flatMap((part) => [...part.buffers])),
  });
}

function withChannels(program: EngineProgram, first: number): EngineProgram {
  return program.update('ops', (ops) =>
    ops.map((op) =>
      op
        .update('takes', (takes) => takes.map((take) => take.set('channel', take.channel + first)))
        .update('gives', (gives) => gives.map((give) => give.set('channel', give.channel + first))),
    ),
  );
}

/** Name of a core's partial results of an einsum or a tensor. */
function partOf(name: string, core: number): string {
  return `${name}.${core}`;
}

/** A core's section with the results of some einsums as its own partial ones. */
function inPart(section: Section, einsums: readonly Einsum[], core: number): Section {
  const tensors = new Set(einsums.map((einsum) => einsum.output.tensor));
  const names = new Set(einsums.map((einsum) => einsum.name));
  const tensor = (name: string): string => (tensors.has(name) ? partOf(name, core) : name);
  const einsum = (name: string): string => (names.has(name) ? partOf(name, core) : name);
  return section
    .update('einsums', (list) => list.map(einsum))
    .update('channels', (specs) =>
      specs.map((spec) => spec.set('name', tensor(spec.name)).set('tensor', tensor(spec.tensor))),
    )
    .update('buffers', (buffers) => buffers.map((buffer) => buffer.set('tensor', tensor(buffer.tensor))))
    .update('engines', (programs) =>
      programs.map((program) =>
        program.update('ops', (ops) =>
          ops.map((op) =>
            op
              .set('name', program.kind === 'dma' ? tensor(op.name) : einsum(op.name))
              .update('accesses', (list) => list.map((access) => access.set('tensor', tensor(access.tensor)))),
          ),
        ),
      ),
    );
}

/**
 * The workload that these sections run: an einsum whose reduction is split is there once for each core, with a tensor of
 * partial results for each, and sums these up; so does one whose memory makes parts of its sums.
 */
export function workloadOf(plain: Workload, sections: Iterable<Section>): Workload {
  const sums = partsIn(plain, sections);
  const workload = sums.size > 0 ? withPartialSums(plain, sums) : plain;
  const moved = new Set(
    [...sections].flatMap(({ engines }) => [...engines.flatMap(({ ops }) => ops.map((op) => op.name))]),
  );
  const parts = new Map<string, number>();
  for (const { name, output } of einsumsOf(workload)) {
    let count = 0;
    while (moved.has(partOf(output.tensor, count)) && !workload.tensors.has(partOf(output.tensor, count))) count++;
    if (count > 0) parts.set(name, count);
  }
  return withParts(workload, parts);
}

/** `parts` by name of the einsum. */
function withParts(workload: Workload, parts: ReadonlyMap<string, number>): Workload {
  let { tensors } = workload;
  const steps = workload.steps.map((step) =>
    step.update('einsums', (einsums) =>
      einsums.flatMap((einsum) => {
        const count = parts.get(einsum.name);
        if (count === undefined) return [einsum];
        const made = Array.from({ length: count }, (_, core) => partialOf(einsum, core));
        for (const { output } of made) {
          const whole = tensors.get(einsum.output.tensor)!;
          tensors = tensors.set(output.tensor, whole.merge({ name: output.tensor, role: 'intermediate' }));
        }
        return [...made, sumOf(einsum, made)];
      }),
    ),
  );
  return workload.merge({ tensors, steps });
}

function partialOf(einsum: Einsum, core: number): Einsum {
  const output = einsum.output.set('tensor', partOf(einsum.output.tensor, core));
  return einsum.merge({ name: partOf(einsum.name, core), output });
}

function sumOf({ name, output, reducer }: Einsum, parts: readonly Einsum[]): Einsum {
  const operands = parts.map((part): Expression => new TensorAccess({ ...part.output.toObject() }));
  const expression = operands.reduce(
    (sum, operand) => new Operation({ operator: reducer, operands: List([sum, operand]) }),
  );
  return new Einsum({ name, output, expression });
}

/**
 * Cuts a smaller share as `like`, that of a larger one, was: the same tiles, loops and tensors held. What is held is read
 * off its transfers: those of a held tensor follow no loop that the tensor does not depend on.
 */
export function layLike(sketch: Sketch, context: Context, like: Section): Found['built'] {
  const extents = new Map(like.tiles.keySeq().map((variable) => [variable, context.extents.get(variable)!]));
  const tiles = new Map(like.tiles.map(({ tile }) => tile));
  const loops = like.loops.toArray().flatMap(({ name, variable }): LoopSpec[] => {
    const trips = Math.ceil(extents.get(variable)! / tiles.get(variable)!);
    return trips > 1 ? [{ name, variable, trips }] : [];
  });
  const hold = new Set(
    like.engines
      .filter(({ kind, loops: own, ops }) => {
        if (kind !== 'dma') return false;
        const indices = ops.first()!.indices!;
        return own.every(({ variable }) => indices.some((index) => index.terms.has(variable)));
      })
      .map(({ ops }) => ops.first()!.name),
  );
  return completeAndBuild(sketch, context, new Nest(extents, tiles, loops), hold);
}
