/** What bounds a run. */
import type { Bottleneck, EinsumResult, EngineResult } from './result.ts';

/** A part that works for this share of the run bounds it; when none does, the waits between parts are what counts. */
const bounding = 0.75;

/** What moves data: a memory, a scratchpad, a dma or a link of its own. */
export interface Mover {
  readonly name: string;
  /** Fraction of the run that it takes to move its bytes at its peak; of DRAM, in which something is under way. */
  readonly used: number;
  /** What it does in that time: `moves data`. */
  readonly does: string;
  /** Bytes read and written by tensor. */
  readonly tensors: ReadonlyMap<string, number>;
}

/** Of movers that are used alike, the first counts: memories come before what leads to them. */
export function bottleneckOf(
  engines: readonly EngineResult[],
  movers: readonly Mover[],
  einsums: readonly EinsumResult[],
): Bottleneck {
  const computing = engines.filter((engine) => engine.kind !== 'dma');
  const engine = computing.reduce((best, e) => (e.utilization > best.utilization ? e : best));
  const mover = movers.reduce<Mover | null>((best, m) => (best && best.used >= m.used ? best : m), null);
  if (mover && mover.used > engine.utilization && mover.used >= bounding) {
    const total = [...mover.tensors.values()].reduce((sum, bytes) => sum + bytes, 0);
    const shares = [...mover.tensors].map(([name, bytes]) => ({ name, share: (mover.used * bytes) / total }));
    const reason = `${mover.name} ${mover.does} for ${percent(mover.used)} of the run`;
    return { part: mover.name, kind: 'memory', utilization: mover.used, shares: largestFirst(shares), reason };
  }
  const shares = largestFirst(
    einsums.filter((e) => e.engine === engine.name).map((e) => ({ name: e.name, share: e.busy / engine.cycles })),
  );
  const { utilization, name } = engine;
  if (utilization >= bounding) {
    return { part: name, kind: 'compute', utilization, shares, reason: waitForIt(name, computing) };
  }
  const wait = engine.waits[0];
  const longest = wait
    ? `${name} waits ${percent(wait.cycles / engine.cycles)} of the run for ${wait.tensor} of ${wait.part}`
    : '';
  const most = Math.max(utilization, mover?.used ?? 0);
  const reason = `no part is busy for more than ${percent(most)} of the run${longest && `; ${longest}`}`;
  return { part: name, kind: 'dependencies', utilization, shares, reason };
}

/** Who waits longest for the part that bounds the run. */
function waitForIt(part: string, engines: readonly EngineResult[]): string {
  const waits = engines.flatMap(({ name, cycles, waits }) =>
    waits
      .filter((wait) => wait.part === part && name !== part)
      .map((wait) => ({ ...wait, name, share: wait.cycles / cycles })),
  );
  if (waits.length === 0) return 'no other part waits for it';
  const { name, share, tensor } = waits.reduce((a, b) => (b.share > a.share ? b : a));
  return `${name} waits ${percent(share)} of the run for its ${tensor}`;
}

function largestFirst<T extends { share: number; name: string }>(shares: T[]): T[] {
  return shares.sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
