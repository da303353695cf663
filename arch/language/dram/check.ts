/** Whether every expression of a standard has a value, in every organisation at every speed. */
import { type Diagnostic, nearest, type Place, suggest } from '../diagnostics.ts';
import type { Layers } from '../layers.ts';
import type { Path } from '../source.ts';
import { type Expression, isParameter, namesIn, wholeExpression } from './expression.ts';
import type { PlacedConstraint } from './rows.ts';
import type { DramStandard, Organisation, Speed, Timing } from './standard.ts';
import { countNames, isTable, selectorsOf, TimingProblem, Timings } from './timings.ts';
import { attempt, type Locate } from './words.ts';

/** An expression, where it stands, and what messages call it. */
interface Site {
  readonly name: string;
  readonly expression: Expression;
  readonly locate: Locate;
}

/** Adds what is wrong with the expressions of a standard that stands at a path. */
export function checkTimings(
  standard: DramStandard,
  constraints: readonly PlacedConstraint[],
  layers: Layers,
  at: Path,
  mistakes: Diagnostic[],
): void {
  new Checker(standard, layers, at, mistakes).check(constraints);
}

class Checker {
  readonly #standard: DramStandard;
  readonly #layers: Layers;
  readonly #at: Path;
  readonly #mistakes: Diagnostic[];
  /** What expressions may name. */
  readonly #known: ReadonlySet<string>;
  readonly #selectors: ReadonlySet<string>;
  readonly #said = new Set<string>();

  constructor(standard: DramStandard, layers: Layers, at: Path, mistakes: Diagnostic[]) {
    this.#standard = standard;
    this.#layers = layers;
    this.#at = at;
    this.#mistakes = mistakes;
    const { timings, speeds, levels } = standard;
    const parameters = [timings, ...[...speeds.values()].map((speed) => speed.timings)].flatMap((all) => [
      ...all.keys(),
    ]);
    this.#known = new Set([...parameters.filter(isParameter), ...countNames(levels)]);
    this.#selectors = new Set(this.#choices().flatMap(([organisation, speed]) => selectorsOf(organisation, speed)));
  }

  check(constraints: readonly PlacedConstraint[]): void {
    const needed = [
      ...constraints.map(({ row, latency, locate }) => ({
        name: row.text,
        expression: latency,
        locate,
      })),
      ...this.#latencies(),
    ];
    const given = this.#parameters();
    for (const site of [...needed, ...given]) this.#checkNames(site);
    if (this.#mistakes.length > 0) return;
    const names = new Map(
      needed.flatMap(({ name, expression }) => namesIn(expression).map((used) => [used.name, name])),
    );
    for (const [organisation, speed] of this.#choices()) this.#evaluate(names, organisation, speed);
  }

  #choices(): [Organisation, Speed][] {
    const { organisations, speeds } = this.#standard;
    return [...organisations.values()].flatMap((organisation) =>
      [...speeds.values()].map((speed): [Organisation, Speed] => [organisation, speed]),
    );
  }

  /** Expressions outside the tables. */
  #latencies(): Site[] {
    const { readLatency, writeLatency, activationDeadline, dataClock, refresh } = this.#standard;
    const { allBank, perBank, lockstep, gap } = refresh;
    const keys: [Path, string | null | undefined][] = [
      [['read latency'], readLatency],
      [['write latency'], writeLatency],
      [['activation deadline'], activationDeadline],
      [['data clock', 'reads'], dataClock?.reads],
      [['data clock', 'writes'], dataClock?.writes],
      [['refresh', 'all-bank'], allBank],
      [lockstep === null ? ['refresh', 'per-bank'] : ['refresh', 'per-bank', 'every'], perBank],
      [['refresh', 'per-bank', 'gap'], lockstep === null ? null : gap],
    ];
    return keys.flatMap(([path, text]) => (text === null || text === undefined ? [] : this.#site(path, text)));
  }

  /** Expressions of all timing parameters. */
  #parameters(): Site[] {
    const { timings, speeds } = this.#standard;
    const all: [Path, typeof timings][] = [
      [['timings'], timings],
      ...[...speeds].map(([name, speed]): [Path, typeof timings] => [['speeds', name], speed.timings]),
    ];
    return all.flatMap(([path, table]) =>
      [...table].flatMap(([name, timing]) => {
        if (isParameter(name)) return this.#timing([...path, name], timing);
        this.#mistakes.push({
          message: `unknown key "${name}" in ${path[path.length - 1]}`,
          place: this.#keyPlace([...path, name]),
          hint:
            nearest(name, this.#known) === undefined ? 'timing parameters look like nRCD' : suggest(name, this.#known),
        });
        return [];
      }),
    );
  }

  #timing(path: Path, timing: Timing): Site[] {
    if (!isTable(timing)) return this.#site(path, timing);
    return [...timing].flatMap(([selector, inside]) => {
      if (!this.#selectors.has(selector)) {
        const message = `"${selector}" is no organisation, density, width of a chip or rate of the standard`;
        const hint = suggest(selector, this.#selectors);
        this.#mistakes.push({ message, place: this.#keyPlace([...path, selector]), hint });
      }
      return this.#timing([...path, selector], inside);
    });
  }

  #site(path: Path, text: string): Site[] {
    const whole = [...this.#at, ...path];
    const locate: Locate = (offset, length) => this.#layers.placeIn(whole, offset, length);
    const expression = attempt(text, locate, this.#mistakes, wholeExpression);
    return expression ? [{ name: path.join(' '), expression, locate }] : [];
  }

  #checkNames({ expression, locate }: Site): void {
    for (const { name, start, end } of namesIn(expression)) {
      if (this.#known.has(name)) continue;
      const message = `there is no timing parameter "${name}"`;
      this.#mistakes.push({ message, place: locate(start, end - start), hint: suggest(name, this.#known) });
    }
  }

  /** `needed` maps names to the expression that uses them. */
  #evaluate(needed: ReadonlyMap<string, string>, organisation: Organisation, speed: Speed): void {
    const timings = new Timings(this.#standard.timings, organisation, speed);
    for (const [name, user] of needed) {
      try {
        timings.valueOf(name);
      } catch (error) {
        if (!(error instanceof TimingProblem)) throw error;
        this.#tell(error, user, speed);
      }
    }
  }

  /** Says once what is wrong with a parameter. */
  #tell({ kind, parameter, message }: TimingProblem, user: string, speed: Speed): void {
    const own = ['speeds', speed.name];
    const missing = kind === 'missing';
    const text = missing ? `${speed.name} does not give ${parameter}` : message;
    if (this.#said.has(text)) return;
    this.#said.add(text);
    const path = missing ? own : speed.timings.has(parameter) ? [...own, parameter] : ['timings', parameter];
    const hint = missing ? `"${user}" needs it` : undefined;
    this.#mistakes.push({ message: text, place: this.#keyPlace(path), hint });
  }

  #keyPlace(path: Path): Place {
    return this.#layers.placeOfKey([...this.#at, ...path]);
  }
}
