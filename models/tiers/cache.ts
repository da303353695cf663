/** A tier as a cache of things of one size, such as the experts of a composition, whose homes are farther away. */
import type { Replacement } from '../../workloads/llm/composition.ts';

/** What is known of a thing in the cache; all in uses of the cache since the beginning. */
interface Standing {
  /** When it was brought in, and when it was used last. */
  readonly loaded: number;
  readonly used: number;
  /** How often it was used since it was brought in. */
  readonly uses: number;
}

/** What leaves when something needs its room: the one whose first figures are least; equal ones by the next figure. */
const replacements: { readonly [name in Replacement]: (standing: Standing) => readonly number[] } = {
  lru: ({ used }) => [used],
  lfu: ({ uses, used }) => [uses, used],
  fifo: ({ loaded }) => [loaded],
};

/**
 * Rooms of equal size. Things are numbered from 0; the first ones are there from the beginning, as many as have room. What is
 * in the cache is a copy of something that is only read: it leaves without being written back.
 */
export class TierCache {
  readonly rooms: number;
  hits = 0;
  misses = 0;
  readonly #order: (standing: Standing) => readonly number[];
  /** Room of each thing; -1 where it has none. */
  readonly #roomOf: Int32Array;
  /** Thing of each room; -1 where it is empty. */
  readonly #held: Int32Array;
  readonly #loaded: Float64Array;
  readonly #used: Float64Array;
  readonly #uses: Float64Array;
  #now = 0;

  /** @throws RangeError where there is no room at all */
  constructor(things: number, rooms: number, replacement: Replacement) {
    if (!(rooms >= 1)) throw new RangeError(`a cache of ${rooms} rooms holds nothing`);
    this.rooms = Math.min(rooms, things);
    this.#order = replacements[replacement];
    this.#roomOf = new Int32Array(things).fill(-1);
    this.#held = new Int32Array(this.rooms);
    this.#loaded = new Float64Array(this.rooms).fill(-1);
    this.#used = new Float64Array(this.rooms).fill(-1);
    this.#uses = new Float64Array(this.rooms);
    for (let room = 0; room < this.rooms; room++) {
      this.#held[room] = room;
      this.#roomOf[room] = room;
    }
  }

  has(thing: number): boolean {
    return (this.#roomOf[thing] ?? -1) >= 0;
  }

  /**
   * Uses a thing, and brings it in where it is missing; says whether it was there. `kept`: things that must not leave for it,
   * of which there are fewer than rooms.
   */
  use(thing: number, kept: ReadonlySet<number> = new Set()): boolean {
    const isHit = this.has(thing);
    if (isHit) this.hits++;
    else this.misses++;
    const room = isHit ? this.#roomOf[thing]! : this.#bring(thing, kept);
    this.#used[room] = this.#now;
    this.#uses[room]!++;
    this.#now++;
    return isHit;
  }

  #bring(thing: number, kept: ReadonlySet<number>): number {
    const room = this.#leaving(kept);
    this.#roomOf[this.#held[room]!] = -1;
    this.#held[room] = thing;
    this.#roomOf[thing] = room;
    this.#loaded[room] = this.#now;
    this.#uses[room] = 0;
    return room;
  }

  #leaving(kept: ReadonlySet<number>): number {
    let least = -1;
    let figures: readonly number[] = [];
    for (let room = 0; room < this.rooms; room++) {
      if (kept.has(this.#held[room]!)) continue;
      const standing = { loaded: this.#loaded[room]!, used: this.#used[room]!, uses: this.#uses[room]! };
      const own = this.#order(standing);
      if (least >= 0 && !isBefore(own, figures)) continue;
      [least, figures] = [room, own];
    }
    if (least < 0) throw new RangeError('everything in the cache is to be kept');
    return least;
  }
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const differs = a.findIndex((figure, i) => figure !== b[i]);
  return differs >= 0 && (a[differs] ?? 0) < (b[differs] ?? 0);
}
