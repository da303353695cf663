import { format } from 'd3-format';

/** What is printed where a figure has no value: a mean over nothing, say. */
export const missing = '–';

const siPrefixes = new Map([
  [-15, 'f'],
  [-12, 'p'],
  [-9, 'n'],
  [-6, 'µ'],
  [-3, 'm'],
  [0, ''],
  [3, 'k'],
  [6, 'M'],
  [9, 'G'],
  [12, 'T'],
  [15, 'P'],
  [18, 'E'],
]);
const binaryPrefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

/** A unit that several values are written in, so that they can be compared: 186 of 400 GiB/s. */
export interface Scale {
  divisor: number;
  unit: string;
}

/** The SI scale in which `reference` has one to three digits before the point; time has no kiloseconds. */
export function siScale(reference: number, unit: string): Scale {
  if (!(reference > 0) || !Number.isFinite(reference)) return { divisor: 1, unit };
  const highest = unit === 's' ? 0 : 18;
  const exponent = Math.min(highest, Math.max(-15, 3 * Math.floor(Math.log10(reference) / 3 + 1e-12)));
  return { divisor: 10 ** exponent, unit: `${siPrefixes.get(exponent)}${unit}` };
}

function binaryScale(reference: number, unit: string): Scale {
  const steps = reference >= 1 ? Math.floor(Math.log2(reference) / 10) : 0;
  const power = Math.min(binaryPrefixes.length - 1, steps);
  return { divisor: 1024 ** power, unit: `${binaryPrefixes[power]}${unit}` };
}

/** SI or binary, whichever writes `reference` in fewer digits: 400 GiB/s and 1.8 TB/s as their vendors do. Ties are binary. */
export function byteScale(reference: number, unit: 'B' | 'B/s'): Scale {
  const si = siScale(reference, unit);
  const binary = binaryScale(reference, unit);
  const length = (scale: Scale) => format('.6~r')(reference / scale.divisor).length;
  return length(si) < length(binary) ? si : binary;
}

/** Plain digits down to a thousandth, an exponent below. */
function digits(value: number, significant: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(significant - 1);
  return format(Math.abs(value) >= 100 ? ',.0f' : `.${significant}~r`)(value);
}

const threeDigits = (value: number): string => digits(value, 3);

/** A value in a scale, without its unit: 186, 9.1, 0.052. */
export function inScale(value: number, scale: Scale): string {
  const scaled = value / scale.divisor;
  if (!Number.isFinite(scaled)) return missing;
  return scaled >= 1 && scaled < 100 ? format('.1~f')(scaled) : digits(scaled, 2);
}

function si(value: number, unit: string, significant: number): string {
  if (!Number.isFinite(value)) return missing;
  if (value === 0) return `0 ${unit}`;
  return format(`.${significant}s`)(value).replace(/[a-zµ]?$/i, (prefix) => ` ${prefix}${unit}`);
}

/** 2.014 ms. */
export const seconds = (value: number): string => si(value, 's', 4);

/** 0.043 ms: a time in the unit of the run that it lies in, so that a column of them can be compared. */
export function timeWithin(value: number, run: number): string {
  const scale = siScale(run, 's');
  return Number.isFinite(value) ? `${format(',.3f')(value / scale.divisor)} ${scale.unit}` : missing;
}

/** 1.95 J. */
export const joules = (value: number): string => si(value, 'J', 3);

/** 61.6 Top/s. */
export const opsPerSecond = (value: number): string => si(value, 'op/s', 3);

/** 103 Gop. */
export const operations = (value: number): string => si(value, 'op', 3);

/** 9.12 MiB. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return missing;
  const scale = binaryScale(value, 'B');
  return `${threeDigits(value / scale.divisor)} ${scale.unit}`;
}

/** 186 GiB/s; binary or SI as suits the peak that it is to be compared with. */
export function bandwidth(value: number, peak = value): string {
  if (!Number.isFinite(value)) return missing;
  const binary = byteScale(peak, 'B/s').unit.includes('i');
  const scale = binary ? binaryScale(value, 'B/s') : siScale(value, 'B/s');
  return `${threeDigits(value / scale.divisor)} ${scale.unit}`;
}

/** 412 mm². */
export function squareMillimetres(value: number): string {
  return Number.isFinite(value) ? `${threeDigits(value)} mm²` : missing;
}

/** 940 MHz. */
export function hertz(value: number): string {
  const scale = siScale(value, 'Hz');
  return Number.isFinite(value) ? `${format('.4~r')(value / scale.divisor)} ${scale.unit}` : missing;
}

/** 1,893,104. */
export const count = (value: number): string => (Number.isFinite(value) ? format(',.0f')(value) : missing);

/** 89.0 %, of a fraction. What falls short of the whole is never written as 100.0 %. */
export function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return missing;
  const tenths = fraction < 1 ? Math.min(99.9, fraction * 100) : fraction * 100;
  return `${format('.1f')(tenths)} %`;
}

/** 41 %, of a fraction, where tenths would only be noise. */
export function share(fraction: number): string {
  if (!Number.isFinite(fraction)) return missing;
  return fraction > 0 && fraction < 0.005 ? '<1 %' : `${format('.0f')(fraction * 100)} %`;
}

/** 1.2e-7. */
export const exponent = (value: number): string =>
  Number.isFinite(value) ? (value === 0 ? '0' : value.toExponential(1)) : missing;

/** 62.5: a plain ratio. */
export const ratio = (value: number): string => (Number.isFinite(value) ? threeDigits(value) : missing);

/** part / whole, and 0 of nothing. */
export const fraction = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
