/** How long a two-dimensional array of PEs takes for one tile of an einsum. */
import type { ArrayPart } from '../../arch/language/arch.ts';

/** A tile laid on an array: extents over its rows and columns, and what each PE does one after another. */
export interface ArrayTile {
  readonly rows: number;
  readonly columns: number;
  /** Points that one PE works through per fold. */
  readonly temporal: number;
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
 * Folds of an array: with R rows, C columns and T points per PE,
 *
 *   systolic, overlap none:  T + R + C - 2 cycles per fold output-stationary, T + 2R + C - 2 weight- or input-stationary
 *                            (SCALE-Sim, Samajdar et al., ISPASS 2020: fill, stream, drain)
 *   systolic, overlap full:  T cycles per fold, max(T, R) when the next fold's weights are loaded meanwhile; the first
 *                            fold's fill and the last one's drain remain as latency
 *   broadcast:               T cycles per fold; a combination over rows takes `reduce.latency` cycles per row
 *                            (FuseMax, MICRO 2024, section 5)
 *
 * `count` equal arrays share the folds of a tile.
 */
export function arrayTiming(part: ArrayPart, tile: ArrayTile): Timing {
  const folds = Math.ceil(foldsOf(part, tile) / part.count);
  const stream = tile.temporal * tile.interval;
  const pipeline = tile.depth - tile.interval;
  if (part.feed === 'broadcast') {
    return { cycles: folds * stream, latency: pipeline + reductionLatency(part, tile) };
  }
  const loads = part.dataflow === 'output-stationary' ? 0 : part.rows;
  const skew = loads + part.rows + part.columns - 2;
  if (part.overlap === 'none') return { cycles: folds * (stream + skew), latency: pipeline };
  return { cycles: folds * Math.max(stream, loads), latency: pipeline + skew };
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
