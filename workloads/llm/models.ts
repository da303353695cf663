/** The table of models, and models that a file describes. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Diagnostic, InputError, suggest } from '../../arch/language/diagnostics.ts';
import { packageRoot } from '../../arch/language/library.ts';
import { count } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';
import { LlmModel } from './model.ts';

const form = {
  layers: count.optional().describe('Layers'),
  hidden: count.optional().describe('Elements of a token between operators'),
  heads: count.optional().describe('Heads of queries'),
  kvHeads: count.optional().describe('Heads of keys and values; as many as of queries when left out'),
  headSize: count.optional().describe('Elements of a head; hidden / heads when left out'),
  ffn: count.optional().describe('Inner elements of the network, or of each expert; 4 * hidden when left out'),
  gated: z.boolean().optional().describe('Whether the network has a gate'),
  gatedExperts: z.boolean().optional().describe('Whether experts have one; as the network when left out'),
  experts: count.optional().describe('Experts of a layer'),
  activeExperts: count.optional().describe('Experts that a token goes to'),
  expertEvery: count.optional().describe('2: every other layer has experts'),
  vocabulary: count.optional().describe('Words of the embedding'),
  positions: count.optional().describe('Positions with a learned embedding'),
  rotary: z.boolean().optional().describe('Whether queries and keys are rotated by their position'),
  tied: z.boolean().optional().describe("Whether the last product uses the embedding's weights; true when left out"),
  biases: z.boolean().optional().describe('Whether products and norms have biases; true when left out'),
  norm: z.enum(['layer', 'rms']).optional().describe('Norm over mean and variance, or over the mean square'),
  activation: z.enum(['gelu', 'silu', 'relu']).optional().describe('Activation of the network'),
};

/** A model as a file may describe it. */
export const modelSchema = z.strictObject(form).describe('A decoder-only transformer');
export type ModelInput = z.output<typeof modelSchema>;

const rowSchema = z.strictObject({
  ...form,
  source: z.string().optional().describe("Where this row differs from the family's source"),
  published: count.describe('Parameters that the source gives'),
  also: z.string().optional().describe('Another name'),
});

const tableSchema = z.strictObject({
  families: z.record(
    z.string(),
    z.strictObject({
      ...form,
      source: z.string().describe('Where the rows come from'),
      models: z.record(z.string(), rowSchema),
    }),
  ),
});

export interface ModelRow {
  readonly model: LlmModel;
  readonly source: string;
  /** Parameters that the source gives. */
  readonly published: number;
}

/** The table that comes with Clockwright. */
export const modelTable: string = join(packageRoot, 'workloads', 'llm', 'models.yaml');

let shipped: ReadonlyMap<string, ModelRow> | undefined;

/** The rows of a table by name, second names included. @throws InputError with every mistake in the file */
export function loadModels(file: string = modelTable): ReadonlyMap<string, ModelRow> {
  if (file === modelTable && shipped) return shipped;
  const source = Source.read(file);
  const { families } = check(tableSchema, source.value(), source);
  const mistakes: Diagnostic[] = [];
  const rows = Object.entries(families).flatMap(([name, { models, source: origin, ...shared }]) =>
    Object.entries(models).flatMap(([model, { source: more, published, also, ...own }]) => {
      const at: Path = ['families', name, 'models', model];
      const built = buildModel(model, { ...shared, ...own }, source, at, mistakes);
      if (!built) return [];
      const row: ModelRow = { model: built, source: more === undefined ? origin : `${origin}; ${more}`, published };
      return [model, ...(also === undefined ? [] : [also])].map((known) => [known, row] as const);
    }),
  );
  if (mistakes.length > 0) throw new InputError(mistakes);
  const table = new Map(rows);
  if (file === modelTable) shipped = table;
  return table;
}

/** A model of the table. Mistakes are added to `mistakes`, with the place that `at` has in the source; null then. */
export function modelNamed(name: string, source: Source, at: Path, mistakes: Diagnostic[]): LlmModel | null {
  const found = loadModels().get(name);
  if (found) return found.model;
  const hint = suggest(name, loadModels().keys());
  mistakes.push({ message: `there is no model "${name}"`, place: source.placeOf(at), hint });
  return null;
}

/** A model from what is written of it. Mistakes are added to `mistakes`; null then. */
export function buildModel(
  name: string,
  input: ModelInput,
  source: Source,
  at: Path,
  mistakes: Diagnostic[],
): LlmModel | null {
  const known = mistakes.length;
  const wrong = (key: string, message: string, hint?: string): void => {
    mistakes.push({ message, place: source.placeOf([...at, key]), hint });
  };
  const { layers, hidden, heads, vocabulary } = input;
  for (const key of ['layers', 'hidden', 'heads', 'vocabulary'] as const)
    if (input[key] === undefined) wrong(key, `"${key}" is missing`, `such as "${key}: 32"`);
  if (layers === undefined || hidden === undefined || heads === undefined || vocabulary === undefined) return null;
  const { experts = 0, activeExperts = 0, gated = false, expertEvery = 1 } = input;
  const { kvHeads = heads, headSize = hidden / heads } = input;
  if (!Number.isInteger(headSize)) wrong('heads', `${hidden} elements are not ${heads} equal heads`, 'give headSize');
  if (heads % kvHeads !== 0) wrong('kvHeads', `${kvHeads} heads of keys do not go into ${heads} heads equally`);
  if (experts > 0 && activeExperts === 0) wrong('experts', '"activeExperts" is missing', 'such as "activeExperts: 2"');
  if (activeExperts > experts) wrong('activeExperts', `a token goes to ${activeExperts} of ${experts} experts`);
  if (expertEvery > layers) wrong('expertEvery', `there are ${layers} layers, none of which would have experts`);
  if (mistakes.length > known) return null;
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  return new LlmModel({
    ffn: 4 * hidden,
    gatedExperts: experts > 0 && gated,
    ...given,
    name,
    kvHeads,
    headSize,
  });
}
