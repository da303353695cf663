import type { EinsumResult, MemoryResult, Result } from '../models/result.ts';

/** The memory off chip that moves most bytes; undefined when the machine has only scratchpads. */
export function mainMemory(result: Result): MemoryResult | undefined {
  const moved = (memory: MemoryResult) => memory.bytesRead + memory.bytesWritten;
  return result.memories
    .filter((memory) => memory.kind === 'memory')
    .reduce<MemoryResult | undefined>(
      (most, memory) => (most === undefined || moved(memory) > moved(most) ? memory : most),
      undefined,
    );
}

/** The tensors of an einsum's text: `AV[b,f,p] = RNV[b,f,M1,p] / RD[b,M1,p]` writes AV and reads RNV and RD. */
function tensorsOf(text: string): { written: string | undefined; read: Set<string> } {
  const [written, ...read] = [...text.matchAll(/([A-Za-z_]\w*)\s*\[/g)].map((match) => match[1]!);
  return { written, read: new Set(read) };
}

/**
 * Bytes of a memory that each einsum accounts for. A tensor's writes are charged to the einsums that write it and its
 * reads, in equal parts, to those that read it; what no einsum names is charged to none.
 */
export function bytesByEinsum(einsums: readonly EinsumResult[], memory: MemoryResult): number[] {
  const tensors = einsums.map((einsum) => tensorsOf(einsum.text));
  const bytes = einsums.map(() => 0);
  const charge = (amount: number, to: number[]) => {
    for (const index of to) bytes[index]! += amount / to.length;
  };
  for (const [tensor, moved] of Object.entries(memory.tensors)) {
    const indices = [...tensors.keys()];
    charge(
      moved.read,
      indices.filter((index) => tensors[index]!.read.has(tensor)),
    );
    charge(
      moved.written,
      indices.filter((index) => tensors[index]!.written === tensor),
    );
  }
  return bytes;
}
