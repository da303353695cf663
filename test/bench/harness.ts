/** Measures CPU time. A section of the benchmark is a file beside this one that exports `section`. */

export interface Row {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** What the figure should reach, or stay below. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number };
  /** What others reach, with their name. */
  readonly peer?: string;
}

export interface Section {
  readonly title: string;
  readonly rows: () => readonly Row[];
}

/**
 * CPU seconds, of all threads, that a piece of work takes: the median of `repeats` runs after one that warms up.
 * `prepare` is called before each run and not counted; it returns the work.
 */
export function cpuSeconds(prepare: () => () => void, repeats = 5): number {
  prepare()();
  const seconds = Array.from({ length: repeats }, () => {
    const work = prepare();
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return seconds.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
}

/** Columns: name, figure, unit, target, peer. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [row.name, figure(row.figure), row.unit, verdict(row), row.peer ?? '']);
  const cells = [['', 'figure', 'unit', 'target', 'peer'], ...lines];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const pad = (cell: string, column: number) =>
    column === 1 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return cells.map((line) => `  ${line.map(pad).join('  ')}`.trimEnd()).join('\n');
}

function figure(n: number): string {
  return n.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function verdict({ figure: value, target }: Row): string {
  if (target === undefined) return '';
  const [sign, limit, met] =
    'atLeast' in target ? ['≥', target.atLeast, value >= target.atLeast] : ['≤', target.atMost, value <= target.atMost];
  return `${sign} ${figure(limit)} ${met ? 'met' : 'MISSED'}`;
}
