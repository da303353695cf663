/**
 * Folds as loop programs. The array loads a stationary operand, streams, and drains, piece by piece; a DMA for each operand
 * and the result moves the pieces that fold-plan.ts decided on. Array and DMAs meet only in channels, so that the array
 * stalls when a piece is late or a buffer is full.
 */
import { Map as ImmutableMap, List } from 'immutable';
import type { Side } from './contraction.ts';
import { FoldCosts, type FoldEngine, metadataOf, perVariant, withMetadata } from './fold-costs.ts';
import { batchLoop, type FoldFlow, type FoldPlan, innerLoop, outerLoop, type Phase, tripsOf } from './fold-plan.ts';
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

/** @throws BindError when a link is missing. */
export function foldSection(plan: FoldPlan, engine: FoldEngine): Section {
  return new Builder(plan, engine).build();
}

const arrayEngine = 0;

class Builder {
  readonly #plan: FoldPlan;
  readonly #engine: FoldEngine;
  readonly #costs: FoldCosts;
  readonly #channels: ChannelSpec[] = [];
  readonly #transfers: EngineProgram[] = [];
  readonly #takes: Record<Phase, Take[]> = { load: [], stream: [], drain: [] };
  readonly #gives: Record<Phase, Give[]> = { load: [], stream: [], drain: [] };
  /** What the loops step over, outer to inner. */
  readonly #axes: readonly ('batches' | 'rows' | 'columns')[];

  constructor(plan: FoldPlan, engine: FoldEngine) {
    this.#plan = plan;
    this.#engine = engine;
    this.#costs = new FoldCosts(plan, engine);
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
        block: grid.blocks.count > 1 ? grid.blocks.size : 0,
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

  #op(phase: Phase, guard: Guard, rereads: boolean): Op {
    return this.#costs.op(phase, rereads).merge({
      guard,
      ragged: this.#ragged(batchLoop | outerLoop | innerLoop),
      takes: List(this.#takes[phase]),
      gives: List(this.#gives[phase]),
    });
  }

  #channel(tensor: string, from: number, to: number, capacity: number, latency: number): number {
    return this.#channels.push(new ChannelSpec({ name: tensor, tensor, from, to, capacity, latency })) - 1;
  }

  /** Cycles of a clock of `hertz` until a token through a scratchpad is seen. */
  #padLatency(flow: FoldFlow, hertz: number): number {
    return 1 + Math.ceil(this.#engine.topology.padLatency(flow.pad) * hertz);
  }

  #padHertz(flow: FoldFlow): number {
    return this.#engine.topology.pad(flow.pad)!.hertz;
  }

  #next(): number {
    return 1 + this.#transfers.length;
  }

  #load(flow: FoldFlow): void {
    const latency = this.#padLatency(flow, this.#padHertz(flow));
    const channel = this.#channel(flow.tensor, this.#next(), arrayEngine, flow.slots, latency);
    const kept = flow.kept ? flow.reuse : 0;
    this.#takes[flow.phase].push(
      new Take({ channel, acquire: new Guard({ first: kept }), release: new Guard({ last: kept }) }),
    );
    this.#transfer(flow, { write: false, takes: [], gives: [new Give({ channel })], guard: new Guard() });
  }

  #store(flow: FoldFlow): void {
    const capacity = flow.slots + this.#inArray(flow);
    const latency = this.#padLatency(flow, this.#engine.site.hertz);
    const channel = this.#channel(flow.tensor, arrayEngine, this.#next(), capacity, latency);
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
    return Math.ceil((this.#costs.latency(phase, 0) * pieces.count) / perFold);
  }

  /** Partial sums go to memory after every row fold and come back for the next one. */
  #spill(flow: FoldFlow): void {
    const { rowLoop } = this.#plan;
    const there = this.#padLatency(flow, this.#engine.site.hertz);
    const andBack = this.#padLatency(flow, this.#padHertz(flow));
    const capacity = Math.ceil(flow.slots / 2) + this.#inArray(flow);
    const stored = this.#channel(flow.tensor, arrayEngine, this.#next(), capacity, there);
    const inMemory = this.#channel(flow.tensor, this.#next(), this.#next() + 1, this.#partialPieces(flow), 1);
    const back = this.#channel(flow.tensor, this.#next() + 1, arrayEngine, Math.floor(flow.slots / 2), andBack);
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
    const wait = write ? 0 : Math.ceil(topology.memoryLatency(route) * pad.hertz);
    const op = new Op({
      name: flow.tensor,
      guard: translated(guard),
      inner: flow.pieces.count,
      ragged: this.#ragged(mask),
      busy: perVariant(() => 0),
      cycles: perVariant(() => 1),
      latency: perVariant(() => wait),
      points: perVariant(() => 0),
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
          const values = moved.merge({ tensor: flow.tensor, bytes: perVariant(flow.values) });
          const places = moved.merge({ tensor: metadataOf(flow.tensor), bytes: perVariant(flow.metadata) });
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
}
