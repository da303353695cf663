import fc from 'fast-check';
import { Map as ImmutableMap, Set as ImmutableSet, List, OrderedMap, Record } from 'immutable';
import { describe, expect, it } from 'vitest';
import { loadArch, loadWorkload } from '../../../index.ts';
import { CanonicalError, canonical } from '../../../models/study/canonical.ts';

class Size extends Record<{ rows: number; columns: number }>({ rows: 1, columns: 1 }, 'Size') {}
class Shape extends Record<{ rows: number; columns: number }>({ rows: 1, columns: 1 }, 'Shape') {}

describe('the text of a value', () => {
  it('is equal for data that is equal, whatever the order of its keys, and differs otherwise', () => {
    const shuffled = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shuffled)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, item]) => [key, shuffled(item)]),
            )
          : value;
    const data = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(data, data, (a, b) => {
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        expect(canonical(shuffled(a))).toBe(canonical(a));
        const isEqual = (() => {
          try {
            expect(plain(a)).toEqual(plain(b));
            return true;
          } catch {
            return false;
          }
        })();
        expect(canonical(plain(a)) === canonical(plain(b))).toBe(isEqual);
      }),
      { numRuns: 300 },
    );
  });

  it('tells apart what is written alike', () => {
    const values = [
      1,
      '1',
      true,
      'true',
      null,
      'null',
      [],
      {},
      [1],
      ['1'],
      [[1], 2],
      [1, [2]],
      { a: 1 },
      { a: '1' },
      [null],
    ];
    const more = [{ 'a:1,b': 2 }, { a: 1, b: 2 }, new Map([[1, 2]]), List([List()]), ImmutableSet([1]), 10n, 10];
    const texts = [...values, ...more].map((value) => canonical(value));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('takes immutable values by what they hold', () => {
    expect(canonical(new Size({ rows: 2 }))).toBe(
      canonical(new Size().set('columns', 5).set('rows', 2).set('columns', 1)),
    );
    expect(canonical(new Size())).not.toBe(canonical(new Shape()));
    expect(canonical(ImmutableMap({ a: 1, b: 2 }))).toBe(canonical(ImmutableMap({ b: 2, a: 1 })));
    expect(canonical(OrderedMap({ a: 1, b: 2 }))).not.toBe(canonical(OrderedMap({ b: 2, a: 1 })));
    expect(canonical(ImmutableSet(['x', 'y']))).toBe(canonical(ImmutableSet(['y', 'x'])));
    expect(canonical(new Float64Array([1, 2]))).not.toBe(canonical(new Int32Array([1, 2])));
  });

  it('is that of equal machines, even on DRAM, and not of others', () => {
    const set = ['hbm={ kind: memory, use: dram/hbm2, channels: 8 }'];
    const [a, b] = [loadArch('fusemax', { set }), loadArch('fusemax', { set })];
    expect(canonical(a)).toBe(canonical(b));
    expect(canonical(a.setIn(['parts', 'array', 'rows'], 128))).not.toBe(canonical(b));
    expect(canonical(a.setIn(['parts', 'array', 'rows'], 128))).toBe(
      canonical(b.setIn(['parts', 'array', 'rows'], 64).setIn(['parts', 'array', 'rows'], 128)),
    );
    const shape = (m: number) => canonical(loadWorkload('gemm', { shape: [`M=${m}`] }).workload);
    expect(shape(64)).not.toBe(shape(128));
  });

  it('says where a value cannot be told from others', () => {
    expect(() => canonical({ a: [{ f: () => 1 }] })).toThrow(
      new CanonicalError('inputs.a[0].f is a function, which cannot be told from others by its value'),
    );
    expect(() => canonical(List([new (class Hidden {})()]))).toThrow(/^inputs\[0\] is an instance of Hidden/);
  });
});
