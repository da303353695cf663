/** Files as named on the command line. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError, nearest, suggest } from '../arch/language/diagnostics.ts';
import { reasonOf } from '../arch/language/file-error.ts';
import { libraryFile, libraryNames, packageRoot } from '../arch/language/library.ts';
import { Source } from '../arch/language/source.ts';
import { type Kind, kindOf } from './kind.ts';

/** Folders of the package with files of each kind. */
const shelves: { readonly [kind in Kind]: string } = {
  machine: 'arch',
  workload: 'workloads',
  'serving workload': 'workloads',
  'composition of experts': 'workloads',
  'streaming workload': 'workloads',
  'model table': 'workloads/llm',
  mapping: 'workloads/mappings',
  'serving mapping': 'workloads/mappings',
  'dataflow mapping': 'workloads/mappings',
  placement: 'workloads/mappings',
  part: 'arch/parts',
  technology: 'arch/parts/technology',
  standard: 'arch/parts/dram',
};
const kinds = Object.keys(shelves) as Kind[];

/**
 * A file of one kind, or the one of that name that comes with Clockwright.
 * @throws InputError when there is neither, or it describes something else.
 */
export function find(name: string, kind: Kind): string {
  const file = locate(name, kind);
  const found = kindOf(file);
  // A file that does not say what it describes is for its reader to complain about.
  if (found === kind || found === undefined) return file;
  throw new InputError({ message: `${file} describes a ${found}, where a ${kind} is needed` });
}

/** A file of any kind and what it describes. @throws InputError when there is none, or it does not say. */
export function findAny(name: string): { readonly file: string; readonly kind: Kind } {
  const file = locate(name);
  const kind = kindOf(file);
  if (kind) return { file, kind };
  const place = Source.read(file).span(0, 1);
  const hint =
    'a machine begins with "machine: NAME", a workload with "workload: NAME", a mapping with "mapping: NAME"';
  throw new InputError({ message: 'the file does not say what it describes', place, hint });
}

function locate(name: string, wanted?: Kind): string {
  const isFolder = existsSync(name) && statSync(name).isDirectory();
  if (existsSync(name) && !isFolder) return name;
  const order = wanted === undefined ? kinds : [wanted, ...kinds];
  const found = order.map((kind) => libraryFile(shelves[kind], name)).find((f) => 'file' in f);
  if (found) return found.file;
  if (isFolder) throw new InputError({ message: `${name} is a folder, not a file` });
  const isName = !/[/.]/.test(name);
  const message = `there is no file ${name}${isName ? `, and no ${wanted ?? 'file'} of that name comes with Clockwright` : ''}`;
  throw new InputError({ message, hint: meant(name, wanted) });
}

/** The file that a name was meant for, in the folder where it was looked for or the library; else what the library has. */
function meant(name: string, wanted: Kind | undefined): string {
  const folder = dirname(name);
  const here = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.yaml')) : [];
  const local = new Map(here.map((file) => [basename(file, '.yaml'), join(folder, file)]));
  // What lies deeper than its shelf is of another kind, but for parts.
  const entries = (wanted === undefined ? kinds : [wanted]).flatMap((kind) =>
    libraryNames(join(packageRoot, shelves[kind])).filter((entry) => kind === 'part' || !entry.includes('/')),
  );
  const library = new Set(entries);
  const near = nearest(basename(name, '.yaml'), [...local.keys(), ...library]);
  return near === undefined ? suggest(name, library) : `did you mean "${local.get(near) ?? near}"?`;
}

/** Why a file cannot be written, before any work is done for it; null when it seems to go. `-` always goes. */
export function writeProblem(file: string): string | null {
  if (file === '-') return null;
  if (file === '') return 'the name of a file is missing';
  try {
    if (existsSync(file)) {
      if (statSync(file).isDirectory()) return 'it is a folder, not a file';
      accessSync(file, constants.W_OK);
      return null;
    }
    let folder = dirname(file);
    while (!existsSync(folder)) folder = dirname(folder);
    if (!statSync(folder).isDirectory()) return 'part of its path is a file, not a folder';
    accessSync(folder, constants.W_OK);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Writes a file whole or not at all, in a folder that is made if need be; `-` is standard output. */
export function write(file: string, text: string): void {
  writePieces(file, [text]);
}

/** As `write`, with a text that may be longer than a string can be. */
export function writePieces(file: string, pieces: Iterable<string>): void {
  if (file === '-') {
    for (const piece of pieces) {
      process.stdout.write(piece);
      // The reader has seen enough.
      if (process.stdout.errored) return;
    }
    return;
  }
  try {
    mkdirSync(dirname(file), { recursive: true });
    // Devices and pipes are written to, never replaced.
    if (existsSync(file) && !statSync(file).isFile()) writeInto(file, pieces);
    else replace(existsSync(file) ? realpathSync(file) : file, pieces);
  } catch (error) {
    throw new InputError({ message: `cannot write ${file}: ${reasonOf(error)}` });
  }
}

function replace(file: string, pieces: Iterable<string>): void {
  const partial = `${file}.${process.pid}.part`;
  try {
    writeInto(partial, pieces);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function writeInto(file: string, pieces: Iterable<string>): void {
  const descriptor = openSync(file, 'w');
  try {
    for (const piece of pieces) writeFileSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
}
