/** Whether every expression of a standard has a value, in every organisation at every speed. */
import { type Diagnostic, nearest, type Place, suggest } from '../diagnostics.ts';
import type { Layers } from '../layers.ts';
import type { Path } from '../source.ts';
import { type Expression, evaluate, isParameter, namesIn, wholeExpression } from './expression.ts';
import { estimated, multiplications } from './pim.ts';
import { refreshCommand } from './resolve.ts';
import type { PlacedCommand, PlacedConstraint, PlacedEstimate } from './rows.ts';
import type { DramStandard, Organisation, Speed, Timing } from './standard.ts';
import { countNames, isTable, selectorsOf, TimingProblem, Timings } from './timings.ts';
import { attempt, type Locate } from './words.ts';

/** An expression, where it stands, and what messages call it. */
interface Site {
  readonly name: string;
  readonly expression: Expression;
  readonly locate: Locate;
  /** What it may name besides timing parameters and counts: numbers of a command that is sent. */
  readonly given?: readonly string[];
}

/** An expression that devices have the value of. */
interface Needed extends Site {
  /** Characters from its place on that messages mark. */
  readonly length: number;
  /** Clock cycles that it comes to at least. */
  readonly least: number;
}

/** The tables of expressions. */
export interface PlacedExpressions {
  readonly constraints: readonly PlacedConstraint[];
  readonly estimates: readonly PlacedEstimate[];
  /** Commands, some of which say how long they take. */
  readonly commands: readonly PlacedCommand[];
}

/** Adds what is wrong with the expressions of a standard that stands at a path. */
export function checkTimings(
  standard: DramStandard,
  expressions: PlacedExpressions,
  layers: Layers,
  at: Path,
  mistakes: Diagnostic[],
): void {
  new Checker(standard, layers, at, mistakes).check(expressions);
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

  check({ constraints, estimates, commands: placed }: PlacedExpressions): void {
    const { commands } = this.#standard;
    const counts = (name: string): boolean => commands.some((row) => row.name === name && row.most > 1);
    const needed: Needed[] = [
      ...placed.flatMap(({ row, takes, locate, length }) =>
        takes === undefined ? [] : [{ name: row.name, expression: takes, locate, length, least: 0 }],
      ),
      ...constraints.map(({ row, latency, locate, length }) => ({
        name: row.text,
        expression: latency,
        locate,
        length,
        least: Number.NEGATIVE_INFINITY,
        given: row.after.every(counts) ? [multiplications] : [],
      })),
      ...estimates.map(({ command, text, expression, locate }) => ({
        name: `${command} ${text}`,
        expression,
        locate,
        length: command.length,
        least: Number.NEGATIVE_INFINITY,
        given: estimated,
      })),
      ...this.#latencies(),
    ];
    const given = this.#parameters();
    for (const site of [...needed, ...given]) this.#checkNames(site);
    if (this.#mistakes.length > 0) return;
    const names = new Map(
      needed.flatMap(({ name, expression, given = [] }) =>
        namesIn(expression)
          .filter((used) => !given.includes(used.name))
          .map((used) => [used.name, name]),
      ),
    );
    for (const [organisation, speed] of this.#choices()) this.#evaluate(names, organisation, speed);
    if (this.#mistakes.length > 0) return;
    for (const [organisation, speed] of this.#choices()) {
      const timings = new Timings(this.#standard.timings, organisation, speed);
      for (const site of needed) {
        const scope = timings.with(new Map(site.given?.map((name) => [name, 1])));
        this.#checkValue(site, evaluate(site.expression, scope), organisation, speed);
      }
      this.#checkRefresh(timings);
    }
  }

  #choices(): [Organisation, Speed][] {
    const { organisations, speeds } = this.#standard;
    return [...organisations.values()].flatMap((organisation) =>
      [...speeds.values()].map((speed): [Organisation, Speed] => [organisation, speed]),
    );
  }

  /** Expressions outside the tables. */
  #latencies(): Needed[] {
    const { readLatency, writeLatency, resultLatency, activationDeadline, dataClock, refresh } = this.#standard;
    const { allBank, perBank, lockstep, gap } = refresh;
    const keys: [Path, string | null | undefined, number][] = [
      [['read latency'], readLatency, 0],
      [['write latency'], writeLatency, 0],
      [['result latency'], resultLatency, 0],
      [['activation deadline'], activationDeadline, 1],
      [['data clock', 'reads'], dataClock?.reads, 1],
      [['data clock', 'writes'], dataClock?.writes, 1],
      [['refresh', 'all-bank'], allBank, 1],
      [lockstep === null ? ['refresh', 'per-bank'] : ['refresh', 'per-bank', 'every'], perBank, 1],
      [['refresh', 'per-bank', 'gap'], lockstep === null ? null : gap, 0],
    ];
    return keys.flatMap(([path, text, least]) =>
      text === null || text === undefined
        ? []
        : this.#site(path, text).map((site) => ({
            ...site,
            length: text.length,
            least,
            given: text === resultLatency ? [multiplications] : [],
          })),
    );
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

  #checkNames({ expression, locate, given = [] }: Site): void {
    const known = new Set([...this.#known, ...given]);
    for (const { name, start, end } of namesIn(expression)) {
      if (known.has(name)) continue;
      const message = `there is no timing parameter "${name}"`;
      this.#mistakes.push({ message, place: locate(start, end - start), hint: suggest(name, known) });
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

  #checkValue(
    { name, locate, length, least }: Needed,
    value: number,
    { name: chip }: Organisation,
    speed: Speed,
  ): void {
    if ((Number.isFinite(value) && value >= least) || this.#said.has(name)) return;
    this.#said.add(name);
    const message = `this is ${value} clock cycles for ${chip} at ${speed.name}`;
    const hint = Number.isFinite(value) ? `it must be at least ${least}` : 'is something divided by 0?';
    this.#mistakes.push({ message, place: locate(0, length), hint });
  }

  /** A refresh that takes longer than until the next one would leave no time for anything else. */
  #checkRefresh(timings: Timings): void {
    const { commands, constraints, refresh } = this.#standard;
    if (refresh.allBank === null || this.#said.has('refresh')) return;
    const command = commands.get(refreshCommand(commands, 'all'));
    const rows = constraints.filter(({ level, after }) => level === command?.level && after.includes(command.name));
    const [every, takes] = [
      timings.cycles(refresh.allBank),
      Math.max(0, ...rows.map((row) => timings.cycles(row.latency))),
    ];
    if (every > takes) return;
    this.#said.add('refresh');
    const message = `a refresh every ${every} clock cycles leaves no time: one takes ${takes}`;
    this.#mistakes.push({ message, place: this.#layers.placeOf([...this.#at, 'refresh', 'all-bank']) });
  }

  /** Says once what is wrong with a parameter. */
  #tell({ kind, parameter, message }: TimingProblem, user: string, speed: Speed): void {
    const own = ['speeds', speed.name];
    const missing = kind === 'missing';
    const text = missing ? `${speed.name} does not give ${parameter}` : message;
    if (this.#said.has(text)) return;
    this.#said.add(text);
    const path = missing ? own : speed.timings.has(parameter) ? [...own, parameter] : ['timings', parameter];
    const unfit = kind === 'unfit' ? `add it there, or give it in the speed ${speed.name}` : undefined;
    const hint = missing ? `"${user}" needs it` : unfit;
    this.#mistakes.push({ message: text, place: this.#keyPlace(path), hint });
  }

  #keyPlace(path: Path): Place {
    return this.#layers.placeOfKey([...this.#at, ...path]);
  }
}
