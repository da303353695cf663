/** Energy of a section before it is run: what its loop programs will do is counted from their trips. */
import type { Arch } from '../../arch/language/arch.ts';
import { operatorsPerPoint, pointsOf } from '../../workloads/language/shapes.ts';
import { accessesOf, type Einsum, type Workload } from '../../workloads/language/workload.ts';
import { bits } from '../binding/nest.ts';
import type { EngineProgram, Guard, Op, Section } from '../binding/program.ts';
import { readName, type Topology } from '../binding/topology.ts';
import { energyOf, operationActions } from '../physical/energy.ts';
import { intervalOn } from './bound.ts';

interface Counts {
  readonly units: Map<string, Map<string, number>>;
  readonly registers: Map<string, { reads: number; writes: number }>;
  readonly memories: Map<string, { bytesRead: number; bytesWritten: number }>;
}

export class EnergyMeter {
  readonly #arch: Arch;
  readonly #workload: Workload;
  readonly #topology: Topology;

  constructor(arch: Arch, workload: Workload, topology: Topology) {
    this.#arch = arch;
    this.#workload = workload;
    this.#topology = topology;
  }

  /** Joules of sections that run these einsums; DRAM counts by its row per bit, or not at all. */
  of(einsums: readonly Einsum[], sections: Iterable<Section>): number {
    const counts = noCounts();
    for (const { engines } of sections) {
      for (const program of engines) {
        for (const op of program.ops) this.#count(program, op, einsums, counts);
      }
    }
    return energyOf(this.#arch, counts).total;
  }

  /** Joules that einsums need at least: each on the engine that spends least, and bytes of memory. */
  least(einsums: readonly Einsum[], trafficBytes: number): number {
    const computing = einsums.map((einsum) => {
      const able = this.#topology.engines.filter((engine) => intervalOn(einsum, engine) !== null);
      return able.map(({ path }) => {
        const counts = noCounts();
        this.#countPoints(path, einsum, this.#leastPoints(einsum), counts);
        return energyOf(this.#arch, counts).total;
      });
    });
    const memories = this.#topology.memories.map(({ path }) => {
      const moved = new Map([[path, { bytesRead: trafficBytes, bytesWritten: 0 }]]);
      return energyOf(this.#arch, { ...noCounts(), memories: moved }).total;
    });
    return computing.reduce((sum, joules) => sum + Math.min(...joules), Math.min(...memories));
  }

  /** Without the zeros that a machine may pass over. */
  #leastPoints(einsum: Einsum): number {
    const shares = accessesOf(einsum.expression).map(({ tensor }) => {
      const sparsity = this.#workload.tensors.get(tensor)!.sparsity;
      return sparsity ? sparsity.kept / sparsity.of : 1;
    });
    return pointsOf(this.#workload, einsum) * Math.min(1, ...shares);
  }

  #count(program: EngineProgram, op: Op, einsums: readonly Einsum[], counts: Counts): void {
    const shares = variantShares(program, op);
    const mean = (values: Iterable<number>): number => {
      let sum = 0;
      let variant = 0;
      for (const value of values) sum += value * shares[variant++]!;
      return sum;
    };
    const times = timesOf(program, op, op.guard);
    const einsum = einsums.find(({ name }) => op.name === name || op.name.startsWith(`${name}.`));
    if (program.kind !== 'dma' && einsum) {
      this.#countPoints(readName(program.engine).path, einsum, times * mean(op.points), counts);
    }
    for (const { memory, write, bytes, guard } of op.accesses) {
      const { path } = readName(memory);
      const moved = counts.memories.get(path) ?? { bytesRead: 0, bytesWritten: 0 };
      const both = op.guard.merge({
        first: op.guard.first | guard.first,
        last: op.guard.last | guard.last,
        notFirst: guard.notFirst,
        notLast: guard.notLast,
      });
      moved[write ? 'bytesWritten' : 'bytesRead'] += timesOf(program, op, both) * mean(bytes);
      counts.memories.set(path, moved);
    }
  }

  #countPoints(path: string, einsum: Einsum, points: number, { units, registers }: Counts): void {
    const own = units.get(path) ?? new Map<string, number>();
    const { operations } = this.#topology.engine(path)!.part;
    for (const [action, perPoint] of operationActions(operations, operatorsPerPoint(einsum))) {
      own.set(action, (own.get(action) ?? 0) + perPoint * points);
    }
    units.set(path, own);
    const words = registers.get(path) ?? { reads: 0, writes: 0 };
    const operands = accessesOf(einsum.expression).length + (einsum.reduced.isEmpty() ? 0 : 1);
    registers.set(path, { reads: words.reads + operands * points, writes: words.writes + points });
  }
}

function noCounts(): Counts {
  return { units: new Map(), registers: new Map(), memories: new Map() };
}

/** Trips of a program's loops, the last of them the operation's own. */
function tripsOf({ loops }: EngineProgram, { inner }: Op): number[] {
  return [...loops.map(({ trips }) => trips), inner];
}

/** Iterations in which a guard holds. */
function timesOf(program: EngineProgram, op: Op, { first, last, notFirst, notLast }: Guard): number {
  const trips = tripsOf(program, op);
  const over = (mask: number): number => bits(mask).reduce((n, loop) => n * (trips[loop] ?? 1), 1);
  const free = over((2 ** trips.length - 1) & ~(first | last));
  const without = [notFirst, notLast].filter((mask) => mask !== 0);
  return without.reduce((times, mask) => times * (1 - 1 / over(mask)), free);
}

/** Shares of the variants of an operation. */
function variantShares(program: EngineProgram, op: Op): number[] {
  const trips = tripsOf(program, op);
  const atLast = op.ragged.toArray().map((mask) => {
    return bits(mask & ~op.guard.last).reduce((share, loop) => share / (trips[loop] ?? 1), 1);
  });
  return Array.from({ length: 2 ** atLast.length }, (_, variant) =>
    atLast.reduce((share, p, bit) => share * (variant & (1 << bit) ? p : 1 - p), 1),
  );
}
