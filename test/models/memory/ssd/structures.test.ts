import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../../models/memory/ssd/events.ts';
import { Latencies } from '../../../../models/memory/ssd/latencies.ts';
import { LruTable } from '../../../../models/memory/ssd/lru.ts';
import { RandomNumbers } from '../../../../models/memory/ssd/mrg.ts';
import { PageTable } from '../../../../models/memory/ssd/page-table.ts';

const seed = Number(process.env.SEED ?? 20261121);

describe('events', () => {
  it('come in order of time, and of their putting at one time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 200 }), fc.nat(100), (times, early) => {
        const events = new EventQueue();
        const expected: number[] = [];
        times.forEach((time, i) => {
          events.put(events.now + time, i);
          if (i % 7 === early % 7) expected.push(events.take());
        });
        const rest: [number, number][] = [];
        while (events.size > 0) {
          const code = events.take();
          rest.push([events.now, code]);
        }
        expect(rest).toEqual([...rest].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        expect([...expected, ...rest.map(([, code]) => code)].sort((a, b) => a - b)).toEqual(times.map((_, i) => i));
      }),
      { seed, numRuns: 200 },
    );
  });
});

describe('a table of what was used last', () => {
  it('keeps what a map in order of use keeps', () => {
    const step = fc.record({ key: fc.nat(12), does: fc.constantFrom('use', 'use', 'remove') });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 300 }), (capacity, steps) => {
        const table = new LruTable(capacity);
        const model = new Map<number, true>();
        for (const { key, does } of steps) {
          const slot = table.find(key * 2 ** 28);
          expect(slot >= 0).toBe(model.has(key));
          if (does === 'remove') {
            if (slot >= 0) table.remove(slot);
            model.delete(key);
            continue;
          }
          if (slot >= 0) table.touch(slot);
          else {
            if (table.isFull) table.remove(table.oldest);
            if (model.size === capacity) model.delete(model.keys().next().value!);
            table.insert(key * 2 ** 28);
          }
          model.delete(key);
          model.set(key, true);
          expect(table.size).toBe(model.size);
          const order: number[] = [];
          for (let at = table.oldest; at >= 0; at = table.after(at)) order.push(table.keyOf(at) / 2 ** 28);
          expect(order).toEqual([...model.keys()]);
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});

describe('a table of pages', () => {
  it('holds what was put, and nothing else', () => {
    const entry = fc.record({ page: fc.nat(2 ** 22 - 1), value: fc.nat(2 ** 31), word: fc.nat(1) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 200 }), fc.nat(2 ** 22 - 1), (entries, other) => {
        const table = new PageTable(2 ** 22, 2);
        const model = new Map<string, number>();
        for (const { page, value, word } of entries) {
          table.set(page, 2 * value, word);
          model.set(`${page} ${word}`, 2 * value);
        }
        for (const { page, word } of entries) expect(table.get(page, word)).toBe(model.get(`${page} ${word}`));
        expect(table.get(other, 0)).toBe(model.get(`${other} 0`) ?? 0);
      }),
      { seed, numRuns: 50 },
    );
  });
});

describe('latencies', () => {
  it('tell percentiles to a thousandth, and the rest exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2 ** 40), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (all, share) => {
          const latencies = new Latencies();
          for (const ps of all) latencies.add(ps);
          const sorted = [...all].sort((a, b) => a - b);
          const exact = sorted[Math.ceil(share * all.length) - 1]!;
          const told = latencies.percentile(share);
          expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact / 500);
          expect([latencies.min, latencies.max]).toEqual([sorted[0], sorted.at(-1)]);
          expect(latencies.mean).toBeCloseTo(all.reduce((sum, ps) => sum + ps, 0) / all.length, 3);
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});

describe('random numbers', () => {
  it("begin as L'Ecuyer's generator does one step behind a state of ones", () => {
    // Seed 0: moved on by one step. The recurrences, in whole numbers.
    const [m1, m2] = [4294967087n, 4294944443n];
    const next = (s: bigint[], a: bigint, i: number, b: bigint, j: number, m: bigint): bigint => {
      const value = (((a * s[i]! - b * s[j]!) % m) + m) % m;
      s.shift();
      s.push(value);
      return value;
    };
    const [s1, s2] = [
      [1n, 1n, 1n],
      [1n, 1n, 1n],
    ];
    const expected = Array.from({ length: 1001 }, () => {
      const p1 = next(s1, 1403580n, 1, 810728n, 0, m1);
      const p2 = next(s2, 527612n, 2, 1370589n, 0, m2);
      const p = p1 - p2;
      return (Number(p < 0n ? p + m1 : p) + 1) * 2.328306549295728e-10;
    });
    const numbers = new RandomNumbers(0);
    expect(Array.from({ length: 1000 }, () => numbers.next())).toEqual(expected.slice(1));
  });

  it('are spread evenly, and differ from seed to seed', () => {
    const draw = (of: number): number[] => {
      const numbers = new RandomNumbers(of);
      return Array.from({ length: 10_000 }, () => numbers.next());
    };
    const [a, b] = [draw(798), draw(799)];
    for (const all of [a, b]) expect(all.reduce((sum, value) => sum + value, 0) / all.length).toBeCloseTo(0.5, 1);
    expect(a.some((value, i) => value === b[i])).toBe(false);
    expect(Math.min(...a)).toBeGreaterThan(0);
    expect(Math.max(...a)).toBeLessThanOrEqual(1);
  });
});
