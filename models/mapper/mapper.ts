/** A mapping that is found: sections, engines, tiles, loops and buffers tried out within a budget. */
import { List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import { bitsOf } from '../../arch/language/units.ts';
import { mulberry32 } from '../../workloads/language/evaluate.ts';
import { type LoadedMapping, Mapping, parseMapping, SectionMapping } from '../../workloads/language/mapping.ts';
import { mappingText } from '../../workloads/language/mapping-text.ts';
import { extentsOf } from '../../workloads/language/shapes.ts';
import { type Einsum, einsumsOf, type LoadedWorkload, type Step } from '../../workloads/language/workload.ts';
import { atomsOf, Binder, type Run } from '../binding/bind.ts';
import { elementBytes } from '../binding/plan.ts';
import { Topology } from '../binding/topology.ts';
import { DeadlockError } from '../kernel/kernel.ts';
import type { Result } from '../result.ts';
import { simulate } from '../simulate.ts';
import { Bounds } from './bound.ts';
import { Cuts, type Span } from './cuts.ts';
import { EnergyMeter } from './energy.ts';
import { Floor } from './floor.ts';
import { SectionSearch } from './section-search.ts';
import { Space } from './space.ts';
import { Trials } from './trial.ts';

/** `edp` is the product of energy and delay. */
export type Objective = 'latency' | 'energy' | 'edp';

export interface SearchOptions {
  readonly arch: Arch;
  readonly workload: LoadedWorkload;
  /** What is to be small; latency by default. */
  readonly objective?: Objective;
  /** Of the numbers drawn: 1 by default. */
  readonly seed?: number;
  /** Ways to lay a section that are bound at most: 3000 by default. */
  readonly candidates?: number;
  /** Seconds after which the search ends early: how far it gets by then depends on the computer. */
  readonly seconds?: number;
  /** Name of the mapping. */
  readonly name?: string;
  readonly onProgress?: (progress: SearchProgress) => void;
}

export interface SearchProgress {
  readonly evaluated: number;
  readonly candidates: number;
  /** The best so far, estimated, and what no mapping can go below. */
  readonly best: Figures;
  readonly bound: Figures;
}

/** Cycles are of the clock that a result counts in. */
export interface Figures {
  readonly cycles: number;
  readonly joules: number;
}

export interface SearchOutcome {
  /** To be simulated with, and as the text of a file. */
  readonly mapping: LoadedMapping;
  readonly text: string;
  /** Of the mapping, on the whole workload. */
  readonly result: Result;
  /** What the default binding takes. */
  readonly byDefault: Figures;
  /** What no mapping can go below; each figure by itself. */
  readonly bound: Figures;
  /** Candidates that were bound. */
  readonly evaluated: number;
  /** Whether the seconds were over before the candidates: another run may then find another mapping. */
  readonly outOfTime: boolean;
}

const defaultCandidates = 3000;
/** Candidates of a section's first share, and of each further one. */
const firstShare = (einsums: number, candidates: number): number =>
  Math.min(40 + 60 * einsums, Math.ceil(candidates / 5));
const furtherShare = 200;
/** Candidates from one report of progress to the next. */
const reportEvery = 50;

/**
 * Searches for the mapping that takes the least time, energy or both. The same options find the same mapping, unless
 * `seconds` end the search; it is never worse than the default binding.
 * @throws InputError when the workload cannot run on the machine.
 */
export function searchMapping(options: SearchOptions): SearchOutcome {
  return new Mapper(options).search();
}

class Mapper {
  readonly #options: SearchOptions;
  readonly #arch: Arch;
  readonly #loaded: LoadedWorkload;
  readonly #topology: Topology;
  readonly #binder: Binder;
  readonly #extents: ReadonlyMap<string, number>;
  readonly #bounds: Bounds;
  readonly #meter: EnergyMeter;
  readonly #trials: Trials;
  readonly #random: () => number;
  readonly #searches: SectionSearch[] = [];
  readonly #until: number;
  #outOfTime = false;
  #reported = 0;
  /** Worth of a second and of a joule. */
  #weights = { seconds: 1, joules: 0 };
  #steps: readonly { readonly step: Step; readonly cuts: Cuts }[] = [];

  constructor(options: SearchOptions) {
    const { arch, workload: loaded } = options;
    const { workload } = loaded;
    this.#options = options;
    this.#arch = arch;
    this.#loaded = loaded;
    this.#topology = new Topology(arch);
    this.#binder = new Binder(workload, this.#topology, {});
    this.#extents = new Map(einsumsOf(workload).flatMap((einsum) => [...extentsOf(workload, einsum)]));
    this.#bounds = new Bounds(workload, this.#topology, elementBytes(workload, bitsOf), this.#extents);
    this.#meter = new EnergyMeter(arch, workload, this.#topology);
    this.#trials = new Trials(arch, workload, this.#extents);
    this.#random = mulberry32(options.seed ?? 1);
    this.#until = performance.now() + 1000 * (options.seconds ?? Number.POSITIVE_INFINITY);
  }

  search(): SearchOutcome {
    const { arch, workload } = { arch: this.#arch, workload: this.#loaded };
    const byDefault = simulate({ arch, workload });
    const runs = workload.workload.steps.map((step) => this.#binder.runs(step.einsums.toArray())).toArray();
    this.#weights = this.#weigh(runs.flat());
    this.#steps = workload.workload.steps.toArray().map((step, i) => {
      const cuts = new Cuts(atomsOf(step.einsums.toArray()), this.#extents, (einsums) => this.#searchOf(einsums));
      for (const run of runs[i]!) cuts.spanOf(run.einsums)?.search.go(1, () => false);
      return { step, cuts };
    });
    this.#exploreCuts();
    this.#refine();
    this.#report();
    const found = this.#run(this.#confirmed());
    const open = runs.flatMap((ofStep) => ofStep.map(({ einsums }) => openSection(einsums)));
    const isWorse = found === null || this.#figure(found.result) > this.#figure(byDefault);
    return this.#outcome((isWorse ? this.#run(open) : found)!, byDefault);
  }

  /** On the whole workload, from the text of a file; null when the machine comes to a stop. */
  #run(sections: readonly SectionMapping[]): Pick<SearchOutcome, 'mapping' | 'text' | 'result'> | null {
    const text = mappingText(this.#mappingOf(sections));
    const mapping = parseMapping(text, 'the mapping found');
    try {
      return { mapping, text, result: simulate({ arch: this.#arch, workload: this.#loaded, mapping }) };
    } catch (error) {
      if (error instanceof DeadlockError) return null;
      throw error;
    }
  }

  #outcome(found: Pick<SearchOutcome, 'mapping' | 'text' | 'result'>, byDefault: Result): SearchOutcome {
    return {
      ...found,
      byDefault: { cycles: byDefault.cycles, joules: byDefault.energy.total },
      bound: this.#bound(),
      evaluated: this.#evaluated,
      outOfTime: this.#outOfTime,
    };
  }

  #figure({ seconds, energy }: Result): number {
    return { latency: seconds, energy: energy.total, edp: seconds * energy.total }[this.#objective];
  }

  get #objective(): Objective {
    return this.#options.objective ?? 'latency';
  }

  get #candidates(): number {
    return this.#options.candidates ?? defaultCandidates;
  }

  get #evaluated(): number {
    return this.#searches.reduce((sum, search) => sum + search.evaluated, 0);
  }

  /**
   * A product of sums is no sum of products: where both count, a percent of one is worth a percent of the other, from
   * where the default binding stands.
   */
  #weigh(runs: readonly Run[]): { seconds: number; joules: number } {
    const seconds = runs.reduce((sum, { cost }) => sum + cost, 0);
    const joules = runs.reduce((sum, { einsums, sections }) => sum + this.#meter.of(einsums, sections), 0);
    const perJoule = joules > 0 ? seconds / joules : 0;
    // Of those that spend the same, the faster one.
    return {
      latency: { seconds: 1, joules: 0 },
      energy: { seconds: 1e-6, joules: perJoule },
      edp: { seconds: 1, joules: perJoule },
    }[this.#objective];
  }

  #searchOf(einsums: readonly Einsum[]): SectionSearch {
    const stored = this.#bounds.storedBy(einsums);
    const of = {
      topology: this.#topology,
      bytesOf: elementBytes(this.#loaded.workload, bitsOf),
      extents: this.#extents,
    };
    const floor = new Floor(einsums, stored, of);
    const weights = this.#weights;
    const joules = weights.joules > 0 ? this.#meter.least(einsums, this.#bounds.trafficBytes(einsums)) : 0;
    const scoreOf = (seconds: number): number => weights.seconds * seconds + weights.joules * joules;
    const score = ({ cost, sections }: Run): number =>
      weights.seconds * cost + (weights.joules > 0 ? weights.joules * this.#meter.of(einsums, sections) : 0);
    const search = new SectionSearch(
      {
        space: new Space(einsums, this.#extents, this.#topology, floor),
        floor,
        ranks: [...this.#loaded.workload.ranks.keys()],
        bound: scoreOf(this.#bounds.section(einsums)),
        lay: (section) => this.#binder.lay(einsums, section),
        score,
        try: (candidate, operations) => {
          const { factor, isWhole } = this.#trials.factor(candidate, operations);
          return { score: score(candidate.run) + weights.seconds * candidate.run.cost * (factor - 1), isWhole };
        },
        scoreOf,
        random: this.#random,
      },
      openSection(einsums),
    );
    this.#searches.push(search);
    return search;
  }

  /** Searches sections until all of those on the best covers have been. */
  #exploreCuts(): void {
    for (const { cuts } of this.#steps) {
      for (;;) {
        const span = cuts.promising().find(({ searched }) => !searched);
        if (!span || this.#isOver()) break;
        this.#go(span, firstShare(span.einsums.length, this.#candidates));
        span.searched = true;
      }
    }
  }

  /** Spends what is left of the candidates where there is most to gain. */
  #refine(): void {
    while (!this.#isOver()) {
      const open = this.#steps.flatMap(({ step, cuts }) =>
        cuts.worthwhile().map(({ span, gain }) => ({ span, gain: (step.repeat * gain) / (1 + span.search.evaluated) })),
      );
      if (open.length === 0) return;
      this.#go(open.reduce((a, b) => (b.gain > a.gain ? b : a)).span, furtherShare);
    }
  }

  #go({ search }: Span, share: number): void {
    search.go(Math.min(share, this.#candidates - this.#evaluated), () => {
      if (this.#evaluated >= this.#reported + reportEvery) this.#report();
      return this.#isLate();
    });
  }

  #isOver(): boolean {
    return this.#isLate() || this.#evaluated >= this.#candidates;
  }

  #isLate(): boolean {
    this.#outOfTime ||= performance.now() > this.#until;
    return this.#outOfTime;
  }

  #report(): void {
    this.#reported = this.#evaluated;
    const best = this.#sumOf((span) => span.search.best!.run);
    this.#options.onProgress?.({
      evaluated: this.#evaluated,
      candidates: this.#candidates,
      best: { cycles: this.#cycles(best.seconds), joules: best.joules },
      bound: this.#bound(),
    });
  }

  #sumOf(runOf: (span: Span) => Run): { seconds: number; joules: number } {
    let seconds = 0;
    let joules = 0;
    for (const { step, cuts } of this.#steps) {
      for (const span of cuts.best()) {
        const run = runOf(span);
        seconds += step.repeat * run.cost;
        joules += step.repeat * this.#meter.of(run.einsums, run.sections);
      }
    }
    return { seconds, joules };
  }

  /** All of a step as one section moves the fewest bytes. */
  #bound(): Figures {
    let seconds = 0;
    let joules = 0;
    for (const { repeat, einsums } of this.#loaded.workload.steps) {
      const all = einsums.toArray();
      seconds += repeat * this.#bounds.section(all);
      joules += repeat * this.#meter.least(all, this.#bounds.trafficBytes(all));
    }
    return { cycles: this.#cycles(seconds), joules };
  }

  /** Of the clock that results count in. */
  #cycles(seconds: number): number {
    const { engines } = this.#topology;
    const main = engines.find(({ part }) => part.kind === 'array') ?? engines[0]!;
    return Math.ceil(seconds * main.hertz - 1e-6);
  }

  /** The best of each section's candidates by what they take on the clock. */
  #confirmed(): SectionMapping[] {
    return this.#steps.flatMap(({ cuts }) => cuts.best().map(({ search }) => search.confirmed()!.section));
  }

  #mappingOf(sections: readonly SectionMapping[]): Mapping {
    const { workload } = this.#loaded;
    const { seed = 1, name = `${workload.name}-on-${this.#arch.name}` } = this.#options;
    const ranks = [...workload.ranks].map(([rank, extent]) => `${rank}=${extent}`).join(' ');
    return new Mapping({
      name,
      about: `Found by a search for ${this.#objective}, seed ${seed}, ${this.#evaluated} candidates, for ${ranks}`,
      workload: workload.name,
      machine: this.#arch.name,
      sections: List(sections),
    });
  }
}

/** A section that leaves everything but its einsums to the binder. */
function openSection(einsums: readonly Einsum[]): SectionMapping {
  return new SectionMapping({ einsums: List(einsums.map(({ name }) => name)) });
}
