/** Quantities as people write them ("16 MiB", "940 MHz", "1.8 TB/s") to numbers, and the sizes of data types. */
import { Rate, Registers, Span } from './arch.ts';
import { InputError, nearest, suggest } from './diagnostics.ts';

/**
 * A text that is not the quantity wanted. `found` and `needs` make a sentence around the name of what it was written
 * for: `"1.8 TB" is a size` ... `needs a rate`.
 */
export class UnitError extends Error {
  readonly found: string;
  readonly needs: string | undefined;
  readonly hint: string | undefined;

  constructor(found: string, needs?: string, hint?: string) {
    super(needs ? `${found}, but this ${needs}` : found);
    this.name = 'UnitError';
    this.found = found;
    this.needs = needs;
    this.hint = hint;
  }

  /** The mistake as one clause about what it was written for. */
  about(name: string): string {
    return this.needs ? `${this.found}, but ${name} ${this.needs}` : this.found;
  }
}

type Dimension =
  | 'count'
  | 'size'
  | 'rate'
  | 'frequency'
  | 'time'
  | 'cycles'
  | 'energy'
  | 'energyPerBit'
  | 'power'
  | 'area'
  | 'operations'
  | 'intensity';

interface Measure {
  readonly dimension: Dimension;
  /** As messages show it. */
  readonly shown: string;
  /** The number as written, in its unit. */
  readonly number: string;
  readonly unit: string;
  /** Bytes, hertz, picoseconds, cycles, joules, watts, mm2. */
  readonly value: number;
}

const nouns: { readonly [D in Dimension]: string } = {
  count: 'a count',
  size: 'a size',
  rate: 'a rate',
  frequency: 'a frequency',
  time: 'a time',
  cycles: 'a number of cycles',
  energy: 'an energy',
  energyPerBit: 'an energy per bit',
  power: 'a power',
  area: 'an area',
  operations: 'a number of operations',
  intensity: 'an operational intensity',
};

const examples: { readonly [D in Dimension]: string } = {
  count: '64 Ki',
  size: '16 MiB',
  rate: '1.8 TB/s',
  frequency: '940 MHz',
  time: '100 ns',
  cycles: '4 cycles',
  energy: '17.2 pJ',
  energyPerBit: '3.9 pJ/bit',
  power: '66 mW',
  area: '1545 um2',
  operations: '8 Op',
  intensity: '8 Op/B',
};

const units = new Map<string, readonly [Dimension, number]>([
  ['Ki', ['count', 2 ** 10]],
  ['Mi', ['count', 2 ** 20]],
  ['Gi', ['count', 2 ** 30]],
  ...sizes('B', 1),
  ...sizes('b', 1 / 8),
  ['Hz', ['frequency', 1]],
  ['kHz', ['frequency', 1e3]],
  ['MHz', ['frequency', 1e6]],
  ['GHz', ['frequency', 1e9]],
  ['ps', ['time', 1]],
  ['ns', ['time', 1e3]],
  ['us', ['time', 1e6]],
  ['ms', ['time', 1e9]],
  ['s', ['time', 1e12]],
  ['cycle', ['cycles', 1]],
  ['cycles', ['cycles', 1]],
  ['fJ', ['energy', 1e-15]],
  ['pJ', ['energy', 1e-12]],
  ['nJ', ['energy', 1e-9]],
  ['uJ', ['energy', 1e-6]],
  ['mJ', ['energy', 1e-3]],
  ['J', ['energy', 1]],
  ['mW', ['power', 1e-3]],
  ['W', ['power', 1]],
  ['um2', ['area', 1e-6]],
  ['mm2', ['area', 1]],
  ['Op', ['operations', 1]],
]);

function sizes(unit: string, bytes: number): [string, readonly [Dimension, number]][] {
  const decimal = ['k', 'M', 'G', 'T', 'P'].map((prefix, i) => [`${prefix}${unit}`, 1000 ** (i + 1)] as const);
  const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'].map((prefix, i) => [`${prefix}${unit}`, 1024 ** (i + 1)] as const);
  const all = [[unit, 1] as const, [`K${unit}`, 1000] as const, ...decimal, ...binary];
  return all.map(([name, factor]) => [name, ['size', factor * bytes]]);
}

/** What may stand after the slash, by what stands before it. */
const ratios: { readonly [key: string]: Dimension } = {
  'size/s': 'rate',
  'size/cycle': 'rate',
  'energy/bit': 'energyPerBit',
  'operations/B': 'intensity',
};

function measure(written: string | number): Measure {
  const text = String(written).trim();
  if (/^[+-]?\d{1,3}(,\d{3})+\b/.test(text)) {
    throw new UnitError(`"${text}" has commas in a number`, undefined, `write "${text.replaceAll(',', '')}"`);
  }
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)$/.exec(text);
  if (!match) throw new UnitError(`"${text}" is no quantity`);
  const shown = typeof written === 'number' ? text : `"${text}"`;
  const number = match[1]!;
  const unit = match[2]!
    .replace(/\s*\/\s*/, '/')
    .replace(/^µ/, 'u')
    .replace(/²$/, '2');
  const [top, bottom, ...more] = unit.split('/') as [string, ...string[]];
  const known = top === '' ? (['count', 1] as const) : units.get(top);
  if (!known || more.length > 0) throw unknownUnit(text, number, top);
  const [dimension, factor] = known;
  // Fifteen digits: what was written in decimal stays so after scaling.
  const value = Number((Number(number) * factor).toPrecision(15));
  if (bottom === undefined) return { dimension, shown, number, unit, value };
  const ratio = ratios[`${dimension}/${bottom}`];
  if (!ratio) throw unknownUnit(text, number, unit);
  return { dimension: ratio, shown, number, unit, value };
}

function unknownUnit(text: string, number: string, unit: string): UnitError {
  if (/^[kKMG]$/.test(unit)) {
    const factor = { k: 1e3, M: 1e6, G: 1e9 }[unit.replace('K', 'k')]!;
    const hint = `write "${number} ${unit.toUpperCase()}i" or ${Number(number) * factor}`;
    return new UnitError(`"${text}" could mean powers of 1000 or of 1024`, undefined, hint);
  }
  const [top = '', bottom] = unit.split('/');
  const near = nearest(top, units.keys());
  const all = bottom === undefined ? [...units.keys()] : ['/s', '/cycle', '/bit'].map((per) => `${near ?? 'B'}${per}`);
  const meant = nearest(unit, all);
  const hint =
    meant === undefined ? `such as ${['B', 'MiB', 'B/s', 'MHz', 'ns'].join(', ')}` : `did you mean "${meant}"?`;
  return new UnitError(`"${text}" has the unknown unit "${unit}"`, undefined, hint);
}

/** A measure of one of the wanted dimensions that is not negative. */
function wanted(written: string | number, ...dimensions: [Dimension, ...Dimension[]]): Measure {
  const needs = `needs ${dimensions.map((d) => nouns[d]).join(' or ')}`;
  const such = `such as "${examples[dimensions[0]]}"`;
  let found: Measure;
  try {
    found = measure(written);
  } catch (error) {
    if (error instanceof UnitError && error.hint === undefined) throw new UnitError(error.found, needs, such);
    throw error;
  }
  if (!dimensions.includes(found.dimension)) {
    const is = found.unit === '' ? 'has no unit' : `is ${nouns[found.dimension]}`;
    throw new UnitError(`${found.shown} ${is}`, needs, rewritten(found, dimensions[0]) ?? such);
  }
  if (found.value < 0) throw new UnitError(`${found.shown} is negative`, 'cannot be');
  return found;
}

/** The likely intention behind a quantity of another dimension. */
function rewritten({ dimension, number, unit }: Measure, target: Dimension): string | undefined {
  if (target === 'rate' && dimension === 'size') return `write "${number} ${unit}/s"`;
  if (target === 'size' && dimension === 'rate') return `write "${number} ${unit.split('/')[0]}"`;
  if (target === 'energyPerBit' && dimension === 'energy') return `write "${number} ${unit}/bit"`;
  if (target === 'intensity' && dimension === 'operations') return `write "${number} Op/B"`;
  if (target === 'count') return `write ${number}`;
  if (dimension !== 'count' || unit !== '') return undefined;
  const usual: { readonly [D in Dimension]?: string } = {
    size: 'B',
    rate: 'B/cycle',
    frequency: 'MHz',
    time: 'ns',
    cycles: Number(number) === 1 ? 'cycle' : 'cycles',
    energy: 'pJ',
    energyPerBit: 'pJ/bit',
    power: 'mW',
    area: 'um2',
    intensity: 'Op/B',
  };
  return `write "${number} ${usual[target]}"`;
}

function positive(found: Measure): Measure {
  if (found.value === 0) throw new UnitError(`${found.shown} is zero`, 'cannot be');
  return found;
}

/** Bytes, more than none. @throws UnitError */
export function parseSize(text: string | number): number {
  const { value } = positive(wanted(text, 'size'));
  if (!Number.isInteger(value)) throw new UnitError(`"${text}" is not a whole number of bytes`);
  return value;
}

/** Bytes per cycle or per second, more than none. @throws UnitError */
export function parseRate(text: string | number): Rate {
  const { value, unit } = positive(wanted(text, 'rate'));
  return new Rate({ bytes: value, per: unit.endsWith('/s') ? 'second' : 'cycle' });
}

/** Bytes per second, for what has no clock. @throws UnitError */
export function parseBytesPerSecond(text: string | number): number {
  const rate = parseRate(text);
  if (rate.per === 'second') return rate.bytes;
  throw new UnitError(`"${text}" is per cycle`, 'has no clock and needs a rate per second', 'such as "400 GiB/s"');
}

/** Hertz, more than none. @throws UnitError */
export function parseFrequency(text: string | number): number {
  return positive(wanted(text, 'frequency')).value;
}

/** Cycles or picoseconds, none included. @throws UnitError */
export function parseSpan(text: string | number): Span {
  const { value, dimension } = wanted(text, 'cycles', 'time');
  return new Span({ amount: value, unit: dimension === 'cycles' ? 'cycles' : 'ps' });
}

/** Picoseconds, none included, for what has no clock. @throws UnitError */
export function parseDuration(text: string | number): number {
  return wanted(text, 'time').value;
}

/** A whole number, at least 1: `256`, `64 Ki`. @throws UnitError */
export function parseCount(text: string | number): number {
  const { value, shown } = positive(wanted(text, 'count'));
  if (!Number.isInteger(value)) throw new UnitError(`${shown} is not whole`, 'needs a whole number');
  return value;
}

/** Joules. @throws UnitError */
export function parseEnergy(text: string | number): number {
  return wanted(text, 'energy').value;
}

/** Joules per bit. @throws UnitError */
export function parseEnergyPerBit(text: string | number): number {
  return wanted(text, 'energyPerBit').value;
}

/** Watts. @throws UnitError */
export function parsePower(text: string | number): number {
  return wanted(text, 'power').value;
}

/** Square millimetres. @throws UnitError */
export function parseArea(text: string | number): number {
  return wanted(text, 'area').value;
}

/** Operations per byte, more than none. @throws UnitError */
export function parseIntensity(text: string | number): number {
  return positive(wanted(text, 'intensity')).value;
}

/** `16 x bf16`: words held by each PE or lane. @throws UnitError */
export function parseRegisters(text: string): Registers {
  const match = /^(\d+)\s*x\s*(\S+)$/.exec(text.trim());
  if (!match) throw new UnitError(`"${text}" is no register file`, undefined, 'such as "16 x bf16"');
  const dtype = match[2]!;
  if (!bits.has(dtype)) throw new UnitError(`"${dtype}" is no data type`, undefined, suggest(dtype, bits.keys()));
  return new Registers({ words: parseCount(match[1]!), dtype });
}

/** `1 cycle per row`: cycles for each row or column crossed. @throws UnitError */
export function parseCrossing(text: string): { readonly cycles: number; readonly per: 'row' | 'column' } {
  const match = /^(.*\S)\s+per\s+(row|column)$/.exec(text.trim());
  if (!match) throw new UnitError(`"${text}" is no latency of a reduction`, undefined, 'such as "1 cycle per row"');
  return { cycles: wanted(match[1]!, 'cycles').value, per: match[2] as 'row' | 'column' };
}

const bits: ReadonlyMap<string, number> = new Map([
  ['fp64', 64],
  ['fp32', 32],
  ['bf16', 16],
  ['fp16', 16],
  ['fp8', 8],
  ['fp8e4m3', 8],
  ['fp8e5m2', 8],
  ['fp4', 4],
  ['int64', 64],
  ['int32', 32],
  ['int16', 16],
  ['int8', 8],
  ['int4', 4],
  ['int2', 2],
  ['int1', 1],
  ['uint8', 8],
]);

/** Names of the data types. */
export const dtypes: readonly string[] = [...bits.keys()];

/** Bits of one element. @throws InputError on a type that does not exist. */
export function bitsOf(dtype: string): number {
  const found = bits.get(dtype);
  if (found === undefined) {
    throw new InputError({ message: `"${dtype}" is no data type`, hint: suggest(dtype, bits.keys()) });
  }
  return found;
}
