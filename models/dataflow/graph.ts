/**
 * A dataflow graph as an immutable value: what is to be computed, tensor by tensor. It knows no machine; sizes are those
 * of one device. Two equal graphs are equal values.
 */
import { List, Map, OrderedMap, Record } from 'immutable';

/**
 * Where a tensor lives before and after its block: `weight`, `input` and `state` are read from memory, `output` and `kept`
 * are written there, `intermediate` is neither unless the graph is cut between its producer and a user.
 */
export type Home = 'weight' | 'input' | 'state' | 'intermediate' | 'output' | 'kept';

export class FlowTensor extends Record<{
  name: string;
  bytes: number;
  home: Home;
  /** Whether it comes tile by tile along the dimension that the graph streams; else it is one piece. */
  streamed: boolean;
  /** Bytes that lie side by side in memory. Infinity: all. */
  run: number;
}>({ name: '', bytes: 0, home: 'intermediate', streamed: true, run: Number.POSITIVE_INFINITY }, 'FlowTensor') {}

/** `keep`: tiles stay until the operator has ended, as keys do that later queries see. */
export class Operand extends Record<{ tensor: string; keep: boolean }>({ tensor: '', keep: false }, 'Operand') {}

/** A product, for each of `batch`: (m x k) times (k x n). The first operand is m x k. */
export class Product extends Record<{ batch: number; m: number; n: number; k: number }>(
  { batch: 1, m: 1, n: 1, k: 1 },
  'Product',
) {}

/** What several devices do together: `rounds` one after another, in which each sends `bytes` in all. */
export class Exchange extends Record<{ rounds: number; bytes: number }>({ rounds: 0, bytes: 0 }, 'Exchange') {}

export class FlowOperator extends Record<{
  name: string;
  kind: 'product' | 'simd' | 'transpose' | 'exchange';
  /** Whether it works tile by tile along the dimension that the graph streams; else all at once. */
  streamed: boolean;
  /** All tiles together. */
  product: Product | null;
  /** Elements that a `simd` operator makes or reduces, and its operations, all tiles together. */
  elements: number;
  operations: Map<string, number>;
  exchange: Exchange | null;
  /** Operations, a multiply-add as two. */
  flops: number;
  operands: List<Operand>;
  results: List<string>;
}>(
  {
    name: '',
    kind: 'simd',
    streamed: true,
    product: null,
    elements: 0,
    operations: Map(),
    exchange: null,
    flops: 0,
    operands: List(),
    results: List(),
  },
  'FlowOperator',
) {}

/** Operators that run `repeat` times one after another; each repetition has its own weights. They come in an order in which they may run. */
export class Block extends Record<{
  name: string;
  repeat: number;
  /** Extent of the dimension that is streamed. */
  rows: number;
  operators: List<FlowOperator>;
  tensors: OrderedMap<string, FlowTensor>;
}>({ name: '', repeat: 1, rows: 1, operators: List(), tensors: OrderedMap() }, 'Block') {}

export class DataflowGraph extends Record<{ name: string; blocks: List<Block> }>(
  { name: '', blocks: List() },
  'DataflowGraph',
) {
  /** Operations of all repetitions. */
  get flops(): number {
    return this.blocks.reduce(
      (all, { repeat, operators }) => all + repeat * operators.reduce((n, o) => n + o.flops, 0),
      0,
    );
  }
}

/** The operator that makes a tensor, by the tensor's name. */
export function producersOf(operators: Iterable<FlowOperator>): ReadonlyMap<string, FlowOperator> {
  const producers: [string, FlowOperator][] = [];
  for (const operator of operators) for (const result of operator.results) producers.push([result, operator]);
  return new globalThis.Map(producers);
}
