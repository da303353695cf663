/** How a graph is laid on a dataflow machine: what is fused, how tensors are tiled, and who launches kernels. */
import { List, Record } from 'immutable';
import { z } from 'zod';
import { InputError, type Place } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { count } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';

export class DataflowMapping extends Record<{
  name: string;
  about: string;
  source: string;
  /** What it is for; empty: any. */
  workload: string;
  machine: string;
  /** `all`: as many operators as fit are a section; `none`: each is one. A list names the operators of sections; others are one each. */
  fuse: 'all' | 'none' | List<List<string>>;
  launch: 'software' | 'hardware';
  /** Points of the streamed rank in a tile. */
  tile: number;
  /** Tiles that a buffer between neighbouring stages has room for. */
  buffers: number;
  /** Rank that is streamed; empty: the one that most tensors have. */
  stream: string;
}>(
  {
    name: '',
    about: '',
    source: '',
    workload: '',
    machine: '',
    fuse: 'all',
    launch: 'hardware',
    tile: 64,
    buffers: 2,
    stream: '',
  },
  'DataflowMapping',
) {}

/** A mapping and where in its file things stand. */
export interface LoadedDataflowMapping {
  readonly mapping: DataflowMapping;
  readonly place: (path: Path) => Place;
}

const schema = z.strictObject({
  mapping: z.string().describe('Name of the mapping'),
  about: z.string().default(''),
  source: z.string().default(''),
  workload: z.string().default('').describe('Workload that it is for'),
  machine: z.string().default('').describe('Machine that it is for'),
  fuse: z
    .union([z.enum(['all', 'none']), z.array(z.array(z.string()).min(1)).min(1)])
    .describe('Operators that make a section: as many as fit, one each, or those of each list')
    .meta({ examples: ['all'] }),
  launch: z
    .enum(['software', 'hardware'])
    .default('hardware')
    .describe('Who launches kernels: the host, or the unit itself'),
  tile: count.default(64).describe('Points of the streamed rank in a tile'),
  buffers: count.default(2).describe('Tiles that a buffer between neighbouring stages has room for'),
  stream: z.string().default('').describe('Rank that is streamed; the one that most tensors have when omitted'),
});

/** JSON Schema of the file, for editors. */
export function dataflowMappingJsonSchema(): object {
  return z.toJSONSchema(schema, { io: 'input' });
}

/** A file, or the name of one in workloads/mappings/. @throws InputError with every mistake in the file. */
export function loadDataflowMapping(file: string): LoadedDataflowMapping {
  return fromSource(Source.read(fileNamed('workloads/mappings', file)));
}

/** The same from a text; `file` is its name in messages. */
export function parseDataflowMapping(text: string, file: string): LoadedDataflowMapping {
  return fromSource(new Source(text, file));
}

function fromSource(source: Source): LoadedDataflowMapping {
  const { mapping: name, fuse, ...rest } = check(schema, source.value(), source);
  const place = (path: Path): Place => source.placeOf(path);
  if (typeof fuse === 'string') return { mapping: new DataflowMapping({ name, fuse, ...rest }), place };
  const seen = new Set<string>();
  const twice = fuse.flatMap((operators, i) =>
    operators.flatMap((operator, j) => {
      if (!seen.has(operator)) {
        seen.add(operator);
        return [];
      }
      return [
        { message: `"${operator}" is in a section already`, place: place(['fuse', i, j]), hint: 'remove one of them' },
      ];
    }),
  );
  if (twice.length > 0) throw new InputError(twice);
  return { mapping: new DataflowMapping({ name, fuse: List(fuse.map((one) => List(one))), ...rest }), place };
}
