/** A computation as immutable values: ranks, tensors and a cascade of extended einsums. Knows no machine. */
import { List, Map, OrderedMap, Record } from 'immutable';
import type { Place } from '../../arch/language/diagnostics.ts';

/**
 * One index of a tensor access: `2*p + r + 1` is { terms: {p: 2, r: 1}, constant: 1 }. Terms are keyed by rank variable
 * in lower case. `final` names the iterative rank whose last value is read: the `M1` of `RNV[b,h,f,M1,p]`.
 */
export class Index extends Record<{ terms: Map<string, number>; constant: number; final: string | null }>(
  { terms: Map(), constant: 0, final: null },
  'Index',
) {}

export class Access extends Record<{ tensor: string; indices: List<Index> }>(
  { tensor: '', indices: List() },
  'Access',
) {}

/** Operators of a cascade. Binary: mul add sub divide max min. Unary: the rest. `neg` is unary minus. */
export const binaryOperators = ['mul', 'add', 'sub', 'divide', 'max', 'min'] as const;
export const unaryOperators = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'sigmoid',
  'tanh',
  'erf',
  'relu',
  'abs',
  'square',
] as const;
export type Operator = (typeof binaryOperators)[number] | (typeof unaryOperators)[number];

export class Literal extends Record<{ value: number }>({ value: 0 }, 'Literal') {}
export class Operation extends Record<{ operator: Operator; operands: List<Expression> }>(
  { operator: 'mul', operands: List() },
  'Operation',
) {}
export type Expression = Access | Literal | Operation;

export type Reducer = 'add' | 'max' | 'min' | 'mul';

/** `output = reducer over the reduced ranks of expression`. */
export class Einsum extends Record<{
  /** Unique in the workload; the output tensor's name, prefixed by its step in a graph. */
  name: string;
  output: Access;
  expression: Expression;
  /** Rank variables that the output does not have, in order of first use. */
  reduced: List<string>;
  /** How they are reduced; meaningless when `reduced` is empty. */
  reducer: Reducer;
  /** The iterative rank variable, when the output is indexed by it plus one: `m1` of `RM[m1+1,p]`. */
  iterative: string | null;
  /** Value of the output at the start of the iterative rank. */
  initial: number | null;
}>(
  {
    name: '',
    output: new Access(),
    expression: new Literal(),
    reduced: List(),
    reducer: 'add',
    iterative: null,
    initial: null,
  },
  'Einsum',
) {}

/**
 * N:M structured sparsity: of every `of` consecutive elements along a dimension at most `kept` are non-zero. `rank` is the
 * dimension's rank variable, or that of its innermost part when the tensor has a dimension for each.
 */
export class Sparsity extends Record<{ kept: number; of: number; rank: string; dimension: number }>(
  { kept: 1, of: 1, rank: '', dimension: 0 },
  'Sparsity',
) {}

export class Tensor extends Record<{
  name: string;
  dtype: string;
  role: 'input' | 'output' | 'intermediate';
  /**
   * Extent of each dimension, the last one contiguous. An iterative dimension has the rank's extent plus one (its initial value comes first).
   */
  shape: List<number>;
  /** Whether it reads as zero outside its edges, but for an iterative dimension, which is never read there. */
  padded: boolean;
  /** Null when any element may be non-zero. */
  sparsity: Sparsity | null;
  /** Tensors of this shape that there are: every repetition of a step has its own weights. Its values are those of one. */
  instances: number;
}>(
  { name: '', dtype: 'bf16', role: 'intermediate', shape: List(), padded: false, sparsity: null, instances: 1 },
  'Tensor',
) {}

/**
 * A run of consecutive einsums that a graph repeats; a plain cascade is one step with `repeat` 1. Every repetition does
 * the same work on tensors of the same names, its own weights apart: it counts again in time and operations, its values
 * are those of one run.
 */
export class Step extends Record<{ name: string; repeat: number; einsums: List<Einsum> }>(
  { name: '', repeat: 1, einsums: List() },
  'Step',
) {}

export class Workload extends Record<{
  name: string;
  about: string;
  source: string;
  dtype: string;
  /** Extent of every rank, split ranks and their parts included, keyed in upper case: M, M1, M0. */
  ranks: OrderedMap<string, number>;
  /** Parts of a split rank, outer to inner: M -> [M1, M0]. */
  split: Map<string, List<string>>;
  tensors: OrderedMap<string, Tensor>;
  steps: List<Step>;
}>(
  {
    name: '',
    about: '',
    source: '',
    dtype: 'bf16',
    ranks: OrderedMap(),
    split: Map(),
    tensors: OrderedMap(),
    steps: List(),
  },
  'Workload',
) {}

/** A workload and where its einsums were written, for messages that arise later, such as in binding. */
export interface LoadedWorkload {
  readonly workload: Workload;
  /** Place of an einsum by name. */
  readonly places: ReadonlyMap<string, Place>;
}

/** Every einsum of every step, in order. */
export function einsumsOf(workload: Workload): Einsum[] {
  return workload.steps.toArray().flatMap((step) => step.einsums.toArray());
}

/** All accesses of an expression, each distinct one once, in order of appearance. */
export function accessesOf(expression: Expression): Access[] {
  if (expression instanceof Literal) return [];
  if (expression instanceof Access) return [expression];
  const found: Access[] = [];
  for (const access of expression.operands.flatMap(accessesOf)) {
    if (!found.some((other) => other.equals(access))) found.push(access);
  }
  return found;
}

/** Variables of an einsum's iteration space: the output's, then the reduced ones. */
export function variablesOf(einsum: Einsum): string[] {
  return [...new Set([...einsum.output.indices.flatMap((index) => index.terms.keySeq()), ...einsum.reduced])];
}
