/** How long a vector unit takes for one tile of an einsum. */
import type { VectorPart } from '../../arch/language/arch.ts';
import type { Timing } from './array.ts';

export interface VectorTile {
  /** Points that may be done side by side. */
  readonly parallel: number;
  /** Points reduced into each of them. */
  readonly reduced: number;
  /** Cycles per point, and cycles from a point's start to its result. */
  readonly interval: number;
  readonly depth: number;
}

/**
 * Lanes take the parallel points; each lane reduces serially. When there are fewer parallel points than lanes, the lanes
 * share the reduction and combine their partial results in a tree.
 */
export function vectorTiming(part: VectorPart, tile: VectorTile): Timing {
  const lanes = part.lanes * part.count;
  const pipeline = tile.depth - tile.interval;
  const sharing = Math.min(tile.reduced, Math.floor(lanes / tile.parallel));
  if (sharing <= 1) {
    return { cycles: Math.ceil(tile.parallel / lanes) * tile.reduced * tile.interval, latency: pipeline };
  }
  const serial = Math.ceil(tile.reduced / sharing);
  return { cycles: serial * tile.interval, latency: pipeline + Math.ceil(Math.log2(sharing)) * tile.depth };
}
