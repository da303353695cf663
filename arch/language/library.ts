/** Where the files that come with Clockwright are, whether it runs from its sources or from dist/. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, suggest } from './diagnostics.ts';

const manifest = findManifest(dirname(fileURLToPath(import.meta.url)));

/** The folder with Clockwright's package.json. */
export const packageRoot: string = manifest.folder;

/** Version of the program, as in its package.json. */
export const version: string = manifest.version;

function findManifest(from: string): { readonly folder: string; readonly version: string } {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    const { name, version } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    if (name === 'clockwright') return { folder, version };
    if (dirname(folder) === folder) throw new Error(`no package.json of clockwright above ${from}`);
  }
}

export type Found = { readonly file: string } | { readonly hint: string };

/**
 * The file of a library entry such as `array/tpu-v4-mxu`: in `beside` (the same folder next to the user's own file)
 * when it is there, else in `shelf`, a folder of the package such as `arch/parts`. When there is none, a hint that
 * names what is nearest. Paths are relative to the working directory where that is shorter, as users type them.
 */
export function libraryFile(shelf: string, name: string, beside?: string): Found {
  const folders = [...(beside === undefined ? [] : [beside]), join(packageRoot, shelf)];
  for (const folder of folders) {
    const file = join(folder, `${name}.yaml`);
    if (!relative(folder, file).startsWith('..') && existsSync(file)) return { file: shortest(file) };
  }
  return { hint: suggest(name, new Set(folders.flatMap(libraryNames))) };
}

/**
 * A file by its path, or by its name when it comes with Clockwright: `fusemax` in the folder `arch`.
 * @throws InputError when it is no path, and there is none of that name.
 */
export function fileNamed(shelf: string, name: string): string {
  if (!/^[\w-]+$/.test(name) || statSync(name, { throwIfNoEntry: false })?.isFile()) return name;
  const found = libraryFile(shelf, name);
  if ('file' in found) return found.file;
  // What lies deeper is of another kind.
  const names = libraryNames(join(packageRoot, shelf)).filter((entry) => !entry.includes('/'));
  throw new InputError({
    message: `there is no file ${name}, and none of that name comes with Clockwright in ${shelf}/`,
    hint: suggest(name, names),
  });
}

/** Names of the YAML files in a folder and those below it, without the suffix. */
export function libraryNames(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length).replaceAll('\\', '/'))
    .sort();
}

function shortest(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere.length < file.length && !fromHere.startsWith('..') ? fromHere : file;
}
