/** Iterations between those that were measured. */

/** What an iteration of so many requests that see so many tokens each takes. */
export interface Measured {
  readonly batch: number;
  readonly context: number;
  readonly seconds: number;
}

/**
 * Seconds of a batch: linear in its context, and between the nearest batches; below the least and beyond the largest batch as
 * between the nearest two. Every batch needs two contexts, and there must be two batches.
 */
export function secondsOf(measured: readonly Measured[], batch: number, context: number): number {
  const sizes = [...new Set(measured.map((one) => one.batch))].sort((a, b) => a - b);
  const points = sizes.map((size): readonly [number, number] => {
    const own = measured.filter((one) => one.batch === size);
    return [
      size,
      line(
        own.map((one) => [one.context, one.seconds] as const),
        context,
      ),
    ];
  });
  return line(points, batch);
}

/** On the line through the points next to x. */
function line(points: readonly (readonly [x: number, y: number])[], x: number): number {
  const above = points.findIndex(([other]) => other >= x);
  const last = above < 0 ? points.length - 1 : Math.max(1, above);
  const [from, to] = [points[last - 1], points[last]];
  if (!from || !to) throw new RangeError('a line needs two points');
  return from[1] + ((to[1] - from[1]) * (x - from[0])) / (to[0] - from[0]);
}
