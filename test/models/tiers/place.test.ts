import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from '../../../models/tiers/allocate.ts';
import { bytesText, type FilledTier, placeTensors, type TieredTensor } from '../../../models/tiers/place.ts';

const tensor = (name: string, bytes: number, span: readonly [number, number], read: number, written = 0) =>
  ({ name, bytes, first: span[0], last: span[1], read, written }) satisfies TieredTensor;

const namesOf = (tiers: readonly FilledTier[]): string[][] =>
  tiers.map(({ tensors }) => tensors.map(({ name }) => name));

const anyTensor: fc.Arbitrary<TieredTensor> = fc
  .record({
    bytes: fc.integer({ min: 1, max: 20 }),
    first: fc.nat({ max: 5 }),
    length: fc.nat({ max: 3 }),
    read: fc.nat({ max: 100 }),
    written: fc.nat({ max: 20 }),
  })
  .map(({ first, length, ...rest }) => ({ name: 'any', first, last: first + length, ...rest }));

describe('tensors in tiers', () => {
  const tiers = [
    { name: 'hbm', capacity: 100 },
    { name: 'ddr', capacity: 1000 },
  ];

  it('leave activations to the far tier, and keep the weights that every token reads', () => {
    const weights = [0, 1, 2].map((i) => tensor(`weights ${i}`, 30, [0, 9], 30 * 200));
    const activations = [0, 1, 2].map((i) => tensor(`activations ${i}`, 15, [2 * i, 2 * i + 2], 15, 15));
    expect(namesOf(placeTensors([...activations, ...weights], tiers))).toEqual([
      weights.map(({ name }) => name),
      activations.map(({ name }) => name),
    ]);
  });

  it('take addresses one after the other where they live one after the other', () => {
    const chain = Array.from({ length: 9 }, (_, i) => tensor(`t${i}`, 50, [i, i + 1], 50, 50));
    const [near, far] = placeTensors(chain, tiers);
    expect(near?.tensors).toHaveLength(9);
    expect(near?.allocation.bytes).toBe(100);
    expect(near?.live).toEqual([50, ...new Array(8).fill(100), 50]);
    expect(far?.tensors).toEqual([]);
  });

  it('let the one go that costs least traffic for what it frees', () => {
    const all = [tensor('a', 60, [0, 1], 120), tensor('b', 30, [0, 1], 40), tensor('c', 20, [0, 1], 90)];
    // 10 bytes have to go: any of them frees those.
    expect(namesOf(placeTensors(all, tiers))).toEqual([['a', 'c'], ['b']]);
  });

  it('come back when room is left in the end', () => {
    // "small" goes first, and then "large" all the same; "small" has room again.
    const all = [tensor('stay', 60, [0, 0], 999), tensor('large', 90, [0, 0], 50), tensor('small', 10, [0, 0], 1)];
    expect(namesOf(placeTensors(all, tiers))).toEqual([['stay', 'small'], ['large']]);
  });

  it('never exceed a tier, each is in one, and none that is far would have had room', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 12 }), fc.integer({ min: 5, max: 80 }), (tensors, capacity) => {
        const placed = placeTensors(tensors, [
          { name: 'near', capacity },
          { name: 'far', capacity: 1000 },
        ]);
        for (const tier of placed) {
          expect(tier.allocation.bytes).toBeLessThanOrEqual(tier.capacity);
          expect(Math.max(0, ...tier.live)).toBe(tier.allocation.least);
        }
        const [near, far] = placed;
        expect([...(near?.tensors ?? []), ...(far?.tensors ?? [])]).toHaveLength(tensors.length);
        expect(new Set([...(near?.tensors ?? []), ...(far?.tensors ?? [])]).size).toBe(tensors.length);
        for (const one of far?.tensors ?? []) {
          const kept = tensors.filter((other) => other === one || near?.tensors.includes(other));
          expect(allocate(kept).bytes).toBeGreaterThan(capacity);
        }
      }),
    );
  });

  it('are named with their need and the room where no tier has any', () => {
    expect(() => placeTensors([tensor('weights', 13.5e9, [0, 0], 1)], tiers)).toThrow(
      'weights needs 13.5 GB, more than any tier has: hbm 100 B, ddr 1 kB; share it out to more devices',
    );
    const many = Array.from({ length: 6 }, (_, i) => tensor(`t${i}`, 400, [0, 0], i));
    expect(() => placeTensors(many, tiers)).toThrow(
      /^no room for t0 \(400 B\), t1 \(400 B\), t2 \(400 B\), t3 \(400 B\) in 100 B of hbm and 1 kB of ddr/,
    );
  });

  it('have sizes that people read', () => {
    expect([0, 999, 13_476_831_232, 1.5e12].map(bytesText)).toEqual(['0 B', '999 B', '13.48 GB', '1.5 TB']);
  });
});
