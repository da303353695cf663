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

  it('are the same whenever they became as wide as they are, for whole amounts', () => {
    const spans = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 60 }), fc.nat(1000)), { minLength: 1 });
    fc.assert(
      fc.property(spans, (list) => {
        const [early, late] = [new Bins(1, 8, 1), new Bins(1, 8, 1)];
        early.cover(360);
        for (const [from, length, amount] of list) early.add(0, from, from + length, amount);
        for (const [from, length, amount] of list.toReversed()) late.add(0, from, from + length, amount);
        late.cover(360);
        expect(late.values).toEqual(early.values);
        expect(total([...late.values])).toBe(total(list.map(([, , amount]) => amount)));
      }),
    );
  });

  it('repeat what was recorded as if it had been added, and that again', () => {
    const span = fc.tuple(fc.nat(1), fc.nat(20), fc.integer({ min: 1, max: 30 }), fc.nat(50), fc.boolean());
    const spans = fc.array(span, { maxLength: 6 });
    const many = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(spans, spans, spans, many, many, fc.integer({ min: 1, max: 30 }), (a, b, c, inner, outer, stride) => {
        const [repeated, plain] = [new Bins(2, 16, 1), new Bins(2, 16, 1)];
        const add = (bins: Bins, list: typeof a, at: number) => {
          for (const [kind, from, length, amount, isSteady] of list)
            bins.add(kind, at + from, at + from + length, isSteady ? length : amount);
        };
        const far = (inner + 1) * stride + 60;
        repeated.record();
        const first = repeated.mark();
        add(repeated, a, 0);
        const second = repeated.mark();
        add(repeated, b, 0);
        repeated.repeat(second, stride, inner);
        add(repeated, c, inner * stride);
        repeated.repeat(first, far, outer);
        for (let i = 0; i <= outer; i++) {
          add(plain, a, i * far);
          for (let j = 0; j <= inner; j++) add(plain, b, i * far + j * stride);
          add(plain, c, i * far + inner * stride);
        }
        const end = Math.max(repeated.width, plain.width) * 16;
        for (const bins of [repeated, plain]) bins.cover(end);
        expect(repeated.values).toEqual(plain.values);
      }),
      { numRuns: 300 },
    );
  });
});
