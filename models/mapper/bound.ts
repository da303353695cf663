/**
 * Lower bounds: seconds that no mapping can go below, because an engine has to do the work and a memory to move the bytes.
 * Links, latencies and on-chip space are left out, but for values that pass from one iteration to the next.
 */
import { type Access, accessesOf, type Einsum, variablesOf, type Workload } from '../../workloads/language/workload.ts';
import { BindError } from '../binding/dependencies.ts';
import type { ElementBytes } from '../binding/plan.ts';
import { accessElements, costPerPoint } from '../binding/tile-ops.ts';
import { type EngineSite, memoryBandwidth, type Topology } from '../binding/topology.ts';
import { canReduce } from '../compute/array.ts';
import type { Extents } from './choice.ts';

/** Assignments of einsums to engines that are looked at before the bound is relaxed. */
const mostAssignments = 5000;

export class Bounds {
  readonly #workload: Workload;
  readonly #topology: Topology;
  readonly #bytesOf: ElementBytes;
  readonly #extents: Extents;
  /** Bytes per second of all memories. */
  readonly #bandwidth: number;
  readonly #known = new Map<Einsum, readonly number[]>();
  readonly #readers = new Map<string, Einsum[]>();
  readonly #makers = new Map<string, Einsum>();

  constructor(workload: Workload, topology: Topology, bytesOf: ElementBytes, extents: Extents) {
    this.#workload = workload;
    this.#topology = topology;
    this.#bytesOf = bytesOf;
    this.#extents = extents;
    this.#bandwidth = topology.memories.reduce((sum, memory) => sum + memoryBandwidth(memory), 0);
    for (const step of workload.steps) {
      for (const einsum of step.einsums) {
        this.#makers.set(einsum.output.tensor, einsum);
        for (const { tensor } of accessesOf(einsum.expression)) {
          this.#readers.set(tensor, [...(this.#readers.get(tensor) ?? []), einsum]);
        }
      }
    }
  }

  /** Of einsums fused in one section. */
  section(einsums: readonly Einsum[]): number {
    const perEngine = einsums.map((einsum) => this.#engineSeconds(einsum));
    return Math.max(leastLoad(perEngine), this.trafficBytes(einsums) / this.#bandwidth);
  }

  /** Bytes that einsums of one section move from and to memory at least: what is made outside, what is needed outside. */
  trafficBytes(einsums: readonly Einsum[]): number {
    const made = new Set(einsums.map(({ output }) => output.tensor));
    const stored = this.storedBy(einsums);
    const loads = new Map<string, number>();
    for (const { expression } of einsums) {
      for (const access of accessesOf(expression)) {
        if (made.has(access.tensor)) continue;
        const elements = Math.min(
          this.#sizeOf(access.tensor),
          accessElements(access, (v) => this.#extents.get(v) ?? 1),
        );
        loads.set(access.tensor, Math.max(loads.get(access.tensor) ?? 0, elements * this.#bytes(access.tensor)));
      }
    }
    const stores = einsums
      .filter(({ output }) => stored.has(output.tensor))
      .map(({ output, iterative }) => {
        const elements = accessElements(output, (v) => (v === iterative ? 1 : this.#extents.get(v)!));
        return elements * this.#bytes(output.tensor);
      });
    return [...loads.values(), ...stores].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Tensors made by einsums of one section that are needed outside. */
  storedBy(einsums: readonly Einsum[]): Set<string> {
    const mine = new Set(einsums);
    const isNeeded = (tensor: string): boolean =>
      this.#workload.tensors.get(tensor)!.role === 'output' ||
      (this.#readers.get(tensor)?.some((reader) => !mine.has(reader)) ?? false);
    return new Set(einsums.map(({ output }) => output.tensor).filter(isNeeded));
  }

  /** By position of the engine; Infinity where it lacks an operation. */
  #engineSeconds(einsum: Einsum): readonly number[] {
    const known = this.#known.get(einsum);
    if (known) return known;
    const seconds = this.#topology.engines.map((engine) => this.#leastSeconds(einsum, engine));
    this.#known.set(einsum, seconds);
    return seconds;
  }

  #leastSeconds(einsum: Einsum, engine: EngineSite): number {
    const interval = intervalOn(einsum, engine);
    if (interval === null) return Number.POSITIVE_INFINITY;
    const variables = variablesOf(einsum);
    const extent = (v: string): number => this.#extents.get(v)!;
    const points = variables.reduce((product, v) => product * extent(v), 1) * this.#keptShare(einsum, engine);
    const cycles = (points * interval) / unitsFor(einsum, engine, extent);
    return Math.max(cycles, this.#carriedCycles(einsum, engine)) / engine.hertz;
  }

  /**
   * Cycles of the links for values that one iteration leaves to the next: they leave the engine that makes them, and come
   * back to it, since registers keep nothing for another iteration.
   */
  #carriedCycles(einsum: Einsum, engine: EngineSite): number {
    const { path } = engine;
    const ends = [...this.#topology.pads, ...this.#topology.engines.filter((other) => other.path !== path)];
    const out = Math.max(...ends.map((end) => this.#topology.width(path, end.path) ?? 0));
    const back = Math.max(...ends.map((end) => this.#topology.width(end.path, path) ?? 0));
    const made = isCarried(einsum) ? this.#carriedBytes(einsum.output) / out : 0;
    const read = accessesOf(einsum.expression)
      .filter((access) => this.#isOfPrevious(access))
      .reduce((sum, access) => sum + this.#carriedBytes(access) / back, 0);
    return Math.max(made, read);
  }

  /** Without those of one iteration, the last or the first. */
  #carriedBytes({ tensor, indices }: Access): number {
    const iterative = this.#makers.get(tensor)!.iterative;
    const elements = indices.reduce(
      (n, { terms }) =>
        terms.keySeq().reduce((product, v) => product * (this.#extents.get(v)! - (v === iterative ? 1 : 0)), n),
      1,
    );
    return elements * this.#bytes(tensor);
  }

  #isOfPrevious({ tensor, indices }: Access): boolean {
    const maker = this.#makers.get(tensor);
    const iterative = maker && isCarried(maker) ? maker.iterative : null;
    return iterative !== null && indices.some(({ terms, constant }) => terms.has(iterative) && constant === 0);
  }

  /** Share of the points that an array has to compute: it may pass over zeros. */
  #keptShare({ expression }: Einsum, { part }: EngineSite): number {
    if (part.kind !== 'array' || part.sparsity !== 'structured') return 1;
    return accessesOf(expression).reduce((share, { tensor }) => {
      const sparsity = this.#workload.tensors.get(tensor)!.sparsity;
      return sparsity ? Math.min(share, sparsity.kept / sparsity.of) : share;
    }, 1);
  }

  #sizeOf(tensor: string): number {
    return this.#workload.tensors.get(tensor)!.shape.reduce((n, extent) => n * extent, 1);
  }

  /** Of an element; compressed tensors move less. */
  #bytes(tensor: string): number {
    const sparsity = this.#workload.tensors.get(tensor)!.sparsity;
    return this.#bytesOf(tensor) * (sparsity ? sparsity.kept / sparsity.of : 1);
  }
}

/** Whether what an einsum makes in one iteration is there in the next one. */
function isCarried({ iterative, output }: Einsum): boolean {
  return iterative !== null && output.indices.some(({ terms, constant }) => terms.has(iterative) && constant === 1);
}

/** Cycles per point; null where an operation is lacking. */
export function intervalOn(einsum: Einsum, engine: EngineSite): number | null {
  try {
    return costPerPoint(einsum, { engine }).interval;
  } catch (error) {
    if (error instanceof BindError) return null;
    throw error;
  }
}

/** PEs or lanes that can work on an einsum side by side at most. */
function unitsFor(einsum: Einsum, { part }: EngineSite, extent: (variable: string) => number): number {
  if (part.kind === 'vector') return part.lanes * part.count;
  const reduces = canReduce(part, 'rows') || canReduce(part, 'columns');
  const product = variablesOf(einsum)
    .filter((v) => reduces || !einsum.reduced.includes(v))
    .reduce((n, v) => n * extent(v), 1);
  return Math.min(product, part.rows * part.columns) * part.count;
}

/**
 * The least load of the busiest engine over all assignments, `seconds` by einsum and engine; with very many, what the
 * engines would need if work could be cut anywhere.
 */
function leastLoad(seconds: readonly (readonly number[])[]): number {
  const engines = seconds[0]?.length ?? 0;
  // Those that differ most first, so that bad halves are seen early.
  const order = [...seconds].sort((a, b) => Math.min(...b) - Math.min(...a));
  const least = order.map((row) => Math.min(...row));
  const left = least.map((_, i) => least.slice(i).reduce((sum, n) => sum + n, 0));
  const loads = new Array<number>(engines).fill(0);
  let best = Number.POSITIVE_INFINITY;
  let visited = 0;
  const visit = (i: number): void => {
    const total = loads.reduce((sum, n) => sum + n, left[i] ?? 0);
    if (Math.max(...loads, total / engines) >= best || ++visited > mostAssignments) return;
    if (i === order.length) {
      best = Math.max(...loads);
      return;
    }
    const row = order[i]!;
    const choices = [...row.keys()].filter((engine) => Number.isFinite(row[engine]!));
    choices.sort((a, b) => loads[a]! + row[a]! - loads[b]! - row[b]!);
    for (const engine of choices) {
      const before = loads[engine]!;
      loads[engine] = before + row[engine]!;
      visit(i + 1);
      loads[engine] = before;
    }
  };
  visit(0);
  return visited > mostAssignments ? left[0]! / engines : best;
}
