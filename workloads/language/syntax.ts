/** What stands in a workload file, with its place; what the names mean is not known yet. */
import type { Place } from '../../arch/language/diagnostics.ts';
import type { Operator, Reducer } from './workload.ts';

/** The `P0` of `P0*p1`. */
export interface FactorSyntax {
  /** Rank or parameter. */
  readonly name: string;
  readonly sign: number;
  readonly variable: string;
  readonly at: Place;
}

export interface IndexSyntax {
  /** Coefficient by rank variable, in order of appearance. */
  readonly terms: ReadonlyMap<string, number>;
  /** Coefficients by name, which count as 0 in `terms` until extents are known (factors.ts). */
  readonly factors: readonly FactorSyntax[];
  readonly constant: number;
  /** A rank in upper case: its final iterate. */
  readonly final: string | null;
  readonly at: Place;
}

export interface AccessSyntax {
  readonly kind: 'access';
  readonly tensor: string;
  readonly indices: readonly IndexSyntax[];
  /** Place of the name. */
  readonly at: Place;
  /** Place of name and indices. */
  readonly whole: Place;
}

/** A name without brackets: the extent of a rank, a parameter, or a scalar tensor. */
export interface NameSyntax {
  readonly kind: 'name';
  readonly name: string;
  readonly at: Place;
}

export interface LiteralSyntax {
  readonly kind: 'literal';
  readonly value: number;
}

export interface OperationSyntax {
  readonly kind: 'operation';
  readonly operator: Operator;
  readonly operands: readonly ExpressionSyntax[];
}

export type ExpressionSyntax = AccessSyntax | NameSyntax | LiteralSyntax | OperationSyntax;

/** `max(m0)` in front of an expression. */
export interface ReductionSyntax {
  readonly reducer: Reducer;
  readonly variables: readonly { readonly name: string; readonly at: Place }[];
  readonly at: Place;
}

export interface EinsumSyntax {
  readonly output: AccessSyntax;
  readonly reduction: ReductionSyntax | null;
  readonly expression: ExpressionSyntax;
  /** `from RM[b,h,0,p] = -inf` */
  readonly from: { readonly access: AccessSyntax; readonly value: number } | null;
}

/** A tensor as `inputs` and `output` declare it. */
export interface TensorSyntax {
  readonly access: AccessSyntax;
  readonly dtype: { readonly name: string; readonly at: Place } | null;
}

/** The extent of a rank, or a parameter. */
export interface ExtentSyntax {
  readonly kind: 'rank' | 'parameter';
  readonly value: ExpressionSyntax;
  /** As written. */
  readonly text: string;
  readonly at: Place;
}

/** `M: [M1, M0 256]`: parts outer to inner, all but the first with a size. */
export interface SplitSyntax {
  readonly parts: readonly { readonly name: string; readonly size: ExpressionSyntax | null; readonly at: Place }[];
  readonly at: Place;
}

export interface CascadeStepSyntax {
  readonly name: string;
  readonly repeat: number;
  readonly einsums: readonly EinsumSyntax[];
}

/** A tensor that reads as zero outside its edges. */
export interface PaddedSyntax {
  readonly tensor: string;
  readonly at: Place;
}

/** `W: 2:4 along k` */
export interface SparseSyntax {
  readonly tensor: string;
  readonly kept: number;
  readonly of: number;
  /** Rank variable. */
  readonly rank: string;
  /** Which of the dimensions of the tensor the rank is where it is declared; -1 when none, null when it is no input. */
  readonly dimension: number | null;
  /** Places of the tensor, of `2:4` and of `k`. */
  readonly at: Place;
  readonly ratioAt: Place;
  readonly rankAt: Place;
}

/** All accesses of an expression, in order. */
export function accessesIn(expression: ExpressionSyntax): AccessSyntax[] {
  if (expression.kind === 'access') return [expression];
  return expression.kind === 'operation' ? expression.operands.flatMap(accessesIn) : [];
}

/** An index as it is written: `2*p+r`. */
export function indexText(index: {
  readonly terms: Iterable<readonly [string, number]>;
  readonly constant: number;
  readonly final: string | null;
}): string {
  if (index.final !== null) return index.final;
  const parts = [...index.terms].map(([variable, factor]) => {
    const size = Math.abs(factor);
    return `${factor < 0 ? '-' : '+'}${size === 1 ? '' : `${size}*`}${variable}`;
  });
  if (index.constant !== 0 || parts.length === 0)
    parts.push(index.constant < 0 ? `${index.constant}` : `+${index.constant}`);
  return parts.join('').replace(/^\+/, '');
}

/** `QK[b,h,m,p]` */
export function accessText(access: {
  readonly tensor: string;
  readonly indices: Iterable<Parameters<typeof indexText>[0]>;
}): string {
  return `${access.tensor}[${[...access.indices].map(indexText).join(',')}]`;
}
