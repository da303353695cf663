import type { Result } from '../../models/result.ts';
import { type BarRow, barChart } from '../charts/bars.ts';
import { fraction, joules, percent, squareMillimetres } from '../format.ts';
import type { Markup } from '../markup.ts';
import { type Colour, categorical } from '../palette.ts';
import { type Column, longTable, section, sum } from './figure.ts';

/** Parts with a bar of their own in a chart; the others share one. */
const drawn = 12;

interface Spent {
  part: string;
  action: string;
  energy: number;
}

/** The actions that cost most get a colour of their own, wherever they happen. */
function actionColours(spent: readonly Spent[]): Map<string, Colour> {
  const totals = new Map<string, number>();
  for (const { action, energy } of spent) totals.set(action, (totals.get(action) ?? 0) + energy);
  const ranked = [...totals].toSorted((a, b) => b[1] - a[1]).map(([action]) => action);
  return new Map(ranked.map((action, index) => [action, categorical[index] ?? 'others']));
}

function partBar(part: string, spent: readonly Spent[], colours: ReadonlyMap<string, Colour>, total: number): BarRow {
  const joule = sum(spent, (row) => row.energy);
  return {
    name: part,
    text: `${joules(joule)} · ${percent(fraction(joule, total))}`,
    segments: spent
      .toSorted((a, b) => b.energy - a.energy)
      .map((row) => ({
        colour: colours.get(row.action) ?? 'others',
        value: row.energy,
        title: `${row.part} ${row.action}: ${joules(row.energy)}, ${percent(fraction(row.energy, total))}`,
        text: `${row.action} ${joules(row.energy)}`,
      })),
  };
}

export function energyBreakdown({ energy }: Result): Markup | undefined {
  const spent = Object.entries(energy.by)
    .flatMap(([part, actions]) =>
      Object.entries(actions).map(([action, joule]): Spent => ({ part, action, energy: joule })),
    )
    .filter((row) => row.energy > 0)
    .toSorted((a, b) => b.energy - a.energy);
  if (spent.length === 0) return undefined;
  const colours = actionColours(spent);
  const parts = Object.keys(energy.by)
    .map((part) => [part, spent.filter((row) => row.part === part)] as const)
    .filter(([, own]) => own.length > 0)
    .toSorted((a, b) => sum(b[1], (row) => row.energy) - sum(a[1], (row) => row.energy));
  const rest = parts.slice(drawn);
  const rows = parts.slice(0, drawn).map(([part, own]) => partBar(part, own, colours, energy.total));
  if (rest.length > 0)
    rows.push(
      partBar(
        `${rest.length} others`,
        rest.flatMap(([, own]) => own),
        colours,
        energy.total,
      ),
    );
  const named = [...colours].filter(([, colour]) => colour !== 'others').map(([name, colour]) => ({ name, colour }));
  const columns: Column<Spent>[] = [
    { term: 'part', cell: (row) => row.part },
    { term: 'action', cell: (row) => row.action },
    {
      term: 'energy',
      numeric: true,
      cell: (row) => joules(row.energy),
      rest: (others) => joules(sum(others, (row) => row.energy)),
    },
    {
      term: 'energyShare',
      numeric: true,
      cell: (row) => percent(fraction(row.energy, energy.total)),
      rest: (others) =>
        percent(
          fraction(
            sum(others, (row) => row.energy),
            energy.total,
          ),
        ),
    },
  ];
  return section(
    'energy',
    barChart({
      label: 'Energy by part and action',
      legend: colours.size > named.length ? [...named, { name: 'other actions', colour: 'others' }] : named,
      axis: 'energy',
      unit: 'J',
      rows,
    }),
    longTable(columns, spent, spent, 'actions'),
  );
}

export function areaBreakdown({ area }: Result): Markup | undefined {
  const parts = Object.entries(area.by)
    .map(([part, size]) => ({ part, size }))
    .filter(({ size }) => size > 0)
    .toSorted((a, b) => b.size - a.size);
  if (parts.length === 0) return undefined;
  const rest = parts.slice(drawn);
  const shown = parts.slice(0, drawn);
  if (rest.length > 0) shown.push({ part: `${rest.length} others`, size: sum(rest, ({ size }) => size) });
  return section(
    'area',
    barChart({
      label: 'Area by part',
      legend: [],
      axis: 'area',
      unit: 'mm²',
      scale: { divisor: 1, unit: 'mm²' },
      rows: shown.map(({ part, size }) => {
        const text = `${squareMillimetres(size)} · ${percent(fraction(size, area.total))}`;
        return { name: part, text, segments: [{ colour: 'series0', value: size, title: `${part}: ${text}` }] };
      }),
    }),
  );
}
