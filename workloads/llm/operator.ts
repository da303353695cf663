/**
 * What one device does in a layer of a transformer decoder, operator by operator: einsums with concrete sizes. Every
 * operator says how many operations it takes and which bytes it touches; nothing here knows how long that takes.
 */

/** Tokens of a request that go through the model together. */
export interface Attended {
  readonly request: number;
  /** Tokens: 1 of a request that generates, a whole prompt of one that begins. */
  readonly queries: number;
  /** Keys that the last of these tokens sees, its own included; each token sees one more than the token before it. */
  readonly context: number;
  /** Memory channel that a trace assigns to the keys and values of the request. */
  readonly channel?: number | undefined;
}

export type Phase = 'prefill' | 'decode';

/** Operations for each element (or row) of a vector operator. A subtraction is an `add`. */
export interface Operations {
  readonly add?: number;
  readonly mul?: number;
  readonly max?: number;
  readonly exp?: number;
  readonly divide?: number;
  readonly sqrt?: number;
}

interface Common {
  readonly name: string;
  /** Operators of the same list that must be done before, by index; with none, what came before the list. */
  readonly after: readonly number[];
  /** Bytes of an element of what comes in and goes out. */
  readonly activations: number;
}

/** out[token,output] = sum over inputs of in[token,input] * weight[input,output] */
export interface Matmul extends Common {
  readonly kind: 'matmul';
  readonly tokens: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Bytes of a weight. */
  readonly weights: number;
}

/** A `matmul` for each expert of the device, with weights of its own. */
export interface Experts extends Common {
  readonly kind: 'experts';
  /** By expert of the device; an expert without tokens does nothing. */
  readonly tokens: readonly number[];
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: number;
}

/**
 * A part of attention, for every request and each of the device's `kvHeads * group` heads of queries:
 * `scores`   S[query,key] = sum over headSize of Q[query] * K[key]
 * `softmax`  P[query,key] = exp(S[query,key] - max S[query]) / sum over keys
 * `context`  C[query] = sum over keys of P[query,key] * V[key]
 * The factor 1 / sqrt(headSize) is in the weights that make Q.
 */
export interface Attention extends Common {
  readonly kind: 'scores' | 'softmax' | 'context';
  readonly phase: Phase;
  readonly requests: readonly Attended[];
  /** Heads of keys and values on the device, and heads of queries that share one of them. */
  readonly kvHeads: number;
  readonly group: number;
  readonly headSize: number;
  /** Bytes of an element of K or V. */
  readonly cache: number;
}

export interface Vector extends Common {
  readonly kind: 'vector';
  /** Elements of the result, and rows that they are in. */
  readonly elements: number;
  readonly rows: number;
  /** Elements read for each of the result. */
  readonly operands: number;
  readonly operations: Operations;
  /** Sums or maxima over a row. */
  readonly reductions: number;
  /** Operations for each row. */
  readonly perRow: Operations;
}

export interface Collective extends Common {
  readonly kind: 'collective';
  readonly pattern: 'all-reduce' | 'all-gather' | 'all-to-all' | 'send';
  /**
   * `all-reduce`: of the tensor that each device has a summand of. `all-gather`: of the whole that each device has a part
   * of. `all-to-all`: that a device has for all devices, itself included. `send`: that go to one other device.
   */
  readonly bytes: number;
  readonly devices: number;
}

export type Operator = Matmul | Experts | Attention | Vector | Collective;

/** Operations of a softmax for each element and row, besides a maximum and a sum over each row. */
export const softmaxOperations = {
  operations: { add: 1, exp: 1, mul: 1 },
  reductions: 2,
  perRow: { divide: 1 },
} as const;

/** Query-key pairs under the causal mask: query i of n sees context - n + i keys, i from 1. */
export function pairs({ queries, context }: Attended): number {
  return queries * context - (queries * (queries - 1)) / 2;
}

/**
 * Operations, a multiply-add as two. Attention counts pairs under the causal mask. Moving data counts none, nor do the
 * additions of an all-reduce.
 */
export function flops(operator: Operator): number {
  switch (operator.kind) {
    case 'matmul':
      return 2 * operator.tokens * operator.inputs * operator.outputs;
    case 'experts':
      return 2 * sum(operator.tokens) * operator.inputs * operator.outputs;
    case 'scores':
    case 'context':
      return 2 * headPairs(operator) * operator.headSize;
    case 'softmax': {
      const { operations, reductions, perRow } = softmaxOperations;
      return headPairs(operator) * (count(operations) + reductions) + headQueries(operator) * count(perRow);
    }
    case 'vector': {
      const { elements, operations, reductions, rows, perRow } = operator;
      return elements * (count(operations) + reductions) + rows * count(perRow);
    }
    case 'collective':
      return 0;
  }
}

/**
 * Bytes of the operands, each read once, and of the result, written once, as if nothing stayed on the chip between two
 * operators. K and V are read once for all heads of queries that share them and all queries of a request.
 */
export function bytes(operator: Operator): number {
  const { activations } = operator;
  switch (operator.kind) {
    case 'matmul':
    case 'experts':
      return weightBytes(operator) + activations * tokensOf(operator) * (operator.inputs + operator.outputs);
    case 'scores':
    case 'context':
      return cacheBytes(operator) + activations * (headPairs(operator) + headQueries(operator) * operator.headSize);
    case 'softmax':
      return 2 * activations * headPairs(operator);
    case 'vector':
      return activations * operator.elements * (operator.operands + 1);
    case 'collective':
      return operator.bytes;
  }
}

/** Of these bytes, those of operands and results that operators hand on to each other. */
export function activationBytes(operator: Operator): number {
  switch (operator.kind) {
    case 'matmul':
    case 'experts':
      return bytes(operator) - weightBytes(operator);
    case 'scores':
    case 'context':
      return bytes(operator) - cacheBytes(operator);
    default:
      return bytes(operator);
  }
}

/** Op/B as Duplex (MICRO 2024) has it: operations for each byte of operands and result; 0 when nothing is computed. */
export function opPerByte(operator: Operator): number {
  const work = flops(operator);
  return work === 0 ? 0 : work / bytes(operator);
}

/** Bytes of the weights that a product reads: of experts, those that have tokens. */
export function weightBytes(operator: Matmul | Experts): number {
  const matrices = operator.kind === 'matmul' ? 1 : operator.tokens.filter((tokens) => tokens > 0).length;
  return matrices * operator.weights * operator.inputs * operator.outputs;
}

/** Bytes of K (or of V) that all requests read. */
export function cacheBytes({ requests, kvHeads, headSize, cache }: Attention): number {
  return cache * kvHeads * headSize * sum(requests.map(({ context }) => context));
}

/** Query-key pairs of all requests and heads of queries. */
export function headPairs({ requests, kvHeads, group }: Attention): number {
  return kvHeads * group * sum(requests.map(pairs));
}

function headQueries({ requests, kvHeads, group }: Attention): number {
  return kvHeads * group * sum(requests.map(({ queries }) => queries));
}

function tokensOf(operator: Matmul | Experts): number {
  return operator.kind === 'matmul' ? operator.tokens : sum(operator.tokens);
}

function count(operations: Operations): number {
  return sum(Object.values(operations));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
