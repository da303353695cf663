/** What a device needs of its memory, whatever that is made of. */

/** Consecutive bytes. */
export interface Run {
  readonly base: number;
  readonly width: number;
}

export interface DeviceMemory {
  /** Reads that a unit should have under way at a time: enough to keep it busy, and so few that they do not take turns in its banks. */
  readonly depth: number;
  /**
   * Asks for a transfer at a time, in picoseconds, that no later request may come before. `done` is told when the last of
   * what is read has come, or all that is written is on its way where nothing overtakes it.
   */
  submit(ps: number, runs: readonly Run[], write: boolean, done: (ps: number) => void): void;
  /** A time before which nobody is told of anything; infinite when nothing is under way. */
  readonly bound: number;
  /** Goes on until somebody was told of something, or until a time. */
  advance(ps: number): void;
}

export function widthOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { width }) => sum + width, 0);
}
