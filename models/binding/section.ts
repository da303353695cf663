/** A laid-out plan as loop programs, channels and buffers. */
import { List } from 'immutable';
import { checkRegisters, checkScratchpads } from './capacity.ts';
import { BindError, type Node, type Read } from './dependencies.ts';
import type { Mask, Nest } from './nest.ts';
import { pipelined } from './pipeline.ts';
import type { Assignment, ElementBytes, Layout, Loaded, Way } from './plan.ts';
import { productOp } from './product-op.ts';
import { Access, Buffer, ChannelSpec, EngineProgram, Give, Guard, Op, Section, Take } from './program.ts';
import { lastReader, never } from './replace.ts';
import { type Dependency, type Schedule, schedule } from './schedule.ts';
import { heldTiles, loadStream, type Stream, storeStream, streamExtents } from './streams.ts';
import { accessElements, type TileOp, tileExtents, tileOp, withSumPads } from './tile-ops.ts';
import { memoryBandwidth, padBandwidth, type Topology } from './topology.ts';

/** Rounds in flight when the mapping does not say: more hide longer latencies, and need more buffers. */
const mostRounds = 8;

/** What binding decides by: cycles are of the engines' own clocks. */
export interface Estimate {
  /** Seconds that the busiest engine or memory needs, or the software pipeline's rounds if they need more. */
  readonly seconds: number;
  /** Seconds until the first tile is there and after the last one is made. */
  readonly fillSeconds: number;
  /** Seconds that the memory and the scratchpads transfer. */
  readonly trafficSeconds: number;
  /** Seconds that the nest would take at one cycle per iteration. */
  readonly roundSeconds: number;
}

export interface BuiltSection {
  readonly section: Section;
  readonly estimate: Estimate;
}

/** @throws BindError when it cannot run on the machine or does not fit its scratchpads. */
export function buildSection(layout: Layout, topology: Topology, bytesOf: ElementBytes): BuiltSection {
  const complete = layout.plan.isGiven ? withSumPads(layout, topology) : layout;
  return new SectionBuilder(complete, topology, bytesOf).build();
}

class SectionBuilder {
  readonly #layout: Layout;
  readonly #topology: Topology;
  readonly #bytesOf: ElementBytes;
  readonly #ops: readonly TileOp[];
  readonly #schedule: Schedule;
  /** Paths of the compute engines in use; their programs come first, in this order. */
  readonly #engines: readonly string[];
  readonly #channels: ChannelSpec[] = [];
  readonly #takes: Take[][];
  readonly #gives: Give[][];
  readonly #transfers: EngineProgram[] = [];
  readonly #buffers: Buffer[] = [];
  #traffic = 0;
  /** Seconds of the slowest stream, whose tiles wait for the memory and for their use. */
  #slowestStream = 0;
  #fill = 0;
  /** Loads that fall into the first of several passes over what they bring: seconds, and passes. */
  readonly #early: { seconds: number; passes: number }[] = [];

  constructor(layout: Layout, topology: Topology, bytesOf: ElementBytes) {
    this.#layout = layout;
    this.#topology = topology;
    this.#bytesOf = bytesOf;
    this.#ops = layout.nodes.map((_, position) => {
      const make = layout.plan.assignments[position]!.product ? productOp : tileOp;
      return make(layout, position, topology, bytesOf);
    });
    this.#engines = [...new Set(layout.plan.assignments.map((a) => a.engine.path))];
    this.#takes = layout.nodes.map(() => []);
    this.#gives = layout.nodes.map(() => []);
    this.#schedule = this.#makeSchedule();
  }

  build(): BuiltSection {
    const { loaded } = this.#layout;
    for (const load of loaded) if (load.producer < 0) this.#load(loadStream(this.#layout, load), load.readers);
    this.#layout.made.forEach((made, producer) => {
      for (const { node, read, way } of made.readers) this.#connect(producer, node, this.#read(node, read), way);
      const stored = made.stored ? storeStream(this.#layout, made) : null;
      if (stored) this.#store(stored, producer);
      if (made.pad !== null && !this.#takesPlace(producer)) this.#keepOnChip(producer, made.pad, stored);
      for (const load of loaded) if (load.producer === producer) this.#readBack(load);
    });
    if (this.#layout.plan.lockstep) this.#endRounds();
    checkScratchpads(this.#buffers, this.#topology);
    checkRegisters(this.#layout, this.#schedule);
    const { plan, nodes } = this.#layout;
    const { loops } = plan.nest.program();
    const computing = this.#engines.map((path) => {
      const site = plan.assignments.find(({ engine }) => engine.path === path)!.engine;
      const mine = nodes.map((_, i) => i).filter((i) => plan.assignments[i]!.engine.path === path);
      mine.sort((a, b) => this.#schedule.places[a]! - this.#schedule.places[b]!);
      const ops = List(mine.map((i) => this.#op(i)));
      return new EngineProgram({ engine: path, kind: kindOf(site), clock: site.clock, loops, ops });
    });
    const section = new Section({
      name: nodes.map((node) => node.einsum.name).join(' '),
      einsums: List(nodes.map((node) => node.einsum.name)),
      loops,
      tiles: plan.nest.tiles(),
      interleave: this.#schedule.depth,
      engines: List([...computing, ...this.#transfers]),
      channels: List(this.#channels),
      buffers: List(this.#buffers),
    });
    return { section, estimate: this.#estimate() };
  }

  #op(position: number): Op {
    const node = this.#layout.nodes[position]!;
    const op = this.#ops[position]!;
    return new Op({
      name: node.einsum.name,
      stage: this.#schedule.stages[position]!,
      guard: new Guard({ first: node.first, last: node.last, notFirst: node.middle, notLast: node.middle }),
      ragged: List(op.ragged),
      busy: List(op.busy),
      // A memory takes as long as its commands do.
      cycles: List(op.product ? op.cycles.map(() => 1) : op.cycles),
      link: op.link,
      latency: List(op.latency),
      points: List(op.points),
      takes: List(this.#takes[position]!),
      gives: List(this.#gives[position]!),
      accesses: List(op.accesses),
      arrivals: List(op.arrivals),
      product: op.product ?? null,
    });
  }

  #read(node: number, read: number): Read {
    return this.#layout.nodes[node]!.reads[read]!;
  }

  #makeSchedule(): Schedule {
    const { plan, nodes, made } = this.#layout;
    const total = plan.nest.trips(plan.nest.all);
    const ops = nodes.map((node, i) => {
      const op = this.#ops[i]!;
      const share = plan.nest.trips(node.iterates) / total;
      return {
        name: node.einsum.name,
        engine: plan.assignments[i]!.engine.path,
        cycles: Math.max(...op.cycles),
        load: meanCycles(op, plan.nest) * share,
        latency: Math.max(...op.latency),
      };
    });
    const dependencies = made.flatMap(({ readers, producer }): Dependency[] =>
      readers.map(({ node, read, way }) => {
        const isPrevious = this.#read(node, read).kind === 'previous';
        const distance = isPrevious ? this.#distance(nodes[producer]!, nodes[node]!, this.#read(node, read)) : 0;
        return { from: producer, to: node, latency: this.#wireLatency(producer, node, way), distance };
      }),
    );
    const listed = plan.pipeline.length > 0 ? pipelined(ops, dependencies, plan) : null;
    return listed ?? schedule(ops, dependencies, plan.interleave ?? mostRounds);
  }

  /**
   * Rounds from an einsum's iteration to the next iteration's reader of it. The reader may run in the first round of
   * loops that the einsum ends in the last round of.
   */
  #distance(from: Node, to: Node, read: Read): number {
    const { nest } = this.#layout.plan;
    const carried = this.#iterativeLoops(from);
    const ends = ((from.iterates & ~read.loops) | from.last) & ~carried;
    const begins = ((to.iterates & ~read.loops) | to.first) & ~carried;
    const roundsOf = (loop: number): number => nest.trips(nest.inside(nest.all, 1 << loop));
    return nest.loops.reduce((rounds, { trips }, loop) => {
      const bit = 1 << loop;
      // An iteration of the innermost of its loops, whichever of those around it move on with it.
      if (carried & bit) return rounds + (carried < 2 * bit ? roundsOf(loop) : 0);
      const last = ends & bit ? trips - 1 : 0;
      const first = begins & bit || !(to.last & bit) ? 0 : trips - 1;
      return rounds + (first - last) * roundsOf(loop);
    }, 0);
  }

  #iterativeLoops(node: Node): Mask {
    const { iterative } = node.einsum;
    return iterative === null ? 0 : this.#layout.plan.nest.axis(iterative).mask;
  }

  /** Cycles from the end of an operation's pipeline to where its reader sees the token; 0 within an engine. */
  #wireLatency(producer: number, reader: number, way: Way): number {
    const from = this.#layout.plan.assignments[producer]!.engine;
    const crosses = from.path !== this.#layout.plan.assignments[reader]!.engine.path;
    const pad = way.kind === 'pad' ? this.#padLatency(way.pad, from.hertz) : 0;
    return (crosses ? 1 : 0) + pad;
  }

  /** Cycles of a clock of `hertz`. */
  #padLatency(path: string, hertz: number): number {
    return Math.ceil(this.#topology.padLatency(path) * hertz);
  }

  #connect(producer: number, reader: number, read: Read, way: Way): void {
    if (way.kind === 'memory') return;
    const { nodes, plan } = this.#layout;
    const latency = this.#wireLatency(producer, reader, way);
    const sameEngine = plan.assignments[producer]!.engine.path === plan.assignments[reader]!.engine.path;
    // Within an engine, program order is enough where results are there at once.
    if (sameEngine && latency + Math.max(...this.#ops[producer]!.latency) === 0) return;
    const from = nodes[producer]!;
    const to = nodes[reader]!;
    const carried = read.kind === 'previous' ? this.#iterativeLoops(from) : 0;
    // A single iteration has none before it.
    if (read.kind === 'previous' && carried === 0) return;
    const channel = this.#channel(read.tensor, this.#engineOf(producer), this.#engineOf(reader), {
      capacity: this.#capacity(producer, reader, read),
      latency,
    });
    const made = from.iterates & ~read.loops;
    const used = to.iterates & ~read.loops;
    this.#gives[producer]!.push(
      new Give({
        channel,
        reserve: new Guard({ first: made, notLast: carried }),
        publish: new Guard({ last: made, notLast: carried }),
      }),
    );
    const acquire = new Guard({ first: used, notFirst: carried });
    const release = new Guard({ last: used, notFirst: carried });
    if (plan.replace.get(to.einsum.output.tensor) !== read.tensor) {
      this.#takes[reader]!.push(new Take({ channel, acquire, release }));
      return;
    }
    // What takes the tile's place frees it, after its own last use.
    const last = lastReader(this.#layout, reader, read);
    this.#takes[reader]!.push(new Take({ channel, acquire, release: never }));
    this.#takes[last]!.push(new Take({ channel, acquire: never, release }));
  }

  /** Whether a tensor lies where another one was. */
  #takesPlace(producer: number): boolean {
    return this.#layout.plan.replace.has(this.#layout.made[producer]!.tensor);
  }

  /** No engine begins a round before the others have ended the one before. */
  #endRounds(): void {
    const { nodes, plan } = this.#layout;
    const { nest } = plan;
    if (nest.all === 0) return;
    const { stages, places } = this.#schedule;
    const inAll = nodes.map((_, i) => i).filter((i) => stages[i] === 0 && nodes[i]!.iterates === nest.all);
    inAll.sort((a, b) => places[a]! - places[b]!);
    for (const from of this.#engines.keys()) {
      for (const to of this.#engines.keys()) {
        const last = inAll.findLast((i) => this.#engineOf(i) === from);
        const first = inAll.find((i) => this.#engineOf(i) === to);
        if (from === to || last === undefined || first === undefined) continue;
        const { tensor } = nodes[last]!.einsum.output;
        const channel = this.#channel(tensor, from, to, { capacity: 2, latency: 1 });
        const notLast = new Guard({ notLast: nest.all });
        const notFirst = new Guard({ notFirst: nest.all });
        this.#gives[last]!.push(new Give({ channel, reserve: notLast, publish: notLast }));
        this.#takes[first]!.push(new Take({ channel, acquire: notFirst, release: notFirst }));
      }
    }
  }

  /** Tokens between two einsums: those in use at once, those of the rounds between them, and one more so both can work. */
  #capacity(producer: number, reader: number, read: Read): number {
    const from = this.#layout.nodes[producer]!;
    const to = this.#layout.nodes[reader]!;
    const carried = read.kind === 'previous' ? this.#iterativeLoops(from) : 0;
    const passes = from.pass === to.pass ? 0 : this.#layout.plan.nest.passes;
    const through = ((from.iterates | to.iterates) & ~read.loops) | (from.first & to.last) | passes;
    const rounds = Math.abs(this.#schedule.stages[reader]! - this.#schedule.stages[producer]!);
    // What is carried over lives for one iteration, unless a loop outside comes back to every iteration.
    const perIteration = heldTiles(this.#layout, read.loops & ~carried, through | carried);
    return perIteration * heldTiles(this.#layout, carried, through) + rounds + 1;
  }

  #channel(
    tensor: string,
    from: number,
    to: number,
    { capacity, latency }: { capacity: number; latency: number },
  ): number {
    return this.#channels.push(new ChannelSpec({ name: tensor, tensor, from, to, capacity, latency })) - 1;
  }

  #engineOf(node: number): number {
    return this.#engines.indexOf(this.#layout.plan.assignments[node]!.engine.path);
  }

  /** A tensor that was made here comes back from memory, tile by tile, after it was stored. */
  #readBack(loaded: Loaded): void {
    const { nest } = this.#layout.plan;
    const stream = loadStream(this.#layout, loaded);
    const store = this.#transfers.length - 1;
    if (stream.loops !== this.#layout.nodes[loaded.producer]!.output) {
      const hint = `hold ${stream.tensor}, or read it back in the loops in which it is made`;
      throw new BindError(`${stream.tensor} would come back from memory more than once`, 'spill', hint);
    }
    const tiles = nest.trips(nest.inside(stream.loops, nest.passes));
    const [from, to] = [this.#engines.length + store, this.#engines.length + store + 1];
    const channel = this.#channel(stream.tensor, from, to, { capacity: tiles + stream.tiles, latency: 1 });
    this.#transfers[store] = this.#transfers[store]!.updateIn(['ops', 0, 'gives'], (gives) =>
      (gives as List<Give>).push(new Give({ channel })),
    );
    this.#load(stream, loaded.readers, [new Take({ channel })]);
  }

  #load(stream: Stream, readers: readonly { node: number; read: number }[], takes: Take[] = []): void {
    const read = this.#read(readers[0]!.node, readers[0]!.read);
    const stages = readers.map(({ node }) => this.#schedule.stages[node]!);
    const tiles = stream.tiles + Math.max(...stages) - Math.min(...stages);
    const queue = this.#engines.length + this.#transfers.length;
    const hertz = this.#topology.pad(stream.pad)!.hertz;
    const gives = readers.map(({ node }) => {
      const latency = 1 + this.#padLatency(stream.pad, hertz);
      const channel = this.#channel(stream.tensor, queue, this.#engineOf(node), { capacity: tiles, latency });
      const again = this.#layout.nodes[node]!.iterates & ~stream.loops;
      this.#takes[node]!.push(
        new Take({ channel, acquire: new Guard({ first: again }), release: new Guard({ last: again }) }),
      );
      return new Give({ channel });
    });
    this.#transfer(stream, read, { takes, gives, users: readers.map(({ node }) => node) });
    this.#buffer(stream.pad, stream.tensor, tiles, this.#tileBytes(read, stream));
  }

  #store(stream: Stream, producer: number): void {
    const node = this.#layout.nodes[producer]!;
    const queue = this.#engines.length + this.#transfers.length;
    const { hertz } = this.#layout.plan.assignments[producer]!.engine;
    const latency = 1 + this.#padLatency(stream.pad, hertz);
    const channel = this.#channel(stream.tensor, this.#engineOf(producer), queue, { capacity: stream.tiles, latency });
    const made = node.iterates & ~stream.loops;
    this.#gives[producer]!.push(
      new Give({ channel, reserve: new Guard({ first: made }), publish: new Guard({ last: made }) }),
    );
    this.#transfer(
      stream,
      { access: node.einsum.output, tensor: stream.tensor },
      { takes: [new Take({ channel })], gives: [], users: [producer] },
    );
  }

  /** A DMA's loop program for one tensor, which `users` read or make. */
  #transfer(
    stream: Stream,
    { access, tensor }: Pick<Read, 'access' | 'tensor'>,
    { takes, gives, users }: { takes: Take[]; gives: Give[]; users: readonly number[] },
  ): void {
    const { nest } = this.#layout.plan;
    const pad = this.#topology.pad(stream.pad)!;
    const route = this.#topology.routeOf(stream.pad)!;
    const variables = [...new Set(access.indices.flatMap((index) => index.terms.keySeq()))];
    const extentOf = streamExtents(stream, nest);
    const ragged = variables.filter((v) => extentOf(v, true) !== extentOf(v));
    const { loops, translate } = nest.program(stream.loops);
    const bytes = List(
      Array.from({ length: 2 ** ragged.length }, (_, variant) => {
        const extents = (v: string): number =>
          extentOf(v, ragged.indexOf(v) >= 0 && (variant & (1 << ragged.indexOf(v))) !== 0);
        return Math.ceil(accessElements(access, extents) * this.#bytesOf(tensor));
      }),
    );
    const flows = [
      { memory: route.memory, write: stream.write },
      { memory: stream.pad, write: !stream.write },
      ...(route.port ? [{ memory: route.port.name, write: stream.write }] : []),
    ];
    const wait = stream.write ? 0 : Math.ceil(this.#topology.memoryLatency(route) * pad.hertz);
    const op = new Op({
      name: tensor,
      ragged: List(ragged.map((v) => translate(nest.axis(v).mask))),
      busy: bytes.map(() => 0),
      cycles: bytes.map(() => 1),
      latency: bytes.map(() => wait),
      points: bytes.map(() => 0),
      takes: List(takes),
      gives: List(gives),
      accesses: List(flows.map((flow) => new Access({ ...flow, tensor, bytes }))),
      indices: access.indices,
    });
    // Named by scratchpad, so that an engine has one clock in all sections.
    const siblings = this.#transfers.filter(({ engine }) => engine.startsWith(`${stream.pad}.dma`));
    this.#transfers.push(
      new EngineProgram({
        engine: `${stream.pad}.dma${siblings.length}`,
        kind: 'dma',
        clock: pad.clock,
        loops,
        ops: List([op]),
      }),
    );
    const tile = bytes.first()!;
    const bandwidth = memoryBandwidth(this.#topology.memory(route.memory)!);
    const seconds = tile / Math.min(bandwidth, route.port?.bytesPerSecond ?? Number.POSITIVE_INFINITY);
    // A tile's slot is taken from before the transfer, or the making, of the tile until after the other of the two.
    const handOver = (wait + this.#padLatency(stream.pad, pad.hertz) + 2) / pad.hertz;
    const use = stream.held > 1 ? 0 : Math.max(...users.map((node) => this.#useSeconds(node, stream)));
    const perTile = (seconds + handOver + use) / (stream.tiles - stream.held + 1);
    this.#slowestStream = Math.max(this.#slowestStream, perTile * nest.trips(stream.loops));
    this.#traffic += tile * nest.trips(stream.loops);
    this.#fill += seconds;
    if (stream.passes > 1) this.#early.push({ seconds: seconds * nest.trips(stream.loops), passes: stream.passes });
  }

  /** Seconds for which an einsum works on one tile of a stream. */
  #useSeconds(position: number, stream: Stream): number {
    const { plan, nodes } = this.#layout;
    const op = this.#ops[position]!;
    const times = plan.nest.trips(nodes[position]!.iterates & ~stream.loops);
    const latency = stream.write ? Math.max(...op.latency) : 0;
    return (meanCycles(op, plan.nest) * times + latency) / plan.assignments[position]!.engine.hertz;
  }

  /** Space for a tensor made in the section: as many tiles as its readers, or the store, may have in hand. */
  #keepOnChip(producer: number, pad: string, stored: Stream | null): void {
    const { nodes, made, plan } = this.#layout;
    const node = nodes[producer]!;
    const { readers, tensor } = made[producer]!;
    const tileBytes = this.#tileBytes({ access: node.einsum.output, tensor });
    const onChip = readers.filter(({ way }) => way.kind !== 'memory');
    const tiles = onChip.map(({ node: reader, read: position }) => {
      const read = this.#read(reader, position);
      const perToken = plan.nest.trips(node.output & ~read.loops & ~this.#iterativeLoops(node));
      return this.#capacity(producer, reader, read) * perToken;
    });
    if (stored) tiles.push(stored.tiles);
    this.#buffer(pad, tensor, Math.max(1, ...tiles), tileBytes);
  }

  /** Of a stream, what one transfer brings. */
  #tileBytes({ access, tensor }: Pick<Read, 'access' | 'tensor'>, stream?: Stream): number {
    const { nest } = this.#layout.plan;
    return accessElements(access, stream ? streamExtents(stream, nest) : tileExtents(nest)) * this.#bytesOf(tensor);
  }

  #buffer(memory: string, tensor: string, tiles: number, tileBytes: number): void {
    this.#buffers.push(new Buffer({ memory, tensor, tiles, bytes: Math.ceil(tiles * tileBytes) }));
  }

  /** Seconds that scratchpads serve one execution, at the bytes of its full tiles. */
  #accessSeconds(position: number): number {
    return this.#ops[position]!.accesses.reduce((sum, { memory, bytes }) => {
      const pad = this.#topology.pad(memory);
      return pad ? sum + bytes.first()! / padBandwidth(pad) : sum;
    }, 0);
  }

  #estimate(): Estimate {
    const { nodes } = this.#layout;
    const { nest, assignments } = this.#layout.plan;
    const slowest = Math.min(...assignments.map(({ engine }) => engine.hertz));
    const bandwidth = this.#topology.memories.reduce((sum, memory) => sum + memoryBandwidth(memory), 0);
    const rounds = nest.trips(nest.all);
    const trafficSeconds = this.#traffic / bandwidth;
    const onChip = nodes.reduce((sum, node, i) => sum + this.#accessSeconds(i) * nest.trips(node.iterates), 0);
    const busy = Math.max(trafficSeconds, this.#slowestStream, (this.#schedule.interval * rounds) / slowest);
    // What does not fit beside the work of the first pass makes that pass longer.
    const exposed = this.#early.reduce((sum, load) => sum + Math.max(0, load.seconds - busy / load.passes), 0);
    return {
      seconds: busy + exposed,
      fillSeconds: this.#fill + (this.#schedule.depth * this.#schedule.interval) / slowest,
      trafficSeconds: trafficSeconds + onChip,
      roundSeconds: rounds / slowest,
    };
  }
}

function kindOf({ part }: Assignment['engine']): EngineProgram['kind'] {
  return part.kind === 'memory' ? 'pim' : part.kind;
}

/** Cycles of an operation on average over the iterations of a nest. */
function meanCycles({ cycles, ragged }: TileOp, nest: Nest): number {
  const atLast = ragged.map((mask) => 1 / nest.trips(mask));
  return cycles.reduce((mean, n, variant) => {
    const share = atLast.reduce((product, p, bit) => product * (variant & (1 << bit) ? p : 1 - p), 1);
    return mean + n * share;
  }, 0);
}
