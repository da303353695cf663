import { glossary, type Term } from '../glossary.ts';
import { type Markup, markup, type Part } from '../markup.ts';

/** A name that tells its definition: on hover, and in a popover on click or Enter. */
export function term(key: Term, label: string = glossary[key].name): Markup {
  return markup`<button type="button" class="term" popovertarget="term-${key}" title="${glossary[key].definition}">${label}</button>`;
}

/** A titled part of the report. The title's definition is the chart's. */
export function section(key: Term, ...body: Part[]): Markup {
  return markup`<section id="${key}"><h2>${term(key)}</h2>${body}</section>\n`;
}

export function caption(text: Part): Markup {
  return markup`<p class="caption">${text}</p>`;
}

export interface Column<Row> {
  term: Term;
  label?: string;
  /** Numbers are set flush right in figures of one width. */
  numeric?: boolean;
  cell: (row: Row) => Part;
  /** What to write in the line that stands for the rows left out. */
  rest?: (rows: readonly Row[]) => Part;
}

function row(cells: readonly Part[], columns: readonly Column<never>[], kind: 'td' | 'th'): Markup {
  const written = cells.map((cell, index) => {
    const numeric = columns[index]!.numeric ? markup` class="number"` : undefined;
    return kind === 'th' ? markup`<th scope="col"${numeric}>${cell}</th>` : markup`<td${numeric}>${cell}</td>`;
  });
  return markup`<tr>${written}</tr>\n`;
}

export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], last?: Markup): Markup {
  const head = row(
    columns.map((column) => term(column.term, column.label)),
    columns,
    'th',
  );
  const body = rows.map((value) =>
    row(
      columns.map((column) => column.cell(value)),
      columns,
      'td',
    ),
  );
  return markup`<div class="scroll"><table><thead>${head}</thead><tbody>${body}${last}</tbody></table></div>`;
}

/** Lines that a table shows before it starts to sum up. */
const lineLimit = 16;

/** The table of the first rows with one line for the others, and all of them folded away below. */
export function longTable<Row>(
  columns: readonly Column<Row>[],
  ranked: readonly Row[],
  all: readonly Row[],
  what: string,
): Markup {
  if (ranked.length <= lineLimit) return table(columns, all);
  const others = ranked.slice(lineLimit);
  const last = row(
    columns.map((column, index) => (index === 0 ? `${others.length} others` : column.rest?.(others))),
    columns,
    'td',
  );
  return markup`${table(columns, ranked.slice(0, lineLimit), last)}<details><summary>All ${all.length} ${what}</summary>${table(columns, all)}</details>`;
}

export const sum = <Row>(rows: readonly Row[], of: (row: Row) => number): number =>
  rows.reduce((total, value) => total + of(value), 0);

/** The glossary: a popover for each term, and the list of all of them for paper. */
export function definitions(): Markup {
  const entries = Object.entries(glossary);
  return markup`<section id="definitions"><h2>Definitions</h2><dl class="definitions">${entries.map(
    ([, { name, definition }]) => markup`<div><dt>${name}</dt><dd>${definition}</dd></div>\n`,
  )}</dl></section>${entries.map(
    ([key, { name, definition }]) =>
      markup`<div popover id="term-${key}" class="definition"><strong>${name}</strong><p>${definition}</p></div>\n`,
  )}`;
}
