/** The operators of a layer, and of what comes before and after the layers, for one device. */
import { List } from 'immutable';
import { type Batch, tokensOf } from './batch.ts';
import type { LlmModel } from './model.ts';
import type { Attended, Operations, Operator, Phase, Vector } from './operator.ts';
import { softmaxOperations } from './operator.ts';
import { expertTokens } from './routing.ts';
import { type DeviceShare, expertsOf, shareMistake } from './share.ts';

/** An operator without what all have, for `Operators.add`. */
type Bare<O> = O extends Operator ? Omit<O, 'after' | 'activations'> : never;

type VectorShape = Partial<Pick<Vector, 'operands' | 'operations' | 'reductions' | 'perRow'>>;

/**
 * Operators of a layer, counted from 0, in an order in which they may run. Of tokens that several devices have, each
 * device works on all; biases ride on their products.
 * @throws RangeError when the model cannot be shared like that (`shareMistake`), or has no such layer
 */
export function layerOperators(model: LlmModel, layer: number, share: DeviceShare, batch: Batch): List<Operator> {
  if (!(layer >= 0 && layer < model.layers)) throw new RangeError(`${model.name} has no layer ${layer}`);
  const list = new Operators(model, share, batch);
  const attended = list.attention();
  if (model.hasExperts(layer)) list.experts(attended, layer);
  else list.network(attended);
  return list.done();
}

/** Rows of the embedding, one for each token, and of that of positions where there is one. */
export function embeddingOperators(model: LlmModel, share: DeviceShare, batch: Batch): List<Operator> {
  const list = new Operators(model, share, batch);
  const learned = model.positions > 0;
  const rows = list.vector('embedding', list.tokens, model.hidden, [], {
    operands: learned ? 2 : 1,
    operations: learned ? { add: 1 } : {},
  });
  list.allReduce('embedding-reduce', rows);
  return list.done();
}

/** The norm after the last layer and the scores of the words, for the last token of each request. */
export function lmHeadOperators(model: LlmModel, share: DeviceShare, batch: Batch): List<Operator> {
  const list = new Operators(model, share, batch);
  const tokens = batch.prefill.length + batch.decode.length;
  const norm = list.norm('final-norm', tokens, []);
  const outputs = Math.ceil(model.vocabulary / share.tensor);
  const head = list.matmul('lm-head', tokens, model.hidden, outputs, [norm]);
  const bytes = tokens * model.vocabulary * share.activations;
  if (share.tensor > 1)
    list.add({ kind: 'collective', name: 'lm-head-gather', pattern: 'all-gather', bytes, devices: share.tensor }, [
      head,
    ]);
  return list.done();
}

/** What a stage of a pipeline sends to the next one. */
export function stageSend(model: LlmModel, share: DeviceShare, batch: Batch): Operator {
  const bytes = tokensOf(batch) * model.hidden * share.activations;
  const { activations } = share;
  return { kind: 'collective', name: 'stage-send', pattern: 'send', bytes, devices: 2, activations, after: [] };
}

/** Operations of an activation for each element. GELU is x / (1 + exp(x * (a + b * x * x))), its form by tanh. */
const activations: { readonly [name in LlmModel['activation']]: Operations } = {
  gelu: { mul: 3, add: 2, exp: 1, divide: 1 },
  silu: { add: 1, exp: 1, divide: 1 },
  relu: { max: 1 },
};

/** Norms: sums over a row, then operations for each element and each row. */
const norms: { readonly [name in LlmModel['norm']]: Required<Omit<VectorShape, 'operands'>> } = {
  layer: { reductions: 2, operations: { add: 2, mul: 3 }, perRow: { mul: 2, divide: 1, sqrt: 1 } },
  rms: { reductions: 1, operations: { mul: 3 }, perRow: { mul: 1, divide: 1, sqrt: 1 } },
};

/** The list as it grows. What adds an operator gives its index. */
class Operators {
  readonly #list: Operator[] = [];
  readonly #model: LlmModel;
  readonly #share: DeviceShare;
  readonly #batch: Batch;
  readonly tokens: number;

  constructor(model: LlmModel, share: DeviceShare, batch: Batch) {
    const mistake = shareMistake(model, share);
    if (mistake !== null) throw new RangeError(mistake);
    this.#model = model;
    this.#share = share;
    this.#batch = batch;
    this.tokens = tokensOf(batch);
  }

  done(): List<Operator> {
    return List(this.#list);
  }

  add(operator: Bare<Operator>, after: readonly number[]): number {
    this.#list.push({ ...operator, after, activations: this.#share.activations } as Operator);
    return this.#list.length - 1;
  }

  matmul(name: string, tokens: number, inputs: number, outputs: number, after: readonly number[]): number {
    return this.add({ kind: 'matmul', name, tokens, inputs, outputs, weights: this.#share.weights }, after);
  }

  vector(name: string, rows: number, width: number, after: readonly number[], shape: VectorShape): number {
    const { operands = 1, operations = {}, reductions = 0, perRow = {} } = shape;
    return this.add(
      { kind: 'vector', name, elements: rows * width, rows, operands, operations, reductions, perRow },
      after,
    );
  }

  norm(name: string, tokens: number, after: readonly number[]): number {
    return this.vector(name, tokens, this.#model.hidden, after, norms[this.#model.norm]);
  }

  /** The sum of what all devices of the group have, when there are several. */
  allReduce(name: string, after: number): number {
    const { tensor } = this.#share;
    if (tensor === 1) return after;
    const bytes = this.tokens * this.#model.hidden * this.#share.activations;
    return this.add({ kind: 'collective', name, pattern: 'all-reduce', bytes, devices: tensor }, [after]);
  }

  /** Everything up to the residual after attention, which may follow the layer before. */
  attention(): number {
    const { hidden, heads, headSize, rotary } = this.#model;
    const kvHeads = this.#model.kvHeadsOn(this.#share.tensor);
    const local = heads / this.#share.tensor;
    const norm = this.norm('attention-norm', this.tokens, []);
    let last = this.matmul('qkv', this.tokens, hidden, (local + 2 * kvHeads) * headSize, [norm]);
    if (rotary) {
      const width = (local + kvHeads) * headSize;
      last = this.vector('rotary', this.tokens, width, [last], { operations: { mul: 2, add: 1 } });
    }
    const contexts = [
      ...this.#heads('prefill', this.#batch.prefill, last),
      ...this.#heads('decode', this.#batch.decode, last),
    ];
    const projection = this.matmul('projection', this.tokens, local * headSize, hidden, contexts);
    const reduced = this.allReduce('attention-reduce', projection);
    return this.#residual('attention-residual', [reduced]);
  }

  #heads(phase: Phase, requests: readonly Attended[], after: number): number[] {
    if (requests.length === 0) return [];
    const kvHeads = this.#model.kvHeadsOn(this.#share.tensor);
    const group = this.#model.heads / this.#share.tensor / kvHeads;
    const shape = { phase, requests, kvHeads, group, headSize: this.#model.headSize, cache: this.#share.cache };
    let last = after;
    for (const kind of ['scores', 'softmax', 'context'] as const)
      last = this.add({ kind, name: kind, ...shape }, [last]);
    return [last];
  }

  /** The network of a layer without experts, and the residual after it. */
  network(attended: number): number {
    const { hidden, gated, ffn } = this.#model;
    const width = ffn / this.#share.tensor;
    const norm = this.norm('ffn-norm', this.tokens, [attended]);
    const gate = gated ? [this.matmul('ffn-gate', this.tokens, hidden, width, [norm])] : [];
    const up = this.matmul('ffn-up', this.tokens, hidden, width, [norm]);
    const inner = this.#activate(this.tokens, width, gate, up);
    const down = this.matmul('ffn-down', this.tokens, width, hidden, [inner]);
    return this.#residual('ffn-residual', [this.allReduce('ffn-reduce', down), attended]);
  }

  /** The activation of `up` or, when there is a gate, of the gate, by which `up` is multiplied. */
  #activate(rows: number, width: number, gate: readonly number[], up: number): number {
    const { activation } = this.#model;
    const after = gate.length > 0 ? gate : [up];
    const active = this.vector(activation, rows, width, after, { operations: activations[activation] });
    if (gate.length === 0) return active;
    return this.vector('gate', rows, width, [active, up], { operands: 2, operations: { mul: 1 } });
  }

  #residual(name: string, after: readonly number[]): number {
    return this.vector(name, this.tokens, this.#model.hidden, after, { operands: 2, operations: { add: 1 } });
  }

  /** The experts of a layer, and the residual after them. */
  experts(attended: number, layer: number): number {
    const { hidden, ffn, experts, activeExperts, gatedExperts } = this.#model;
    const { weights, data, expertTensor } = this.#share;
    const norm = this.norm('ffn-norm', this.tokens, [attended]);
    const router = this.matmul('router', this.tokens, hidden, experts, [norm]);
    const routed = this.vector('routing', this.tokens, experts, [router], {
      ...softmaxOperations,
      // The best experts are found one after another.
      reductions: softmaxOperations.reductions + activeExperts,
    });
    const arrived = data > 1 ? this.#exchange('dispatch', expertTensor, [norm, routed]) : routed;
    const all = expertTokens(this.#batch.routing, this.#model, layer, this.#batch.iteration, this.tokens * data);
    const tokens = all.slice(...expertsOf(this.#model, this.#share));
    const copies = tokens.reduce((sum, count) => sum + count, 0);
    const width = ffn / expertTensor;
    const product = (name: string, inputs: number, outputs: number, after: number): number =>
      this.add({ kind: 'experts', name, tokens, inputs, outputs, weights }, [after]);
    const gate = gatedExperts ? [product('expert-gate', hidden, width, arrived)] : [];
    const up = product('expert-up', hidden, width, arrived);
    const inner = this.#activate(copies, width, gate, up);
    const down = product('expert-down', width, hidden, inner);
    const sum = data > 1 ? this.#collected(down, copies) : this.allReduce('ffn-reduce', this.#combine(copies, down));
    return this.#residual('ffn-residual', [sum, attended]);
  }

  /** What experts give, times their weights, added to the sum of each token. */
  #combine(copies: number, after: number): number {
    return this.vector('combine', copies, this.#model.hidden, [after], {
      operands: 2,
      operations: { mul: 1, add: 1 },
    });
  }

  /** Results of experts go back to the replicas that the tokens came from, to a part of the devices of each. */
  #collected(down: number, copies: number): number {
    const { tensor, expertTensor, activations } = this.#share;
    const { hidden, activeExperts } = this.#model;
    const bytes = copies * hidden * activations;
    const name = 'expert-reduce';
    const whole =
      expertTensor === 1
        ? down
        : this.add({ kind: 'collective', name, pattern: 'all-reduce', bytes, devices: expertTensor }, [down]);
    const back = this.#exchange('collect', 1, [whole]);
    const combined = this.#combine(Math.ceil(this.tokens / tensor) * activeExperts, back);
    if (tensor === 1) return combined;
    const all = this.tokens * hidden * activations;
    return this.add({ kind: 'collective', name: 'ffn-gather', pattern: 'all-gather', bytes: all, devices: tensor }, [
      combined,
    ]);
  }

  /** Each device sends its part of the tokens of its replica, once for every active expert and each of `copies` devices. */
  #exchange(name: string, copies: number, after: readonly number[]): number {
    const { tensor, data, activations } = this.#share;
    const { hidden, activeExperts } = this.#model;
    const bytes = (this.tokens * activeExperts * hidden * activations * copies) / tensor;
    return this.add({ kind: 'collective', name, pattern: 'all-to-all', bytes, devices: tensor * data }, after);
  }
}
