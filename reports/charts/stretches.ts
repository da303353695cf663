import { type Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { axisLeft, type Box, bar, chart, chartWidth, legend, linearAxis } from './frame.ts';
import { timeAxis } from './strips.ts';

/** A quantity, or several that add up, over stretches of time of different lengths. */
export interface StretchStrip {
  name: string;
  /** Of the quantity; empty for a plain number. */
  unit: string;
  kinds: readonly { name: string; colour: Colour }[];
  /** `values[kind][stretch]`. */
  values: readonly (readonly number[])[];
}

const left = 76;
const panel = 84;
const gap = 44;

/** Strips under one another over one axis of time; each has its own scale. */
export function stretchChart(data: {
  label: string;
  /** Seconds. */
  stretches: readonly { start: number; end: number; about: string }[];
  strips: readonly StretchStrip[];
  seconds: number;
}): Markup {
  const height = data.strips.length * (panel + gap) - gap;
  const whole: Box = { left, top: 34, width: chartWidth - left - 12, height };
  const time = timeAxis(whole, data.seconds);
  const strips = data.strips.map(({ name, unit, kinds, values }, index) => {
    const box: Box = { ...whole, top: whole.top + index * (panel + gap), height: panel };
    const totals = data.stretches.map((_, i) => values.reduce((sum, own) => sum + own[i]!, 0));
    const y = linearAxis(Math.max(0, ...totals), [box.top + panel, box.top], unit, 3);
    const bars = data.stretches.map(({ start, end, about }, i) => {
      const from = time.x(start);
      const width = Math.max(0.5, time.x(end) - from);
      let reached = 0;
      return kinds.map(({ colour }, kind) => {
        const bottom = y.scale(reached);
        reached += values[kind]![i]!;
        const top = y.scale(reached);
        return bar({ left: from, top, width, height: bottom - top }, `f-${colour}`, about);
      });
    });
    return markup`${legend(kinds, left, box.top - 22)}${axisLeft(box, y.ticks, y.unit === '' ? name : `${name} (${y.unit})`, 48)}${bars}`;
  });
  return chart(whole.top + height + 42, data.label, [strips, time.axis]);
}
