/** Extents of ranks: arithmetic on ranks and parameters, splits into parts, and overrides from the command line. */
import { Map as ImmutableMap, List, OrderedMap } from 'immutable';
import { type Diagnostic, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { parseCount, UnitError } from '../../arch/language/units.ts';
import { scalarFunction } from './operators.ts';
import type { ExpressionSyntax, ExtentSyntax, SplitSyntax } from './syntax.ts';

export interface Extents {
  /** Every rank and part of a rank, in order of declaration; NaN where a mistake was reported. */
  readonly ranks: OrderedMap<string, number>;
  readonly split: ImmutableMap<string, List<string>>;
  /** What a bare name in an expression is worth: ranks and parameters. */
  readonly values: ReadonlyMap<string, number>;
}

/** Reads `P=4096` or `P=4 Ki` into a map. Options that are not of this form are added to `mistakes`. */
export function parseShape(shape: readonly string[], mistakes: Diagnostic[]): Map<string, number> {
  const overrides = new Map<string, number>();
  for (const option of shape) {
    const [, name, value] = /^\s*(\w+)\s*=\s*(.+)$/.exec(option) ?? [];
    if (name === undefined || value === undefined) {
      mistakes.push({ message: `"${option}" sets no rank`, hint: 'write P=4096' });
      continue;
    }
    try {
      overrides.set(name, parseCount(value));
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      mistakes.push({ message: `--shape ${option}: ${error.about(`rank ${name}`)}`, hint: error.hint });
    }
  }
  return overrides;
}

/**
 * Extents of all ranks. A split rank has its innermost parts' sizes (at most the extent) divided out, and what is left
 * is the outermost part. Mistakes are added to `mistakes`.
 */
export function resolveExtents(
  definitions: ReadonlyMap<string, ExtentSyntax>,
  splits: ReadonlyMap<string, SplitSyntax>,
  overrides: ReadonlyMap<string, number>,
  mistakes: Diagnostic[],
): Extents {
  const values = new Calculator(definitions, overrides, mistakes);
  const ranks: [string, number][] = [];
  const split: [string, List<string>][] = [];
  for (const [name, { kind, at, text }] of definitions) {
    const value = values.of(name);
    if (kind === 'parameter') continue;
    if (!Number.isNaN(value) && (!Number.isSafeInteger(value) || value < 1)) {
      mistakes.push({ message: `rank ${name} is ${value}: ${text} is not a whole number from 1 up`, place: at });
    }
    ranks.push([name, Number.isSafeInteger(value) && value >= 1 ? value : Number.NaN]);
    const parts = splits.get(name);
    if (!parts) continue;
    ranks.push(...partExtents(name, value, parts, values, overrides, overrides.has(name) ? undefined : at, mistakes));
    split.push([name, List(parts.parts.map((part) => part.name))]);
  }
  for (const [rank, { at }] of splits) {
    if (definitions.get(rank)?.kind === 'rank') continue;
    const known = [...definitions].filter(([, { kind }]) => kind === 'rank').map(([name]) => name);
    mistakes.push({ message: `there is no rank "${rank}" to split`, place: at, hint: suggest(rank, known) });
  }
  const extents = OrderedMap(ranks);
  checkOverrides(overrides, definitions, splits, mistakes);
  return { ranks: extents, split: ImmutableMap(split), values: new Map([...values.all(), ...extents]) };
}

function checkOverrides(
  overrides: ReadonlyMap<string, number>,
  definitions: ReadonlyMap<string, ExtentSyntax>,
  splits: ReadonlyMap<string, SplitSyntax>,
  mistakes: Diagnostic[],
): void {
  const outermost = new Map(
    [...splits].map(([rank, { parts }]) => [parts[0]!.name, [rank, ...parts.slice(1).map((p) => p.name)]]),
  );
  const inner = [...splits.values()].flatMap(({ parts }) => parts.slice(1).map((part) => part.name));
  const free = [...definitions.keys(), ...inner];
  for (const name of overrides.keys()) {
    const follows = outermost.get(name);
    if (follows && !definitions.has(name)) {
      const hint = `set ${follows.join(' or ')}`;
      mistakes.push({ message: `the extent of ${name} follows from ${follows.join(' and ')}`, hint });
    } else if (!free.includes(name)) {
      mistakes.push({ message: `there is no rank "${name}" to set`, hint: suggest(name, free) });
    }
  }
}

/** Parts of one rank, outer to inner. `place` is that of the extent, absent when it was overridden. */
function partExtents(
  rank: string,
  extent: number,
  { parts, at }: SplitSyntax,
  values: Calculator,
  overrides: ReadonlyMap<string, number>,
  place: Place | undefined,
  mistakes: Diagnostic[],
): [string, number][] {
  const sizes: [string, number][] = [];
  let left = extent;
  for (const part of parts.slice(1).reverse()) {
    if (values.has(part.name)) {
      mistakes.push({
        message: `${part.name} is a rank already`,
        place: part.at,
        hint: `name the part of ${rank} otherwise`,
      });
    }
    const wanted = overrides.get(part.name) ?? (part.size ? values.evaluate(part.size) : Number.NaN);
    if (wanted < 1 || (!Number.isNaN(wanted) && !Number.isSafeInteger(wanted))) {
      mistakes.push({ message: `${part.name} is ${wanted}, not a whole number from 1 up`, place: part.at });
    }
    const size = Math.min(left, wanted);
    if (left % size !== 0 && !Number.isNaN(left % size)) {
      const product = (extent / left) * size;
      const down = Math.floor(extent / product) * product;
      mistakes.push({
        message: `${rank} is ${extent}, which its ${parts.length > 2 ? 'inner parts do' : `part ${part.name} of ${size} does`} not divide`,
        place: place ?? at,
        hint: `the nearest that ${product} divides are ${down} and ${down + product}`,
      });
      left = Number.NaN;
    }
    sizes.unshift([part.name, size]);
    left /= size;
  }
  const outer = parts[0]!;
  if (values.has(outer.name)) {
    mistakes.push({
      message: `${outer.name} is a rank already`,
      place: outer.at,
      hint: `name the part of ${rank} otherwise`,
    });
  }
  return [[outer.name, left], ...sizes];
}

/** Values of ranks and parameters, each worked out once; NaN after a mistake, which is reported once. */
class Calculator {
  readonly #definitions: ReadonlyMap<string, ExtentSyntax>;
  readonly #overrides: ReadonlyMap<string, number>;
  readonly #mistakes: Diagnostic[];
  readonly #values = new Map<string, number | 'in progress'>();

  constructor(
    definitions: ReadonlyMap<string, ExtentSyntax>,
    overrides: ReadonlyMap<string, number>,
    mistakes: Diagnostic[],
  ) {
    this.#definitions = definitions;
    this.#overrides = overrides;
    this.#mistakes = mistakes;
  }

  has(name: string): boolean {
    return this.#definitions.has(name);
  }

  all(): [string, number][] {
    return [...this.#definitions.keys()].map((name) => [name, this.of(name)]);
  }

  of(name: string): number {
    const known = this.#values.get(name);
    const { value, at, text } = this.#definitions.get(name)!;
    if (known === 'in progress') {
      this.#mistakes.push({ message: `${name} depends on itself`, place: at, hint: `${text} leads back to ${name}` });
      return Number.NaN;
    }
    if (known !== undefined) return known;
    this.#values.set(name, 'in progress');
    const result = this.#overrides.get(name) ?? this.evaluate(value);
    this.#values.set(name, result);
    return result;
  }

  evaluate(expression: ExpressionSyntax): number {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'operation': {
        const [a, b] = expression.operands.map((operand) => this.evaluate(operand));
        return scalarFunction[expression.operator](a!, b!);
      }
      case 'name': {
        const { name, at } = expression;
        if (this.has(name)) return this.of(name);
        const hint = suggest(name, this.#definitions.keys());
        this.#mistakes.push({ message: `there is no rank or parameter "${name}"`, place: at, hint });
        return Number.NaN;
      }
      case 'access':
        this.#mistakes.push({ message: 'a tensor is no extent', place: expression.whole });
        return Number.NaN;
    }
  }
}
