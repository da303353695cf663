/** Lengths of prompts and answers, and times between requests, as files have them and as they are drawn. */
import { UnitError } from '../../arch/language/units.ts';

/** How many tokens something has. `most` of a lognormal one cuts off what is longer. */
export type Lengths =
  | { readonly kind: 'constant'; readonly tokens: number }
  | { readonly kind: 'uniform'; readonly least: number; readonly most: number }
  | { readonly kind: 'lognormal'; readonly mean: number; readonly sigma: number; readonly most: number };

/** When requests arrive, `perSecond` of them on average. */
export interface Arriving {
  readonly kind: 'poisson' | 'fixed';
  readonly perSecond: number;
}

const lengthsHint = 'such as 512, "uniform(32, 2048)" or "lognormal(376, 0.8)" (mean, sigma of the logarithm)';
const arrivingHint = 'such as "poisson(9/s)" or "fixed(9/s)"';

/** `512`, `uniform(32, 2048)`, `lognormal(376, 0.8)`, `lognormal(376, 0.8, 2048)`. @throws UnitError */
export function parseLengths(written: string | number): Lengths {
  const text = String(written).trim();
  const wrong = (what: string): UnitError => new UnitError(`"${text}" ${what}`, undefined, lengthsHint);
  if (/^\d+$/.test(text)) {
    if (Number(text) < 1) throw wrong('is no token at all');
    return { kind: 'constant', tokens: Number(text) };
  }
  const call = /^(\w+)\s*\(([^()]*)\)$/.exec(text);
  const numbers = (call?.[2] ?? '').split(',').map((number) => (number.trim() === '' ? Number.NaN : Number(number)));
  const [first = Number.NaN, second = Number.NaN, third = Number.POSITIVE_INFINITY] = numbers;
  switch (call?.[1]) {
    case 'uniform':
      if (numbers.length !== 2 || ![first, second].every(isTokens)) throw wrong('needs two numbers of tokens');
      if (first > second) throw wrong('has its longest length first');
      return { kind: 'uniform', least: first, most: second };
    case 'lognormal':
      if (numbers.length > 3 || !(first >= 1) || !(second >= 0)) throw wrong('needs a mean and a sigma');
      if (numbers.length === 3 && !isTokens(third)) throw wrong('needs a number of tokens as its third');
      return { kind: 'lognormal', mean: first, sigma: second, most: third };
    default:
      throw wrong('is no length');
  }
}

/** `poisson(9/s)`, `fixed(9/s)`. @throws UnitError */
export function parseArriving(text: string): Arriving {
  const match = /^(poisson|fixed)\s*\(\s*(\d+\.?\d*|\.\d+)\s*\/\s*s\s*\)$/.exec(text.trim());
  const perSecond = Number(match?.[2]);
  if (!match || perSecond <= 0)
    throw new UnitError(`"${text}" does not say when requests arrive`, undefined, arrivingHint);
  return { kind: match[1] as Arriving['kind'], perSecond };
}

/** One length, at least 1. `random` gives numbers in [0, 1); a constant takes none of them. */
export function drawLength(lengths: Lengths, random: () => number): number {
  switch (lengths.kind) {
    case 'constant':
      return lengths.tokens;
    case 'uniform':
      return lengths.least + Math.floor(random() * (lengths.most - lengths.least + 1));
    case 'lognormal': {
      const { mean, sigma, most } = lengths;
      const drawn = Math.exp(Math.log(mean) - sigma ** 2 / 2 + sigma * normal(random));
      return Math.min(most, Math.max(1, Math.round(drawn)));
    }
  }
}

/** Seconds between two requests. */
export function drawGap({ kind, perSecond }: Arriving, random: () => number): number {
  return (kind === 'fixed' ? 1 : -Math.log(1 - random())) / perSecond;
}

/** Mean 0 and variance 1 (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function isTokens(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
