/** The shape of a file with a composition of experts, before anything in it is understood. */
import { z } from 'zod';
import { count, parsed } from '../../arch/language/quantities.ts';
import { UnitError } from '../../arch/language/units.ts';
import { replacementNames } from './composition.ts';
import { dtypes, modelOrName } from './schema.ts';

export const compositionSchema = z.strictObject({
  workload: z
    .string()
    .min(1)
    .describe('Name')
    .meta({ examples: ['coe-150'] }),
  about: z.string().optional().describe('What it is, in one line'),
  source: z.string().optional().describe('Where it comes from'),
  experts: count.describe('Experts, each with weights of its own'),
  expert: modelOrName,
  router: modelOrName.describe('The model that reads every prompt and chooses an expert for it'),
  dtype: dtypes,
  parallel: z
    .strictObject({ tensor: count.default(1).describe('Devices that share every model') })
    .prefault({})
    .describe('How models are spread over devices'),
  batch: count.describe('Requests that come together'),
  batches: count.optional().describe('How often; 1 when left out, and with a trace as often as it has requests for'),
  prompt: count.describe('Tokens of a prompt'),
  output: count.describe('Tokens that an expert generates for each'),
  routing: z
    .union([
      parsed(z.string(), parseChoice, ['uniform', 'zipf(1.1)', 'round-robin']),
      z.strictObject({ trace: z.string().describe('A file with the column expert, a line for each request') }),
    ])
    .optional()
    .describe(
      'Which expert each request goes to: uniform, zipf(exponent), round-robin or a trace; uniform when left out',
    ),
  replacement: z
    .enum(replacementNames)
    .default('lru')
    .describe('Which expert leaves a full tier: used longest ago, used least, or first to come'),
  seed: z.int().min(0).default(1).describe('Of everything that is drawn'),
});

export type CompositionInput = z.output<typeof compositionSchema>;

/** `uniform`, `zipf(1.1)`, `round-robin`. @throws UnitError */
function parseChoice(text: string): { readonly kind: 'uniform' | 'zipf' | 'round-robin'; readonly exponent: number } {
  const match = /^(uniform|zipf|round-robin)(?:\(([\d.]+)\))?$/.exec(text.trim());
  const isZipf = match?.[1] === 'zipf';
  const exponent = Number(match?.[2] ?? 1);
  if (!match || isZipf !== (match[2] !== undefined) || !Number.isFinite(exponent))
    throw new UnitError(`"${text}" is no routing`, undefined, 'one of uniform, zipf(1.1), round-robin');
  return { kind: match[1] as 'uniform' | 'zipf' | 'round-robin', exponent };
}

/** JSON Schema of a composition of experts, for editors. */
export function compositionJsonSchema(): object {
  return {
    title: 'Clockwright composition of experts',
    ...z.toJSONSchema(compositionSchema, { target: 'draft-7', io: 'input' }),
  };
}
