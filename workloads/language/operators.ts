/** What the operators of a cascade compute, in float64. */
import { type binaryOperators, type Operator, type Reducer, unaryOperators } from './workload.ts';

type Binary = (typeof binaryOperators)[number];

const unary: { readonly [operator in Exclude<Operator, Binary>]: (a: number) => number } = {
  neg: (a) => -a,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (a) => 1 / Math.sqrt(a),
  reciprocal: (a) => 1 / a,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
  erf,
  relu: (a) => Math.max(a, 0),
  abs: Math.abs,
  square: (a) => a * a,
};

const binary: { readonly [operator in Binary]: (a: number, b: number) => number } = {
  mul: (a, b) => a * b,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  divide: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
};

/** The function of one or two operands that an operator is. */
export const scalarFunction: { readonly [operator in Operator]: (a: number, b: number) => number } = {
  ...unary,
  ...binary,
};

/** What a reduction of nothing gives. */
export const identities: { readonly [reducer in Reducer]: number } = { add: 0, max: -Infinity, min: Infinity, mul: 1 };

/** Names that a cascade may call, with their numbers of operands. */
export const functions: ReadonlyMap<string, { readonly operator: Operator; readonly arity: number }> = new Map(
  [...unaryOperators.filter((operator) => operator !== 'neg'), 'max' as const, 'min' as const].map((operator) => [
    operator,
    { operator, arity: operator in binary ? 2 : 1 },
  ]),
);

/** Names of reductions: `max(m0) QK[m1,m0]`. */
export const reducers: ReadonlyMap<string, Reducer> = new Map([
  ['sum', 'add'],
  ['max', 'max'],
  ['min', 'min'],
  ['product', 'mul'],
]);

/** The name of a reduction in a cascade. */
export function reducerName(reducer: Reducer): string {
  return [...reducers].find(([, other]) => other === reducer)![0];
}

/**
 * The error function to about 1e-15: Abramowitz and Stegun 7.1.6 (all terms positive) near zero, the continued fraction
 * 7.1.14 of erfc beyond.
 */
function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x) || a > 6) return Number.isNaN(x) ? x : Math.sign(x);
  const scale = Math.exp(-a * a);
  if (a < 3) {
    let term = a;
    let sum = 0;
    for (let n = 1; term > sum * 1e-17; n++) {
      sum += term;
      term *= (2 * a * a) / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * scale * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - scale / (Math.sqrt(Math.PI) * (a + fraction)));
}
