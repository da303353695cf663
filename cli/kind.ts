/** What a file describes, by its first key. */
import { existsSync } from 'node:fs';
import { InputError } from '../arch/language/diagnostics.ts';
import { libraryFile } from '../arch/language/library.ts';
import { Source } from '../arch/language/source.ts';

const kinds = ['machine', 'workload', 'mapping', 'technology'] as const;
export type Kind = (typeof kinds)[number];

/** @throws InputError when there is no such file, here or in the library, or it describes none of these. */
export function kindOf(name: string): { kind: Kind; file: string } {
  const file = findAnywhere(name);
  const source = Source.read(file);
  const keys = Object.keys(source.value() as object);
  // A mapping names a machine and a workload too.
  const kind = keys.includes('mapping') ? 'mapping' : kinds.find((candidate) => keys.includes(candidate));
  if (kind) return { kind, file };
  const hint =
    'a machine begins with "machine: name", a workload with "workload: name", a mapping with "mapping: name"';
  throw new InputError({ message: 'it does not say what it describes', place: source.span(0, 1), hint });
}

function findAnywhere(name: string): string {
  if (existsSync(name)) return name;
  const shelves = ['arch', 'workloads', 'workloads/mappings', 'arch/parts/technology'];
  const found = shelves.map((shelf) => libraryFile(shelf, name));
  const match = found.find((f) => 'file' in f);
  if (match) return match.file;
  throw new InputError({
    message: `there is no file ${name}`,
    hint: found.flatMap((f) => ('hint' in f ? f.hint : []))[0],
  });
}
