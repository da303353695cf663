/** Candidates on the clock: whether estimates hold, at the cost of a short run. */
import { List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import type { SectionMapping } from '../../workloads/language/mapping.ts';
import { variablesOf, type Workload } from '../../workloads/language/workload.ts';
import { Binder, type Run } from '../binding/bind.ts';
import { BindError } from '../binding/dependencies.ts';
import { foldsOf, Phase, Program } from '../binding/program.ts';
import { isBatch } from '../binding/search.ts';
import { Topology } from '../binding/topology.ts';
import { DeadlockError } from '../kernel/kernel.ts';
import { Machine } from '../machine.ts';
import type { Extents } from './choice.ts';
import type { Candidate } from './section-search.ts';

/** Operations of a whole run that is no dearer than its estimate, about. */
const mostWhole = 500;
/** Iterations that are left of a loop that others depend on. */
const fewestTrips = 4;

export class Trials {
  readonly #arch: Arch;
  readonly #workload: Workload;
  readonly #extents: Extents;
  readonly #topology: Topology;

  constructor(arch: Arch, workload: Workload, extents: Extents) {
    this.#arch = arch;
    this.#workload = workload;
    this.#extents = extents;
    this.#topology = new Topology(arch);
  }

  /**
   * Seconds that a candidate takes for each second that it is estimated to take, on the clock. Where that is more than so many operations
   * run, ranks are made smaller, and both are those of the smaller problem. Infinity where the machine comes to a stop.
   */
  factor(candidate: Candidate, operations: number): { readonly factor: number; readonly isWhole: boolean } {
    const run = this.#smaller(candidate, operations);
    if (run === null) return { factor: 1, isWhole: false };
    const isWhole = run === candidate.run && operationsOf(run) <= mostWhole;
    const phases = List([new Phase({ sections: List(run.sections) })]);
    try {
      const record = new Machine(this.#arch).run(new Program({ phases }), { workload: this.#workload });
      return { factor: record.length / record.unitsPerSecond / run.cost, isWhole };
    } catch (error) {
      if (error instanceof DeadlockError) return { factor: Number.POSITIVE_INFINITY, isWhole };
      throw error;
    }
  }

  /**
   * The candidate on as many batches as a short run has, and then on as much of its outer loops; null when it is bound to
   * fail there.
   */
  #smaller({ section, run }: Candidate, operations: number): Run | null {
    let left = operationsOf(run) / operations;
    if (left <= 1) return run;
    const [laid] = run.sections;
    const variables = [...new Set(run.einsums.flatMap(variablesOf))];
    const batches = variables.filter((v) => isBatch(run.einsums, v));
    // The best plan of folds depends on all of the product.
    const loops = foldsOf(laid!) === null ? laid!.loops.toArray() : [];
    const looped = loops.map(({ variable }) => variable).filter((v) => variables.includes(v));
    const extents = new Map(this.#extents);
    for (const variable of new Set([...batches, ...looped])) {
      const extent = this.#extents.get(variable)!;
      const tile = laid!.tiles.get(variable)?.tile ?? 1;
      const together = innerTrips(section, variable);
      const trips = Math.ceil(extent / tile);
      const least = together * (batches.includes(variable) ? 1 : fewestTrips);
      const fewer = Math.min(trips, Math.max(least, together * Math.ceil(trips / left / together)));
      left /= trips / fewer;
      extents.set(variable, Math.min(extent, fewer * tile));
      if (left <= 1) break;
    }
    try {
      return new Binder(this.#workload, this.#topology, {}, extents).lay(run.einsums, section);
    } catch (error) {
      if (error instanceof BindError) return null;
      throw error;
    }
  }
}

/** Trips of a variable's inner loops, which those of its outer one are a multiple of. */
function innerTrips({ partition }: SectionMapping, variable: string): number {
  const parts = partition.get(variable.toUpperCase());
  return parts?.slice(1, -1).reduce((product, { size }) => product * (size ?? 1), 1) ?? 1;
}

function operationsOf({ sections }: Run): number {
  return sections.reduce((sum, { engines }) => {
    return engines.reduce((n, { loops, ops }) => {
      const rounds = loops.reduce((product, { trips }) => product * trips, 1);
      return n + rounds * ops.reduce((times, { inner }) => times + inner, 0);
    }, sum);
  }, 0);
}
