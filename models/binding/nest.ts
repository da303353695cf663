/** A loop nest over tiles of rank variables, and sets of its loops as bit masks (bit 0 is the outermost loop). */
import { Map as ImmutableMap, List } from 'immutable';
import { Loop, Tile } from './program.ts';

export type Mask = number;

/** Name of the loop whose iterations are passes over the loops inside it. */
export const passLoop = 'pass';

/** A rank variable: its extent, the extent of one tile, and the loops that step over its tiles. */
export interface Axis {
  readonly variable: string;
  readonly extent: number;
  readonly tile: number;
  /** Loops of this variable. */
  readonly mask: Mask;
}

export interface LoopSpec {
  readonly name: string;
  readonly variable: string;
  readonly trips: number;
}

export class Nest {
  readonly loops: readonly LoopSpec[];
  readonly #axes: ReadonlyMap<string, Axis>;

  /** `extents` and `tiles` by variable; a variable without a tile is whole in every tile. Loops go outer to inner. */
  constructor(extents: ReadonlyMap<string, number>, tiles: ReadonlyMap<string, number>, loops: readonly LoopSpec[]) {
    this.loops = loops;
    const axes = new Map<string, Axis>();
    for (const [variable, extent] of extents) {
      let mask = 0;
      loops.forEach((loop, i) => {
        if (loop.variable === variable) mask |= 1 << i;
      });
      axes.set(variable, { variable, extent, tile: Math.min(extent, tiles.get(variable) ?? extent), mask });
    }
    this.#axes = axes;
  }

  axis(variable: string): Axis {
    const axis = this.#axes.get(variable);
    if (!axis) throw new Error(`no axis ${variable}`);
    return axis;
  }

  /** Loops of any of these variables. */
  maskOf(variables: Iterable<string>): Mask {
    let mask = 0;
    for (const variable of variables) mask |= this.#axes.get(variable)?.mask ?? 0;
    return mask;
  }

  /** The loop over passes; none in most nests. */
  get passes(): Mask {
    return this.#axes.get(passLoop)?.mask ?? 0;
  }

  get all(): Mask {
    return 2 ** this.loops.length - 1;
  }

  /** Product of the trip counts of a set of loops. */
  trips(mask: Mask): number {
    return this.loops.reduce((product, loop, i) => (mask & (1 << i) ? product * loop.trips : product), 1);
  }

  /** Those loops of `mask` that lie inside the outermost loop of `around`; none when `around` is empty. */
  inside(mask: Mask, around: Mask): Mask {
    if (around === 0) return 0;
    const outermost = around & -around;
    return mask & ~(outermost | (outermost - 1));
  }

  /** Extent of a variable's tile; `ragged`: that of its last one. */
  tileOf(variable: string, ragged: boolean): number {
    const { extent, tile } = this.axis(variable);
    return ragged && extent % tile !== 0 ? extent % tile : tile;
  }

  isRagged(variable: string): boolean {
    const { extent, tile } = this.axis(variable);
    return extent % tile !== 0;
  }

  /** The loops of a mask as a program's loops, with their strides in tiles; and `mask` translated to positions among them. */
  program(mask: Mask = this.all): { loops: List<Loop>; translate: (mask: Mask) => Mask } {
    const kept = this.loops.map((_, i) => i).filter((i) => mask & (1 << i));
    const loops = kept.map((i) => {
      const { name, variable, trips } = this.loops[i]!;
      const stride = this.loops.slice(i + 1).reduce((s, l) => (l.variable === variable ? s * l.trips : s), 1);
      return new Loop({ name, variable, trips, stride });
    });
    const translate = (m: Mask): Mask =>
      kept.reduce((out, i, position) => (m & (1 << i) ? out | (1 << position) : out), 0);
    return { loops: List(loops), translate };
  }

  tiles(): ImmutableMap<string, Tile> {
    return ImmutableMap(
      [...this.#axes.values()].map((a) => [a.variable, new Tile({ extent: a.extent, tile: a.tile })]),
    );
  }
}

/** Positions of the bits of a mask, lowest first. */
export function bits(mask: Mask): number[] {
  return Array.from({ length: 31 }, (_, i) => i).filter((i) => mask & (1 << i));
}
