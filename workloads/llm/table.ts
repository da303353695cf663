/** Traces: tables of numbers separated by commas, with a header. */
import { readFileSync } from 'node:fs';
import { type Diagnostic, InputError, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { reasonOf } from '../../arch/language/file-error.ts';

/** A column of a trace. */
export interface Column {
  readonly name: string;
  /** The least that a value may be. */
  readonly least: number;
  /** The most; no limit when it is left out. */
  readonly most?: number;
  /** Whether values are whole. */
  readonly whole: boolean;
  readonly optional?: boolean;
}

/** A row's values by column; an optional column that the file does not have is missing. */
export type Row = { readonly [column: string]: number | undefined };

/** Wrong lines that are shown. */
const mostMistakes = 20;

/**
 * The rows of a file. The header may have its columns in any order; empty lines are skipped.
 * @throws InputError when it cannot be read, at `place` where something names it; or with its wrong lines
 */
export function readTable(file: string, columns: readonly Column[], place?: Place): Row[] {
  return readLines(file, columns, place).map(({ row }) => row);
}

/** The same, each row with its line in the file. */
export function readLines(file: string, columns: readonly Column[], place?: Place): { row: Row; place: Place }[] {
  const lines = textOf(file, place).split(/\r?\n/);
  const header = (lines[0] ?? '').split(',');
  const mistakes = headerMistakes(file, lines[0] ?? '', header, columns);
  if (mistakes.length > 0) throw new InputError(mistakes);
  const order = header.map((name) => columns.find((column) => column.name === name.trim())!);
  const rows = lines.slice(1).flatMap((text, index): { row: Row; place: Place }[] => {
    if (text.trim() === '') return [];
    const row = rowOf(text, order);
    const line = { file, line: index + 2, text };
    if (!('message' in row)) return [{ row: row.values, place: { ...line, column: 1, length: text.length } }];
    const { at, length, message, hint } = row;
    mistakes.push({ message, hint, place: { ...line, column: at + 1, length } });
    return [];
  });
  if (mistakes.length === 0 && rows.length === 0)
    mistakes.push({ message: `${file} has no rows`, place, hint: 'write one below its header' });
  if (mistakes.length > 0) throw new InputError(mistakes.slice(0, mostMistakes));
  return rows;
}

function textOf(file: string, place: Place | undefined): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}`, place });
  }
}

function headerMistakes(
  file: string,
  text: string,
  header: readonly string[],
  columns: readonly Column[],
): Diagnostic[] {
  const names = columns.map(({ name }) => name);
  const place = (at: number, length: number): Place => ({
    file,
    line: 1,
    column: at + 1,
    length: Math.max(1, length),
    text,
  });
  let at = 0;
  const mistakes: Diagnostic[] = [];
  header.forEach((written, index) => {
    const name = written.trim();
    const twice = header.findIndex((other) => other.trim() === name) < index;
    if (twice) mistakes.push({ message: `the column "${name}" is there twice`, place: place(at, written.length) });
    else if (!names.includes(name))
      mistakes.push({
        message: `there is no column "${name}"`,
        place: place(at, written.length),
        hint: suggest(name, names),
      });
    at += written.length + 1;
  });
  const missing = columns.filter(
    ({ name, optional }) => optional !== true && !header.some((written) => written.trim() === name),
  );
  if (mistakes.length === 0 && missing.length > 0) {
    const message = `the column "${missing[0]!.name}" is missing`;
    mistakes.push({ message, place: place(0, text.length), hint: `begin the file with "${names.join(',')}"` });
  }
  return mistakes;
}

interface Mistake {
  readonly at: number;
  readonly length: number;
  readonly message: string;
  readonly hint: string;
}

function rowOf(text: string, order: readonly Column[]): { readonly values: Row } | Mistake {
  const cells = text.split(',');
  if (cells.length !== order.length) {
    const message = `${cells.length} ${cells.length === 1 ? 'value' : 'values'} for ${order.length} columns`;
    return { at: 0, length: text.length, message, hint: `write ${order.map(({ name }) => name).join(',')}` };
  }
  const values: { [column: string]: number } = {};
  let at = 0;
  for (const [index, cell] of cells.entries()) {
    const { name, least, most = Number.POSITIVE_INFINITY, whole } = order[index]!;
    const value = cell.trim() === '' ? Number.NaN : Number(cell);
    if (!(value >= least && value <= most) || (whole ? !Number.isSafeInteger(value) : !Number.isFinite(value))) {
      const range = most < Number.POSITIVE_INFINITY ? `from ${least} to ${most}` : `of ${least} or more`;
      const hint = `write a ${whole ? 'whole ' : ''}number ${range}`;
      const shown = cell.trim();
      const message = shown === '' ? `"${name}" is empty` : `"${shown}" is no ${name}`;
      return { at: shown === '' ? at : at + cell.indexOf(shown), length: Math.max(1, shown.length), message, hint };
    }
    values[name] = value;
    at += cell.length + 1;
  }
  return { values };
}
