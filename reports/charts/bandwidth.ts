import { bandwidth, byteScale, seconds } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { axisLeft, type Box, chart, chartWidth, ellipsis, linearAxis } from './frame.ts';
import { binTitles, stackedSteps, stripLeft, timeAxis } from './strips.ts';

export interface BandwidthRow {
  name: string;
  /** Bytes per second in each bin. */
  values: readonly number[];
  /** Seconds per bin. */
  bin: number;
  /** Bytes per second; 0 when unknown. */
  peak: number;
  /** Over the whole run. */
  mean: number;
  /** How many cores it is the mean of; empty for a memory by itself. */
  cores: string;
}

const panel = 104;
const gap = 26;

/** One strip per memory: bytes per second over time under a dashed line at the peak. */
export function bandwidthChart(rows: readonly BandwidthRow[], length: number): Markup {
  const left = stripLeft(rows.map(({ name }) => name));
  const whole: Box = { left, top: 14, width: chartWidth - left - 12, height: rows.length * (panel + gap) - gap };
  const time = timeAxis(whole, length);
  const strips = rows.map((row, index) => {
    const box: Box = { left, top: whole.top + index * (panel + gap), width: whole.width, height: panel };
    const highest = Math.max(row.peak, ...row.values, 0);
    const scale = byteScale(row.peak > 0 ? row.peak : highest, 'B/s');
    const axis = linearAxis(highest * 1.3, [box.top + panel, box.top], 'B/s', 4, scale);
    const peak = axis.scale(row.peak);
    const line =
      row.peak > 0
        ? markup`<line class="peak" x1="${left}" x2="${left + box.width}" y1="${peak}" y2="${peak}"/><text class="soft halo" x="${left + box.width - 4}" y="${peak - 5}" text-anchor="end">peak ${bandwidth(row.peak)}</text>`
        : undefined;
    const cores =
      row.cores === ''
        ? undefined
        : markup`<text class="soft" x="${left - 60}" y="${box.top + 76}" text-anchor="end">${row.cores}</text>`;
    const describe = (bin: number) =>
      `${row.name} at ${seconds(bin * row.bin)}\n${bandwidth(row.values[bin]!, row.peak || highest)}`;
    return markup`${axisLeft(box, axis.ticks, axis.unit, 36)}${stackedSteps([{ colour: 'busy', values: row.values }], row.bin, length, time.x, axis.scale)}${line}<text class="strong" x="${left - 60}" y="${box.top + 44}" text-anchor="end">${ellipsis(row.name, left - 62)}</text><text class="soft" x="${left - 60}" y="${box.top + 60}" text-anchor="end">${bandwidth(row.mean, row.peak || highest)}</text>${cores}${binTitles(box, row.values.length, row.bin, length, time.x, describe)}`;
  });
  return chart(whole.top + whole.height + 42, 'Memory bandwidth over time', [strips, time.axis]);
}
