import type { Scale } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import {
  axisBelow,
  type Box,
  bar,
  chart,
  chartWidth,
  ellipsis,
  gridAcross,
  legend,
  linearAxis,
  textWidth,
} from './frame.ts';

export interface Segment {
  colour: Colour;
  value: number;
  /** Read on hover. */
  title: string;
  /** Written inside where it fits. */
  text?: string;
}

export interface BarRow {
  name: string;
  segments: readonly Segment[];
  /** Written after the bar. */
  text: string;
}

const rowHeight = 26;
const narrowNames = 132;
const wideNames = 200;

/** Stacked horizontal bars, one row each, over a common axis from 0 to the longest row. */
export function barChart(data: {
  label: string;
  rows: readonly BarRow[];
  legend: readonly { name: string; colour: Colour }[];
  axis: string;
  unit: string;
  scale?: Scale;
}): Markup {
  const total = (row: BarRow) => row.segments.reduce((sum, segment) => sum + segment.value, 0);
  const names = data.rows.map((row) => 12 + Math.ceil(textWidth(row.name)));
  const nameWidth = Math.min(wideNames, Math.max(narrowNames, ...names));
  const textRoom = 12 + Math.max(0, ...data.rows.map((row) => textWidth(row.text)));
  const box: Box = {
    left: nameWidth,
    top: data.legend.length > 0 ? 30 : 6,
    width: chartWidth - nameWidth - textRoom - 8,
    height: data.rows.length * rowHeight + 6,
  };
  const highest = Math.max(0, ...data.rows.map(total));
  const axis = linearAxis(highest, [box.left, box.left + box.width], data.unit, 6, data.scale);
  const height = box.top + box.height + 44;

  const rows = data.rows.map((row, index) => {
    const top = box.top + 6 + index * rowHeight;
    const middle = top + 13;
    let reached = 0;
    const segments = row.segments.map((segment) => {
      const left = axis.scale(reached);
      reached += segment.value;
      const width = axis.scale(reached) - left;
      const text =
        segment.text !== undefined && textWidth(segment.text) + 8 < width
          ? markup`<text class="on-${segment.colour}" x="${left + width / 2}" y="${middle}" text-anchor="middle" pointer-events="none">${segment.text}</text>`
          : undefined;
      return [bar({ left, top, width, height: rowHeight - 8 }, `f-${segment.colour}`, segment.title), text];
    });
    return markup`<text x="${box.left - 9}" y="${middle}" text-anchor="end">${ellipsis(row.name, nameWidth - 12)}<title>${row.name}</title></text>${segments}<text class="soft" x="${axis.scale(reached) + 8}" y="${middle}">${row.text}</text>`;
  });
  return chart(height, data.label, [
    ...legend(data.legend, box.left, 4),
    ...gridAcross(box, axis.ticks),
    ...rows,
    axisBelow(box, axis.ticks, axis.unit === '' ? data.axis : `${data.axis} (${axis.unit})`),
  ]);
}
