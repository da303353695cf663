/**
 * Transfers that are under way over several channels. Channels know nothing of each other, so each may run ahead of the
 * others; but a transfer that is done makes its requester ask for more, which no channel may have passed by then. So a channel
 * stops where a transfer that it has nothing left to do for could be done elsewhere.
 */
import type { FrontEnd, Part } from './front-end.ts';

/** A transfer as its requester sees it; ticks are of the memory's clock. */
export interface Moved {
  readonly write: boolean;
  /** Tick after which its first access was taken, tick from which on it is known that all were, and that of the last data. */
  readonly firstTaken: number;
  readonly taken: number;
  readonly arrived: number;
}

/** Who asked for a transfer, and is told of it; each may ask for more from then on. */
export interface Requester {
  /** All of it has been taken by the queues of its channels. */
  taken(transfer: Moved): void;
  /** The last of what it reads has come. */
  arrived(transfer: Moved): void;
}

export class Transfer implements Moved {
  readonly write: boolean;
  readonly requester: Requester;
  /** By channel; null where it has nothing to do. */
  readonly parts: (Part | null)[];
  /** Accesses that it takes at least, all channels at hand together. */
  readonly least: number;
  /** Whether all of it has been taken. */
  isTaken = false;
  /** A tick before which it is not taken, or else its last data have not come. */
  bound = 0;

  constructor(write: boolean, requester: Requester, parts: (Part | null)[], least: number) {
    this.write = write;
    this.requester = requester;
    this.parts = parts;
    this.least = least;
  }

  /** Tick after which its first access was taken. */
  get firstTaken(): number {
    return this.parts.reduce((first, part) => Math.min(first, part?.firstTaken ?? first), Number.POSITIVE_INFINITY);
  }

  /** Tick from which on it is known that all of it was taken. */
  get taken(): number {
    return this.parts.reduce((last, part) => Math.max(last, part?.taken ?? 0), 0);
  }

  /** Tick at which the last of what it reads has come. */
  get arrived(): number {
    return this.parts.reduce((last, part) => Math.max(last, part?.arrived ?? 0), 0);
  }
}

export class Transfers {
  readonly #frontEnds: readonly FrontEnd[];
  readonly #readLatency: number;
  readonly #open: Transfer[] = [];
  /** Ticks with a transfer under way, up to the last time that there was none. */
  busyTicks = 0;
  #busySince = 0;
  #busyUntil = 0;

  constructor(frontEnds: readonly FrontEnd[], readLatency: number) {
    this.#frontEnds = frontEnds;
    this.#readLatency = readLatency;
  }

  get underWay(): number {
    return this.#open.length;
  }

  /** Ticks with a transfer under way, up to one. */
  busyUpTo(tick: number): number {
    return this.busyTicks + (this.#open.length > 0 ? Math.max(0, tick - this.#busySince) : 0);
  }

  /** Takes on a transfer that was asked for at a tick. */
  add(transfer: Transfer, tick: number): void {
    if (this.#open.length === 0) this.#busySince = Math.max(tick, this.#busyUntil);
    transfer.parts.forEach((part, channel) => {
      if (part) this.#frontEnds[channel]!.add(part);
    });
    this.#open.push(transfer);
    this.#setBound(transfer);
  }

  /** A tick before which nothing happens that a requester would be told of. */
  get bound(): number {
    return this.#open.reduce((least, { bound }) => Math.min(least, bound), Number.MAX_SAFE_INTEGER);
  }

  /**
   * Executes ticks, in no channel one after `limit`, until requesters have been told of something or nothing can be done
   * before what others do at `limit`.
   */
  advance(limit: number): void {
    let moved = true;
    while (moved && !this.#tell()) {
      moved = false;
      for (let channel = 0; channel < this.#frontEnds.length; channel++) {
        const frontEnd = this.#frontEnds[channel]!;
        if (frontEnd.unfinished === 0) continue;
        const own = this.#limitOf(channel, limit);
        if (frontEnd.clock >= own) continue;
        frontEnd.run(own);
        moved = true;
      }
      for (const transfer of this.#open) this.#setBound(transfer);
    }
  }

  /** The tick that a channel may execute now. */
  #limitOf(channel: number, limit: number): number {
    let own = limit;
    for (const { parts, isTaken, bound } of this.#open) {
      const part = parts[channel];
      const isAhead = part ? (isTaken ? part.done : part.taken >= 0) : true;
      if (isAhead && bound < own) own = bound;
    }
    return own;
  }

  /** Tells requesters of what has happened; whether anything has. */
  #tell(): boolean {
    let told = false;
    for (let i = 0; i < this.#open.length; ) {
      const transfer = this.#open[i]!;
      if (!transfer.isTaken && transfer.parts.every((part) => part === null || part.taken >= 0)) {
        transfer.isTaken = true;
        transfer.requester.taken(transfer);
        told = true;
      }
      if (transfer.isTaken && transfer.parts.every((part) => part === null || part.done)) {
        this.#open.splice(i, 1);
        this.#busyUntil = Math.max(this.#busyUntil, transfer.write ? transfer.taken : transfer.arrived);
        if (this.#open.length === 0) this.busyTicks += this.#busyUntil - this.#busySince;
        if (!transfer.write) transfer.requester.arrived(transfer);
        told = true;
      } else {
        if (told) this.#setBound(transfer);
        i++;
      }
    }
    return told;
  }

  #setBound(transfer: Transfer): void {
    transfer.bound = Math.max(transfer.bound, transfer.isTaken ? this.#arrival(transfer) : this.#taking(transfer));
  }

  /** A tick before which a transfer is not taken: a channel takes one access in a tick. */
  #taking({ parts, least }: Transfer): number {
    let bound = 0;
    let soonest = Number.MAX_SAFE_INTEGER;
    let sending = 0;
    let left = least;
    for (let channel = 0; channel < parts.length; channel++) {
      const part = parts[channel];
      if (!part) continue;
      left -= part.accesses;
      let tick = part.taken;
      if (tick < 0) {
        tick = Math.max(this.#frontEnds[channel]!.clock, part.from) + 1;
        soonest = Math.min(soonest, tick);
        sending++;
      }
      bound = Math.max(bound, tick);
    }
    return sending > 0 ? Math.max(bound, soonest - 1 + Math.ceil(left / sending)) : bound;
  }

  /** A tick before which the last data of a transfer do not come: those of a read that waits come long after its command. */
  #arrival({ parts }: Transfer): number {
    let bound = 0;
    for (let channel = 0; channel < parts.length; channel++) {
      const part = parts[channel];
      if (!part) continue;
      const tick = part.done ? part.arrived : this.#frontEnds[channel]!.clock + 1 + this.#readLatency;
      bound = Math.max(bound, tick);
    }
    return bound;
  }
}
