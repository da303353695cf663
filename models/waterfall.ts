/**
 * What engines do for a few neighbouring tiles: every execution of every operation, from a run on the clock. A tile is an
 * iteration of a section's loop nest; the section runs by itself, until it has left the tiles behind.
 */
import { List } from 'immutable';
import type { Arch } from '../arch/language/arch.ts';
import { memoryDevice } from '../arch/language/dram/memory.ts';
import type { Workload } from '../workloads/language/workload.ts';
import { type EngineProgram, type Loop, Phase, Program, type Section } from './binding/program.ts';
import { readName, Topology } from './binding/topology.ts';
import type { Observer } from './compute/engine.ts';
import { Clock, Ratio } from './kernel/clock.ts';
import { Machine } from './machine.ts';

/** One execution; cycles of the waterfall's clock, from the start of the section. */
export interface Span {
  /** Iteration of the nest; that of the first one that needs what a DMA loads, of the last one for what it stores. */
  readonly tile: number;
  readonly start: number;
  readonly end: number;
}

export interface Lane {
  readonly engine: string;
  readonly kind: EngineProgram['kind'];
  /** An einsum, or the tensor that a DMA moves. */
  readonly name: string;
  /** Whether a DMA writes to memory. */
  readonly stores: boolean;
  readonly spans: readonly Span[];
}

export interface Waterfall {
  readonly clock: string;
  /** Iterations of the whole nest. */
  readonly iterations: number;
  /** The neighbouring tiles that it is about: iteration, and where each loop is in it. */
  readonly tiles: readonly { readonly tile: number; readonly at: readonly string[] }[];
  /** From the first execution for these tiles on an engine that computes to the end of the last one. */
  readonly start: number;
  readonly end: number;
  /** Most tiles that are begun and not finished at a time on engines that compute. */
  readonly inFlight: number;
  /** Engines in the order of the program, and their operations in the order of a round. Of equal cores the first. */
  readonly lanes: readonly Lane[];
}

const tilesShown = 3;
/** Iterations after which a pipeline runs steadily: several times the most rounds and tiles in flight. */
const steady = 2048;

/** Ends a run that has shown what it was for. */
class Enough extends Error {}

/** @throws DeadlockError when the machine comes to a stop. */
export function waterfallOf(arch: Arch, workload: Workload, section: Section): Waterfall {
  const loops = section.loops.toArray();
  const iterations = loops.reduce((product, { trips }) => product * trips, 1);
  const first = middle(loops);
  const count = Math.min(tilesShown, iterations - first);
  const recorder = new Recorder(arch, section, first + count + 2 * section.interleave);
  const program = new Program({ phases: List([new Phase({ sections: List([section]) })]) });
  try {
    new Machine(arch).run(program, { workload, watch: () => recorder.watch });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  const tiles = Array.from({ length: count }, (_, i) => ({ tile: first + i, at: placeIn(loops, first + i) }));
  return { clock: recorder.clock.name, iterations, tiles, ...windowOf(recorder.lanes, first, count) };
}

/** Writes down executions, until all engines that compute are at tile `last`. */
class Recorder {
  readonly clock: Clock;
  readonly #arch: Arch;
  readonly #section: Section;
  readonly #last: number;
  readonly #lanes: (Lane & { readonly spans: Span[] })[][];
  /** Tiles that engines that compute have come to. */
  readonly #reached = new Map<number, number>();

  constructor(arch: Arch, section: Section, last: number) {
    this.#arch = arch;
    this.#section = section;
    this.#last = last;
    this.clock = this.#clockOf(0);
    this.#lanes = section.engines.toArray().map(({ engine, kind, ops }) =>
      ops.toArray().map(({ name, gives }) => {
        return { engine, kind, name, stores: kind === 'dma' && gives.isEmpty(), spans: [] };
      }),
    );
  }

  get lanes(): readonly Lane[] {
    return this.#lanes.flat();
  }

  readonly watch = (engine: number): Observer => {
    const program = this.#section.engines.get(engine)!;
    // Cores do the same.
    if ((readName(program.engine).core ?? 0) > 0) return () => {};
    const clock = this.#clockOf(engine);
    const cycle = (own: number): number =>
      clock.name === this.clock.name ? own : this.clock.cycleAtOrAfter(clock.edge(own));
    const tileOf = tileNumber(program, this.#section.loops.toArray());
    const lanes = this.#lanes[engine]!;
    if (program.kind !== 'dma') this.#reached.set(engine, -1);
    return (op, digits, start, end) => {
      const tile = tileOf(op, digits);
      lanes[op]!.spans.push({ tile, start: cycle(start), end: cycle(end) });
      if (program.kind === 'dma') return;
      this.#reached.set(engine, tile);
      if ([...this.#reached.values()].every((at) => at >= this.#last)) throw new Enough();
    };
  };

  #clockOf(engine: number): Clock {
    const { clock } = this.#section.engines.get(engine)!;
    const { dram } = new Topology(this.#arch).pim(clock)?.part ?? {};
    if (dram) return Clock.ofPeriod(clock, new Ratio(memoryDevice(dram).clockPs, 1));
    return new Clock(clock, this.#arch.clocks.get(clock)!);
  }
}

/** The lanes during the tiles from `first` on. */
function windowOf(lanes: readonly Lane[], first: number, count: number) {
  const computing = lanes.filter(({ kind }) => kind !== 'dma').flatMap((lane) => lane.spans);
  const own = computing.filter(({ tile }) => tile >= first && tile < first + count);
  const start = own.reduce((least, span) => Math.min(least, span.start), Number.POSITIVE_INFINITY);
  const end = own.reduce((most, span) => Math.max(most, span.end), 0);
  const during = ({ spans }: Lane): Span[] => spans.filter((span) => span.end > start && span.start < end);
  return {
    start,
    end,
    inFlight: mostAtOnce(computing, start, end),
    lanes: lanes.map((lane) => ({ ...lane, spans: during(lane) })).filter(({ spans }) => spans.length > 0),
  };
}

/** Most tiles at a time, between `from` and `to`, of which a span has begun and another has yet to end. */
function mostAtOnce(spans: readonly Span[], from: number, to: number): number {
  const lives = new Map<number, Span>();
  for (const span of spans) {
    const { start, end } = lives.get(span.tile) ?? span;
    lives.set(span.tile, { tile: span.tile, start: Math.min(start, span.start), end: Math.max(end, span.end) });
  }
  const within = [...lives.values()].filter(({ start, end }) => end > from && start < to);
  return Math.max(
    ...within.map(({ start: now }) => within.filter(({ start, end }) => start <= now && now < end).length),
  );
}

/**
 * The first of the tiles to show: in the middle of every loop, but of outer ones no further in than is steady, and where
 * possible all in one turn of the innermost loop.
 */
function middle(loops: readonly Loop[]): number {
  let tile = 0;
  let stride = 1;
  for (const { trips } of [...loops].reverse()) {
    const half = Math.max(0, Math.floor((stride === 1 ? trips - tilesShown : trips) / 2));
    tile += stride * Math.min(half, Math.floor(steady / stride));
    stride *= trips;
  }
  return Math.min(tile, Math.max(0, stride - tilesShown));
}

/** The iteration of the nest that an operation's digits are, of a program that may have only some of its loops. */
function tileNumber(program: EngineProgram, loops: readonly Loop[]): (op: number, digits: Int32Array) => number {
  const own = loops.map(({ name }) => program.loops.findIndex((loop) => loop.name === name));
  const stores = program.ops.toArray().map(({ gives }) => program.kind === 'dma' && gives.isEmpty());
  return (op, digits) =>
    loops.reduce((tile, { trips }, l) => {
      const digit = own[l]! >= 0 ? digits[own[l]!]! : stores[op] ? trips - 1 : 0;
      return tile * trips + digit;
    }, 0);
}

/** `m1 2` for every loop that has more than one iteration, outer to inner. */
function placeIn(loops: readonly Loop[], tile: number): string[] {
  let left = tile;
  const digits = [...loops].reverse().map(({ name, trips }) => {
    const digit = left % trips;
    left = Math.floor(left / trips);
    return trips > 1 ? `${name} ${digit}` : '';
  });
  return digits.reverse().filter((text) => text !== '');
}
