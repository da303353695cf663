import type { EngineTimeline } from '../../models/result.ts';
import { accounts } from '../accounts.ts';
import { percent, seconds } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { axisLeft, type Box, chart, chartWidth, ellipsis, legend } from './frame.ts';
import { type Band, bands, binTitles, stackedSteps, stripLeft, timeAxis } from './strips.ts';

/** The timeline with its last bin, which the run may end in, as fractions of the part that the run covers. */
function complete(timeline: EngineTimeline): EngineTimeline {
  const last = timeline.busy.length - 1;
  const covered = accounts.reduce((sum, { key }) => sum + (timeline[key][last] ?? 0), 0);
  if (!(covered > 0)) return timeline;
  const whole = (values: readonly number[]) => values.with(last, values[last]! / covered);
  return {
    ...timeline,
    busy: whole(timeline.busy),
    waitInput: whole(timeline.waitInput),
    waitOutput: whole(timeline.waitOutput),
    waitMemory: whole(timeline.waitMemory),
    idle: whole(timeline.idle),
  };
}

export interface UtilizationRow {
  timeline: EngineTimeline;
  /** Mean over the run. */
  busy: number;
  /** How many cores it is the mean of; empty for an engine by itself. */
  cores: string;
}

const panel = 62;
const gap = 20;
const axisRoom = 42;

/** Room for names and ticks left of the strips, in pixels. */
export const utilizationLeft = (rows: readonly UtilizationRow[]): number =>
  stripLeft(rows.map(({ timeline }) => timeline.engine));

function plotBox(rows: readonly UtilizationRow[], top: number): Box {
  const left = utilizationLeft(rows);
  return { left, top, width: chartWidth - left - 12, height: plotsHeight(rows.length) };
}

const plotsHeight = (rows: number): number => Math.max(0, rows * (panel + gap) - gap);

const stripBox = (whole: Box, index: number): Box => ({
  ...whole,
  top: whole.top + index * (panel + gap),
  height: panel,
});

/** One strip per engine: busy, the reasons for waiting and idle, stacked to 100 % over time. */
export function utilizationPlots(rows: readonly UtilizationRow[], length: number, top: number): Markup {
  const whole = plotBox(rows, top);
  const { left } = whole;
  const time = timeAxis(whole, length);
  const strips = rows.map(({ timeline, busy, cores }, index) => {
    const box = stripBox(whole, index);
    const y = (fraction: number) => box.top + panel * (1 - Math.min(1, fraction));
    const ticks = [0, 0.5, 1].map((at) => ({ at: y(at), text: `${at * 100}${at === 1 ? ' %' : ''}` }));
    const whatItDid = complete(timeline);
    const layers = accounts.map(({ key, colour }) => ({ colour, values: whatItDid[key] }));
    return markup`${axisLeft(box, ticks)}${stackedSteps(layers, timeline.bin, length, time.x, y)}<text class="strong" x="${left - 52}" y="${box.top + 28}" text-anchor="end">${ellipsis(timeline.engine, left - 66)}</text><text class="soft" x="${left - 52}" y="${box.top + 44}" text-anchor="end">${percent(busy)} busy</text>${cores === '' ? undefined : markup`<text class="soft" x="${left - 52}" y="${box.top + 60}" text-anchor="end">${cores}</text>`}`;
  });
  return markup`${strips}${time.axis}`;
}

/** Height of the plots with their axis, in pixels. */
export const utilizationHeight = (rows: number): number => plotsHeight(rows) + axisRoom;

function hoverTitles(row: UtilizationRow, box: Box, length: number): Markup[] {
  const timeline = complete(row.timeline);
  const describe = (bin: number) =>
    [
      `${timeline.engine} at ${seconds(bin * timeline.bin)}`,
      ...accounts
        .filter(({ key }) => (timeline[key][bin] ?? 0) > 0)
        .map(({ key, name }) => `${name} ${percent(timeline[key][bin]!)}`),
    ].join('\n');
  return binTitles(box, timeline.busy.length, timeline.bin, length, timeAxis(box, length).x, describe);
}

export function utilizationChart(data: {
  rows: readonly UtilizationRow[];
  seconds: number;
  /** Marked above the first strip. */
  sections: readonly Band[];
}): Markup {
  const top = data.sections.length > 0 ? 50 : 30;
  const whole = plotBox(data.rows, top);
  return chart(top + utilizationHeight(data.rows.length), 'What each engine did over time', [
    ...legend(accounts, whole.left, 4),
    utilizationPlots(data.rows, data.seconds, top),
    bands(whole, data.sections, timeAxis(whole, data.seconds).x),
    data.rows.map((row, index) => hoverTitles(row, stripBox(whole, index), data.seconds)),
  ]);
}
