import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TierCache } from '../../../models/tiers/cache.ts';
import { type Replacement, replacementNames } from '../../../workloads/llm/composition.ts';

/** Written to be read: a list of what is there, searched from its front. */
class PlainCache {
  things: { thing: number; loaded: number; used: number; uses: number }[];
  now = 0;

  constructor(rooms: number) {
    this.things = Array.from({ length: rooms }, (_, thing) => ({ thing, loaded: -1, used: -1, uses: 0 }));
  }

  use(thing: number, kept: ReadonlySet<number>, replacement: Replacement): boolean {
    const known = this.things.find((one) => one.thing === thing);
    if (!known) {
      const rank = { lru: ['used'], fifo: ['loaded'], lfu: ['uses', 'used'] } as const;
      const leaving = this.things
        .filter((one) => !kept.has(one.thing))
        .toSorted((a, b) => rank[replacement].map((key) => a[key] - b[key]).find((d) => d !== 0) ?? 0)[0]!;
      Object.assign(leaving, { thing, loaded: this.now, uses: 0 });
    }
    const one = this.things.find((other) => other.thing === thing)!;
    one.used = this.now++;
    one.uses++;
    return known !== undefined;
  }
}

const used = (cache: TierCache, ...things: number[]): boolean[] => things.map((thing) => cache.use(thing));

describe('a tier as a cache', () => {
  it('does what a plain list does, under every policy', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...replacementNames),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 4 }), { maxLength: 40 }),
        (replacement, rooms, batches) => {
          const cache = new TierCache(10, rooms, replacement);
          const plain = new PlainCache(rooms);
          for (const batch of batches) {
            const kept = new Set<number>();
            for (const thing of batch) {
              if (kept.size === rooms) kept.clear();
              expect(cache.use(thing, kept)).toBe(plain.use(thing, kept, replacement));
              kept.add(thing);
            }
            expect(plain.things.every(({ thing }) => cache.has(thing))).toBe(true);
          }
          expect(cache.hits + cache.misses).toBe(batches.flat().length);
        },
      ),
    );
  });

  it('has the first things from the beginning', () => {
    expect(used(new TierCache(5, 3, 'lru'), 0, 1, 2, 3)).toEqual([true, true, true, false]);
  });

  it('drops what was used longest ago, came first, or was used least', () => {
    const dropped = (replacement: Replacement): number[] => {
      const cache = new TierCache(5, 3, replacement);
      used(cache, 2, 2, 0, 0, 0, 1, 3);
      return [0, 1, 2].filter((thing) => !cache.has(thing));
    };
    expect(dropped('lru')).toEqual([2]);
    expect(dropped('fifo')).toEqual([0]);
    expect(dropped('lfu')).toEqual([1]);
  });

  it('misses always when things that do not fit come in turn', () => {
    const cache = new TierCache(4, 3, 'lru');
    used(cache, 0, 1, 2);
    expect(used(cache, 3, 0, 1, 2, 3, 0)).toEqual(new Array(6).fill(false));
  });

  it('needs a room, and one that may be left', () => {
    expect(() => new TierCache(4, 0, 'lru')).toThrow(RangeError);
    expect(() => new TierCache(4, 1, 'lru').use(1, new Set([0]))).toThrow('everything in the cache is to be kept');
  });
});
