import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Allocation, allocate, type Lifetime, liveBytes } from '../../../models/tiers/allocate.ts';

const lifetime = (most: number, sections: number): fc.Arbitrary<Lifetime> =>
  fc
    .record({ bytes: fc.nat({ max: most }), from: fc.nat({ max: sections }), length: fc.nat({ max: sections }) })
    .map(({ bytes, from, length }) => ({ name: 'any', bytes, first: from, last: from + length }));

const together = (a: Lifetime, b: Lifetime): boolean => Math.max(a.first, b.first) <= Math.min(a.last, b.last);

function expectDisjoint(tensors: readonly Lifetime[], { offsets, bytes }: Allocation): void {
  tensors.forEach((a, i) => {
    const start = offsets[i]!;
    expect(start).toBeGreaterThanOrEqual(0);
    expect(start + a.bytes).toBeLessThanOrEqual(bytes);
    tensors.slice(0, i).forEach((b, j) => {
      const other = offsets[j]!;
      if (together(a, b) && a.bytes > 0 && b.bytes > 0)
        expect(start + a.bytes <= other || other + b.bytes <= start).toBe(true);
    });
  });
}

/** Fewest bytes in which tensors fit, by trying every address of each. */
function fewestBytes(tensors: readonly Lifetime[]): number {
  const fits = (height: number, offsets: readonly number[]): boolean => {
    const tensor = tensors[offsets.length];
    if (!tensor) return true;
    for (let at = 0; at + tensor.bytes <= height; at++) {
      const isFree = offsets.every((other, j) => {
        const rival = tensors[j]!;
        return !together(rival, tensor) || at + tensor.bytes <= other || other + rival.bytes <= at;
      });
      if (isFree && fits(height, [...offsets, at])) return true;
    }
    return false;
  };
  let height = 0;
  while (!fits(height, [])) height++;
  return height;
}

describe('addresses of tensors that live for a while', () => {
  it('never overlap while two tensors live', () => {
    fc.assert(
      fc.property(fc.array(lifetime(50, 6), { maxLength: 30 }), (tensors) => {
        const allocation = allocate(tensors);
        expectDisjoint(tensors, allocation);
        expect(allocation.least).toBe(Math.max(0, ...liveBytes(tensors)));
        expect(allocation.bytes).toBeGreaterThanOrEqual(allocation.least);
      }),
    );
  });

  it('end as low as any allocation of few tensors can', () => {
    fc.assert(
      fc.property(fc.array(lifetime(4, 4), { maxLength: 6 }), (tensors) => {
        expect(allocate(tensors).bytes).toBe(fewestBytes(tensors));
      }),
    );
  });

  it('are found in another order where first fit leaves a gap in every usual one', () => {
    const spans = [
      [2, 2, 4],
      [4, 1, 1],
      [4, 4, 4],
      [1, 0, 2],
    ] as const;
    const tensors = spans.map(([bytes, first, last]) => ({ name: '', bytes, first, last }));
    expect(allocate(tensors).bytes).toBe(6);
    const others = Array.from({ length: 5 }, () => ({ name: '', bytes: 0, first: 9, last: 9 }));
    expect(allocate([...tensors, ...others]).bytes).toBe(7);
  });

  it('are shared by tensors that never live at a time', () => {
    const chain = Array.from({ length: 40 }, (_, i) => ({ name: `t${i}`, bytes: 10, first: i, last: i + 1 }));
    expect(allocate(chain).bytes).toBe(20);
    expect(liveBytes(chain, 42)).toEqual([10, ...new Array(39).fill(20), 10, 0]);
  });

  it('are none for no tensors', () => {
    expect(allocate([])).toEqual({ offsets: [], bytes: 0, least: 0 });
  });
});
