/** Which experts tokens go to. */
import { List, Record } from 'immutable';
import { mulberry32 } from '../language/evaluate.ts';
import type { LlmModel } from './model.ts';

/**
 * `even`: as equal as can be. `uniform`: each token draws its experts, all alike. `zipf`: the expert of rank r (1, 2, ...)
 * is drawn with weight r ^ -exponent; which expert has which rank is drawn for each layer. `trace`: experts are drawn with
 * the weights of the n-th layer with experts, which are taken in turn when there are fewer than layers.
 */
export class Routing extends Record<{
  kind: 'even' | 'uniform' | 'zipf' | 'trace';
  exponent: number;
  weights: List<List<number>>;
  seed: number;
}>({ kind: 'even', exponent: 1, weights: List(), seed: 1 }, 'Routing') {}

/**
 * Tokens that go to each expert of a layer; a token goes to `activeExperts` different ones. The same for the same seed,
 * layer and iteration.
 */
export function expertTokens(
  routing: Routing,
  model: LlmModel,
  layer: number,
  iteration: number,
  tokens: number,
): readonly number[] {
  const { experts, activeExperts } = model;
  if (routing.kind === 'even') return even(tokens * activeExperts, experts);
  const weights = weightsOf(routing, model, layer);
  const counts = new Array<number>(experts).fill(0);
  const random = mulberry32(mixed(routing.seed, layer, iteration));
  for (let token = 0; token < tokens; token++) {
    for (const expert of drawn(weights, activeExperts, random)) counts[expert]!++;
  }
  return counts;
}

/** The first ones get one more when it cannot be equal. */
function even(total: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.floor(total / parts) + (i < total % parts ? 1 : 0));
}

function weightsOf(routing: Routing, model: LlmModel, layer: number): readonly number[] {
  const { experts, expertEvery } = model;
  switch (routing.kind) {
    case 'even':
    case 'uniform':
      return new Array<number>(experts).fill(1);
    case 'zipf': {
      const weights = Array.from({ length: experts }, (_, rank) => (rank + 1) ** -routing.exponent);
      return shuffled(weights, mulberry32(mixed(routing.seed, layer, -1)));
    }
    case 'trace':
      return routing.weights.get(Math.floor(layer / expertEvery) % routing.weights.size)!.toArray();
  }
}

/** Different indices, each drawn by weight from those that are left. */
function drawn(weights: readonly number[], count: number, random: () => number): number[] {
  const found: number[] = [];
  let total = weights.reduce((sum, weight) => sum + weight, 0);
  while (found.length < count) {
    let rest = random() * total;
    let last = -1;
    for (let i = 0; i < weights.length && rest >= 0; i++) {
      if (found.includes(i) || weights[i] === 0) continue;
      rest -= weights[i]!;
      last = i;
    }
    found.push(last);
    total -= weights[last]!;
  }
  return found;
}

/** The same values in an order that is drawn. */
export function shuffled(values: readonly number[], random: () => number): number[] {
  const all = [...values];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

/** One seed of several numbers. */
function mixed(...numbers: readonly number[]): number {
  return numbers.reduce((seed, number) => Math.imul(seed ^ number, 0x9e3779b1) + 0x7f4a7c15, 0);
}
