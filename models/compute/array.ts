/** How long a two-dimensional array of PEs takes: for one fold, and for one tile of an einsum. */
import type { ArrayPart } from '../../arch/language/arch.ts';

/** Cycles of a fold of a systolic array, none of which wait for anything. */
export interface FoldCycles {
  /** From the fold's start until its stationary operand is in the PEs; 0 for output-stationary. */
  readonly load: number;
  /** For which moving operands enter. */
  readonly stream: number;
  /** From the last operand's entry to the last result's exit. */
  readonly drain: number;
  /** From the fold's start to its last result: load + stream + drain. */
  readonly length: number;
  /** From a fold's start to the start of the next one. */
  readonly period: number;
}

/**
 * A fold of R rows, C columns and T steps, which always costs the whole array (test/reference/systolic-array.ts is the
 * register-level definition):
 *
 *   length            T + R + C - 2 output-stationary, R more to load weights or inputs: T + 2R + C - 2
 *                     (SCALE-Sim, Samajdar et al., ISPASS 2020)
 *   period, none      the length
 *   period, preload   T + R + C - 2: PEs have a second register, and what the next fold keeps is loaded meanwhile
 *   period, drain     R + T: PEs have one register, into which what the next fold keeps comes behind the last operands;
 *                     max(T, R) output-stationary, as with full overlap
 *   period, full      max(T, R): the next fold's operands follow at once, but R rows of weights take R cycles to load
 *                     and R rows of results take R cycles to leave down one column
 */
export function foldCycles(
  part: Pick<ArrayPart, 'rows' | 'columns' | 'dataflow' | 'overlap'>,
  stream: number,
): FoldCycles {
  const load = part.dataflow === 'output-stationary' ? 0 : part.rows;
  const drain = part.rows + part.columns - 2;
  const length = load + stream + drain;
  const period = {
    none: length,
    preload: stream + drain,
    drain: Math.max(load + stream, part.rows),
    full: Math.max(stream, part.rows),
  }[part.overlap];
  return { load, stream, drain, length, period };
}

/** Whether a fold's stationary operand is loaded while the fold before streams. */
export function hidesLoad(overlap: ArrayPart['overlap']): boolean {
  return overlap === 'preload' || overlap === 'full';
}

/** Whether a fold drains while the next one goes on. */
export function hidesDrain(overlap: ArrayPart['overlap']): boolean {
  return overlap === 'drain' || overlap === 'full';
}

/** A tile laid on an array: extents over its rows and columns, and what each PE does one after another. */
export interface ArrayTile {
  readonly rows: number;
  readonly columns: number;
  /** Points that one PE works through per fold. */
  readonly temporal: number;
  /** Values of ranks that tell stationary operands (results, output-stationary) apart but lie over neither side. */
  readonly batch: number;
  /** Cycles per point, and cycles from a point's start to its result. */
  readonly interval: number;
  readonly depth: number;
  /** Whether results are combined over the rows (columns) of the array. */
  readonly overRows: boolean;
  readonly overColumns: boolean;
}

export interface Timing {
  /** Cycles until the engine can start the next tile. */
  readonly cycles: number;
  /** Cycles from then until the tile's last result has left it. */
  readonly latency: number;
}

/**
 * All folds of a tile, one after another; `count` equal arrays share them. With broadcast feed a fold takes T cycles,
 * and a combination over rows of what lies in the PEs takes `reduce.latency` cycles per row (FuseMax, MICRO 2024, section 5);
 * products are added up as operands pass (tile-ops.ts).
 */
export function arrayTiming(part: ArrayPart, tile: ArrayTile): Timing {
  const pipeline = tile.depth - tile.interval;
  if (part.feed === 'broadcast') {
    const folds = Math.ceil(foldsOf(part, tile) / part.count);
    const cycles = folds * tile.batch * tile.temporal * tile.interval;
    return { cycles, latency: pipeline + reductionLatency(part, tile) };
  }
  const folds = Math.ceil((foldsOf(part, tile) * tile.batch) / part.count);
  const { length, period } = foldCycles(part, tile.temporal * tile.interval);
  return { cycles: folds * period, latency: pipeline + length - period };
}

/** Row folds times column folds. */
export function foldsOf(part: ArrayPart, tile: Pick<ArrayTile, 'rows' | 'columns'>): number {
  return Math.ceil(tile.rows / part.rows) * Math.ceil(tile.columns / part.columns);
}

function reductionLatency(part: ArrayPart, tile: ArrayTile): number {
  const perStep = part.reduce?.latency ?? 0;
  return (tile.overRows ? part.rows * perStep : 0) + (tile.overColumns ? part.columns * perStep : 0);
}

/** Whether an array can combine results over its rows (summing down the columns) or over its columns. */
export function canReduce(part: ArrayPart, over: 'rows' | 'columns'): boolean {
  if (part.reduce?.along === (over === 'rows' ? 'columns' : 'rows')) return true;
  return over === 'rows' && part.feed === 'systolic' && part.dataflow !== 'output-stationary';
}
