import type { StudyReport } from '../../models/study/report.ts';
import type { StudyRow } from '../../models/study/run.ts';

/** Rows and claims as JSON, a row a line. A row that failed has `error` in place of its metrics. */
export function studyJson({ name, rows, metrics, claims }: StudyReport): string {
  const told = claims.map(({ claim, source, target, measured, error, holds }) => ({
    claim,
    source,
    target,
    measured,
    error,
    holds,
  }));
  const list = (items: readonly object[]): string =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  return `{
  "study": ${JSON.stringify(name)},
  "rows": ${list(rows.map((row) => flat(row, metrics)))},
  "claims": ${list(told)}
}
`;
}

/** Parameters and metrics side by side; every row has every metric. */
function flat(row: StudyRow, metrics: readonly string[]): object {
  if ('error' in row) return { ...row.point, error: row.error };
  return { ...row.point, ...Object.fromEntries(metrics.map((name) => [name, row.metrics[name] ?? null])) };
}
