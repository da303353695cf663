/** Files as named on the command line. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../arch/language/diagnostics.ts';
import { libraryFile } from '../arch/language/library.ts';

/**
 * A file that exists, or the file of that name that comes with Clockwright in `shelf`.
 * @throws InputError when there is neither.
 */
export function find(name: string, shelf: string): string {
  if (existsSync(name)) return name;
  const found = libraryFile(shelf, name);
  if ('file' in found) return found.file;
  throw new InputError({ message: `there is no file ${name}, nor a ${shelf}/${name}.yaml`, hint: found.hint });
}

/** Writes a file whole or not at all, in a folder that is made if need be; `-` is standard output. */
export function write(file: string, text: string): void {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    mkdirSync(dirname(file), { recursive: true });
    const partial = `${file}.${process.pid}.part`;
    writeFileSync(partial, text);
    renameSync(partial, file);
  } catch (error) {
    throw new InputError({ message: `cannot write ${file}: ${(error as NodeJS.ErrnoException).code ?? error}` });
  }
}
