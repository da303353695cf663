/** What a memory that computes did, as reports see it. */
import type { ComputingMemory } from './computing-memory.ts';
import type { MemoryResult, Series } from './result.ts';
import { pimPeak } from './serving/experts.ts';
import { pimActivityOf, pimBandwidth } from './serving/pim-activity.ts';

/** Figures of a memory of DRAM; rows that were hit are not told apart. */
export function computingFigures(
  memory: ComputingMemory,
): Pick<MemoryResult, 'commands' | 'rowHits' | 'rowMisses' | 'rowConflicts' | 'averageReadLatency' | 'pim'> {
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

/** Adds what was written of vectors to the bytes of tensors. */
export function addVectors({ vectors }: ComputingMemory, tensors: MemoryResult['tensors']): void {
  for (const [tensor, bytes] of vectors) {
    tensors[tensor] ??= { read: 0, written: 0 };
    tensors[tensor].written += bytes;
  }
}

/** Bytes over time. Those that were asked for are spread evenly over the accesses that it took, which move whole columns. */
export function computingBandwidth({ name, memory, bytesRead, bytesWritten }: ComputingMemory): Series {
  const series = pimBandwidth(name, memory);
  const moved = series.values.reduce((sum, value) => sum + value, 0) * series.bin;
  const share = moved > 0 ? (bytesRead + bytesWritten) / moved : 0;
  return { ...series, values: series.values.map((value) => value * share) };
}
