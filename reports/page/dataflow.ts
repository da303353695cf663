import type { DataflowResult, PipelineResult, Result, StageResult } from '../../models/result.ts';
import { accounts } from '../accounts.ts';
import { barChart } from '../charts/bars.ts';
import { type GridArea, gridChart } from '../charts/grid.ts';
import { count, fraction, operations, percent, ratio, seconds } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Colour, categorical } from '../palette.ts';
import { type Column, caption, longTable, section, sum, table, term } from './figure.ts';

/** Stages with a bar of their own; the table has all. */
const drawn = 40;
/** Sites of the largest grid that is drawn: those of a larger one would be too small to see. */
const mostSites = 10_000;

const total = ({ repeat, cycles }: PipelineResult): number => repeat * cycles;

/** The section that took longest, all its runs together. */
const longest = ({ sections }: DataflowResult): PipelineResult | undefined =>
  sections.toSorted((a, b) => total(b) - total(a))[0];

interface NumberedStage extends StageResult {
  /** From 1, in the order of the graph. */
  readonly number: number;
}

const numbered = ({ stages }: PipelineResult): NumberedStage[] =>
  stages.map((stage, index) => ({ ...stage, number: index + 1 }));

const named = ({ number, name }: NumberedStage): string => `${number}. ${name}`;

/** What the memory that it goes to takes for a tile counts, too. */
const tileTime = ({ busy, tiles }: StageResult): string => `${count(fraction(busy, tiles))} cycles a tile`;

/** How kernels were launched, how often memory was gone to, and which sections there were. */
export function pipelines(result: Result): Markup | undefined {
  const { dataflow } = result;
  if (dataflow === undefined) return undefined;
  const { rows, columns, launch, kernels, launchSeconds, flops, intensity, sections } = dataflow;
  const all = sum(sections, total);
  const told: Column<PipelineResult>[] = [
    { term: 'pipeline', cell: ({ name }) => name },
    { term: 'pipelineRuns', numeric: true, cell: ({ repeat }) => count(repeat) },
    { term: 'pipelineCycles', numeric: true, cell: ({ cycles }) => count(cycles) },
    { term: 'pipelineTiles', numeric: true, cell: ({ tiles }) => count(tiles) },
    { term: 'pipelineBottleneck', cell: ({ bottleneck }) => bottleneck },
    {
      term: 'pipelineShare',
      numeric: true,
      cell: (one) => percent(fraction(total(one), result.cycles)),
      rest: (others) => percent(fraction(sum(others, total), result.cycles)),
    },
  ];
  return section(
    'pipelines',
    caption(
      markup`A grid of ${count(rows)} x ${count(columns)} sites. ${count(kernels)} ${term('kernels', kernels === 1 ? 'kernel was' : 'kernels were')} launched by ${launch === 'hardware' ? 'the unit itself' : 'the host'} in ${seconds(launchSeconds)}, ${percent(fraction(launchSeconds, result.seconds))} of the run; pipelines ran for ${percent(fraction(all, result.cycles))}. ${term('flopsPerByte', 'Operations for each byte')}: ${ratio(intensity)}, of ${operations(flops)} in all.`,
    ),
    longTable(
      told,
      sections.toSorted((a, b) => total(b) - total(a)),
      sections,
      'sections',
    ),
  );
}

/** The largest stages have colours of their own. */
function areasOf(pipeline: PipelineResult): GridArea[] {
  const placed = numbered(pipeline).filter(({ sites }) => sites.length > 0);
  const bySize = placed.toSorted((a, b) => b.sites.length - a.sites.length).slice(0, categorical.length);
  const colours = new Map(
    bySize
      .toSorted((a, b) => a.number - b.number)
      .map(({ number }, index): [number, Colour] => [number, categorical[index] ?? 'others']),
  );
  return placed.map((stage) => ({
    number: String(stage.number),
    name: stage.name,
    colour: colours.get(stage.number) ?? 'others',
    sites: stage.sites,
    isMarked: stage.name === pipeline.bottleneck,
    title: `${named(stage)}\n${count(stage.sites.length)} PCUs\n${tileTime(stage)}\nbusy ${percent(fraction(stage.busy, pipeline.cycles))} of ${count(pipeline.cycles)} cycles`,
  }));
}

/** Where the stages of the longest section are, and what passed between them. */
export function stageGrid({ dataflow }: Result): Markup | undefined {
  if (dataflow === undefined) return undefined;
  const { rows, columns } = dataflow;
  const pipeline = longest(dataflow);
  if (pipeline === undefined || rows * columns > mostSites) return undefined;
  const areas = areasOf(pipeline);
  const marked = areas.some(({ isMarked }) => isMarked)
    ? 'which is outlined'
    : 'which has no PCUs and so no place on the grid';
  return section(
    'stageGrid',
    caption(
      markup`${pipeline.name}. The busiest stage is ${pipeline.bottleneck}, ${marked}. Stages without PCUs are only among the bars below.`,
    ),
    gridChart({ label: 'Stages and loads of links on the grid', rows, columns, areas, links: pipeline.links }),
  );
}

/** The stages to draw: all, or the busiest, in the order of the graph. */
function drawnStages(stages: readonly NumberedStage[]): NumberedStage[] {
  const busiest = stages.toSorted((a, b) => b.busy - a.busy).slice(0, drawn);
  return busiest.toSorted((a, b) => a.number - b.number);
}

/** What each stage of the longest section did in one of its runs. */
export function stageAccounts({ dataflow }: Result): Markup | undefined {
  const pipeline = dataflow && longest(dataflow);
  if (pipeline === undefined) return undefined;
  const stages = numbered(pipeline);
  const shown = drawnStages(stages);
  const mark = ({ name }: StageResult) => (name === pipeline.bottleneck ? ', busiest' : '');
  const chart = barChart({
    label: 'Cycles of each stage by what it did',
    legend: accounts,
    axis: 'cycles of one run of the section',
    unit: '%',
    scale: { divisor: 0.01, unit: '%' },
    rows: shown.map((stage) => ({
      name: named(stage),
      text: `${tileTime(stage)}${mark(stage)}`,
      segments: accounts.map(({ key, name, colour }) => {
        const part = fraction(stage[key], pipeline.cycles);
        const title = `${named(stage)} ${name}: ${percent(part)}, ${count(stage[key])} cycles`;
        return { colour, value: part, title, text: percent(part) };
      }),
    })),
  });
  const columns: Column<NumberedStage>[] = [
    { term: 'stage', cell: named },
    { term: 'stageKind', cell: ({ kind }) => kind },
    { term: 'stageUnits', numeric: true, cell: ({ sites }) => count(sites.length) },
    { term: 'stageTiles', numeric: true, cell: ({ tiles }) => count(tiles) },
    { term: 'interval', numeric: true, cell: ({ interval }) => count(interval) },
    ...accounts.map(
      ({ key }): Column<NumberedStage> => ({ term: key, numeric: true, cell: (stage) => count(stage[key]) }),
    ),
  ];
  const others = stages.length - shown.length;
  return section(
    'stageAccount',
    caption(
      `${pipeline.name}: ${count(pipeline.cycles)} cycles for ${count(pipeline.tiles)} ${pipeline.tiles === 1 ? 'tile' : 'tiles'}.`,
    ),
    chart,
    others > 0 ? caption(`Left out: ${count(others)} less busy; the table has all.`) : undefined,
    markup`<details><summary>All ${count(stages.length)} stages</summary>${table(columns, stages)}</details>`,
  );
}
