/** Transfers between a memory and a scratchpad: which loops they follow, how many tiles of them are on the chip. */
import type { Mask, Nest } from './nest.ts';
import type { Layout, Loaded, Made } from './plan.ts';

export interface Stream {
  readonly tensor: string;
  readonly pad: string;
  readonly write: boolean;
  /** Loops that the transfer itself runs over. */
  readonly loops: Mask;
  /** Loops that tell one tile from another. */
  readonly tileLoops: Mask;
  /** Loops whose ranks are whole in every tile. */
  readonly whole: Mask;
  /** Tiles that are in use at once, without those in flight. */
  readonly held: number;
  /** Times that the held tiles are gone through; all transfers fall into the first. */
  readonly passes: number;
  /** Tiles on the chip when `held` of them are in use: 2 is double buffering for one tile in use. */
  readonly tiles: number;
}

const doubleBuffering = 2;

/**
 * A load. Without `hold`, a tensor is kept only for the loops inside all its own; every other loop that it does not
 * depend on fetches it again. What is held comes with all of its windows, so that what they share is there once.
 */
export function loadStream(layout: Layout, loaded: Loaded): Stream {
  const { plan, nodes } = layout;
  const readers = loaded.readers.map(({ node, read }) => ({ node: nodes[node]!, read: nodes[node]!.reads[read]! }));
  const whole = plan.hold.has(loaded.tensor) ? windowLoops(layout, loaded) : 0;
  const tileLoops = readers[0]!.read.loops & ~whole;
  const reusing = readers.map(({ node }) => node.iterates & ~tileLoops);
  const all = reusing.reduce((mask, loops) => mask | loops, 0);
  const outer = reuseOutside(layout, all, tileLoops);
  // Readers that do not all come back for the tile in the same loops can share it only while it stays.
  const agree = reusing.every((loops) => (loops & outer) === (reusing[0]! & outer));
  const again = plan.refetch.has(loaded.tensor) ? all : outer;
  const refetch = plan.hold.has(loaded.tensor) || !agree ? 0 : again;
  const firsts = readers.reduce((mask, { node }) => mask | node.first, 0);
  const lasts = readers.reduce((mask, { node }) => mask | node.last, 0);
  const inPasses = readers.some(({ node }) => node.pass !== readers[0]!.node.pass) ? plan.nest.passes : 0;
  const through = (all & ~refetch) | (firsts & lasts & ~tileLoops) | inPasses;
  const held = plan.nest.trips(plan.nest.inside(tileLoops, through));
  const tiles = held + (plan.stream.get(loaded.tensor) ?? doubleBuffering) - 1;
  const passes = plan.nest.trips(outer & ~refetch);
  const loops = tileLoops | refetch;
  return { tensor: loaded.tensor, pad: loaded.pad, write: false, loops, tileLoops, whole, held, passes, tiles };
}

/**
 * Loops that slide a window over a tensor, of which only what they share would come again: those over ranks that are
 * summed, r of I[p+r], and those over the others, p, that all lie inside a loop that it is held for.
 */
function windowLoops({ plan, nodes }: Layout, { readers }: Loaded): Mask {
  const { nest } = plan;
  const { access, loops } = nodes[readers[0]!.node]!.reads[readers[0]!.read]!;
  const sliding = access.indices.toArray().flatMap(({ terms }) => (terms.size > 1 ? [...terms.keys()] : []));
  const isSummed = (v: string): boolean => readers.every(({ node }) => nodes[node]!.einsum.reduced.includes(v));
  const summed = nest.maskOf(sliding.filter(isSummed));
  const reusing = readers.reduce((mask, { node }) => mask | (nodes[node]!.iterates & ~(loops & ~summed)), 0);
  return summed | nest.inside(nest.maskOf(sliding), reusing);
}

export function storeStream(layout: Layout, made: Made): Stream {
  const node = layout.nodes[made.producer]!;
  const held = heldTiles(layout, node.output, node.iterates & ~node.output);
  const tiles = held + (layout.plan.stream.get(made.tensor) ?? doubleBuffering) - 1;
  const loops = node.output;
  return {
    tensor: made.tensor,
    pad: made.pad!,
    write: true,
    loops,
    tileLoops: loops,
    whole: 0,
    held,
    passes: 1,
    tiles,
  };
}

/** Extents of what one transfer of a stream brings; `ragged`: those of the last one. */
export function streamExtents({ whole }: Stream, nest: Nest): (variable: string, ragged?: boolean) => number {
  return (variable, ragged = false) => {
    const { mask, tile, extent } = nest.axis(variable);
    const block = Math.min(extent, tile * nest.trips(mask & whole));
    return (ragged && extent % block) || block;
  };
}

/** Tiles, told apart by `tileLoops`, that live at once when they live through the loops `through`. */
export function heldTiles({ plan }: Layout, tileLoops: Mask, through: Mask): number {
  return plan.nest.trips(plan.nest.inside(tileLoops, through));
}

/** Those loops of `loops` that have one of `tileLoops` inside them. */
function reuseOutside({ plan }: Layout, loops: Mask, tileLoops: Mask): Mask {
  let outside = 0;
  for (let bit = 1; bit <= loops; bit <<= 1) {
    if (loops & bit && plan.nest.inside(tileLoops, bit) !== 0) outside |= bit;
  }
  return outside;
}
