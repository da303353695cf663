import { area, curveStepAfter } from 'd3-shape';
import { type Markup, markup, type Part } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { axisBelow, type Box, gridAcross, linearAxis, textWidth } from './frame.ts';

const narrowLeft = 148;
const wideLeft = 224;
/** Beside a name: ticks, and the label of their axis. */
const tickRoom = 66;

/** Names are bold, and so a little wider than other text. */
const boldness = 1.08;

/** Left end of strips that bear these names, in pixels: long names get more room, within limits. */
export const stripLeft = (names: readonly string[]): number =>
  Math.min(wideLeft, Math.max(narrowLeft, ...names.map((name) => tickRoom + Math.ceil(boldness * textWidth(name)))));

/** A quantity over time, drawn as a stack of layers of `bin` seconds a value. */
export interface Layer {
  colour: Colour;
  values: readonly number[];
}

/**
 * Layers stacked on one another over time, as steps: each value covers its whole bin, and a last bin that the run ends in
 * is cut at the run's end. A path has points only where its layer changes.
 */
export function stackedSteps(
  layers: readonly Layer[],
  bin: number,
  end: number,
  x: (seconds: number) => number,
  y: (value: number) => number,
): Markup[] {
  const bins = Math.max(0, ...layers.map((layer) => layer.values.length));
  const visible = [...Array(bins).keys()].filter((index) => index === 0 || index * bin < end);
  const stack = new Float64Array(bins);
  return layers.flatMap(({ colour, values }) => {
    if (!values.some((value) => value > 0)) return [];
    const low = stack.slice();
    for (let i = 0; i < bins; i++) stack[i]! += values[i] ?? 0;
    const high = stack.slice();
    const changes = visible.filter((i) => i === 0 || low[i] !== low[i - 1] || high[i] !== high[i - 1]);
    const last = visible.at(-1)!;
    const path = area<number>()
      .x((i, index) => x(index === changes.length ? Math.min(end, (last + 1) * bin) : i * bin))
      .y0((i) => y(low[i]!))
      .y1((i) => y(high[i]!))
      .curve(curveStepAfter)
      .digits(2);
    return markup`<path class="f-${colour}" d="${path([...changes, last]) ?? undefined}"/>`;
  });
}

/** Invisible rectangles, one per bin, that say what is under the pointer. */
export function binTitles(
  box: Box,
  bins: number,
  bin: number,
  end: number,
  x: (seconds: number) => number,
  title: (index: number) => string,
): Markup[] {
  return [...Array(bins).keys()].flatMap((index) => {
    const left = x(index * bin);
    const width = x(Math.min(end, (index + 1) * bin)) - left;
    if (!(width > 0)) return [];
    return markup`<rect class="hit" x="${left}" y="${box.top}" width="${width}" height="${box.height}"><title>${title(index)}</title></rect>`;
  });
}

/** A stretch of time with a name: a section. */
export interface Band {
  name: string;
  start: number;
  end: number;
}

/** Names and numbers need this much room, in pixels; lines between stretches need less. */
const nameRoom = 6;
const lineRoom = 3;

/** Whether every stretch is wide enough for its name; otherwise stretches are numbered. */
function namesFit(box: Box, stretches: readonly Band[], x: (seconds: number) => number): boolean {
  return stretches.every(({ name, start, end }) => textWidth(name) + nameRoom < Math.min(box.width, x(end) - x(start)));
}

/**
 * Stretches of time marked over a plot: dotted lines between them and, above it, their names, or their numbers from 1
 * where the names do not fit. What is too narrow for either goes without.
 */
export function bands(box: Box, stretches: readonly Band[], x: (seconds: number) => number): Markup[] {
  const named = namesFit(box, stretches, x);
  return stretches.map(({ name, start, end }, index) => {
    const left = x(start);
    const width = x(end) - left;
    const text = named ? name : String(index + 1);
    const label =
      textWidth(text) + nameRoom < width
        ? markup`<text class="soft" x="${left + width / 2}" y="${box.top - 6}" text-anchor="middle">${text}<title>${name}</title></text>`
        : undefined;
    const line = start > 0 && width > lineRoom ? bandLine(box, left) : undefined;
    return markup`${line}${label}`;
  });
}

function bandLine(box: Box, x: number): Markup {
  return markup`<line class="axis" x1="${x}" x2="${x}" y1="${box.top - 16}" y2="${box.top + box.height}" stroke-dasharray="2 3"/>`;
}

/** The time axis shared by plots under one another, and its ticks' grid lines through all of them. */
export function timeAxis(box: Box, seconds: number): { x: (seconds: number) => number; grid: Part; axis: Markup } {
  const { scale, ticks, unit } = linearAxis(seconds, [box.left, box.left + box.width], 's', 8);
  return { x: scale, grid: gridAcross(box, ticks), axis: axisBelow(box, ticks, `time (${unit})`) };
}
