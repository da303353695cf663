/** What a binder must know of a machine: its engines and memories, and which of them are joined how widely. */
import type {
  Arch,
  ArrayPart,
  DmaPart,
  Link,
  LinkPart,
  MemoryPart,
  Part,
  Rate,
  ScratchpadPart,
  Span,
  VectorPart,
} from '../../arch/language/arch.ts';
import { memoryDevice } from '../../arch/language/dram/memory.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';

export interface Site<P extends Part> {
  /** `array`, or `core.array` inside a group. */
  readonly path: string;
  /** The part; the counts of enclosing groups are multiplied into its own, as if they worked in lockstep. */
  readonly part: P;
  readonly clock: string;
  readonly hertz: number;
}

export type EngineSite = Site<ArrayPart> | Site<VectorPart>;

/** A memory that computes. Its clock is its own, of the same name. */
export type PimSite = Site<MemoryPart>;

/** What serves bytes at a rate. */
interface Way {
  readonly name: string;
  readonly bytesPerSecond: number;
}

/** A way between a memory and a scratchpad. */
export interface Route {
  readonly memory: string;
  readonly pad: string;
  /** What limits it besides its ends: the dma or link part it runs over, or the link itself. */
  readonly port: Way | null;
  /** A core's own wires to a `port` that it shares with others. */
  readonly wires: Way | null;
  /** Seconds before each transfer. */
  readonly setup: number;
}

/** A group with a count: equal cores that share everything outside of it. */
export interface CoreGroup {
  readonly path: string;
  readonly count: number;
}

/** One of the cores of a group, while `sharers` of them work. */
interface View {
  readonly group: string;
  readonly sharers: number;
}

export class Topology {
  /** Outermost groups with a count and without a memory. */
  readonly groups: readonly CoreGroup[];
  readonly engines: readonly EngineSite[];
  readonly pads: readonly Site<ScratchpadPart>[];
  readonly memories: readonly Site<MemoryPart>[];
  readonly routes: readonly Route[];
  readonly #sites = new Map<string, Site<Part>>();
  readonly #links: readonly Link[];
  readonly #arch: Arch;
  readonly #view: View | null;

  /** All of a machine, groups in lockstep; `core` gives a view of it. */
  constructor(arch: Arch, view: View | null = null) {
    this.#arch = arch;
    this.#view = view;
    const defaultClock = arch.clocks.keySeq().first() ?? '';
    const groups: CoreGroup[] = [];
    const visit = (parts: Iterable<[string, Part]>, prefix: string, count: number): void => {
      for (const [name, part] of parts) {
        const path = prefix + name;
        if (part.kind === 'group') {
          if (count === 1 && part.count > 1 && path !== view?.group) groups.push({ path, count: part.count });
          visit(part.parts, `${path}.`, path === view?.group ? 1 : count * part.count);
          continue;
        }
        const clock = 'clock' in part && part.clock !== '' ? (part.clock as string) : defaultClock;
        // Every part has a count, which the union of record types hides from the compiler.
        const counted = (part as ArrayPart).set('count', part.count * count) as Part;
        this.#sites.set(path, { path, part: counted, clock, hertz: arch.clocks.get(clock)! });
      }
    };
    visit(arch.parts, '', 1);
    const of = <P extends Part>(...kinds: Part['kind'][]): Site<P>[] =>
      [...this.#sites.values()].filter((site) => kinds.includes(site.part.kind)) as unknown as Site<P>[];
    this.engines = of<ArrayPart | VectorPart>('array', 'vector') as EngineSite[];
    this.pads = of<ScratchpadPart>('scratchpad');
    this.memories = of<MemoryPart>('memory').map((memory) => ({
      ...memory,
      part: memory.part.set('bandwidth', memory.part.bandwidth / this.#sharers(memory.path)),
    }));
    this.groups = groups.filter(({ path }) => this.memories.every((memory) => !isInside(memory.path, path)));
    this.#links = arch.links.toArray();
    this.routes = this.memories.flatMap((memory) =>
      this.pads.flatMap((pad) => {
        const link = this.#link(memory.path, pad.path);
        return link && this.#link(pad.path, memory.path) ? [this.#route(memory.path, pad, link)] : [];
      }),
    );
  }

  /**
   * The machine as one core of a group sees it: its own parts once, and of what is outside its share of the bandwidth
   * when `sharers` cores work.
   */
  core(group: string, sharers = 1): Topology {
    return new Topology(this.#arch, { group, sharers });
  }

  /** The group whose cores have a part, or a link's wires, of this path. */
  groupOf(path: string): CoreGroup | undefined {
    const end = this.routes.find((route) => route.port?.name === path && wiresOf(route) === path)?.pad ?? path;
    return this.groups.find((group) => isInside(end, group.path));
  }

  /** In a core's view: the name of the core's own part, or of its wires, such as `core[2].buffer`; others keep theirs. */
  nameOn(core: number, path: string): string {
    const route = this.routes.find((r) => wiresOf(r) === path);
    if (route) return wiresOf({ ...route, pad: this.nameOn(core, route.pad) });
    const { group } = this.#view!;
    return isInside(path, group) ? `${group}[${core}]${path.slice(group.length)}` : path;
  }

  /** How many have to share a part: 1 if it is in the group. */
  #sharers(path: string): number {
    return this.#view === null || isInside(path, this.#view.group) ? 1 : this.#view.sharers;
  }

  engine(path: string): EngineSite | undefined {
    return this.engines.find((engine) => engine.path === path);
  }

  pad(path: string): Site<ScratchpadPart> | undefined {
    return this.pads.find((pad) => pad.path === path);
  }

  /** A memory that computes; undefined for those that do not. */
  pim(path: string): PimSite | undefined {
    const memory = this.memory(path);
    const { dram } = memory?.part ?? {};
    if (!memory || !dram?.pim) return undefined;
    return { ...memory, clock: path, hertz: picosecondsPerSecond / memoryDevice(dram).clockPs };
  }

  /** The way over which transfers between memory and a scratchpad go. */
  routeOf(pad: string): Route | undefined {
    return this.routes.find((route) => route.pad === pad);
  }

  /** Seconds from a transfer's request to memory until its first byte comes. */
  memoryLatency(route: Route): number {
    const { part, hertz } = this.memory(route.memory)!;
    return seconds(part.latency, hertz) + route.setup;
  }

  /** Seconds that a scratchpad takes to give what it holds. */
  padLatency(path: string): number {
    const { part, hertz } = this.pad(path)!;
    return seconds(part.latency, hertz);
  }

  memory(path: string): Site<MemoryPart> | undefined {
    return this.memories.find((memory) => memory.path === path);
  }

  /**
   * Bytes per cycle of the engine's clock from one part to another, at least one of which computes; Infinity where
   * the file sets no limit, null where there is no link. An engine's own port widths count.
   */
  width(from: string, to: string): number | null {
    const link = this.#link(from, to);
    if (!link) return null;
    // What limits a way between a memory and a scratchpad is a port that others use, too.
    const memories = [from, to].filter((path) => this.memory(path));
    if (memories.length > 0) return this.pad(from) || this.pad(to) ? Number.POSITIVE_INFINITY : null;
    const sender = this.engine(from);
    const receiver = this.engine(to);
    const hertz = (sender ?? receiver)!.hertz;
    const via = link.via === null ? undefined : this.#sites.get(link.via)?.part;
    const limits = [
      link.bandwidth,
      sender?.part.output,
      receiver?.part.input,
      via?.kind === 'link' || via?.kind === 'dma' ? via.bandwidth : null,
    ];
    // Rates are for each of several equal parts.
    const copies = Math.max(sender?.part.count ?? 1, receiver?.part.count ?? 1);
    return copies * Math.min(...limits.map((rate) => (rate ? perCycle(rate, hertz) : Infinity)));
  }

  #link(from: string, to: string): Link | undefined {
    return this.#links.find((l) => (l.from === from && l.to === to) || (l.both && l.from === to && l.to === from));
  }

  #route(memory: string, pad: Site<ScratchpadPart>, link: Link): Route {
    const via =
      link.via === null ? undefined : (this.#sites.get(link.via) as Site<DmaPart> | Site<LinkPart> | undefined);
    const ends = { memory, pad: pad.path };
    const own = link.bandwidth && {
      name: wiresOf(ends),
      bytesPerSecond: bytesPerSecond(link.bandwidth, pad.hertz) * pad.part.count,
    };
    const over = via?.part.bandwidth && {
      name: via.path,
      bytesPerSecond: (bytesPerSecond(via.part.bandwidth, via.hertz) * via.part.count) / this.#sharers(via.path),
    };
    const span = via?.part.kind === 'dma' ? via.part.setup : via?.part.latency;
    const least = Math.min(...[own, over].map((way) => way?.bytesPerSecond ?? Infinity));
    return {
      ...ends,
      port: Number.isFinite(least) ? { name: via?.path ?? wiresOf(ends), bytesPerSecond: least } : null,
      wires: via && this.#view !== null && !isInside(via.path, this.#view.group) ? (own ?? null) : null,
      setup: span ? seconds(span, via!.hertz) : 0,
    };
  }
}

function isInside(path: string, group: string): boolean {
  return path.startsWith(`${group}.`);
}

/** Name of a link's wires. */
function wiresOf({ memory, pad }: Pick<Route, 'memory' | 'pad'>): string {
  return `${memory}-${pad}`;
}

/** The path of a part that may be a core's own: `core.array` of `core[2].array`, and which core's it is. */
export function readName(name: string): { readonly path: string; readonly core: number | null } {
  const match = /^(.*)\[(\d+)\](.*)$/.exec(name);
  return match ? { path: match[1]! + match[3]!, core: Number(match[2]) } : { path: name, core: null };
}

function perCycle(rate: Rate, hertz: number): number {
  return rate.per === 'cycle' ? rate.bytes : rate.bytes / hertz;
}

function bytesPerSecond(rate: Rate, hertz: number): number {
  return rate.per === 'cycle' ? rate.bytes * hertz : rate.bytes;
}

/** A length of time in seconds; cycles are of a clock of `hertz`. */
export function seconds(span: Span, hertz: number): number {
  return span.unit === 'cycles' ? span.amount / hertz : span.amount / 1e12;
}

/** Bytes per second of a memory, all copies together. */
export function memoryBandwidth({ part }: Site<MemoryPart>): number {
  return part.bandwidth * part.count;
}

/** Bytes per second of a scratchpad, all banks, ports and copies together. */
export function padBandwidth({ part, hertz }: Site<ScratchpadPart>): number {
  return part.banks * part.ports * part.width * part.count * hertz;
}
