import type { StudyReport } from '../../models/study/report.ts';
import { columnsOf } from './columns.ts';

/** A line of names, then one for each row, with all digits. What has no value is empty; where rows failed, `error` says why. */
export function studyCsv(report: StudyReport): string {
  const columns = columnsOf(report);
  const failed = report.rows.some((row) => 'error' in row);
  const header = [...columns.map(({ name }) => name), ...(failed ? ['error'] : [])];
  const lines = report.rows.map((row) => [
    ...columns.map((column) => String(column.of(row) ?? '')),
    ...(failed ? ['error' in row ? row.error : ''] : []),
  ]);
  return [header, ...lines].map((fields) => `${fields.map(quoted).join()}\n`).join('');
}

/** A field with commas, quotes or line breaks in it stands in quotes. */
const quoted = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
