/** A graph on an RDU, and what studies want to know of its run. */
import { type Arch, type DataflowGraph, type DataflowMapping, runGraph } from '../../../index.ts';

export interface Inputs {
  readonly arch: Arch;
  readonly graph: DataflowGraph;
  readonly mapping: DataflowMapping;
}

export interface Measured {
  readonly flops: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly kernels: number;
  /** Of the memory, in bytes per second. */
  readonly peak: number;
}

/** @throws InputError as `runGraph` does */
export function measure({ arch, graph, mapping }: Inputs): Measured {
  const { flops, bytesRead, bytesWritten, seconds, kernels, device } = runGraph(arch, graph, mapping);
  return { flops, bytes: bytesRead + bytesWritten, seconds, kernels, peak: device.memory.bandwidth };
}
