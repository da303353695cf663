/** How a workload is laid on a machine: the one kind of file that names both. Everything in it may be left out. */
import { List, Map, OrderedMap, Record } from 'immutable';
import { z } from 'zod';
import { InputError, type Place } from '../../arch/language/diagnostics.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';

/** One part of a partitioned rank, outer to inner; the innermost has a size, an outer one may. */
export class RankPart extends Record<{ name: string; size: number | null }>({ name: '', size: null }, 'RankPart') {}

/** What an engine does and how: names of ranks, or of parts of them, that run over its rows and columns, or its lanes. */
export class Placement extends Record<{
  einsums: List<string>;
  rows: List<string>;
  columns: List<string>;
  lanes: List<string>;
  /** Tensors that stay in the registers of its PEs or lanes. */
  keep: List<string>;
}>({ einsums: List(), rows: List(), columns: List(), lanes: List(), keep: List() }, 'Placement') {}

export class SectionMapping extends Record<{
  /** The einsums fused in this section, in order; null: all of the workload's. */
  einsums: List<string> | null;
  /** By rank in upper case. */
  partition: Map<string, List<RankPart>>;
  /** Outer to inner, in lower case; null: chosen by the binder. */
  loops: List<string> | null;
  /** By engine. */
  place: OrderedMap<string, Placement>;
  /** Tensors that stay in the scratchpad as long as a tile of them is used again. */
  hold: List<string>;
  /** Tiles in flight from or to memory, by tensor: 2 is double buffering. */
  stream: Map<string, number>;
  /** Rounds in flight; 1 is no software pipelining; null: as many as hide every latency. */
  interleave: number | null;
}>(
  {
    einsums: null,
    partition: Map(),
    loops: null,
    place: OrderedMap(),
    hold: List(),
    stream: Map(),
    interleave: null,
  },
  'SectionMapping',
) {}

export class Mapping extends Record<{
  name: string;
  about: string;
  source: string;
  /** Names that it was written for; empty: any. */
  workload: string;
  machine: string;
  sections: List<SectionMapping>;
}>({ name: '', about: '', source: '', workload: '', machine: '', sections: List() }, 'Mapping') {}

/** A mapping and where its parts were written, for messages that arise in binding. */
export interface LoadedMapping {
  readonly mapping: Mapping;
  /** Place of a path within section `section`: `place(0, ['loops'])`. */
  readonly place: (section: number, path: Path) => Place;
}

const names = z.union([z.string().transform((name) => [name]), z.array(z.string())]);
const rankPart = z
  .string()
  .regex(/^[A-Za-z]\w*(\s+[1-9]\d*)?$/, {
    error: (issue) => `"${issue.input}" is no part of a rank; write "P0 256" or "P1"`,
  })
  .transform((text) => {
    const [name, size] = text.split(/\s+/);
    return new RankPart({ name: name!, size: size === undefined ? null : Number(size) });
  });

const placement = z.strictObject({
  einsums: names.optional().describe('Einsums that this engine executes'),
  rows: names.optional().describe('Ranks that run over the rows of an array'),
  columns: names.optional().describe('Ranks that run over its columns'),
  lanes: names.optional().describe('Ranks that run over the lanes of a vector unit'),
  keep: names.optional().describe('Tensors that stay in its registers'),
});

const sectionKeys = {
  partition: z
    .record(z.string(), z.array(rankPart).min(2))
    .optional()
    .describe('Ranks cut into parts, outer to inner; the last part is the tile and has a size'),
  loops: z.array(z.string()).optional().describe('Loops outer to inner, one tile per step'),
  place: z.record(z.string(), placement).optional().describe('What each engine does'),
  hold: z
    .union([names, z.record(z.string(), names).transform((byMemory) => Object.values(byMemory).flat())])
    .optional()
    .describe('Tensors that stay in the scratchpad as long as they are used again'),
  stream: z.record(z.string(), z.int().min(1)).optional().describe('Tiles in flight from or to memory'),
  interleave: z.int().min(1).optional().describe('Rounds in flight: 1 is no software pipelining'),
};

const mappingSchema = z.strictObject({
  mapping: z.string().describe('Name'),
  about: z.string().optional(),
  source: z.string().optional(),
  workload: z.string().optional().describe('Workload that it is for'),
  machine: z.string().optional().describe('Machine that it is for'),
  ...sectionKeys,
  sections: z
    .array(z.strictObject({ einsums: names, ...sectionKeys }))
    .optional()
    .describe('One entry per fusion group, each with the keys above'),
});

/** JSON Schema of a mapping file, for editors. */
export function mappingJsonSchema(): object {
  return z.toJSONSchema(mappingSchema, { io: 'input' });
}

type SectionInput = z.output<z.ZodObject<typeof sectionKeys>> & { einsums?: string[] };

/** @throws InputError with every mistake in the file. */
export function loadMapping(file: string): LoadedMapping {
  const source = Source.read(file);
  const input = check(mappingSchema, source.value(), source);
  const { sections: listed, mapping, about, workload, machine, source: origin, ...whole } = input;
  const common = Object.keys(whole).length > 0;
  if (listed && common) {
    throw new InputError({
      message: `"${Object.keys(whole)[0]}" stands beside "sections"`,
      place: source.placeOfKey([Object.keys(whole)[0]!]),
      hint: 'move it into the section that it is for',
    });
  }
  const sections: SectionInput[] = listed ?? (common ? [whole] : []);
  return {
    mapping: new Mapping({
      name: mapping,
      about: about ?? '',
      source: origin ?? '',
      workload: workload ?? '',
      machine: machine ?? '',
      sections: List(sections.map(sectionMapping)),
    }),
    place: (section, path) => source.placeOf(listed ? ['sections', section, ...path] : path),
  };
}

function sectionMapping(input: SectionInput): SectionMapping {
  return new SectionMapping({
    einsums: input.einsums ? List(input.einsums) : null,
    partition: Map(Object.entries(input.partition ?? {}).map(([rank, parts]) => [rank.toUpperCase(), List(parts)])),
    loops: input.loops ? List(input.loops.map((loop) => loop.toLowerCase())) : null,
    place: OrderedMap(
      Object.entries(input.place ?? {}).map(([engine, p]) => [
        engine,
        new Placement({
          einsums: List(p.einsums ?? []),
          rows: List(p.rows ?? []).map((name) => name.toLowerCase()),
          columns: List(p.columns ?? []).map((name) => name.toLowerCase()),
          lanes: List(p.lanes ?? []).map((name) => name.toLowerCase()),
          keep: List(p.keep ?? []),
        }),
      ]),
    ),
    hold: List(input.hold ?? []),
    stream: Map(Object.entries(input.stream ?? {})),
    interleave: input.interleave ?? null,
  });
}
