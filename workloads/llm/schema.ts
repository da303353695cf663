/** The shape of a serving workload's file, before anything in it is understood. */
import { z } from 'zod';
import { count, dtype, parsed } from '../../arch/language/quantities.ts';
import { UnitError } from '../../arch/language/units.ts';
import { parseArriving, parseLengths } from './lengths.ts';
import { modelSchema } from './models.ts';

const lengths = parsed(z.union([z.string(), z.number()]), parseLengths, [512, 'lognormal(376, 0.8)']);
const trace = (columns: string) =>
  z
    .string()
    .meta({ examples: ['traces/sharegpt-512.csv'] })
    .optional()
    .describe(`A file with the columns ${columns}; a path from the folder of this file`);

const batch = z
  .strictObject({
    trace: trace('seq_len and, if it assigns channels, ch_idx'),
    requests: count.optional().describe('Requests, whose contexts are drawn'),
    context: lengths.optional().describe('Tokens that each of them sees, its own included'),
  })
  .describe('Requests that go through the model together, from a trace or drawn');

const serve = z
  .strictObject({
    trace: trace('arrival_s (seconds), prompt and output'),
    arrivals: parsed(z.string(), parseArriving, ['poisson(9/s)'])
      .optional()
      .describe('When requests arrive; all at the beginning when left out'),
    prompt: lengths.optional().describe('Tokens of a prompt'),
    output: lengths.optional().describe('Tokens that are generated'),
    seconds: z.number().positive().optional().describe('How long requests arrive, in seconds'),
    requests: count.optional().describe('How many arrive'),
    most: count.describe('Requests that are worked on at a time'),
  })
  .describe('Requests that come and go, from a trace or drawn, under continuous batching');

const parallel = z
  .strictObject({
    tensor: count.default(1).describe('Devices that share heads and inner elements of networks'),
    data: count.default(1).describe('Replicas of those, with a batch each, that share the experts'),
    expert: count.default(1).describe('Groups of devices that the experts are spread over'),
    pipeline: count.default(1).describe('Stages that the layers are cut into'),
  })
  .describe('How the model is spread over devices');

export const dtypes = z
  .union([
    dtype,
    z.strictObject({
      weights: dtype.optional(),
      activations: dtype.optional(),
      cache: dtype.optional().describe('Of keys and values'),
    }),
  ])
  .default('fp16')
  .describe('Data type of everything, or of weights, activations and cache');

export const modelOrName = z
  .union([z.string().meta({ examples: ['gpt3-6.7b'] }), modelSchema])
  .describe('The name of a model in workloads/llm/models.yaml, or a map that describes one');

export const servingSchema = z.strictObject({
  workload: z
    .string()
    .min(1)
    .describe('Name')
    .meta({ examples: ['gpt3-7b-sharegpt'] }),
  about: z.string().optional().describe('What it is, in one line'),
  source: z.string().optional().describe('Where it comes from'),
  model: modelOrName,
  dtype: dtypes,
  layers: count.optional().describe('Layers that are computed, without embeddings; the whole model when left out'),
  parallel: parallel.prefault({}),
  phase: z
    .enum(['prefill', 'decode', 'serve'])
    .optional()
    .describe('What requests do: their prompts, a token each, or both as they come; serve when "serve" is there'),
  batch: batch.optional(),
  generate: count.optional().describe('Tokens that each request of a batch generates; 1 when left out'),
  serve: serve.optional(),
  routing: z
    .union([
      parsed(z.string(), parseRouting, ['uniform', 'zipf(1.2)']),
      z.strictObject({ trace: z.string().describe('A file with the columns layer, expert and tokens') }),
    ])
    .optional()
    .describe('How tokens choose experts: even, uniform, zipf(exponent) or a trace; uniform when left out'),
  seed: z.int().min(0).default(1).describe('Of everything that is drawn'),
});

export type ServingInput = z.output<typeof servingSchema>;

/** `even`, `uniform`, `zipf(1.2)`. @throws UnitError */
function parseRouting(text: string): { readonly kind: 'even' | 'uniform' | 'zipf'; readonly exponent: number } {
  const match = /^(even|uniform|zipf)(?:\(([\d.]+)\))?$/.exec(text.trim());
  const isZipf = match?.[1] === 'zipf';
  const exponent = Number(match?.[2] ?? 1);
  if (!match || isZipf !== (match[2] !== undefined) || !Number.isFinite(exponent))
    throw new UnitError(`"${text}" is no routing`, undefined, 'one of even, uniform, zipf(1.2)');
  return { kind: match[1] as 'even' | 'uniform' | 'zipf', exponent };
}

/** JSON Schema of a serving workload, for editors. */
export function servingJsonSchema(): object {
  return {
    title: 'Clockwright serving workload',
    ...z.toJSONSchema(servingSchema, { target: 'draft-7', io: 'input' }),
  };
}
