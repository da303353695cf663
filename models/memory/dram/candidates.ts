/** Requests that all need the same command next, at most one a bank, and which of them goes first. */
import { none, type Request } from './requests.ts';
import type { Timing } from './timing.ts';

export interface Edges {
  /** When a command may start that timing alone would let start at a tick; with no bank, when any may. Never goes down. */
  edge(command: number, bank: number, tick: number): number;
}

/** A dense list, in no order. The best is found anew only when a command or a candidate may have changed it. */
export class Candidates {
  readonly command: number;
  count = 0;
  /** The best, valid after `choose`, its bank, and the tick at which it may start. */
  best: Request | null = null;
  bank = none;
  tick = 0;
  #order = 0;
  #isKnown = false;
  /** Null where the command may start in any tick that timing allows. */
  readonly #edges: Edges | null;
  /** Earliest ticks by place: the channel's place, and by bank those of the nodes down to it that have a say. */
  readonly #earliest: readonly number[];
  readonly #channel: number;
  readonly #nodes: Int32Array;
  readonly #depth: number;
  /** Of every command: whether it delays these at other banks than its own. */
  readonly #delayedBy: Uint8Array;
  // The candidates: the first `count` places. Beside each its order of arrival, and a tick before which it does not start.
  readonly #banks: Int32Array;
  readonly #requests: (Request | null)[];
  readonly #orders: number[];
  readonly #bounds: number[];
  /** By bank: its place; `none` without a candidate. */
  readonly #at: Int32Array;

  constructor(command: number, timing: Timing, edges: Edges | null) {
    const cls = timing.classOf[command]!;
    this.command = command;
    this.#edges = edges;
    this.#earliest = timing.earliest;
    this.#channel = cls;
    this.#nodes = timing.nodesOf(cls);
    this.#depth = this.#nodes.length / timing.banks;
    this.#delayedBy = Uint8Array.from(timing.classOf, (_, other) => (timing.reaches(other, cls) ? 1 : 0));
    this.#banks = new Int32Array(timing.banks);
    this.#requests = new Array<Request | null>(timing.banks).fill(null);
    this.#orders = new Array<number>(timing.banks).fill(0);
    this.#bounds = new Array<number>(timing.banks).fill(0);
    this.#at = new Int32Array(timing.banks).fill(none);
  }

  /** The candidate of a bank is now `request`. It may start from tick `from` on. */
  set(bank: number, request: Request | null, from: number): void {
    let at = this.#at[bank]!;
    if (request === null) {
      if (at !== none) this.#remove(bank, at);
      return;
    }
    const { order } = request;
    if (at === none) {
      at = this.count++;
      this.#at[bank] = at;
      this.#banks[at] = bank;
      this.#bounds[at] = from;
    } else if (this.#orders[at] === order) return;
    this.#requests[at] = request;
    this.#orders[at] = order;
    if (this.bank === bank) this.#isKnown = false;
    else if (this.#isKnown) this.#offer(at, from);
  }

  #remove(bank: number, at: number): void {
    const last = --this.count;
    const moved = this.#banks[last]!;
    this.#banks[at] = moved;
    this.#requests[at] = this.#requests[last]!;
    this.#orders[at] = this.#orders[last]!;
    this.#bounds[at] = this.#bounds[last]!;
    this.#at[moved] = at;
    this.#at[bank] = none;
    if (this.bank === bank) this.forget();
  }

  /** What was best may not be so any more. */
  forget(): void {
    this.#isKnown = false;
    this.bank = none;
  }

  /** A command was sent to a bank, or to the node above it. */
  sent(command: number, bank: number): void {
    if (this.bank === bank || this.#delayedBy[command] === 1) this.#isKnown = false;
  }

  /** Finds the best from a tick on, which never goes down. */
  choose(from: number): void {
    if (this.#isKnown && (this.best === null || this.tick >= from)) return;
    this.best = null;
    this.bank = none;
    this.#isKnown = true;
    const { count } = this;
    if (count === 0) return;
    const bounds = this.#bounds;
    const orders = this.#orders;
    const channel = this.#earliest[this.#channel]!;
    let floor = channel > from ? channel : from;
    if (this.#edges !== null) floor = this.#edges.edge(this.command, none, floor);
    let best = none;
    let bestTick = 0;
    let bestOrder = 0;
    for (let i = 0; i < count; i++) {
      const bound = bounds[i]!;
      const order = orders[i]!;
      const soonest = bound > floor ? bound : floor;
      if (best !== none && (soonest > bestTick || (soonest === bestTick && order > bestOrder))) continue;
      const tick = this.#start(i, floor);
      if (best !== none && (tick > bestTick || (tick === bestTick && order > bestOrder))) continue;
      best = i;
      bestTick = tick;
      bestOrder = order;
    }
    this.#setBest(best, bestTick);
  }

  /** Whether there is a best, and it may start by a tick. */
  startsBy(tick: number): boolean {
    return this.best !== null && this.tick <= tick;
  }

  /** The best, when it may start by a tick. */
  startingBy(tick: number): Request | null {
    return this.best !== null && this.tick <= tick ? this.best : null;
  }

  /** Whether the best here goes before the best of another list: it may start before, or as soon and is older. */
  goesBefore(other: Candidates): boolean {
    if (this.best === null || other.best === null) return this.best !== null;
    return this.tick < other.tick || (this.tick === other.tick && this.#order < other.#order);
  }

  /** A candidate becomes the best when it is better. */
  #offer(at: number, from: number): void {
    const tick = this.#start(at, from);
    const isBetter = this.best === null || tick < this.tick || (tick === this.tick && this.#orders[at]! < this.#order);
    if (isBetter) this.#setBest(at, tick);
  }

  #setBest(at: number, tick: number): void {
    this.best = this.#requests[at]!;
    this.bank = this.#banks[at]!;
    this.#order = this.#orders[at]!;
    this.tick = tick;
  }

  /** When a candidate's command may start, from a tick on. */
  #start(at: number, from: number): number {
    const bank = this.#banks[at]!;
    const earliest = this.#earliest;
    const nodes = this.#nodes;
    const to = (bank + 1) * this.#depth;
    let tick = earliest[this.#channel]!;
    if (from > tick) tick = from;
    for (let i = to - this.#depth; i < to; i++) {
      const t = earliest[nodes[i]!]!;
      if (t > tick) tick = t;
    }
    if (this.#edges !== null) tick = this.#edges.edge(this.command, bank, tick);
    this.#bounds[at] = tick;
    return tick;
  }
}
