/** Files of PIM traces and programs: lines, and what is wrong with them. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { InputError } from '../../../arch/language/diagnostics.ts';
import { reasonOf } from '../../../arch/language/file-error.ts';

/** Wrong lines that are shown. */
export const mostMistakes = 20;

/** @throws InputError when the file cannot be read */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
}

/** How much of a file is looked at to tell what it is. */
const headBytes = 64 * 1024;

/** The beginning of a file; empty for one that can be read only once, such as a pipe. @throws InputError when it cannot be read */
export function headOf(file: string): string {
  try {
    if (!statSync(file).isFile()) return '';
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(headBytes);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, headBytes, 0)).toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
}
