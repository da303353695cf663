/** Machine files to Archs. */
import { Map as ImmutableMap, List, OrderedMap } from 'immutable';
import type { z } from 'zod';
import {
  Arch,
  ArrayPart,
  DmaPart,
  GroupPart,
  type Link,
  LinkPart,
  MemoryPart,
  type Part,
  PeerLink,
  Reduction,
  ScratchpadPart,
  Span,
  VectorPart,
} from './arch.ts';
import { resolveCosts } from './costs.ts';
import { type Diagnostic, InputError, suggest } from './diagnostics.ts';
import { isDram, readDramPart } from './dram/part.ts';
import { DevicePart, HostCache, HostPart, packetLinkOf, SwitchPart } from './fabric.ts';
import { isTree, Layers, type Tree } from './layers.ts';
import { fileNamed } from './library.ts';
import { readLink, type WrittenLink } from './links.ts';
import { applyOverride, isEarly, Override, withoutOverridePlace } from './overrides.ts';
import { Agcu, Launch, Pcu, Pmu, RduGrid, RduNetwork, RduPart } from './rdu.ts';
import {
  dramMemorySchema,
  groupSchema,
  type Kind,
  kinds,
  type LeafKind,
  machineSchema,
  partSchemas,
} from './schema.ts';
import { diagnose, type Path, Source } from './source.ts';
import { buildSsd } from './ssd/build.ts';
import { loadTechnology } from './technology-file.ts';
import { wrongTiers } from './tiers.ts';
import { expandUses } from './uses.ts';

export interface LoadOptions {
  /** `array.rows=128`: values in place of those in the file. */
  readonly set?: readonly string[];
}

/**
 * The machine that a file describes, or that has this name in arch/.
 * @throws InputError with every mistake in it, in the files it uses and in `set`.
 */
export function loadArch(file: string, options: LoadOptions = {}): Arch {
  return build(Source.read(fileNamed('arch', file)), options);
}

/**
 * The machine that a text describes; `file` is what messages call it, and `use` looks beside it.
 * @throws InputError with every mistake in it.
 */
export function parseArch(text: string, file: string, options: LoadOptions = {}): Arch {
  return build(new Source(text, file), options);
}

function build(source: Source, { set = [] }: LoadOptions): Arch {
  const layers = new Layers(source.value() as Tree, source);
  const overrides = set.map((text) => new Override(text));
  const early = overrides.filter((override) => isEarly(layers, override));
  const mistakes = [
    ...early.flatMap((override) => applyOverride(layers, override)),
    ...expandUses(layers, source.file),
    ...overrides.filter((o) => !early.includes(o)).flatMap((override) => applyOverride(layers, override)),
  ];
  const builder = new Builder(layers, source.file, mistakes);
  const arch = builder.machine();
  if (mistakes.length === 0) return arch;
  throw new InputError(inReadingOrder(mistakes, source.file).map(withoutOverridePlace));
}

/** Mistakes of the machine's own file first, top to bottom. */
function inReadingOrder(mistakes: readonly Diagnostic[], file: string): Diagnostic[] {
  const rank = ({ place }: Diagnostic): number => (place === undefined ? 2 : place.file === file ? 0 : 1);
  const line = ({ place }: Diagnostic): number => (place ? place.line * 1e6 + place.column : 0);
  return [...mistakes].sort((a, b) => rank(a) - rank(b) || line(a) - line(b));
}

type Shape<K extends LeafKind> = z.output<(typeof partSchemas)[K]>;

class Builder {
  readonly #layers: Layers;
  readonly #file: string;
  readonly #mistakes: Diagnostic[];
  readonly #clocks: readonly string[];
  readonly #byPath = new Map<string, Part | null>();
  readonly #links: WrittenLink[] = [];

  constructor(layers: Layers, file: string, mistakes: Diagnostic[]) {
    this.#layers = layers;
    this.#file = file;
    this.#mistakes = mistakes;
    this.#clocks = isTree(layers.tree.clocks) ? Object.keys(layers.tree.clocks) : [];
  }

  /** What the file says as far as it can be understood; the mistakes say whether that is all of it. */
  machine(): Arch {
    const { tree } = this.#layers;
    // Parts are checked one by one, each against the schema of its kind.
    const head = this.#checked(machineSchema, isTree(tree.parts) ? { ...tree, parts: {} } : tree, []);
    if (head && this.#clocks.length === 0) {
      const place = this.#layers.placeOf(['clocks']);
      this.#mistakes.push({ message: 'there is no clock', place, hint: 'such as { core: 940 MHz }' });
    }
    if (head) this.#checkPeers(head);
    const parts = this.#parts(tree.parts, [], []);
    // Where the head has mistakes, what can be read of it is still checked.
    const links =
      head?.links ?? (Array.isArray(tree.links) ? tree.links.filter((link) => typeof link === 'string') : []);
    const technology = head?.technology ?? (typeof tree.technology === 'string' ? tree.technology : undefined);
    this.#gather(links, ['links'], []);
    const arch = new Arch({
      name: head?.machine ?? '',
      about: head?.about ?? '',
      source: head?.source ?? '',
      technology: technology === undefined ? null : this.#technology(technology),
      devices: head?.devices ?? 1,
      link: head?.link ? new PeerLink(head.link) : null,
      nodes: head?.nodes ?? 1,
      network: head?.network ? new PeerLink(head.network) : null,
      clocks: OrderedMap(Object.entries(head?.clocks ?? {})),
      parts,
      links: this.#readLinks(),
      tiers: List(head?.tiers ?? []),
    });
    if (this.#mistakes.length === 0) this.#mistakes.push(...wrongTiers(arch, this.#layers));
    return arch;
  }

  /** Several devices, or nodes, are joined by something. */
  #checkPeers(head: z.output<typeof machineSchema>): void {
    for (const [count, between] of [
      ['devices', 'link'],
      ['nodes', 'network'],
    ] as const) {
      if (head[count] === 1 || head[between]) continue;
      const message = `there are ${head[count]} ${count}, but no "${between}" joins them`;
      const hint = `such as "${between}: { bandwidth: 450 GB/s, latency: 0.8 us }"`;
      this.#mistakes.push({ message, place: this.#layers.placeOf([count]), hint });
    }
  }

  #technology(name: string): Arch['technology'] {
    const loaded = loadTechnology(name, { file: this.#file, place: this.#layers.placeOf(['technology']) });
    if (!Array.isArray(loaded)) return loaded;
    this.#mistakes.push(...loaded);
    return null;
  }

  #parts(map: unknown, at: Path, scope: readonly string[]): OrderedMap<string, Part> {
    if (!isTree(map)) return OrderedMap();
    return OrderedMap<string, Part>().withMutations((parts) => {
      for (const [name, value] of Object.entries(map)) {
        const path = [...at, 'parts', name];
        const own = [...scope, name];
        if (!/^[A-Za-z_][\w-]*$/.test(name)) {
          const place = this.#layers.placeOfKey(path);
          this.#mistakes.push({
            message: `"${name}" is no name for a part`,
            place,
            hint: 'use letters, digits, - and _',
          });
        }
        this.#byPath.set(own.join('.'), null);
        const part = this.#part(value, path, own);
        if (!part) continue;
        this.#byPath.set(own.join('.'), part);
        parts.set(name, part);
      }
    });
  }

  #part(value: unknown, at: Path, scope: readonly string[]): Part | undefined {
    if (!isTree(value)) {
      const hint = 'such as { kind: vector, lanes: 256, operations: { mac: 1 } }';
      this.#mistakes.push({ message: `"${at[at.length - 1]}" is no part`, place: this.#layers.placeOf(at), hint });
      return undefined;
    }
    // A `use` that is still there led nowhere, which has been said: the part's other keys are unknown.
    if (typeof value.use === 'string') return undefined;
    const kind = value.kind ?? (value.parts === undefined ? undefined : 'group');
    if (kind === 'group') return this.#group(value, at, scope);
    if (kind === undefined) {
      const hint = `one of ${kinds.join(', ')}`;
      this.#mistakes.push({ message: '"kind" is missing', place: this.#layers.placeOf(at), hint });
    } else if (!kinds.includes(kind as Kind)) {
      const place = this.#layers.placeOf([...at, 'kind']);
      this.#mistakes.push({
        message: `"${String(kind)}" is no kind of part`,
        place,
        hint: suggest(String(kind), kinds),
      });
    } else {
      return this.#leaf(kind as LeafKind, value, at);
    }
    return undefined;
  }

  #leaf(kind: LeafKind, value: Tree, at: Path): Part | undefined {
    if (kind === 'memory' && isDram(value)) return this.#dram(at);
    const shape: z.output<(typeof partSchemas)[LeafKind]> | undefined = this.#checked(partSchemas[kind], value, at);
    switch (shape?.kind) {
      case 'array':
        return this.#array(shape, at);
      case 'vector':
        return this.#vector(shape, at);
      case 'scratchpad':
        return new ScratchpadPart({
          ...shape,
          clock: this.#clock(shape.clock, at),
          holds: List(shape.holds),
          layout: shape.layout ?? null,
        });
      case 'memory':
        return new MemoryPart({
          ...shape,
          latency: new Span({ amount: shape.latency, unit: 'ps' }),
          technology: shape.technology ?? null,
        });
      case 'rdu':
        return this.#rdu(shape, at);
      case 'dma':
        return new DmaPart({ ...shape, clock: this.#clock(shape.clock, at), bandwidth: shape.bandwidth ?? null });
      case 'link':
        return new LinkPart({ ...shape, clock: this.#clock(shape.clock, at), bandwidth: shape.bandwidth ?? null });
      case 'ssd':
        return buildSsd(shape, at, this.#layers, this.#mistakes);
      case 'packet-link':
        return packetLinkOf(shape);
      case 'switch':
        return new SwitchPart({ ...shape, weights: ImmutableMap(Object.entries(shape.weights)) });
      case 'device':
        return new DevicePart(shape);
      case 'host':
        return new HostPart({
          ...shape,
          clock: this.#clock(shape.clock, at),
          operations: this.#operations(shape.operations, 1, at),
          cache: shape.cache ? new HostCache(shape.cache) : null,
        });
      default:
        return undefined;
    }
  }

  #dram(at: Path): MemoryPart | undefined {
    const { part, mistakes } = readDramPart(this.#layers, at, dramMemorySchema);
    this.#mistakes.push(...mistakes);
    return part;
  }

  #array(shape: Shape<'array'>, at: Path): ArrayPart {
    return new ArrayPart({
      ...shape,
      clock: this.#clock(shape.clock, at),
      operations: this.#operations(shape.operations, 1, at),
      reduce: this.#reduction(shape.reduce, at),
      registers: shape.registers ?? null,
      input: shape.input ?? null,
      output: shape.output ?? null,
    });
  }

  #vector({ depth, ...shape }: Shape<'vector'>, at: Path): VectorPart {
    return new VectorPart({
      ...shape,
      clock: this.#clock(shape.clock, at),
      operations: this.#operations(shape.operations, depth ?? 1, at),
      registers: shape.registers ?? null,
      input: shape.input ?? null,
      output: shape.output ?? null,
    });
  }

  #rdu({ grid, pcu, pmu, network, agcu, launch, ...shape }: Shape<'rdu'>, at: Path): RduPart {
    return new RduPart({
      ...shape,
      clock: this.#clock(shape.clock, at),
      grid: new RduGrid(grid),
      pcu: new Pcu({ ...pcu, operations: this.#operations(pcu.operations, 1, [...at, 'pcu']) }),
      pmu: new Pmu(pmu),
      network: new RduNetwork(network),
      agcu: new Agcu(agcu),
      software: new Launch(launch.software),
      hardware: new Launch(launch.hardware),
    });
  }

  #operations(written: Shape<'array'>['operations'], depth: number, at: Path): ArrayPart['operations'] {
    const path = [...at, 'operations'];
    const { operations, mistakes } = resolveCosts(written, depth, this.#layers, path);
    this.#mistakes.push(...mistakes);
    if (Object.keys(written).length === 0) {
      const place = this.#layers.placeOf(path);
      this.#mistakes.push({ message: `"${at[at.length - 1]}" computes nothing`, place, hint: 'such as { mac: 1 }' });
    }
    return operations;
  }

  #reduction(written: Shape<'array'>['reduce'], at: Path): Reduction | null {
    if (!written) return null;
    const { along, latency } = written;
    const crossed = along === 'columns' ? 'row' : 'column';
    if (latency.per !== crossed) {
      this.#mistakes.push({
        message: `a reduction along ${along} crosses ${crossed}s, but its latency is per ${latency.per}`,
        place: this.#layers.placeOf([...at, 'reduce', 'latency']),
        hint: `write "${latency.cycles} ${latency.cycles === 1 ? 'cycle' : 'cycles'} per ${crossed}"`,
      });
    }
    return new Reduction({ along, latency: latency.cycles });
  }

  /** The named clock, or the only one. */
  #clock(name: string | undefined, at: Path): string {
    if (name !== undefined) {
      // That a machine has no clock is said once, not for each part.
      if (this.#clocks.length > 0 && !this.#clocks.includes(name)) {
        const place = this.#layers.placeOf([...at, 'clock']);
        this.#mistakes.push({ message: `there is no clock "${name}"`, place, hint: suggest(name, this.#clocks) });
      }
      return name;
    }
    if (this.#clocks.length > 1) {
      const hint = `one of ${this.#clocks.join(', ')}`;
      this.#mistakes.push({ message: '"clock" is missing', place: this.#layers.placeOf(at), hint });
    }
    return this.#clocks[0] ?? '';
  }

  #group(value: Tree, at: Path, scope: readonly string[]): Part | undefined {
    const head = this.#checked(groupSchema, isTree(value.parts) ? { ...value, parts: {} } : value, at);
    const parts = this.#parts(value.parts, at, scope);
    if (!head) return undefined;
    this.#gather(head.links, [...at, 'links'], scope);
    return new GroupPart({ count: head.count, parts });
  }

  #gather(links: readonly string[], at: Path, scope: readonly string[]): void {
    this.#links.push(...links.map((text, i) => ({ text, at: [...at, i], scope })));
  }

  /** Once all parts are known. */
  #readLinks(): List<Link> {
    const seen = new Set<string>();
    const links = this.#links.flatMap((written) => {
      const link = readLink(written, this.#byPath, this.#layers);
      if (Array.isArray(link)) {
        this.#mistakes.push(...link);
        return [];
      }
      const key = JSON.stringify([link.from, link.to, link.via]);
      if (seen.has(key)) {
        const place = this.#layers.placeOf(written.at);
        this.#mistakes.push({ message: 'this link is written twice', place, hint: 'remove one of them' });
      }
      seen.add(key);
      return [link];
    });
    return List(links);
  }

  /** The value as its schema makes it, or undefined and the mistakes noted. */
  #checked<S extends z.ZodType>(schema: S, value: unknown, at: Path): z.output<S> | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    this.#mistakes.push(...diagnose(result.error.issues, value, this.#layers, at, schema));
    return undefined;
  }
}
