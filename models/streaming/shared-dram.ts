/**
 * A memory that computation and communication share. Requests are served in grains, so that a long one does not hold back all
 * others. Within each of the two it is first come first served; between them, by the policy:
 *
 *   in-turn         a grain of each, while both wait
 *   compute-first   communication only while no computation waits, or once it has waited for `patience`
 */
import type { Events } from '../serving/events.ts';

export const arbitrations = ['in-turn', 'compute-first'] as const;
export type Arbitration = (typeof arbitrations)[number];
export type Side = 'compute' | 'communication';

interface Request {
  remaining: number;
  readonly since: number;
  readonly done: (at: number) => void;
}

/** Bytes that are served together: more than a page, less than anything takes notice of. */
const grain = 8192;
/** Picoseconds that communication waits at most; assumed. */
const patience = 10e6;

export class SharedDram {
  readonly #events: Events;
  readonly #bytesPerSecond: number;
  readonly #latency: number;
  readonly #arbitration: Arbitration;
  readonly #waiting: { readonly [side in Side]: Request[] } = { compute: [], communication: [] };
  #isBusy = false;
  #last: Side = 'communication';
  /** When it was last idle, and the bytes since: times are rounded once. */
  #start = 0;
  #served = 0;

  /** Times are picoseconds; an answer is there `latency` after the last byte. */
  constructor(events: Events, bytesPerSecond: number, latency: number, arbitration: Arbitration) {
    this.#events = events;
    this.#bytesPerSecond = bytesPerSecond;
    this.#latency = latency;
    this.#arbitration = arbitration;
  }

  /** `done` is called with the time at which all bytes, at least one, are there. */
  request(side: Side, bytes: number, now: number, done: (at: number) => void): void {
    this.#waiting[side].push({ remaining: bytes, since: now, done });
    if (this.#isBusy) return;
    this.#start = now;
    this.#served = 0;
    this.#serve(now);
  }

  #serve(now: number): void {
    const side = this.#next(now);
    const request = side === null ? undefined : this.#waiting[side][0];
    this.#isBusy = request !== undefined;
    if (side === null || request === undefined) return;
    this.#last = side;
    const bytes = Math.min(grain, request.remaining);
    request.remaining -= bytes;
    this.#served += bytes;
    const end = this.#start + Math.ceil((this.#served * 1e12) / this.#bytesPerSecond);
    if (request.remaining === 0) {
      this.#waiting[side].shift();
      const at = end + this.#latency;
      this.#events.at(at, () => request.done(at));
    }
    this.#events.at(end, () => this.#serve(end));
  }

  #next(now: number): Side | null {
    const { compute, communication } = this.#waiting;
    const [first] = communication;
    if (first === undefined) return compute.length > 0 ? 'compute' : null;
    if (compute.length === 0) return 'communication';
    if (this.#arbitration === 'in-turn') return this.#last === 'compute' ? 'communication' : 'compute';
    return now - first.since > patience ? 'communication' : 'compute';
  }
}
