/** Passes over what repeats: exact, as what follows is decided by a state that has been there before. */
import type { Agenda } from './agenda.ts';

/** Part of the state of a run. */
export interface Stateful {
  /** Appends all that decides its future, times from now on. Counters and progress are not part of it. */
  save(now: number, into: number[]): void;
  /** Everything it has yet to do is later by this. */
  shift(by: number): void;
  /** Appends its counters. */
  count(into: number[]): void;
  /** Adds to its counters so many times what they have grown by since they were `since`, from position `at`. Returns the next. */
  skip(since: readonly number[], at: number, times: number): number;
}

/** Something that goes on until it has done all its work. */
export interface Progress {
  /** Work done so far. */
  readonly issued: number;
  /** Work that may follow before anything changes but the progress. */
  readonly left: number;
  readonly finished: boolean;
}

/** States that are compared with later ones, and at most. */
const patience = 2 ** 13;

/**
 * Looks at a run now and then, and where its state is what it was before (Brent's algorithm), lets time jump by as many of
 * the periods in between as fit before some part of the work changes. What is counted is that of a run without jumps.
 */
export class Repeats {
  readonly #agenda: Agenda;
  readonly #parts: readonly Stateful[];
  readonly #work: readonly Progress[];
  #kept: number[] = [];
  #keptCounts: number[] = [];
  #keptIssued: number[] = [];
  #keptAt = 0;
  #power = 1;
  #looks = 0;
  /** Work that has ended is another run. */
  #active = -1;
  #state: number[] = [];
  /** Times that were passed over. */
  skipped = 0;

  constructor(agenda: Agenda, parts: readonly Stateful[], work: readonly Progress[]) {
    this.#agenda = agenda;
    this.#parts = parts;
    this.#work = work;
  }

  look(): void {
    const active = this.#work.filter(({ finished }) => !finished).length;
    if (active !== this.#active) {
      this.#active = active;
      this.#restart();
    }
    if (this.#looks > patience) return;
    const { now } = this.#agenda;
    this.#state.length = 0;
    this.#agenda.save(this.#state);
    for (const part of this.#parts) part.save(now, this.#state);
    if (this.#keptAt >= 0 && this.#isKept()) {
      if (this.#jump(now - this.#keptAt)) return;
    }
    if (++this.#looks < this.#power) return;
    this.#power *= 2;
    this.#keep(now);
  }

  #restart(): void {
    this.#power = 1;
    this.#looks = 0;
    this.#keptAt = -1;
  }

  #isKept(): boolean {
    const [state, kept] = [this.#state, this.#kept];
    return state.length === kept.length && state.every((value, i) => value === kept[i]);
  }

  #keep(now: number): void {
    [this.#kept, this.#state] = [this.#state, this.#kept];
    this.#keptAt = now;
    this.#keptCounts = [];
    for (const part of this.#parts) part.count(this.#keptCounts);
    this.#keptIssued = this.#work.map(({ issued }) => issued);
  }

  /** Whether there was room for a jump. Afterwards it looks for the next repetition anew. */
  #jump(period: number): boolean {
    const fits = this.#work.map(({ issued, left }, i) => {
      const each = issued - this.#keptIssued[i]!;
      return each > 0 ? Math.floor(left / each) - 1 : Number.POSITIVE_INFINITY;
    });
    const times = Math.min(...fits);
    if (!(times >= 1 && times < Number.POSITIVE_INFINITY)) return false;
    let at = 0;
    for (const part of this.#parts) {
      at = part.skip(this.#keptCounts, at, times);
      part.shift(times * period);
    }
    this.#agenda.shift(times * period);
    this.skipped += times;
    this.#restart();
    return true;
  }
}
