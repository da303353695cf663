/**
 * Bounded channels of tokens between two processes, after the Dataflow Abstract Machine's law (Zhang et al., ISCA 2024):
 *
 *   k-th enqueue on capacity c:  t = max(t, freed[k - c]),  visible[k] = t + sendLatency
 *   k-th dequeue:                t = max(t, visible[k]),    freed[k]   = t + replyLatency
 *
 * Each end is split in two, because a tile occupies its buffer while it is being filled and while it is being used:
 * an enqueue is `reserve` (wait for the slot) then `publish`; a dequeue is `acquire` (wait for the token) then `release`.
 * Tokens are taken and given back first in, first out.
 *
 * Every time is a cycle of the clock of the process that reads it; a channel between two clocks converts. Both latencies
 * are at least one cycle: a channel is a register, so no result depends on the order in which processes are visited.
 */
import type { Clock } from './clock.ts';
import type { Period, Repeating } from './fast-forward.ts';
import type { Process } from './kernel.ts';

/** Returned when the awaited token or slot does not exist yet: the process must return from `run` and will be woken. */
export const blocked = -1;

export interface ChannelOptions {
  readonly capacity: number;
  /** Cycles of the sender's clock until a token can be seen; at least 1. */
  readonly sendLatency?: number;
  /** Cycles of the receiver's clock until a slot is seen free; at least 1. */
  readonly replyLatency?: number;
  /** Tokens that are there at time 0. */
  readonly initial?: number;
}

export class Channel implements Repeating {
  readonly name: string;
  readonly capacity: number;
  readonly sender: Process;
  readonly receiver: Process;
  readonly #sendLatency: number;
  readonly #replyLatency: number;
  /** Null when both ends share a clock and times need no conversion. */
  readonly #senderClock: Clock | null;
  readonly #receiverClock: Clock | null;
  readonly #mask: number;
  /** Per slot: the receiver's cycle from which the token is visible. */
  readonly #visible: Float64Array;
  /** Per slot: the sender's cycle from which the slot is free again. */
  readonly #freed: Float64Array;
  #reserved: number;
  #published: number;
  #acquired = 0;
  #released = 0;
  #senderWaits = false;
  #receiverWaits = false;

  /** @throws RangeError on a capacity or a latency below 1, more initial tokens than capacity, or one that is not whole. */
  constructor(name: string, sender: Process, receiver: Process, options: ChannelOptions) {
    const { capacity, sendLatency = 1, replyLatency = 1, initial = 0 } = options;
    if (!isCount(capacity, 1)) {
      throw new RangeError(`channel ${name}: a capacity of ${capacity}, not a whole number from 1`);
    }
    if (!isCount(initial, 0) || initial > capacity) {
      throw new RangeError(`channel ${name}: ${initial} initial tokens in ${capacity} slots`);
    }
    if (!isCount(sendLatency, 1) || !isCount(replyLatency, 1)) {
      throw new RangeError(`channel ${name}: latencies of ${sendLatency} and ${replyLatency}, not whole cycles from 1`);
    }
    this.name = name;
    this.capacity = capacity;
    this.sender = sender;
    this.receiver = receiver;
    this.#sendLatency = sendLatency;
    this.#replyLatency = replyLatency;
    const crosses = sender.clock !== receiver.clock;
    this.#senderClock = crosses ? sender.clock : null;
    this.#receiverClock = crosses ? receiver.clock : null;
    const slots = 2 ** Math.ceil(Math.log2(capacity));
    this.#mask = slots - 1;
    this.#visible = new Float64Array(slots);
    this.#freed = new Float64Array(slots);
    this.#reserved = initial;
    this.#published = initial;
  }

  /** Tokens published and not yet released. */
  get occupancy(): number {
    return this.#published - this.#released;
  }

  /** Sender: the cycle at or after `t` at which the next slot is free, or `blocked`. */
  reserve(t: number): number {
    const k = this.#reserved - this.capacity;
    if (k >= this.#released) {
      this.#senderWaits = true;
      return blocked;
    }
    this.#reserved++;
    if (k < 0) return t;
    const freed = this.#freed[k & this.#mask]!;
    return Math.max(freed, t);
  }

  /** Sender: gives the oldest reserved slot's token at cycle `t`. */
  publish(t: number): void {
    let visible = t + this.#sendLatency;
    if (this.#senderClock !== null) visible = this.#receiverClock!.cycleAtOrAfter(this.#senderClock.edge(visible));
    this.#visible[this.#published++ & this.#mask] = visible;
    if (this.#receiverWaits) {
      this.#receiverWaits = false;
      this.receiver.wake();
    }
  }

  /** Receiver: the cycle at or after `t` at which the next token is visible, or `blocked`. */
  acquire(t: number): number {
    if (this.#acquired >= this.#published) {
      this.#receiverWaits = true;
      return blocked;
    }
    const visible = this.#visible[this.#acquired++ & this.#mask]!;
    return Math.max(visible, t);
  }

  /** Receiver: frees the oldest acquired token's slot at cycle `t`. */
  release(t: number): void {
    let freed = t + this.#replyLatency;
    if (this.#receiverClock !== null) freed = this.#senderClock!.cycleAtOrAfter(this.#receiverClock.edge(freed));
    this.#freed[this.#released++ & this.#mask] = freed;
    if (this.#senderWaits) {
      this.#senderWaits = false;
      this.sender.wake();
    }
  }

  get size(): number {
    return 4 + 2 * this.#visible.length;
  }

  save(into: Float64Array, at: number): void {
    into[at] = this.#reserved;
    into[at + 1] = this.#published;
    into[at + 2] = this.#acquired;
    into[at + 3] = this.#released;
    into.set(this.#visible, at + 4);
    into.set(this.#freed, at + 4 + this.#visible.length);
  }

  repeats(since: Float64Array, at: number, period: Period): boolean {
    const tokens = this.#released - since[at + 3]!;
    if (
      this.#reserved !== since[at]! + tokens ||
      this.#published !== since[at + 1]! + tokens ||
      this.#acquired !== since[at + 2]! + tokens
    ) {
      return false;
    }
    const slots = this.#visible.length;
    const { sender, receiver, capacity } = this;
    return (
      this.#areLater(this.#visible, this.#acquired, this.#published, since, at + 4, tokens, receiver.clock, period) &&
      this.#areLater(
        this.#freed,
        Math.max(0, this.#reserved - capacity),
        this.#released,
        since,
        at + 4 + slots,
        tokens,
        sender.clock,
        period,
      )
    );
  }

  skip(since: Float64Array, at: number, period: Period, times: number): void {
    const tokens = times * (this.#released - since[at + 3]!);
    if (tokens === 0) return;
    postpone(this.#visible, tokens, this.receiver.clock, period, times);
    postpone(this.#freed, tokens, this.sender.clock, period, times);
    this.#reserved += tokens;
    this.#published += tokens;
    this.#acquired += tokens;
    this.#released += tokens;
  }

  /** Whether entries `from` to `to` are what those of `tokens` before were, a period later; or past, as they were. */
  #areLater(
    times: Float64Array,
    from: number,
    to: number,
    since: Float64Array,
    at: number,
    tokens: number,
    clock: Clock,
    { start, end }: Period,
  ): boolean {
    const later = clock.cyclesIn(end - start);
    const now = clock.cycleAtOrAfter(end);
    for (let k = from; k < to; k++) {
      const time = times[k & this.#mask]!;
      const before = k < tokens ? 0 : since[at + ((k - tokens) & this.#mask)]!;
      if (time !== before + later && (time > now || before > now - later)) return false;
    }
    return true;
  }
}

/** Entries of a ring, moved on by as many as are passed over; those that are still to come also in time. */
function postpone(ring: Float64Array, entries: number, clock: Clock, { start, end }: Period, times: number): void {
  const now = clock.cycleAtOrAfter(end);
  const later = times * clock.cyclesIn(end - start);
  const before = ring.slice();
  before.forEach((time, i) => {
    ring[(i + entries) & (ring.length - 1)] = time > now ? time + later : time;
  });
}

function isCount(n: number, least: number): boolean {
  return Number.isSafeInteger(n) && n >= least;
}
