/** What a memory that computes did, as reports see it. */
import { ComputingMemory } from './computing-memory.ts';
import type { RunRecord } from './machine.ts';
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

/** Multiply-adds per second of all units of a memory; 0 for what does not compute. */
export function peakOpsOf(port: unknown): number {
  if (!(port instanceof ComputingMemory)) return 0;
  const { device, count } = port.memory;
  const { bytesPerSecond, tokens } = pimPeak(device, count);
  return (bytesPerSecond / 2) * tokens;
}

/** Cycles per second of memories that multiplied, by their names. */
export function memoryClocks({ engines }: RunRecord): { [name: string]: number } {
  const clocks = engines.filter(({ kind }) => kind === 'pim').map(({ clock }) => clock);
  return Object.fromEntries(clocks.map(({ name, hertz }) => [name, hertz]));
}

/** Matrices that leave channels or banks of their memory without work. */
export function lossesOf({ ports }: RunRecord): string[] {
  return [...ports.values()].flatMap((port) => (port instanceof ComputingMemory ? port.losses : []));
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
