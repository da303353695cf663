import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bins } from '../../../models/kernel/bins.ts';

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe('bins', () => {
  it('spread an amount over the time that it took', () => {
    const bins = new Bins(1, 4, 10);
    bins.add(0, 5, 25, 100);
    expect(bins.series(0, 25)).toEqual([25, 50, 25]);
  });

  it('take an amount of no time into the bin that ends there, be it the first or the last', () => {
    const bins = new Bins(2, 4, 10);
    for (const at of [0, 20, 25, 40]) bins.add(0, at, at, 1);
    expect(bins.series(0, 40)).toEqual([1, 1, 1, 1]);
    expect(bins.series(1, 40)).toEqual([0, 0, 0, 0]);
  });

  it('double in width when the run outgrows them, and lose nothing', () => {
    const bins = new Bins(1, 4, 10);
    bins.add(0, 0, 40, 40);
    bins.add(0, 40, 41, 1);
    expect(bins.width).toBe(20);
    expect(bins.series(0, 41)).toEqual([20, 20, 1]);
  });

  it('keep kinds apart', () => {
    const bins = new Bins(2, 4, 1);
    bins.add(0, 0, 2, 2);
    bins.add(1, 2, 9, 7);
    expect(bins.series(0, 9)).toEqual([2, 0, 0]);
    expect(bins.series(1, 9)).toEqual([2, 4, 1]);
  });

  it('reach to the end of the run', () => {
    const bins = new Bins(1, 4, 1);
    bins.add(0, 0, 1, 1);
    bins.cover(15);
    expect(bins.width).toBe(4);
    expect(bins.series(0, 15)).toEqual([1, 0, 0, 0]);
    expect(new Bins(1, 4, 1).series(0, 0)).toEqual([0]);
  });

  it('hold what every moment holds, in any order of adding', () => {
    const spans = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 60 })), { minLength: 1 });
    fc.assert(
      fc.property(spans, (list) => {
        const bins = new Bins(1, 8, 1);
        const perMoment = Array<number>(400).fill(0);
        for (const [from, length] of list) {
          bins.add(0, from, from + length, length);
          for (let t = from; t < from + length; t++) perMoment[t]!++;
        }
        const end = Math.max(...list.map(([from, length]) => from + length));
        const expected = Array.from({ length: Math.ceil(end / bins.width) }, (_, i) =>
          total(perMoment.slice(i * bins.width, (i + 1) * bins.width)),
        );
        expect(bins.series(0, end)).toEqual(expected);
        expect(expected.length).toBeLessThanOrEqual(8);
      }),
    );
  });
});
