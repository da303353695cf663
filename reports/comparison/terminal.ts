import { joules, missing, percent, ratio, seconds, squareMillimetres } from '../format.ts';
import { boundBy, type Compared, type Comparison, energyRatio, timesAsFast } from './compared.ts';

type Column = readonly [title: string, of: (row: Compared) => string, isNumber: boolean];

/** A line for each result, against the first one. With `report`, the last line says where the page is. */
export function comparisonText(
  { common, all }: Comparison,
  options: { report?: string; color?: boolean } = {},
): string {
  const first = all[0].result;
  const ofSome = (value: number, write: (value: number) => string): string => (value > 0 ? write(value) : missing);
  const columns: Column[] = [
    ['result', ({ name }) => name, false],
    ['time', ({ result }) => seconds(result.seconds), true],
    ['times as fast', ({ result }) => ratio(timesAsFast(result, first)), true],
    ['energy', ({ result }) => ofSome(result.energy.total, joules), true],
    ['of the first', ({ result }) => ratio(energyRatio(result, first)), true],
    ['area', ({ result }) => ofSome(result.area.total, squareMillimetres), true],
    ['bound by', ({ result }) => `${boundBy(result)}, ${percent(result.bottleneck.utilization)} busy`, false],
  ];
  const cells = [columns.map(([title]) => title), ...all.map((row) => columns.map(([, of]) => of(row)))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((text, at) => (columns[at]?.[2] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const styled = (code: number, text: string): string => (options.color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const title = `${all.length} results${common.length > 0 ? `   ${common.join(' ')}` : ''}`;
  const [head = '', ...rows] = lines;
  const end = options.report === undefined ? [] : ['', `report     ${options.report}`];
  return `${[styled(1, title), '', styled(2, head), ...rows, ...end].join('\n')}\n`;
}
