/** The machine file's format for editors that complete and check YAML. */
import { z } from 'zod';
import { machineSchema } from './schema.ts';

/** JSON Schema (draft 2020-12) of a machine file. */
export function archJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(machineSchema, {
    io: 'input',
    target: 'draft-2020-12',
    // Zod leaves examples out where a schema transforms, as it takes them for outputs: ours are inputs.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
  return { $schema, title: 'A Clockwright machine', ...schema };
}
