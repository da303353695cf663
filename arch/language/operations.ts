/** What engines can compute, and which unit does an operation that has none of its own. */
import type { Map } from 'immutable';
import type { OperationCost } from './arch.ts';

/** Names an engine's `operations` may use. */
export const operationNames = [
  'mac',
  'mul',
  'add',
  'sub',
  'max',
  'min',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'divide',
  'sigmoid',
  'tanh',
  'erf',
  'relu',
  'abs',
  'neg',
  'square',
] as const;

export type OperationName = (typeof operationNames)[number];

/**
 * Units that can do an operation besides a dedicated one, best first:
 * a multiplier is a mac that adds nothing, a square multiplies a value by itself; an adder subtracts and negates;
 * a comparator finds minima, and with zero or the negated value for a second operand, relu and abs.
 */
export const standIns: { readonly [operation: string]: readonly OperationName[] } = {
  mul: ['mac'],
  square: ['mul', 'mac'],
  sub: ['add'],
  neg: ['sub', 'add'],
  min: ['max'],
  relu: ['max'],
  abs: ['max'],
};

/** The cost of an operation on an engine: its own unit's, else that of a stand-in; undefined when it has neither. */
export function costOf(operations: Map<string, OperationCost>, operator: string): OperationCost | undefined {
  for (const name of [operator, ...(standIns[operator] ?? [])]) {
    const cost = operations.get(name);
    if (cost) return cost;
  }
  return undefined;
}
