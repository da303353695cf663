/** The columns of a study's rows, and how their figures are written. */
import { format } from 'd3-format';
import type { Value } from '../../models/study/definition.ts';
import type { StudyReport } from '../../models/study/report.ts';
import type { StudyRow } from '../../models/study/run.ts';
import { missing } from '../format.ts';

/** Units that take prefixes: 2.014 ms. Others are written as they are: 31.2 mm². */
const prefixed = /^(s|J|W|Hz|B|B\/s|bit\/s|op|op\/s|op\/J|flop|flop\/s|FLOP|FLOP\/s)$/;

const prefixes: { readonly [prefix: string]: number } = { p: 1e-12, n: 1e-9, µ: 1e-6, u: 1e-6, m: 1e-3 };

/** A unit without its prefix, and how much of that it is, where figures in it are written with whatever prefix suits; else null. */
export function prefixless(unit: string): { readonly unit: string; readonly factor: number } | null {
  if (prefixed.test(unit)) return { unit, factor: 1 };
  const factor = prefixes[unit.slice(0, 1)];
  return factor !== undefined && /^[sJW]$/.test(unit.slice(1)) ? { unit: unit.slice(1), factor } : null;
}

/** Four digits; whole numbers with all of theirs. With `unit`, it is part of the text. */
export function figureText(value: number | null | undefined, unit = ''): string {
  if (value === null || value === undefined) return missing;
  const base = prefixless(unit);
  if (value !== 0 && base !== null) {
    return format('.4s')(value * base.factor).replace(/[a-zµ]?$/i, (prefix) => ` ${prefix}${base.unit}`);
  }
  return unit === '' ? plain(value) : `${plain(value)} ${unit}`;
}

function plain(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return format(',d')(value);
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return format('.3~e')(value);
  return format(size >= 1e4 ? ',.0f' : '.4~r')(value);
}

export interface Column {
  readonly name: string;
  readonly unit: string;
  readonly isNumber: boolean;
  /** What it has in a row; undefined where the row has nothing of it. */
  readonly of: (row: StudyRow) => Value | null | undefined;
  /** As people read it. */
  readonly text: (row: StudyRow) => string;
}

/** Parameters, then metrics. */
export function columnsOf({ parameters, metrics, units }: StudyReport): Column[] {
  return [
    ...parameters.map(({ name, values }): Column => {
      const of = ({ point }: StudyRow): Value | undefined => point[name];
      const isNumber = values.every((value) => typeof value === 'number');
      const unit = units[name] ?? '';
      return { name, unit, isNumber, of, text: (row) => valueText(of(row), unit) };
    }),
    ...metrics.map((name): Column => {
      const of = (row: StudyRow): number | null | undefined =>
        'metrics' in row ? (row.metrics[name] ?? null) : undefined;
      const unit = units[name] ?? '';
      return { name, unit, isNumber: true, of, text: (row) => figureText(of(row), unit) };
    }),
  ];
}

/** A value of a parameter, or a figure. */
function valueText(value: Value | null | undefined, unit = ''): string {
  return typeof value === 'number' || value === null || value === undefined ? figureText(value, unit) : String(value);
}

/** The measured figure of a claim, or its target, with enough digits to be told from one another. */
export const claimFigure = (value: number | null): string => figureText(value);

/** +1.2 %, of a fraction. */
export function errorText(error: number | null): string {
  if (error === null) return missing;
  const percent = error * 100;
  return `${format(Math.abs(percent) < 10 ? '+.2f' : '+,.0f')(percent)} %`.replace('\u2212', '-');
}

export function holdsText(holds: boolean | null): string {
  if (holds === null) return 'not measured';
  return holds ? 'yes' : 'no';
}
