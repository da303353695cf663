/**
 * Skips what repeats. When a run is in the same state as before, but later and further on in one loop, what it did in
 * between it does again: as often as that loop has iterations that are neither its first nor its last. So many periods
 * are added up instead of run, and the result is the same, bit for bit.
 *
 * States are compared at moments at which no process is ready and a loop of the nest has just moved on: with an earlier
 * one of the same loop, found by Brent's algorithm for cycles. Once two are equal, one more period runs while timelines
 * record what is added to them; then it is repeated. Loops inside are skipped in all of this too, so that of a nest
 * only a few iterations of every loop are run.
 */
import type { Bins } from './bins.ts';
import type { Clock } from './clock.ts';
import type { Skipping } from './kernel.ts';
import { NestWatch, type Progress, placesOf } from './nest-watch.ts';

/** From one moment to another at which no process is ready; each is the earliest time at which one of them will act. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

/** A part of a run's state. It is saved in `size` numbers of an array, from position `at` on. */
export interface Repeating {
  readonly size: number;
  save(into: Float64Array, at: number): void;
  /** Whether it will do after the period what it did since its state was saved, at the period's start. */
  repeats(since: Float64Array, at: number, period: Period): boolean;
  /** Leaves it as it is after so many more of these periods. */
  skip(since: Float64Array, at: number, period: Period, times: number): void;
}

/** One that walks a loop nest. */
export interface Looping extends Repeating {
  /** How many more of these periods no loop begins or ends in. */
  repetitions(since: Float64Array, at: number): number;
}

/** Entries that a timeline may record; a loop with longer periods is not skipped. */
const longestRecord = 2 ** 22;

/** The most times that a loop is run through without a search after one that was in vain. */
const longestPause = 256;

/** The search for a period of one loop, while loops outside stand still. */
class Level {
  saved: Float64Array | null = null;
  start = Number.POSITIVE_INFINITY;
  remaining = 0;
  /** Iterations since the state was saved, and after how many it is saved anew. */
  steps = 0;
  patience = 0;
  isRecording = false;
  /** Whether something has been skipped. */
  hasSkipped = false;
  /** Nothing more is to be skipped until a loop outside moves on; or ever. */
  isOver = false;
  isHopeless = false;
  /** The part that was last found to differ. */
  suspect = 0;
  /** How often loops outside may move on before the next search, and before the one after that if it is in vain. */
  #pause = 0;
  #nextPause = 1;

  /** A loop outside has moved on. */
  begin(): void {
    if (this.hasSkipped) this.#nextPause = 1;
    else if (this.#pause > 0) this.#pause--;
    else if (this.start < Number.POSITIVE_INFINITY) {
      this.#pause = this.#nextPause;
      this.#nextPause = Math.min(longestPause, 2 * this.#nextPause);
    }
    this.steps = 0;
    this.patience = 0;
    this.isRecording = false;
    this.hasSkipped = false;
    this.isOver = this.isHopeless || this.#pause > 0;
    this.start = Number.POSITIVE_INFINITY;
  }
}

export class FastForward implements Skipping {
  readonly #parts: readonly Repeating[];
  readonly #loops: readonly Looping[];
  readonly #offsets: readonly number[];
  readonly #size: number;
  readonly #clocks: readonly Clock[];
  readonly #timelines: readonly Bins[];
  readonly #nest: NestWatch;
  readonly #levels: readonly Level[];
  #recordings = 0;
  /** Iterations of the nest that were not run. */
  skipped = 0;

  /** `depth` loops of the nest of `progress`; `loops` and `others` are all of a run's state but what is parked. */
  constructor(options: {
    readonly progress: Progress;
    readonly depth: number;
    readonly loops: readonly Looping[];
    readonly others: readonly Repeating[];
    readonly clocks: readonly Clock[];
    readonly timelines: readonly Bins[];
  }) {
    const { progress, depth, loops, others, clocks, timelines } = options;
    this.#loops = loops;
    this.#parts = [...loops, ...others];
    const { offsets, size } = placesOf(this.#parts);
    this.#offsets = offsets;
    this.#size = size;
    this.#clocks = clocks;
    this.#timelines = timelines;
    this.#nest = new NestWatch(progress, depth);
    this.#levels = Array.from({ length: depth }, () => new Level());
  }

  /** Whether the nest has moved on, and there is something to look at. */
  get hasMoved(): boolean {
    return this.#nest.hasMoved;
  }

  /**
   * To be called when no process is ready; `now` is the earliest time at which one will act. Returns by how much time
   * that is later then, mostly 0.
   */
  look(now: number): number {
    const changed = this.#nest.outermostChange();
    this.#nest.remember(changed);
    if (this.#nest.remaining === 0 || changed === this.#levels.length) return 0;
    if (this.#recordings > 0) this.#limitRecords();
    for (let inner = changed + 1; inner < this.#levels.length; inner++) this.#restart(this.#levels[inner]!);
    const level = this.#levels[changed]!;
    return level.isOver ? 0 : this.#visit(level, now);
  }

  /** Stops what is under way: the run has ended. */
  finish(): void {
    for (const level of this.#levels) this.#restart(level);
  }

  #restart(level: Level): void {
    this.#stopRecording(level);
    level.begin();
  }

  #stopRecording(level: Level): void {
    if (level.isRecording && --this.#recordings === 0) for (const timeline of this.#timelines) timeline.forget();
    level.isRecording = false;
  }

  #visit(level: Level, now: number): number {
    if (!this.#isRepeated(level, now)) {
      if (level.isRecording || ++level.steps < level.patience) return 0;
      level.steps = 0;
      level.patience = Math.max(1, 2 * level.patience);
      this.#save(level, now);
      return 0;
    }
    const times = this.#repetitions(level);
    if (level.isRecording) {
      const period = { start: level.start, end: now };
      if (times > 0) this.#skip(level, period, times);
      level.hasSkipped = times > 0;
      level.isOver = true;
      this.#stopRecording(level);
      return times * (period.end - period.start);
    }
    // One period of these is run and recorded.
    if (times < 2) {
      level.isOver = true;
      return 0;
    }
    if (this.#recordings++ === 0) for (const timeline of this.#timelines) timeline.record();
    level.isRecording = true;
    this.#save(level, now);
    return 0;
  }

  #save(level: Level, now: number): void {
    level.saved ??= new Float64Array(this.#size);
    for (let i = 0; i < this.#parts.length; i++) this.#parts[i]!.save(level.saved, this.#offsets[i]!);
    level.start = now;
    level.remaining = this.#nest.remaining;
  }

  #isRepeated(level: Level, end: number): boolean {
    const { start, saved } = level;
    if (saved === null || end <= start) return false;
    for (const { period } of this.#clocks) if ((end - start) % period.numerator !== 0) return false;
    const span = { start, end };
    // What differed before is the first to tell.
    if (!this.#parts[level.suspect]!.repeats(saved, this.#offsets[level.suspect]!, span)) return false;
    for (let i = 0; i < this.#parts.length; i++) {
      if (this.#parts[i]!.repeats(saved, this.#offsets[i]!, span)) continue;
      level.suspect = i;
      return false;
    }
    return true;
  }

  #repetitions({ saved }: Level): number {
    const each = this.#loops.map((loop, i) => loop.repetitions(saved!, this.#offsets[i]!));
    const least = Math.min(...each);
    return Number.isFinite(least) ? least : 0;
  }

  #skip(level: Level, period: Period, times: number): void {
    const { saved } = level;
    for (let i = 0; i < this.#parts.length; i++) this.#parts[i]!.skip(saved!, this.#offsets[i]!, period, times);
    this.skipped += times * (level.remaining - this.#nest.remaining);
    this.#nest.remember();
  }

  /** Gives up the outermost loop that records where that takes too much memory. */
  #limitRecords(): void {
    if (this.#timelines.every(({ recorded }) => recorded < longestRecord)) return;
    const outermost = this.#levels.findIndex(({ isRecording }) => isRecording);
    this.#levels[outermost]!.isHopeless = true;
    for (let i = outermost; i < this.#levels.length; i++) this.#restart(this.#levels[i]!);
  }
}
