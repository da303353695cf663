import type { Result } from '../../models/result.ts';
import { type Alike, mean, range } from '../cores.ts';
import { definitionsFor, glossary, type Term } from '../glossary.ts';
import { type Markup, markup, type Part } from '../markup.ts';

/** A name that tells its definition: on hover, and in a popover on click or Enter. */
export function term(key: Term, label: string = glossary[key].name): Markup {
  return markup`<button type="button" class="term" popovertarget="term-${key}" title="${glossary[key].definition}">${label}</button>`;
}

export const hasDram = ({ memories }: Result): boolean => memories.some(({ dram }) => dram !== undefined);

export const hasPim = ({ memories }: Result): boolean => memories.some(({ pim }) => pim !== undefined);

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

/** The table of the first rows with one line for the others. Where it lacks some of `all`, they are folded away below. */
export function longTable<Row>(
  columns: readonly Column<Row>[],
  ranked: readonly Row[],
  all: readonly Row[],
  what: string,
): Markup {
  const whole = markup`<details><summary>All ${all.length} ${what}</summary>${table(columns, all)}</details>`;
  if (ranked.length <= lineLimit)
    return ranked.length === all.length ? table(columns, all) : markup`${table(columns, ranked)}${whole}`;
  const others = ranked.slice(lineLimit);
  const last = row(
    columns.map((column, index) => (index === 0 ? `${others.length} others` : column.rest?.(others))),
    columns,
    'td',
  );
  return markup`${table(columns, ranked.slice(0, lineLimit), last)}${whole}`;
}

export const sum = <Row>(rows: readonly Row[], of: (row: Row) => number): number =>
  rows.reduce((total, value) => total + of(value), 0);

/** Text that may break into lines after a character. */
const breakAfter = (text: string, character: string): Part =>
  text.split(character).map((piece, index) => (index > 0 ? markup`${character}<wbr>${piece}` : piece));

/** The name of a part, or of a kind of part and how many cores have one. */
export function partName({ name, cores }: Alike<unknown>): Part {
  return cores === ''
    ? name
    : markup`<span class="part">${breakAfter(name, '.')} <span class="soft">${term('cores', cores)}</span></span>`;
}

/** A figure of a part; of several cores the mean, and under it the range where it shows. */
export function spread(values: readonly number[], write: (value: number) => string): Part {
  const between = range(values, write);
  const written = write(mean(values));
  return between === undefined
    ? written
    : markup`${written}<span class="range">${breakAfter(between.replace(' to ', '–'), '–')}</span>`;
}

/** A column of a figure of each part. */
export function figure<T>(key: Term, of: (part: T) => number, write: (value: number) => string): Column<Alike<T>> {
  return { term: key, numeric: true, cell: ({ members }) => spread(members.map(of), write) };
}

/** A column of a figure whose sum over parts means something. */
export function summed<T>(key: Term, of: (part: T) => number, write: (value: number) => string): Column<Alike<T>> {
  return { ...figure(key, of, write), rest: (rows) => write(sum(rows, ({ members }) => sum(members, of))) };
}

/** Says which of a chart's marks are means; undefined where none is. */
export function meansCaption(rows: readonly { name: string; cores: string }[]): Markup | undefined {
  const counts = [...new Set(rows.map(({ cores }) => cores))];
  if (counts.length === 1 && counts[0] !== '')
    return caption(
      markup`${rows.length === 1 ? 'This is the mean' : 'Each is the mean'} of ${term('cores', counts[0])}.`,
    );
  const sentences = counts
    .filter((cores) => cores !== '')
    .map((cores) => {
      const names = rows.filter((row) => row.cores === cores).map(({ name }) => name);
      return markup`Mean of ${term('cores', cores)}: ${names.join(', ')}. `;
    });
  return sentences.length > 0 ? caption(sentences) : undefined;
}

/** The glossary: a popover for each term, and the list of all of them for paper. */
export function definitions(result: Result): Markup {
  return definitionsOf(
    definitionsFor({
      dram: hasDram(result),
      pim: hasPim(result),
      serving: result.serving !== undefined,
      experts: result.experts !== undefined,
      dataflow: result.dataflow !== undefined,
    }),
  );
}

/** The definitions of some terms. */
export function definitionsOf(entries: ReturnType<typeof definitionsFor>): Markup {
  return markup`<section id="definitions"><h2>Definitions</h2><dl class="definitions">${entries.map(
    ([, { name, definition }]) => markup`<div><dt>${name}</dt><dd>${definition}</dd></div>\n`,
  )}</dl></section>${entries.map(
    ([key, { name, definition }]) =>
      markup`<div popover id="term-${key}" class="definition"><strong>${name}</strong><p>${definition}</p></div>\n`,
  )}`;
}
