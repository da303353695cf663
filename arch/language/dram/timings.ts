/** Timing parameters of an organisation at a speed, in clock cycles. */
import { isMap, type OrderedMap } from 'immutable';
import { type Expression, evaluate, isParameter, parseExpression, type Scope } from './expression.ts';
import type { Organisation, Speed, Timing, TimingTable } from './standard.ts';

/** A parameter that has no value; `kind` says why, `name` is the parameter's. */
export class TimingProblem extends Error {
  readonly kind: 'missing' | 'unfit' | 'circle' | 'invalid';
  readonly parameter: string;

  constructor(kind: TimingProblem['kind'], parameter: string, message: string) {
    super(message);
    this.name = 'TimingProblem';
    this.kind = kind;
    this.parameter = parameter;
  }
}

/** Of tables, what an entry may be chosen by. */
export function selectorsOf(organisation: Organisation, speed: Speed): string[] {
  return [organisation.name, organisation.density, `x${organisation.dq}`, String(speed.rate)];
}

/** Names by which expressions mean the number of nodes of each level: `banks`, `bankGroups`. */
export function countNames(levels: Iterable<string>): string[] {
  return [...levels].slice(1).map((level) => `${level}s`);
}

const parsed = new Map<string, Expression>();

/** @throws TextMistake */
function expressionOfText(text: string): Expression {
  const known = parsed.get(text) ?? parseExpression(text);
  parsed.set(text, known);
  return known;
}

/** What the names in a standard's expressions stand for. */
export class Timings implements Scope {
  readonly clockPs: number;
  readonly #common: OrderedMap<string, Timing>;
  readonly #own: OrderedMap<string, Timing>;
  readonly #selectors: readonly string[];
  readonly #values = new Map<string, number>();
  readonly #asked: string[] = [];

  /** `common` are the parameters of the standard, which those of the speed come before. */
  constructor(common: OrderedMap<string, Timing>, organisation: Organisation, speed: Speed) {
    this.clockPs = speed.clockPs;
    this.#common = common;
    this.#own = speed.timings;
    this.#selectors = selectorsOf(organisation, speed);
    for (const [level, count] of organisation.counts) this.#values.set(`${level}s`, count);
  }

  /** Names of all parameters, with or without a value. */
  get names(): Set<string> {
    return new Set([...this.#common.keys(), ...this.#own.keys()]);
  }

  /** Clock cycles, rounded up. @throws TimingProblem */
  readonly valueOf = (name: string): number => {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    if (this.#asked.includes(name)) {
      const circle = [...this.#asked.slice(this.#asked.indexOf(name)), name].join(' needs ');
      throw new TimingProblem('circle', name, `${circle}: a circle`);
    }
    this.#asked.push(name);
    try {
      const value = Math.ceil(evaluate(this.#expression(name), this));
      if (!Number.isFinite(value) || value < 0) {
        throw new TimingProblem('invalid', name, `${name} is ${value} clock cycles, which it cannot be`);
      }
      this.#values.set(name, value);
      return value;
    } finally {
      this.#asked.pop();
    }
  };

  /** Clock cycles of a latency, which may be negative; `given` are values of other names. @throws TimingProblem */
  cycles(text: string, given: ReadonlyMap<string, number> = new Map()): number {
    return evaluate(expressionOfText(text), this.with(given));
  }

  /** These values, and those of some other names. */
  with(given: ReadonlyMap<string, number>): Scope {
    return { clockPs: this.clockPs, valueOf: (name) => given.get(name) ?? this.valueOf(name) };
  }

  /** An expression with a number, `ticks` of a clock cycle each, in the place of every parameter. @throws TimingProblem */
  resolved(text: string, ticks: number): Expression {
    return resolved(expressionOfText(text), this, ticks);
  }

  #expression(name: string): Expression {
    const given = this.#own.get(name) ?? this.#common.get(name);
    if (given === undefined) throw new TimingProblem('missing', name, `there is no ${name}`);
    const text = this.#choose(given);
    if (text !== undefined) return expressionOfText(text);
    const [organisation, , , rate] = this.#selectors;
    throw new TimingProblem('unfit', name, `${name} has no value for ${organisation} at ${rate} MT/s`);
  }

  /** The first entry that fits. */
  #choose(timing: Timing): string | undefined {
    if (!isTable(timing)) return timing;
    for (const [selector, inside] of timing) {
      const chosen = this.#selectors.includes(selector) ? this.#choose(inside) : undefined;
      if (chosen !== undefined) return chosen;
    }
    return undefined;
  }
}

function resolved(expression: Expression, timings: Timings, ticks: number): Expression {
  if (expression.kind === 'operation') {
    return { ...expression, operands: expression.operands.map((operand) => resolved(operand, timings, ticks)) };
  }
  if (expression.kind === 'number' || (expression.kind === 'name' && !isParameter(expression.name))) return expression;
  return { kind: 'number', value: evaluate(expression, timings) * ticks };
}

export function isTable(timing: Timing): timing is TimingTable {
  return isMap(timing);
}
