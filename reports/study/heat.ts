import { scaleLinear } from 'd3-scale';
import type { Chart } from '../../models/study/definition.ts';
import type { FinishedRow } from '../../models/study/run.ts';
import { axisBelow, type Box, chart, chartWidth, textWidth } from '../charts/frame.ts';
import { type Markup, markup } from '../markup.ts';
import { heatSteps } from '../palette.ts';
import { tickText } from './axis.ts';
import { figureText } from './columns.ts';
import { groups, panelPlaces, rounded, type Table } from './panels.ts';

type Heat = Extract<Chart, { kind: 'heat' }>;

const rowHeight = 30;
const stepWidth = 26;

/** A step of the scale for each figure. */
interface Steps {
  readonly stepOf: (value: number) => number;
  /** Where a step begins; there is one more than steps. */
  readonly limits: readonly number[];
}

/** Ten steps, of equal ratios where figures differ a hundredfold. */
function stepsOver(values: readonly number[]): Steps {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isLog = low > 0 && high / low >= 100;
  const to = (value: number): number => (isLog ? Math.log(value) : value);
  const share = (value: number): number => (high > low ? (to(value) - to(low)) / (to(high) - to(low)) : 1);
  const at = scaleLinear([0, 1], [to(low), to(high)]);
  return {
    stepOf: (value) => Math.min(heatSteps - 1, Math.floor(share(value) * heatSteps)),
    limits: Array.from({ length: heatSteps + 1 }, (_, i) => (isLog ? Math.exp(at(i / heatSteps)) : at(i / heatSteps))),
  };
}

/** A figure for each pair of values as a colour, with the figure on it where there is room. Undefined where no row has it. */
export function heatMap(table: Table, { x, y, value, panel }: Heat): Markup | undefined {
  const rows = table.rows.filter((row) => typeof table.value(row, value) === 'number');
  if (rows.length === 0) return undefined;
  const others = table.varying.filter((name) => ![x, y, value, panel].includes(name));
  const apart = [...(panel === undefined ? [] : [panel]), ...others];
  const panels = groups(rows, (row) => table.nameOf(row, apart));
  const [across, down] = [x, y].map((name) => [...groups(rows, (row) => keyOf(table, row, name)).keys()]) as [
    string[],
    string[],
  ];
  const steps = stepsOver(rows.map((row) => Number(table.value(row, value))));
  const left = Math.min(190, Math.max(...down.map(textWidth)) + 30);
  const margins = { left, top: 10, right: 6, bottom: 56 };
  const { places, height } = panelPlaces([...panels.keys()], margins, rowHeight * down.length, 40);
  const drawn = [...panels.values()].map((members, i) => {
    const place = places[i];
    if (place === undefined) return undefined;
    const { box, title } = place;
    const width = box.width / across.length;
    const cells = members.map((row) => {
      const column = across.indexOf(keyOf(table, row, x));
      const cell = { left: box.left + column * width, top: box.top + down.indexOf(keyOf(table, row, y)) * rowHeight };
      return cellOf(table, row, value, steps, { ...cell, width, height: rowHeight });
    });
    return markup`${title}${cells}${names(across, down, box, x, y)}`;
  });
  return chart(height, `${value} over ${x} and ${y}`, [legendOf(steps, value, table.unit(value)), drawn]);
}

const keyOf = (table: Table, row: FinishedRow, name: string): string => {
  const value = table.value(row, name);
  return typeof value === 'number' ? tickText(value) : String(value);
};

function cellOf(table: Table, row: FinishedRow, value: string, steps: Steps, box: Box): Markup {
  const figure = Number(table.value(row, value));
  const text = shortText(figure, table.unit(value));
  const middle = box.left + box.width / 2;
  const label =
    textWidth(text) < box.width - 6
      ? markup`<text class="on-heat${steps.stepOf(figure)}" x="${middle}" y="${box.top + box.height / 2 + 4}" text-anchor="middle">${text}</text>`
      : undefined;
  return markup`<path class="heat${steps.stepOf(figure)}" stroke-width="${box.height - 1}" d="M${rounded(box.left)} ${box.top + box.height / 2}h${rounded(box.width - 1)}"/>${label}<rect class="hit" x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}"><title>${table.about(row, [value])}</title></rect>`;
}

/** Three digits, with a prefix where the unit takes one. */
function shortText(value: number, unit: string): string {
  const text = figureText(Number(value.toPrecision(3)), unit);
  return text.replace(/(\.\d*?)0+(?=\s|$)/, '$1').replace(/\.(?=\s|$)/, '');
}

function names(across: readonly string[], down: readonly string[], box: Box, x: string, y: string): Markup {
  const width = box.width / across.length;
  const ticks = across.map((text, i) => ({ at: box.left + (i + 0.5) * width, text }));
  const [left, middle] = [box.left - 7, box.top + box.height / 2];
  const beside = down.map(
    (text, i) =>
      markup`<text class="soft" x="${left}" y="${box.top + (i + 0.5) * rowHeight + 4}" text-anchor="end">${text}</text>`,
  );
  const at = left - Math.max(...down.map(textWidth)) - 10;
  return markup`${axisBelow(box, ticks, x)}${beside}<text x="${at}" y="${middle}" text-anchor="middle" transform="rotate(-90 ${at} ${middle})">${y}</text>`;
}

/** The steps of the scale, with the limits of every other one. */
function legendOf({ limits }: Steps, value: string, unit: string): Markup {
  const left = chartWidth - heatSteps * stepWidth - 44;
  const blocks = Array.from(
    { length: heatSteps },
    (_, step) => markup`<path class="heat${step}" stroke-width="12" d="M${left + step * stepWidth} 10h${stepWidth}"/>`,
  );
  const shown = limits.flatMap((limit, i) =>
    i % 5 === 0
      ? markup`<text class="soft" x="${left + i * stepWidth}" y="30" text-anchor="middle">${shortText(limit, unit)}</text>`
      : [],
  );
  return markup`<text x="${left - 12}" y="14" text-anchor="end">${value}</text>${blocks}${shown}`;
}
