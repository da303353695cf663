import { seconds } from '../format.ts';
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

export interface LaneSpan {
  name: string;
  colour: Colour;
  /** Seconds. */
  start: number;
  end: number;
  /** Read on hover, under its name and times. */
  about: string;
}

export interface LaneRow {
  name: string;
  spans: readonly LaneSpan[];
}

const left = 86;
const rowHeight = 22;
const barHeight = 17;
const gap = 10;

/** Spans in as few rows as they need to not lie over one another, each in the first that is free. */
function rowsOf(spans: readonly LaneSpan[]): LaneSpan[][] {
  const rows: LaneSpan[][] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const free = rows.find((row) => row.at(-1)!.end <= span.start);
    if (free) free.push(span);
    else rows.push([span]);
  }
  return rows;
}

/** What each of several lanes does over a stretch of time, with its name where that fits. The axis begins with the first. */
export function laneChart(data: {
  label: string;
  legend: readonly { name: string; colour: Colour }[];
  lanes: readonly LaneRow[];
}): Markup {
  const spans = data.lanes.flatMap((lane) => lane.spans);
  const start = spans.reduce((least, span) => Math.min(least, span.start), Number.POSITIVE_INFINITY);
  const length = spans.reduce((most, { end }) => Math.max(most, end - start), 0);
  const lanes = data.lanes.map(({ name, spans: own }) => ({ name, rows: rowsOf(own) }));
  const height = lanes.reduce((sum, { rows }) => sum + rows.length * rowHeight + gap, 0);
  const box: Box = { left, top: data.legend.length > 0 ? 30 : 8, width: chartWidth - left - 12, height };
  const time = linearAxis(length, [box.left, box.left + box.width], 's', 8);
  const spanBar = (span: LaneSpan, top: number): Markup => {
    const at = time.scale(span.start - start);
    const width = Math.max(0.8, time.scale(span.end - start) - at);
    const title = `${span.name}\n${seconds(span.start - start)} to ${seconds(span.end - start)}: ${seconds(span.end - span.start)}\n${span.about}`;
    const text =
      textWidth(span.name) + 6 < width
        ? markup`<text class="on-${span.colour}" x="${at + width / 2}" y="${top + 13}" text-anchor="middle" pointer-events="none">${span.name}</text>`
        : undefined;
    return markup`${bar({ left: at, top, width: Math.max(0.8, width - 1), height: barHeight }, `f-${span.colour}`, title)}${text}`;
  };
  let y = box.top + gap / 2;
  const body = lanes.map(({ name, rows }) => {
    const label = markup`<text class="strong" x="${left - 10}" y="${y + 13}" text-anchor="end">${ellipsis(name, left - 14)}</text>`;
    const marks = rows.map((row) => {
      const top = y;
      y += rowHeight;
      return row.map((span) => spanBar(span, top));
    });
    y += gap;
    return markup`${label}${marks}`;
  });
  return chart(box.top + height + 44, data.label, [
    ...legend(data.legend, left, 4),
    gridAcross(box, time.ticks),
    body,
    axisBelow(box, time.ticks, `time from its start (${time.unit})`),
  ]);
}
