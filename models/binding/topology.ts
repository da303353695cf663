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

export interface Site<P extends Part> {
  /** `array`, or `core.array` inside a group. */
  readonly path: string;
  /** The part; the counts of enclosing groups are multiplied into its own: a group works in lockstep. */
  readonly part: P;
  readonly clock: string;
  readonly hertz: number;
}

export type EngineSite = Site<ArrayPart> | Site<VectorPart>;

/** A way between a memory and a scratchpad. */
export interface Route {
  readonly memory: string;
  readonly pad: string;
  /** What limits it besides its ends: the dma or link part it runs over, or the link itself. */
  readonly port: { readonly name: string; readonly bytesPerSecond: number } | null;
  /** Seconds before each transfer. */
  readonly setup: number;
}

export class Topology {
  readonly engines: readonly EngineSite[];
  readonly pads: readonly Site<ScratchpadPart>[];
  readonly memories: readonly Site<MemoryPart>[];
  readonly routes: readonly Route[];
  readonly #sites = new Map<string, Site<Part>>();
  readonly #links: readonly Link[];

  constructor(arch: Arch) {
    const defaultClock = arch.clocks.keySeq().first() ?? '';
    const visit = (parts: Iterable<[string, Part]>, prefix: string, count: number): void => {
      for (const [name, part] of parts) {
        const path = prefix + name;
        if (part.kind === 'group') {
          visit(part.parts, `${path}.`, count * part.count);
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
    this.memories = of<MemoryPart>('memory');
    this.#links = arch.links.toArray();
    this.routes = this.memories.flatMap((memory) =>
      this.pads.flatMap((pad) => {
        const link = this.#link(memory.path, pad.path);
        return link && this.#link(pad.path, memory.path) ? [this.#route(memory.path, pad, link)] : [];
      }),
    );
  }

  engine(path: string): EngineSite | undefined {
    return this.engines.find((engine) => engine.path === path);
  }

  pad(path: string): Site<ScratchpadPart> | undefined {
    return this.pads.find((pad) => pad.path === path);
  }

  memory(path: string): Site<MemoryPart> | undefined {
    return this.memories.find((memory) => memory.path === path);
  }

  /**
   * Bytes per cycle of the engine's clock from one part to another, at least one of which is an engine; Infinity where
   * the file sets no limit, null where there is no link. An engine's own port widths count.
   */
  width(from: string, to: string): number | null {
    const link = this.#link(from, to);
    if (!link) return null;
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
    const limits = [
      link.bandwidth && bytesPerSecond(link.bandwidth, pad.hertz),
      via?.part.bandwidth && bytesPerSecond(via.part.bandwidth, via.hertz) * via.part.count,
    ].filter((limit) => typeof limit === 'number');
    const span = via?.part.kind === 'dma' ? via.part.setup : via?.part.latency;
    return {
      memory,
      pad: pad.path,
      port:
        limits.length > 0
          ? { name: via?.path ?? `${memory}-${pad.path}`, bytesPerSecond: Math.min(...limits) * pad.part.count }
          : null,
      setup: span ? seconds(span, via!.hertz) : 0,
    };
  }
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
