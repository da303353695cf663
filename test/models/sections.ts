/** Random sections that no binder made: nests, guards, stages and channels as program.ts allows them, deadlocks among them. */
import fc from 'fast-check';
import { List } from 'immutable';
import {
  Access,
  ChannelSpec,
  EngineProgram,
  Give,
  Guard,
  Loop,
  Op,
  Phase,
  Program,
  Section,
  Take,
} from '../../models/binding/program.ts';
import { unroll } from '../reference/loop-oracle.ts';

export interface SectionOptions {
  /** Names to draw from. */
  readonly clocks: readonly string[];
  readonly memories: readonly string[];
  /** Most iterations of a loop in nests of one loop, of two and so on; 3 in nests of up to 3. */
  readonly trips?: readonly number[];
}

const fewTrips = [3, 3, 3];

type Draw = (min: number, max: number) => number;

/** Programs of one or two sections, one of them perhaps repeated. */
export function programs(options: SectionOptions): fc.Arbitrary<Program> {
  return fc.gen().map((generate) => {
    const draw: Draw = (min, max) => generate(fc.integer, { min, max });
    const clocks = Array.from({ length: 4 }, () => options.clocks[draw(0, options.clocks.length - 1)]!);
    const sections = Array.from({ length: draw(1, 2) }, (_, i) => drawSection(draw, `s${i}`, clocks, options));
    return new Program({ phases: List([new Phase({ repeat: draw(1, 2), sections: List(sections) })]) });
  });
}

/** `clocks` are the engines', by position. */
function drawSection(draw: Draw, name: string, clocks: readonly string[], options: SectionOptions): Section {
  // All engines walk the same number of iterations, most of them, so that tokens given and taken are often as many.
  const { memories, trips: most = fewTrips } = options;
  const depth = draw(1, most.length);
  const trips = Array.from({ length: depth }, () => draw(1, most[depth - 1]!));
  const engines = Array.from({ length: draw(1, clocks.length) }, (_, i) =>
    drawEngine(draw, i, clocks[i]!, trips, memories),
  );
  const channels: ChannelSpec[] = [];
  for (let c = draw(1, 6); c > 0; c--) connect(draw, engines, channels);
  return new Section({ name, engines: List(engines), channels: List(channels) });
}

function drawEngine(
  draw: Draw,
  position: number,
  clock: string,
  trips: readonly number[],
  memories: readonly string[],
): EngineProgram {
  const own = draw(0, 4) === 0 ? Array.from({ length: draw(0, 3) }, () => draw(1, 3)) : trips;
  const loops = own.map((count, i) => new Loop({ name: `l${i}`, variable: `l${i}`, trips: count }));
  const kind = (['array', 'vector', 'dma'] as const)[draw(0, 2)]!;
  const ops = Array.from({ length: draw(1, 3) }, (_, i) => drawOp(draw, `e${position}o${i}`, loops.length, memories));
  return new EngineProgram({ engine: `e${position}`, kind, clock, loops: List(loops), ops: List(ops) });
}

function drawOp(draw: Draw, name: string, loops: number, memories: readonly string[]): Op {
  const ragged = Array.from({ length: Math.max(0, draw(-1, 2)) }, () => draw(0, 2 ** loops - 1));
  const perVariant = (least: number, most: number) =>
    List(Array.from({ length: 2 ** ragged.length }, () => Math.max(0, draw(least, most))));
  const busy = perVariant(-1, 5);
  return new Op({
    name,
    stage: Math.max(0, draw(-2, 2)),
    guard: draw(0, 2) === 0 ? drawGuard(draw, loops) : new Guard(),
    ragged: List(ragged),
    busy,
    cycles: busy.map((cycles) => cycles + Math.max(0, draw(-3, 3))),
    latency: perVariant(-2, 3),
    points: perVariant(1, 1),
    accesses: List(
      Array.from({ length: Math.max(0, draw(-2, 2)) }, () => {
        const guard = draw(0, 2) === 0 ? drawGuard(draw, loops) : new Guard();
        const memory = memories[draw(0, memories.length - 1)]!;
        return new Access({
          memory,
          tensor: `t${draw(0, 2)}`,
          write: draw(0, 1) === 1,
          guard,
          bytes: perVariant(-2, 40),
        });
      }),
    ),
  });
}

function drawGuard(draw: Draw, loops: number): Guard {
  const mask = (): number => (draw(0, 2) === 0 ? draw(0, 2 ** loops - 1) : 0);
  return new Guard({ first: mask(), last: mask(), notFirst: mask(), notLast: mask() });
}

/** Operation `op` of engine `engine`. */
interface End {
  readonly engine: number;
  readonly op: number;
}

/** Joins two operations by a new channel; where they would not take as many tokens as are given, mostly not. */
function connect(draw: Draw, engines: EngineProgram[], channels: ChannelSpec[]): void {
  const anOp = (): End => {
    const engine = draw(0, engines.length - 1);
    return { engine, op: draw(0, engines[engine]!.ops.size - 1) };
  };
  const ends = [anOp(), anOp()];
  if (draw(0, 7) > 0) ends.sort((a, b) => a.engine - b.engine || a.op - b.op);
  const [from, to] = ends as [End, End];
  const isLoop = from.engine === to.engine && from.op >= to.op;
  const loops = Math.min(engines[from.engine]!.loops.size, engines[to.engine]!.loops.size);
  const all = 2 ** loops - 1;
  const carried = isLoop || draw(0, 5) === 0 ? all & ~(draw(0, 3) === 0 ? draw(0, all) : 0) : 0;
  const gives = drawPair(draw, engines, from, { notLast: carried });
  const takes =
    draw(0, 1) === 0 ? drawPair(draw, engines, to, { notFirst: carried }) : samePair(engines, to, gives, carried);
  if (countOf(engines, from, gives[0]) !== countOf(engines, to, takes[0]) && draw(0, 15) > 0) return;
  const channel = channels.length;
  const latency = draw(from.engine === to.engine ? 0 : 1, 3);
  const capacity = draw(1, 5);
  const name = `c${channel}`;
  channels.push(new ChannelSpec({ name, tensor: name, from: from.engine, to: to.engine, capacity, latency }));
  add(engines, from, 'gives', new Give({ channel, reserve: gives[0], publish: gives[1] }));
  add(engines, to, 'takes', new Take({ channel, acquire: takes[0], release: takes[1] }));
}

function add(engines: EngineProgram[], { engine, op }: End, list: 'gives' | 'takes', item: Give | Take): void {
  engines[engine] = engines[engine]!.updateIn(['ops', op, list], (items) => (items as List<Give | Take>).push(item));
}

/** When an operation opens a slot or a token, and when it closes it again. */
type Pair = readonly [open: Guard, close: Guard];

function drawPair(draw: Draw, engines: readonly EngineProgram[], end: End, carried: Partial<Guard>): Pair {
  const all = 2 ** engines[end.engine]!.loops.size - 1;
  const through = draw(0, 2) === 0 ? draw(0, all) : 0;
  return closing(engines, end, [new Guard({ ...carried, first: through }), new Guard({ ...carried, last: through })]);
}

/** The receiver's part of what the sender does. */
function samePair(engines: readonly EngineProgram[], end: End, [open, close]: Pair, carried: number): Pair {
  const all = 2 ** engines[end.engine]!.loops.size - 1;
  const turned = ({ first, last }: Guard): Guard =>
    new Guard({ first: first & all, last: last & all, notFirst: carried });
  return closing(engines, end, [turned(open), turned(close)]);
}

/** The pair, if the operation never closes more than it has opened; else one that closes as it opens. */
function closing(engines: readonly EngineProgram[], end: End, [open, close]: Pair): Pair {
  const opens = new Set(runsOf(engines, end, open));
  const closes = new Set(runsOf(engines, end, close));
  let inHand = 0;
  for (const run of runsOf(engines, end, new Guard())) {
    inHand += Number(opens.has(run)) - Number(closes.has(run));
    if (inHand < 0) return [open, open];
  }
  return [open, close];
}

function countOf(engines: readonly EngineProgram[], end: End, guard: Guard): number {
  return runsOf(engines, end, guard).length;
}

/** Iterations in which an operation is executed and a guard holds. */
function runsOf(engines: readonly EngineProgram[], { engine, op }: End, guard: Guard): string[] {
  const program = engines[engine]!;
  const own = program.ops.get(op)!.set('stage', 0);
  const executions = unroll(program.set('ops', List([own, own.set('guard', guard)])));
  const held = new Set(executions.flatMap((run) => (run.op === 1 ? [`${run.digits}`] : [])));
  return executions.flatMap((run) => (run.op === 0 && held.has(`${run.digits}`) ? [`${run.digits}`] : []));
}
