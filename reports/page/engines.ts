import type { EngineResult, Result } from '../../models/result.ts';
import { accounts } from '../accounts.ts';
import { blocksOf } from '../blocks.ts';
import { barChart } from '../charts/bars.ts';
import { utilizationChart } from '../charts/utilization.ts';
import { type Alike, alike, alone, kindOf, mean, meanEngine } from '../cores.ts';
import { strip, timedEngines } from '../engine-strips.ts';
import { count, fraction, operations, opsPerSecond, percent } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import {
  type Column,
  caption,
  figure,
  longTable,
  meansCaption,
  partName,
  section,
  sum,
  summed,
  term,
} from './figure.ts';

/** Engines drawn in a chart; the tables have all of them. */
const drawn = 8;

type Engines = Alike<EngineResult>;

const utilization = ({ members }: Engines) => mean(members.map((engine) => engine.utilization));
const isDma = ({ members }: Engines) => Number(members[0]!.kind === 'dma');

/** Compute before data movement, and the busiest first; the engines of several cores by kind. */
const byInterest = (engines: readonly EngineResult[]): Engines[] =>
  alike(engines, ({ name }) => name).toSorted((a, b) => isDma(a) - isDma(b) || utilization(b) - utilization(a));

/** Sections marked in a chart; the marks of more would hide it. */
const marksLimit = 40;

function leftOut(engines: readonly Alike<unknown>[]): Markup | undefined {
  const others = sum(engines.slice(drawn), ({ members }) => members.length);
  return others > 0 ? caption(`Left out: ${others} less busy; the tables have all.`) : undefined;
}

/** Each engine's account of its cycles as one bar, and all its numbers. */
export function engineAccounts({ engines }: Result): Markup {
  const rows = byInterest(engines);
  const shown = rows.slice(0, drawn);
  const chart = barChart({
    label: 'Cycles of each engine by what it did',
    legend: accounts,
    axis: 'cycles of the run',
    unit: '%',
    scale: { divisor: 0.01, unit: '%' },
    rows: shown.map(meanEngine).map((engine) => ({
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
  const columns: Column<Engines>[] = [
    { term: 'engine', cell: partName },
    { term: 'clock', cell: ({ members }) => members[0]!.clock },
    figure('cycles', (engine) => engine.cycles, count),
    ...accounts.map(({ key }) => summed<EngineResult>(key, (engine) => engine[key], count)),
    figure('utilization', (engine) => engine.utilization, percent),
    summed('operations', (engine) => engine.ops, operations),
    figure('peakOperations', (engine) => engine.peakOps, opsPerSecond),
  ];
  return section(
    'account',
    chart,
    meansCaption(shown),
    leftOut(rows),
    longTable(
      columns,
      rows,
      engines.map((engine) => alone(engine.name, engine)),
      'engines',
    ),
  );
}

export function utilizationOverTime(result: Result): Markup | undefined {
  const ordered = byInterest(result.engines).flatMap(({ members }) => members);
  const rows = timedEngines(ordered, result.timelines.engines);
  if (rows.length === 0) return undefined;
  const shown = rows.slice(0, drawn);
  const blocks = blocksOf(result);
  const marked = blocks.length > 1 && blocks.length <= marksLimit ? blocks : [];
  return section(
    'utilizationOverTime',
    utilizationChart({ rows: shown.map(strip), seconds: result.seconds, sections: marked }),
    marked.length > 0
      ? caption(markup`Dotted lines separate the ${term('sections', 'sections')}, in the order of their table.`)
      : undefined,
    meansCaption(shown),
    leftOut(rows),
  );
}

interface Wait {
  engine: string;
  reason: string;
  tensor: string;
  part: string;
  cycles: number;
  /** Of the run. */
  share: number;
}

const share = ({ members }: Alike<Wait>) => mean(members.map((wait) => wait.share));

export function waits({ engines }: Result): Markup | undefined {
  const all = engines
    .flatMap((engine) =>
      engine.waits.map((wait): Wait => ({ ...wait, engine: engine.name, share: fraction(wait.cycles, engine.cycles) })),
    )
    .filter((wait) => wait.cycles > 0)
    .toSorted((a, b) => b.share - a.share);
  if (all.length === 0) return undefined;
  const rows = alike(
    all,
    ({ engine }) => engine,
    ({ reason, tensor, part }) => [reason, tensor, kindOf(part)],
  ).toSorted((a, b) => share(b) - share(a));
  const columns: Column<Alike<Wait>>[] = [
    { term: 'engine', cell: partName },
    { term: 'waits', label: 'Waits for', cell: ({ members }) => members[0]!.reason },
    { term: 'tensor', cell: ({ members }) => members[0]!.tensor },
    {
      term: 'part',
      label: 'From or to',
      cell: ({ cores, members }) => (cores === '' ? members[0]!.part : kindOf(members[0]!.part)),
    },
    figure('waitCycles', (wait) => wait.cycles, count),
    figure('shareOfRun', (wait) => wait.share, percent),
  ];
  return section(
    'waits',
    longTable(
      columns,
      rows,
      all.map((wait) => alone(wait.engine, wait)),
      'waits',
    ),
  );
}
