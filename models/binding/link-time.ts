/** How long an engine's links take for what moves over them in one execution of an operation. */
import { noLink } from './gaps.ts';
import type { Topology } from './topology.ts';

/** Bytes from one part to another. */
export interface LinkLoad {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

/**
 * The link that takes longest for all of its loads in an execution of an einsum: its cycles of the engine's clock, and its
 * name. @throws BindError when there is no link.
 */
export function slowestLink(
  loads: readonly LinkLoad[],
  topology: Topology,
  einsum: string,
): { cycles: number; name: string } {
  const perLink = new Map<string, LinkLoad>();
  for (const { from, to, bytes } of loads) {
    const name = `${from} -> ${to}`;
    perLink.set(name, { from, to, bytes: bytes + (perLink.get(name)?.bytes ?? 0) });
  }
  let slowest = { cycles: 0, name: '' };
  for (const [name, { from, to, bytes }] of perLink) {
    const width = topology.width(from, to);
    if (width === null) throw noLink(einsum, from, to, topology);
    const cycles = Math.ceil(bytes / width);
    if (cycles > slowest.cycles) slowest = { cycles, name };
  }
  return slowest;
}
