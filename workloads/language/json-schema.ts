/** The JSON Schema of workload files, for editors. */
import { z } from 'zod';
import { workloadSchema } from './schema.ts';

/** Draft 7, which the YAML language servers of editors know. */
export function workloadJsonSchema(): object {
  return { title: 'Clockwright workload', ...z.toJSONSchema(workloadSchema, { target: 'draft-7', io: 'input' }) };
}
