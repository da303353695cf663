/** Boxes of elements of row-major tensors, and the runs of memory that they are. */
import type { Index } from './workload.ts';

/** Part of an iteration space: from and up to, by rank variable. */
export type Box = ReadonlyMap<string, readonly [from: number, to: number]>;

/** From and up to, by dimension of a tensor. */
export type Region = readonly (readonly [from: number, to: number])[];

/** What an access touches during a box that has all of its variables; beyond the edges of the tensor where it is padded. */
export function regionOf(indices: Iterable<Index>, box: Box, shape: readonly number[]): Region {
  return [...indices].map(({ terms, constant, final }, d) => {
    if (final !== null) return [shape[d]! - 1, shape[d]!];
    let from = constant;
    let last = constant;
    for (const [variable, coefficient] of terms) {
      const [low, high] = box.get(variable)!;
      from += coefficient * (coefficient < 0 ? high - 1 : low);
      last += coefficient * (coefficient < 0 ? low : high - 1);
    }
    return [from, last + 1];
  });
}

/** The part of a region that lies inside its tensor. */
export function clamp(region: Region, shape: readonly number[]): Region {
  return region.map(([from, to], d) => {
    const first = Math.min(Math.max(0, from), shape[d]!);
    return [first, Math.max(first, Math.min(to, shape[d]!))];
  });
}

/** Visits the runs of consecutive elements of a region: the position where each begins, and how many elements it has. */
export function eachRow(region: Region, visit: (position: readonly number[], count: number) => void): void {
  if (region.some(([from, to]) => from >= to)) return;
  const last = region.at(-1);
  const count = last ? last[1] - last[0] : 1;
  const position = region.map(([from]) => from);
  for (;;) {
    visit(position, count);
    let d = position.length - 2;
    for (; d >= 0; d--) {
      position[d]! += 1;
      if (position[d]! < region[d]![1]) break;
      position[d] = region[d]![0];
    }
    if (d < 0) return;
  }
}

/** Where an element is in a row-major tensor whose first one is at `origin`. */
export function offsetOf(position: readonly number[], shape: readonly number[], origin?: readonly number[]): number {
  return position.reduce((offset, i, d) => offset * shape[d]! + i - (origin?.[d] ?? 0), 0);
}
