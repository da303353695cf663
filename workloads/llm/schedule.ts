/** Continuous batching: which requests go through the model in which iteration. Knows no machine and no clock. */
import type { Batch } from './batch.ts';
import type { Attended } from './operator.ts';
import { Routing } from './routing.ts';

/** A request of a service. */
export interface Arrival {
  readonly request: number;
  /** When it arrives, in picoseconds. */
  readonly at: number;
  /** Tokens of its prompt, and tokens that are generated, from 1. */
  readonly prompt: number;
  readonly output: number;
}

/** When what happened to a request, in picoseconds. */
export interface Served extends Arrival {
  /** When the iteration with its prompt began, when its first token was there, and its last. */
  readonly started: number;
  readonly first: number;
  readonly finished: number;
}

interface Running extends Arrival {
  readonly started: number;
  first: number;
  generated: number;
}

/**
 * First come, first served, at most `most` requests at a time. A waiting request joins the next iteration that has room, with
 * its whole prompt, which gives its first token; every iteration after that gives one more. One iteration is under way at a
 * time: `next`, then `finish` when it is done.
 */
export class ServingSchedule {
  readonly #most: number;
  readonly #routing: Routing;
  readonly #arrivals: readonly Arrival[];
  #joined = 0;
  #iterations = 0;
  #running: Running[] = [];
  #underWay: Batch | null = null;
  readonly #served: Served[] = [];

  /** @throws RangeError when a request has no token, or comes before the one before it; or when `most` is not at least 1 */
  constructor(arrivals: Iterable<Arrival>, most: number, routing: Routing = new Routing()) {
    this.#arrivals = [...arrivals];
    this.#most = most;
    this.#routing = routing;
    if (!(most >= 1)) throw new RangeError(`${most} requests at a time`);
    this.#arrivals.forEach(({ request, at, prompt, output }, index) => {
      if (!(prompt >= 1 && output >= 1)) throw new RangeError(`request ${request} has no tokens`);
      if (index > 0 && at < this.#arrivals[index - 1]!.at) throw new RangeError(`request ${request} is out of order`);
    });
  }

  /** Requests that are done, in the order in which they were. */
  get served(): readonly Served[] {
    return this.#served;
  }

  get isDone(): boolean {
    return this.#served.length === this.#arrivals.length;
  }

  /** Requests that have arrived and wait for room. */
  waiting(now: number): number {
    return this.#arrivals.slice(this.#joined).filter(({ at }) => at <= now).length;
  }

  /** When the next request arrives that has not joined; null when all have. */
  get nextArrival(): number | null {
    return this.#arrivals[this.#joined]?.at ?? null;
  }

  /**
   * The iteration that begins now; null when no request is there: then `nextArrival` tells when to ask again.
   * @throws Error while one is under way
   */
  next(now: number): Batch | null {
    if (this.#underWay) throw new Error('an iteration is under way');
    const decode = this.#running.map(({ request, prompt, generated }): Attended => {
      return { request, queries: 1, context: prompt + generated };
    });
    const prefill = this.#join(now).map(({ request, prompt }): Attended => {
      return { request, queries: prompt, context: prompt };
    });
    if (prefill.length + decode.length === 0) return null;
    this.#underWay = { prefill, decode, iteration: this.#iterations++, routing: this.#routing };
    return this.#underWay;
  }

  /** Requests that begin now, which are added to those that run. */
  #join(now: number): Arrival[] {
    const from = this.#joined;
    while (this.#running.length < this.#most) {
      const arrival = this.#arrivals[this.#joined];
      if (!arrival || arrival.at > now) break;
      this.#running.push({ ...arrival, started: now, first: -1, generated: 0 });
      this.#joined++;
    }
    return this.#arrivals.slice(from, this.#joined);
  }

  /** Every request of the iteration has one more token. @throws Error when it is not the one under way */
  finish(iteration: Batch, now: number): void {
    if (iteration !== this.#underWay) throw new Error('this iteration is not under way');
    this.#underWay = null;
    for (const one of this.#running) {
      if (one.generated++ === 0) one.first = now;
      if (one.generated < one.output) continue;
      const { generated: _, ...rest } = one;
      this.#served.push({ ...rest, finished: now });
    }
    this.#running = this.#running.filter(({ generated, output }) => generated < output);
  }
}

/** Of a list of times, in seconds. */
export interface Distribution {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
}

/** How a service did. Times are in seconds, of a list without any they are 0. */
export interface ServingStatistics {
  readonly requests: number;
  /** Tokens that were generated, and of them each second from the first arrival to the last token. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** From arrival to the iteration with the prompt, to the first token, and to the last. */
  readonly queue: Distribution;
  readonly firstToken: Distribution;
  readonly endToEnd: Distribution;
  /** From the first token to the last, divided by the tokens after the first; of requests with more than one. */
  readonly betweenTokens: Distribution;
}

const picoseconds = 1e12;

export function servingStatistics(served: readonly Served[]): ServingStatistics {
  const tokens = served.reduce((all, { output }) => all + output, 0);
  const begin = served.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const end = served.reduce((most, { finished }) => Math.max(most, finished), 0);
  const spread = (times: readonly number[]): Distribution => distribution(times.map((time) => time / picoseconds));
  const long = served.filter(({ output }) => output > 1);
  return {
    requests: served.length,
    tokens,
    tokensPerSecond: end > begin ? (tokens * picoseconds) / (end - begin) : 0,
    queue: spread(served.map(({ started, at }) => started - at)),
    firstToken: spread(served.map(({ first, at }) => first - at)),
    endToEnd: spread(served.map(({ finished, at }) => finished - at)),
    betweenTokens: spread(long.map(({ finished, first, output }) => (finished - first) / (output - 1))),
  };
}

/** A percentile is the least value that at least that part of the values does not exceed. */
function distribution(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  const mean = sorted.reduce((all, value) => all + value, 0) / Math.max(1, sorted.length);
  return { mean, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) };
}
