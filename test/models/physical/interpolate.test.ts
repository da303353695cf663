import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bracket, nearestTo, onLine, onPowerLaw } from '../../../models/physical/interpolate.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}
const x = (point: Point): number => point.x;
const y = (point: Point): number => point.y;
const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
const table = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 8 });

describe('rows of a table', () => {
  it('are the two around a position, whatever their order', () => {
    const rows = [4, 1, 16, 9].map((at) => ({ x: at, y: 0 }));
    const around = (at: number) => bracket(rows, x, at).map(x);
    expect(around(5)).toEqual([4, 9]);
    expect(around(0.5)).toEqual([1, 4]);
    expect(around(99)).toEqual([9, 16]);
    expect(around(9)).toEqual([9, 9]);
  });

  it('are the first where several share a position', () => {
    const rows = [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
      { x: 2, y: 3 },
    ];
    expect(bracket(rows, x, 2).map(y)).toEqual([2, 2]);
    expect(bracket(rows, x, 5).map(y)).toEqual([1, 2]);
  });

  it('are the only one where there is one, and none is an error', () => {
    const only = { x: 3, y: 1 };
    expect(bracket([only], x, 2)).toEqual([only, only]);
    expect(bracket([only], x, 4)).toEqual([only, only]);
    expect(() => bracket([], x, 1)).toThrow();
  });

  it('give back the quantity of every row exactly', () => {
    fc.assert(
      fc.property(table, fc.infiniteStream(positive), (positions, values) => {
        const rows = positions.map((at) => ({ x: at, y: values.next().value! }));
        for (const row of rows) {
          expect(onLine(bracket(rows, x, row.x), x, y, row.x)).toBe(row.y);
          expect(onPowerLaw(bracket(rows, x, row.x), x, y, row.x)).toBe(row.y);
        }
      }),
    );
  });

  it('lie on the law that they were made by', () => {
    fc.assert(
      fc.property(table, positive, fc.double({ min: -3, max: 3, noNaN: true }), positive, (positions, a, b, at) => {
        const lawful = positions.map((p) => ({ x: p, y: a * p ** b }));
        expect(onPowerLaw(bracket(lawful, x, at), x, y, at) / (a * at ** b)).toBeCloseTo(1, 6);
        const straight = positions.map((p) => ({ x: p, y: a + p }));
        expect(onLine(bracket(straight, x, at), x, y, at)).toBeCloseTo(a + at, 6);
      }),
    );
  });

  it('that hold a zero are joined by a straight line', () => {
    const rows = [
      { x: 1, y: 0 },
      { x: 3, y: 4 },
    ];
    expect(onPowerLaw(bracket(rows, x, 2), x, y, 2)).toBe(2);
  });
});

describe('the nearest value', () => {
  it('is the smaller of two as near', () => {
    expect(nearestTo(16, [8, 32])).toBe(8);
    expect(nearestTo(20, [32, 8])).toBe(8);
    expect(nearestTo(512, [8, 32])).toBe(32);
  });
});
