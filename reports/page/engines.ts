import type { EngineResult, Result } from '../../models/result.ts';
import { type Account, accounts } from '../accounts.ts';
import { barChart } from '../charts/bars.ts';
import { type UtilizationRow, utilizationChart } from '../charts/utilization.ts';
import { count, fraction, operations, opsPerSecond, percent } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, caption, longTable, section, sum, term } from './figure.ts';

/** Engines drawn in a chart; the tables have all of them. */
const drawn = 8;

/** Compute before data movement, and the busiest first. */
const byInterest = (engines: readonly EngineResult[]): EngineResult[] =>
  engines.toSorted((a, b) => Number(a.kind === 'dma') - Number(b.kind === 'dma') || b.utilization - a.utilization);

/** Sections marked in a chart; the marks of more would hide it. */
const marksLimit = 40;

function leftOut(engines: readonly unknown[], shown: readonly unknown[]): Markup | undefined {
  const others = engines.length - shown.length;
  return others > 0 ? caption(`Left out: ${others} less busy; the tables have all.`) : undefined;
}

/** Each engine's account of its cycles as one bar, and all its numbers. */
export function engineAccounts({ engines }: Result): Markup {
  const shown = byInterest(engines).slice(0, drawn);
  const chart = barChart({
    label: 'Cycles of each engine by what it did',
    legend: accounts,
    axis: 'cycles of the run',
    unit: '%',
    scale: { divisor: 0.01, unit: '%' },
    rows: shown.map((engine) => ({
      name: engine.name,
      text: '',
      segments: accounts.map(({ key, name, colour }) => {
        const part = fraction(engine[key], engine.cycles);
        return {
          colour,
          value: part,
          title: `${engine.name} ${name}: ${percent(part)}, ${count(engine[key])} cycles`,
          text: percent(part),
        };
      }),
    })),
  });
  const cycles = (key: Account): Column<EngineResult> => ({
    term: key,
    numeric: true,
    cell: (engine) => count(engine[key]),
    rest: (others) => count(sum(others, (engine) => engine[key])),
  });
  const columns: Column<EngineResult>[] = [
    { term: 'engine', cell: (engine) => engine.name },
    { term: 'clock', cell: (engine) => engine.clock },
    { term: 'cycles', numeric: true, cell: (engine) => count(engine.cycles) },
    ...accounts.map(({ key }) => cycles(key)),
    { term: 'utilization', numeric: true, cell: (engine) => percent(engine.utilization) },
    {
      term: 'operations',
      numeric: true,
      cell: (engine) => operations(engine.ops),
      rest: (others) => operations(sum(others, (engine) => engine.ops)),
    },
    { term: 'peakOperations', numeric: true, cell: (engine) => opsPerSecond(engine.peakOps) },
  ];
  return section(
    'account',
    chart,
    leftOut(engines, shown),
    longTable(columns, byInterest(engines), engines, 'engines'),
  );
}

export function utilizationOverTime(result: Result): Markup | undefined {
  const rows = byInterest(result.engines).flatMap((engine): UtilizationRow[] => {
    const timeline = result.timelines.engines.find((candidate) => candidate.engine === engine.name);
    return timeline === undefined || timeline.busy.length === 0 ? [] : [{ timeline, busy: engine.utilization }];
  });
  if (rows.length === 0) return undefined;
  const shown = rows.slice(0, drawn);
  const { sections } = result.mapping;
  const marked = sections.length > 1 && sections.length <= marksLimit ? sections : [];
  return section(
    'utilizationOverTime',
    utilizationChart({ rows: shown, seconds: result.seconds, sections: marked }),
    marked.length > 0
      ? caption(markup`Dotted lines separate the ${term('sections', 'sections')}, in the order of their table.`)
      : undefined,
    leftOut(rows, shown),
  );
}

export function waits({ engines }: Result): Markup | undefined {
  const rows = engines
    .flatMap((engine) =>
      engine.waits.map((wait) => ({ ...wait, engine: engine.name, of: fraction(wait.cycles, engine.cycles) })),
    )
    .filter((wait) => wait.cycles > 0)
    .toSorted((a, b) => b.of - a.of);
  if (rows.length === 0) return undefined;
  const columns: Column<(typeof rows)[number]>[] = [
    { term: 'engine', cell: (wait) => wait.engine },
    { term: 'waits', label: 'Waits for', cell: (wait) => wait.reason },
    { term: 'tensor', cell: (wait) => wait.tensor },
    { term: 'part', label: 'From or to', cell: (wait) => wait.part },
    { term: 'waitCycles', numeric: true, cell: (wait) => count(wait.cycles) },
    { term: 'shareOfRun', numeric: true, cell: (wait) => percent(wait.of) },
  ];
  return section('waits', longTable(columns, rows, rows, 'waits'));
}
