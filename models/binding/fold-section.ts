/**
 * Folds as loop programs. The array loads a stationary operand, streams, and drains, piece by piece; a DMA for each operand
 * and the result moves the pieces that fold-plan.ts decided on. Array and DMAs meet only in channels, so that the array
 * stalls when a piece is late or a buffer is full.
 */
import { Map as ImmutableMap, List } from 'immutable';
import type { ArrayPart } from '../../arch/language/arch.ts';
import { affineConflictCycles, banksOf } from '../memory/banks.ts';
import type { Operand, Side } from './contraction.ts';
import { BindError } from './dependencies.ts';
import { batchLoop, type FoldFlow, type FoldPlan, innerLoop, outerLoop, type Phase, tripsOf } from './fold-plan.ts';
import { type Cut, lastPiece, shareOf, variants } from './folds.ts';
import { bits, type Mask } from './nest.ts';
import {
  Access,
  Buffer,
  ChannelSpec,
  EngineProgram,
  type FoldAxis,
  FoldSide,
  Folds,
  Give,
  Guard,
  Loop,
  Op,
  Section,
  Take,
  Tile,
} from './program.ts';
import type { Estimate } from './section.ts';
import { memoryBandwidth, type Route, type Site, seconds, type Topology } from './topology.ts';

export interface FoldEngine {
  readonly site: Site<ArrayPart>;
  readonly topology: Topology;
  /** Cycles per step of a fold, and from a step's start to its result. */
  readonly cost: { readonly interval: number; readonly depth: number };
  /** Bits of an element by tensor. */
  readonly bits: (tensor: string) => number;
  /** Whether a fold streams all of its time, whatever that costs the memory. */
  readonly wholeFolds: boolean;
}

/** @throws BindError when a link is missing. */
export function foldSection(plan: FoldPlan, engine: FoldEngine): Section {
  return new Builder(plan, engine).build();
}

/** What binding decides by. */
export function foldEstimate(plan: FoldPlan, { site, topology }: FoldEngine): Estimate {
  const { grid } = plan;
  const bandwidth = memoryBandwidth(topology.memories[0]!);
  const foldsInTurn = tripsOf(plan, batchLoop | innerLoop | outerLoop);
  const computing = (foldsInTurn * grid.cycles.period) / site.hertz;
  const trafficSeconds = plan.traffic / bandwidth;
  const fillSeconds = plan.first / bandwidth + (grid.cycles.length - grid.cycles.period) / site.hertz;
  const roundSeconds = (foldsInTurn * plan.pieces.stream.count) / site.hertz;
  return { seconds: Math.max(computing, trafficSeconds), fillSeconds, trafficSeconds, roundSeconds };
}

const arrayEngine = 0;

class Builder {
  readonly #plan: FoldPlan;
  readonly #engine: FoldEngine;
  readonly #channels: ChannelSpec[] = [];
  readonly #transfers: EngineProgram[] = [];
  readonly #takes: Record<Phase, Take[]> = { load: [], stream: [], drain: [] };
  readonly #gives: Record<Phase, Give[]> = { load: [], stream: [], drain: [] };
  /** What the loops step over, outer to inner. */
  readonly #axes: readonly ('batches' | 'rows' | 'columns')[];

  constructor(plan: FoldPlan, engine: FoldEngine) {
    this.#plan = plan;
    this.#engine = engine;
    this.#axes = [
      'batches',
      ...(plan.rowLoop === outerLoop ? (['rows', 'columns'] as const) : (['columns', 'rows'] as const)),
    ];
  }

  build(): Section {
    for (const flow of this.#plan.flows) {
      if (flow.operand !== null) this.#load(flow);
      else if (this.#plan.spills) this.#spill(flow);
      else this.#store(flow);
    }
    const { grid, flows } = this.#plan;
    const { site } = this.#engine;
    const { einsum, m, n, batch } = grid.contraction;
    const array = new EngineProgram({
      engine: site.path,
      kind: 'array',
      clock: site.clock,
      loops: this.#loops(batchLoop | outerLoop | innerLoop),
      ops: List(this.#ops()),
      folds: new Folds({
        sides: this.#sides(),
        m: m.size,
        n: n.size,
        k: grid.depth,
        batch: batch.size,
        count: grid.folds,
        cyclesPerFold: grid.cycles.period,
        block: grid.blocks.size,
        streamPerFold: grid.cycles.stream,
        mappingEfficiency: grid.mappingEfficiency,
      }),
    });
    return new Section({
      name: einsum.name,
      einsums: List([einsum.name]),
      loops: array.loops,
      tiles: this.#tiles(),
      engines: List([array, ...this.#transfers]),
      channels: List(this.#channels),
      buffers: List(
        flows.map(({ pad, tensor, slots, space }) => new Buffer({ memory: pad, tensor, tiles: slots, bytes: space })),
      ),
    });
  }

  #loops(mask: Mask): List<Loop> {
    return List(
      bits(mask).map((i) => {
        const axis = this.#axes[i]!;
        return new Loop({ name: this.#nameOf(axis), variable: axis, trips: tripsOf(this.#plan, 1 << i) });
      }),
    );
  }

  #sideOf(axis: FoldAxis): Side {
    const { contraction, rank } = this.#plan.grid;
    return contraction[axis === 'batches' ? 'batch' : rank[axis]];
  }

  #nameOf(axis: FoldAxis): string {
    const { contraction, rank, blocks } = this.#plan.grid;
    const isBlock = axis === 'batches' && blocks.count > 1;
    return (isBlock ? contraction[rank.time] : this.#sideOf(axis)).variables.join('.') || axis;
  }

  #tiles(): Section['tiles'] {
    return ImmutableMap(
      this.#axes.map((axis) => {
        const { size, last, count } = this.#plan.grid[axis];
        return [axis, new Tile({ extent: (count - 1) * size + last, tile: size })];
      }),
    );
  }

  #sides(): Folds['sides'] {
    const { grid, pieces } = this.#plan;
    const { extents } = grid.contraction;
    return ImmutableMap(
      ([...this.#axes, 'time'] as const).map((axis): [FoldAxis, FoldSide] => {
        const { variables } = this.#sideOf(axis);
        const cut = axis === 'time' ? pieces.stream : grid[axis];
        return [
          axis,
          new FoldSide({
            variables: List(variables),
            extents: List(variables.map((v) => extents.get(v)!)),
            tile: axis === 'batches' ? cut.size : grid.denseSteps(axis, cut),
            count: cut.count,
          }),
        ];
      }),
    );
  }

  /** Masks of the variants of folds.ts in a program over the loops of `mask`. */
  #ragged(mask: Mask): List<Mask> {
    const positions = bits(mask);
    const position = (loop: Mask): Mask => {
      const at = positions.findIndex((i) => 1 << i === loop);
      return at < 0 ? 0 : 1 << at;
    };
    const { rowLoop, columnLoop } = this.#plan;
    return List([batchLoop, rowLoop, columnLoop].map(position).concat(1 << positions.length));
  }

  #ops(): Op[] {
    const { rowLoop, spills } = this.#plan;
    const { rank, rows } = this.#plan.grid;
    const sums = rank.rows === 'k' && rows.count > 1;
    const first = sums ? [new Guard({ first: rowLoop })] : [new Guard()];
    const streams = [...first, ...(sums ? [new Guard({ notFirst: rowLoop })] : [])].map((guard) =>
      this.#op('stream', guard, guard.notFirst !== 0),
    );
    const takesBack = (op: Op): Op => (spills && op.guard.first !== 0 ? op.set('takes', op.takes.butLast()) : op);
    return [
      this.#op('load', new Guard(), false),
      ...streams.map(takesBack),
      this.#op('drain', new Guard(), false),
    ].filter((op) => op.cycles.some((n) => n > 0) || !op.takes.isEmpty() || !op.gives.isEmpty());
  }

  /** One phase of a fold; `rereads` partial sums that an earlier row fold left. */
  #op(phase: Phase, guard: Guard, rereads: boolean): Op {
    const { grid, pieces } = this.#plan;
    const { site } = this.#engine;
    const cut = pieces[phase];
    const cycles = this.#perVariant((variant) => this.#cycles(phase, cut, variant));
    const accesses = this.#accesses(phase, rereads);
    const points = (variant: number): number =>
      phase === 'stream'
        ? grid.batchesIn(variant) *
          grid.tile('rows', variant) *
          grid.tile('columns', variant) *
          grid.pieceSteps(variant, cut)
        : 0;
    return new Op({
      name: grid.contraction.einsum.name,
      guard,
      inner: cut.count,
      ragged: this.#ragged(batchLoop | outerLoop | innerLoop),
      busy: cycles,
      cycles: cycles.map((n, variant) => Math.max(n, this.#linkCycles(accesses, variant, site.path))),
      latency: this.#perVariant((variant) => this.#latency(phase, variant)),
      points: this.#perVariant(points),
      takes: List(this.#takes[phase]),
      gives: List(this.#gives[phase]),
      accesses: List(accesses),
    });
  }

  #perVariant(of: (variant: number) => number): List<number> {
    return List(Array.from({ length: variants }, (_, variant) => of(variant)));
  }

  /**
   * Cycles of a piece. A fold takes its period in all: a load that another fold hides takes none of it, and where folds
   * follow each other at once the drain is only what is left of the period.
   */
  #cycles(phase: Phase, cut: Cut, variant: number): number {
    const { grid } = this.#plan;
    const { array } = grid;
    const cycles = grid.cyclesIn(variant);
    const whole = {
      load: array.overlap === 'none' ? cycles.load : 0,
      stream: cycles.stream,
      drain: array.overlap === 'full' ? cycles.period - cycles.stream : cycles.drain,
    }[phase];
    const free = shareOf(whole, cut, isLast(variant));
    return free === 0 ? 0 : Math.max(free, this.#bankCycles(phase, cut, variant));
  }

  /** Cycles from the end of a piece until its results have left the array. */
  #latency(phase: Phase, variant: number): number {
    const { array } = this.#plan.grid;
    const cycles = this.#plan.grid.cyclesIn(variant);
    const { depth, interval } = this.#engine.cost;
    const inArray = {
      load: 0,
      stream: cycles.drain + (array.overlap === 'none' ? 0 : cycles.load),
      drain: cycles.length - cycles.period,
    }[phase];
    return inArray + depth - interval;
  }

  /** What the array reads and writes in a phase: its operands, of a result its sums, and those of the fold before. */
  #accesses(phase: Phase, rereads: boolean): Access[] {
    return this.#plan.flows.flatMap((flow) => {
      const { operand, pad, tensor } = flow;
      // The load that another fold hides goes on while this one streams.
      const hidden = flow.phase === 'load' && this.#plan.grid.array.overlap !== 'none';
      if ((hidden ? 'stream' : flow.phase) !== phase) return [];
      if (operand === null) {
        const bytes = this.#perVariant(flow.values);
        const written = new Access({ memory: pad, tensor, write: true, bytes });
        return rereads ? [written, written.set('write', false)] : [written];
      }
      const read = (name: string, elementBits: number): Access => {
        const bytes = this.#perVariant((variant) => {
          const elements = this.#elementsRead(operand, flow.phase, phase, variant);
          return Math.ceil((elements * this.#plan.grid.batchesIn(variant) * elementBits) / 8);
        });
        return new Access({ memory: pad, tensor: name, bytes });
      };
      return withMetadata(
        read(tensor, this.#engine.bits(tensor)),
        read(metadataOf(tensor), this.#plan.grid.metadataBits(operand)),
      );
    });
  }

  /** Elements of an operand that enter the array in one piece of a phase, for one batch. */
  #elementsRead(operand: Operand, own: Phase, phase: Phase, variant: number): number {
    const { grid, pieces } = this.#plan;
    const cut = pieces[phase];
    if (own === 'stream') return grid.elements(operand, variant, cut);
    return shareOf(grid.elements(operand, variant, null), cut, isLast(variant));
  }

  /** Cycles that the banks of scratchpads with a layout need for a piece. */
  #bankCycles(phase: Phase, cut: Cut, variant: number): number {
    const { grid } = this.#plan;
    const steps =
      phase === 'stream' ? grid.pieceSteps(variant, cut) : shareOf(grid.tile('rows', variant), cut, isLast(variant));
    const slowest = this.#plan.flows
      .filter((flow) => flow.phase === phase)
      .map(({ pad, operand, tensor }) => {
        const { part } = this.#engine.topology.pad(pad)!;
        if (part.layout === null) return 0;
        const across = this.#across(operand, phase);
        const words = grid.tile(across, variant);
        const alongWords = this.#isContiguous(operand, grid.rank[across]) === (part.layout === 'row-major');
        const [stepStride, wordStride] = alongWords ? ([words, 1] as const) : ([1, steps] as const);
        const banks = banksOf(part, this.#engine.bits(tensor));
        return affineConflictCycles(banks, steps, words, stepStride, wordStride);
      });
    return Math.max(0, ...slowest);
  }

  /** Which side of the array an operand enters, or a result leaves, a row or a column of PEs each. */
  #across(operand: Operand | null, phase: Phase): 'rows' | 'columns' {
    if (phase !== 'stream') return 'columns';
    return this.#plan.grid.extentsOf(operand).includes('rows') ? 'rows' : 'columns';
  }

  /** Whether a tensor's last index belongs to a rank of the product. */
  #isContiguous(operand: Operand | null, rank: 'm' | 'n' | 'k'): boolean {
    const { contraction } = this.#plan.grid;
    const last = (operand?.access ?? contraction.einsum.output).indices.last();
    return last !== undefined && contraction[rank].variables.some((v) => last.terms.has(v));
  }

  /** Cycles that the slowest of the array's links needs for a piece. */
  #linkCycles(accesses: readonly Access[], variant: number, engine: string): number {
    const perLink = new Map<string, number>();
    for (const { memory, write, bytes } of accesses) {
      const link = write ? `${engine} ${memory}` : `${memory} ${engine}`;
      perLink.set(link, (perLink.get(link) ?? 0) + bytes.get(variant)!);
    }
    return [...perLink].reduce((slowest, [link, bytes]) => {
      const [from, to] = link.split(' ') as [string, string];
      const width = this.#engine.topology.width(from, to);
      if (width === null) throw new BindError(`${from} has no link to ${to}`);
      return Math.max(slowest, Math.ceil(bytes / width));
    }, 0);
  }

  #channel(tensor: string, from: number, to: number, capacity: number, latency: number): number {
    return this.#channels.push(new ChannelSpec({ name: tensor, tensor, from, to, capacity, latency })) - 1;
  }

  #padLatency(flow: FoldFlow): number {
    const pad = this.#engine.topology.pad(flow.pad)!;
    return Math.ceil(seconds(pad.part.latency, pad.hertz) * pad.hertz);
  }

  #next(): number {
    return 1 + this.#transfers.length;
  }

  #load(flow: FoldFlow): void {
    const channel = this.#channel(flow.tensor, this.#next(), arrayEngine, flow.slots, 1 + this.#padLatency(flow));
    const kept = flow.kept ? flow.reuse : 0;
    this.#takes[flow.phase].push(
      new Take({ channel, acquire: new Guard({ first: kept }), release: new Guard({ last: kept }) }),
    );
    this.#transfer(flow, { write: false, takes: [], gives: [new Give({ channel })], guard: new Guard() });
  }

  #store(flow: FoldFlow): void {
    const capacity = flow.slots + this.#inArray(flow);
    const channel = this.#channel(flow.tensor, arrayEngine, this.#next(), capacity, 1 + this.#padLatency(flow));
    const sums = flow.kept ? flow.reuse : 0;
    this.#gives[flow.phase].push(
      new Give({ channel, reserve: new Guard({ first: sums }), publish: new Guard({ last: sums }) }),
    );
    this.#transfer(flow, { write: true, takes: [new Take({ channel })], gives: [], guard: new Guard() });
  }

  /** Pieces of results that are still on their way through the array, and stay there when it stalls, take no space. */
  #inArray({ phase, pieces }: FoldFlow): number {
    const { cycles } = this.#plan.grid;
    const perFold = phase === 'stream' ? cycles.stream : cycles.period;
    return Math.ceil((this.#latency(phase, 0) * pieces.count) / perFold);
  }

  /** Partial sums go to memory after every row fold and come back for the next one. */
  #spill(flow: FoldFlow): void {
    const { rowLoop } = this.#plan;
    const latency = 1 + this.#padLatency(flow);
    const capacity = Math.ceil(flow.slots / 2) + this.#inArray(flow);
    const stored = this.#channel(flow.tensor, arrayEngine, this.#next(), capacity, latency);
    const inMemory = this.#channel(flow.tensor, this.#next(), this.#next() + 1, this.#partialPieces(flow), 1);
    const back = this.#channel(flow.tensor, this.#next() + 1, arrayEngine, Math.floor(flow.slots / 2), latency);
    this.#gives.stream.push(new Give({ channel: stored }));
    this.#transfer(flow, {
      write: true,
      takes: [new Take({ channel: stored })],
      gives: [
        new Give({
          channel: inMemory,
          reserve: new Guard({ notLast: rowLoop }),
          publish: new Guard({ notLast: rowLoop }),
        }),
      ],
      guard: new Guard(),
    });
    this.#transfer(flow, {
      write: false,
      takes: [new Take({ channel: inMemory })],
      gives: [new Give({ channel: back })],
      guard: new Guard({ notFirst: rowLoop }),
    });
    // The last take: only folds that add to earlier sums have it.
    this.#takes.stream.push(new Take({ channel: back }));
  }

  /** Pieces of partial sums that are in memory at once. */
  #partialPieces({ pieces }: FoldFlow): number {
    return (this.#plan.rowLoop === outerLoop ? tripsOf(this.#plan, innerLoop) : 1) * pieces.count + 1;
  }

  /** A DMA's loop program. */
  #transfer(
    flow: FoldFlow,
    { write, takes, gives, guard }: { write: boolean; takes: Take[]; gives: Give[]; guard: Guard },
  ): void {
    const { topology } = this.#engine;
    const pad = topology.pad(flow.pad)!;
    const route = topology.routes.find((r) => r.pad === flow.pad)!;
    const again = !flow.kept && (flow.operand !== null || this.#plan.spills) ? flow.reuse : 0;
    const mask = flow.loops | again;
    const inLoops = (of: Mask): Mask => bits(mask).reduce((out, i, at) => (of & (1 << i) ? out | (1 << at) : out), 0);
    const translated = (g: Guard): Guard =>
      new Guard({
        first: inLoops(g.first),
        last: inLoops(g.last),
        notFirst: inLoops(g.notFirst),
        notLast: inLoops(g.notLast),
      });
    const ends = [
      { memory: route.memory, write },
      { memory: flow.pad, write: !write },
      ...(route.port ? [{ memory: route.port.name, write }] : []),
    ];
    const wait = write ? 0 : this.#memoryLatency(route, pad.hertz);
    const op = new Op({
      name: flow.tensor,
      guard: translated(guard),
      inner: flow.pieces.count,
      ragged: this.#ragged(mask),
      busy: this.#perVariant(() => 0),
      cycles: this.#perVariant(() => 1),
      latency: this.#perVariant(() => wait),
      points: this.#perVariant(() => 0),
      takes: List(takes),
      gives: List(
        gives.map(
          (give) =>
            new Give({ channel: give.channel, reserve: translated(give.reserve), publish: translated(give.publish) }),
        ),
      ),
      accesses: List(
        ends.flatMap((end) => {
          const moved = new Access({ ...end, guard: new Guard({ first: inLoops(flow.atFirst) }) });
          const values = moved.merge({ tensor: flow.tensor, bytes: this.#perVariant(flow.values) });
          const places = moved.merge({ tensor: metadataOf(flow.tensor), bytes: this.#perVariant(flow.metadata) });
          return withMetadata(values, places);
        }),
      ),
    });
    // Named by scratchpad, so that an engine has one clock in all sections.
    const siblings = this.#transfers.filter(({ engine }) => engine.startsWith(`${flow.pad}.dma`));
    this.#transfers.push(
      new EngineProgram({
        engine: `${flow.pad}.dma${siblings.length}`,
        kind: 'dma',
        clock: pad.clock,
        loops: this.#loops(mask),
        ops: List([op]),
      }),
    );
  }

  #memoryLatency(route: Route, hertz: number): number {
    const memory = this.#engine.topology.memory(route.memory)!;
    return Math.ceil((seconds(memory.part.latency, memory.hertz) + route.setup) * hertz);
  }
}

/** Name under which the places of a compressed tensor's values are counted. */
function metadataOf(tensor: string): string {
  return `${tensor}.metadata`;
}

function withMetadata(values: Access, places: Access): Access[] {
  return places.bytes.some((bytes) => bytes > 0) ? [values, places] : [values];
}

function isLast(variant: number): boolean {
  return (variant & lastPiece) !== 0;
}
