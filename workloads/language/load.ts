/** Workload files to workloads. */
import { type Diagnostic, InputError } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { Source } from '../../arch/language/source.ts';
import { buildWorkload } from './build.ts';
import { checkCascade } from './check.ts';
import { resolveFactors } from './factors.ts';
import { readFlat } from './graph.ts';
import { groupsOf, RecurrenceMistake } from './order.ts';
import { parseShape, resolveExtents } from './ranks.ts';
import { einsumsOf, type LoadedWorkload } from './workload.ts';

export interface LoadOptions {
  /** Extents of ranks instead of the file's, such as `P=4096`; the parts of a split rank follow. */
  readonly shape?: readonly string[];
}

/**
 * A file, or the name of one in workloads/.
 * @throws InputError with every mistake in the file, in the files that it uses and in the options.
 */
export function loadWorkload(file: string, options: LoadOptions = {}): LoadedWorkload {
  return fromSource(Source.read(fileNamed('workloads', file)), options);
}

/** The same from a text; `file` is its name in messages, and its folder is where used workloads are looked for first. */
export function parseWorkload(text: string, file: string, options: LoadOptions = {}): LoadedWorkload {
  return fromSource(new Source(text, file), options);
}

function fromSource(source: Source, { shape = [] }: LoadOptions): LoadedWorkload {
  const mistakes: Diagnostic[] = [];
  const overrides = parseShape(shape, mistakes);
  const read = readFlat(source, mistakes);
  const extents = resolveExtents(read.extents, read.splits, overrides, mistakes);
  const flat = resolveFactors(read, extents, mistakes);
  const checked = checkCascade(flat, extents, mistakes);
  if (mistakes.length > 0) throw new InputError(distinct(mistakes).sort(inFileOrder));
  const loaded = buildWorkload(flat, extents, checked);
  try {
    groupsOf(einsumsOf(loaded.workload));
  } catch (error) {
    if (!(error instanceof RecurrenceMistake)) throw error;
    throw new InputError({ message: error.message, place: loaded.places.get(error.einsum), hint: error.hint });
  }
  return loaded;
}

/** A file that is used twice has its mistakes found twice. */
function distinct(mistakes: readonly Diagnostic[]): Diagnostic[] {
  const key = ({ message, place }: Diagnostic): string => `${place?.file}:${place?.line}:${place?.column} ${message}`;
  return [...new Map(mistakes.map((mistake) => [key(mistake), mistake])).values()];
}

function inFileOrder({ place: a }: Diagnostic, { place: b }: Diagnostic): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  const files = a.file < b.file ? -1 : Number(a.file > b.file);
  return files || a.line - b.line || a.column - b.column;
}
