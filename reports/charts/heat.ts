import { scaleLinear } from 'd3-scale';
import { type Markup, markup } from '../markup.ts';
import { heatSteps } from '../palette.ts';
import { axisBelow, type Box, chart, chartWidth, gridAcross, linearAxis, textWidth } from './frame.ts';
import { levelColumns, levelGaps, levelsOf, levelsWidth } from './levels.ts';
import { timeAxis } from './strips.ts';

export interface HeatRow {
  /** From the outermost level to the row itself: `rank 0`, `bank group 1`, `bank 2`. */
  path: readonly string[];
  /** Count in each bin. */
  counts: readonly number[];
  /** A figure of the row's own, drawn as a bar beside it. */
  beside: number;
  /** Read on hover. */
  title: string;
}

export interface HeatData {
  label: string;
  /** At least one. */
  rows: readonly HeatRow[];
  /** What is counted: `accesses`. */
  counted: string;
  /** Counts are seconds of their bins, and told as shares of them. */
  areShares?: boolean;
  /** What the bars count: `activations`. */
  beside: string;
  /** Seconds per bin, and of the whole run. */
  bin: number;
  seconds: number;
}

/** Bins drawn at most: more would be narrower than three pixels or so. */
const binLimit = 200;
/** All rows together are about so high, in pixels, while a row can be from the least height to the most. */
const plotHeight = 600;
const [leastRow, mostRow] = [3, 18];
const besideWidth = 84;
const stepWidth = 28;

/** A scale in equal steps from 0, at least as high as the highest rate. */
interface Steps {
  /** Of a step's width. */
  width: number;
  count: number;
  /** Seconds that a rate is told over, and their name: `µs`. */
  per: number;
  unit: string;
}

const spans: readonly [unit: string, seconds: number][] = [
  ['s', 1],
  ['ms', 1e-3],
  ['µs', 1e-6],
];

/** Round steps for rates per second, over the longest span of time in which at least one is counted. */
function stepsUpTo(highest: number): Steps {
  const [unit, per] = spans.find(([, seconds]) => highest * seconds < 1000) ?? ['ns', 1e-9];
  const ticks = scaleLinear([0, highest * per], [0, 1]).ticks(heatSteps - 2);
  const width = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  return { width, count: Math.max(1, Math.ceil((highest * per) / width - 1e-9)), per, unit };
}

/** The colour's class for a step of the scale: few steps lie as far apart as many. */
const classOf = (step: number, count: number): string =>
  `heat${count === 1 ? heatSteps - 1 : Math.round((step * (heatSteps - 1)) / (count - 1))}`;

/** Several bins as one, so that there are at most as many as can be seen. */
function inBins(data: HeatData): { bin: number; rows: number[][] } {
  const bins = Math.max(...data.rows.map(({ counts }) => counts.length));
  const merged = Math.ceil(bins / binLimit);
  const rows = data.rows.map(({ counts }) =>
    Array.from({ length: Math.ceil(bins / merged) }, (_, bin) =>
      counts.slice(bin * merged, (bin + 1) * merged).reduce((sum, value) => sum + value, 0),
    ),
  );
  return { bin: data.bin * merged, rows };
}

/** Counts per second. The last bin is as long as the run lasts in it. */
function ratesOf(rows: readonly (readonly number[])[], bin: number, seconds: number): number[][] {
  return rows.map((counts) =>
    counts.map((value, index) => {
      const covered = Math.min(bin, seconds - index * bin);
      return covered > 0 ? value / covered : 0;
    }),
  );
}

/** The highest rate; a last bin of which the run covers little says less than the others. */
function highestRate(rates: readonly (readonly number[])[], bin: number, seconds: number): number {
  const whole = Math.floor(seconds / bin + 1e-9);
  const counted = (values: readonly number[]) => (whole > 0 ? values.slice(0, whole) : values);
  const highest = rates.reduce((most, values) => Math.max(most, ...counted(values)), 0);
  return highest > 0 ? highest : rates.reduce((most, values) => Math.max(most, ...values), 0);
}

/** Cells of one colour as one path: strokes one bin wide and one row thick, neighbours in a row together. */
function cellPaths(rates: readonly (readonly number[])[], steps: Steps): Markup[] {
  const paths = Array.from({ length: steps.count }, () => '');
  const stepOf = (rate: number) =>
    rate > 0 ? Math.min(steps.count - 1, Math.max(0, Math.ceil((rate * steps.per) / steps.width - 1e-9) - 1)) : -1;
  for (const [row, values] of rates.entries()) {
    const of = values.map(stepOf);
    for (let start = 0, end = 0; start < of.length; start = end) {
      const step = of[start] ?? -1;
      while (end < of.length && of[end] === step) end++;
      if (step >= 0) paths[step] += `M${start} ${row + 0.5}h${end - start}`;
    }
  }
  return paths.flatMap((path, step) =>
    path === '' ? [] : markup`<path class="${classOf(step, steps.count)}" d="${path}"/>`,
  );
}

/** The steps of the scale from left to right, their limits under them, and before them what they measure. */
function scaleLegend(steps: Steps, { counted, areShares = false }: HeatData, right: number): Markup {
  const times = areShares ? 100 : 1;
  const write = scaleLinear([0, times * steps.width * steps.count], [0, 1]).tickFormat(steps.count);
  const none = right - textWidth('none');
  const left = none - 34 - steps.count * stepWidth;
  const limits = Array.from({ length: steps.count + 1 }, (_, limit) => limit);
  return markup`<text x="${left - 12}" y="14" text-anchor="end">${counted} ${areShares ? '(%)' : `per ${steps.unit}`}</text>${limits
    .slice(1)
    .map(
      (_, step) =>
        markup`<path class="${classOf(step, steps.count)}" stroke-width="12" d="M${left + step * stepWidth} 10h${stepWidth}"/>`,
    )}${limits.map(
    (limit) =>
      markup`<text class="soft" x="${left + limit * stepWidth}" y="29" text-anchor="middle">${write(limit * times * steps.width)}</text>`,
  )}<rect class="f-panel grid" x="${none - 17}" y="4.5" width="11" height="11"/><text x="${none}" y="14">none</text>`;
}

/** A bar for each row, all as one path, over an axis of its own. */
function besideBars(data: HeatData, box: Box, rowHeight: number): Markup {
  const highest = Math.max(0, ...data.rows.map(({ beside }) => beside));
  const axis = linearAxis(highest, [box.left, box.left + box.width], '', 2);
  const gap = rowHeight > 6 ? 2 : 0;
  const bars = data.rows.map(({ beside }, row) => {
    const width = Math.round((axis.scale(beside) - box.left) * 100) / 100;
    const top = box.top + row * rowHeight + gap / 2;
    return width > 0 ? `M${box.left} ${top}h${width}v${rowHeight - gap}h${-width}z` : '';
  });
  const label = axis.unit === '' ? data.beside : `${data.beside} (${axis.unit})`;
  return markup`${gridAcross(box, axis.ticks)}<path class="f-others" d="${bars.join('')}"/>${axisBelow(box, axis.ticks, label)}`;
}

/**
 * Counts over time of rows in levels: time across, rows down, how many per time as a colour in steps, and beside each row
 * a bar for a figure of its own. Where there is no colour nothing was counted.
 */
export function heatChart(data: HeatData): Markup {
  const levels = levelsOf(data.rows.map(({ path }) => path));
  const rowHeight = Math.max(leastRow, Math.min(mostRow, Math.floor(plotHeight / data.rows.length)));
  const left = Math.ceil(levelsWidth(levels));
  const box: Box = {
    left,
    top: 60,
    width: chartWidth - left - besideWidth - 36,
    height: rowHeight * data.rows.length,
  };
  const beside: Box = { ...box, left: box.left + box.width + 18, width: besideWidth };
  const time = timeAxis(box, data.seconds);
  const { bin, rows } = inBins(data);
  const rates = ratesOf(rows, bin, data.seconds);
  const steps = stepsUpTo(highestRate(rates, bin, data.seconds));
  const hits = data.rows.map(
    ({ title }, row) =>
      markup`<rect class="hit" x="${box.left}" y="${box.top + row * rowHeight}" width="${beside.left + beside.width - box.left}" height="${rowHeight}"><title>${title}</title></rect>`,
  );
  return chart(box.top + box.height + 44, data.label, [
    scaleLegend(steps, data, beside.left + beside.width),
    markup`<rect class="f-panel" x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}"/>`,
    markup`<svg x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}" viewBox="0 0 ${data.seconds / bin} ${rows.length}" preserveAspectRatio="none" aria-hidden="true">${cellPaths(rates, steps)}</svg>`,
    levelGaps(levels, box, rowHeight),
    levelColumns(levels, box, rowHeight),
    besideBars(data, beside, rowHeight),
    time.axis,
    hits,
  ]);
}
