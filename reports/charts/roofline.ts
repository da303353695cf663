import { type ScaleLogarithmic, scaleLog } from 'd3-scale';
import { bandwidth, inScale, opsPerSecond, ratio, siScale } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import {
  axisBelow,
  axisLeft,
  type Box,
  chart,
  chartWidth,
  ellipsis,
  gridAcross,
  type Tick,
  textWidth,
} from './frame.ts';
import { alongLine, type PlacedLabel, placeLabels } from './labels.ts';

export type PointKind = 'run' | 'engine' | 'section' | 'einsum' | 'operator';

export interface RooflinePoint {
  kind: PointKind;
  name: string;
  /** Operations per byte. */
  intensity: number;
  /** Operations per second. */
  rate: number;
}

export interface RooflineData {
  memory: { name: string; peak: number };
  /** Peak rates, each a level. */
  roofs: readonly { name: string; peak: number }[];
  /** In the order in which they deserve a label. */
  points: readonly RooflinePoint[];
}

const height = 436;
const box: Box = { left: 76, top: 34, width: chartWidth - 76 - 16, height: height - 34 - 48 };
/** Points that may get a label; more would cover the chart. */
const labelled = 16;
const kindNames: { [kind in PointKind]: string } = {
  run: 'whole run',
  engine: 'one kind of engine',
  section: 'section',
  einsum: 'einsum with main-memory traffic',
  operator: 'operator',
};

type LogScale = ScaleLogarithmic<number, number>;

/** Ticks at powers of ten, and at 2 and 5 times them where fewer than three would show. */
function logTicks(scale: LogScale, write: (value: number) => string): Tick[] {
  const [low, high] = scale.domain() as [number, number];
  const first = Math.floor(Math.log10(low));
  const decades = [...Array(Math.ceil(Math.log10(high)) - first + 1).keys()].map((i) => 10 ** (first + i));
  const shown = (values: number[]) => values.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  const sparse = shown(decades);
  const values = sparse.length >= 3 ? sparse : shown(decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]));
  return values.map((at) => ({ at: scale(at), text: write(at) }));
}

function symbol(kind: PointKind, x: number, y: number, title: string): Markup {
  const about = markup`<title>${title}</title>`;
  if (kind === 'run') return markup`<circle class="f-ink ring" cx="${x}" cy="${y}" r="6.5">${about}</circle>`;
  if (kind === 'engine') return markup`<path class="f-busy ring" d="M${x} ${y - 7}l7 7l-7 7l-7 -7z">${about}</path>`;
  const colour = kind === 'section' ? 'f-input' : 'f-series2';
  return markup`<circle class="${colour} ring" cx="${x}" cy="${y}" r="5">${about}</circle>`;
}

function pointLegend(kinds: readonly PointKind[]): Markup[] {
  let x = box.left + 7;
  return kinds.map((kind) => {
    const entry = markup`${symbol(kind, x, 12, kindNames[kind])}<text x="${x + 13}" y="16">${kindNames[kind]}</text>`;
    x += textWidth(kindNames[kind]) + 40;
    return entry;
  });
}

/** Something drawn, and where labels must keep off it. */
interface Drawn {
  drawing: Markup;
  obstacles: Box[];
}

/** The slope of the main memory up to the highest roof, its name along it. */
function memoryRoof(memory: RooflineData['memory'], peak: number, x: LogScale, y: LogScale): Drawn {
  const from = Math.max(x.domain()[0]!, y.domain()[0]! / memory.peak);
  const [x1, y1, x2, y2] = [x(from), y(from * memory.peak), x(peak / memory.peak), y(peak)];
  const text = `${memory.name} ${bandwidth(memory.peak)}`;
  const radians = Math.atan2(y2 - y1, x2 - x1);
  const [middleX, middleY] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const alongX = (textWidth(text) / 2) * Math.cos(radians);
  const alongY = (textWidth(text) / 2) * Math.sin(radians);
  return {
    drawing: markup`<line class="roof" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/><text class="soft halo" x="${middleX}" y="${middleY}" dy="-7" text-anchor="middle" transform="rotate(${(radians * 180) / Math.PI} ${middleX} ${middleY})">${text}</text>`,
    obstacles: [
      ...alongLine(x1, y1, x2, y2),
      ...alongLine(middleX - alongX, middleY - 10 - alongY, middleX + alongX, middleY - 10 + alongY),
    ],
  };
}

/** The level of a kind of engine. Its name goes under the line where another roof is close above. */
function engineRoof(roof: RooflineData['roofs'][number], data: RooflineData, x: LogScale, y: LogScale): Drawn {
  const level = y(roof.peak);
  const from = x(roof.peak / data.memory.peak);
  const to = box.left + box.width;
  const text = `${roof.name} ${opsPerSecond(roof.peak)}`;
  const crowded = data.roofs.some((other) => other.peak > roof.peak && level - y(other.peak) < 22);
  return {
    drawing: markup`<line class="roof" x1="${from}" x2="${to}" y1="${level}" y2="${level}"/><text class="soft halo" x="${to - 6}" y="${crowded ? level + 15 : level - 6}" text-anchor="end">${text}</text>`,
    obstacles: [
      ...alongLine(from, level, to, level),
      { left: to - textWidth(text) - 8, top: crowded ? level + 2 : level - 18, width: textWidth(text) + 8, height: 16 },
    ],
  };
}

function leader(label: PlacedLabel): Markup | undefined {
  if (Math.abs(label.baseline - label.y) <= 22) return undefined;
  const end = label.left > label.x ? label.left - 2 : label.left + textWidth(label.text) + 2;
  return markup`<line class="leader" x1="${label.x}" y1="${label.y}" x2="${end}" y2="${label.baseline - 4}"/>`;
}

/** Points over their leaders and under their names; the first point on top. */
function labelledPoints(points: readonly RooflinePoint[], obstacles: readonly Box[], x: LogScale, y: LogScale): Markup {
  const marks = points.map((point) => ({
    ...point,
    text: ellipsis(point.name, 150),
    x: x(point.intensity),
    y: y(point.rate),
  }));
  const around = marks.map((mark) => ({ left: mark.x - 7, top: mark.y - 7, width: 14, height: 14 }));
  const labels = placeLabels(marks.slice(0, labelled), [...around, ...obstacles], box);
  const symbols = marks.map((mark) =>
    symbol(mark.kind, mark.x, mark.y, `${mark.name}\n${ratio(mark.intensity)} op/B, ${opsPerSecond(mark.rate)}`),
  );
  return markup`${labels.map(leader)}${symbols.toReversed()}${labels.map(
    (label) => markup`<text class="halo" x="${label.left}" y="${label.baseline}">${label.text}</text>`,
  )}`;
}

const intensityText = (value: number): string =>
  value >= 0.001 && value < 1e6 ? ratio(value) : value.toExponential(0);

function rateText(value: number): string {
  const scale = siScale(value, '');
  return `${inScale(value, scale)} ${scale.unit}`.trim();
}

/** Attainable operations per second against operations per byte of main memory, both axes logarithmic. */
export function rooflineChart(data: RooflineData): Markup {
  const points = data.points.filter((point) => point.intensity > 0 && point.rate > 0);
  const peaks = data.roofs.map((roof) => roof.peak);
  const intensities = [...points.map((point) => point.intensity), ...peaks.map((peak) => peak / data.memory.peak)];
  const rates = [...points.map((point) => point.rate), ...peaks];
  const x = scaleLog([Math.min(...intensities) / 3, Math.max(...intensities) * 5], [box.left, box.left + box.width]);
  const y = scaleLog([Math.min(...rates) / 3, Math.max(...rates) * 2.5], [box.top + box.height, box.top]);
  const roofs = [
    memoryRoof(data.memory, Math.max(...peaks), x, y),
    ...data.roofs.map((roof) => engineRoof(roof, data, x, y)),
  ];
  const xTicks = logTicks(x, intensityText);
  return chart(height, 'Roofline', [
    pointLegend([...new Set(points.map((point) => point.kind))]),
    axisLeft(box, logTicks(y, rateText), 'attained rate (op/s)', 56),
    gridAcross(box, xTicks),
    roofs.map((roof) => roof.drawing),
    labelledPoints(
      points,
      roofs.flatMap((roof) => roof.obstacles),
      x,
      y,
    ),
    axisBelow(box, xTicks, `operational intensity (op/B of ${data.memory.name})`),
  ]);
}
