/** Small machines, mappings and workloads, as a user would write them. */
import type { Arch } from '../../arch/language/arch.ts';
import { loadArch, parseArch } from '../../arch/language/load.ts';
import { loadWorkload, parseWorkload } from '../../workloads/language/load.ts';
import { type LoadedMapping, parseMapping } from '../../workloads/language/mapping.ts';
import type { LoadedWorkload } from '../../workloads/language/workload.ts';
import { type Parts, textOf } from '../workloads/cascades.ts';

/** Keys of each part beside those that it must have; a link by each line. */
export interface MachineParts {
  readonly clocks?: string;
  readonly hbm?: string;
  /** Instead of `hbm`: keys of a memory of DRAM. */
  readonly dram?: string;
  readonly buffer?: string;
  readonly array?: string;
  readonly vector?: string;
  /** Parts beside these four. */
  readonly more?: readonly string[];
  readonly links?: readonly string[];
}

const everyOperation = [
  'mac: 1, max: 1, min: 1, add: 1, exp: 6 mac, divide: 3, reciprocal: 3, log: 6, sqrt: 5, rsqrt: 5',
  'sigmoid: 8, tanh: 8, erf: 4, abs: 1, neg: 1, relu: 1',
].join(', ');

export const plainLinks = [
  'hbm <-> buffer via dma',
  'buffer <-> array',
  'buffer <-> vector',
  'array -> vector',
] as const;

/**
 * A memory of 1 byte per cycle with no latency, a wide buffer with none, an output-stationary array of 4 x 4 and a vector
 * unit of 4 lanes, all at 1 GHz: a cycle is 1000 ps.
 */
export function machineText(parts: MachineParts = {}): string {
  return [
    'machine: small',
    `clocks: { ${parts.clocks ?? 'core: 1 GHz'} }`,
    'parts:',
    `  hbm: { kind: memory, ${parts.dram ?? `capacity: 1 GiB, ${parts.hbm ?? 'bandwidth: 1 GB/s, latency: 0 ns'}`} }`,
    `  buffer: { kind: scratchpad, clock: core, ${parts.buffer ?? 'capacity: 1 MiB, width: 1 KiB, latency: 0 cycles'} }`,
    `  array: { kind: array, clock: core, ${parts.array ?? 'rows: 4, columns: 4, operations: { mac: 1 }'} }`,
    `  vector: { kind: vector, ${parts.vector ?? `clock: core, lanes: 4, operations: { ${everyOperation} }`} }`,
    ...(parts.more ?? []).map((part) => `  ${part}`),
    'links:',
    ...(parts.links ?? plainLinks).map((link) => `  - ${link}`),
  ].join('\n');
}

export function aMachine(parts: MachineParts = {}, set: readonly string[] = []): Arch {
  return parseArch(machineText(parts), 'small.yaml', { set });
}

/** Its elements are bytes; `Z[m,n] = A[m,k] * B[k,n]` unless `parts` says otherwise. */
export function aWorkload(cascade: string, parts: Parts = {}): LoadedWorkload {
  return parseWorkload(`${textOf(cascade, parts)}\ndtype: int8`, 'test.yaml');
}

/** A mapping of these lines; the first one is line 2 of its file. */
export function aMapping(...lines: string[]): LoadedMapping {
  return parseMapping(['mapping: test', ...lines].join('\n'), 'mapping.yaml');
}

export function aGemm(M: number, N: number, K: number): LoadedWorkload {
  return aWorkload('Z[m,n] = A[m,k] * B[k,n]', { ranks: `M: ${M}, N: ${N}, K: ${K}` });
}

/** A workload of workloads/ in another shape. */
export function shipped(name: string, shape: Readonly<Record<string, number>> = {}): LoadedWorkload {
  return loadWorkload(`workloads/${name}.yaml`, { shape: Object.entries(shape).map(([rank, n]) => `${rank}=${n}`) });
}

export const shippedMachines = ['flat', 'fusemax', 'gemmini', 'systolic', 'tpu-v4'] as const;

export function shippedMachine(name: string, set: readonly string[] = []): Arch {
  return loadArch(`arch/${name}.yaml`, { set });
}

/** Small shapes of every workload of workloads/, with tiles that do not divide them. */
export const smallShapes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'attention-1-pass': { B: 1, H: 2, E: 5, F: 6, P: 21, M: 24, M0: 8 },
  'attention-2-pass': { B: 1, H: 2, E: 5, F: 6, P: 21, M: 24, M0: 8 },
  'attention-3-pass': { B: 1, H: 2, E: 5, F: 6, P: 21, M: 23 },
  'attention-gqa': { G: 2, R: 3, E: 5, F: 6, P: 21, M: 24, M0: 8 },
  'attention-sliding-window': { H: 2, E: 5, F: 6, P: 21, W: 7 },
  bottleneck: { N: 1, C: 6, D: 5, P: 5 },
  'bottleneck-stride-2': { N: 1, B: 5, C: 6, D: 4, P: 3 },
  'bottleneck-widen': { N: 1, B: 3, C: 6, D: 4, P: 5 },
  'conv-chain': { C: 3, K: 5, L: 6, P1: 3, P0: 4, Q: 7 },
  'conv2d-depthwise': { N: 1, C: 5, P: 6, Q: 5 },
  'gemm-batched': { B: 3, M: 12, N: 11, K: 13 },
  'gemm-grouped': { G1: 2, M1: 9, N1: 7, K1: 5, G2: 3, M2: 4, N2: 6, K2: 8, G3: 1, M3: 3, N3: 2, K3: 7 },
  'gemm-sparse-2-4': { M: 12, N: 11, K: 18 },
  conv2d: { N: 2, C: 3, K: 20, P: 7, Q: 6 },
  'conv2d-stride-2': { N: 1, C: 3, K: 20, P: 7, Q: 6, R: 3, S: 3 },
  gemm: { M: 37, N: 35, K: 33 },
  'layer-norm': { P: 19, D: 21 },
  'mamba-scan': { B: 2, T: 9, D: 21, N: 5 },
  mlp: { N: 18, D: 20, F: 35 },
  'mlp-gated': { N: 18, D: 20, F: 35 },
  softmax: { N: 19, M: 37 },
  'transformer-encoder-layer': { P: 12, D: 12, H: 2, M0: 4 },
};

export function isAttention(workload: string): boolean {
  return workload.startsWith('attention') || workload.startsWith('transformer');
}
