/** How a workload is laid on a machine: the one kind of file that names both. Everything in it may be left out. */
import { List, Map, OrderedMap, Record } from 'immutable';
import { z } from 'zod';
import { InputError, type Place } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { count, parsed } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';
import { parseCount, UnitError } from '../../arch/language/units.ts';

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
  /** Of a memory that computes: the matrices that lie there, and the levels that their ranks run over, the fastest first. */
  layout: OrderedMap<string, OrderedMap<string, List<LayoutLevel>>>;
}>(
  { einsums: List(), rows: List(), columns: List(), lanes: List(), keep: List(), layout: OrderedMap() },
  'Placement',
) {}

/** Levels of a memory that ranks of a matrix may run over. */
export const layoutLevels = ['channel', 'bank', 'column'] as const;
export type LayoutLevel = (typeof layoutLevels)[number];

export class SectionMapping extends Record<{
  /** The einsums fused in this section, in order; null: all of the workload's. */
  einsums: List<string> | null;
  /** By rank in upper case. */
  partition: Map<string, List<RankPart>>;
  /** Outer to inner, in lower case; null: chosen by the binder. */
  loops: List<string> | null;
  /** By engine. */
  place: OrderedMap<string, Placement>;
  /** Tensors that stay in the scratchpad as long as a tile of them is used again, by scratchpad; under '', in any. */
  hold: OrderedMap<string, List<string>>;
  /** Tensors that are fetched again by every operation that reads them. */
  refetch: List<string>;
  /** Tiles in flight from or to memory, by tensor: 2 is double buffering. */
  stream: Map<string, number>;
  /** Rounds in flight; 1: each round ends before the next begins; null: as many as hide every latency. */
  interleave: number | null;
  /** Einsums by stage of the software pipeline, each stage a tile behind the one before; empty: chosen by the binder. */
  pipeline: List<List<string>>;
  /** Einsums by pass over the loops inside the loop `pass`; empty: there is one. */
  passes: List<List<string>>;
  /** Tensors that go through memory, and the einsums that read them back. */
  spill: Map<string, List<string>>;
  /** Tensors whose tiles take the place of another's in the scratchpad. */
  replace: Map<string, string>;
  /** Rank variable that is split over the cores of a group, by group; of others the binder chooses. */
  cores: Map<string, string>;
}>(
  {
    einsums: null,
    partition: Map(),
    loops: null,
    place: OrderedMap(),
    hold: OrderedMap(),
    refetch: List(),
    stream: Map(),
    interleave: null,
    pipeline: List(),
    passes: List(),
    spill: Map(),
    replace: Map(),
    cores: Map(),
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
  /** Whether every einsum is a section, laid out by default, but what a recurrence holds together. */
  each: boolean;
}>({ name: '', about: '', source: '', workload: '', machine: '', sections: List(), each: false }, 'Mapping') {}

/** A mapping and where its parts were written, for messages that arise in binding. */
export interface LoadedMapping {
  readonly mapping: Mapping;
  /** Place of a path within section `section`, or of its last key: `place(0, ['loops'])`. */
  readonly place: (section: number, path: Path, atKey?: boolean) => Place;
}

const names = z.union([z.string().transform((name) => [name]), z.array(z.string())]);
const rankPart = parsed(z.string(), parseRankPart, ['P0 256']);

function parseRankPart(text: string): RankPart {
  const match = /^([A-Za-z]\w*)(?:\s+(\S.*))?$/.exec(text.trim());
  if (!match) throw new UnitError(`"${text}" is no part of a rank`, undefined, 'such as "P0 256" or "P1"');
  return new RankPart({ name: match[1]!, size: match[2] === undefined ? null : parseCount(match[2]) });
}

const level = z.enum(layoutLevels);
const levels = z.union([level.transform((name) => [name]), z.array(level).min(1)]);

const placement = z.strictObject({
  einsums: names.optional().describe('Einsums that this engine executes'),
  rows: names.optional().describe('Ranks that run over the rows of an array'),
  columns: names.optional().describe('Ranks that run over its columns'),
  lanes: names.optional().describe('Ranks that run over the lanes of a vector unit'),
  keep: names.optional().describe('Tensors that stay in its registers'),
  layout: z
    .record(z.string(), z.record(z.string(), levels))
    .optional()
    .describe('Of a memory that computes: by matrix and rank, the levels that it runs over'),
});

const sectionKeys = {
  partition: z
    .record(z.string(), z.array(rankPart).min(2))
    .optional()
    .describe('Ranks cut into parts, outer to inner; the last part is the tile and has a size'),
  loops: z.array(z.string()).optional().describe('Loops outer to inner, one tile per step'),
  place: z.record(z.string(), placement).optional().describe('What each engine does'),
  hold: z
    .union([names.transform((tensors): { [pad: string]: string[] } => ({ '': tensors })), z.record(z.string(), names)])
    .optional()
    .describe('Tensors that stay in the scratchpad as long as they are used again, with all windows over them'),
  refetch: names.optional().describe('Tensors that every operation fetches again'),
  stream: z.record(z.string(), count).optional().describe('Tiles in flight from or to memory'),
  interleave: count.optional().describe('Rounds in flight: with 1, each ends before the next begins'),
  pipeline: z
    .array(names)
    .min(1)
    .optional()
    .describe('Einsums by stage: each stage works a tile behind the one before'),
  passes: z
    .array(names)
    .min(2)
    .max(3)
    .optional()
    .describe('Einsums by pass: the loops inside the loop "pass" are gone through once for each'),
  spill: z.record(z.string(), names).optional().describe('Einsums that read a tensor back from memory, by tensor'),
  replace: z
    .record(z.string(), z.string())
    .optional()
    .describe('Tensors whose tiles take the place of those of another: "SN: QK"'),
  cores: z.record(z.string(), z.string()).optional().describe('Rank that is split over the cores of a group, by group'),
};

const mappingSchema = z.strictObject({
  mapping: z
    .string()
    .describe('Name')
    .meta({ examples: ['my-mapping'] }),
  about: z.string().optional(),
  source: z.string().optional(),
  workload: z.string().optional().describe('Workload that it is for'),
  machine: z.string().optional().describe('Machine that it is for'),
  ...sectionKeys,
  sections: z
    .union([z.literal('each'), z.array(z.strictObject({ einsums: names, ...sectionKeys }))])
    .optional()
    .describe('One entry per fusion group, each with the keys above; or "each": nothing is fused'),
});

/** JSON Schema of a mapping file, for editors. */
export function mappingJsonSchema(): object {
  return z.toJSONSchema(mappingSchema, { io: 'input' });
}

type SectionInput = z.output<z.ZodObject<typeof sectionKeys>> & { einsums?: string[] };

/** A file, or the name of one in workloads/mappings/. @throws InputError with every mistake in the file. */
export function loadMapping(file: string): LoadedMapping {
  return fromSource(Source.read(fileNamed('workloads/mappings', file)));
}

/** The same from a text; `file` is its name in messages. */
export function parseMapping(text: string, file: string): LoadedMapping {
  return fromSource(new Source(text, file));
}

function fromSource(source: Source): LoadedMapping {
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
  const each = listed === 'each';
  const sections: SectionInput[] = each ? [] : (listed ?? (common ? [whole] : []));
  return {
    mapping: new Mapping({
      name: mapping,
      about: about ?? '',
      source: origin ?? '',
      workload: workload ?? '',
      machine: machine ?? '',
      sections: List(sections.map(sectionMapping)),
      each,
    }),
    place: (section, path, atKey = false) => {
      const whole = listed ? ['sections', section, ...path] : path;
      return atKey ? source.placeOfKey(whole) : source.placeOf(whole);
    },
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
          layout: OrderedMap(Object.entries(p.layout ?? {})).map((ranks) =>
            OrderedMap(Object.entries(ranks).map(([rank, over]) => [rank.toLowerCase(), List(over)])),
          ),
        }),
      ]),
    ),
    hold: OrderedMap(Object.entries(input.hold ?? {}).map(([pad, tensors]) => [pad, List(tensors)])),
    refetch: List(input.refetch ?? []),
    stream: Map(Object.entries(input.stream ?? {})),
    interleave: input.interleave ?? null,
    pipeline: listOfLists(input.pipeline),
    passes: listOfLists(input.passes),
    spill: Map(Object.entries(input.spill ?? {}).map(([tensor, readers]) => [tensor, List(readers)])),
    replace: Map(Object.entries(input.replace ?? {})),
    cores: Map(Object.entries(input.cores ?? {}).map(([group, rank]) => [group, rank.toLowerCase()])),
  });
}

function listOfLists(lists: string[][] = []): List<List<string>> {
  return List(lists.map((names) => List(names)));
}
