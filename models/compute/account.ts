/** Where the cycles of an engine go, in total and over time. */
import { Bins, timelineBins } from '../kernel/bins.ts';

/** What an engine can be doing; a cycle of none of these is idle. */
export const activities = ['busy', 'waitInput', 'waitOutput', 'waitMemory'] as const;
export type Activity = (typeof activities)[number];
export const busy = 0;
export const waitInput = 1;
export const waitOutput = 2;
export const waitMemory = 3;

/** Cycles of one engine by activity. Times and amounts are cycles of its clock. */
export class Account {
  readonly totals = new Float64Array(activities.length);
  readonly bins = new Bins(activities.length, timelineBins, 1);

  add(activity: number, from: number, to: number): void {
    if (to <= from) return;
    this.totals[activity]! += to - from;
    this.bins.add(activity, from, to, to - from);
  }

  /** Numbers that `save` writes. */
  readonly size = activities.length + 1;

  save(into: Float64Array, at: number): void {
    into.set(this.totals, at);
    into[at + activities.length] = this.bins.mark();
  }

  /** Adds `times` more what was added since `save`, each time `cycles` later. */
  repeat(since: Float64Array, at: number, cycles: number, times: number): void {
    addAgain(this.totals, since, at, times);
    this.bins.repeat(since[at + activities.length]!, cycles, times);
  }

  /** Adds cycles by activity while time is passed over, from cycle `at` on until the shift of the bins is this. */
  pass(at: number, shift: number, cycles: Float64Array): void {
    for (let i = 0; i < activities.length; i++) this.totals[i]! += cycles[i]!;
    this.bins.pass(at, shift, cycles);
  }
}

/** Adds `times` more what was added to counters since they were saved. */
export function addAgain(counters: Float64Array, since: Float64Array, at: number, times: number): void {
  for (let i = 0; i < counters.length; i++) counters[i]! += times * (counters[i]! - since[at + i]!);
}
