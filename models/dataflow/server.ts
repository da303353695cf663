/** A memory or a link as the stages of a pipeline share it: one request at a time, in the order of time. */
import { Ratio } from '../kernel/clock.ts';
import type { ServerSpec, StageSpec } from './pipeline-spec.ts';

const never = Number.POSITIVE_INFINITY;

/**
 * When it is free, it serves of the requests that wait the one of the stage with the least index; when none waits, the one
 * that comes first. A stage has one request at a time, and asks for the rest of its tile as soon as that is served. Time
 * is kept in parts of a cycle in which a byte takes a whole number of them.
 */
export class Server {
  readonly #spec: ServerSpec;
  readonly #stages: readonly StageSpec[];
  /** Stages that use it, in order. */
  readonly #users: Int32Array;
  /** By stage: cycle from which its request waits, and bytes of its tile that are not served. */
  readonly #asked: Float64Array;
  readonly #left: Float64Array;
  /** Parts of a cycle, and parts that a byte takes. */
  readonly #parts: number;
  readonly #partsPerByte: number;
  readonly #latency: number;
  /** When requests that are on their way have arrived, the last `window` of them. */
  readonly #arrivals: Float64Array;
  #served = 0;
  /** Parts: from when it is free. */
  #free = 0;
  /** Parts: when it serves next. Infinity: nothing waits. */
  next = never;
  /** Cycle at which the last tile was whole. */
  finished = 0;
  moved = 0;

  constructor(spec: ServerSpec, stages: readonly StageSpec[], index: number) {
    const { numerator, denominator } = new Ratio(spec.bytes, spec.cycles);
    this.#spec = spec;
    this.#stages = stages;
    this.#parts = numerator;
    this.#partsPerByte = denominator;
    this.#latency = spec.latency;
    this.#users = Int32Array.from(stages.flatMap(({ server }, i) => (server === index ? [i] : [])));
    this.#asked = new Float64Array(stages.length).fill(never);
    this.#left = new Float64Array(stages.length);
    this.#arrivals = new Float64Array(spec.window);
  }

  get isAsked(): boolean {
    return this.next < never;
  }

  /** The same in cycles, which servers can be compared by. */
  get nextCycle(): number {
    return this.next / this.#parts;
  }

  /** Cycles from the end of a tile until it has arrived. */
  latencyOf(stage: number): number {
    return this.#latency + this.#stages[stage]!.latency;
  }

  /** Cycles that serving a tile of a stage takes by itself. */
  cyclesOf(stage: number): number {
    return Math.ceil((this.#stages[stage]!.bytes * this.#partsPerByte) / this.#parts);
  }

  /** A stage asks for a tile. */
  ask(stage: number, cycle: number): void {
    this.#asked[stage] = cycle;
    this.#left[stage] = this.#stages[stage]!.bytes;
    this.#decide();
  }

  /** Serves one request. Returns the stage whose tile is whole with it; -1 when none is. */
  serve(): number {
    const start = this.next;
    const stage = this.#chosen(start);
    const bytes = Math.min(this.#left[stage]!, this.#stages[stage]!.request);
    this.#free = start + bytes * this.#partsPerByte;
    this.#left[stage]! -= bytes;
    this.moved += bytes;
    const end = Math.ceil(this.#free / this.#parts);
    this.#arrivals[this.#served++ % this.#arrivals.length] = end + this.#latency;
    const isWhole = this.#left[stage] === 0;
    if (isWhole) {
      this.#asked[stage] = never;
      this.finished = end;
    }
    this.#decide();
    return isWhole ? stage : -1;
  }

  /** Finds when it serves next: when it is free, has room for another request, and one waits. */
  #decide(): void {
    let asked = never;
    for (let u = 0; u < this.#users.length; u++) asked = Math.min(asked, this.#asked[this.#users[u]!]!);
    if (asked === never) {
      this.next = never;
      return;
    }
    const room = this.#served < this.#arrivals.length ? 0 : this.#arrivals[this.#served % this.#arrivals.length]!;
    this.next = Math.max(this.#free, Math.max(asked, room) * this.#parts);
  }

  #chosen(parts: number): number {
    for (let u = 0; u < this.#users.length; u++) {
      const stage = this.#users[u]!;
      if (this.#asked[stage]! * this.#parts <= parts) return stage;
    }
    throw new Error(`${this.#spec.name} has nothing to serve`);
  }
}
