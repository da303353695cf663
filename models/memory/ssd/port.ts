/** Told when a request is done: at which time, and when it was submitted, ps. */
export type Done = (ps: number, submitted: number) => void;

/** Storage that takes requests at any time and serves them in simulated time. */
export interface BlockDevice {
  /** Bytes of its addresses. */
  readonly capacity: number;
  /** Time up to which everything has happened, ps. */
  readonly now: number;
  /** Time of what happens next; Infinity when nothing will. */
  readonly next: number;
  /**
   * A request for `bytes` from `offset` on, at a time that is not before `now`. `done` may submit others.
   * @throws RangeError when it is not within the capacity
   */
  submit(ps: number, offset: number, bytes: number, write: boolean, done: Done): void;
  /** Lets everything happen up to a time, this included. */
  advance(until: number): void;
}
