/** Traces of PIM tools, a request on a line. */
import { readFileSync } from 'node:fs';
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { reasonOf } from '../../../arch/language/file-error.ts';
import type { PimStep } from '../../language/pim-program.ts';

/** What is wrong with a line: the word where it shows. */
export interface Mistake {
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

/** Wrong lines that are shown. */
const mostMistakes = 20;

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

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
}
