import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bandwidth,
  byteScale,
  bytes,
  exponent,
  inScale,
  joules,
  operations,
  percent,
  ratio,
  seconds,
  share,
  squareMillimetres,
  timeWithin,
} from '../../reports/format.ts';

describe('quantities', () => {
  it('have an SI prefix and a unit', () => {
    expect(seconds(2.01392979e-3)).toBe('2.014 ms');
    expect(joules(1.95006)).toBe('1.95 J');
    expect(operations(103e9)).toBe('103 Gop');
    expect(seconds(0)).toBe('0 s');
  });

  it('take the next prefix when rounding reaches it', () => {
    expect(seconds(999.99e-6)).toBe('1.000 ms');
  });

  it('have binary prefixes when they are sizes', () => {
    expect(bytes(16 * 2 ** 20)).toBe('16 MiB');
    expect(bytes(9_408_512)).toBe('8.97 MiB');
    expect(bytes(0)).toBe('0 B');
  });

  it('keep the units in which a vendor states the peak', () => {
    expect(bandwidth(400 * 2 ** 30)).toBe('400 GiB/s');
    expect(bandwidth(1.8e12)).toBe('1.8 TB/s');
    expect(bandwidth(9e11, 1.8e12)).toBe('900 GB/s');
    expect(inScale(200e9, byteScale(400 * 2 ** 30, 'B/s'))).toBe('186');
  });

  it('share the unit of the run in a column of times', () => {
    expect(timeWithin(42.553e-6, 3.5e-3)).toBe('0.043 ms');
  });

  it('are never rounded up to the whole', () => {
    expect(percent(0.9996)).toBe('99.9 %');
    expect(percent(1)).toBe('100.0 %');
  });

  it('are never rounded down to nothing', () => {
    expect(share(0.001)).toBe('<1 %');
    expect(share(0)).toBe('0 %');
  });

  it('are a dash where they have no value', () => {
    for (const write of [
      seconds,
      joules,
      operations,
      bytes,
      bandwidth,
      percent,
      share,
      exponent,
      ratio,
      squareMillimetres,
    ])
      expect(write(Number.NaN)).toBe('–');
  });

  it('are short and finite for any magnitude', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-18, max: 1e18, noNaN: true }), (value) => {
        for (const text of [
          seconds(value),
          joules(value),
          bytes(value),
          bandwidth(value),
          operations(value),
          ratio(value),
        ]) {
          expect(text).not.toMatch(/NaN|undefined|Infinity/);
          expect(text.length).toBeLessThan(26);
        }
      }),
    );
  });
});
