import type { EinsumResult, Result } from '../../models/result.ts';
import { type GanttGroup, type GanttRow, ganttChart } from '../charts/gantt.ts';
import { type Alike, alike, alone, mean } from '../cores.ts';
import { count, fraction, operations, percent, timeWithin } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, figure, longTable, meansCaption, partName, section, sum, summed, term } from './figure.ts';

/** Equations that are shown unfolded. */
const equationsShown = 24;

function equations(rows: readonly Alike<Occupied>[]): Markup {
  const text = rows.map(({ members }) => members[0]!.text).join('\n');
  const open = rows.length > equationsShown ? undefined : markup` open`;
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

const shareOf = ({ members }: Alike<Occupied>) => mean(members.map((einsum) => einsum.share));
const busySeconds = ({ members }: Alike<Occupied>) => mean(members.map((einsum) => einsum.busySeconds));

/** From the first core's first busy cycle to the last one's last. */
const spanOf = (einsums: readonly Occupied[]) => ({
  start: Math.min(...einsums.map((einsum) => einsum.start)),
  end: Math.max(...einsums.map((einsum) => einsum.end)),
});

const barOf = (row: Alike<Occupied>): GanttRow => ({
  name: row.members[0]!.name,
  ...spanOf(row.members),
  busy: busySeconds(row),
  share: shareOf(row),
  about: row.members[0]!.text,
});

function others(rows: readonly Alike<Occupied>[]): GanttRow[] {
  if (rows.length <= 1) return rows.map(barOf);
  return [
    {
      name: `${rows.length} others`,
      ...spanOf(rows.flatMap(({ members }) => members)),
      busy: sum(rows, busySeconds),
      share: sum(rows, shareOf),
      about: 'the less busy einsums of this engine',
    },
  ];
}

function groups(rows: readonly Alike<Occupied>[]): GanttGroup[] {
  const ranked = rows.toSorted((a, b) => shareOf(b) - shareOf(a));
  const shown = new Set(ranked.slice(0, drawn));
  return [...new Set(rows.map(({ name }) => name))].map((engine) => {
    const own = rows.filter(({ name }) => name === engine);
    const bars = own.filter((row) => shown.has(row)).map(barOf);
    return { engine, rows: [...bars, ...others(own.filter((row) => !shown.has(row)))] };
  });
}

const operators = (einsum: EinsumResult): string =>
  Object.entries(einsum.operators)
    .map(([operator, times]) => `${operator} ${operations(times)}`.replaceAll(' ', '\u00a0'))
    .join(', ');

export function einsumsOverTime(result: Result): Markup | undefined {
  // Operators of a model that is served have a part of their own.
  if (result.einsums.length === 0 || result.serving !== undefined) return undefined;
  const einsums = occupied(result);
  const rows = alike(
    einsums,
    ({ engine }) => engine,
    ({ section, name }) => [section, name],
  );
  const time = (value: number) => timeWithin(value, result.seconds);
  const columns: Column<Alike<Occupied>>[] = [
    { term: 'einsum', cell: ({ members }) => members[0]!.name },
    { term: 'engine', cell: partName },
    figure('start', (einsum) => einsum.start, time),
    figure('end', (einsum) => einsum.end, time),
    summed('busy', (einsum) => einsum.busy, count),
    {
      ...figure<Occupied>('busyShare', (einsum) => einsum.share, percent),
      rest: (others) => percent(sum(others, shareOf)),
    },
    summed('operations', (einsum) => einsum.operations, operations),
    { term: 'operators', cell: ({ members }) => operators(members[0]!) },
  ];
  const ranked = rows.toSorted((a, b) => shareOf(b) - shareOf(a));
  const engines = rows.map(({ name, cores }) => ({ name, cores }));
  return section(
    'timeline',
    ganttChart(groups(rows), result.seconds),
    meansCaption(engines.filter(({ name }, index) => engines.findIndex((other) => other.name === name) === index)),
    longTable(
      columns,
      ranked,
      einsums.map((einsum) => alone(einsum.engine, einsum)),
      'einsums',
    ),
    equations(rows),
  );
}
