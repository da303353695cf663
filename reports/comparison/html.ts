import type { Result } from '../../models/result.ts';
import { type BarRow, barChart } from '../charts/bars.ts';
import { alike, mean } from '../cores.ts';
import {
  bandwidth,
  bytes,
  count,
  fraction,
  joules,
  missing,
  percent,
  ratio,
  seconds,
  share,
  squareMillimetres,
} from '../format.ts';
import { definitionsOfComparisons } from '../glossary.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, definitionsOf, section, sum, table } from '../page/figure.ts';
import { pageHeader } from '../page/header.ts';
import { pageOf } from '../page/page.ts';
import { script } from '../page/script.ts';
import { style } from '../page/style.ts';
import { type Colour, categorical } from '../palette.ts';
import { boundBy, type Compared, type Comparison, energyRatio, timesAsFast } from './compared.ts';

/** One self-contained page: figures, bars and tables of several results, against the first of them. */
export function comparisonPage(comparison: Comparison): string {
  const { common, all } = comparison;
  return pageOf({
    title: common.length > 0 ? `${common.join(' ')}: ${all.length} results` : `${all.length} results`,
    style,
    body: markup`${pageHeader(markup`${all.length} results <span class="soft">side by side</span>`, [
      ['In common', common.join(' · ')],
      ['Against', all[0].name],
      ['Made by', [...new Set(all.map(({ result }) => `Clockwright ${result.version}`))].join(', ')],
    ])}${figures(comparison)}${latencies(comparison)}${energies(comparison)}${engines(all)}${memories(all)}${definitionsOf(definitionsOfComparisons())}`,
    script,
  });
}

function figures({ all }: Comparison): Markup {
  const first = all[0].result;
  const columns: Column<Compared>[] = [
    { term: 'comparedResult', cell: ({ name }) => name },
    { term: 'latency', numeric: true, cell: ({ result }) => seconds(result.seconds) },
    { term: 'cycles', numeric: true, cell: ({ result }) => `${count(result.cycles)} of ${result.clock}` },
    { term: 'timesAsFast', numeric: true, cell: ({ result }) => ratio(timesAsFast(result, first)) },
    {
      term: 'energy',
      numeric: true,
      cell: ({ result }) => (result.energy.total > 0 ? joules(result.energy.total) : missing),
    },
    { term: 'timesTheEnergy', numeric: true, cell: ({ result }) => ratio(energyRatio(result, first)) },
    {
      term: 'area',
      numeric: true,
      cell: ({ result }) => (result.area.total > 0 ? squareMillimetres(result.area.total) : missing),
    },
    { term: 'boundBy', cell: ({ result }) => `${boundBy(result)}, ${percent(result.bottleneck.utilization)} busy` },
  ];
  return section('comparison', table(columns, all));
}

function latencies({ all }: Comparison): Markup {
  const first = all[0].result;
  return section(
    'latency',
    barChart({
      label: 'Latency of each result',
      legend: [],
      axis: 'latency',
      unit: 's',
      rows: all.map(({ name, result }): BarRow => {
        const than = result === first ? '' : ` · ${ratio(timesAsFast(result, first))} times as fast`;
        const text = `${seconds(result.seconds)}${than}`;
        return { name, text, segments: [{ colour: 'series0', value: result.seconds, title: `${name}: ${text}` }] };
      }),
    }),
  );
}

const partEnergies = ({ energy }: Result): [part: string, joules: number][] =>
  alike(
    Object.entries(energy.by).map(([part, actions]) => ({
      part,
      spent: sum(Object.values(actions), (joule) => joule),
    })),
    ({ part }) => part,
  ).map(({ name, members }) => [name, sum(members, ({ spent }) => spent)]);

function energies({ all }: Comparison): Markup | undefined {
  if (all.every(({ result }) => result.energy.total === 0)) return undefined;
  const totals = new Map<string, number>();
  for (const { result } of all)
    for (const [part, spent] of partEnergies(result)) totals.set(part, (totals.get(part) ?? 0) + spent);
  const ranked = [...totals].filter(([, spent]) => spent > 0).toSorted((a, b) => b[1] - a[1]);
  const colours = new Map(ranked.map(([part], index): [string, Colour] => [part, categorical[index] ?? 'others']));
  const named = [...colours].filter(([, colour]) => colour !== 'others').map(([name, colour]) => ({ name, colour }));
  return section(
    'energy',
    barChart({
      label: 'Energy of each result by part',
      legend: colours.size > named.length ? [...named, { name: 'other parts', colour: 'others' }] : named,
      axis: 'energy',
      unit: 'J',
      rows: all.map(
        ({ name, result }): BarRow => ({
          name,
          text: result.energy.total > 0 ? joules(result.energy.total) : 'not modelled',
          segments: ranked.flatMap(([part]) => {
            const spent = partEnergies(result).find(([own]) => own === part)?.[1] ?? 0;
            const about = `${joules(spent)}, ${percent(fraction(spent, result.energy.total))}`;
            return {
              colour: colours.get(part) ?? 'others',
              value: spent,
              title: `${name}, ${part}: ${about}`,
              text: part,
            };
          }),
        }),
      ),
    }),
  );
}

/** A row for each part that some result has, with a figure of each result. */
interface PartRow {
  readonly name: string;
  readonly figures: readonly string[];
}

function partRows(all: readonly Compared[], of: (result: Result) => readonly (readonly [string, string])[]): PartRow[] {
  const found = all.map(({ result }) => new Map(of(result)));
  const names = [...new Set(found.flatMap((own) => [...own.keys()]))];
  return names.map((name) => ({ name, figures: found.map((own) => own.get(name) ?? missing) }));
}

function partTable(term: 'utilization' | 'bytesMoved', all: readonly Compared[], rows: readonly PartRow[]): Markup {
  const columns: Column<PartRow>[] = [
    { term: 'part', cell: ({ name }) => name },
    ...all.map(
      ({ name }, at): Column<PartRow> => ({ term, label: name, numeric: true, cell: (row) => row.figures[at] }),
    ),
  ];
  return section(term, table(columns, rows));
}

function engines(all: readonly Compared[]): Markup | undefined {
  const rows = partRows(all, (result) =>
    alike(
      result.engines.filter(({ kind }) => kind !== 'dma'),
      ({ name }) => name,
    ).map(({ name, members }) => [name, share(mean(members.map(({ utilization }) => utilization)))]),
  );
  return rows.length > 0 ? partTable('utilization', all, rows) : undefined;
}

function memories(all: readonly Compared[]): Markup | undefined {
  const rows = partRows(all, (result) =>
    alike(result.memories, ({ name }) => name).map(({ name, members }) => {
      const moved = sum(members, ({ bytesRead, bytesWritten }) => bytesRead + bytesWritten);
      return [name, `${bytes(moved)}, ${bandwidth(fraction(moved, result.seconds))}`];
    }),
  );
  return rows.length > 0 ? partTable('bytesMoved', all, rows) : undefined;
}
