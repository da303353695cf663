import { readFileSync } from 'node:fs';
import { InputError } from '../arch/language/diagnostics.ts';
import { reasonOf } from '../arch/language/file-error.ts';
import { type Result, resultSchema } from '../models/result.ts';
import { together } from './failure.ts';
import { checkOutputs, type Outputs, writeOutputs } from './outputs.ts';

/** @throws InputError when the file is no result, or an output cannot be written. */
export async function report(file: string, options: Outputs): Promise<void> {
  const [result] = together(
    () => read(file),
    () => checkOutputs(options),
  );
  await writeOutputs(result, options);
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
