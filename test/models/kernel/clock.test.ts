import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock, Ratio, unitsPerSecond } from '../../../models/kernel/clock.ts';

const runs = { numRuns: 2000 };
const isSafe = (n: bigint) => n <= BigInt(Number.MAX_SAFE_INTEGER);
/** Frequencies of both kinds: round ones, and those whose period has a denominator of twelve digits. */
const hertz = fc.oneof(
  fc.integer({ min: 1, max: 1e12 }),
  fc.integer({ min: 1, max: 9999 }).map((n) => n * 1e6),
  fc.constantFrom(1, 940e6, 1.5e9, 1e12, 999_999_999_989),
);
const cycles = fc.oneof(fc.integer({ min: 0, max: 1e11 }), fc.integer({ min: 0, max: 1000 }));

describe('a clock', () => {
  it('has its k-th edge at floor(k x 10^12 / hertz) picoseconds, exactly', () => {
    fc.assert(
      fc.property(hertz, cycles, (hz, k) => {
        const exact = (BigInt(k) * 10n ** 12n) / BigInt(hz);
        fc.pre(isSafe(exact));
        expect(new Clock('c', hz).edge(k)).toBe(Number(exact));
      }),
      runs,
    );
  });

  it('finds the first cycle that begins at or after a time', () => {
    fc.assert(
      fc.property(hertz, fc.oneof(fc.maxSafeNat(), fc.nat()), (hz, ps) => {
        const edge = (k: number) => (BigInt(k) * 10n ** 12n) / BigInt(hz);
        const k = new Clock('c', hz).cycleAtOrAfter(ps);
        expect(edge(k) >= BigInt(ps)).toBe(true);
        expect(k === 0 || edge(k - 1) < BigInt(ps)).toBe(true);
      }),
      runs,
    );
  });

  it('may be made of its picoseconds per cycle, which need not divide a second', () => {
    const clock = Clock.ofPeriod('half of 833 ps', new Ratio(833, 2));
    expect([0, 1, 2, 3, 2e9].map((k) => clock.edge(k))).toEqual([0, 416, 833, 1249, 833e9]);
    expect([416, 417, 833, 834].map((ps) => clock.cycleAtOrAfter(ps))).toEqual([1, 2, 2, 3]);
    expect(clock.hertz).toBeCloseTo(2e12 / 833, 3);
  });

  it('finds every cycle again by its edge', () => {
    fc.assert(
      fc.property(hertz, cycles, (hz, k) => {
        fc.pre(isSafe((BigInt(k) * 10n ** 12n) / BigInt(hz)));
        const clock = new Clock('c', hz);
        expect(clock.cycleAtOrAfter(clock.edge(k))).toBe(k);
      }),
      runs,
    );
  });

  it('does not drift: 940 million cycles of 940 MHz are one second', () => {
    const clock = new Clock('core', 940e6);
    expect(clock.edge(940e6)).toBe(1e12);
    expect(clock.edge(940e6 * 9000)).toBe(9000e12);
  });

  it('has whole edges in the units that it shares with others, where these are no finer than picoseconds', () => {
    expect(unitsPerSecond([940e6])).toBe(940e6);
    expect(unitsPerSecond([1e9, 8e9])).toBe(8e9);
    expect(unitsPerSecond([940e6, 1.5e9])).toBe(70.5e9);
    expect(unitsPerSecond([999_999_937, 1e9])).toBe(1e12);
    const clock = new Clock('core', 940e6, 70.5e9);
    expect(clock.period).toMatchObject({ numerator: 75, denominator: 1 });
    expect([clock.edge(7), clock.cycleAtOrAfter(7 * 75 - 1), clock.cycleAtOrAfter(7 * 75 + 1)]).toEqual([525, 7, 8]);
    expect(clock.cyclesIn(750)).toBe(10);
    expect(clock.picoseconds(1)).toBe(1063);
  });

  it('refuses a frequency that is not a whole number of hertz up to 1 THz', () => {
    for (const hz of [0, -1, 0.5, Number.NaN, 1e12 + 1]) expect(() => new Clock('c', hz)).toThrow(RangeError);
  });
});

describe('a ratio', () => {
  const part = fc.oneof(...[1000, 1e12, Number.MAX_SAFE_INTEGER].map((max) => fc.integer({ min: 1, max })));
  const count = fc.oneof(fc.nat({ max: 1e6 }), fc.maxSafeNat());

  it('scales and divides counts exactly, rounding down or up', () => {
    const floor = (n: bigint, d: bigint) => n / d;
    const ceil = (n: bigint, d: bigint) => (n + d - 1n) / d;
    let byBigInt = 0;
    fc.assert(
      fc.property(part, part, count, (numerator, denominator, n) => {
        const ratio = new Ratio(numerator, denominator);
        const [p, q, big] = [BigInt(numerator), BigInt(denominator), BigInt(n)];
        const check = (actual: (n: number) => number, exact: bigint) => {
          if (isSafe(exact)) expect(actual(n)).toBe(Number(exact));
        };
        check((k) => ratio.floorOf(k), floor(big * p, q));
        check((k) => ratio.ceilOf(k), ceil(big * p, q));
        check((k) => ratio.floorInto(k), floor(big * q, p));
        check((k) => ratio.ceilInto(k), ceil(big * q, p));
        if (!Number.isSafeInteger(ratio.numerator * ratio.denominator)) byBigInt++;
      }),
      runs,
    );
    // Doubles do for some, others need BigInt.
    expect(byBigInt).toBeGreaterThan(runs.numRuns / 4);
    expect(byBigInt).toBeLessThan(runs.numRuns);
  });

  it('stays exact where doubles are about to run out', () => {
    // numerator x denominator is the largest safe product of two odd neighbours; remainders touch both ends.
    const [p, q] = [94_906_265, 94_906_263];
    const ratio = new Ratio(p, q);
    for (let n = 0; n < 50_000; n++) {
      const far = q * 1000 - 25_000 + n;
      expect(ratio.floorOf(far)).toBe(Number((BigInt(far) * BigInt(p)) / BigInt(q)));
    }
  });

  it('is kept in lowest terms', () => {
    expect(new Ratio(10 ** 12, 940e6)).toMatchObject({ numerator: 50_000, denominator: 47 });
  });

  it('refuses parts that are not positive whole numbers', () => {
    for (const [p, q] of [
      [0, 1],
      [1, 0],
      [-1, 1],
      [1.5, 1],
      [1, Number.NaN],
    ] as const) {
      expect(() => new Ratio(p, q)).toThrow(RangeError);
    }
  });
});
