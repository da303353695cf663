/** What grids and claims are often made of. */
import { parseCount } from '../../arch/language/units.ts';

/** `from` and what it becomes when multiplied by `base` again and again, up to `to`: powersOf(4, '1 Ki', '1 Mi'). */
export function powersOf(base: number, from: number | string, to: number | string): number[] {
  const last = parseCount(to);
  if (!(base > 1)) throw new RangeError(`powersOf: the base is ${base}, but must be more than 1`);
  const powers: number[] = [];
  for (let power = parseCount(from); power <= last; power *= base) powers.push(power);
  return powers;
}

/** Null of nothing, and where a value is missing. */
export function mean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  if (present.length < values.length || present.length === 0) return null;
  return present.reduce((sum, value) => sum + value, 0) / present.length;
}

/** Of positive values. Null of nothing, and where a value is missing. */
export function geometricMean(values: readonly (number | null)[]): number | null {
  const logarithm = mean(values.map((value) => (value === null ? null : Math.log(value))));
  return logarithm === null ? null : Math.exp(logarithm);
}
