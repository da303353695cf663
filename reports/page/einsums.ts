import type { EinsumResult, Result } from '../../models/result.ts';
import { type GanttGroup, type GanttRow, ganttChart } from '../charts/gantt.ts';
import { count, fraction, operations, percent, timeWithin } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, longTable, section, sum, term } from './figure.ts';

/** Equations that are shown unfolded. */
const equationsShown = 24;

function equations(einsums: readonly EinsumResult[]): Markup {
  const text = einsums.map((einsum) => einsum.text).join('\n');
  const open = einsums.length > equationsShown ? undefined : markup` open`;
  return markup`<details${open}><summary>${term('equation', 'Equations')}</summary><pre><code>${text}</code></pre></details>`;
}

/** Einsums with a bar of their own in the chart; the others of an engine share one. */
const drawn = 32;

interface Occupied extends EinsumResult {
  /** Of the run. */
  share: number;
  busySeconds: number;
}

function occupied(result: Result): Occupied[] {
  const cycles = new Map(result.engines.map((engine) => [engine.name, engine.cycles]));
  return result.einsums.map((einsum) => {
    const share = fraction(einsum.busy, cycles.get(einsum.engine) ?? 0);
    return { ...einsum, share, busySeconds: share * result.seconds };
  });
}

const barOf = (einsum: Occupied): GanttRow => ({
  name: einsum.name,
  start: einsum.start,
  end: einsum.end,
  busy: einsum.busySeconds,
  share: einsum.share,
  about: einsum.text,
});

function others(einsums: readonly Occupied[]): GanttRow[] {
  if (einsums.length <= 1) return einsums.map(barOf);
  return [
    {
      name: `${einsums.length} others`,
      start: Math.min(...einsums.map((einsum) => einsum.start)),
      end: Math.max(...einsums.map((einsum) => einsum.end)),
      busy: sum(einsums, (einsum) => einsum.busySeconds),
      share: sum(einsums, (einsum) => einsum.share),
      about: 'the less busy einsums of this engine',
    },
  ];
}

function groups(einsums: readonly Occupied[]): GanttGroup[] {
  const ranked = einsums.toSorted((a, b) => b.share - a.share);
  const shown = new Set(ranked.slice(0, drawn));
  return [...new Set(einsums.map((einsum) => einsum.engine))].map((engine) => {
    const own = einsums.filter((einsum) => einsum.engine === engine);
    const bars = own.filter((einsum) => shown.has(einsum)).map(barOf);
    return { engine, rows: [...bars, ...others(own.filter((einsum) => !shown.has(einsum)))] };
  });
}

const operators = (einsum: EinsumResult): string =>
  Object.entries(einsum.operators)
    .map(([operator, times]) => `${operator} ${operations(times)}`.replaceAll(' ', '\u00a0'))
    .join(', ');

export function einsumsOverTime(result: Result): Markup | undefined {
  if (result.einsums.length === 0) return undefined;
  const einsums = occupied(result);
  const columns: Column<Occupied>[] = [
    { term: 'einsum', cell: (einsum) => einsum.name },
    { term: 'engine', cell: (einsum) => einsum.engine },
    { term: 'start', numeric: true, cell: (einsum) => timeWithin(einsum.start, result.seconds) },
    { term: 'end', numeric: true, cell: (einsum) => timeWithin(einsum.end, result.seconds) },
    {
      term: 'busy',
      numeric: true,
      cell: (einsum) => count(einsum.busy),
      rest: (rows) => count(sum(rows, (row) => row.busy)),
    },
    {
      term: 'busyShare',
      numeric: true,
      cell: (einsum) => percent(einsum.share),
      rest: (rows) => percent(sum(rows, (row) => row.share)),
    },
    {
      term: 'operations',
      numeric: true,
      cell: (einsum) => operations(einsum.operations),
      rest: (rows) => operations(sum(rows, (row) => row.operations)),
    },
    { term: 'operators', cell: operators },
  ];
  const ranked = einsums.toSorted((a, b) => b.share - a.share);
  return section(
    'timeline',
    ganttChart(groups(einsums), result.seconds),
    longTable(columns, ranked, einsums, 'einsums'),
    equations(einsums),
  );
}
