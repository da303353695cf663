import type { Point } from '../../models/study/definition.ts';
import type { StudyReport } from '../../models/study/report.ts';
import { type Column, claimFigure, columnsOf, errorText, holdsText } from './columns.ts';

/** `config=flat, model=BERT`: a point in words that `--only` takes. */
export function pointName(point: Point): string {
  return Object.entries(point)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

interface Cell {
  readonly text: string;
  /** Numbers are flush right. */
  readonly isNumber: boolean;
}

/** The rows and the claims as tables for a terminal. With `report`, the last line says where the page is. */
export function studySummary(report: StudyReport, options: { report?: string; color?: boolean } = {}): string {
  const styled = (code: number, text: string): string => (options.color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const { name, about, claims } = report;
  const title = `${styled(1, name)}${about === '' ? '' : `   ${about}`}`;
  const blocks = [
    [title],
    lines(rowTable(report), styled),
    ...(claims.length > 0 ? [[...lines(claimTable(report), styled), ...claimNotes(report)]] : []),
    ...(options.report === undefined ? [] : [[`report     ${options.report}`]]),
  ];
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}

function rowTable(report: StudyReport): Cell[][] {
  const columns = columnsOf(report);
  const header = columns.map(({ name, isNumber }) => ({ text: name, isNumber }));
  const body = report.rows.map((row) =>
    'error' in row
      ? failedLine(columns, report, row)
      : columns.map((c) => ({ text: c.text(row), isNumber: c.isNumber })),
  );
  return [header, ...body];
}

/** The parameters, and in place of figures the first line of the error. */
function failedLine(
  columns: readonly Column[],
  { parameters }: StudyReport,
  row: Extract<StudyReport['rows'][number], { error: string }>,
): Cell[] {
  const own = columns.slice(0, parameters.length).map((c) => ({ text: c.text(row), isNumber: c.isNumber }));
  return [...own, { text: `failed: ${row.error.split('\n')[0]}`, isNumber: false }];
}

function claimTable({ claims }: StudyReport): Cell[][] {
  const header = ['claim', 'source', 'target', 'measured', 'error', 'holds'];
  const isNumber = (column: number): boolean => column >= 2 && column <= 4;
  const body = claims.map(({ claim, source, target, measured, error, holds, problem }) => [
    claim,
    source,
    claimFigure(target),
    claimFigure(measured),
    errorText(error),
    problem === null ? holdsText(holds) : `failed: ${problem}`,
  ]);
  return [header, ...body].map((line) => line.map((text, column) => ({ text, isNumber: isNumber(column) })));
}

/** What a reader must know of the rows that claims were measured on. */
export function claimNotes({ isWhole, rows, gridSize }: StudyReport): string[] {
  if (isWhole) return [];
  const finished = rows.filter((row) => 'metrics' in row).length;
  return [`measured on ${finished} finished ${finished === 1 ? 'row' : 'rows'}, not on the whole grid of ${gridSize}`];
}

/** Cells in columns, the last of a line as long as it is. */
function lines(table: readonly (readonly Cell[])[], styled: (code: number, text: string) => string): string[] {
  const count = Math.max(...table.map((line) => line.length));
  const isLast = (line: readonly Cell[], column: number): boolean =>
    column === line.length - 1 && !line[column]?.isNumber;
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...table.map((line) => (isLast(line, column) ? 0 : (line[column]?.text.length ?? 0)))),
  );
  return table.map((line, row) => {
    const cells = line.map(({ text, isNumber }, column) =>
      isNumber ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
    );
    const written = cells.join('  ').trimEnd();
    return row === 0 ? styled(2, written) : written;
  });
}
