/** The search for the best way to lay one run of einsums as a section, a candidate at a time. */
import type { SectionMapping } from '../../workloads/language/mapping.ts';
import type { Run } from '../binding/bind.ts';
import { BindError } from '../binding/dependencies.ts';
import { type Choice, keyOf, type Sides, sectionOf } from './choice.ts';
import type { Floor } from './floor.ts';
import type { Space } from './space.ts';

/** A section of a mapping as it was bound. */
export interface Candidate {
  readonly section: SectionMapping;
  readonly run: Run;
  /** What is to be small: by the binder's estimate, or on the clock when that was found wrong. */
  readonly score: number;
  readonly tried: boolean;
}

/** What a search of a section needs to know. */
export interface Subject {
  readonly space: Space;
  readonly floor: Floor;
  /** Names of the workload's ranks. */
  readonly ranks: readonly string[];
  /** The least score that it can have. */
  readonly bound: number;
  /** @throws BindError */
  readonly lay: (section: SectionMapping) => Run;
  readonly score: (run: Run) => number;
  /** The score on the clock, in a run of about so many operations. */
  readonly try: (candidate: Candidate, operations: number) => { readonly score: number; readonly isWhole: boolean };
  /** The least score of sections that take so many seconds. */
  readonly scoreOf: (seconds: number) => number;
  /** In [0, 1), the same numbers for the same seed. */
  readonly random: () => number;
}

/** Kinds of engines and sides that are climbed from. */
const mostStarts = 6;
/** Candidates that are remembered, and of them those that are simulated, at most. */
const mostFinalists = 24;
const mostTrials = 8;
/** Operations of a run that tells whether an estimate holds, and of one that tells which of several is best. */
const shortTrial = 5000;
const longTrial = 40_000;
const wrongBy = 1.15;
/** Climbs in a row that find no new candidate, after which there is none. */
const mostIdle = 50;
/** A score this close to the bound is not worth more search. */
const settled = 1.0005;

interface Scored {
  readonly choice: Choice;
  /** Null when it cannot be bound. */
  readonly candidate: Candidate | null;
  readonly score: number;
  /** Bytes that it does not fit by. */
  readonly excess: number;
}

export class SectionSearch {
  readonly subject: Subject;
  /** Best first. */
  #finalists: Candidate[] = [];
  #evaluated = 0;
  #isDone = false;
  /** Estimates up to so many times the best are run where runs are short. */
  #slack = 1;
  /** Bytes that the latest candidate did not fit by. */
  #excess = 0;
  readonly #seen = new Set<string>();
  readonly #steps: Generator<void>;

  /** `open` is a section that leaves everything to the binder. */
  constructor(subject: Subject, open: SectionMapping) {
    this.subject = subject;
    this.#steps = this.#search(open);
  }

  get best(): Candidate | null {
    return this.#finalists[0] ?? null;
  }

  /** The best of the first few on the clock. */
  confirmed(): Candidate | null {
    const tried = this.#finalists.slice(0, mostTrials).map((candidate) => {
      return { ...candidate, score: this.subject.try(candidate, longTrial).score };
    });
    return tried.reduce<Candidate | null>((a, b) => (a === null || b.score < a.score ? b : a), null);
  }

  get score(): number {
    return this.best?.score ?? Number.POSITIVE_INFINITY;
  }

  /** Candidates bound so far. */
  get evaluated(): number {
    return this.#evaluated;
  }

  /** Whether more search is of no use. */
  get isDone(): boolean {
    return this.#isDone || this.score <= this.subject.bound * settled;
  }

  /** Takes up to `candidates` more. `isOver` is asked after each. */
  go(candidates: number, isOver: () => boolean): void {
    const until = this.#evaluated + candidates;
    while (this.#evaluated < until && !this.isDone && !isOver()) {
      if (this.#steps.next().done) this.#isDone = true;
    }
  }

  *#search(open: SectionMapping): Generator<void> {
    const bound = this.#bind(open);
    yield;
    // Every other candidate is measured against it.
    if (bound) this.#try(bound);
    const { space } = this.subject;
    const like = bound && bound.run.sections.length === 1 ? space.like(bound.run.sections[0]!) : null;
    let best: Scored | null = null;
    for (const start of [...(like ? [like] : []), ...this.#starts()]) {
      best = better(best, yield* this.#climb(start));
    }
    let idle = 0;
    while (idle < mostIdle) {
      const before = this.#evaluated;
      const from = best?.choice ?? space.start(null, new Map());
      best = better(best, yield* this.#climb(this.#shaken(from)));
      idle = this.#evaluated === before ? idle + 1 : 0;
    }
  }

  /** First those that could be fastest, by what their engines have to do; one for each way to lay out the array. */
  #starts(): Choice[] {
    const { space, floor } = this.subject;
    const layouts: ReadonlyMap<string, Sides>[] = [new Map()];
    for (const path of space.arrays) {
      for (const pair of space.pairs()) layouts.push(new Map([[path, pair]]));
    }
    const starts = layouts.flatMap((sides) => {
      let choice = space.start(null, sides);
      let least = space.canLay(choice) ? floor.of(choice) : Number.POSITIVE_INFINITY;
      for (let improved = true; improved; ) {
        improved = false;
        for (const engines of space.reassigned(choice.engines)) {
          const other = space.start(engines, sides);
          const seconds = space.canLay(other) ? floor.of(other) : Number.POSITIVE_INFINITY;
          if (seconds >= least) continue;
          choice = other;
          least = seconds;
          improved = true;
        }
      }
      return Number.isFinite(least) ? [{ choice, least }] : [];
    });
    starts.sort((a, b) => a.least - b.least);
    return starts.slice(0, mostStarts).map(({ choice }) => choice);
  }

  /** With its score on the clock: an estimate that was too good is no place to go on from. */
  #onTheClock(step: Scored): Scored {
    const { candidate } = step;
    return candidate && !candidate.tried ? { ...step, score: this.#try(candidate) } : step;
  }

  /** From a choice to its first better neighbour, in an order drawn anew, until there is none. */
  *#climb(start: Choice): Generator<void, Scored | null> {
    let at = this.#onTheClock(this.#score(start));
    yield;
    if (at.score === Number.POSITIVE_INFINITY && at.excess === 0 && start.keep.size > 0) {
      at = this.#onTheClock(this.#score({ ...start, keep: new Set() }));
      yield;
    }
    for (let improved = true; improved; ) {
      improved = false;
      for (const choice of this.#shuffled([...this.subject.space.neighbours(at.choice)])) {
        if (!this.#isNew(choice) || this.#isHopeless(choice, at.score)) continue;
        let other = this.#score(choice);
        if (other.score < at.score * this.#slack) other = this.#onTheClock(other);
        const isBetter = other.score < at.score || (at.excess > 0 && other.excess > 0 && other.excess < at.excess);
        if (isBetter) {
          at = other;
          improved = true;
        }
        yield;
        if (isBetter) break;
      }
    }
    return Number.isFinite(at.score) ? at : null;
  }

  #isNew(choice: Choice): boolean {
    return !this.#seen.has(keyOf(choice, this.subject.space.extents));
  }

  #isHopeless(choice: Choice, score: number): boolean {
    return this.subject.scoreOf(this.subject.floor.of(choice)) >= score;
  }

  #score(choice: Choice): Scored {
    const { space, ranks } = this.subject;
    this.#seen.add(keyOf(choice, space.extents));
    const section = sectionOf(choice, space.einsums, space.extents, ranks);
    const candidate = this.#bind(section);
    return { choice, candidate, score: candidate?.score ?? Number.POSITIVE_INFINITY, excess: this.#excess };
  }

  /** Null when it cannot be bound. */
  #bind(section: SectionMapping): Candidate | null {
    this.#evaluated++;
    this.#excess = 0;
    try {
      const run = this.subject.lay(section);
      const candidate = { section, run, score: this.subject.score(run), tried: false };
      this.#keep(candidate);
      return candidate;
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      this.#excess = error.excess;
      return null;
    }
  }

  #keep(candidate: Candidate): void {
    const all = [...this.#finalists, candidate].sort((a, b) => a.score - b.score);
    this.#finalists = all.slice(0, mostFinalists);
  }

  #try(candidate: Candidate): number {
    const { score: real, isWhole } = this.subject.try(candidate, shortTrial);
    // A run of a part says no more than that an estimate is wrong.
    const score = isWhole || real > candidate.score * wrongBy ? real : candidate.score;
    this.#slack = isWhole ? wrongBy : 1;
    this.#finalists = this.#finalists.filter((other) => other !== candidate);
    this.#keep({ ...candidate, score, tried: true });
    return score;
  }

  /** A few steps away, whatever they cost. */
  #shaken(choice: Choice): Choice {
    const { space, random } = this.subject;
    let at = choice;
    for (let steps = 1 + Math.floor(3 * random()); steps > 0; steps--) {
      const others = [...space.neighbours(at)];
      at = others[Math.floor(random() * others.length)] ?? at;
    }
    return at;
  }

  /** Fisher and Yates. */
  #shuffled<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(this.subject.random() * (i + 1));
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }
}

function better(a: Scored | null, b: Scored | null): Scored | null {
  return a === null || (b !== null && b.score < a.score) ? b : a;
}
