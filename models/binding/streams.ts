/** Transfers between a memory and a scratchpad: which loops they follow, how many tiles of them are on the chip. */
import type { Mask } from './nest.ts';
import type { Layout, Loaded, Made } from './plan.ts';

export interface Stream {
  readonly tensor: string;
  readonly pad: string;
  readonly write: boolean;
  /** Loops that the transfer itself runs over. */
  readonly loops: Mask;
  /** Loops that tell one tile from another. */
  readonly tileLoops: Mask;
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
 * depend on fetches it again.
 */
export function loadStream(layout: Layout, loaded: Loaded): Stream {
  const { plan, nodes } = layout;
  const readers = loaded.readers.map(({ node, read }) => ({ node: nodes[node]!, read: nodes[node]!.reads[read]! }));
  const tileLoops = readers[0]!.read.loops;
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
  return { tensor: loaded.tensor, pad: loaded.pad, write: false, loops, tileLoops, held, passes, tiles };
}

export function storeStream(layout: Layout, made: Made): Stream {
  const node = layout.nodes[made.producer]!;
  const held = heldTiles(layout, node.output, node.iterates & ~node.output);
  const tiles = held + (layout.plan.stream.get(made.tensor) ?? doubleBuffering) - 1;
  const loops = node.output;
  return { tensor: made.tensor, pad: made.pad!, write: true, loops, tileLoops: loops, held, passes: 1, tiles };
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
