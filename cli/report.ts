import { readFileSync } from 'node:fs';
import { InputError } from '../arch/language/diagnostics.ts';
import { reasonOf } from '../arch/language/file-error.ts';
import { type Result, resultSchema } from '../models/result.ts';
import { compare, type Saved } from '../reports/comparison/compared.ts';
import { together } from './failure.ts';
import { write } from './files.ts';
import { checkOutputs, keepInputs, type Outputs, writeOutputs } from './outputs.ts';

/**
 * The report of one result, or several side by side.
 * @throws InputError when a file is no result, or an output cannot be written.
 */
export async function report(files: readonly string[], options: Outputs): Promise<void> {
  const [results] = together(
    () => together(...files.map((file) => () => ({ file, result: read(file) }))),
    () => checkOutputs(options),
    () => keepInputs(files, { ...options }),
  );
  const [first, ...others] = results;
  if (first === undefined) throw new InputError({ message: 'no result to report' });
  if (others.length === 0) await writeOutputs(first.result, options);
  else await writeComparison([first, ...others], options);
}

async function writeComparison(saved: readonly [Saved, ...Saved[]], { html, trace }: Outputs): Promise<void> {
  if (trace !== undefined) {
    const hint = 'give one result, or leave --trace out';
    throw new InputError({ message: `--trace ${trace}: a trace is of one result, not of ${saved.length}`, hint });
  }
  const comparison = compare(saved);
  if (html !== undefined) write(html, (await import('../reports/comparison/html.ts')).comparisonPage(comparison));
  if (html === '-') return;
  const { comparisonText } = await import('../reports/comparison/terminal.ts');
  const color = process.stdout.isTTY === true && process.stdout.hasColors();
  process.stdout.write(comparisonText(comparison, { color, ...(html !== undefined && { report: html }) }));
}

/** Keys that reports cannot do without. */
const needed: readonly (keyof Result)[] = [
  'arch',
  'workload',
  'mapping',
  'cycles',
  'clock',
  'seconds',
  'engines',
  'memories',
  'einsums',
  'energy',
  'area',
  'bottleneck',
  'timelines',
  'notes',
];

const hint = 'give a file that "clockwright run --json" wrote';

/** @throws InputError when it is not a result of this version's schema. */
function read(file: string): Result {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
  const value = parse(text, file);
  if (value?.schema !== resultSchema) {
    const found = value?.schema === undefined ? 'it has no "schema" key' : `its schema is "${value.schema}"`;
    throw new InputError({ message: `${file} is no result: ${found}`, hint: `expected "${resultSchema}"` });
  }
  const missing = needed.filter((key) => value[key] === undefined);
  if (missing.length === 0) return value as Result;
  throw new InputError({ message: `${file} is no whole result: it lacks ${missing.join(', ')}`, hint });
}

function parse(text: string, file: string): Partial<Result> | null {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError({
      message: `${file} is ${text.trim() === '' ? 'empty' : 'not JSON, or not all of it'}`,
      hint,
    });
  }
}
