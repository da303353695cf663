/** Axes of a study's charts: numbers on a linear or a logarithmic scale, or words. */
import { format } from 'd3-format';
import { scaleLinear, scaleLog, scalePoint } from 'd3-scale';
import type { Value } from '../../models/study/definition.ts';
import { type Tick, textWidth } from '../charts/frame.ts';
import { siScale } from '../format.ts';
import { figureText, prefixless } from './columns.ts';

export interface Axis {
  /** Pixels; NaN where a value has no place, such as 0 on a logarithmic scale. */
  readonly at: (value: Value) => number;
  readonly ticks: Tick[];
  /** The name, and the unit of its ticks. */
  readonly label: string;
}

export interface AxisOptions {
  readonly name: string;
  readonly unit: string;
  readonly log: boolean;
  /** Whether the axis begins at 0 where no value is less. */
  readonly fromZero: boolean;
  /** Ticks at the values themselves, where there is room. */
  readonly exact: boolean;
}

type Range = readonly [number, number];

/** An axis that has all of the values, from `range[0]` to `range[1]`. */
export function axisOf(values: readonly Value[], range: Range, options: AxisOptions): Axis {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length < values.length) return wordAxis(values, range, options.name);
  const positive = numbers.filter((value) => value > 0);
  if (options.log && positive.length > 0) return logAxis(positive, range, options);
  return linearAxis(numbers, range, options);
}

const labelOf = (name: string, unit: string): string => (unit === '' ? name : `${name} (${unit})`);

function wordAxis(values: readonly Value[], range: Range, name: string): Axis {
  const words = [...new Set(values.map(String))];
  const scale = scalePoint(words, range).padding(0.5);
  const at = (value: Value): number => scale(String(value)) ?? Number.NaN;
  return { at, ticks: words.map((text) => ({ at: at(text), text })), label: name };
}

/** `1 Ki`, `2.5k`, `0.001`: a number on an axis. */
export function tickText(value: number): string {
  const binary = [2 ** 30, 2 ** 20, 2 ** 10].find((step) => value >= step && Number.isInteger(Math.log2(value)));
  if (binary !== undefined) return `${value / binary} ${binary === 2 ** 10 ? 'Ki' : binary === 2 ** 20 ? 'Mi' : 'Gi'}`;
  if (value !== 0 && Math.abs(value) < 1e-3) return format('.3~e')(value);
  return format(Math.abs(value) < 1e4 ? '.4~r' : '.4~s')(value);
}

/** The values as ticks; null when they are too many, or too near to one another. */
function exactTicks(values: readonly number[], at: (value: number) => number): Tick[] | null {
  const ticks = [...new Set(values)].map((value) => ({ at: at(value), text: tickText(value) }));
  const sorted = ticks.toSorted((a, b) => a.at - b.at);
  const room = (a: Tick, b: Tick): boolean => b.at - a.at > (textWidth(a.text) + textWidth(b.text)) / 2 + 8;
  return sorted.length <= 12 && sorted.every((tick, i) => i === 0 || room(sorted[i - 1] as Tick, tick)) ? ticks : null;
}

/** Ticks at most, for a length in pixels. */
const tickCount = (range: Range): number => Math.max(2, Math.round(Math.abs(range[1] - range[0]) / 64));

function logAxis(values: readonly number[], range: Range, { name, unit, exact }: AxisOptions): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high / low) ** 0.04 * 1.05;
  const scale = scaleLog([low / room, high * room], range);
  const at = (value: Value): number => (Number(value) > 0 ? scale(Number(value)) : Number.NaN);
  const own = exact ? exactTicks(values, at) : null;
  if (own) return { at, ticks: own, label: labelOf(name, unit) };
  const ticks = logSteps(low / room, high * room, tickCount(range));
  return { at, ticks: ticks.map((value) => ({ at: at(value), text: stepText(value, unit) })), label: name };
}

/** A tick with its own unit, as a logarithmic axis goes from one prefix to the next. */
const stepText = (value: number, unit: string): string =>
  unit === ''
    ? tickText(value)
    : figureText(value, unit)
        .replace(/(\.\d*?)0+(?=\s)/, '$1')
        .replace(/\.(?=\s)/, '');

/** Powers of ten; with 2 and 5 times them where those would be few, and only some of them where they would be many. */
function logSteps(low: number, high: number, most: number): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
  const within = (steps: readonly number[]): number[] => steps.filter((step) => step >= low && step <= high);
  const whole = within(decades);
  if (whole.length > most) return whole.filter((_, i) => i % Math.ceil(whole.length / most) === 0);
  if (whole.length > 2) return whole;
  const finer = within(decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]));
  return finer.length >= 2 ? finer : scaleLinear([low, high], [0, 1]).ticks(3);
}

function linearAxis(values: readonly number[], range: Range, { name, unit, fromZero, exact }: AxisOptions): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  const isFromZero = fromZero && low >= 0;
  const domain = isFromZero ? [0, high > 0 ? high * 1.04 : 1] : [low - margin, high + margin];
  const scale = scaleLinear(domain, range);
  const at = (value: Value): number => scale(Number(value));
  const own = exact ? exactTicks(values, at) : null;
  if (own) return { at, ticks: own, label: labelOf(name, unit) };
  const base = prefixless(unit);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const shown = base ? siScale(largest * base.factor, base.unit) : { divisor: 1, unit };
  const divisor = shown.divisor / (base?.factor ?? 1);
  const scaled = scaleLinear([(domain[0] ?? 0) / divisor, (domain[1] ?? 1) / divisor], range);
  const ticks = scaled.ticks(tickCount(range)).map((value) => ({ at: scaled(value), text: tickText(value) }));
  return { at, ticks, label: labelOf(name, shown.unit) };
}
