/**
 * Runs a part of what repeats and estimates the rest, where a memory remembers and no state comes back: systematic sampling
 * as in SMARTS (Wunderlich et al., ISCA 2003), over iterations of loops instead of instructions.
 *
 * Of a loop's iterations some are run to warm up and some are measured, a window; those that follow are passed over and count
 * as the window did, until the next. What passes over moves loops and counters, nothing else: processes, tokens in flight and
 * memories go on in the time that is run, and do not notice but for the iteration that they are in. The time passed over is
 * kept apart. First and last iterations that are not like others are always run. Loops inside a loop that is sampled are
 * sampled too. Distances between windows vary, so that they keep no step with anything; the same run gives the same result.
 */
import { certain, type Spread, together } from './estimate.ts';
import type { Skipping } from './kernel.ts';
import { NestWatch, type Progress, placesOf } from './nest-watch.ts';

/** Iterations of a loop that are passed over, as long each as those measured before. */
export interface Passage {
  /** Position of the loop in the nest of the progress. */
  readonly loop: number;
  readonly iterations: number;
  /** Iterations that were measured. */
  readonly measured: number;
  /** The earliest time at which a process will act. */
  readonly now: number;
  /** Time passed over since the machine's run began, before and after this. */
  readonly before: number;
  readonly after: number;
}

/** A part of a run with counters. They are saved in `size` numbers of an array, from position `at` on. */
export interface Sampled {
  readonly size: number;
  save(into: Float64Array, at: number, passed: number, now: number): void;
  /** Adds to its counters what they have gained in `measured` iterations since they were saved, for each that is passed over. */
  pass(since: Float64Array, at: number, passage: Passage): void;
}

/** One that walks a loop nest. */
export interface SampledLoops extends Sampled {
  /** Iterations of a loop, from where it is, that are like the present one: 0 where it is not with `digits` yet or any more. */
  room(loop: number, digits: Int32Array): number;
  /** Gets ready to pass over iterations of a loop; returns the time that one takes at least. */
  prepare(loop: number): number;
}

/** Windows in all of a section, at least, and in each run of a loop. */
const leastWindows = 24;
const leastWindowsEach = 2;
/** The least length of a window and of a warm-up in intervals of what disturbs a memory (refreshes), and in rounds. */
const window = { intervals: 2, rounds: 64 };
const warmUp = { intervals: 0.5, rounds: 64 };
/** Iterations passed over after a window, on average and at least: enough for distances to vary, and no fewer than are run. */
const leastDistance = 2;

/** How a loop is sampled, in iterations. */
interface Plan {
  readonly window: number;
  readonly warmUp: number;
  /** Passed over after a window, on average. */
  readonly distance: number;
  /** Time of a round, about. */
  readonly round: number;
}

class Level {
  readonly plan: Plan;
  readonly saved: Float64Array;
  /** Iterations until what is under way ends: the warm-up, or the window. */
  left = 0;
  isMeasuring = false;
  isOver = true;
  /** When what is under way began; not a number for a warm-up that follows nothing passed over. */
  start = Number.NaN;
  /** Length of the latest warm-up. */
  warmUp = Number.NaN;
  /** The section's when the window began; then what has come to it in the window. */
  bias = 0;
  /** Of this run of the loop: windows, their mean, and the sum of squares about it; in time per iteration. */
  #count = 0;
  #mean = 0;
  #squares = 0;
  /** Of all runs together. */
  #windows = 0;
  #allSquares = 0;
  #freedom = 0;
  #random = 1;
  #passed = 0;
  #passedSquares = 0;

  constructor(plan: Plan, size: number) {
    this.plan = plan;
    this.saved = new Float64Array(size);
  }

  /** A loop outside has moved on. */
  begin(): void {
    this.#close();
    this.isMeasuring = false;
    this.isOver = false;
    this.start = Number.NaN;
    this.left = this.plan.warmUp + 1;
  }

  measured(perIteration: number): void {
    const difference = perIteration - this.#mean;
    this.#mean += difference / ++this.#count;
    this.#squares += difference * (perIteration - this.#mean);
    this.#windows++;
  }

  /** Iterations to pass over next: from half the mean to one and a half. */
  nextDistance(): number {
    // Numerical Recipes' linear congruential generator.
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    const place = this.#random / 2 ** 32;
    return Math.max(1, Math.floor(this.plan.distance * (0.5 + place) + 0.5));
  }

  passed(iterations: number): void {
    this.#passed += iterations;
    this.#passedSquares += iterations ** 2;
  }

  /**
   * Of the time passed over: each stretch of n iterations has the mean of the window before it, and n of its own. What none
   * of k windows shows may come once in k / 3 (the rule of three): a round, say.
   */
  get spread(): Spread {
    this.#close();
    if (this.#passed === 0) return certain;
    const freedom = Math.max(1, this.#freedom);
    const variance = this.#allSquares / freedom;
    const { window: length, round } = this.plan;
    const unseen = ((3 / this.#windows) * this.#passed) / length;
    return { variance: variance * (this.#passedSquares + length * this.#passed), freedom, bias: unseen * round };
  }

  #close(): void {
    this.#allSquares += this.#squares;
    this.#freedom += Math.max(0, this.#count - 1);
    this.#count = 0;
    this.#mean = 0;
    this.#squares = 0;
  }
}

export class Sampling implements Skipping {
  readonly #parts: readonly Sampled[];
  readonly #loops: readonly SampledLoops[];
  readonly #offsets: readonly number[];
  readonly #size: number;
  readonly #progress: Progress;
  readonly #trips: readonly number[];
  readonly #rounds: number;
  readonly #interval: number;
  readonly #isSteady: () => boolean;
  readonly #start: number;
  /** Null for loops that are run as they are; empty until it is known how long a round takes. */
  #levels: readonly (Level | null)[] = [];
  readonly #nest: NestWatch;
  /** Iterations of the nest that were not run. */
  skipped = 0;
  /** Time that is still to be added to what is passed over, or taken away. */
  #debt = 0;
  /** What the time passed over may be wrong by because of passing over itself. */
  #bias = 0;
  /** Time passed over, with that before the section. */
  passed: number;

  /**
   * `trips` are those of the nest of `progress`; a part of `others` comes after all `loops`. `interval` is the time between
   * two refreshes. `isSteady` says whether the loop that all are prepared for leaves channels as they were.
   */
  constructor(options: {
    readonly progress: Progress;
    readonly trips: readonly number[];
    readonly loops: readonly SampledLoops[];
    readonly others: readonly Sampled[];
    readonly interval: number;
    readonly start: number;
    readonly passed: number;
    readonly isSteady: () => boolean;
  }) {
    const { progress, trips, loops, others } = options;
    this.#loops = loops;
    this.#parts = [...loops, ...others];
    const { offsets, size } = placesOf(this.#parts);
    this.#offsets = offsets;
    this.#size = size;
    this.#progress = progress;
    this.#trips = trips;
    this.#rounds = progress.remaining;
    this.#interval = options.interval;
    this.#isSteady = options.isSteady;
    this.#start = options.start;
    this.#nest = new NestWatch(progress, trips.length);
    this.passed = options.passed;
  }

  get hasMoved(): boolean {
    return this.#nest.hasMoved;
  }

  /** To be called when no process is ready. Time does not move on. */
  look(now: number): number {
    const changed = this.#nest.outermostChange();
    this.#nest.remember();
    if (this.#nest.remaining === 0 || changed === this.#trips.length) return 0;
    if (this.#levels.length === 0) this.#plan(now);
    for (let inner = changed + 1; inner < this.#levels.length; inner++) this.#levels[inner]?.begin();
    const level = this.#levels[changed];
    if (level && !level.isOver && --level.left === 0) this.#turn(level, changed, now);
    return 0;
  }

  finish(): void {}

  /** Of the time passed over. */
  get spread(): Spread {
    return together([...this.#levels.flatMap((level) => level?.spread ?? []), { ...certain, bias: this.#bias }]);
  }

  /** Decides which loops are sampled, and how, once a few windows' time has shown how long a round takes. */
  #plan(now: number): void {
    const time = now - this.#start;
    const done = this.#rounds - this.#progress.remaining;
    if (time < 2 * window.intervals * this.#interval || done < 2 * window.rounds) return;
    const rounds = Math.max(window.rounds, (window.intervals * this.#interval * done) / time);
    const warmUpRounds = Math.max(warmUp.rounds, (warmUp.intervals * this.#interval * done) / time);
    let runs = 1;
    this.#levels = this.#trips.map((trips, loop) => {
      const each = this.#trips.slice(loop + 1).reduce((product, n) => product * n, 1);
      const length = Math.ceil(rounds / each);
      const warming = Math.ceil(warmUpRounds / each);
      const windows = Math.max(leastWindowsEach, Math.ceil(leastWindows / runs));
      const run = 2 + warming + windows * (length + warming);
      // A loop that no other is outside of goes on where it is; others begin with their next run.
      const isOutermost = runs === 1;
      const distance = (trips - run - (isOutermost ? this.#nest.digits[loop]! : 0)) / windows;
      const isSampled = distance >= Math.max(leastDistance, length + warming);
      runs *= isSampled ? run : trips;
      if (!isSampled) return null;
      const level = new Level({ window: length, warmUp: warming, distance, round: time / done }, this.#size);
      if (isOutermost) level.begin();
      return level;
    });
  }

  /** A warm-up has ended, or a window. */
  #turn(level: Level, loop: number, now: number): void {
    const length = now + this.passed - level.start;
    if (level.isMeasuring) {
      const perIteration = length / level.plan.window;
      level.measured(perIteration);
      level.bias = this.#bias - level.bias;
      if (level.warmUp >= 0) this.#settle(level.plan.warmUp * perIteration - level.warmUp);
      level.isOver = !this.#pass(level, loop, now, perIteration);
      level.isMeasuring = false;
      level.left = level.plan.warmUp;
      level.start = now + this.passed;
      return;
    }
    level.warmUp = length;
    level.isMeasuring = true;
    level.left = level.plan.window;
    level.start = now + this.passed;
    level.bias = this.#bias;
    for (let i = 0; i < this.#parts.length; i++) {
      this.#parts[i]!.save(level.saved, this.#offsets[i]!, this.passed, now);
    }
  }

  /**
   * Addresses that follow no others hold a memory up. What that took in the warm-up, beyond the window, is no part of the
   * estimate; what goes on after it, or is made up for, may be as much.
   */
  #settle(beyond: number): void {
    this.#debt += beyond;
    this.#bias += Math.abs(beyond);
  }

  /** Passes over the iterations that follow a window; false where there are none. */
  #pass(level: Level, loop: number, now: number, perIteration: number): boolean {
    const { window: measured, warmUp } = level.plan;
    const room = Math.min(...this.#loops.map((part) => part.room(loop, this.#nest.digits)));
    const iterations = Math.min(room - warmUp - measured, level.nextDistance());
    if (!(iterations >= 1 && Number.isFinite(iterations))) return false;
    const least = Math.max(...this.#loops.map((part) => part.prepare(loop)));
    if (!this.#isSteady()) return false;
    const before = this.passed;
    const time = iterations * perIteration + this.#debt;
    this.passed += Math.max(Math.floor(time + 0.5), Math.ceil(iterations * least));
    this.#debt = time - (this.passed - before);
    const passage = { loop, iterations, measured, now, before, after: this.passed };
    for (let i = 0; i < this.#parts.length; i++) this.#parts[i]!.pass(level.saved, this.#offsets[i]!, passage);
    this.skipped += this.#nest.remaining - this.#progress.remaining;
    this.#nest.remember();
    level.passed(iterations + warmUp);
    // Windows hold what loops inside have passed over.
    this.#bias += (iterations / measured) * level.bias;
    return true;
  }
}
