/**
 * Memory that many loaders share, request by request. A loader that asks for n requests at cycle t sends one in each of
 * the cycles t + 1 to t + n, whatever comes of the others. Requests go to channels in turn, those of one cycle in the order in
 * which their loaders asked; a channel takes one every `interval` cycles, first come first served, and answers `latency`
 * cycles after that.
 */
import type { Clock } from '../kernel/clock.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';

export interface OffChipOptions {
  readonly channels: number;
  /** Cycles of a channel for each request. */
  readonly interval: number;
  /** Cycles from when a channel takes a request to when its answer is there, at least 1. */
  readonly latency: number;
}

/** A process that asks memory: it must have parked itself at the cycle at which it asks. */
export interface Asking extends Process {
  /** Called with the cycle at which all answers are there; it is ready to run then. */
  answered(at: number): void;
}

interface Stream {
  readonly asking: Asking;
  /** The first cycle at which it sends a request. */
  readonly from: number;
  remaining: number;
  /** When the last answer so far is there. */
  done: number;
}

export class OffChip extends Process {
  readonly #interval: number;
  readonly #latency: number;
  /** When each channel can take another request. */
  readonly #free: Float64Array;
  #next = 0;
  #streams: Stream[] = [];
  #isParked = false;
  /** Requests so far. */
  requests = 0;

  constructor(kernel: Kernel, clock: Clock, { channels, interval, latency }: OffChipOptions) {
    super(kernel, 'off-chip memory', clock);
    this.#interval = interval;
    this.#latency = latency;
    this.#free = new Float64Array(channels);
  }

  get finished(): boolean {
    return this.#streams.length === 0;
  }

  /** At cycle `now`, at which the asking process was parked. */
  ask(asking: Asking, requests: number, now: number): void {
    this.#streams.push({ asking, from: now + 1, remaining: requests, done: 0 });
    if (this.#isParked) return;
    this.time = now + 1;
    this.#park();
  }

  #park(): void {
    this.#isParked = true;
    this.kernel.at(this.clock.edge(this.time), this);
  }

  /** Goes through cycles in which nobody else can ask for anything new. */
  run(): void {
    if (!this.#isParked) return;
    this.#isParked = false;
    const horizon = this.kernel.horizon;
    // Those who have their answers may ask again before others do.
    for (let ended = false; !ended && this.time <= horizon && this.#streams.length > 0; this.time++)
      ended = this.#cycle();
    if (this.#streams.length > 0) this.#park();
  }

  /** Sends one request of every stream; whether one has ended. */
  #cycle(): boolean {
    const { time } = this;
    const free = this.#free;
    let ended = false;
    for (const stream of this.#streams) {
      if (stream.from > time) continue;
      const taken = Math.max(time, free[this.#next]!);
      free[this.#next] = taken + this.#interval;
      this.#next = this.#next + 1 === free.length ? 0 : this.#next + 1;
      this.requests++;
      stream.done = Math.max(stream.done, taken + this.#latency);
      if (--stream.remaining === 0) ended = true;
    }
    if (ended) this.#end();
    return ended;
  }

  #end(): void {
    const over = this.#streams.filter(({ remaining }) => remaining === 0);
    this.#streams = this.#streams.filter(({ remaining }) => remaining > 0);
    for (const { asking, done } of over) {
      asking.answered(done);
      asking.wake();
    }
  }
}
