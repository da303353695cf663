/** The shape of a workload file, before anything in it is understood. */
import { z } from 'zod';
import { dtype } from '../../arch/language/quantities.ts';

const number = z.union([z.number(), z.string()]);
const extent = number
  .describe('A count such as 1024 or "1 Ki", or arithmetic such as D / H')
  .meta({ examples: [1024] });
const tensors = z.string().meta({ examples: ['Q[b,h,e,p]  K[b,h,e,m]'] });
const cascade = z
  .string()
  .describe('One einsum a line; ranks that the left side lacks are summed')
  .meta({ examples: ['Z[m,n] = A[m,k] * B[k,n]'] });

const step = z.strictObject({
  step: z
    .string()
    .regex(/^[A-Za-z]\w*$/, 'a step has one word for its name')
    .describe('Name, which stands before the names of the tensors that a used workload keeps to itself')
    .meta({ examples: ['attention'] }),
  cascade: cascade.optional(),
  use: z
    .string()
    .optional()
    .describe('Another workload, by name or file')
    .meta({ examples: ['attention-1-pass'] }),
  with: z
    .strictObject({
      ranks: z.record(z.string(), z.string()).optional().describe('What ranks of the used workload are called here'),
      tensors: z
        .record(z.string(), z.string())
        .optional()
        .describe('What inputs and outputs of the used workload are called here'),
    })
    .optional(),
  repeat: z
    .int()
    .min(1)
    .optional()
    .describe('How many times the step runs, one after another')
    .meta({ examples: [12] }),
});

export const workloadSchema = z.strictObject({
  workload: z
    .string()
    .min(1)
    .describe('Name')
    .meta({ examples: ['gemm'] }),
  about: z.string().optional().describe('What it computes, in one line'),
  source: z.string().optional().describe('Where it comes from'),
  dtype: dtype.optional().describe('Data type of every tensor that has none of its own; bf16 when left out'),
  parameters: z.record(z.string(), number).optional().describe('Numbers for use in ranks and einsums'),
  ranks: z.record(z.string(), extent).describe('Extent of every rank, by its name in upper case'),
  split: z
    .record(z.string(), z.array(z.string()).min(2))
    .optional()
    .describe('Ranks cut into parts, outer to inner, all but the first with a size: M: [M1, M0 256]'),
  inputs: tensors.describe('Tensors that are read, with their ranks'),
  weights: tensors.optional().describe('More of them: in a graph, every step that uses this file has its own'),
  output: tensors.describe('Tensors that are the result, with their ranks'),
  padded: z
    .string()
    .meta({ examples: ['I'] })
    .optional()
    .describe('Tensors that read as zero outside their edges'),
  sparse: z
    .record(z.string(), z.string().meta({ examples: ['2:4 along k'] }))
    .optional()
    .describe('Inputs of which at most N of every M elements along a rank are non-zero: W: 2:4 along k'),
  cascade: cascade.optional(),
  graph: z.array(step).optional().describe('Steps that run one after another, instead of a cascade'),
});

export type WorkloadInput = z.output<typeof workloadSchema>;
export type StepInput = z.output<typeof step>;
