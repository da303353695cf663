/** What a machine file may say. The shapes here are the file's; `load.ts` makes an Arch of them. */
import { z } from 'zod';
import { ArrayPart, contents, ScratchpadPart } from './arch.ts';
import { dramShape, isDram } from './dram/part.ts';
import { standardShape } from './dram/schema.ts';
import { fabricSchemas } from './fabric.ts';
import type { Tree } from './layers.ts';
import { operationNames } from './operations.ts';
import {
  bytesPerSecond,
  count,
  crossing,
  duration,
  frequency,
  parsed,
  rate,
  registers,
  size,
  span,
} from './quantities.ts';
import { ssdShape } from './ssd/schema.ts';
import { parseCount, UnitError } from './units.ts';

const array = new ArrayPart();
const scratchpad = new ScratchpadPart();

/** An operation's cost as written: cycles, a multiple of another operation's, or cycles with a pipeline depth. */
export type WrittenCost =
  | { readonly cycles: number; readonly depth?: number | undefined }
  | { readonly times: number; readonly of: string };

function parseMultiple(text: string): WrittenCost {
  const match = /^(\S+)\s+([A-Za-z]\w*)$/.exec(text.trim());
  if (match) return { times: parseCount(match[1]!), of: match[2]! };
  throw new UnitError(`"${text}" is no cost`, undefined, 'such as 1, "6 mac" or { cycles: 6, depth: 12 }');
}

const cost: z.ZodType<WrittenCost> = z
  .union([
    parsed(z.number(), (cycles): WrittenCost => ({ cycles: parseCount(cycles) }), [1]),
    parsed(z.string(), parseMultiple, ['6 mac']),
    z.strictObject({
      cycles: count.describe('Cycles between two starts on one PE or lane'),
      depth: count.optional().describe('Cycles from start to result, at least `cycles`'),
    }),
  ])
  .meta({ examples: [1, '6 mac'] });

const operations = z
  .strictObject(
    Object.fromEntries(
      operationNames.map((name) => [name, cost.optional().describe(`Cost of ${name} on one PE or lane`)]),
    ),
  )
  .describe('What one PE or lane computes, and in how many cycles: `mac: 1`, `exp: 6 mac`')
  .meta({ examples: ['{ mac: 1, exp: 6 mac }'] });

const clock = z.string().optional().describe('Name of its clock; may be omitted when the machine has one clock');

const common = {
  use: z.string().optional().describe('A file of arch/parts that gives the keys not written here: `array/tpu-v4-mxu`'),
  about: z.string().optional().describe('What it is, in a sentence'),
  source: z.string().optional().describe('Where its numbers come from'),
  count: count.default(1).describe('How many of it there are'),
};

const ports = {
  registers: registers.optional().describe('Words held by one PE or lane'),
  input: rate.optional().describe('Most operand data it takes; as much as its links when omitted'),
  output: rate.optional().describe('Most result data it gives; as much as its links when omitted'),
};

const memory = {
  kind: z.literal('memory').describe('Main memory'),
  ...common,
  technology: z.string().optional().describe("Row of the technology's memory table that gives its energy: HBM2"),
};

const latency = (what: string) => span.prefault('0 cycles').describe(what);

/** Of one of the parts of an RDU: what launching a kernel takes. */
const launch = z.strictObject({
  program: duration.describe('To load a program: what every unit and switch does'),
  arguments: duration.describe('To load its arguments: where its tensors lie'),
  execute: duration.describe('To start it, and to see that it has ended'),
});

export const partSchemas = {
  array: z
    .strictObject({
      kind: z.literal('array').describe('A two-dimensional array of processing elements'),
      ...common,
      clock,
      rows: count.describe('Processing elements from top to bottom'),
      columns: count.describe('Processing elements from left to right'),
      dataflow: z
        .enum(['output-stationary', 'weight-stationary', 'input-stationary'])
        .default(array.dataflow)
        .describe('Which operand stays in the PEs during a fold'),
      feed: z
        .enum(['systolic', 'broadcast'])
        .default(array.feed)
        .describe('Operands enter skewed at the edges, or reach a whole row or column at once'),
      overlap: z
        .enum(['none', 'preload', 'drain', 'full'])
        .default(array.overlap)
        .describe(
          'What may pass while the fold before is in the array: nothing, the load of the stationary operand, what can behind its last moving operands, all',
        ),
      sparsity: z
        .enum(['none', 'structured'])
        .default(array.sparsity)
        .describe('Whether it passes over the zeros of N:M structured sparsity'),
      operations,
      reduce: z
        .strictObject({
          along: z.enum(['columns', 'rows']).describe('Sums and maxima run down columns, or across rows'),
          latency: crossing.describe('Cycles for each row (or column) that they cross'),
        })
        .optional()
        .describe('Sums and maxima over the PEs of a column or row'),
      ...ports,
    })
    .describe('An array of processing elements'),
  vector: z
    .strictObject({
      kind: z.literal('vector').describe('A one-dimensional array of lanes'),
      ...common,
      clock,
      lanes: count.describe('Elements worked on at a time'),
      depth: parsed(z.union([z.string(), z.number()]), parseDepth, ['4 cycles'])
        .optional()
        .describe('Cycles from start to result of operations that name no depth of their own'),
      operations,
      ...ports,
    })
    .describe('A vector unit'),
  scratchpad: z
    .strictObject({
      kind: z.literal('scratchpad').describe('On-chip memory under software control'),
      ...common,
      clock,
      capacity: size.describe('Bytes it holds'),
      banks: count.default(scratchpad.banks).describe('Banks that work at the same time'),
      ports: count.default(scratchpad.ports).describe('Accesses of one bank in a cycle'),
      width: size.describe('Bytes of one access'),
      latency: latency('From a read to its data'),
      holds: z
        .array(z.enum(contents))
        .min(1)
        .default([...contents])
        .describe('What it is for: first operands of products, second ones, results; everything when omitted'),
      layout: z
        .enum(['row-major', 'column-major'])
        .optional()
        .describe(
          'Whether the last index of what a fold takes runs along its lines, or the first; without it no bank conflicts',
        ),
    })
    .describe('A scratchpad'),
  memory: z
    .strictObject({
      ...memory,
      model: z.literal('ideal').default('ideal').describe('ideal: a bandwidth, and a latency for each transfer'),
      bandwidth: bytesPerSecond.describe('Bytes per second, reads and writes together'),
      latency: duration.describe('From a request to its first byte'),
      capacity: size.describe('Bytes it holds'),
    })
    .describe('A main memory'),
  rdu: z
    .strictObject({
      kind: z.literal('rdu').describe('A reconfigurable dataflow unit: sections of a graph run on it as pipelines'),
      ...common,
      clock,
      grid: z
        .strictObject({
          rows: count.describe('Switches from top to bottom'),
          columns: count.describe('Switches from left to right'),
          pcus: count.default(1).describe('Pattern compute units at each switch'),
          pmus: count.default(1).describe('Pattern memory units at each switch'),
        })
        .describe('Sites, each a switch with compute and memory units'),
      pcu: z
        .strictObject({
          lanes: count.describe('Elements that a stage works on at a time'),
          stages: count.describe('Stages, each of which does an operation in a cycle'),
          systolic: z.boolean().default(true).describe('Whether lanes and stages can be a systolic array'),
          operations,
        })
        .describe('A pattern compute unit'),
      pmu: z
        .strictObject({
          capacity: size.describe('Bytes it holds'),
          banks: count.describe('Banks that buffers lie in'),
          read: rate.describe('Bytes that it gives'),
          write: rate.describe('Bytes that it takes at the same time'),
          latency: latency('From a read to its data'),
        })
        .describe('A pattern memory unit'),
      network: z
        .strictObject({
          topology: z
            .enum(['mesh', 'switch'])
            .default('mesh')
            .describe('Switches with their neighbours, or one for all'),
          width: rate.describe('Bytes over a link, each way'),
          hop: span.describe('From one switch to the next'),
          credits: count.describe('Packets of a cycle that each hop has room for'),
          multicast: z.boolean().default(true).describe('Whether a switch copies packets to several neighbours'),
        })
        .describe('What joins the sites'),
      agcu: z
        .strictObject({
          count: count.describe('How many there are, along the left and right edges'),
          width: rate.describe('Bytes that one moves'),
          window: count.describe('Requests that one has outstanding'),
          coalesce: size.describe('Most bytes of one request'),
        })
        .describe('Units that stream tensors between memories and the grid'),
      launch: z
        .strictObject({
          software: launch.describe('By the host'),
          hardware: launch.describe('By the unit itself'),
        })
        .describe('What passes between two kernels'),
    })
    .describe('A reconfigurable dataflow unit'),
  dma: z
    .strictObject({
      kind: z.literal('dma').describe('Moves tensors between memories'),
      ...common,
      clock,
      setup: latency('Time before each transfer'),
      bandwidth: rate.optional().describe('Its own limit; as fast as what it joins when omitted'),
    })
    .describe('A DMA engine, for links to run over'),
  link: z
    .strictObject({
      kind: z.literal('link').describe('A bundle of wires that links name with `via`'),
      ...common,
      clock,
      bandwidth: rate.optional().describe('As fast as what it joins when omitted'),
      latency: latency('From one end to the other'),
    })
    .describe('Wires, for links to run over'),
  ssd: z.strictObject({ ...common, ...ssdShape }).describe('An NVMe SSD'),
  ...fabricSchemas(common, clock, operations),
};

/** A memory of DRAM: the keys of a standard, as a rule those of the file that it uses, and its own. */
export const dramMemorySchema = z
  .strictObject({ ...memory, ...standardShape, ...dramShape })
  .describe('A main memory of DRAM');

/** `4` and `4 cycles` alike. */
function parseDepth(written: string | number): number {
  return parseCount(typeof written === 'string' ? written.replace(/\s*cycles?$/, '') : written);
}

export type LeafKind = keyof typeof partSchemas;
export type Kind = LeafKind | 'group';
export const kinds: readonly Kind[] = [...(Object.keys(partSchemas) as LeafKind[]), 'group'];

/** The schema of a part as written, by its kind; of memories, by whether they are of DRAM. */
export function schemaOf(kind: Kind, part: Tree): z.ZodObject {
  if (kind === 'group') return groupSchema;
  return kind === 'memory' && isDram(part) ? dramMemorySchema : partSchemas[kind];
}

/** A part as a file may have it: complete, or completed by the file it uses. */
export const partSchema: z.ZodType = z
  .lazy(() => z.union([...Object.values(partSchemas), dramMemorySchema, groupSchema, usedPart]))
  .meta({ id: 'part', description: 'A part of the machine, told apart by its kind' });

const usedPart = z
  .looseObject({ ...common, use: z.string().describe('A file of arch/parts, such as array/tpu-v4-mxu') })
  .describe('A part that another file gives, and the keys that differ from it');

const parts = z.record(z.string(), partSchema).describe('The parts by name');

const links = z
  .array(z.string().meta({ examples: ['hbm <-> buffer via dma', 'buffer -> array  1 KiB/cycle'] }))
  .default([])
  .describe('Ways for data: `FROM -> TO`, or `<->` for both ways, then `via NAME`, then a rate');

export const groupSchema = z
  .strictObject({
    kind: z.literal('group').optional().describe('Parts that are repeated together; may be omitted'),
    ...common,
    parts,
    links,
  })
  .describe('Parts that are repeated together, such as a core');

const peers = z.strictObject({
  bandwidth: bytesPerSecond.describe('Bytes per second that each device sends, and receives at the same time'),
  latency: duration.describe('From the first byte sent until it is there'),
});

export const machineSchema = z.strictObject({
  machine: z
    .string()
    .describe('Name of the machine')
    .meta({ examples: ['my-chip'] }),
  about: z.string().default('').describe('What it is, in a sentence'),
  source: z.string().default('').describe('Where its numbers come from'),
  technology: z.string().optional().describe('Energy and area tables: a file of arch/parts/technology, aladdin-45nm'),
  devices: count.default(1).describe('Equal devices of a node, of which the parts describe one'),
  link: peers
    .optional()
    .describe('What joins the devices of a node')
    .meta({ examples: ['{ bandwidth: 450 GB/s, latency: 0.8 us }'] }),
  nodes: count.default(1).describe('Equal nodes of so many devices'),
  network: peers
    .optional()
    .describe('What joins devices of different nodes')
    .meta({ examples: ['{ bandwidth: 50 GB/s, latency: 2 us }'] }),
  clocks: z
    .record(z.string(), frequency)
    .describe('Frequencies by name')
    .meta({ examples: ['{ core: 940 MHz }'] }),
  parts,
  links,
  tiers: z
    .array(z.string().meta({ examples: ['rdu', 'hbm', 'ddr'] }))
    .default([])
    .describe('Parts that hold tensors, from near to far, each joined to the next by a link'),
});
