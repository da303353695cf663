import fc from 'fast-check';
import { is } from 'immutable';
import { describe, expect, it } from 'vitest';
import { Rate, Registers, Span } from '../../arch/language/arch.ts';
import {
  bitsOf,
  dtypes,
  parseArea,
  parseBytesPerSecond,
  parseCount,
  parseCrossing,
  parseDuration,
  parseEnergy,
  parseEnergyPerBit,
  parseFrequency,
  parseRate,
  parseRegisters,
  parseSize,
  parseSpan,
  UnitError,
} from '../../arch/language/units.ts';

/** `message; hint` of the mistake, told of something called `it`. */
function mistake(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof UnitError) return [error.about('it'), error.hint].filter(Boolean).join('; ');
    throw error;
  }
  throw new Error('no mistake');
}

describe('quantities', () => {
  it.each([
    ['16 MiB', 16 * 2 ** 20],
    ['16MiB', 16 * 2 ** 20],
    ['1.5 KiB', 1536],
    ['2 KB', 2000],
    ['2 kB', 2000],
    ['3 GB', 3e9],
    ['2 TiB', 2 ** 41],
    ['4096 b', 512],
    ['64 Kib', 8192],
  ])('reads the size %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each([
    ['1 KiB/cycle', 1024, 'cycle'],
    ['512 B / cycle', 512, 'cycle'],
    ['1.8 TB/s', 1.8e12, 'second'],
    ['400 GiB/s', 400 * 2 ** 30, 'second'],
    ['400 Gb/s', 50e9, 'second'],
  ] as const)('reads the rate %s', (text, bytes, per) => {
    expect(is(parseRate(text), new Rate({ bytes, per }))).toBe(true);
  });

  it('reads frequencies, times, energies and areas into base units', () => {
    expect(parseFrequency('940 MHz')).toBe(940e6);
    expect(parseFrequency('1.05 GHz')).toBe(1050e6);
    expect(parseDuration('833 ps')).toBe(833);
    expect(parseDuration('0.1 us')).toBe(100_000);
    expect(parseEnergy('17.1645 pJ')).toBe(17.1645e-12);
    expect(parseEnergyPerBit('3.9 pJ/bit')).toBe(3.9e-12);
    expect(parseArea('1545 um2')).toBe(0.001545);
    expect(parseArea('2 mm²')).toBe(2);
  });

  it('keeps cycles as cycles and times as picoseconds', () => {
    expect(is(parseSpan('4 cycles'), new Span({ amount: 4, unit: 'cycles' }))).toBe(true);
    expect(is(parseSpan('1 cycle'), new Span({ amount: 1, unit: 'cycles' }))).toBe(true);
    expect(is(parseSpan('100 ns'), new Span({ amount: 100_000, unit: 'ps' }))).toBe(true);
  });

  it('reads counts with and without binary prefixes', () => {
    expect([parseCount(256), parseCount('256'), parseCount('64 Ki'), parseCount('1 Mi')]).toEqual([
      256, 256, 65536, 1048576,
    ]);
  });

  it('reads register files and latencies of reductions', () => {
    expect(is(parseRegisters('16 x bf16'), new Registers({ words: 16, dtype: 'bf16' }))).toBe(true);
    expect(parseCrossing('1 cycle per row')).toEqual({ cycles: 1, per: 'row' });
    expect(parseCrossing('2 cycles per column')).toEqual({ cycles: 2, per: 'column' });
  });

  it('scales decimals without leaving rounding errors behind', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 9 }), (thousandths) => {
        expect(parseDuration(`${thousandths / 1000} ns`)).toBe(thousandths);
      }),
    );
  });

  it('is the same for any binary prefix that says the same size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 6 }), (n) => {
        expect(parseSize(`${n} MiB`)).toBe(parseSize(`${n * 1024} KiB`));
        expect(parseRate(`${n} GB/s`).bytes).toBe(parseRate(`${8 * n} Gb/s`).bytes);
      }),
    );
  });
});

describe('a quantity of the wrong kind', () => {
  it.each<[string, () => unknown, string]>([
    ['size for rate', () => parseRate('1.8 TB'), '"1.8 TB" is a size, but it needs a rate; write "1.8 TB/s"'],
    ['rate for size', () => parseSize('1.8 TB/s'), '"1.8 TB/s" is a rate, but it needs a size; write "1.8 TB"'],
    ['no unit for size', () => parseSize(1024), '1024 has no unit, but it needs a size; write "1024 B"'],
    [
      'no unit for span',
      () => parseSpan(4),
      '4 has no unit, but it needs a number of cycles or a time; write "4 cycles"',
    ],
    ['no unit for clock', () => parseFrequency(940), '940 has no unit, but it needs a frequency; write "940 MHz"'],
    ['time for clock', () => parseFrequency('1 ns'), '"1 ns" is a time, but it needs a frequency; such as "940 MHz"'],
    ['size for count', () => parseCount('256 B'), '"256 B" is a size, but it needs a count; write 256'],
    [
      'energy for energy per bit',
      () => parseEnergyPerBit('4 pJ'),
      '"4 pJ" is an energy, but it needs an energy per bit; write "4 pJ/bit"',
    ],
    [
      'cycles without a clock',
      () => parseDuration('4 cycles'),
      '"4 cycles" is a number of cycles, but it needs a time; such as "100 ns"',
    ],
    [
      'per cycle without a clock',
      () => parseBytesPerSecond('64 B/cycle'),
      '"64 B/cycle" is per cycle, but it has no clock and needs a rate per second; such as "400 GiB/s"',
    ],
    ['word', () => parseSize('big'), '"big" is no quantity, but it needs a size; such as "16 MiB"'],
    ['unknown unit', () => parseSize('16 MIB'), '"16 MIB" has the unknown unit "MIB"; did you mean "MiB"?'],
    [
      'unknown ratio',
      () => parseRate('16 B/cycles'),
      '"16 B/cycles" has the unknown unit "B/cycles"; did you mean "B/cycle"?',
    ],
    ['unclear prefix', () => parseCount('16 K'), '"16 K" could mean powers of 1000 or of 1024; write "16 Ki" or 16000'],
    ['zero', () => parseSize('0 B'), '"0 B" is zero, but it cannot be'],
    ['negative', () => parseSize('-4 MiB'), '"-4 MiB" is negative, but it cannot be'],
    ['negative time', () => parseSpan('-1 ns'), '"-1 ns" is negative, but it cannot be'],
    ['fraction', () => parseCount(2.5), '2.5 is not whole, but it needs a whole number'],
    ['part of a byte', () => parseSize('12 b'), '"12 b" is not a whole number of bytes'],
    ['register file', () => parseRegisters('16 bf16'), '"16 bf16" is no register file; such as "16 x bf16"'],
    ['data type', () => parseRegisters('16 x bf61'), '"bf61" is no data type; did you mean "bf16"?'],
    ['reduction', () => parseCrossing('1 cycle'), '"1 cycle" is no latency of a reduction; such as "1 cycle per row"'],
  ])('%s says what it is, what is needed and what to write', (_, parse, message) => {
    expect(mistake(parse)).toBe(message);
  });
});

describe('data types', () => {
  it('have their number of bits', () => {
    expect(['bf16', 'fp32', 'int8', 'int4', 'fp8'].map(bitsOf)).toEqual([16, 32, 8, 4, 8]);
    expect(dtypes.every((name) => bitsOf(name) > 0)).toBe(true);
  });

  it('that do not exist suggest one that does', () => {
    expect(() => bitsOf('int9')).toThrow('"int9" is no data type; did you mean "int8"?');
  });
});
