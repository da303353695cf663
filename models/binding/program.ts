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

/** Words of a tensor that one execution brings into the registers of its PEs or lanes, in all of them, per variant. */
export class Arrival extends Record<{ tensor: string; words: List<number> }>(
  { tensor: '', words: List() },
  'Arrival',
) {}

/**
 * An einsum as products of matrices that lie in a memory which computes, and vectors. Rank variables by what they are; in
 * lists of several, the last one is the fastest.
 */
export class Product extends Record<{
  memory: string;
  /** Tensors. */
  matrix: string;
  vector: string;
  /** Of matrix, vectors and results: one matrix for each of their values. */
  batch: List<string>;
  /** Of matrix and results. */
  rows: List<string>;
  /** Of matrix and vectors: they are summed. */
  columns: List<string>;
  /** Of vectors and results. */
  vectors: List<string>;
  /** Those of batch and rows whose values take turns over the channels. */
  over: List<string>;
  /** Whether matrices of a channel share rows of its banks. */
  packed: boolean;
  /** Sums of parts of the columns that are made for each result, and the rank variable that counts them; '' with one. */
  parts: number;
  part: string;
  /** Columns that go into a part, but the last one, which has what is left. */
  inPart: number;
  /** Accesses of the operation that bring vectors, which come first; the others take results. */
  operands: number;
}>(
  {
    memory: '',
    matrix: '',
    vector: '',
    batch: List(),
    rows: List(),
    columns: List(),
    vectors: List(),
    over: List(),
    packed: false,
    parts: 1,
    part: '',
    inPart: 0,
    operands: 0,
  },
  'Product',
) {}

/**
 * An operation on tiles. Lists named "per variant" have 2^n entries, n the length of `ragged`: bit j of the variant is
 * set when every loop of mask `ragged[j]` is in its last iteration, where that rank's tile is a smaller one.
 */
export class Op extends Record<{
  /** Einsum, or the tensor that a DMA moves. */
  name: string;
  /** Rounds that it runs behind the nest's first operations: software pipelining. */
  stage: number;
  /**
   * Times that it runs in a row in one iteration of the nest. Guards and `ragged` know this loop of its own as the one
   * inside all loops of the nest.
   */
  inner: number;
  guard: Guard;
  ragged: List<number>;
  /** Cycles that the engine computes, per variant. */
  busy: List<number>;
  /** Cycles that the engine is taken, per variant: `busy`, or more when a link is the limit. */
  cycles: List<number>;
  /** The slowest of the links that it uses, such as `buffer -> array`. */
  link: string;
  /** Cycles from the end of the operation until its result is there, per variant. */
  latency: List<number>;
  /** Points of the iteration space, per variant. */
  points: List<number>;
  takes: List<Take>;
  gives: List<Give>;
  accesses: List<Access>;
  /** Of operands. */
  arrivals: List<Arrival>;
  /** For a DMA: where in the tensor a tile lies. */
  indices: List<Index> | null;
  /** For a memory that computes, which takes as long as its commands do. */
  product: Product | null;
}>(
  {
    name: '',
    stage: 0,
    inner: 1,
    guard: new Guard(),
    ragged: List(),
    busy: List(),
    cycles: List(),
    link: '',
    latency: List(),
    points: List(),
    takes: List(),
    gives: List(),
    accesses: List(),
    arrivals: List(),
    indices: null,
    product: null,
  },
  'Op',
) {}

/** Ways through the space of a product in folds; the first three are the variables of its section's loops. */
export type FoldAxis = 'batches' | 'rows' | 'columns' | 'time';

/**
 * Rank variables flattened into one, the last one fastest, and its tiles: `count` of `tile` values, but the last one, which
 * has what is left. Time is cut into pieces, everything else into folds.
 */
export class FoldSide extends Record<{ variables: List<string>; extents: List<number>; tile: number; count: number }>(
  { variables: List(), extents: List(), tile: 1, count: 1 },
  'FoldSide',
) {}

/**
 * An einsum as a product of matrices that an array runs in folds. The loops of its section are batches, and folds over
 * the array's columns and rows.
 */
export class Folds extends Record<{
  sides: Map<FoldAxis, FoldSide>;
  /** Sizes of the product, once per value of the batch. `k` is what a sparse operand keeps. */
  m: number;
  n: number;
  k: number;
  batch: number;
  /** Folds of a single array, in all blocks. */
  count: number;
  /** Steps of time in a block, which are the batches of the nest; 0 when time is not cut into blocks. */
  block: number;
  /** Cycles from the start of a fold to the start of the next one that no wait holds up. */
  cyclesPerFold: number;
  /** Cycles of a fold in which operands stream in. */
  streamPerFold: number;
  /** Share of the PEs that have work, on average over the folds. */
  mappingEfficiency: number;
}>(
  {
    sides: Map(),
    m: 1,
    n: 1,
    k: 1,
    batch: 1,
    count: 1,
    block: 0,
    cyclesPerFold: 1,
    streamPerFold: 1,
    mappingEfficiency: 1,
  },
  'Folds',
) {}

/** The part of a rank variable's extent that one core works on. */
export class Share extends Record<{ variable: string; from: number; to: number }>(
  { variable: '', from: 0, to: 0 },
  'Share',
) {}

/** One engine's loop program: in round j of the nest, each operation in turn does iteration j - stage. */
export class EngineProgram extends Record<{
  engine: string;
  kind: 'array' | 'vector' | 'dma' | 'pim';
  clock: string;
  /** Of one core among several; null works on everything. */
  share: Share | null;
  /** For an array that runs an einsum in folds. */
  folds: Folds | null;
  loops: List<Loop>;
  ops: List<Op>;
}>({ engine: '', kind: 'array', clock: '', share: null, folds: null, loops: List(), ops: List() }, 'EngineProgram') {}

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

/** The folds of a section whose einsum an array runs in them; those of the first core among several. */
export function foldsOf(section: Section): Folds | null {
  return section.engines.find(({ folds }) => folds !== null)?.folds ?? null;
}

/** All sections of a program. */
export function sectionsOf({ phases }: Program): List<Section> {
  return phases.flatMap(({ sections }) => sections);
}
