import { percent, seconds } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { axisLeft, type Box, chart, chartWidth, ellipsis, legend } from './frame.ts';
import { binTitles, stackedSteps, stripLeft, timeAxis } from './strips.ts';

export interface ShareRow {
  name: string;
  /** Written under the name. */
  text: string;
  /** By kind, as the legend has them: a share in each bin. */
  layers: readonly (readonly number[])[];
}

const panel = 46;
const gap = 20;

/** Shares over time of kinds that add up, stacked, a strip for each row. All strips reach up to `highest`. */
export function sharesChart(data: {
  label: string;
  kinds: readonly { name: string; colour: Colour }[];
  rows: readonly ShareRow[];
  highest: number;
  /** Seconds per bin, and of the whole run. */
  bin: number;
  seconds: number;
}): Markup {
  const left = stripLeft(data.rows.map(({ name }) => name));
  const height = data.rows.length * (panel + gap) - gap;
  const whole: Box = { left, top: 34, width: chartWidth - left - 12, height };
  const time = timeAxis(whole, data.seconds);
  const strips = data.rows.map((row, index) => {
    const box: Box = { ...whole, top: whole.top + index * (panel + gap), height: panel };
    const y = (value: number) => box.top + panel * (1 - Math.min(1, value / data.highest));
    const ticks = [0, data.highest / 2, data.highest].map((at) => ({ at: y(at), text: tickText(at, data.highest) }));
    const layers = row.layers.map((values, kind) => ({ colour: data.kinds[kind]!.colour, values }));
    const bins = Math.max(0, ...row.layers.map((values) => values.length));
    const about = (bin: number) =>
      [
        `${row.name} at ${seconds(bin * data.bin)}`,
        ...data.kinds.map(({ name }, kind) => `${name} ${percent(row.layers[kind]?.[bin] ?? 0)}`),
      ].join('\n');
    return markup`${axisLeft(box, ticks)}${stackedSteps(layers, data.bin, data.seconds, time.x, y)}<text class="strong" x="${left - 52}" y="${box.top + 20}" text-anchor="end">${ellipsis(row.name, left - 66)}</text><text class="soft" x="${left - 52}" y="${box.top + 36}" text-anchor="end">${row.text}</text>${binTitles(box, bins, data.bin, data.seconds, time.x, about)}`;
  });
  return chart(whole.top + height + 42, data.label, [...legend(data.kinds, left, 4), strips, time.axis]);
}

const tickText = (value: number, highest: number): string =>
  `${Number((value * 100).toPrecision(3))}${value === highest ? ' %' : ''}`;
