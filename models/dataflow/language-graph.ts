/** What one device does for a language model as a dataflow graph, layer by layer. */
import { List, Map, OrderedMap } from 'immutable';
import { type Batch, tokensOf } from '../../workloads/llm/batch.ts';
import {
  type Attention,
  type Collective,
  type Experts,
  flops,
  headPairs,
  type Matmul,
  type Operator,
  softmaxOperations,
  type Vector,
  weightBytes,
} from '../../workloads/llm/operator.ts';
import { embeddingOperators, layerOperators, lmHeadOperators } from '../../workloads/llm/operators.ts';
import type { ServingWorkload } from '../../workloads/llm/workload.ts';
import { Block, DataflowGraph, Exchange, FlowOperator, FlowTensor, type Home, Operand, Product } from './graph.ts';

/**
 * The graph of one iteration. Layers that are alike are one block with repetitions; a model that is computed as a whole
 * also has blocks for its embedding and its last product.
 * @throws RangeError when the devices cannot share the model
 */
export function languageGraph(workload: ServingWorkload, batch: Batch): DataflowGraph {
  const { model, share, layers, isWhole, name } = workload;
  const rows = tokensOf(batch);
  const blocks: Block[] = [];
  const add = (block: Block): void => {
    const last = blocks.at(-1);
    if (last?.set('repeat', 1).equals(block)) blocks[blocks.length - 1] = last.set('repeat', last.repeat + 1);
    else blocks.push(block);
  };
  if (isWhole) add(blockOf('embedding', embeddingOperators(model, share, batch), rows));
  for (let layer = 0; layer < layers; layer++) add(blockOf('layer', layerOperators(model, layer, share, batch), rows));
  const last = batch.prefill.length + batch.decode.length;
  if (isWhole) add(blockOf('head', lmHeadOperators(model, share, batch), last));
  return new DataflowGraph({ name, blocks: List(blocks) });
}

/** A list of operators of a language model as a block; what no operator of the list makes is its input. */
export function blockOf(name: string, operators: List<Operator>, rows: number): Block {
  const builder = new Builder(operators.toArray());
  return new Block({ name, rows, operators: builder.operators(), tensors: OrderedMap(builder.tensors) });
}

class Builder {
  readonly #list: readonly Operator[];
  readonly tensors = new globalThis.Map<string, FlowTensor>();

  constructor(list: readonly Operator[]) {
    this.#list = list;
  }

  operators(): List<FlowOperator> {
    return List(this.#list.map((operator, index) => this.#operator(operator, index)));
  }

  #operator(operator: Operator, index: number): FlowOperator {
    const common = { name: this.#nameOf(index), flops: flops(operator) };
    switch (operator.kind) {
      case 'matmul':
      case 'experts':
        return this.#product(operator, index, common);
      case 'scores':
      case 'context':
        return this.#attention(operator, index, common);
      case 'softmax': {
        const result = this.#tensor(common.name, operator.activations * headPairs(operator), this.#home(index));
        const elements = headPairs(operator);
        const rows = elements / Math.max(1, meanKeys(operator));
        const operations = softmaxCounts(elements, rows);
        const operands = List([new Operand({ tensor: this.#before(operator, 0) })]);
        return new FlowOperator({ ...common, elements, operations, operands, results: List([result]) });
      }
      case 'vector':
        return this.#vector(operator, index, common);
      case 'collective':
        return this.#collective(operator, index, common);
    }
  }

  #product(operator: Matmul | Experts, index: number, common: { name: string; flops: number }): FlowOperator {
    const { inputs, outputs, activations } = operator;
    const tokens = operator.kind === 'matmul' ? [operator.tokens] : operator.tokens.filter((count) => count > 0);
    const all = tokens.reduce((sum, count) => sum + count, 0);
    const batch = Math.max(1, tokens.length);
    const product = new Product({ batch, m: Math.ceil(all / batch), n: outputs, k: inputs });
    const first = this.#before(operator, 0, all * inputs * activations);
    const weights = this.#tensor(`${common.name}.weights`, weightBytes(operator), 'weight', false);
    const operands = List([new Operand({ tensor: first }), new Operand({ tensor: weights })]);
    const results = this.#splitOf(index, all, outputs, activations).map(([name, bytes, home]) =>
      this.#tensor(name, bytes, home),
    );
    return new FlowOperator({ ...common, kind: 'product', product, operands, results: List(results) });
  }

  /** What a product gives: of the one that makes queries, keys and values, each apart. */
  #splitOf(index: number, tokens: number, outputs: number, activations: number): [string, number, Home][] {
    const name = this.#nameOf(index);
    const attention = this.#list.find((other) => other.kind === 'scores');
    const bytes = tokens * outputs * activations;
    if (name !== 'qkv' || attention?.kind !== 'scores') return [[name, bytes, this.#home(index)]];
    const { kvHeads, headSize } = attention;
    const kept = tokens * kvHeads * headSize * activations;
    const rotated = this.#list.some((other) => other.name === 'rotary');
    const values: [string, number, Home] = ['values', kept, 'kept'];
    if (rotated) return [[name, bytes - kept, 'intermediate'], values];
    return [[name, bytes - 2 * kept, 'intermediate'], ['keys', kept, 'kept'], values];
  }

  #attention(operator: Attention, index: number, common: { name: string; flops: number }): FlowOperator {
    const { kind, phase, requests, kvHeads, group, headSize, cache, activations } = operator;
    const queries = requests.reduce((sum, one) => sum + one.queries, 0);
    const cached = requests.reduce((sum, one) => sum + one.context - one.queries, 0);
    const old = kind === 'scores' ? `${phase}.cached-keys` : `${phase}.cached-values`;
    const fresh = kind === 'scores' ? 'keys' : 'values';
    const m = Math.ceil((group * queries) / requests.length);
    const keys = meanKeys(operator);
    const product = new Product({
      batch: kvHeads * requests.length,
      m,
      n: kind === 'scores' ? keys : headSize,
      k: kind === 'scores' ? headSize : keys,
    });
    const operands = [new Operand({ tensor: this.#before(operator, 0) })];
    if (this.tensors.has(fresh)) operands.push(new Operand({ tensor: fresh, keep: phase === 'prefill' }));
    if (cached > 0) {
      const bytes = cached * kvHeads * headSize * cache;
      operands.push(new Operand({ tensor: this.#tensor(old, bytes, 'state', phase === 'decode') }));
    }
    const bytes =
      kind === 'scores' ? activations * headPairs(operator) : activations * kvHeads * group * queries * headSize;
    const result = this.#tensor(common.name, bytes, this.#home(index));
    return new FlowOperator({ ...common, kind: 'product', product, operands: List(operands), results: List([result]) });
  }

  #vector(operator: Vector, index: number, common: { name: string; flops: number }): FlowOperator {
    const { elements, rows, operands: count, operations, reductions, perRow, activations } = operator;
    const sizes = activations * elements;
    const before = Array.from({ length: Math.max(count, operator.after.length) }, (_, n) =>
      this.#before(operator, n, sizes),
    );
    const operands = List([...new Set(before)].map((tensor) => new Operand({ tensor })));
    const all = new globalThis.Map<string, number>();
    const put = (name: string, times: number): void => void all.set(name, (all.get(name) ?? 0) + times);
    for (const [name, each] of Object.entries(operations)) put(name, each * elements);
    for (const [name, each] of Object.entries(perRow)) put(name, each * rows);
    if (reductions > 0) put('add', reductions * elements);
    const results = this.#rotated(index, elements, activations);
    return new FlowOperator({ ...common, elements, operations: Map(all), operands, results: List(results) });
  }

  /** What an operator on vectors gives; the one that rotates queries and keys gives each apart. */
  #rotated(index: number, elements: number, activations: number): string[] {
    const name = this.#nameOf(index);
    const attention = this.#list.find((other) => other.kind === 'scores');
    if (name !== 'rotary' || attention?.kind !== 'scores')
      return [this.#tensor(name, elements * activations, this.#home(index))];
    const { kvHeads, group } = attention;
    const keys = elements / (group + 1);
    if (!Number.isInteger(keys)) throw new Error(`${kvHeads} heads of keys do not divide ${elements} elements`);
    return [
      this.#tensor(name, (elements - keys) * activations, 'intermediate'),
      this.#tensor('keys', keys * activations, 'kept'),
    ];
  }

  /** A ring, as devices of one kind do it all at a time. */
  #collective(operator: Collective, index: number, common: { name: string; flops: number }): FlowOperator {
    const { pattern, bytes, devices } = operator;
    const rounds = { 'all-reduce': 2 * (devices - 1), 'all-gather': devices - 1, 'all-to-all': devices - 1, send: 1 }[
      pattern
    ];
    const share = pattern === 'send' ? bytes : bytes / devices;
    const exchange = new Exchange({ rounds, bytes: Math.ceil(rounds * share) });
    const operands = List([new Operand({ tensor: this.#before(operator, 0, bytes) })]);
    const results = List([this.#tensor(common.name, bytes, this.#home(index))]);
    return new FlowOperator({ ...common, kind: 'exchange', exchange, operands, results });
  }

  /** The main result of the n-th operator before it; the block's input, of so many bytes, where there is none. */
  #before(operator: Operator, n: number, bytes = 0): string {
    const index = operator.after[n];
    return index === undefined ? this.#tensor('input', bytes, 'input') : this.#nameOf(index);
  }

  #home(index: number): Home {
    return index === this.#list.length - 1 ? 'output' : 'intermediate';
  }

  /** Attention is named by its phase as well where both are in the list. */
  #nameOf(index: number): string {
    const operator = this.#list[index];
    if (operator === undefined) throw new Error(`there is no operator ${index}`);
    const twice = this.#list.some((other, at) => at !== index && other.name === operator.name);
    return twice && 'phase' in operator ? `${operator.phase}-${operator.name}` : operator.name;
  }

  /** Notes a tensor; one that is known is at least as large. */
  #tensor(name: string, bytes: number, home: Home, streamed = true): string {
    const known = this.tensors.get(name);
    const size = Math.max(known?.bytes ?? 0, bytes);
    this.tensors.set(name, new FlowTensor({ name, bytes: size, home, streamed }));
    return name;
  }
}

/** Keys that a query sees, on average. */
function meanKeys({ requests, kvHeads, group, ...rest }: Attention): number {
  const queries = requests.reduce((sum, one) => sum + one.queries, 0);
  return Math.ceil(headPairs({ requests, kvHeads, group, ...rest }) / (kvHeads * group * queries));
}

function softmaxCounts(elements: number, rows: number): Map<string, number> {
  const { operations, perRow } = softmaxOperations;
  return Map({
    // One of the two reductions is a maximum.
    max: elements,
    add: elements * (1 + operations.add),
    exp: elements * operations.exp,
    mul: elements * operations.mul,
    divide: rows * perRow.divide,
  });
}
