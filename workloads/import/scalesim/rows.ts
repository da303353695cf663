/** Rows of a SCALE-Sim CSV file: fields between commas, without quotes. */
import type { Diagnostic } from '../../../arch/language/diagnostics.ts';
import { type Field, type Line, linesOf } from './lines.ts';

export interface Row {
  readonly line: Line;
  /** At least one; the last one is not empty. What is empty at the end of a line is no field. */
  readonly fields: readonly Field[];
}

/** Rows that are more than space, commas and a comment. */
export function readRows(text: string, file: string): Row[] {
  return linesOf(text, file)
    .map((line) => ({ line, fields: fieldsOf(line) }))
    .filter(({ fields }) => fields.length > 0);
}

/** A quoted name that ends at a comma inside it; undefined when the row has none. */
export function commaInName({ line }: Row): Diagnostic | undefined {
  const quoted = /^\s*("(?:[^"]|"")*")/.exec(line.text)?.[1];
  if (!quoted?.includes(',')) return undefined;
  const message = `the name ${quoted} has a comma in it, which ends it even between quotes`;
  return { message, place: line.place(line.indent, quoted.length), hint: 'write the name without commas' };
}

/** Semicolons or tabs in place of all commas; undefined when the row has none. */
export function otherSeparator({ line, fields }: Row): Diagnostic | undefined {
  const mark = fields.length === 1 ? /[;\t]/.exec(fields[0]!.text)?.[0] : undefined;
  if (mark === undefined) return undefined;
  const message = `this line has ${mark === ';' ? 'semicolons' : 'tabs'} between its fields`;
  return { message, place: line.whole(), hint: 'fields are separated by commas' };
}

/** SCALE-Sim drops what stands behind the last comma of a row, often `#` and a remark; here the row may also end without one. */
function fieldsOf(line: Line): Field[] {
  const end = endOf(line.text);
  const fields: Field[] = [];
  let from = 0;
  while (from <= end) {
    const comma = line.text.indexOf(',', from);
    const to = comma < 0 ? end : Math.min(comma, end);
    fields.push(line.field(from, to));
    from = to + 1;
  }
  while (fields.at(-1)?.text === '') fields.pop();
  return fields;
}

/** Where a comment begins, or the line ends. The name of a layer, up to the first comma, may hold a `#`. */
function endOf(text: string): number {
  if (text.trimStart().startsWith('#')) return 0;
  const comma = text.indexOf(',');
  const comment = comma < 0 ? -1 : text.indexOf('#', comma);
  return comment < 0 ? text.length : comment;
}
