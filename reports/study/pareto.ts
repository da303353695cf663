import type { Chart, Value } from '../../models/study/definition.ts';
import type { FinishedRow } from '../../models/study/run.ts';
import { axisBelow, axisLeft, type Box, chart, ellipsis, gridAcross, textWidth } from '../charts/frame.ts';
import { alongLine, type PlacedLabel, placeLabels } from '../charts/labels.ts';
import { type Markup, markup } from '../markup.ts';
import { axisOf } from './axis.ts';
import { groups, panelPlaces, rounded, type Table } from './panels.ts';

/** Points of a front that may get a name; more would cover the chart. */
const labelled = 20;

type Pareto = Extract<Chart, { kind: 'pareto' }>;

/** Points that no other beats: none is as good in both figures and better in one. */
export function paretoFront<T>(
  points: readonly T[],
  x: (point: T) => number,
  y: (point: T) => number,
  most: '' | 'x' | 'y' | 'xy' = '',
): T[] {
  const cost = (point: T): readonly [number, number] => [
    most.includes('x') ? -x(point) : x(point),
    most.includes('y') ? -y(point) : y(point),
  ];
  const sorted = points
    .map((point) => ({ point, cost: cost(point) }))
    .sort((a, b) => a.cost[0] - b.cost[0] || a.cost[1] - b.cost[1]);
  let least = Number.POSITIVE_INFINITY;
  let at = Number.NaN;
  return sorted.flatMap(({ point, cost: [first, second] }) => {
    // Twins of a point on the front are on it as well.
    const isTwin = second === least && first === at;
    if (second >= least && !isTwin) return [];
    [least, at] = [second, first];
    return [point];
  });
}

/** Two figures of every row, and the front of those that no other beats. Undefined where no row has both. */
export function paretoChart(table: Table, about: Pareto): Markup | undefined {
  const { x, y, panel, label } = about;
  const rows = table.rows.filter((row) => [x, y].every((name) => typeof table.value(row, name) === 'number'));
  if (rows.length === 0) return undefined;
  const panels = groups(rows, (row) => (panel === undefined ? '' : table.nameOf(row, [panel])));
  const names = label === undefined ? table.varying.filter((name) => name !== panel) : [label];
  const margins = { left: 66, top: 12, right: 14, bottom: 56 };
  const { places, height } = panelPlaces([...panels.keys()], margins, panels.size === 1 ? 320 : 230, 30);
  const drawn = [...panels.values()].map((members, i) => {
    const place = places[i];
    return place && markup`${place.title}${front(table, about, rows, members, names, place.box)}`;
  });
  return chart(height, `${y} against ${x}`, [legend, drawn]);
}

const legend = markup`<circle class="f-series0 ring" cx="10" cy="10" r="5"/><text x="21" y="14">on the front: no other is better in both</text><circle class="f-others ring" cx="282" cy="10" r="4"/><text x="292" y="14">behind it</text>`;

function front(
  table: Table,
  { x, y, log: logarithmic, most = '' }: Omit<Pareto, 'most'> & { readonly most?: '' | 'x' | 'y' | 'xy' },
  all: readonly FinishedRow[],
  rows: readonly FinishedRow[],
  names: readonly string[],
  box: Box,
): Markup {
  const log: string = logarithmic ?? '';
  const figure = (row: FinishedRow, name: string): number => Number(table.value(row, name));
  const axis = (name: string, range: readonly [number, number], isLog: boolean) =>
    axisOf(
      all.map((row): Value => figure(row, name)),
      range,
      { name, unit: table.unit(name), log: isLog, fromZero: false, exact: false },
    );
  const across = axis(x, [box.left, box.left + box.width], log.includes('x'));
  const up = axis(y, [box.top + box.height, box.top], log.includes('y'));
  const best = paretoFront(
    rows,
    (row) => figure(row, x),
    (row) => figure(row, y),
    most,
  );
  const place = (row: FinishedRow) => ({ row, x: across.at(figure(row, x)), y: up.at(figure(row, y)) });
  const isPlaced = (at: { x: number; y: number }): boolean => Number.isFinite(at.x) && Number.isFinite(at.y);
  const [good, others] = [best, rows.filter((row) => !best.includes(row))].map((part) =>
    part.map(place).filter(isPlaced),
  ) as [ReturnType<typeof place>[], ReturnType<typeof place>[]];
  const mark = (kind: string, radius: number) => (at: ReturnType<typeof place>) =>
    markup`<circle class="${kind} ring" cx="${at.x}" cy="${at.y}" r="${radius}"><title>${table.about(at.row, [x, y])}</title></circle>`;
  const around = [...good, ...others].map((at) => ({ left: at.x - 6, top: at.y - 6, width: 12, height: 12 }));
  const labels = placeLabels(
    apart(good)
      .slice(0, labelled)
      .map((at) => ({ x: at.x, y: at.y, text: ellipsis(table.nameOf(at.row, names), 190) })),
    [...around, ...along(good, most.includes('x'))],
    { ...box, left: box.left - 20, width: box.width + 30, height: box.height + 4 },
  );
  return markup`${axisLeft(box, up.ticks, up.label, 54)}${gridAcross(box, across.ticks)}${axisBelow(box, across.ticks, across.label)}<path class="line s-series0" d="${stairs(good, most.includes('x'))}"/>${labels.map(leader)}${others.map(mark('f-others', 4))}${good.map(mark('f-series0', 5))}${labels.map((at) => markup`<text class="halo" x="${at.left}" y="${at.baseline}">${at.text}</text>`)}`;
}

/** A line to a name that does not stand beside its point, or right above or below it. */
function leader({ x, y, text, left, baseline }: PlacedLabel): Markup | undefined {
  const middle = baseline - 4;
  if (Math.abs(middle - y) < 17) return undefined;
  const end = left > x ? left - 2 : left + textWidth(text) + 2;
  return markup`<line class="leader" x1="${x}" y1="${y}" x2="${end}" y2="${middle}"/>`;
}

/** One of the points at each spot. */
function apart<T extends Spot>(points: readonly T[]): T[] {
  return [...new Map(points.toReversed().map((point) => [`${rounded(point.x)} ${rounded(point.y)}`, point])).values()];
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

/**
 * Corners of the front's line. What is attained between two of its points is what the one with less of x attains, or with
 * `most` the one with more of it.
 */
function corners(points: readonly Spot[], most: boolean): Spot[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || b.y - a.y);
  return sorted.flatMap((point, i) => {
    const before = sorted[i - 1];
    if (before === undefined) return [point];
    return [most ? { x: before.x, y: point.y } : { x: point.x, y: before.y }, point];
  });
}

const stairs = (points: readonly Spot[], most: boolean): string =>
  corners(points, most)
    .map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${rounded(x)} ${rounded(y)}`)
    .join('');

/** Boxes along the front's line, so that names keep off it. */
const along = (points: readonly Spot[], most: boolean): Box[] =>
  corners(points, most).flatMap((to, i, all) => {
    const from = all[i - 1];
    return from === undefined ? [] : alongLine(from.x, from.y, to.x, to.y);
  });
