/** Compositions of experts: whole language models, of which a router chooses one for every request. Knows no machine. */
import { List, Record } from 'immutable';
import { mulberry32 } from '../language/evaluate.ts';
import { LlmModel } from './model.ts';
import { shuffled } from './routing.ts';
import { DeviceShare } from './share.ts';

/** What leaves a tier that is full of experts: who was used longest ago, used least, or came first. */
export const replacementNames = ['lru', 'lfu', 'fifo'] as const;
export type Replacement = (typeof replacementNames)[number];

/**
 * `uniform`: all alike. `zipf`: the expert of rank r (1, 2, ...) with weight r ^ -exponent; which has which rank is drawn.
 * `round-robin`: one after another, from expert 0. `trace`: as a file says, an expert for each request.
 */
export class ExpertChoice extends Record<{
  kind: 'uniform' | 'zipf' | 'round-robin' | 'trace';
  exponent: number;
  experts: List<number>;
}>({ kind: 'uniform', exponent: 1, experts: List() }, 'ExpertChoice') {}

/**
 * In each of `batches`, `batch` requests come with prompts of `prompt` tokens, the router reads them all, and the chosen
 * expert of each generates `output` tokens.
 */
export class ExpertComposition extends Record<{
  name: string;
  about: string;
  source: string;
  /** How many experts there are, each with weights of its own. */
  experts: number;
  expert: LlmModel;
  router: LlmModel;
  /** Of device 0, of the experts and of the router. */
  share: DeviceShare;
  batch: number;
  batches: number;
  prompt: number;
  output: number;
  choice: ExpertChoice;
  replacement: Replacement;
  seed: number;
}>(
  {
    name: '',
    about: '',
    source: '',
    experts: 1,
    expert: new LlmModel(),
    router: new LlmModel(),
    share: new DeviceShare(),
    batch: 1,
    batches: 1,
    prompt: 1,
    output: 1,
    choice: new ExpertChoice(),
    replacement: 'lru',
    seed: 1,
  },
  'ExpertComposition',
) {}

/** The expert of each request, batch by batch; the same for the same seed. With a trace, the last batch may be shorter. */
export function* chosenExperts(composition: ExpertComposition): Generator<readonly number[]> {
  const { batch, batches } = composition;
  const next = chooser(composition);
  for (let index = 0; index < batches; index++) {
    const chosen = Array.from({ length: batch }, next).filter((expert) => expert !== undefined);
    yield chosen;
  }
}

/** Gives an expert for every request; undefined after the last one of a trace. */
function chooser({ experts, choice, seed }: ExpertComposition): () => number | undefined {
  let request = 0;
  const random = mulberry32(seed);
  switch (choice.kind) {
    case 'uniform':
      return () => Math.floor(random() * experts);
    case 'zipf':
      return zipf(experts, choice.exponent, random);
    case 'round-robin':
      return () => request++ % experts;
    case 'trace':
      return () => choice.experts.get(request++);
  }
}

function zipf(experts: number, exponent: number, random: () => number): () => number {
  const byRank = shuffled(
    Array.from({ length: experts }, (_, expert) => expert),
    random,
  );
  const sums = new Float64Array(experts);
  let total = 0;
  for (let rank = 0; rank < experts; rank++) sums[rank] = total += (rank + 1) ** -exponent;
  return () => {
    const drawn = random() * total;
    const rank = sums.findIndex((sum) => drawn < sum);
    return byRank[rank < 0 ? experts - 1 : rank] ?? 0;
  };
}
