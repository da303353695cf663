/** What a command leaves behind of a result: files, or text on standard output. */
import { existsSync, realpathSync } from 'node:fs';
import { type Diagnostic, InputError } from '../arch/language/diagnostics.ts';
import type { Result } from '../models/result.ts';
import { toJson } from '../reports/json.ts';
import { summary } from '../reports/terminal.ts';
import { together } from './failure.ts';
import { write, writeProblem } from './files.ts';

/** Files to write; `-` is standard output, in place of the summary. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly trace?: string;
}

/** Whether all outputs can be written, so that no long run is lost. @throws InputError */
export function checkOutputs({ json, html, trace }: Outputs): void {
  checkFiles({ json, html, trace });
}

/** Whether the files that options name can be written, each to a place of its own. @throws InputError */
export function checkFiles(files: { readonly [option: string]: string | undefined }): void {
  const options = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const mistakes = options.flatMap(([option, file], i): Diagnostic[] => {
    const problem = writeProblem(file);
    if (problem !== null) return [{ message: `--${option} ${file}: ${problem}` }];
    const other = options.slice(0, i).find(([, earlier]) => earlier === file)?.[0];
    if (other === undefined) return [];
    return [{ message: `--${option} ${file}: --${other} goes there already`, hint: 'name another file' }];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
}

/** Nothing may be written over what is read. @throws InputError */
export function keepInputs(
  inputs: readonly string[],
  outputs: { readonly [option: string]: string | undefined },
): void {
  const read = inputs.filter((file) => existsSync(file)).map((file) => realpathSync(file));
  const lost = Object.entries(outputs).filter(
    ([, file]) => file !== undefined && existsSync(file) && read.includes(realpathSync(file)),
  );
  const hint = 'name another file';
  if (lost.length === 0) return;
  throw new InputError(lost.map(([option, file]) => ({ message: `--${option} ${file}: this file is read`, hint })));
}

/**
 * Writes what was asked for; `json` and `summary` are those of the result unless the command has its own.
 * @throws InputError with every file that could not be written; the others are.
 */
export async function writeOutputs(
  result: Result,
  { json, html, trace }: Outputs,
  own: { readonly json?: string; readonly summary?: string } = {},
): Promise<void> {
  const texts: [file: string, text: string][] = [];
  if (json !== undefined) texts.push([json, own.json ?? toJson(result)]);
  if (html !== undefined) texts.push([html, (await import('../reports/html.ts')).htmlReport(result)]);
  if (trace !== undefined) texts.push([trace, (await import('../reports/trace.ts')).perfettoTrace(result)]);
  try {
    together(
      ...texts.map(
        ([file, text]) =>
          () =>
            write(file, text),
      ),
    );
  } finally {
    if (texts.every(([file]) => file !== '-')) {
      const color = process.stdout.isTTY === true && process.stdout.hasColors();
      process.stdout.write(own.summary ?? summary(result, { color, ...(html !== undefined && { report: html }) }));
    }
  }
}
