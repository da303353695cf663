/** Products on small systolic machines: every plan for their folds, run by the machine and by its slow twin. */
import { List } from 'immutable';
import type { Arch, ArrayPart } from '../../arch/language/arch.ts';
import { contractionOf } from '../../models/binding/contraction.ts';
import { BindError } from '../../models/binding/dependencies.ts';
import { type FoldBuffers, type FoldPlan, foldPlans, type Role } from '../../models/binding/fold-plan.ts';
import { foldSection } from '../../models/binding/fold-section.ts';
import { FoldGrid } from '../../models/binding/folds.ts';
import { Phase, Program, type Section } from '../../models/binding/program.ts';
import { type Site, Topology } from '../../models/binding/topology.ts';
import { Machine } from '../../models/machine.ts';
import { measure } from '../../models/measure.ts';
import type { Result } from '../../models/result.ts';
import { extentsOf } from '../../workloads/language/shapes.ts';
import { einsumsOf, type LoadedWorkload } from '../../workloads/language/workload.ts';
import { type Cause, runFolds, type StallRun } from '../reference/scratchpads.ts';
import { aMachine, aWorkload } from './machines.ts';

/** Products of matrices in many forms, each rank's variable a letter of `ranks`. */
export const products = {
  gemm: { cascade: 'Z[m,n] = A[m,k] * B[k,n]', inputs: 'A[m,k]  B[k,n]', ranks: 'mnk' },
  batched: { cascade: 'Z[b,m,n] = A[b,m,k] * B[b,k,n]', inputs: 'A[b,m,k]  B[b,k,n]', ranks: 'bmnk' },
  conv: { cascade: 'Z[n,p,q] = A[c,p+r,q+s] * B[n,c,r,s]', inputs: 'A[c,p+r,q+s]  B[n,c,r,s]', ranks: 'npqcrs' },
  swapped: { cascade: 'Z[n,p] = B[n,c,r] * A[c,p+r]', inputs: 'B[n,c,r]  A[c,p+r]', ranks: 'npcr' },
  strided: { cascade: 'Z[n,p] = A[c,2*p+r] * B[n,c,r]', inputs: 'A[c,2*p+r]  B[n,c,r]', ranks: 'npcr' },
  grouped: { cascade: 'Z[g,n,p] = A[g,c,p+r] * B[g,n,c,r]', inputs: 'A[g,c,p+r]  B[g,n,c,r]', ranks: 'gnpcr' },
  depthwise: { cascade: 'Z[c,p] = A[c,p+r] * B[c,r]', inputs: 'A[c,p+r]  B[c,r]', ranks: 'cpr' },
} as const;

/** At 1 GHz, so that a GB/s is a byte per cycle and a ns a cycle. */
export interface FoldCase {
  readonly product: keyof typeof products;
  /** By the letters of the product's ranks; more of them are not used. */
  readonly extents: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  readonly dataflow: ArrayPart['dataflow'];
  readonly overlap: ArrayPart['overlap'];
  /** Bytes per cycle, in tenths. */
  readonly bandwidth: number;
  readonly latency: number;
  /** Bytes of the scratchpads of inputs, weights and results; a single one for all three has the last. */
  readonly capacities: readonly number[];
  readonly isShared: boolean;
  /** Bytes per cycle of a scratchpad. */
  readonly width: number;
  readonly padLatency: number;
}

/** The quantities of a run that machine and twin both have. */
export type Account = Pick<StallRun, 'cycles' | 'busy' | 'stalls'> & {
  readonly moved: Readonly<Record<string, number>>;
};

export interface Folds {
  readonly arch: Arch;
  readonly workload: LoadedWorkload;
  readonly plans: readonly FoldPlan[];
  readonly capacity: ReadonlyMap<string, number>;
  readonly section: (plan: FoldPlan) => Section;
  readonly machine: (plan: FoldPlan) => Account;
  readonly twin: (plan: FoldPlan) => StallRun;
}

/** The plans for a case; none when it does not fit. */
export function foldsOf(own: FoldCase): Folds {
  const arch = machineOf(own);
  const workload = workloadOf(own);
  const topology = new Topology(arch);
  const site = topology.engine('array') as Site<ArrayPart>;
  const cost = { interval: 1, depth: 1 };
  const bits = (): number => 8;
  const [einsum] = einsumsOf(workload.workload);
  const contraction = contractionOf(einsum!, workload.workload, extentsOf(workload.workload, einsum!))!;
  const pads = padsOf(own);
  const capacity = new Map(Object.values(pads).map((pad) => [pad, topology.pad(pad)!.part.capacity]));
  const buffers = { pads, capacity, bits, latency: own.latency + own.padLatency };
  const section = (plan: FoldPlan): Section => foldSection(plan, { site, topology, cost, bits, wholeFolds: false });
  const gridOf = (blocks: number): FoldGrid => new FoldGrid(contraction, site.part, cost.interval, blocks);
  return {
    arch,
    workload,
    capacity,
    section,
    plans: blockings(gridOf(1)).flatMap((blocks) => plansOf(gridOf(blocks), buffers)),
    machine: (plan) => {
      const program = new Program({ phases: List([new Phase({ repeat: 1, sections: List([section(plan)]) })]) });
      const subject = { arch, workload: workload.workload, program, overrides: [], version: '' };
      return accountOf(measure(subject, new Machine(arch).run(program)), plan);
    },
    twin: (plan) =>
      runFolds(plan, {
        memory: { bytes: own.bandwidth, cycles: 10, latency: own.latency },
        pads: new Map(
          [...capacity.keys()].map((pad) => [pad, { bytes: own.width, cycles: 1, latency: own.padLatency }]),
        ),
        elementBits: 8,
      }),
  };
}

/** Numbers of blocks that time may be cut into. */
function blockings({ canBlock, blocks }: FoldGrid): number[] {
  return [1, 2, 4, 8, 16, 32, 64].filter((count) => count === 1 || (canBlock && count <= blocks.size));
}

function plansOf(grid: FoldGrid, buffers: FoldBuffers): FoldPlan[] {
  try {
    return foldPlans(grid, buffers);
  } catch (error) {
    if (error instanceof BindError) return [];
    throw error;
  }
}

function padsOf({ isShared }: FoldCase): Readonly<Record<Role, string>> {
  return isShared
    ? { inputs: 'pad', weights: 'pad', results: 'pad' }
    : { inputs: 'ifmap', weights: 'filter', results: 'ofmap' };
}

function machineOf(own: FoldCase): Arch {
  const pad = (name: string, capacity: number, holds: string): string =>
    `${name}: { kind: scratchpad, clock: core, capacity: ${capacity} B, width: ${own.width} B, latency: ${own.padLatency} cycles, holds: [${holds}] }`;
  const [inputs, weights, results] = own.capacities as [number, number, number];
  const names = [...new Set(Object.values(padsOf(own)))];
  return aMachine({
    hbm: `bandwidth: ${own.bandwidth / 10} GB/s, latency: ${own.latency} ns`,
    array: `count: ${own.count}, rows: ${own.rows}, columns: ${own.columns}, dataflow: ${own.dataflow}, overlap: ${own.overlap}, operations: { mac: 1 }`,
    more: own.isShared
      ? [pad('pad', results, 'inputs, weights, results')]
      : [pad('ifmap', inputs, 'inputs'), pad('filter', weights, 'weights'), pad('ofmap', results, 'results')],
    links: [
      ...names.flatMap((name) => [`hbm <-> ${name} via dma`, `array <-> ${name}`]),
      'hbm <-> buffer via dma',
      'buffer <-> vector',
    ],
  });
}

function workloadOf({ product, extents }: FoldCase): LoadedWorkload {
  const { cascade, inputs, ranks } = products[product];
  const sizes = [...ranks].map((rank, i) => `${rank.toUpperCase()}: ${extents[i]}`).join(', ');
  return aWorkload(cascade, { inputs, output: cascade.split(' =')[0]!, ranks: sizes });
}

/** What a Result says of a run, in the twin's words. */
export function accountOf({ cycles, engines, memories }: Result, plan: FoldPlan): Account {
  const { busy, waits } = engines.find(({ name }) => name === 'array')!;
  const stalls: Record<Cause, number> = { inputs: 0, weights: 0, sums: 0, room: 0, ports: 0 };
  for (const { reason, tensor, part, cycles: waited } of waits) {
    const { role } = plan.flows.find((flow) => flow.tensor === tensor)!;
    const ofDma = role === 'results' ? (reason === 'output' ? 'room' : 'sums') : role;
    stalls[part.includes('.dma') ? ofDma : 'ports'] += waited;
  }
  const moved = memories.flatMap(({ name, tensors }) =>
    Object.entries(tensors).flatMap(([tensor, ways]) =>
      Object.entries(ways).map(
        ([way, bytes]) => [`${name === 'hbm' ? 'memory' : name} ${tensor} ${way}`, bytes] as const,
      ),
    ),
  );
  return { cycles, busy, stalls, moved: Object.fromEntries(moved.filter(([, bytes]) => bytes > 0)) };
}
