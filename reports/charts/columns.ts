import { scaleBand } from 'd3-scale';
import { count } from '../format.ts';
import type { Markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { axisBelow, axisLeft, type Box, bar, chart, chartWidth, legend, linearAxis } from './frame.ts';

const left = 66;
const plotHeight = 132;
/** Numbers under columns need this much room, in pixels. */
const numberRoom = 26;

/** Stacked columns for things that are numbered from 0, such as channels. */
export function columnChart(data: {
  label: string;
  /** Name of one of what is numbered, and of them all. */
  one: string;
  axis: string;
  counted: string;
  kinds: readonly { name: string; colour: Colour }[];
  /** `values[kind][index]`. */
  values: readonly (readonly number[])[];
}): Markup {
  const indices = [...(data.values[0] ?? []).keys()];
  const box: Box = { left, top: 34, width: chartWidth - left - 12, height: plotHeight };
  const total = (index: number) => data.values.reduce((sum, values) => sum + values[index]!, 0);
  const most = Math.max(0, ...indices.map(total));
  const y = linearAxis(most, [box.top + plotHeight, box.top], '', 4);
  const x = scaleBand(indices, [box.left, box.left + box.width]).padding(indices.length > 1 ? 0.2 : 0.4);
  const every = Math.max(1, Math.ceil(numberRoom / x.step()));
  const ticks = indices
    .filter((index) => index % every === 0)
    .map((index) => ({ at: x(index)! + x.bandwidth() / 2, text: String(index) }));
  const columns = indices.map((index) => {
    const about = [
      `${data.one} ${index}: ${count(total(index))} ${data.counted}`,
      ...data.kinds.map(({ name }, kind) => `${name} ${count(data.values[kind]![index]!)}`),
    ].join('\n');
    let reached = 0;
    return data.kinds.map(({ colour }, kind) => {
      const bottom = y.scale(reached);
      reached += data.values[kind]![index]!;
      const top = y.scale(reached);
      return bar({ left: x(index)!, top, width: x.bandwidth(), height: bottom - top }, `f-${colour}`, about);
    });
  });
  return chart(box.top + plotHeight + 42, data.label, [
    ...legend(data.kinds, left, 4),
    axisLeft(box, y.ticks, y.unit === '' ? data.counted : `${data.counted} (${y.unit})`, 50),
    columns,
    axisBelow(box, ticks, data.axis),
  ]);
}
