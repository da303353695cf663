/** Extents, sizes and operation counts. */
import { bitsOf } from '../../arch/language/units.ts';
import { type Einsum, type Expression, Operation, type Tensor, variablesOf, type Workload } from './workload.ts';

/**
 * Extent by variable of an einsum's iteration space: the output's variables, then the reduced ones.
 * A final access (`RNV[M1,p]`) does not iterate.
 */
export function extentsOf(workload: Workload, einsum: Einsum): Map<string, number> {
  return new Map(variablesOf(einsum).map((variable) => [variable, workload.ranks.get(variable.toUpperCase())!]));
}

/** Points of an einsum's iteration space. */
export function pointsOf(workload: Workload, einsum: Einsum): number {
  return [...extentsOf(workload, einsum).values()].reduce((product, extent) => product * extent, 1);
}

/** Values of a tensor. */
export function sizeOf(tensor: Tensor): number {
  return tensor.shape.reduce((product, extent) => product * extent, 1);
}

/** Whole bytes of a tensor of packed values. */
export function bytesOf(tensor: Tensor): number {
  return Math.ceil((sizeOf(tensor) * bitsOf(tensor.dtype)) / 8);
}

/**
 * Operators at one point of the iteration space, with their numbers: every operator of the expression once, and one more
 * for a reduction. A sum of products is a `mac`, which is one multiplication and the addition in one.
 */
export function operatorsPerPoint(einsum: Einsum): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (operator: string, by = 1): void => {
    counts.set(operator, (counts.get(operator) ?? 0) + by);
  };
  const visit = (expression: Expression): void => {
    if (!(expression instanceof Operation)) return;
    expression.operands.forEach(visit);
    count(expression.operator);
  };
  const { expression, reduced, reducer } = einsum;
  visit(expression);
  if (reduced.isEmpty()) return counts;
  if (reducer !== 'add' || !(expression instanceof Operation) || expression.operator !== 'mul') {
    count(reducer);
    return counts;
  }
  count('mul', -1);
  if (counts.get('mul') === 0) counts.delete('mul');
  count('mac');
  return counts;
}

/** Operations of one run of an einsum, by operator: those of a point times the points. */
export function operationCounts(workload: Workload, einsum: Einsum): Map<string, number> {
  const points = pointsOf(workload, einsum);
  return new Map([...operatorsPerPoint(einsum)].map(([operator, count]) => [operator, count * points]));
}

/** Operations of a whole workload by operator, repetitions of its steps included. */
export function totalOperations(workload: Workload): Map<string, number> {
  const total = new Map<string, number>();
  for (const step of workload.steps) {
    for (const [operator, count] of step.einsums.flatMap((einsum) => [...operationCounts(workload, einsum)])) {
      total.set(operator, (total.get(operator) ?? 0) + count * step.repeat);
    }
  }
  return total;
}
