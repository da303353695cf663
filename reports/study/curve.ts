import { line } from 'd3-shape';
import type { Chart, Value } from '../../models/study/definition.ts';
import type { FinishedRow } from '../../models/study/run.ts';
import { axisBelow, axisLeft, chart, gridAcross } from '../charts/frame.ts';
import { type Markup, markup } from '../markup.ts';
import { axisOf } from './axis.ts';
import { groups, panelPlaces, type Style, seriesLegend, stylesOf, symbol, type Table } from './panels.ts';

type Curve = Extract<Chart, { kind: 'curve' }>;

interface Dot {
  readonly row: FinishedRow;
  readonly x: Value;
  readonly y: number;
}

/** Curves of one figure over another, a panel for each value of a third. Undefined where no row has both. */
export function curveChart(table: Table, { x, y, by, panel, log: logarithmic }: Curve): Markup | undefined {
  const log: string = logarithmic ?? '';
  const named = [x, y, by, panel];
  // Where x is a figure, curves go through points that differ in anything.
  const others = table.varying.includes(x) ? table.varying.filter((name) => !named.includes(name)) : [];
  const series = [...(by === undefined ? [] : [by]), ...others];
  const rows = table.rows.filter((row) => {
    const [across, up] = [table.value(row, x), table.value(row, y)];
    return across !== null && typeof up === 'number';
  });
  if (rows.length === 0) return undefined;
  const styles = stylesOf(
    rows,
    (row) => table.nameOf(row, series),
    (row) => table.nameOf(row, series.slice(0, 1)),
    (row) => table.nameOf(row, series.slice(1)),
  );
  const panels = groups(rows, (row) => (panel === undefined ? '' : table.nameOf(row, [panel])));
  const legend = seriesLegend([...styles.values()]);
  const single = panels.size === 1;
  const margins = { left: 66, top: 12, right: 14, bottom: 56 };
  const { places, height } = panelPlaces([...panels.keys()], margins, single ? 300 : 210, legend.height);
  const valuesOf = (name: string): Value[] => rows.map((row) => table.value(row, name) as Value);
  const drawn = [...panels.values()].map((members, i) => {
    const place = places[i];
    if (place === undefined) return undefined;
    const { box, title } = place;
    const across = axisOf(valuesOf(x), [box.left, box.left + box.width], {
      name: x,
      unit: table.unit(x),
      log: log.includes('x'),
      fromZero: false,
      exact: true,
    });
    const up = axisOf(valuesOf(y), [box.top + box.height, box.top], {
      name: y,
      unit: table.unit(y),
      log: log.includes('y'),
      fromZero: true,
      exact: false,
    });
    const curves = [...groups(members, (row) => table.nameOf(row, series))].map(([name, dots]) =>
      curveOf(
        dots.map((row) => ({ row, x: table.value(row, x) as Value, y: table.value(row, y) as number })),
        styles.get(name) as Style,
        across.at,
        up.at,
        (row) => table.about(row, [x, y]),
      ),
    );
    return markup`${title}${axisLeft(box, up.ticks, up.label, 54)}${gridAcross(box, across.ticks)}${axisBelow(box, across.ticks, across.label)}${curves}`;
  });
  return chart(height, `${y} over ${x}`, [legend.drawing, drawn]);
}

/** A line from left to right with a mark at each row. */
function curveOf(
  dots: readonly Dot[],
  style: Style,
  across: (value: Value) => number,
  up: (value: Value) => number,
  about: (row: FinishedRow) => string,
): Markup {
  const placed = dots
    .map((dot) => ({ row: dot.row, left: across(dot.x), top: up(dot.y) }))
    .filter(({ left, top }) => Number.isFinite(left) && Number.isFinite(top))
    .sort((a, b) => a.left - b.left);
  const path = line<(typeof placed)[number]>(
    ({ left }) => left,
    ({ top }) => top,
  ).digits(2)(placed);
  return markup`<path class="line s-${style.colour}" d="${path ?? ''}"/>${placed.map(({ row, left, top }) => symbol(style, left, top, about(row)))}`;
}
