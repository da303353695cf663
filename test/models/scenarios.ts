/** Random small machines, workloads and mappings, as the texts of their files. */
import fc from 'fast-check';
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { parseArch } from '../../arch/language/load.ts';
import { bind } from '../../models/binding/bind.ts';
import type { Program } from '../../models/binding/program.ts';
import { parseWorkload } from '../../workloads/language/load.ts';
import { type LoadedMapping, parseMapping } from '../../workloads/language/mapping.ts';
import {
  accessesOf,
  type Einsum,
  einsumsOf,
  type LoadedWorkload,
  variablesOf,
} from '../../workloads/language/workload.ts';
import { textOf } from '../workloads/cascades.ts';
import { machineText } from './machines.ts';

/** The files of one run. */
export interface Scenario {
  readonly machine: string;
  readonly workload: string;
  /** Null: the default binding. */
  readonly mapping: string | null;
}

export interface Loaded {
  readonly arch: Arch;
  readonly workload: LoadedWorkload;
  readonly mapping: LoadedMapping | null;
}

export function load({ machine, workload, mapping }: Scenario): Loaded {
  return {
    arch: parseArch(machine, 'machine.yaml'),
    workload: parseWorkload(workload, 'workload.yaml'),
    mapping: mapping === null ? null : parseMapping(mapping, 'mapping.yaml'),
  };
}

/** The program of a scenario; null where the binder says why it cannot be. */
export function tryBind({ arch, workload, mapping }: Loaded): Program | null {
  try {
    return bind(arch, workload, mapping);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

export interface ScenarioOptions {
  /** Rates of clocks to draw from, each as it is written. */
  readonly clocks?: readonly string[];
}

export function scenarios({ clocks = ['1 GHz'] }: ScenarioOptions = {}): fc.Arbitrary<Scenario> {
  return fc.gen().map((generate) => {
    const draw = new Draw((min, max) => generate(fc.integer, { min, max }));
    const machine = drawMachine(draw, clocks);
    const workload = drawWorkload(draw);
    const mapping = draw.chance(4) ? null : drawMapping(draw, parseWorkload(workload, 'workload.yaml'));
    return { machine, workload, mapping };
  });
}

class Draw {
  readonly from: (min: number, max: number) => number;

  constructor(from: (min: number, max: number) => number) {
    this.from = from;
  }

  /** True once in `n` times. */
  chance(n: number): boolean {
    return this.from(1, n) === n;
  }

  one<T>(items: readonly T[]): T {
    return items[this.from(0, items.length - 1)]!;
  }

  some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.chance(2));
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.from(0, left.length - 1), 1)[0]!);
  }
}

function drawMachine(draw: Draw, clocks: readonly string[]): string {
  const names = clocks.length === 1 ? ['core'] : ['core', 'other'];
  const clock = (): string => draw.one(names);
  const operations = (): string => {
    const costs = ['mac', 'max', 'add'].map((name) => `${name}: ${draw.from(1, 2)}`);
    const deep = ['exp', 'divide', 'rsqrt', 'erf'].map((name) => {
      const cycles = draw.from(1, 3);
      return `${name}: { cycles: ${cycles}, depth: ${cycles + draw.from(0, 4)} }`;
    });
    return `operations: { ${[...costs, ...deep].join(', ')} }`;
  };
  const reduce = draw.one([
    '',
    `reduce: { along: columns, latency: ${draw.from(0, 2)} cycles per row },`,
    `reduce: { along: rows, latency: ${draw.from(0, 2)} cycles per column },`,
  ]);
  const count = (): string => (draw.chance(5) ? 'count: 2, ' : '');
  const rate = (): string => draw.one(['', '', `${draw.from(1, 24)} B/cycle`, '1.7 GB/s']);
  const scratchpad = (): string =>
    [
      `capacity: ${draw.one(['300 B', '1 KiB', '64 KiB', '64 KiB'])}, banks: ${draw.from(1, 3)}, ports: ${draw.from(1, 2)}`,
      `width: ${draw.from(1, 24)} B, latency: ${draw.from(0, 4)} cycles`,
    ].join(', ');
  const way = draw.one(['dma', 'dma', 'mover', 'wires']);
  const ways: Readonly<Record<string, string>> = {
    mover: `mover: { kind: dma, clock: ${clock()}, setup: ${draw.from(0, 5)} cycles, bandwidth: ${draw.from(1, 16)} B/cycle }`,
    wires: `wires: { kind: link, clock: ${clock()}, latency: ${draw.from(0, 5)} cycles, bandwidth: ${draw.from(1, 9)} GB/s }`,
  };
  // Results in a scratchpad of their own, as in Gemmini.
  const split = draw.chance(4);
  const sums = split ? [`sums: { kind: scratchpad, clock: ${clock()}, ${scratchpad()} }`] : [];
  return machineText({
    clocks: names.map((name) => `${name}: ${draw.one(clocks)}`).join(', '),
    hbm: `bandwidth: ${draw.one(['1 GB/s', '3 GB/s', '7.3 GB/s', '64 GB/s', '1.234567891 GB/s'])}, latency: ${draw.from(0, 20)} ns`,
    buffer: scratchpad(),
    array: [
      `${count()}rows: ${draw.from(1, 8)}, columns: ${draw.from(1, 8)}, ${reduce} ${operations()}`,
      `dataflow: ${draw.one(['output-stationary', 'weight-stationary', 'input-stationary'])}`,
      `feed: ${draw.one(['systolic', 'broadcast'])}, overlap: ${draw.one(['none', 'preload', 'drain', 'full'])}`,
    ].join(', '),
    vector: `clock: ${clock()}, ${count()}lanes: ${draw.from(1, 8)}, ${operations()}`,
    more: [...(ways[way] ? [ways[way]] : []), ...sums],
    links: [
      `hbm <-> buffer via ${way} ${draw.one(['', '', '2 GB/s'])}`,
      ...(split
        ? ['hbm <-> sums via dma', `buffer -> array ${rate()}`, `array <-> sums ${rate()}`, `sums <-> vector ${rate()}`]
        : [`buffer <-> array ${rate()}`]),
      `buffer <-> vector ${rate()}`,
      ...draw.some([`array -> vector ${rate()}`, `vector -> array ${rate()}`]),
    ],
  });
}

const cascades = {
  gemm: { cascade: 'Z[m,n] = A[m,k] * B[k,n]', inputs: 'A[m,k]  B[k,n]', output: 'Z[m,n]' },
  batched: { cascade: 'Z[b,m,n] = A[b,m,k] * B[b,k,n]', inputs: 'A[b,m,k]  B[b,k,n]', output: 'Z[b,m,n]' },
  chain: {
    cascade: 'Y[m,n] = A[m,k] * B[k,n]\nZ[m,j] = Y[m,n] * C[n,j]',
    inputs: 'A[m,k]  B[k,n]  C[n,j]',
    output: 'Z[m,j]',
  },
  // One input read by two engines in different loops.
  shared: {
    cascade: 'S[m] = A[m,k]\nY[m,n] = A[m,k] * B[k,n]\nW[m,n] = Y[m,n] + S[m]\nZ[m,n] = max(W[m,n], Y[m,n])',
    inputs: 'A[m,k]  B[k,n]',
    output: 'Z[m,n]',
  },
  conv: { cascade: 'Z[m,p] = I[k,p+r] * W[m,k,r]', inputs: 'I[k,p+r]  W[m,k,r]', output: 'Z[m,p]' },
  strided: { cascade: 'Z[m,p] = I[k,2*p+r] * W[m,k,r]', inputs: 'I[k,2*p+r]  W[m,k,r]', output: 'Z[m,p]' },
  softmax: {
    cascade: 'G[m] = max(n) X[m,n]\nS[m,n] = exp(X[m,n] - G[m])\nD[m] = S[m,n]\nZ[m,n] = S[m,n] / D[m]',
    inputs: 'X[m,n]',
    output: 'Z[m,n]',
  },
  mlp: {
    cascade: 'X[m,n] = A[m,k] * B[n,k]\nU[m,n] = erf(X[m,n] + C[n])\nZ[m,k] = U[m,n] * D[k,n]',
    inputs: 'A[m,k]  B[n,k]  C[n]  D[k,n]',
    output: 'Z[m,k]',
  },
  // A running sum, read at its end and on its way, before and after each step.
  running: {
    cascade: [
      'L[m] = A[m,k] * B[k]',
      'R[m+1] = R[m] + L[m] from R[0] = 0',
      'X[m,n] = R[m] * C[n]',
      'Z[m,n] = R[m+1] * C[n]',
      'Y[n] = R[M] * C[n]',
    ].join('\n'),
    inputs: 'A[m,k]  B[k]  C[n]',
    output: 'X[m,n]  Y[n]  Z[m,n]',
  },
  attention: {
    cascade: [
      'S[m,j,p] = Q[e,p] * K[e,m,j]',
      'LM[m,p] = max(j) S[m,j,p]',
      'RM[m+1,p] = max(RM[m,p], LM[m,p]) from RM[0,p] = -inf',
      'SN[m,j,p] = exp(S[m,j,p] - RM[m+1,p])',
      'SD[m,p] = SN[m,j,p]',
      'SV[f,m,p] = SN[m,j,p] * V[f,m,j]',
      'PR[m,p] = exp(RM[m,p] - RM[m+1,p])',
      'PD[m,p] = RD[m,p] * PR[m,p]',
      'RD[m+1,p] = SD[m,p] + PD[m,p] from RD[0,p] = 0',
      'PV[f,m,p] = RV[f,m,p] * PR[m,p]',
      'RV[f,m+1,p] = SV[f,m,p] + PV[f,m,p] from RV[f,0,p] = 0',
      'Z[f,p] = RV[f,M,p] / RD[M,p]',
    ].join('\n'),
    inputs: 'Q[e,p]  K[e,m,j]  V[f,m,j]',
    output: 'Z[f,p]',
  },
} as const;

function drawWorkload(draw: Draw): string {
  const { cascade, inputs, output } = cascades[draw.one(Object.keys(cascades) as (keyof typeof cascades)[])];
  const names = [...new Set([...inputs, ...output].join('').match(/\b[a-z]\b/g))];
  const large = names.length <= 3 ? 13 : 5;
  const ranks = names.map((name) => `${name.toUpperCase()}: ${draw.from(1, large)}`).join(', ');
  const dtype = draw.one(['bf16', 'bf16', 'int8', 'fp32', 'int4', 'int1']);
  return `${textOf(cascade, { ranks, inputs, output })}\ndtype: ${dtype}`;
}

function drawMapping(draw: Draw, { workload }: LoadedWorkload): string {
  const einsums = einsumsOf(workload);
  const extents = new Map([...workload.ranks].map(([rank, extent]) => [rank.toLowerCase(), extent]));
  const cuts = einsums.map((_, i) => i > 0 && draw.chance(6));
  const sections: Einsum[][] = [];
  einsums.forEach((einsum, i) => {
    if (i === 0 || cuts[i]) sections.push([]);
    sections.at(-1)!.push(einsum);
  });
  return [
    'mapping: random',
    'sections:',
    ...sections.flatMap((section) =>
      drawSection(draw, section, extents).map((line, i) => `${i ? '   ' : '  -'} ${line}`),
    ),
  ].join('\n');
}

function drawSection(draw: Draw, einsums: readonly Einsum[], extents: ReadonlyMap<string, number>): string[] {
  const names = einsums.map((einsum) => einsum.name);
  const lines = [`einsums: [${names}]`];
  const tensors = [...new Set(einsums.flatMap((e) => accessesOf(e.expression).map((access) => access.tensor)))];
  if (draw.chance(2)) lines.push(`hold: [${draw.some(tensors)}]`);
  if (draw.chance(2))
    lines.push(
      `stream: { ${draw
        .some(tensors)
        .map((t) => `${t}: ${draw.from(1, 3)}`)
        .join(', ')} }`,
    );
  if (draw.chance(2)) lines.push(`interleave: ${draw.from(1, 4)}`);
  if (draw.chance(4)) lines.push(`place: { ${draw.one(['vector', 'array'])}: { einsums: [${draw.one(names)}] } }`);
  if (draw.chance(6)) return lines;
  const iterative = new Set(einsums.flatMap((einsum) => einsum.iterative ?? []));
  const variables = [...new Set(einsums.flatMap(variablesOf))];
  const partition: string[] = [];
  const loops: string[] = [];
  for (const v of variables) {
    const way = iterative.has(v) ? 'ones' : draw.one(['whole', 'whole', 'ones', 'tiles', 'tiles', 'parts']);
    if (way === 'ones') loops.push(v);
    const tile = draw.from(1, extents.get(v)!);
    const rank = v.toUpperCase();
    if (way === 'tiles') {
      loops.push(`${v}1`);
      partition.push(`${rank}: [${rank}1, ${rank}0 ${tile}]`);
    }
    if (way === 'parts') {
      loops.push(`${v}2`, `${v}1`);
      partition.push(`${rank}: [${rank}2, ${rank}1, ${rank}0 ${tile}]`);
    }
  }
  return [...lines, `partition: { ${partition.join(', ')} }`, `loops: [${draw.shuffled(loops).join(', ')}]`];
}
