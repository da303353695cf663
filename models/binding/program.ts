/**
 * What the binder makes and the machine runs: loop programs for engines, joined by channels. Immutable, and its size does
 * not depend on trip counts.
 */
import { List, Map, Record } from 'immutable';
import type { Index } from '../../workloads/language/workload.ts';

/**
 * When something happens in a loop nest, as bit sets of loops (bit i is loop i of the nest, 0 the outermost): every loop
 * in `first` is in its first iteration, every one in `last` in its last, and none of `notFirst` (`notLast`), taken
 * together as one counter, is in its first (last).
 */
export class Guard extends Record<{ first: number; last: number; notFirst: number; notLast: number }>(
  { first: 0, last: 0, notFirst: 0, notLast: 0 },
  'Guard',
) {}

/** One loop of a nest over the tiles of a rank variable; one iteration steps `stride` tiles. */
export class Loop extends Record<{ name: string; variable: string; trips: number; stride: number }>(
  { name: '', variable: '', trips: 1, stride: 1 },
  'Loop',
) {}

/** How a rank variable is cut into tiles; the last tile is smaller when `tile` does not divide `extent`. */
export class Tile extends Record<{ extent: number; tile: number }>({ extent: 1, tile: 1 }, 'Tile') {}

/** Takes a token before an operation and gives its slot back after it (each only where its guard holds). */
export class Take extends Record<{ channel: number; acquire: Guard; release: Guard }>(
  { channel: 0, acquire: new Guard(), release: new Guard() },
  'Take',
) {}

/** Waits for a free slot before an operation and gives a token after it. */
export class Give extends Record<{ channel: number; reserve: Guard; publish: Guard }>(
  { channel: 0, reserve: new Guard(), publish: new Guard() },
  'Give',
) {}

/** Whole bytes that one execution moves to or from a memory, per variant of the operation. */
export class Access extends Record<{
  memory: string;
  tensor: string;
  write: boolean;
  guard: Guard;
  bytes: List<number>;
}>({ memory: '', tensor: '', write: false, guard: new Guard(), bytes: List() }, 'Access') {}

/**
 * An operation on tiles. Lists named "per variant" have 2^n entries, n the length of `ragged`: bit j of the variant is
 * set when every loop of mask `ragged[j]` is in its last iteration, where that rank's tile is a smaller one.
 */
export class Op extends Record<{
  /** Einsum, or the tensor that a DMA moves. */
  name: string;
  /** Rounds that it runs behind the nest's first operations: software pipelining. */
  stage: number;
  guard: Guard;
  ragged: List<number>;
  /** Cycles that the engine computes, per variant. */
  busy: List<number>;
  /** Cycles that the engine is taken, per variant: `busy`, or more when a link is the limit. */
  cycles: List<number>;
  /** Cycles from the end of the operation until its result is there, per variant. */
  latency: List<number>;
  /** Points of the iteration space, per variant. */
  points: List<number>;
  takes: List<Take>;
  gives: List<Give>;
  accesses: List<Access>;
  /** For a DMA: where in the tensor a tile lies. */
  indices: List<Index> | null;
}>(
  {
    name: '',
    stage: 0,
    guard: new Guard(),
    ragged: List(),
    busy: List(),
    cycles: List(),
    latency: List(),
    points: List(),
    takes: List(),
    gives: List(),
    accesses: List(),
    indices: null,
  },
  'Op',
) {}

/** One engine's loop program: in round j of the nest, each operation in turn does iteration j - stage. */
export class EngineProgram extends Record<{
  engine: string;
  kind: 'array' | 'vector' | 'dma';
  clock: string;
  loops: List<Loop>;
  ops: List<Op>;
}>({ engine: '', kind: 'array', clock: '', loops: List(), ops: List() }, 'EngineProgram') {}

export class ChannelSpec extends Record<{
  name: string;
  tensor: string;
  /** Indices of engine programs. */
  from: number;
  to: number;
  capacity: number;
  /** Cycles of the sender's clock until a token is seen; 0 on one engine means at once. */
  latency: number;
}>({ name: '', tensor: '', from: 0, to: 0, capacity: 1, latency: 1 }, 'ChannelSpec') {}

/** On-chip space: `tiles` tiles of a tensor, `bytes` in all. */
export class Buffer extends Record<{ memory: string; tensor: string; tiles: number; bytes: number }>(
  { memory: '', tensor: '', tiles: 1, bytes: 0 },
  'Buffer',
) {}

/** Fused einsums under one loop nest. Sections run one after another. */
export class Section extends Record<{
  name: string;
  einsums: List<string>;
  loops: List<Loop>;
  tiles: Map<string, Tile>;
  /** Rounds in flight: 1 is no software pipelining. */
  interleave: number;
  engines: List<EngineProgram>;
  channels: List<ChannelSpec>;
  buffers: List<Buffer>;
}>(
  {
    name: '',
    einsums: List(),
    loops: List(),
    tiles: Map(),
    interleave: 1,
    engines: List(),
    channels: List(),
    buffers: List(),
  },
  'Section',
) {}

/** Consecutive sections that are run `repeat` times, one time after another. */
export class Phase extends Record<{ repeat: number; sections: List<Section> }>(
  { repeat: 1, sections: List() },
  'Phase',
) {}

export class Program extends Record<{ mapping: string; phases: List<Phase> }>(
  { mapping: 'default', phases: List() },
  'Program',
) {}
