/** Layers of experts, and where their tokens go: traces that come with Clockwright, those of the working directory, draws. */
import { expertTokens, expertTraceFiles, LlmModel, type MoeLayer, Routing, readExpertTrace } from '../../../index.ts';

/** Dimensions of a layer, from each model's config.json. */
const models = {
  'qwen3-30b-a3b': { dim: 2048, hidden: 768, experts: 128, activeExperts: 8 },
  'mixtral-8x7b': { dim: 4096, hidden: 14336, experts: 8, activeExperts: 2 },
} as const;
type Model = keyof typeof models;
const modelNames = Object.keys(models) as Model[];

/** Tokens of a layer whose routing is drawn. */
const drawnBatch = 64;
const draws = ['uniform', 'zipf'] as const;

const files = expertTraceFiles();

/** Traces in files, whose names begin with that of their model: `qwen3-30b-a3b-mine.experts.csv`. */
export const fileTraces: readonly string[] = [...files.keys()].filter((name) => modelOf(name) !== undefined).sort();

export const drawnTraces: readonly string[] = modelNames.flatMap((model) => draws.map((kind) => `${model}-${kind}`));

function modelOf(trace: string): Model | undefined {
  return modelNames.find((name) => trace.startsWith(`${name}-`));
}

/** @throws InputError on a trace that its model cannot have */
export function layerOf(trace: string): MoeLayer {
  const model = modelOf(trace);
  if (model === undefined) throw new Error(`the trace "${trace}" does not begin with the name of a model`);
  const { experts, ...shape } = models[model];
  const { activeExperts } = shape;
  const kind = draws.find((name) => trace === `${model}-${name}`);
  if (kind !== undefined) {
    const tokens = expertTokens(new Routing({ kind }), new LlmModel({ experts, activeExperts }), 0, 0, drawnBatch);
    return { ...shape, batch: drawnBatch, tokens, bytesPerElement: 2 };
  }
  const file = files.get(trace);
  if (file === undefined) throw new Error(`there is no file ${trace}.experts.csv`);
  return { ...shape, ...readExpertTrace(file, { experts, activeExperts }), bytesPerElement: 2 };
}
