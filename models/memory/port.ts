/** What several engines share: bytes served first come, first served, at a fixed rate. */
import { Bins, timelineBins } from '../kernel/bins.ts';
import { Ratio } from '../kernel/clock.ts';

/** What reports are told of whatever moves bytes. */
export interface Traffic {
  readonly name: string;
  /** At most. */
  readonly bytesPerSecond: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Transfers. */
  readonly reads: number;
  readonly writes: number;
}

/**
 * A work-conserving port. Requests must come in order of time (the kernel's `at` sees to it). Times are picoseconds, and
 * within a busy period the n-th byte ends at ceil(start + n x picoseconds per byte): nothing drifts.
 */
export class Port implements Traffic {
  readonly name: string;
  readonly bytesPerSecond: number;
  /** Picoseconds per byte. */
  readonly #perByte: Ratio;
  /** Picoseconds from the last byte served until it has arrived. */
  readonly latency: number;
  #periodStart = 0;
  #periodBytes = 0;
  /** When the last byte accepted so far has been served. */
  #free = 0;
  /** When the latest request began to be served. */
  start = 0;
  bytesRead = 0;
  bytesWritten = 0;
  reads = 0;
  writes = 0;
  /** Sum over reads of the time from request to arrival. */
  readLatencySum = 0;
  /** Bytes over time, in picoseconds. */
  readonly timeline = new Bins(1, timelineBins, 1024);

  constructor(name: string, bytesPerSecond: number, latency: number) {
    this.name = name;
    this.bytesPerSecond = bytesPerSecond;
    // What is faster than 9 PB/s cannot be said in whole bytes per second, and is that fast.
    this.#perByte = new Ratio(1e12, Math.min(Math.round(bytesPerSecond), Number.MAX_SAFE_INTEGER));
    this.latency = latency;
  }

  /** Accepts a request for whole bytes at a time not before the previous one's; returns when the last has been served. */
  serve(ps: number, bytes: number, write: boolean): number {
    if (ps >= this.#free) {
      this.#periodStart = ps;
      this.#periodBytes = 0;
      this.start = ps;
    } else {
      this.start = this.#free;
    }
    this.#periodBytes += bytes;
    this.#free = this.#periodStart + this.#perByte.ceilOf(this.#periodBytes);
    if (bytes > 0) this.timeline.add(0, this.start, this.#free, bytes);
    if (write) {
      this.writes++;
      this.bytesWritten += bytes;
    } else {
      this.reads++;
      this.bytesRead += bytes;
      this.readLatencySum += this.#free + this.latency - ps;
    }
    return this.#free;
  }
}
