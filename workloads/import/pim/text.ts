/** Files of PIM traces and programs: lines, and what is wrong with them. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { reasonOf } from '../../../arch/language/file-error.ts';
import type { PimStep } from '../../language/pim-program.ts';

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

/** What is wrong with a line: the word where it shows. */
export interface Mistake {
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * The steps that lines stand for; null for a line that stands for none.
 * @throws InputError when the file cannot be read, or with its wrong lines
 */
export function stepsOf(file: string, stepOf: (line: string) => PimStep | Mistake | null): PimStep[] {
  const mistakes: Diagnostic[] = [];
  const steps = textOf(file)
    .split(/\r?\n/)
    .flatMap((text, index): PimStep[] => {
      const step = stepOf(text);
      if (step === null) return [];
      if ('kind' in step) return [step];
      const column = Math.max(0, text.indexOf(step.at)) + 1;
      const place = { file, line: index + 1, column, length: step.at.length, text };
      if (mistakes.length < mostMistakes) mistakes.push({ message: step.message, place, hint: step.hint });
      return [];
    });
  if (mistakes.length > 0) throw new InputError(mistakes);
  return steps;
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
