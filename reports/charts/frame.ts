import { scaleLinear } from 'd3-scale';
import { type Scale, siScale } from '../format.ts';
import { type Markup, markup, type Part } from '../markup.ts';
import type { Colour } from '../palette.ts';

/** The plotting area of a chart within its picture, in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Tick {
  at: number;
  text: string;
}

/** Width of every chart. Pages scale it to their column. */
export const chartWidth = 880;

function characterWidth(character: string): number {
  if (/[\sijltfr.,:;'|()[\]]/.test(character)) return 4.4;
  if (/[mwMW%…]/.test(character)) return 10.5;
  return /[A-Z]/.test(character) ? 8.2 : 7.2;
}

/** Width of a label in pixels, a little generous: there is no font to ask. */
export const textWidth = (text: string): number =>
  [...text].reduce((width, character) => width + characterWidth(character), 0);

/** The text, or as much of it as fits a width in pixels. */
export function ellipsis(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join('')}…`) > width) characters.pop();
  return `${characters.join('')}…`;
}

export function chart(height: number, label: string, body: Part): Markup {
  return markup`<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${chartWidth} ${height}" role="img" aria-label="${label}">${body}</svg>`;
}

/** A rectangle with a class for its colour and a text to read on hover; nothing when it is too thin to see. */
export function bar(box: Box, classes: string, title?: string): Markup | undefined {
  if (!(box.width > 0.005) || !(box.height > 0.005)) return undefined;
  const about = title === undefined ? undefined : markup`<title>${title}</title>`;
  return markup`<rect class="${classes}" x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}">${about}</rect>`;
}

/** Ticks and label under a plot. */
export function axisBelow(box: Box, ticks: readonly Tick[], label: string): Markup {
  const bottom = box.top + box.height;
  return markup`<line class="axis" x1="${box.left}" x2="${box.left + box.width}" y1="${bottom}" y2="${bottom}"/>${ticks.map(
    (tick) =>
      markup`<line class="axis" x1="${tick.at}" x2="${tick.at}" y1="${bottom}" y2="${bottom + 4}"/><text class="soft" x="${tick.at}" y="${bottom + 17}" text-anchor="middle">${tick.text}</text>`,
  )}<text x="${box.left + box.width / 2}" y="${bottom + 36}" text-anchor="middle">${label}</text>`;
}

/** Ticks and grid lines of a plot, and a label that stands on its side, `offset` pixels left of it. */
export function axisLeft(box: Box, ticks: readonly Tick[], label?: string, offset = 46): Markup {
  const x = box.left - offset;
  const y = box.top + box.height / 2;
  const name =
    label === undefined
      ? undefined
      : markup`<text x="${x}" y="${y}" text-anchor="middle" transform="rotate(-90 ${x} ${y})">${label}</text>`;
  return markup`${ticks.map(
    (tick) =>
      markup`<line class="grid" x1="${box.left}" x2="${box.left + box.width}" y1="${tick.at}" y2="${tick.at}"/><text class="soft" x="${box.left - 7}" y="${tick.at + 4}" text-anchor="end">${tick.text}</text>`,
  )}${name}`;
}

/** Vertical grid lines over the height of a plot. */
export function gridAcross(box: Box, ticks: readonly Tick[]): Markup[] {
  return ticks.map(
    (tick) => markup`<line class="grid" x1="${tick.at}" x2="${tick.at}" y1="${box.top}" y2="${box.top + box.height}"/>`,
  );
}

/** Squares with names, from left to right, in as many rows of `width` as they need. */
export function legend(entries: readonly { name: string; colour: Colour }[], left: number, top: number): Markup[] {
  let x = left;
  return entries.map(({ name, colour }) => {
    const entry = markup`<rect class="f-${colour}" x="${x}" y="${top}" width="11" height="11" rx="2"/><text x="${x + 16}" y="${top + 10}">${name}</text>`;
    x += 16 + textWidth(name) + 18;
    return entry;
  });
}

export interface Axis {
  scale: (value: number) => number;
  ticks: Tick[];
  /** The unit that the ticks are written in. */
  unit: string;
}

/** A linear axis from 0 to `highest` over `range` pixels, its ticks in `scale` (SI of `unit` unless told). */
export function linearAxis(
  highest: number,
  range: readonly [number, number],
  unit: string,
  tickCount: number,
  scale: Scale = siScale(highest, unit),
): Axis {
  const top = highest > 0 ? highest / scale.divisor : 1;
  const shown = scaleLinear([0, top], range);
  const write = shown.tickFormat(tickCount);
  return {
    scale: (value) => shown(value / scale.divisor),
    ticks: shown.ticks(tickCount).map((value) => ({ at: shown(value), text: write(value) })),
    unit: scale.unit,
  };
}
