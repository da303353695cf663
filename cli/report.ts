import { readFileSync } from 'node:fs';
import { InputError } from '../arch/language/diagnostics.ts';
import { type Result, resultSchema } from '../models/result.ts';
import { summary } from '../reports/terminal.ts';
import { writeReports } from './run.ts';

export async function report(file: string, options: { html?: string; trace?: string }): Promise<void> {
  const result = read(file);
  await writeReports(result, options);
  const color = process.stdout.isTTY === true;
  process.stdout.write(summary(result, options.html === undefined ? { color } : { color, report: options.html }));
}

/** @throws InputError when it is not a result of this version's schema. */
function read(file: string): Result {
  let value: Partial<Result>;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${(error as Error).message}` });
  }
  if (value?.schema !== resultSchema) {
    const found = value?.schema === undefined ? 'no "schema" key' : `schema "${value.schema}"`;
    throw new InputError({ message: `${file} is not a result: it has ${found}`, hint: `expected "${resultSchema}"` });
  }
  return value as Result;
}
