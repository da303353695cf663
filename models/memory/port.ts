/** What several engines share: bytes served first come, first served, at a fixed rate. */
import { Bins, timelineBins } from '../kernel/bins.ts';
import { picosecondsPerSecond, Ratio } from '../kernel/clock.ts';
import type { Period, Repeating } from '../kernel/fast-forward.ts';
import type { Passage, Sampled } from '../kernel/sampling.ts';

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
 * A work-conserving port. Requests must come in order of time (the kernel's `at` sees to it). Within a busy period
 * the n-th byte ends at ceil(start + n x units of time per byte): nothing drifts.
 */
export class Port implements Traffic, Repeating, Sampled {
  readonly name: string;
  readonly bytesPerSecond: number;
  /** Units of time per byte. */
  readonly #perByte: Ratio;
  /** Units of time from the last byte served until it has arrived. */
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
  /** Bytes over time. */
  readonly timeline = new Bins(1, timelineBins, 1);
  /** Of requests that were passed over: reads and bytes since the latest passage. */
  #passedReads = 0;
  #passedBytes = 0;

  constructor(name: string, bytesPerSecond: number, latency: number, unitsPerSecond = picosecondsPerSecond) {
    this.name = name;
    this.bytesPerSecond = bytesPerSecond;
    // What is faster than 9 PB/s cannot be said in whole bytes per second, and is that fast.
    this.#perByte = new Ratio(unitsPerSecond, Math.min(Math.round(bytesPerSecond), Number.MAX_SAFE_INTEGER));
    this.latency = latency;
  }

  /** Accepts a request for whole bytes at a time not before the previous one's; returns when the last has been served. */
  serve(time: number, bytes: number, write: boolean): number {
    if (time >= this.#free) {
      this.#periodStart = time;
      this.#periodBytes = 0;
      this.start = time;
    } else {
      this.start = this.#free;
    }
    this.#periodBytes += bytes;
    this.#free = this.#periodStart + this.#perByte.ceilOf(this.#periodBytes);
    // What has taken less than a unit has come in the one that ends now.
    if (bytes > 0) this.timeline.add(0, Math.min(this.start, this.#free - 1), this.#free, bytes);
    if (write) {
      this.writes++;
      this.bytesWritten += bytes;
    } else {
      this.reads++;
      this.bytesRead += bytes;
      this.readLatencySum += this.#free + this.latency - time;
    }
    return this.#free;
  }

  readonly size = 9;

  save(into: Float64Array, at: number): void {
    into[at] = this.#free;
    into[at + 1] = this.#periodStart;
    into[at + 2] = this.#periodBytes;
    into[at + 3] = this.bytesRead;
    into[at + 4] = this.bytesWritten;
    into[at + 5] = this.reads;
    into[at + 6] = this.writes;
    into[at + 7] = this.readLatencySum;
    into[at + 8] = this.timeline.mark();
  }

  /** What has been served when the next request comes matters no more. */
  repeats(since: Float64Array, at: number, { start, end }: Period): boolean {
    const free = since[at]!;
    if (this.#free <= end) return free <= start;
    if (this.#free !== free + end - start) return false;
    // As many bytes as take a whole number of units can be left out at the period's start.
    const { numerator, denominator } = this.#perByte;
    const bytes = this.#periodBytes - since[at + 2]!;
    const later = this.#periodStart - since[at + 1]! - (end - start);
    return bytes % denominator === 0 && later + (bytes / denominator) * numerator === 0;
  }

  skip(since: Float64Array, at: number, { start, end }: Period, times: number): void {
    if (this.#free > end) {
      this.#free += times * (end - start);
      this.#periodStart += times * (end - start);
    }
    this.bytesRead += times * (this.bytesRead - since[at + 3]!);
    this.bytesWritten += times * (this.bytesWritten - since[at + 4]!);
    this.reads += times * (this.reads - since[at + 5]!);
    this.writes += times * (this.writes - since[at + 6]!);
    this.readLatencySum += times * (this.readLatencySum - since[at + 7]!);
    this.timeline.repeat(since[at + 8]!, end - start, times);
  }

  /** Counts requests that are about to be passed over. */
  count(requests: number, bytes: number, write: boolean): void {
    if (write) {
      this.writes += requests;
      this.bytesWritten += requests * bytes;
    } else {
      this.reads += requests;
      this.bytesRead += requests * bytes;
      this.#passedReads += requests;
    }
    this.#passedBytes += requests * bytes;
  }

  pass(since: Float64Array, at: number, { now, after }: Passage): void {
    const reads = this.reads - this.#passedReads - since[at + 5]!;
    const latency = reads > 0 ? (this.readLatencySum - since[at + 7]!) / reads : 0;
    this.readLatencySum += Math.floor(this.#passedReads * latency + 0.5);
    this.timeline.pass(Math.max(now, this.#free), after, [this.#passedBytes]);
    this.#passedReads = 0;
    this.#passedBytes = 0;
  }
}
