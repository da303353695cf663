/** `--points`: a table of points, a column for each parameter. */
import { readFileSync } from 'node:fs';
import { type Diagnostic, InputError, type Place } from '../arch/language/diagnostics.ts';
import { reasonOf } from '../arch/language/file-error.ts';
import { expand, parameterMistake, readValue, valueMistake } from '../models/study/choice.ts';
import type { Point, Value } from '../models/study/definition.ts';
import type { Study } from '../models/study/study.ts';

/** A field of a line, and where it stands. */
interface Field {
  readonly text: string;
  readonly place: Place;
}

/** The points of a CSV file, in its order. A parameter without a column takes all its values. @throws InputError */
export function readPoints(file: string, study: Study): Point[] {
  const [header, ...lines] = read(file)
    .split(/\r?\n/)
    .map((text, i) => fieldsOf(text, i + 1, file))
    .filter((fields) => fields.some(({ text }) => text !== ''));
  if (header === undefined) throw new InputError({ message: `${file} is empty`, hint: headerHint(study) });
  const mistakes = headerMistakes(header, study);
  if (mistakes.length > 0) throw new InputError(mistakes);
  const points = lines.flatMap((fields) => {
    const found = pointsOf(fields, header, study);
    if (Array.isArray(found)) return found;
    mistakes.push(...found.mistakes);
    return [];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
  if (points.length === 0) throw new InputError({ message: `${file} has no points under its first line` });
  return points;
}

const headerHint = (study: Study): string => `the first line names parameters: ${[...study.parameters.keys()].join()}`;

function headerMistakes(header: readonly Field[], study: Study): Diagnostic[] {
  return header.flatMap(({ text, place }, i): Diagnostic[] => {
    if (header.findIndex((other) => other.text === text) < i) return [{ message: `"${text}" is there twice`, place }];
    const mistake = parameterMistake(study, text);
    return mistake ? [{ ...mistake, place }] : [];
  });
}

function pointsOf(
  fields: readonly Field[],
  header: readonly Field[],
  study: Study,
): Point[] | { readonly mistakes: Diagnostic[] } {
  const first = fields[0] as Field;
  if (fields.length !== header.length) {
    const message = `${fields.length} values, but the first line names ${header.length} parameters`;
    return { mistakes: [{ message, place: { ...first.place, column: 1, length: first.place.text.length } }] };
  }
  const given: { [parameter: string]: Value } = {};
  const mistakes: Diagnostic[] = [];
  for (const [i, { text: name }] of header.entries()) {
    const { text, place } = fields[i] as Field;
    const values = study.parameters.get(name) ?? [];
    const value = readValue(text, values);
    if (value === undefined) mistakes.push({ ...valueMistake(name, text, values), place });
    else given[name] = value;
  }
  if (mistakes.length > 0) return { mistakes };
  const points = expand(study, given).filter((point) => !study.skips(point));
  if (points.length > 0) return points;
  return { mistakes: [{ message: `study ${study.name} skips this point`, place: first.place }] };
}

/** Fields between commas; one in quotes may have commas in it, and quotes as two of them. */
function fieldsOf(line: string, number: number, file: string): Field[] {
  return [...`,${line}`.matchAll(/,(\s*)("(?:[^"]|"")*"(?=\s*(?:,|$))|[^,]*)/g)].map((match) => {
    const [, space = '', written = ''] = match;
    const text = written.trim();
    const place = { file, line: number, column: match.index + space.length + 1, length: text.length, text: line };
    return { text: /^".*"$/.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text, place };
  });
}

/** @throws InputError when it cannot be read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
}
