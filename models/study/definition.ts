/** What a study is made of, as a script writes it. */
import type { Result } from '../result.ts';
import type { SimulateOptions } from '../simulate.ts';

/** A value of a parameter. */
export type Value = string | number | boolean;

/** Values of each parameter; the grid is their product, the first parameter slowest. */
export type Grid = { readonly [parameter: string]: readonly Value[] };

/** Numbers of a grid are examples, as other points may be asked for; its words are all there are. */
type Widen<T> = T extends number ? number : T extends boolean ? boolean : T;

/** One value of each parameter. */
export type Point<G extends Grid = Grid> = { readonly [parameter in keyof G]: Widen<G[parameter][number]> };

/** Figures of a point; null where there is none. What is not finite counts as none. */
export type Metrics = { readonly [metric: string]: number | null };

/** A row of a study that is not known by its type. */
export type AnyRow = { readonly [name: string]: Value | null };

/** A finished row: parameters, then metrics. */
export type Row<G extends Grid, M> = Point<G> & M;

/** A figure that somebody published, and how to find it in the rows. */
export interface Claim<R> {
  /** In the words of its source. */
  readonly text: string;
  readonly source: string;
  readonly target: number;
  /** It holds when the measured figure is this near, as a fraction of the target; 0.05 unless told. */
  readonly within?: number;
  /** Only finished rows come here, in the order of the grid; null when they are not enough to tell. */
  readonly measured: (rows: readonly R[]) => number | null;
}

/**
 * A picture on the page. `Name` is a parameter or a metric. Parameters that a chart does not name, and that vary, make
 * more curves of a curve and more panels of a heat map.
 */
export type Chart<Name extends string = string> =
  | {
      readonly kind: 'curve';
      readonly x: Name;
      readonly y: Name;
      /** A curve for each value. */
      readonly by?: Name;
      /** A picture for each value, all with the same axes. */
      readonly panel?: Name;
      /** Logarithmic axes. */
      readonly log?: 'x' | 'y' | 'xy';
    }
  | { readonly kind: 'heat'; readonly x: Name; readonly y: Name; readonly value: Name; readonly panel?: Name }
  | {
      readonly kind: 'pareto';
      readonly x: Name;
      readonly y: Name;
      /** What names the points; all parameters that vary unless told. */
      readonly label?: Name;
      readonly panel?: Name;
      readonly log?: 'x' | 'y' | 'xy';
      /** Axes on which more is better; less is on the others. */
      readonly most?: 'x' | 'y' | 'xy';
    };

/** Several runs of one point, by name. */
export type Runs = { readonly [run: string]: SimulateOptions };

/** What metrics are taken of: one Result, or one for each run. */
export type Results<S> = S extends SimulateOptions ? Result : { readonly [run in keyof S]: Result };

/** `R` is the result that metrics are taken of. */
export interface Common<G extends Grid, R, M extends Metrics> {
  /** Names its files: letters, digits, dots, dashes. */
  readonly name: string;
  readonly about?: string;
  readonly parameters: G;
  /** Points of the grid that make no sense. */
  readonly skip?: (point: Point<G>) => boolean;
  /** Its text is part of what a kept row is found by; functions that it calls are not. */
  readonly metrics: (result: R, point: Point<G>) => M;
  /** For axes and tables: `s`, `J`, `mm²`. */
  readonly units?: { readonly [metric in keyof M]?: string };
  readonly claims?: readonly Claim<Row<G, NoInfer<M>>>[];
  readonly charts?: readonly Chart<(keyof G & string) | (keyof NoInfer<M> & string)>[];
}

/** A study of simulated runs. */
export interface RunStudy<G extends Grid, S extends SimulateOptions | Runs, M extends Metrics>
  extends Common<G, Results<S>, M> {
  readonly point: (point: Point<G>) => S;
}

/** A study of anything else. */
export interface ValueStudy<G extends Grid, I, R, M extends Metrics> extends Common<G, R, M> {
  /** What the point is made of: plain data or immutable values. */
  readonly inputs: (point: Point<G>) => I;
  readonly run: (inputs: I) => R;
}
