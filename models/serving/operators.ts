/** Starts operators on the array and the vector unit of a device, which read and write its memory. */
import type { ArrayPart, VectorPart } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import type { ServingMapping } from '../../workloads/language/serving-mapping.ts';
import {
  type Attention,
  activationBytes,
  cacheBytes,
  type Experts,
  flops,
  headPairs,
  type Matmul,
  type Operator,
  softmaxOperations,
  type Vector,
} from '../../workloads/llm/operator.ts';
import type { Run } from './memory.ts';
import type { Space } from './space.ts';
import {
  headCyclesOnArray,
  headCyclesOnVector,
  matmulSteps,
  partOf,
  type Sharing,
  stepBytes,
  type VectorShape,
  vectorCycles,
  vectorSteps,
} from './steps.ts';
import type { Step } from './streamed.ts';

/** Which run of an operator it is. */
export interface Instance {
  readonly layer: number;
  readonly subBatch: number;
  /** Where its input lies. */
  readonly input: Run;
  /** Of a second operand, such as that of a residual. */
  readonly second: Run;
  readonly output: Run;
}

export interface StepOptions {
  readonly space: Space;
  readonly sharing: Sharing;
  /** Bytes that all channels together have a row of each of. */
  readonly grain: number;
  /** Bytes of operands that stay on the chip while they are needed again. */
  readonly scratchpad: number;
  /** Where activations are between operators. */
  readonly activations: ServingMapping['activations'];
}

/** What is read or written of activations: nothing where they stay on the chip. */
function activationRun(base: number, width: number, { activations }: StepOptions): Run {
  return { base, width: activations === 'scratchpad' ? 0 : width };
}

/** The steps of a product on an array, with all weights of a layer in places of their own. */
export function arraySteps(
  part: ArrayPart,
  operator: Matmul | Experts | Attention,
  instance: Instance,
  options: StepOptions,
): Step[] {
  switch (operator.kind) {
    case 'matmul':
      return productSteps(part, operator, operator.name, instance, options);
    case 'experts':
      return operator.tokens.flatMap((tokens, expert) =>
        tokens === 0
          ? []
          : productSteps(
              part,
              { ...operator, kind: 'matmul', tokens },
              `${operator.name}.${expert}`,
              instance,
              options,
            ),
      );
    case 'scores':
    case 'context':
    case 'softmax':
      return attentionSteps(operator, instance, options, (queries, context) =>
        headCyclesOnArray(part, operator, queries, context),
      );
  }
}

function productSteps(
  part: ArrayPart,
  product: Matmul,
  name: string,
  instance: Instance,
  options: StepOptions,
): Step[] {
  const { tokens, inputs, outputs, weights: bytes, activations } = product;
  const weights = options.space.placeOf(`weights ${instance.layer} ${name}`, inputs * outputs * bytes);
  const input = activationRun(instance.input.base, tokens * inputs * activations, options);
  const output = activationRun(instance.output.base, tokens * outputs * activations, options);
  const streamed = part.dataflow === 'input-stationary' ? weights.width : input.width;
  const keeps = streamed <= options.scratchpad;
  return matmulSteps(part, product, { input, weights, output }, { ...options, keeps });
}

/**
 * Scores or context of all requests: keys or values, which lie side by side, are read once, queries come from memory and
 * contexts go there, scores stay on the chip.
 */
function attentionSteps(
  operator: Attention,
  { layer, input, output }: Instance,
  options: StepOptions,
  headCycles: (queries: number, context: number) => number,
): Step[] {
  const { kvHeads, group, headSize, requests, activations, kind } = operator;
  const { space, grain } = options;
  const isScores = kind === 'scores';
  const cached = space.placeOf(cacheName(isScores ? 'keys' : 'values', operator, layer), cacheBytes(operator));
  const queries = requests.reduce((sum, one) => sum + one.queries, 0);
  const width = queries * group * kvHeads * headSize * activations;
  const side = activationRun((isScores ? input : output).base, width, options);
  const cycles = kvHeads * requests.reduce((sum, one) => sum + headCycles(one.queries, one.context), 0);
  const parts = Math.max(1, Math.floor(cached.width / stepBytes));
  return Array.from({ length: parts }, (_, i) => {
    const other = [partOf(side, i, parts, grain)];
    return {
      reads: [partOf(cached, i, parts, grain), ...(isScores ? other : [])],
      cycles: Math.floor((cycles * (i + 1)) / parts) - Math.floor((cycles * i) / parts),
      writes: isScores ? [] : other,
    };
  });
}

/** The steps of what a vector unit does. */
export function vectorStepsOf(
  part: VectorPart,
  operator: Vector | Attention,
  instance: Instance,
  options: StepOptions,
): Step[] {
  if (operator.kind === 'vector') {
    const width = operator.elements * operator.activations;
    const reads = Array.from({ length: operator.operands }, (_, i) => {
      const { base } = i === 0 ? instance.input : instance.second;
      return operator.name === 'embedding' ? { base, width } : activationRun(base, width, options);
    });
    return vectorSteps(part, operator, reads, activationRun(instance.output.base, width, options), options.grain);
  }
  if (operator.kind === 'softmax') {
    const elements = headPairs(operator);
    const rows = operator.kvHeads * operator.group * operator.requests.reduce((sum, { queries }) => sum + queries, 0);
    return [{ reads: [], cycles: vectorCycles(part, { ...softmaxOperations, elements, rows }), writes: [] }];
  }
  return attentionSteps(operator, instance, options, (queries, context) =>
    headCyclesOnVector(part, operator, queries, context),
  );
}

function cacheName(tensor: 'keys' | 'values', { phase }: Attention, layer: number): string {
  return `${tensor} ${layer} ${phase}`;
}

/** Where the keys and values of tokens that are new are written, as the last ones of their requests. */
export function newCacheRuns(operator: Attention, layer: number, { space }: StepOptions): Run[] {
  const { requests, kvHeads, headSize, cache } = operator;
  const width = cache * kvHeads * headSize * requests.reduce((sum, { queries }) => sum + queries, 0);
  return (['keys', 'values'] as const).map((tensor) => {
    const place = space.placeOf(cacheName(tensor, operator, layer), cacheBytes(operator));
    return { base: place.base + place.width - width, width };
  });
}

/** @throws InputError when operands and result of an operator do not fit the scratchpad that they are to stay in */
export function checkActivations(operator: Operator, { activations, scratchpad }: StepOptions): void {
  if (activations !== 'scratchpad') return;
  const needed = activationBytes(operator);
  if (needed <= scratchpad) return;
  throw new InputError({
    message: `activations of ${operator.name} need ${needed} bytes, but the scratchpad has ${scratchpad}`,
    hint: 'take fewer or shorter requests, or "activations: memory"',
  });
}

/** Bytes of an operator's result on a device. */
export function outputBytes(operator: Operator): number {
  const { activations } = operator;
  switch (operator.kind) {
    case 'matmul':
      return operator.tokens * operator.outputs * activations;
    case 'experts':
      return operator.tokens.reduce((sum, tokens) => sum + tokens, 0) * operator.outputs * activations;
    case 'vector':
      return operator.elements * activations;
    case 'collective':
      return operator.bytes;
    case 'scores':
    case 'softmax':
      return headPairs(operator) * activations;
    case 'context': {
      const queries = operator.requests.reduce((sum, one) => sum + one.queries, 0);
      return queries * operator.kvHeads * operator.group * operator.headSize * activations;
    }
  }
}

/** What lanes or PEs do for an operator, by the name of the operation. */
export function operationsOf(operator: Operator): ReadonlyMap<string, number> {
  switch (operator.kind) {
    case 'collective':
      return new Map();
    case 'vector': {
      const { elements, rows, operations, reductions, perRow } = operator;
      return vectorOperations({ elements, rows, operations, reductions, perRow });
    }
    case 'softmax': {
      const elements = headPairs(operator);
      const rows = operator.kvHeads * operator.group * operator.requests.reduce((sum, { queries }) => sum + queries, 0);
      return vectorOperations({ ...softmaxOperations, elements, rows });
    }
    default:
      return new Map([['mac', flops(operator) / 2]]);
  }
}

function vectorOperations(shape: VectorShape): Map<string, number> {
  const { elements, rows, operations, reductions, perRow } = shape;
  const counts = new Map<string, number>();
  const add = (name: string, count: number) => counts.set(name, (counts.get(name) ?? 0) + count);
  for (const [name, times] of Object.entries(operations)) add(name, times * elements);
  add('add', reductions * elements);
  for (const [name, times] of Object.entries(perRow)) add(name, times * rows);
  return counts;
}
