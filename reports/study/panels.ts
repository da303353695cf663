/** Rows of a study as pictures side by side. */
import type { Value } from '../../models/study/definition.ts';
import type { StudyReport } from '../../models/study/report.ts';
import type { FinishedRow } from '../../models/study/run.ts';
import { type Box, chartWidth, ellipsis, textWidth } from '../charts/frame.ts';
import { type Markup, markup } from '../markup.ts';
import { type Colour, categorical } from '../palette.ts';
import { type Column, columnsOf } from './columns.ts';

/** The finished rows, and columns by name. */
export class Table {
  readonly rows: readonly FinishedRow[];
  readonly #columns: ReadonlyMap<string, Column>;
  /** Parameters that have more than one value. */
  readonly varying: readonly string[];

  constructor(report: StudyReport) {
    this.rows = report.rows.filter((row): row is FinishedRow => 'metrics' in row);
    this.#columns = new Map(columnsOf(report).map((column) => [column.name, column]));
    this.varying = report.parameters.filter(({ values }) => values.length > 1).map(({ name }) => name);
  }

  has(name: string): boolean {
    return this.#columns.has(name);
  }

  value(row: FinishedRow, name: string): Value | null {
    return this.#columns.get(name)?.of(row) ?? null;
  }

  text(row: FinishedRow, name: string): string {
    return this.#columns.get(name)?.text(row) ?? '';
  }

  unit(name: string): string {
    return this.#columns.get(name)?.unit ?? '';
  }

  /** Names a row by some of its columns: `flat`, or `flat, batch 4` of several. */
  nameOf(row: FinishedRow, columns: readonly string[]): string {
    return columns
      .map((name) => {
        const text = this.text(row, name);
        return typeof this.value(row, name) === 'string' ? text : `${name} ${text}`;
      })
      .join(', ');
  }

  /** What a reader sees on hover: the row, and some of its figures. */
  about(row: FinishedRow, figures: readonly string[]): string {
    const own = figures.filter((name) => !(name in row.point)).map((name) => `${name} ${this.text(row, name)}`);
    return [this.nameOf(row, this.varying), ...own].filter((line) => line !== '').join('\n');
  }
}

/** Rows by a name, in order of appearance. */
export function groups(rows: readonly FinishedRow[], nameOf: (row: FinishedRow) => string): Map<string, FinishedRow[]> {
  const found = new Map<string, FinishedRow[]>();
  for (const row of rows) {
    const name = nameOf(row);
    const group = found.get(name);
    if (group) group.push(row);
    else found.set(name, [row]);
  }
  return found;
}

export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface PanelPlace {
  /** The plot. */
  readonly box: Box;
  readonly title: Markup | undefined;
}

/** Places for panels, two in a line; `titles` are empty where there is but one. `height` is that of a plot. */
export function panelPlaces(
  titles: readonly string[],
  margins: Margins,
  height: number,
  top: number,
): { readonly places: PanelPlace[]; readonly height: number } {
  const columns = titles.length > 1 ? 2 : 1;
  const gap = 24;
  const width = (chartWidth - gap * (columns - 1)) / columns;
  const titleHeight = titles.some((title) => title !== '') ? 22 : 0;
  const step = margins.top + titleHeight + height + margins.bottom;
  const places = titles.map((title, i): PanelPlace => {
    const left = (i % columns) * (width + gap) + margins.left;
    const box = {
      left,
      top: top + Math.floor(i / columns) * step + margins.top + titleHeight,
      width: width - margins.left - margins.right,
      height,
    };
    const text = markup`<text class="strong" x="${left}" y="${box.top - 12}">${ellipsis(title, box.width)}</text>`;
    return { box, title: title === '' ? undefined : text };
  });
  return { places, height: top + Math.ceil(titles.length / columns) * step };
}

/** How a series is drawn. Colours repeat after six, shapes after five. */
export interface Style {
  readonly name: string;
  readonly colour: Colour;
  readonly shape: number;
}

/** Styles of the series by name: a colour for each of what comes `first`, a shape for each of what else tells them apart. */
export function stylesOf(
  rows: readonly FinishedRow[],
  nameOf: (row: FinishedRow) => string,
  first: (row: FinishedRow) => string,
  second: (row: FinishedRow) => string,
): Map<string, Style> {
  const [firsts, seconds] = [first, second].map((of) => [...groups(rows, of).keys()]) as [string[], string[]];
  return new Map(
    rows.map((row) => {
      const [name, at] = [nameOf(row), firsts.indexOf(first(row))];
      const colour = categorical[at % categorical.length] as Colour;
      return [name, { name, colour, shape: seconds.length > 1 ? seconds.indexOf(second(row)) : at }];
    }),
  );
}

const shapes: readonly ((x: number, y: number) => string)[] = [
  (x, y) => `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`,
  (x, y) => `M${x - 3.6} ${y - 3.6}h7.2v7.2h-7.2z`,
  (x, y) => `M${x} ${y - 4.8}l4.6 8h-9.2z`,
  (x, y) => `M${x} ${y - 5}l5 5l-5 5l-5 -5z`,
  (x, y) => `M${x} ${y + 4.8}l4.6 -8h-9.2z`,
];

/** Hundredths of a pixel, for paths, whose numbers markup does not see. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;

export function symbol({ colour, shape }: Style, x: number, y: number, title?: string): Markup {
  const path = (shapes[shape % shapes.length] as (typeof shapes)[number])(rounded(x), rounded(y));
  const about = title === undefined ? undefined : markup`<title>${title}</title>`;
  return markup`<path class="f-${colour} ring" d="${path}">${about}</path>`;
}

/** Names of series with their marks, in as many lines as they need, and the height of those. One series has none. */
export function seriesLegend(styles: readonly Style[]): { readonly drawing: Markup; readonly height: number } {
  if (styles.length < 2) return { drawing: markup``, height: 0 };
  let [x, y] = [6, 14];
  const entries = styles.map((style) => {
    const text = ellipsis(style.name, 260);
    const width = textWidth(text) + 34;
    if (x > 6 && x + width > chartWidth) [x, y] = [6, y + 20];
    const entry = markup`<path class="line s-${style.colour}" d="M${rounded(x)} ${y - 4}h16"/>${symbol(style, x + 8, y - 4)}<text x="${x + 22}" y="${y}">${text}</text>`;
    x += width + 6;
    return entry;
  });
  return { drawing: markup`${entries}`, height: y + 8 };
}
