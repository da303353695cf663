import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bins } from '../../../models/kernel/bins.ts';
import { apportion, certain, halfWidth, together } from '../../../models/kernel/estimate.ts';

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, n) => all + n, 0);

describe('an interval', () => {
  it.each([
    [4, 2.7764],
    [10, 2.2281],
    [23, 2.0687],
    [120, 1.9799],
    [1e9, 1.96],
  ])("has Student's t with %d degrees of freedom", (freedom, t) => {
    expect(halfWidth({ variance: 9, freedom, bias: 5 })).toBeCloseTo(5 + 3 * t, 2);
  });

  it('is nothing where nothing is estimated', () => {
    expect(halfWidth(together([certain, certain]))).toBe(0);
  });

  it('adds up variances and biases; of two alike, with the degrees of freedom of both', () => {
    const one = { variance: 5, freedom: 12, bias: 1 };
    expect(together([one, certain])).toEqual(one);
    expect(together([one, one])).toEqual({ variance: 10, freedom: 24, bias: 2 });
  });
});

const amounts = fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 });

describe('splitting a whole number', () => {
  it('gives whole numbers that add up, each next to its share', () => {
    fc.assert(
      fc.property(fc.nat(10_000), amounts, (whole, parts) => {
        const all = sum(parts);
        const shares = apportion(whole, parts);
        expect(sum(shares)).toBe(all > 0 ? whole : 0);
        shares.forEach((share, i) => {
          expect(Number.isInteger(share)).toBe(true);
          expect(Math.abs(share - (all > 0 ? (whole * parts[i]!) / all : 0))).toBeLessThanOrEqual(1);
          expect(share).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });
});

describe('time that a timeline passes over', () => {
  it('gets all that came in it, evenly and never more than fits; what follows comes later', () => {
    fc.assert(
      fc.property(amounts, fc.nat(500), fc.nat(100), (kinds, idle, before) => {
        const bins = new Bins(kinds.length, 16, 1);
        bins.add(0, 0, before + 1, before + 1);
        const length = sum(kinds) + idle;
        bins.pass(before + 1, length, kinds);
        expect(bins.shift).toBe(length);
        bins.add(0, before + 1, before + 3, 2);
        expect(kinds.map((_, kind) => bins.total(kind))).toEqual(
          kinds.map((n, kind) => (kind === 0 ? n + before + 3 : n)),
        );
        for (let bin = 0; bin < 16; bin++) {
          const inBin = kinds.map((_, kind) => bins.values[kind * 16 + bin]!);
          expect(Math.min(...inBin)).toBeGreaterThanOrEqual(0);
          expect(sum(inBin)).toBeLessThanOrEqual(bins.width);
        }
        if (idle === 0) expect(bins.series(0, 1e9).length).toBe(16);
      }),
    );
  });
});
