/** Files of PIM traces and programs: lines, and what is wrong with them. */
import { readFileSync } from 'node:fs';
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
