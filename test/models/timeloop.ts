/** Timeloop's problems, machines and mappings as Clockwright's files. */
import { readFileSync } from 'node:fs';
import { Map as ImmutableMap, List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import { parseArch } from '../../arch/language/load.ts';
import { partAt } from '../../arch/language/parts.ts';
import { MemoryRow, RegisterRow, SramRow, Technology, UnitRow } from '../../arch/language/technology.ts';
import type { Result } from '../../models/result.ts';
import { simulate } from '../../models/simulate.ts';
import { parseWorkload } from '../../workloads/language/load.ts';
import { parseMapping } from '../../workloads/language/mapping.ts';

export const roles = ['memory', 'scratchpad', 'registers'] as const;
export type Role = (typeof roles)[number];

/**
 * One level of storage: words per instance by tensor, and pJ of all instances; the energies of reading, of writing and of
 * leaking in a cycle are in pJ, the first two of `block` words.
 */
export interface Level {
  readonly name: string;
  readonly instances: number;
  readonly block: number;
  readonly read: number;
  readonly write: number;
  readonly leak: number;
  readonly tensors: {
    readonly [tensor: string]: {
      readonly held: number;
      readonly reads: number;
      readonly fills: number;
      readonly updates: number;
      readonly energy: number;
    };
  };
}

/** What Timeloop printed for one mapping. */
export type Printed = { readonly [role in Role]?: Level } & {
  readonly name: string;
  readonly nest: readonly string[];
  readonly cycles: number;
  readonly computes: number;
  readonly femtojoulesPerCompute: number;
  readonly mac: { readonly energy: number; readonly total: number };
};

export interface Case {
  readonly machine: string;
  readonly workload: string;
  readonly mapping: readonly string[];
  /** Part of our machine by what it is. */
  readonly parts: { readonly [role in Role]: string };
  readonly result: string;
  /** PEs that share a sum. */
  readonly across: number;
  readonly bits: number;
}

const file = new URL('../fixtures/timeloop.json', import.meta.url);
export const printed = (JSON.parse(readFileSync(file, 'utf8')) as { cases: Printed[] }).cases;

interface MachineOptions {
  readonly memory?: string;
  readonly words?: number;
}

/** Where Timeloop knows no limit, a tile passes in a cycle. Two tiles fit the buffer, one in use and one on its way. */
const noLimit = 'bandwidth: 1 PB/s, latency: 0 ns';
const buffer = (width: string): string => `kind: scratchpad, capacity: 256 KiB, width: ${width}, latency: 0 cycles`;

function grid({ memory = noLimit, words = 32 }: MachineOptions = {}): string {
  return `
machine: grid
clocks: { core: 1 GHz }
parts:
  memory: { kind: memory, ${memory}, capacity: 16 GiB, technology: DRAM }
  buffer: { ${buffer('16 B')}, banks: 1 Mi }
  array:
    { kind: array, rows: 16, columns: 16, feed: broadcast, operations: { mac: 1 }, registers: ${words} x int16,
      reduce: { along: columns, latency: 0 cycles per row } }
links:
  - memory <-> buffer via dma
  - buffer <-> array
`;
}

const lane = `
machine: lane
clocks: { core: 1 GHz }
parts:
  memory: { kind: memory, ${noLimit}, capacity: 1 GiB, technology: DRAM }
  buffer: { ${buffer('8 B')}, banks: 1 Mi }
  lane: { kind: vector, lanes: 1, operations: { mac: 1 }, registers: 64 x int8 }
links:
  - memory <-> buffer via dma
  - buffer <-> lane
`;

const tiles = `
machine: tiles
clocks: { core: 1 GHz }
parts:
  memory: { kind: memory, ${noLimit}, capacity: 1 GiB, technology: DRAM }
  tile:
    count: 16
    parts:
      buffer: { ${buffer('8 B')}, banks: 1 Mi }
      lane: { kind: vector, lanes: 1, operations: { mac: 1 }, registers: 64 x int8 }
    links:
      - buffer <-> lane
links:
  - memory <-> tile.buffer via dma
`;

const fusemax = `
machine: fusemax-2d
clocks: { core: 1 GHz }
parts:
  memory: { kind: memory, ${noLimit}, capacity: 16 GiB, technology: DRAM }
  buffer: { kind: scratchpad, capacity: 16 MiB, width: 512 B, banks: 1 Mi, latency: 0 cycles }
  array:
    { kind: array, rows: 256, columns: 256, feed: broadcast, operations: { mac: 1 }, registers: 16 x int16 }
  vector: { kind: vector, lanes: 256, operations: { max: 1 } }
links:
  - memory <-> buffer via dma
  - buffer <-> array
  - buffer <-> vector
  - array -> vector
`;

function gemm(M: number, N: number, K: number): string {
  return `
workload: gemm
dtype: int16
ranks: { M: ${M}, N: ${N}, K: ${K} }
inputs: A[m,k]  B[k,n]
output: Z[m,n]
cascade: Z[m,n] = A[m,k] * B[k,n]
`;
}

function conv2d(ranks: string): string {
  return `
workload: conv
dtype: int16
ranks: { ${ranks} }
inputs: Inputs[c,p+r,q+s]  Weights[c,k,r,s]
output: Outputs[k,p,q]
cascade: Outputs[k,p,q] = Inputs[c,p+r,q+s] * Weights[c,k,r,s]
`;
}

/** With or without ranks of input and output channels. */
function conv1d(ranks: string, c = '', k = ''): string {
  return `
workload: conv1d
dtype: int8
ranks: { ${ranks} }
inputs: Inputs[${c}p+r]  Weights[${c}${k}r]
output: Outputs[${k}p]
cascade: Outputs[${k}p] = Inputs[${c}p+r] * Weights[${c}${k}r]
`;
}

const onGrid = {
  machine: grid(),
  parts: { memory: 'memory', scratchpad: 'buffer', registers: 'array' },
  across: 16,
  bits: 16,
} as const;
const onLane = {
  machine: lane,
  parts: { memory: 'memory', scratchpad: 'buffer', registers: 'lane' },
  result: 'Outputs',
  across: 1,
  bits: 8,
} as const;

const sums = 'place: { array: { einsums: Z, rows: k, columns: n } }';
const filters = 'place: { array: { einsums: Outputs, rows: c, columns: k } }';
const serial = 'place: { lane: { einsums: Outputs } }';
const weightStationary = ['partition: { N: [N2, N0 64], K: [K2, K0 64] }', 'loops: [n2, k2]', sums];
const threeLevels: Case = {
  ...onLane,
  workload: conv1d('K: 32, R: 3, P: 16', '', 'k,'),
  mapping: ['partition: { K: [K1, K0 2] }', 'loops: [k1]', serial],
};

/**
 * Loops over DRAM and loops over the buffer are the nest's where a tile of the next level changes with them; what is
 * left of them is inside the tile, as folds. Registers keep what an operation uses again.
 */
export const cases: { readonly [name: string]: Case } = {
  conv_1x1_util50: {
    ...onGrid,
    workload: conv2d('C: 8, K: 16, R: 1, S: 1, P: 14, Q: 14'),
    mapping: ['loops: []', filters],
    result: 'Outputs',
    across: 8,
  },
  conv_ws_3x3: {
    ...onGrid,
    workload: conv2d('C: 16, K: 32, R: 3, S: 3, P: 14, Q: 14'),
    mapping: ['partition: { K: [K1, K0 16] }', 'loops: [k1, r, s]', 'hold: Inputs', filters],
    result: 'Outputs',
  },
  conv_ws_3x3_tiled: {
    ...onGrid,
    machine: grid({ words: 64 }),
    workload: conv2d('C: 64, K: 64, R: 3, S: 3, P: 28, Q: 28'),
    mapping: [
      'partition: { C: [C2, C1 2, C0 16], K: [K2, K1 2, K0 16] }',
      'loops: [c2, k2, c1, k1, s, r]',
      'hold: Inputs',
      filters,
    ],
    result: 'Outputs',
  },
  gemm_os_256: {
    ...onGrid,
    workload: gemm(256, 256, 256),
    mapping: [
      'partition: { M: [M2, M0 64], N: [N2, N0 64] }',
      'loops: [m2, n2]',
      'place: { array: { einsums: Z, rows: m, columns: n } }',
    ],
    result: 'Z',
    across: 1,
  },
  gemm_ws_256: { ...onGrid, workload: gemm(256, 256, 256), mapping: weightStationary, result: 'Z' },
  gemm_ws_256_bw: {
    ...onGrid,
    machine: grid({ memory: 'bandwidth: 8 GB/s, latency: 0 ns' }),
    workload: gemm(256, 256, 256),
    mapping: weightStationary,
    result: 'Z',
  },
  gemm_ws_rf_reuse: {
    ...onGrid,
    workload: gemm(128, 128, 128),
    mapping: ['partition: { N: [N2, N0 64] }', 'loops: [n2]', sums],
    result: 'Z',
  },
  gemm_ws_skinny: { ...onGrid, workload: gemm(16, 512, 512), mapping: weightStationary, result: 'Z' },
  fusemax_qk: {
    machine: fusemax,
    workload: `
workload: scores
dtype: int16
ranks: { B: 64, H: 16, E: 256, M: 4096, P: 4096 }
inputs: Q[b,h,e,p]  BK[b,h,e,m]
output: GM[b,h,p]
cascade: |
  QK[b,h,m,p] = Q[b,h,e,p] * BK[b,h,e,m]
  GM[b,h,p]   = max(m) QK[b,h,m,p]
`,
    mapping: [
      'partition: { M: [M1, M0 256], P: [P1, P0 256] }',
      'loops: [b, h, m1, p1]',
      'place: { array: { einsums: QK, rows: m0, columns: p0 }, vector: { einsums: GM, lanes: p0 } }',
      'hold: Q',
    ],
    parts: onGrid.parts,
    result: 'QK',
    across: 1,
    bits: 16,
  },
  '00-model-conv1d-1level': { ...onLane, workload: conv1d('R: 3, P: 16'), mapping: ['loops: []', serial] },
  '01-model-conv1d-2level/os': { ...onLane, workload: conv1d('R: 3, P: 16'), mapping: ['loops: []', serial] },
  '01-model-conv1d-2level/ws': { ...onLane, workload: conv1d('R: 3, P: 16'), mapping: ['loops: []', serial] },
  '02-model-conv1d+oc-2level/no-tiling': { ...threeLevels, mapping: ['loops: [k]', serial] },
  '02-model-conv1d+oc-2level/tiling': threeLevels,
  '03-model-conv1d+oc-3level/no-bypass': threeLevels,
  '03-model-conv1d+oc-3level/bypass': {
    ...threeLevels,
    mapping: ['loops: [k, p, r]', 'hold: [Inputs, Weights]', serial],
  },
  '05-mapper-conv1d+oc-3level/baked': threeLevels,
  '05-mapper-conv1d+oc-3level/freebypass': threeLevels,
  '04-model-conv1d+oc-3levelspatial/kp': {
    ...onLane,
    machine: tiles,
    workload: conv1d('C: 32, K: 32, R: 3, P: 16', 'c,', 'k,'),
    mapping: ['loops: [c, k]', 'hold: Inputs', 'cores: { tile: k }', 'place: { tile.lane: { einsums: Outputs } }'],
    parts: { memory: 'memory', scratchpad: 'tile.buffer', registers: 'tile.lane' },
  },
};

/** Runs a case with the energies of Timeloop's table. */
export function run(theirs: Printed): Result {
  const { machine, workload, mapping } = cases[theirs.name]!;
  const arch = parseArch(machine, 'machine.yaml');
  return simulate({
    arch: arch.set('technology', technologyOf(theirs, cases[theirs.name]!, arch)),
    workload: parseWorkload(workload, 'workload.yaml'),
    mapping: parseMapping(['mapping: timeloop', ...mapping].join('\n'), 'mapping.yaml'),
  });
}

const picojoule = 1e-12;

function technologyOf({ mac, memory, scratchpad, registers }: Printed, { parts, bits }: Case, arch: Arch): Technology {
  const energies = ({ read, write }: Level) => ({ read: read * picojoule, write: write * picojoule });
  const pad = partAt(arch, parts.scratchpad);
  const engine = partAt(arch, parts.registers);
  if (pad?.kind !== 'scratchpad' || engine === undefined || !('registers' in engine) || engine.registers === null) {
    throw new Error('a machine of these has a scratchpad and registers');
  }
  const { capacity, width, banks } = pad;
  const { words } = engine.registers;
  const perBit = memory ? (memory.read * picojoule) / (memory.block * bits) : 0;
  return new Technology({
    name: 'timeloop',
    word: bits,
    units: ImmutableMap({ mac: new UnitRow({ energy: mac.energy * picojoule }) }),
    registers: registers ? List([new RegisterRow({ words, bits, ...energies(registers) })]) : List(),
    sram: scratchpad ? List([new SramRow({ capacity, width, banks, ...energies(scratchpad) })]) : List(),
    memory: ImmutableMap({ DRAM: new MemoryRow({ perBit }) }),
  });
}
