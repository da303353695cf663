/** Reading a table between its rows. */

/** Two rows of a table; the same one twice where a single row says it all. */
export type Bracket<Row> = readonly [low: Row, high: Row];

/**
 * The first row that lies exactly at a position, else the rows on both sides of it, else (outside the table) the two
 * nearest to it. A table of one position has only that.
 * @throws Error on a table without rows.
 */
export function bracket<Row>(rows: Iterable<Row>, x: (row: Row) => number, at: number): Bracket<Row> {
  const first = new Map<number, Row>();
  for (const row of rows) if (!first.has(x(row))) first.set(x(row), row);
  const exact = first.get(at);
  if (exact !== undefined) return [exact, exact];
  const sorted = [...first.values()].sort((a, b) => x(a) - x(b));
  if (sorted.length === 0) throw new Error('there is nothing to interpolate between');
  const above = sorted.findIndex((row) => x(row) > at);
  const high = Math.max(1, above === -1 ? sorted.length - 1 : above);
  return [sorted[high - 1]!, sorted[high] ?? sorted[0]!];
}

/** What a straight line through the rows gives at a position; never less than zero. */
export function onLine<Row>(
  [low, high]: Bracket<Row>,
  x: (row: Row) => number,
  y: (row: Row) => number,
  at: number,
): number {
  if (low === high) return y(low);
  const slope = (y(high) - y(low)) / (x(high) - x(low));
  return Math.max(0, y(low) + slope * (at - x(low)));
}

/**
 * What a power law through the rows gives at a position: a straight line of log(y) over log(x). Positions are positive.
 * Rows that hold a zero have no logarithm and are joined by a straight line instead.
 */
export function onPowerLaw<Row>(
  rows: Bracket<Row>,
  x: (row: Row) => number,
  y: (row: Row) => number,
  at: number,
): number {
  const [low, high] = rows;
  if (low === high || y(low) <= 0 || y(high) <= 0) return onLine(rows, x, y, at);
  const exponent = Math.log(y(high) / y(low)) / Math.log(x(high) / x(low));
  return y(low) * (at / x(low)) ** exponent;
}

/** The value nearest to a wanted one; of two equally near, the smaller. There is at least one. */
export function nearestTo(wanted: number, values: Iterable<number>): number {
  return [...values].sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b)[0]!;
}
