/** Looks into zod schemas: what a key may hold, and which keys an object knows. */
import type { z } from 'zod';

type Path = readonly (string | number)[];
type Schema = z.core.$ZodType;

/** The schema of what stands at a path of a value; undefined where the schema says nothing. */
export function schemaAt(schema: Schema | undefined, path: Path, value: unknown): Schema | undefined {
  const bare = schema && unwrap(schema, value);
  const [step, ...rest] = path;
  if (!bare || step === undefined) return bare;
  const inside = (value as Record<string | number, unknown> | null | undefined)?.[step];
  const { def } = (bare as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object':
      return schemaAt(def.shape[step], rest, inside);
    case 'record':
      return schemaAt(def.valueType, rest, inside);
    case 'array':
      return schemaAt(def.element, rest, inside);
    case 'tuple':
      return schemaAt(def.items[Number(step)] ?? def.rest ?? undefined, rest, inside);
    case 'union':
      return def.options.map((option) => schemaAt(option, path, value)).find((found) => found !== undefined);
    default:
      return undefined;
  }
}

/** Keys of an object schema, of a union those of its objects; none when there is no object. */
export function knownKeys(schema: Schema | undefined): string[] {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (def?.type === 'union') return def.options.flatMap(knownKeys);
  return def?.type === 'object' ? Object.keys(def.shape) : [];
}

/** A value that the schema's author gave as an example. */
export function exampleOf(schema: (Schema & { meta?: () => { examples?: unknown } | undefined }) | undefined): unknown {
  const examples = schema?.meta?.()?.examples;
  return Array.isArray(examples) ? examples[0] : undefined;
}

/** The schema without what only wraps it; of a union that is told apart by a key, the option that the value chose. */
function unwrap(schema: Schema, value: unknown): Schema {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'nonoptional':
    case 'catch':
      return unwrap(def.innerType, value);
    case 'lazy':
      return unwrap(def.getter(), value);
    case 'pipe':
      // A pipe with examples is a quantity: what it holds is best told by them.
      return exampleOf(schema) === undefined ? unwrap(def.in, value) : schema;
    case 'union': {
      const key = (def as { discriminator?: string }).discriminator;
      if (key === undefined) return schema;
      const chosen = (value as Record<string, unknown> | null | undefined)?.[key];
      const option = def.options.find((o) => o._zod.propValues?.[key]?.has(chosen as z.core.util.Primitive));
      return option ? unwrap(option, value) : schema;
    }
    default:
      return schema;
  }
}
