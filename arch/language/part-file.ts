/** Files of arch/parts: keys of one part, for machines to use. What is missing in them a machine may give. */
import { dirname, join } from 'node:path';
import { resolveCosts, type WrittenCosts } from './costs.ts';
import { InputError, suggest } from './diagnostics.ts';
import { isDram, readDramPart } from './dram/part.ts';
import { Layers, type Tree } from './layers.ts';
import { dramMemorySchema, type Kind, kinds, partSchemas, schemaOf } from './schema.ts';
import { diagnose, Source, valueAt } from './source.ts';
import { buildSsd } from './ssd/build.ts';
import { expandUses } from './uses.ts';

/**
 * The kind of part that a file gives keys of.
 * @throws InputError with every mistake in it and in the files it uses.
 */
export function checkPartFile(file: string): Kind {
  const source = Source.read(file);
  const at = ['parts', 'part'];
  const layers = new Layers({ parts: {} }, source);
  layers.put(at, source.value(), source, []);
  // As if a machine used it that lies where machines do.
  const mistakes = expandUses(layers, join(dirname(file), '../../machine.yaml'));
  const part = valueAt(layers.tree, at) as Tree;
  if (mistakes.length === 0 && !kinds.includes(part.kind as Kind)) {
    const [message, hint] =
      part.kind === undefined
        ? ['"kind" is missing', `one of ${kinds.join(', ')}`]
        : [`"${String(part.kind)}" is no kind of part`, suggest(String(part.kind), kinds)];
    mistakes.push({ message, place: layers.placeOf([...at, 'kind']), hint });
  } else if (mistakes.length === 0 && part.kind === 'memory' && isDram(part)) {
    mistakes.push(...readDramPart(layers, at, dramMemorySchema).mistakes);
  } else if (mistakes.length === 0) {
    const schema = schemaOf(part.kind as Kind, part);
    const { data, error } = schema.partial().safeParse(part);
    if (error) mistakes.push(...diagnose(error.issues, part, layers, at, schema));
    const whole = part.kind === 'ssd' ? partSchemas.ssd.safeParse(part).data : undefined;
    if (whole) buildSsd(whole, at, layers, mistakes);
    const costs = (data?.operations ?? {}) as WrittenCosts;
    mistakes.push(...resolveCosts(costs, 1, layers, [...at, 'operations']).mistakes);
  }
  if (mistakes.length > 0) throw new InputError(mistakes);
  return part.kind as Kind;
}
