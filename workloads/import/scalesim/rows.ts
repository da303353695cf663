/** Rows of a SCALE-Sim CSV file: fields between commas, without quotes. */
import { type Field, type Line, linesOf } from './lines.ts';

export interface Row {
  readonly line: Line;
  /** At least one that is not empty. The empty field behind a comma at the end is none. */
  readonly fields: readonly Field[];
}

/** Rows that are more than space, commas and a comment. */
export function readRows(text: string, file: string): Row[] {
  return linesOf(text, file)
    .map((line) => ({ line, fields: fieldsOf(line) }))
    .filter(({ fields }) => fields.some(({ text }) => text !== ''));
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
  if (fields[fields.length - 1]?.text === '') fields.pop();
  return fields;
}

/** Where a comment begins, or the line ends. The name of a layer, up to the first comma, may hold a `#`. */
function endOf(text: string): number {
  if (text.trimStart().startsWith('#')) return 0;
  const comma = text.indexOf(',');
  const comment = comma < 0 ? -1 : text.indexOf('#', comma);
  return comment < 0 ? text.length : comment;
}
