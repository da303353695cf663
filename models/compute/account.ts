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
}
