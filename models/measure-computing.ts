/** What a memory that computes did, as reports see it. */
import type { ComputingMemory } from './computing-memory.ts';
import type { MemoryResult } from './result.ts';
import { pimPeak } from './serving/experts.ts';
import { pimActivityOf } from './serving/pim-activity.ts';

/** Figures of a memory of DRAM; rows that were hit are not told apart. */
export function computingFigures(
  memory: ComputingMemory,
): Pick<
  MemoryResult,
  'commands' | 'rowHits' | 'rowMisses' | 'rowConflicts' | 'averageReadLatency' | 'pim'
> {
  const { names, commands } = memory.memory;
  return {
    commands: Object.fromEntries(names.map((name, i) => [name, commands[i] ?? 0])),
    rowHits: 0,
    rowMisses: 0,
    rowConflicts: 0,
    averageReadLatency: memory.averageReadLatency,
    pim: pimActivityOf(memory.memory),
  };
}

/** Multiply-adds per second of all its units. */
export function peakOpsOf({ memory: { device, count } }: ComputingMemory): number {
  const { bytesPerSecond, tokens } = pimPeak(device, count);
  return (bytesPerSecond / 2) * tokens;
}
