/** What serves bytes one after the other at a fixed rate: the wires of a link, a memory, a unit that computes. */
import type { Ratio } from '../kernel/clock.ts';

/**
 * The n-th byte of a busy period that begins at t ends at floor(t + n x time per byte): nothing drifts, however the bytes
 * are cut into pieces.
 */
export class Server {
  /** When all that has been accepted is served. */
  free = 0;
  /** Time, bytes and pieces that it has served. */
  busy = 0;
  bytes = 0;
  pieces = 0;
  readonly #numerator: number;
  readonly #denominator: number;
  /** Of the period's time, what is less than a picosecond, in parts of the denominator. */
  #rest = 0;

  /** `perByte` is picoseconds per byte. */
  constructor(perByte: Ratio) {
    this.#numerator = perByte.numerator;
    this.#denominator = perByte.denominator;
  }

  /** Accepts bytes at a time not before the previous one's; returns when the last has been served. */
  serve(now: number, bytes: number): number {
    if (now > this.free) {
      this.free = now;
      this.#rest = 0;
    }
    const parts = this.#rest + bytes * this.#numerator;
    const time = Math.floor(parts / this.#denominator);
    this.#rest = parts - time * this.#denominator;
    this.free += time;
    this.busy += time;
    this.bytes += bytes;
    this.pieces++;
    return this.free;
  }

  /** Appends what decides when later bytes are served. */
  save(now: number, into: number[]): void {
    into.push(Math.max(-1, this.free - now), this.free < now ? 0 : this.#rest);
  }

  shift(by: number): void {
    this.free += by;
  }

  count(into: number[]): void {
    into.push(this.busy, this.bytes, this.pieces);
  }

  /** Adds to its counters `times` what they have grown by since they were `since`, from position `at`. Returns the next one. */
  skip(since: readonly number[], at: number, times: number): number {
    this.busy += times * (this.busy - since[at]!);
    this.bytes += times * (this.bytes - since[at + 1]!);
    this.pieces += times * (this.pieces - since[at + 2]!);
    return at + 3;
  }
}
