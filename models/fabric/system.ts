/** Builds a host with what is joined to it, and runs copies and loops on it at the same time. */
import type { PacketLinkPart } from '../../arch/language/fabric.ts';
import { Agenda } from './agenda.ts';
import { Copier, type Copy } from './copier.ts';
import { Cores, type Loop } from './cores.ts';
import { FlitWire } from './flits.ts';
import { Repeats, type Stateful } from './repeats.ts';
import { Root, type Target } from './root.ts';
import { Card, Store } from './store.ts';
import { Switch } from './switch.ts';
import type { DeviceSite, Hop, HostTopology } from './topology.ts';
import { PacketWire, type Wire } from './wire.ts';

/** A copy of a device, or a loop of the cores. */
export type Stream = { readonly device: string; readonly copy: Copy } | { readonly device: null; readonly loop: Loop };

/** Both directions of a link, away from the host and towards it. */
interface Pair {
  readonly down: Wire;
  readonly up: Wire;
}

export interface Options {
  /** Whether what repeats is passed over, which changes no figure; true by default. */
  readonly fastForward?: boolean;
}

export class System {
  readonly wires: Wire[] = [];
  readonly stores: readonly Store[];
  readonly cache: Store | null;
  /** In the order of the streams. */
  readonly work: readonly (Copier | Cores)[];
  readonly #agenda = new Agenda();
  readonly #topology: HostTopology;
  readonly #targets: readonly Target[];
  readonly #root: Root;
  readonly #pairs = new Map<string, Pair>();
  readonly #switches = new Map<string, Switch>();

  constructor(topology: HostTopology, streams: readonly Stream[]) {
    this.#topology = topology;
    const { cache, latency } = topology.host;
    this.cache = cache && new Store('cache', cache.bandwidth, cache.latency);
    const places = topology.memories.map((memory) => {
      const store = new Store(memory.name, memory.part.bandwidth, memory.part.latency.amount);
      return { store, pair: memory.link && this.#pair(memory.link.name, memory.link.link) };
    });
    this.#targets = places.map(({ store, pair }) => ({ store, down: pair?.down ?? null }));
    this.stores = places.map(({ store }) => store);
    this.#root = new Root(this.#targets, latency);
    places.forEach(({ store, pair }, i) => {
      if (!pair) return;
      pair.down.connect(new Card(store, pair.up), pair.up);
      pair.up.connect(this.#root, pair.down);
      this.#root.attach(pair.up, i);
    });
    this.work = streams.map((stream, flow) =>
      stream.device === null ? this.#cores(flow, stream.loop) : this.#copier(flow, stream.device, stream.copy),
    );
    this.#agenda.start();
  }

  /** Periods that the run has passed over. */
  skipped = 0;

  /** Picoseconds until all streams have ended. */
  run({ fastForward = true }: Options = {}): number {
    for (const one of this.work) one.begin();
    const parts: Stateful[] = [
      ...this.wires,
      ...this.stores,
      ...(this.cache ? [this.cache] : []),
      ...this.work,
      this.#root,
    ];
    const repeats = fastForward
      ? new Repeats(
          this.#agenda,
          parts,
          this.work.map((one) => this.#progress(one)),
        )
      : null;
    while (this.#agenda.run()) repeats?.look();
    this.skipped = repeats?.skipped ?? 0;
    const stuck = this.work.findIndex((one) => !one.finished);
    if (stuck >= 0) throw new Error(`stream ${stuck} cannot go on at ${this.#agenda.now} ps`);
    return Math.max(0, ...this.work.map(({ end }) => end));
  }

  #progress(one: Copier | Cores) {
    const root = this.#root;
    return {
      get issued() {
        return one.issued;
      },
      get left() {
        return Math.min(one.left, root.keptLeft(one.flow));
      },
      get finished() {
        return one.finished;
      },
    };
  }

  #cores(flow: number, loop: Loop): Cores {
    const cores = new Cores(this.#agenda, flow, loop, this.#targets, this.cache);
    this.#root.tell(flow, cores);
    return cores;
  }

  #copier(flow: number, name: string, copy: Copy): Copier {
    const device = this.#topology.devices.find((one) => one.name === name);
    const last = device?.way.at(-1);
    const first = device?.way[0];
    if (!device || !last || !first) throw new Error(`there is no device ${name}`);
    const near = this.#pair(last.name, last.link);
    const copier = new Copier(this.#agenda, flow, copy, near.up, device.part.setup);
    const far = this.#pair(first.name, first.link);
    near.down.connect(copier, near.up);
    far.up.connect(this.#root, far.down);
    device.way.forEach((hop, i) => {
      this.#join(flow, hop, device.way[i + 1] ?? null, device);
    });
    this.#root.serve(copier, far.down, far.up);
    return copier;
  }

  /** The switch at the end of a hop, between it and the next. */
  #join(flow: number, hop: Hop, next: Hop | null, { name: device }: DeviceSite): void {
    if (!hop.switch || !next) return;
    const { name, part } = hop.switch;
    const made = this.#switches.get(name) ?? new Switch(part.latency);
    this.#switches.set(name, made);
    const inner = this.#pair(hop.name, hop.link);
    const outer = this.#pair(next.name, next.link);
    inner.down.connect(made, inner.up);
    outer.up.connect(made, outer.down);
    made.weigh(outer.up, part.weights.get(next.switch?.name ?? device) ?? 1);
    made.route(flow, inner.down, outer.down);
    made.route(flow, outer.up, inner.up);
  }

  #pair(name: string, link: PacketLinkPart): Pair {
    const known = this.#pairs.get(name);
    if (known) return known;
    const pair = { down: this.#wire(`${name} from host`, link), up: this.#wire(`${name} to host`, link) };
    this.#pairs.set(name, pair);
    return pair;
  }

  #wire(name: string, link: PacketLinkPart): Wire {
    const wire = link.flit
      ? new FlitWire(this.#agenda, name, link, link.flit)
      : new PacketWire(this.#agenda, name, link);
    this.wires.push(wire);
    return wire;
  }
}
