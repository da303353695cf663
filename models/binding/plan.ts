/** A section before it becomes a program: which einsums, where, in which tiles and loops. */
import type { Einsum, Workload } from '../../workloads/language/workload.ts';
import { isContraction } from './assign.ts';
import { type Node, nodesOf } from './dependencies.ts';
import { noPadToRead, noPadToWrite } from './gaps.ts';
import type { Nest } from './nest.ts';
import type { Product } from './program.ts';
import type { EngineSite, PimSite, Topology } from './topology.ts';

/** Where an einsum runs. Names of rank variables over rows and columns, or lanes; null: the binder's choice. */
export interface Assignment {
  readonly engine: EngineSite | PimSite;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly lanes: readonly string[] | null;
  /** On a memory that computes: what it multiplies there. */
  readonly product?: Product;
}

export interface Plan {
  readonly einsums: readonly Einsum[];
  /** By position of the einsum. */
  readonly assignments: readonly Assignment[];
  readonly nest: Nest;
  /** Tensors kept in registers, in the scratchpad as long as they are reused; tiles in flight by tensor. */
  readonly keep: ReadonlySet<string>;
  readonly hold: ReadonlySet<string>;
  /** Tensors that every operation fetches again. */
  readonly refetch: ReadonlySet<string>;
  readonly stream: ReadonlyMap<string, number>;
  readonly interleave: number | null;
  /** Whether a round ends before the next one begins. */
  readonly lockstep: boolean;
  /** Names of einsums by stage of the software pipeline, and by pass; empty when nobody says. */
  readonly pipeline: readonly (readonly string[])[];
  /** Names of einsums in the order in which engines take them in a round of the pipeline. */
  readonly order: readonly string[];
  readonly passes: readonly (readonly string[])[];
  /** Names of einsums that read a tensor back from memory, by tensor. */
  readonly spill: ReadonlyMap<string, readonly string[]>;
  /** Tensors whose tiles take the place of another's, by their names. */
  readonly replace: ReadonlyMap<string, string>;
  /** Tensors made here that are needed outside. */
  readonly stored: ReadonlySet<string>;
  /** Whether a mapping says how the loops run: partial sums then leave their engine where they must, at a cost that estimates miss. */
  readonly isGiven: boolean;
}

/** How a tensor gets from where it is made to one reader. */
export type Way =
  | { readonly kind: 'registers' }
  | { readonly kind: 'wires' }
  | { readonly kind: 'pad'; readonly pad: string }
  /** To memory and back. */
  | { readonly kind: 'memory'; readonly pad: string };

/** A tensor made in the section. */
export interface Made {
  readonly tensor: string;
  readonly producer: number;
  /** Way to each read of it, as (node, read) positions. */
  readonly readers: readonly { readonly node: number; readonly read: number; readonly way: Way }[];
  /** Scratchpad that it is written to, for readers or to be stored; null when it never is. */
  readonly pad: string | null;
  readonly stored: boolean;
}

/** A tensor that comes from memory, for readers that use it in the same tiles. */
export interface Loaded {
  readonly tensor: string;
  readonly pad: string;
  /** Position of the einsum that makes it, if it was spilled here; else -1. */
  readonly producer: number;
  readonly readers: readonly { readonly node: number; readonly read: number }[];
}

/** A plan with its ways found. */
export interface Layout {
  readonly plan: Plan;
  readonly nodes: readonly Node[];
  readonly made: readonly Made[];
  readonly loaded: readonly Loaded[];
}

/** @throws BindError when no loop order or link allows it. */
export function layOut(plan: Plan, topology: Topology): Layout {
  const nodes = nodesOf(plan.einsums, plan.nest, plan.passes);
  const readersOf = (producer: number): { node: number; read: number }[] =>
    nodes.flatMap((node, n) =>
      node.reads.flatMap((read, r) => (read.producer === producer ? [{ node: n, read: r }] : [])),
    );
  const made = nodes.map((node, producer) => {
    const tensor = node.einsum.output.tensor;
    return makeWays(tensor, producer, readersOf(producer), nodes, plan, topology);
  });
  return { plan, nodes, made, loaded: loadWays(nodes, plan, topology) };
}

function makeWays(
  tensor: string,
  producer: number,
  readers: readonly { node: number; read: number }[],
  nodes: readonly Node[],
  plan: Plan,
  topology: Topology,
): Made {
  const from = plan.assignments[producer]!.engine.path;
  const spilled = plan.spill.get(tensor) ?? [];
  const stored = plan.stored.has(tensor) || spilled.length > 0;
  const direct = readers.map(({ node, read }): Way | null => {
    const { einsum, pass, reads } = nodes[node]!;
    if (spilled.includes(einsum.name)) return null;
    const to = plan.assignments[node]!.engine.path;
    // Registers keep a tile for its own iteration; what an iterative rank carries over goes through the scratchpad.
    if (to === from) return plan.keep.has(tensor) && reads[read]!.kind === 'tile' ? { kind: 'registers' } : null;
    // So does what another pass reads.
    if (pass !== nodes[producer]!.pass) return null;
    return topology.width(from, to) === null ? null : { kind: 'wires' };
  });
  const throughPad = readers.filter((_, i) => direct[i] === null);
  let pad: string | null = null;
  if (throughPad.length > 0 || stored) {
    const engines = [...new Set(throughPad.map(({ node }) => plan.assignments[node]!.engine.path))];
    const site = topology.pads.find(
      (candidate) =>
        candidate.part.holds.includes('results') &&
        topology.width(from, candidate.path) !== null &&
        engines.every((to) => topology.width(candidate.path, to) !== null) &&
        (!stored || topology.routes.some((route) => route.pad === candidate.path)),
    );
    if (!site) {
      throw noPadToWrite(tensor, [...engines, ...(stored ? ['memory'] : [])], from, topology);
    }
    pad = site.path;
  }
  const ways = direct.map((way, i): Way => {
    const isSpilled = spilled.includes(nodes[readers[i]!.node]!.einsum.name);
    return way ?? { kind: isSpilled ? 'memory' : 'pad', pad: pad! };
  });
  return { tensor, producer, readers: readers.map((reader, i) => ({ ...reader, way: ways[i]! })), pad, stored };
}

function loadWays(nodes: readonly Node[], plan: Plan, topology: Topology): Loaded[] {
  const loads = new Map<string, Loaded & { readers: { node: number; read: number }[] }>();
  nodes.forEach((node, n) => {
    node.reads.forEach((read, r) => {
      const isSpilled = plan.spill.get(read.tensor)?.includes(node.einsum.name) ?? false;
      if (read.kind !== 'memory' && !isSpilled) return;
      if (read.tensor === plan.assignments[n]!.product?.matrix) return;
      const engine = plan.assignments[n]!.engine.path;
      const content = r > 0 && isContraction(node.einsum) ? 'weights' : 'inputs';
      const pad = topology.routes.find(
        (route) => topology.pad(route.pad)!.part.holds.includes(content) && topology.width(route.pad, engine) !== null,
      )?.pad;
      if (pad === undefined) {
        throw noPadToRead(node.einsum.name, read.tensor, content, engine, topology);
      }
      // Readers share a stream when they see the same tiles of the tensor.
      // What does not stay on the chip is fetched in every pass.
      const pass = plan.hold.has(read.tensor) ? 0 : node.pass;
      const key = `${pad} ${read.tensor} ${read.access.indices.join(' ')} ${pass}`;
      const load = loads.get(key);
      if (load) load.readers.push({ node: n, read: r });
      else loads.set(key, { tensor: read.tensor, pad, producer: read.producer, readers: [{ node: n, read: r }] });
    });
  });
  return [...loads.values()];
}

/** Bytes of one element; a workload's tensors all have a dtype. */
export type ElementBytes = (tensor: string) => number;

export function elementBytes(workload: Workload, bitsOf: (dtype: string) => number): ElementBytes {
  return (tensor) => bitsOf(workload.tensors.get(tensor)!.dtype) / 8;
}
