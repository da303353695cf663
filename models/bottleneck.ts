/** What bounds a run. */
import type { Bottleneck, EinsumResult, EngineResult, MemoryResult } from './result.ts';

/** A part that works for this share of the run bounds it; when none does, the waits between parts are what counts. */
const bounding = 0.75;

export function bottleneckOf(
  engines: readonly EngineResult[],
  memories: readonly MemoryResult[],
  einsums: readonly EinsumResult[],
): Bottleneck {
  const computing = engines.filter((engine) => engine.kind !== 'dma');
  const engine = computing.reduce((best, e) => (e.utilization > best.utilization ? e : best));
  const main = memories.filter((memory) => memory.kind === 'memory');
  const used = (memory: MemoryResult): number => memory.bandwidth / memory.peakBandwidth;
  const memory = main.reduce<MemoryResult | null>((best, m) => (best && used(best) >= used(m) ? best : m), null);
  if (memory && used(memory) > engine.utilization && used(memory) >= bounding) {
    const total = memory.bytesRead + memory.bytesWritten;
    const shares = Object.entries(memory.tensors).map(([name, t]) => ({
      name,
      share: (used(memory) * (t.read + t.written)) / total,
    }));
    const reason = `${memory.name} moves data for ${percent(used(memory))} of the run`;
    return { part: memory.name, kind: 'memory', utilization: used(memory), shares: largestFirst(shares), reason };
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
  const reason = `no part is busy for more than ${percent(utilization)} of the run${longest && `; ${longest}`}`;
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
