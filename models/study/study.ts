/** A study that can be run: points, their keys, their rows. */
import { fileURLToPath } from 'node:url';
import { isRecord } from 'immutable';
import { InputError } from '../../arch/language/diagnostics.ts';
import { type SimulateOptions, simulate } from '../simulate.ts';
import { canonical, sha256 } from './canonical.ts';
import type {
  AnyRow,
  Chart,
  Claim,
  Common,
  Grid,
  Metrics,
  Point,
  RunStudy,
  Runs,
  Value,
  ValueStudy,
} from './definition.ts';
import { programVersion } from './program.ts';

/** A row, or why there is none. `reads` are the parameters that its metrics depend on besides the inputs. */
export type PointOutcome =
  | { readonly metrics: Metrics; readonly reads: readonly string[] }
  | { readonly error: string; readonly stack?: string };

/** Studies are known by this mark, as a script may have another copy of the program than the one that runs it. */
const mark = Symbol.for('clockwright.study');

type AnyStudy = RunStudy<Grid, SimulateOptions | Runs, Metrics> | ValueStudy<Grid, unknown, unknown, Metrics>;

/** What differs between studies of simulated runs and others. */
interface Method {
  /** What a point is made of. */
  readonly inputs: (point: Point) => unknown;
  /** The part of it that a key is made from. */
  readonly value: (inputs: unknown) => unknown;
  readonly run: (inputs: unknown) => unknown;
  /** Text of what the user wrote to run it. */
  readonly text: string;
}

export class Study {
  readonly [mark] = true;
  readonly name: string;
  readonly about: string;
  readonly parameters: ReadonlyMap<string, readonly Value[]>;
  readonly units: { readonly [metric: string]: string | undefined };
  readonly claims: readonly Claim<AnyRow>[];
  readonly charts: readonly Chart[];
  readonly #skip: (point: Point) => boolean;
  readonly #metrics: (result: never, point: Point) => Metrics;
  readonly #method: Method;

  /** @throws InputError */
  constructor(definition: AnyStudy) {
    const { name, about = '', parameters, units = {}, claims = [], charts = [], skip = () => false } = definition;
    checkName(name);
    this.name = name;
    this.about = about;
    this.parameters = new Map(Object.entries(parameters));
    checkParameters(name, this.parameters);
    this.units = units;
    this.claims = claims as readonly Claim<AnyRow>[];
    this.charts = charts;
    this.#skip = skip;
    this.#metrics = (definition as Common<Grid, never, Metrics>).metrics;
    this.#method = 'point' in definition ? simulation(definition) : valueMethod(definition);
  }

  static is(value: unknown): value is Study {
    return typeof value === 'object' && value !== null && mark in value;
  }

  /** Points of the grid, the first parameter slowest, without those that make no sense. */
  points(): Point[] {
    let points: Point[] = [{}];
    for (const [parameter, values] of this.parameters)
      points = points.flatMap((point) => values.map((value) => ({ ...point, [parameter]: value })));
    return points.filter((point) => !this.skips(point));
  }

  skips(point: Point): boolean {
    return this.#skip(point);
  }

  /** Equal for points whose runs are equal, in this program. @throws whatever the study's `point` or `inputs` throws. */
  keyOf(point: Point): string {
    const { inputs, value, text } = this.#method;
    return sha256(
      canonical([programVersion(), text, String(this.#metrics), canonical(value(inputs(point)), this.name)]),
    );
  }

  /** Runs once for all points, whose keys must be equal. Never throws: what goes wrong is the outcome. */
  run(points: readonly Point[]): PointOutcome[] {
    try {
      const first = points[0];
      if (first === undefined) return [];
      const result = this.#method.run(this.#method.inputs(first));
      return points.map((point) => this.#measure(result, point));
    } catch (error) {
      return points.map(() => failure(error));
    }
  }

  #measure(result: unknown, point: Point): PointOutcome {
    const reads = new Set<string>();
    try {
      const metrics = this.#metrics(result as never, watched(point, reads));
      return { metrics: checkedMetrics(metrics, point), reads: [...reads].sort() };
    } catch (error) {
      return failure(error);
    }
  }
}

function simulation({ point }: RunStudy<Grid, SimulateOptions | Runs, Metrics>): Method {
  return {
    inputs: point,
    value: (runs) => mapRuns(runs as SimulateOptions | Runs, valueOf),
    run: (runs) => mapRuns(runs as SimulateOptions | Runs, simulate),
    text: 'simulate',
  };
}

function valueMethod({ inputs, run }: ValueStudy<Grid, unknown, unknown, Metrics>): Method {
  return { inputs, value: (value) => value, run, text: String(run) };
}

/** Of one run, or of each by its name. */
function mapRuns<T>(runs: SimulateOptions | Runs, map: (run: SimulateOptions) => T): T | { [run: string]: T } {
  if (isOne(runs)) return map(runs);
  return Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, map(run)]));
}

const isOne = (runs: SimulateOptions | Runs): runs is SimulateOptions => isRecord(runs.arch);

/** What decides the result of a run; where files lie does not. */
function valueOf({ arch, workload, mapping, values = false, wholeFolds = false }: SimulateOptions): object {
  return { arch, workload: workload.workload, mapping: mapping?.mapping ?? null, values, wholeFolds };
}

/** The point, telling which of its parameters are read. */
function watched(point: Point, reads: Set<string>): Point {
  const read = (name: string | symbol): void => {
    if (typeof name === 'string' && Object.hasOwn(point, name)) reads.add(name);
  };
  return new Proxy(point, {
    get: (target, name) => {
      read(name);
      return Reflect.get(target, name);
    },
    has: (target, name) => {
      read(name);
      return Reflect.has(target, name);
    },
    ownKeys: (target) => {
      for (const name of Object.keys(target)) reads.add(name);
      return Reflect.ownKeys(target);
    },
  });
}

/** @throws Error on what is no figure. */
function checkedMetrics(metrics: Metrics, point: Point): Metrics {
  const entries = Object.entries(metrics).map(([name, figure]): [string, number | null] => {
    if (Object.hasOwn(point, name)) throw new Error(`the metric "${name}" has the name of a parameter`);
    if (figure !== null && typeof figure !== 'number') {
      throw new Error(`the metric "${name}" is ${String(figure)}, but must be a number, or null where there is none`);
    }
    // What JSON writes for -0 and reads back is 0.
    return [name, figure !== null && Number.isFinite(figure) ? figure + 0 : null];
  });
  return Object.fromEntries(entries);
}

/** The user's mistakes have no stack; they say where they are themselves. */
export function failure(error: unknown): { readonly error: string; readonly stack?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  const isForeseen = ['InputError', 'DeadlockError', 'CanonicalError'].includes(error.constructor.name);
  if (isForeseen || error.stack === undefined) return { error: error.message };
  return { error: `${error.name}: ${error.message}`, stack: scriptPart(error.stack) };
}

const self = fileURLToPath(import.meta.url);

/** A stack down to where this program called the script. */
function scriptPart(stack: string): string {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => line.includes(self) || line.includes(import.meta.url));
  return (end < 0 ? lines : lines.slice(0, end)).join('\n');
}

function checkName(name: string): void {
  if (/^\w[\w.-]*$/.test(name)) return;
  const hint = 'use letters, digits, dots and dashes: it names files';
  throw new InputError({ message: `"${name}" cannot be the name of a study`, hint });
}

function checkParameters(study: string, parameters: ReadonlyMap<string, readonly Value[]>): void {
  if (parameters.size === 0) throw new InputError({ message: `study ${study} has no parameters` });
  const mistakes = [...parameters].flatMap(([name, values]) => {
    const what = `study ${study}: parameter "${name}"`;
    if (values.length === 0) return [{ message: `${what} has no values` }];
    const twice = values.find((value, i) => values.indexOf(value) < i);
    if (twice !== undefined) return [{ message: `${what} has the value ${twice} twice` }];
    const odd = values.find((value) => typeof value === 'object' || Number.isNaN(value));
    if (odd !== undefined) return [{ message: `${what} has a value that is no text, number or boolean` }];
    return [];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
}
