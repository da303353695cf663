/** The machine file's format for editors that complete and check YAML. */
import { z } from 'zod';
import { standardSchema } from './dram/schema.ts';
import { machineSchema } from './schema.ts';

/** JSON Schema (draft 2020-12) of a machine file. */
export function archJsonSchema(): object {
  return jsonSchema('A Clockwright machine', machineSchema);
}

/** JSON Schema (draft 2020-12) of the file of a DRAM standard. */
export function standardJsonSchema(): object {
  return jsonSchema('A DRAM standard of Clockwright', standardSchema);
}

function jsonSchema(title: string, of: z.ZodType): object {
  const { $schema, ...schema } = z.toJSONSchema(of, {
    io: 'input',
    target: 'draft-2020-12',
    // Zod leaves examples out where a schema transforms, as it takes them for outputs: ours are inputs.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
  return { $schema, title, ...schema };
}
