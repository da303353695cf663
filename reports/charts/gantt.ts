import { percent, seconds, share } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { axisBelow, type Box, bar, chart, chartWidth, ellipsis, gridAcross, linearAxis } from './frame.ts';

export interface GanttRow {
  name: string;
  /** Seconds. */
  start: number;
  end: number;
  /** Seconds that the engine was busy with it. */
  busy: number;
  /** Of the whole run. */
  share: number;
  /** Read on hover. */
  about: string;
}

export interface GanttGroup {
  engine: string;
  rows: readonly GanttRow[];
}

const rowHeight = 20;
const barHeight = 14;
const nameWidth = 148;
const shareWidth = 236;

/** Spans of einsums by engine, filled to the height of their mean occupancy, and beside them their shares of the run. */
export function ganttChart(groups: readonly GanttGroup[], length: number): Markup {
  const lines = groups.reduce((sum, group) => sum + group.rows.length + 1, 0);
  const spans: Box = {
    left: nameWidth,
    top: 24,
    width: chartWidth - nameWidth - shareWidth - 24,
    height: lines * rowHeight + 4,
  };
  const shares: Box = { ...spans, left: spans.left + spans.width + 28, width: shareWidth - 64 };
  const time = linearAxis(length, [spans.left, spans.left + spans.width], 's', 7);
  const highest = Math.max(0, ...groups.flatMap((group) => group.rows.map((row) => row.share)));
  const percentage = linearAxis(highest, [shares.left, shares.left + shares.width], '%', 2, {
    divisor: 0.01,
    unit: '%',
  });

  let top = spans.top;
  const body = groups.map((group) => {
    const heading = markup`<text class="strong" x="4" y="${top + 14}">${ellipsis(group.engine, nameWidth)}</text>`;
    top += rowHeight;
    const rows = group.rows.map((row) => {
      const left = time.scale(row.start);
      const width = Math.max(1.2, time.scale(row.end) - left);
      const span = row.end - row.start;
      const occupancy = span > 0 ? Math.min(1, row.busy / span) : 1;
      const filled = barHeight * occupancy;
      const title = `${row.name}\n${seconds(row.start)} to ${seconds(row.end)}\nbusy ${percent(occupancy)} of the span, ${percent(row.share)} of the run\n${row.about}`;
      const y = top + (rowHeight - barHeight) / 2;
      top += rowHeight;
      return markup`<text x="${nameWidth - 10}" y="${y + 11}" text-anchor="end">${ellipsis(row.name, nameWidth - 24)}<title>${row.name}</title></text>${bar({ left, top: y, width, height: barHeight }, 'f-span', title)}${bar({ left, top: y + barHeight - filled, width, height: filled }, 'f-busy', title)}${bar({ left: shares.left, top: y, width: percentage.scale(row.share) - shares.left, height: barHeight }, 'f-series2', title)}<text class="soft" x="${percentage.scale(row.share) + 6}" y="${y + 11}">${share(row.share)}</text>`;
    });
    return markup`${heading}${rows}`;
  });
  return chart(spans.top + spans.height + 44, 'Einsums over time, by engine', [
    markup`<text class="soft" x="${spans.left}" y="12">from first to last busy cycle, filled to mean occupancy</text><text class="soft" x="${shares.left}" y="12">busy share of the run</text>`,
    gridAcross(spans, time.ticks),
    gridAcross(shares, percentage.ticks),
    body,
    axisBelow(spans, time.ticks, `time (${time.unit})`),
    axisBelow(shares, percentage.ticks, 'busy (%)'),
  ]);
}
