/**
 * Attention as streaming graphs, one score in each step, for N queries and N keys of one head: `standard`, which divides
 * each exponential by its row's sum and so keeps a row of them meanwhile, and `online`, which keeps a running maximum,
 * rescales sums as it grows, and divides at the end of each row.
 *
 * Operators, their latencies and initiation intervals are those of gina7484/stream-attn-dam (commit 9f1cb9d), the graphs
 * of the Dataflow Abstract Machine's case study (Zhang et al., ISCA 2024, table II), which has them of Spatial's RTL. A
 * channel holds what is in its sender's pipeline too, so that its depth here is the FIFO's and the pipeline's stages.
 */
import type { ChannelSpec, StreamGraph } from './graph.ts';
import type { OperatorSpec } from './operator.ts';

export const attentionKinds = ['standard', 'online'] as const;
export type AttentionKind = (typeof attentionKinds)[number];

/** Cycles of the operators of both graphs: reductions add up every other cycle. */
const scores = { interval: 1, latency: 11 };
const reduceInterval = 2;

/** Entries of the FIFOs between operators. */
const fifo = 2;
const pipelined = (entries: number, latency: number): number => entries + latency - 1;

export interface AttentionOptions {
  /**
   * Entries of the FIFO that the graph depends on. In `standard` the one that keeps a row: fewer than N deadlock. In
   * `online` the most that any FIFO has: 22 holds back none, as the longest pipeline, the division's, has 21 stages.
   */
  readonly depth: number;
}

/** @throws RangeError unless n is a whole number from 2 */
export function attentionGraph(kind: AttentionKind, n: number, { depth }: AttentionOptions): StreamGraph {
  if (!Number.isSafeInteger(n) || n < 2) throw new RangeError(`attention of ${n} tokens, not a whole number from 2`);
  return kind === 'standard' ? standard(n, depth) : online(n, depth);
}

const source = (name: string, elements: number): OperatorSpec => ({ name, elements, interval: 1, latency: 1 });

function sources(n: number): OperatorSpec[] {
  return [source('queries', 1), source('keys', n), source('values', n)];
}

function standard(n: number, depth: number): StreamGraph {
  const sum = { name: 'row-sum', elements: n, interval: reduceInterval, latency: 23 };
  const divide = { name: 'division', elements: n, interval: 1, latency: 8 };
  const product = { name: 'product', elements: n, interval: reduceInterval, latency: 13 };
  // As the memories that they are read from; they hold back nothing.
  const read = Number.POSITIVE_INFINITY;
  const short = pipelined(fifo + reduceInterval - 1, scores.latency);
  const channels: ChannelSpec[] = [
    { name: 'Q', from: 'queries', to: 'scores', depth: read, taken: 'row' },
    { name: 'K', from: 'keys', to: 'scores', depth: read },
    { name: 'V', from: 'values', to: 'product', depth: read },
    { name: 'exponentials', from: 'scores', to: 'row-sum', depth: short },
    { name: 'kept-row', from: 'scores', to: 'division', depth },
    { name: 'sum', from: 'row-sum', to: 'division', depth: pipelined(fifo, sum.latency), given: 'row', taken: 'row' },
    { name: 'weights', from: 'division', to: 'product', depth: pipelined(fifo, divide.latency) },
    { name: 'output', from: 'product', to: 'outputs', depth: n, given: 'row' },
  ];
  const operators = [...sources(n), { name: 'scores', elements: n, ...scores }, sum, divide, product];
  return { rows: n, operators: [...operators, source('outputs', 1)], channels };
}

function online(n: number, most: number): StreamGraph {
  const maximum = { name: 'running-max', elements: n, interval: 1, latency: 3 };
  const sum = { name: 'running-sum', elements: n, interval: reduceInterval, latency: 8 };
  const product = { name: 'running-product', elements: n, interval: reduceInterval, latency: 12 };
  const divide = { name: 'division', elements: 1, interval: 1, latency: 21 };
  const upTo = (depth: number): number => (most === Number.POSITIVE_INFINITY ? most : Math.min(most, depth));
  const between = upTo(fifo);
  const reduced = (latency: number): number => upTo(pipelined(fifo + reduceInterval - 1, latency));
  const channels: ChannelSpec[] = [
    { name: 'Q', from: 'queries', to: 'scores', depth: between, taken: 'row' },
    { name: 'K', from: 'keys', to: 'scores', depth: between },
    { name: 'V', from: 'values', to: 'running-product', depth: between },
    { name: 'S', from: 'scores', to: 'running-max', depth: upTo(pipelined(fifo, scores.latency)) },
    { name: 'sum-scale', from: 'running-max', to: 'running-sum', depth: between },
    { name: 'sum-term', from: 'running-max', to: 'running-sum', depth: between },
    { name: 'product-scale', from: 'running-max', to: 'running-product', depth: between },
    { name: 'product-term', from: 'running-max', to: 'running-product', depth: between },
    { name: 'sum', from: 'running-sum', to: 'division', depth: reduced(sum.latency), given: 'row' },
    { name: 'product', from: 'running-product', to: 'division', depth: reduced(product.latency), given: 'row' },
    { name: 'output', from: 'division', to: 'outputs', depth: upTo(pipelined(fifo, divide.latency)) },
  ];
  const operators = [...sources(n), { name: 'scores', elements: n, ...scores }, maximum, sum, product, divide];
  return { rows: n, operators: [...operators, source('outputs', 1)], channels };
}
