/** Machines and models whose times are known without running them. */
import type { MachineTiers, MemoryTier } from '../../../models/composition/machine.ts';
import { placeExperts } from '../../../models/composition/placement.ts';
import { type CompositionRecord, runComposition } from '../../../models/composition/run.ts';
import type { ModelTimes } from '../../../models/composition/times.ts';
import { ExpertChoice, ExpertComposition } from '../../../workloads/llm/composition.ts';
import { LlmModel } from '../../../workloads/llm/model.ts';

/** 4 weights of the embedding for each of 250 words, and 4 of the last norm; with layers, more. */
export const model = new LlmModel({
  name: 'tiny',
  layers: 2,
  hidden: 4,
  headSize: 4,
  ffn: 8,
  vocabulary: 250,
  norm: 'rms',
  biases: false,
});

/** Bytes of an expert: 2 of each weight. */
export const expertBytes = 2 * model.parameters();

export const memory = (name: string, capacity: number, more: Partial<MemoryTier> = {}): MemoryTier => ({
  name,
  model: 'ideal',
  capacity,
  bandwidth: 1e12,
  latency: 0,
  ...more,
});

/** Copies to the near memory take 10 ps for each byte, and `latency` picoseconds. */
export function machine(near: number, far: readonly number[], latency = 0): MachineTiers {
  const first = memory('hbm', near);
  const others = far.map((capacity, i) => memory(`far ${i}`, capacity, { latency }));
  const links = far.map((_, i) => ({ name: `link ${i}`, bandwidth: 1e11, latency: 0 }));
  return {
    near: first,
    far: others,
    paths: others.map((from, i) => ({ from, links: links.slice(0, i + 1).reverse(), to: first })),
  };
}

/** A prompt takes 1,000 ps for each request and token, a token 100 ps for each that it sees. */
export const ideal: ModelTimes = {
  prompt: (_, requests, tokens) => ({ ps: 1000 * requests * tokens, read: 5, written: 1 }),
  tokens: (_, context, count) => ({
    ps: 100 * (count * context + (count * (count - 1)) / 2),
    read: 7 * count,
    written: 0,
  }),
  notes: [],
};

type Plan = Omit<ReturnType<ExpertComposition['toObject']>, 'name'>;

export function composition(more: Partial<Plan> = {}): ExpertComposition {
  const plan = {
    experts: 10,
    batch: 3,
    batches: 20,
    prompt: 6,
    output: 4,
    choice: new ExpertChoice({ kind: 'uniform' }),
  };
  return new ExpertComposition({ name: 'any', expert: model, router: model, ...plan, ...more });
}

/** Picoseconds of an answer: its prompt, then three tokens that see 7, 8 and 9. */
export const answer = 6000 + 100 * (7 + 8 + 9);

export function run(of: ExpertComposition, on: MachineTiers): CompositionRecord {
  return runComposition({ composition: of, machine: on, placement: placeExperts(of, on, undefined), times: ideal });
}
