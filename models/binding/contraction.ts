/**
 * Einsums as products of matrices, result[m,n] = sum over k of inputs[m,k] x weights[k,n], once for every value of the
 * batch ranks: what a systolic array runs in folds. Convolutions come out as im2col has them, depthwise and grouped ones
 * and batches of products with their groups as the batch.
 */
import {
  Access,
  type Einsum,
  type Index,
  Operation,
  type Sparsity,
  variablesOf,
  type Workload,
} from '../../workloads/language/workload.ts';

/** A side of the product: its rank variables, the last one fastest, and the product of their extents. */
export interface Side {
  readonly variables: readonly string[];
  readonly size: number;
}

export interface Operand {
  readonly tensor: string;
  readonly access: Access;
  /** Of N:M structured sparsity, and the variable along whose values it is. */
  readonly sparsity: { readonly pattern: Sparsity; readonly along: string } | null;
}

export interface Contraction {
  readonly einsum: Einsum;
  readonly inputs: Operand;
  readonly weights: Operand;
  readonly m: Side;
  readonly n: Side;
  readonly k: Side;
  readonly batch: Side;
  /** Extent by variable. */
  readonly extents: ReadonlyMap<string, number>;
  /** Shape by tensor. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** Null when the einsum is no sum of products of two tensors, or one of its ranks is in no operand. */
export function contractionOf(
  einsum: Einsum,
  workload: Workload,
  extents: ReadonlyMap<string, number>,
): Contraction | null {
  const { expression, reduced, reducer, iterative, output } = einsum;
  if (!(expression instanceof Operation) || expression.operator !== 'mul' || reducer !== 'add') return null;
  const [inputs, weights] = expression.operands.toArray();
  if (!(inputs instanceof Access) || !(weights instanceof Access) || expression.operands.size !== 2) return null;
  if (reduced.isEmpty() || iterative !== null) return null;
  const accesses = [inputs, weights, output];
  if (accesses.some((access) => access.indices.some((index) => index.final !== null))) return null;
  const isIn = (access: Access, variable: string): boolean => access.indices.some((i) => i.terms.has(variable));
  const results = variablesOf(einsum).filter((v) => !reduced.includes(v));
  const side = (variables: readonly string[]): Side => ({
    variables,
    size: variables.reduce((product, v) => product * extents.get(v)!, 1),
  });
  const kinds = { m: [] as string[], n: [] as string[], batch: [] as string[] };
  for (const variable of results) {
    const ofInputs = isIn(inputs, variable);
    const ofWeights = isIn(weights, variable);
    if (!ofInputs && !ofWeights) return null;
    kinds[ofInputs && ofWeights ? 'batch' : ofInputs ? 'm' : 'n'].push(variable);
  }
  const operand = (access: Access): Operand => {
    const pattern = workload.tensors.get(access.tensor)!.sparsity;
    const along = pattern && plainVariable(access.indices.get(pattern.dimension)!);
    return { tensor: access.tensor, access, sparsity: pattern && along ? { pattern, along } : null };
  };
  return {
    einsum,
    inputs: operand(inputs),
    weights: operand(weights),
    m: side(kinds.m),
    n: side(kinds.n),
    k: side(reduced.toArray()),
    batch: side(kinds.batch),
    extents,
    shapes: new Map(accesses.map(({ tensor }) => [tensor, workload.tensors.get(tensor)!.shape.toArray()])),
  };
}

/** Whether the matrices are other than the tensors: windows, or several ranks that matter along a side of the result. */
export function isFlattened({ inputs, weights, m, n, extents }: Contraction): boolean {
  const windows = [inputs, weights].some(({ access }) => access.indices.some(({ terms }) => terms.size > 1));
  return windows || [m, n].some(({ variables }) => variables.filter((v) => extents.get(v)! > 1).length > 1);
}

/** The variable that an index steps over one by one; null for any other index. */
function plainVariable({ terms, constant }: Index): string | null {
  const variable = terms.size === 1 && constant === 0 ? terms.keySeq().first() : undefined;
  return variable !== undefined && terms.get(variable) === 1 ? variable : null;
}

/**
 * Distinct elements of an operand that consecutive values of two sides touch, at most: `blocks` gives the number of
 * values by side. Windows of a convolution share elements; a block of a flattened side is counted as the smallest box
 * around it wherever it begins.
 */
export function distinctElements(
  { extents, shapes }: Contraction,
  { access, tensor }: Operand,
  blocks: readonly (readonly [Side, number])[],
): number {
  const product = blocks.reduce((n, [, size]) => n * size, 1);
  if (access.indices.every((index) => index.terms.size <= 1)) return product;
  const box = new Map<string, number>();
  for (const [side, size] of blocks) cover(side, size, extents, box);
  const shape = shapes.get(tensor)!;
  const inBox = access.indices.reduce((n, index, d) => n * valuesOf(index, (v) => box.get(v) ?? 1, shape[d]!), 1);
  return Math.min(product, inBox);
}

/** Extents of a box that holds any `size` consecutive values of a side, when blocks of that size are counted from 0. */
function cover(
  { variables }: Side,
  size: number,
  extents: ReadonlyMap<string, number>,
  box: Map<string, number>,
): void {
  let left = size;
  // Whether runs of `left` values begin at multiples of it.
  let aligned = true;
  for (const variable of [...variables].reverse()) {
    const extent = extents.get(variable)!;
    if (aligned && left % extent === 0) {
      box.set(variable, extent);
      left /= extent;
    } else if (left === 1 || (aligned && extent % left === 0)) {
      box.set(variable, left);
      left = 1;
    } else {
      box.set(variable, extent);
      left = Math.floor((left - 2) / extent) + 2;
      aligned = false;
    }
  }
}

/** Different values of an index inside a dimension, while each of its variables runs over so many values. */
function valuesOf(index: Index, extentOf: (variable: string) => number, dimension: number): number {
  const terms = [...index.terms].map(([variable, coefficient]) => ({
    step: Math.abs(coefficient),
    n: extentOf(variable),
  }));
  terms.sort((a, b) => a.step - b.step);
  // Values of the terms so far are `count` values without gaps up to `reach`, or come in blocks that do not meet.
  let count = 1;
  let reach = 1;
  for (const { step, n } of terms) {
    if (step <= reach && count === reach) {
      reach += step * (n - 1);
      count = reach;
    } else {
      reach += step * (n - 1);
      count *= n;
    }
  }
  return Math.min(count, dimension);
}
