/** Arch x Workload x Mapping -> Program. */
import { List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import { bytes } from '../../arch/language/describe.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { bitsOf } from '../../arch/language/units.ts';
import type { LoadedMapping, Placement, SectionMapping } from '../../workloads/language/mapping.ts';
import { extentsOf } from '../../workloads/language/shapes.ts';
import {
  accessesOf,
  type Einsum,
  einsumsOf,
  type LoadedWorkload,
  type Step,
  variablesOf,
  type Workload,
} from '../../workloads/language/workload.ts';
import { defaultAssignment, defaultEngine } from './assign.ts';
import { checkMapping } from './check-mapping.ts';
import { contractionOf, isFlattened } from './contraction.ts';
import { type Laid, layLike, overCores, type Task } from './cores.ts';
import { BindError } from './dependencies.ts';
import { isSystolic, searchFolds } from './fold-search.ts';
import { checkOperations } from './gaps.ts';
import { checkRoom } from './matrices.ts';
import { loadedWithPartialSums, mappingWithPartialSums, wholeName } from './partial-sums.ts';
import { nestOf } from './partition.ts';
import { type Assignment, elementBytes } from './plan.ts';
import { foldsOf, Phase, type Product, Program, type Section } from './program.ts';
import { type Context, completeAndBuild, costOf, type Found, type Sketch, search } from './search.ts';
import type { BuiltSection } from './section.ts';
import { Topology } from './topology.ts';

export interface BindOptions {
  /** Folds of systolic arrays stream all of their time, as SCALE-Sim's do, whatever that costs the memory. */
  readonly wholeFolds?: boolean;
}

/** What a binder knows beside the machine and the workload. */
interface BinderOptions extends BindOptions {
  /** Einsums that run in memories. */
  readonly products?: ReadonlyMap<string, Product>;
}

/**
 * Lays a workload on a machine: what the mapping leaves open is chosen by default rules (README of models).
 * @throws InputError when it cannot run, at the place in the mapping or of the einsum that is to blame.
 */
export function bind(
  arch: Arch,
  loaded: LoadedWorkload,
  mapping: LoadedMapping | null = null,
  options: BindOptions = {},
): Program {
  const topology = new Topology(arch);
  const products = new Map<string, Product>();
  const mistakes = mapping ? checkMapping(mapping, loaded.workload, topology, products) : [];
  if (mistakes.length > 0) throw new InputError(mistakes);
  checkOperations(loaded, topology, products);
  const parts = new Map([...products].flatMap(([name, { parts: n }]) => (n > 1 ? [[name, n]] : [])));
  if (parts.size > 0) {
    const split = mapping && mappingWithPartialSums(mapping, parts);
    return bindProducts(topology, loadedWithPartialSums(loaded, parts), split, options, products);
  }
  return bindProducts(topology, loaded, mapping, options, products);
}

/** Lays a workload whose `products`, by einsum, run in memories, with an einsum of its own for what adds their parts up. */
function bindProducts(
  topology: Topology,
  loaded: LoadedWorkload,
  mapping: LoadedMapping | null,
  options: BindOptions,
  products: ReadonlyMap<string, Product>,
): Program {
  const { workload } = loaded;
  const binder = new Binder(workload, topology, { ...options, products });
  try {
    checkMemory(workload, topology);
  } catch (error) {
    throw located(error, loaded, null, mapping, -1);
  }
  const phases = workload.steps.map((step) => {
    const sections: Section[] = [];
    const groups = groupsOf(step, mapping);
    for (const [i, group] of groups.entries()) {
      try {
        const later = groups.slice(i + 1).flatMap(({ einsums }) => einsums);
        checkRecurrences(group.einsums, later);
        sections.push(...binder.sections(group));
      } catch (error) {
        throw located(error, loaded, group.einsums[0]!, mapping, group.index);
      }
    }
    return new Phase({ repeat: step.repeat, sections: List(sections) });
  });
  const program = new Program({ mapping: mapping?.mapping.name ?? 'default', phases });
  if (products.size > 0) checkRoom(program, loaded, mapping, topology);
  return program;
}

/** Einsums that a mapping puts together, or a run of einsums that it says nothing about. */
interface Group {
  readonly einsums: readonly Einsum[];
  readonly section: SectionMapping | null;
  /** Position of the section in the mapping. */
  readonly index: number;
}

/** Einsums as they are laid under one loop nest. */
export interface Run extends Laid {
  readonly einsums: readonly Einsum[];
}

function groupsOf(step: Step, mapping: LoadedMapping | null): Group[] {
  const einsums = step.einsums.toArray();
  if (mapping?.mapping.each) return atomsOf(einsums).map((atom) => ({ einsums: atom, section: null, index: -1 }));
  const sections = mapping?.mapping.sections.toArray() ?? [];
  const groups: Group[] = [];
  for (let i = 0; i < einsums.length; ) {
    const index = sections.findIndex((s) => s.einsums === null || s.einsums.includes(einsums[i]!.name));
    const section = sections[index] ?? null;
    const belongs = (e: Einsum): boolean =>
      section
        ? section.einsums === null || section.einsums.includes(e.name)
        : sections.every((s) => !s.einsums?.includes(e.name));
    let j = i;
    while (j < einsums.length && belongs(einsums[j]!)) j++;
    groups.push({ einsums: einsums.slice(i, j), section, index });
    i = j;
  }
  return groups;
}

/** Lays runs of einsums on a machine, one at a time. */
export class Binder {
  readonly #workload: Workload;
  readonly #context: Context;
  /** Einsums that read a tensor. */
  readonly #readers = new Map<string, Einsum[]>();
  readonly #products: ReadonlyMap<string, Product>;

  constructor(
    workload: Workload,
    topology: Topology,
    { wholeFolds = false, products = new Map() }: BinderOptions,
    extents?: ReadonlyMap<string, number>,
  ) {
    this.#workload = workload;
    this.#products = products;
    const all = einsumsOf(workload);
    for (const einsum of all) {
      for (const { tensor } of accessesOf(einsum.expression)) {
        this.#readers.set(tensor, [...(this.#readers.get(tensor) ?? []), einsum]);
      }
    }
    const whole = new Map(all.flatMap((einsum) => [...extentsOf(workload, einsum)]));
    this.#context = { topology, bytesOf: elementBytes(workload, bitsOf), extents: extents ?? whole, wholeFolds };
  }

  sections({ einsums, section }: Group): Section[] {
    if (section && fuses(section)) return [...this.lay(einsums, section).sections];
    return this.runs(einsums, section).flatMap(({ sections }) => sections);
  }

  /** Einsums that no mapping fuses, in the runs that are estimated to be fastest. @throws BindError */
  runs(einsums: readonly Einsum[], section: SectionMapping | null = null): Run[] {
    const runs = this.#fuse(atomsOf(einsums), section);
    const mayBeOne = runs.length > 1 && !this.#runsAlone(einsums, section);
    const all = mayBeOne ? this.#tryLay(einsums, section) : null;
    return all && all.cost <= runs.reduce((sum, run) => sum + run.cost, 0) ? [all] : runs;
  }

  /** Adds atom after atom to the section at hand as long as that is estimated to be no slower than a section of its own. */
  #fuse(atoms: readonly (readonly Einsum[])[], section: SectionMapping | null): Run[] {
    const done: Run[] = [];
    let fused = atoms[0]!;
    let found = this.lay(fused, section);
    for (const atom of atoms.slice(1)) {
      const alone = this.lay(atom, section);
      const apart = [fused, atom].some((einsums) => this.#runsAlone(einsums, section));
      const together = apart ? null : this.#tryLay([...fused, ...atom], section);
      if (together && together.cost <= found.cost + alone.cost) {
        fused = [...fused, ...atom];
        found = together;
      } else {
        done.push(found);
        fused = atom;
        found = alone;
      }
    }
    return [...done, found];
  }

  /**
   * Whether there is a product for a systolic array with windows, or with several ranks along one side: its folds run across
   * the tiles that it would share with what it is fused with.
   */
  #runsAlone(einsums: readonly Einsum[], section: SectionMapping | null): boolean {
    return einsums.some((einsum) => {
      const { engine } = this.#assign(einsum, section);
      if (!isSystolic(engine)) return false;
      const product = contractionOf(einsum, this.#workload, this.#context.extents);
      return product !== null && isFlattened(product);
    });
  }

  /** Einsums fused under one loop nest, all of it or what `section` leaves open chosen. @throws BindError */
  lay(einsums: readonly Einsum[], section: SectionMapping | null): Run {
    const task = { ...this.#context, workload: this.#workload, einsums, section };
    const isWhole = ({ workload, topology, extents }: Task): boolean =>
      workload === task.workload && topology === task.topology && extents === task.extents;
    const binderOf = (part: Task): Binder =>
      isWhole(part)
        ? this
        : new Binder(part.workload, part.topology, { ...this.#context, products: this.#products }, part.extents);
    const laid = overCores(
      task,
      (part) =>
        binderOf(part)
          .#sketch(part.einsums, part.section)
          .assignments.map(({ engine }) => engine.path),
      (part, like) => binderOf(part).#lay(part.einsums, part.section, like),
    );
    return { ...laid, einsums };
  }

  /** `like` is the section of a larger share, to be cut in the same way. */
  #lay(einsums: readonly Einsum[], section: SectionMapping | null, like: Section | null): Found {
    const sketch = this.#sketch(einsums, section);
    if (section && hasNest(section)) return this.#mapped(sketch, section);
    if (like && foldsOf(like) === null) return foundOf(layLike(sketch, this.#context, like));
    return this.#inFolds(sketch);
  }

  /** In folds where an array runs them. What does not fit as folds may fit in other tiles. */
  #inFolds(sketch: Sketch): Found {
    let misfit: BindError | null = null;
    try {
      const found = searchFolds(sketch, this.#workload, this.#context);
      if (found) return found;
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      misfit = error;
    }
    try {
      return search(sketch, this.#context);
    } catch (error) {
      throw error instanceof BindError && misfit ? misfit : error;
    }
  }

  #tryLay(einsums: readonly Einsum[], section: SectionMapping | null): Run | null {
    try {
      return this.lay(einsums, section);
    } catch (error) {
      if (error instanceof BindError) return null;
      throw error;
    }
  }

  #mapped(sketch: Sketch, section: SectionMapping): Found {
    const variables = [...new Set(sketch.einsums.flatMap(variablesOf))];
    let failure: unknown;
    for (const nest of nestOf(section, variables, this.#context.extents)) {
      try {
        return foundOf(completeAndBuild(sketch, this.#context, nest, sketch.hold ?? new Set()));
      } catch (error) {
        failure = error;
        if (!(error instanceof BindError && error.excess > 0)) throw error;
      }
    }
    throw failure;
  }

  #sketch(einsums: readonly Einsum[], section: SectionMapping | null): Sketch {
    const mine = new Set(einsums);
    const isRead = (tensor: string): boolean => this.#readers.get(tensor)?.some((e) => !mine.has(e)) ?? false;
    const outputs = einsums.map((einsum) => einsum.output.tensor);
    const isOutput = (tensor: string): boolean => this.#workload.tensors.get(tensor)!.role === 'output';
    const placements = section?.place ?? null;
    return {
      einsums,
      assignments: einsums.map((einsum) => this.#assign(einsum, section)),
      stored: new Set(outputs.filter((tensor) => isOutput(tensor) || isRead(tensor))),
      keep: placements ? new Set(placements.valueSeq().flatMap((p) => p.keep)) : null,
      hold:
        section && !section.hold.isEmpty()
          ? new Set([...section.hold.values()].flatMap((tensors) => [...tensors]))
          : null,
      stream: new Map<string, number>(section ? [...section.stream] : []),
      interleave: section?.interleave ?? null,
      isGiven: section !== null && hasNest(section),
      ...(section && {
        refetch: new Set(section.refetch),
        order: section.place
          .valueSeq()
          .toArray()
          .flatMap((placement) => placement.einsums.toArray()),
        pipeline: named(section.pipeline),
        passes: named(section.passes),
        spill: new Map(section.spill.map((readers) => readers.toArray())),
        replace: new Map(section.replace),
      }),
    };
  }

  #productOf({ name }: Einsum): Product {
    const product = this.#products.get(wholeName(name));
    if (!product) throw new Error(`${name} is no product`);
    return product;
  }

  #assign(einsum: Einsum, section: SectionMapping | null): Assignment {
    const { topology } = this.#context;
    for (const [path, placement] of section?.place ?? []) {
      if (!placement.einsums.includes(einsum.name)) continue;
      const memory = topology.pim(path);
      if (memory) return { engine: memory, rows: [], columns: [], lanes: null, product: this.#productOf(einsum) };
      const engine = topology.engine(path)!;
      const usual = defaultAssignment(einsum, engine);
      const named = (key: 'rows' | 'columns' | 'lanes'): string[] | null => spatial(placement, key, einsum, section!);
      return {
        engine,
        rows: named('rows') ?? usual.rows,
        columns: named('columns') ?? usual.columns,
        lanes: named('lanes'),
      };
    }
    return defaultAssignment(einsum, defaultEngine(einsum, topology));
  }
}

function named(lists: List<List<string>>): string[][] {
  return lists.toArray().map((names) => names.toArray());
}

function foundOf(built: BuiltSection): Found {
  return { built, cost: costOf(built.estimate) };
}

/** Whether a section says how its loops run. */
function hasNest({ loops, partition }: SectionMapping): boolean {
  return loops !== null || !partition.isEmpty();
}

/** Whether all einsums of a section are under one loop nest; else it only says more of those that are fused by default. */
function fuses(section: SectionMapping): boolean {
  return section.einsums !== null || hasNest(section);
}

/** Variables that a placement puts over a side, of those that the einsum has; null when it says nothing. */
function spatial(
  placement: Placement,
  key: 'rows' | 'columns' | 'lanes',
  einsum: Einsum,
  section: SectionMapping,
): string[] | null {
  const names = placement[key];
  if (names.isEmpty()) return null;
  const own = variablesOf(einsum);
  return names
    .map(
      (name) =>
        section.partition.findKey((parts) => parts.some((part) => part.name.toLowerCase() === name))?.toLowerCase() ??
        name,
    )
    .filter((variable) => own.includes(variable))
    .toArray();
}

/** The least runs of einsums that cannot be cut: a run that reads, in its next iteration, what it makes later. */
export function atomsOf(einsums: readonly Einsum[]): Einsum[][] {
  const position = new Map(einsums.map((einsum, i) => [einsum.output.tensor, i]));
  const atoms: Einsum[][] = [];
  for (let i = 0; i < einsums.length; ) {
    let end = i;
    for (let j = i; j <= end; j++) {
      for (const access of accessesOf(einsums[j]!.expression)) end = Math.max(end, position.get(access.tensor) ?? j);
    }
    atoms.push(einsums.slice(i, end + 1));
    i = end + 1;
  }
  return atoms;
}

function checkMemory(workload: Workload, topology: Topology): void {
  if (topology.routes.length === 0) {
    throw new BindError(
      'the machine has no memory that a dma joins to a scratchpad both ways',
      null,
      'add a link such as "hbm <-> buffer via dma"',
    );
  }
  const bytesOf = elementBytes(workload, bitsOf);
  const resident = workload.tensors.valueSeq().filter((tensor) => tensor.role !== 'intermediate');
  const needed = resident.reduce(
    (sum, tensor) => sum + bytesOf(tensor.name) * tensor.instances * tensor.shape.reduce((n, e) => n * e, 1),
    0,
  );
  const capacity = topology.memories.reduce((sum, memory) => sum + memory.part.capacity * memory.part.count, 0);
  if (needed > capacity) {
    throw new BindError(
      `inputs and outputs need ${bytes(needed)} of memory, but there is ${bytes(capacity)}`,
      null,
      'give the memory more capacity, or make ranks smaller',
    );
  }
}

/** What an iteration takes over from the one before it must be made in the same section. */
function checkRecurrences(einsums: readonly Einsum[], later: readonly Einsum[]): void {
  for (const { name, expression } of einsums) {
    for (const { tensor } of accessesOf(expression)) {
      const maker = later.find((einsum) => einsum.output.tensor === tensor);
      if (!maker) continue;
      const message = `${name} needs ${tensor} of the iteration before, which a later section makes`;
      throw new BindError(message, 'einsums', `put ${name} and ${maker.name} into one section`);
    }
  }
}

/** A binding error at the mapping's key that it blames, else at the einsum. */
function located(
  error: unknown,
  loaded: LoadedWorkload,
  einsum: Einsum | null,
  mapping: LoadedMapping | null,
  index: number,
): unknown {
  if (!(error instanceof BindError)) return error;
  const key = keyToBlame(error.key, mapping?.mapping.sections.get(index));
  const inMapping = mapping && index >= 0 && key !== null;
  const line = loaded.places.get(error.einsum ?? '') ?? (einsum ? loaded.places.get(einsum.name) : undefined);
  const place = inMapping ? mapping.place(index, [key]) : line;
  // Without a mapping the smallest tiles were tried already.
  const hint = error.excess > 0 && !inMapping ? 'give it more capacity, or make ranks smaller' : error.hint;
  return new InputError({ message: error.message, place, hint });
}

/** The key that says what an error blames: loops may follow from the partition, and tiles from the loops. */
function keyToBlame(key: string | null, section: SectionMapping | undefined): string | null {
  if (key === 'loops' && section?.loops === null) return section.partition.isEmpty() ? null : 'partition';
  if (key === 'partition' && section?.partition.isEmpty()) {
    if (section.loops === null) return null;
    return section.loops.isEmpty() ? key : 'loops';
  }
  if (key === 'place' && section?.place.isEmpty()) return null;
  return key;
}
