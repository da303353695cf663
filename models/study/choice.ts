/** Points chosen in words: values of parameters as a command line or a table writes them. */
import { type Diagnostic, InputError, suggest } from '../../arch/language/diagnostics.ts';
import { parseCount, UnitError } from '../../arch/language/units.ts';
import type { Point, Value } from './definition.ts';
import type { Study } from './study.ts';

/** Something that is wrong with a text, and what to do. */
export interface Mistake {
  readonly message: string;
  readonly hint?: string;
}

/** A parameter by its name. */
export function parameterMistake(study: Study, name: string): Mistake | null {
  if (study.parameters.has(name)) return null;
  return { message: `study ${study.name} has no parameter "${name}"`, hint: suggest(name, study.parameters.keys()) };
}

/** The value that a text stands for: one of those that a parameter has, or any number where it has numbers. */
export function readValue(text: string, values: readonly Value[]): Value | undefined {
  const exact = values.find((value) => String(value) === text);
  if (exact !== undefined || !values.some((value) => typeof value === 'number')) return exact;
  const number = /^[-+.\w]+$/.test(text) ? Number(text) : Number.NaN;
  if (text !== '' && Number.isFinite(number)) return number;
  try {
    return parseCount(text);
  } catch (error) {
    if (error instanceof UnitError) return undefined;
    throw error;
  }
}

export function valueMistake(parameter: string, text: string, values: readonly Value[]): Mistake {
  const message = text === '' ? `"${parameter}" has no value here` : `"${text}" is no value of "${parameter}"`;
  return { message, hint: suggest(text, values.map(String)) };
}

/** Which values of which parameters are wanted: `model=BERT,seq=1024|4096`. */
export class Filter {
  readonly #wanted = new Map<string, ReadonlySet<Value>>();

  /** `points` may have values that the grid has not. @throws InputError with every mistake. */
  constructor(texts: readonly string[], study: Study, points: readonly Point[]) {
    const mistakes: Diagnostic[] = [];
    for (const condition of texts.flatMap((text) => text.split(','))) {
      const [name = '', listed, ...rest] = condition.split('=').map((part) => part.trim());
      if (listed === undefined || rest.length > 0 || name === '') {
        const hint = 'write "parameter=value", or "parameter=value|value"';
        mistakes.push({ message: `--only: "${condition}" is no condition`, hint });
        continue;
      }
      const unknown = parameterMistake(study, name);
      if (unknown) {
        mistakes.push({ ...unknown, message: `--only: ${unknown.message}` });
        continue;
      }
      const values = [...new Set([...(study.parameters.get(name) ?? []), ...points.map((p) => p[name] as Value)])];
      const wanted = listed.split('|').map((text) => {
        const value = readValue(text.trim(), values);
        if (value !== undefined && values.includes(value)) return value;
        const mistake = valueMistake(name, text.trim(), values);
        mistakes.push({ ...mistake, message: `--only: ${mistake.message}` });
        return undefined;
      });
      const earlier = this.#wanted.get(name);
      this.#wanted.set(
        name,
        new Set([...wanted.filter((value) => value !== undefined)].filter((v) => !earlier || earlier.has(v))),
      );
    }
    if (mistakes.length > 0) throw new InputError(mistakes);
  }

  takes(point: Point): boolean {
    return [...this.#wanted].every(([name, values]) => values.has(point[name] as Value));
  }
}

/** The points that have these values; what is left open takes all values of its parameter. */
export function expand(study: Study, given: { readonly [parameter: string]: Value }): Point[] {
  let points: Point[] = [{}];
  for (const [name, all] of study.parameters) {
    const values = Object.hasOwn(given, name) ? [given[name] as Value] : all;
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}
