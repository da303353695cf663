/** When refreshes fall due, and of what. */
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import type { Refresh } from './policy.ts';

/** Queues a refresh that precedes all requests: a command, and the first bank of the node that it names. */
export type QueueRefresh = (command: number, bank: number) => void;

export interface RefreshManager {
  /** The next tick at which `tick` does something. */
  readonly due: number;
  tick(clock: number, queue: QueueRefresh): void;
}

/** @throws Error when the device has no refresh of that kind. */
export function refreshManager(device: DramDevice, kind: Refresh): RefreshManager {
  if (kind === 'none') return { due: Number.POSITIVE_INFINITY, tick: () => {} };
  if (kind === 'all-bank') return device.refresh.allBank?.staggered ? new Staggered(device) : new AllBank(device);
  return device.refresh.perBank?.lockstep ? new Lockstep(device) : new RoundRobin(device);
}

/** Every interval, one refresh for each node of the level that it names. */
class AllBank implements RefreshManager {
  due: number;
  readonly #interval: number;
  readonly #command: number;
  readonly #banks: number;
  readonly #banksEach: number;

  constructor(device: DramDevice) {
    const { command, interval } = needed(device, 'allBank');
    this.due = interval;
    this.#interval = interval;
    this.#command = command;
    this.#banks = banksOf(device);
    this.#banksEach = banksBelow(device, device.commands[command]!.level);
  }

  tick(_clock: number, queue: QueueRefresh): void {
    for (let bank = 0; bank < this.#banks; bank += this.#banksEach) queue(this.#command, bank);
    this.due += this.#interval;
  }
}

/** The nodes of a level by turns, each once in an interval. */
class Staggered implements RefreshManager {
  due: number;
  readonly #interval: number;
  readonly #command: number;
  readonly #banksEach: number;
  readonly #nodes: number;
  #turn = 1;

  constructor(device: DramDevice) {
    const { command, interval } = needed(device, 'allBank');
    this.#interval = interval;
    this.#command = command;
    this.#banksEach = banksBelow(device, device.commands[command]!.level);
    this.#nodes = banksOf(device) / this.#banksEach;
    this.due = Math.floor(interval / this.#nodes);
  }

  tick(_clock: number, queue: QueueRefresh): void {
    queue(this.#command, ((this.#turn - 1) % this.#nodes) * this.#banksEach);
    this.#turn++;
    this.due = Math.floor((this.#turn * this.#interval) / this.#nodes);
  }
}

/** Every interval, one bank, all of the channel's in turn. */
class RoundRobin implements RefreshManager {
  due: number;
  readonly #interval: number;
  readonly #command: number;
  readonly #banks: number;
  #bank = 0;

  constructor(device: DramDevice) {
    const { command, interval } = needed(device, 'perBank');
    this.due = interval;
    this.#interval = interval;
    this.#command = command;
    this.#banks = banksOf(device);
  }

  tick(_clock: number, queue: QueueRefresh): void {
    queue(this.#command, this.#bank);
    this.#bank = (this.#bank + 1) % this.#banks;
    this.due += this.#interval;
  }
}

/**
 * Every interval, the same bank of every pseudo-channel, one queued in a tick. When all banks of a stack id have had theirs,
 * its next round waits for a gap.
 */
class Lockstep implements RefreshManager {
  due: number;
  readonly #interval: number;
  readonly #gap: number;
  readonly #command: number;
  readonly #pseudoChannels: number;
  /** Banks of one pseudo-channel, and of one stack id in it. */
  readonly #banks: number;
  readonly #setBanks: number;
  #nextSet: number;
  /** Bank within its pseudo-channel that is next, and the one in hand with the pseudo-channels still to be queued. */
  #bank = 0;
  #current = 0;
  #waiting = 0;
  /** By stack id: banks queued in this round, of all pseudo-channels, and when the next round may begin. */
  readonly #done: Int32Array;
  readonly #allowed: Float64Array;

  constructor(device: DramDevice) {
    const perBank = needed(device, 'perBank');
    this.due = perBank.interval;
    this.#nextSet = perBank.interval;
    this.#interval = perBank.interval;
    this.#gap = device.refresh.perBank!.setGap;
    this.#command = perBank.command;
    this.#pseudoChannels = device.counts[1]!;
    this.#banks = banksOf(device) / this.#pseudoChannels;
    this.#setBanks = device.counts.slice(-2).reduce((all, count) => all * count, 1);
    const sets = this.#banks / this.#setBanks;
    this.#done = new Int32Array(sets);
    this.#allowed = new Float64Array(sets * this.#pseudoChannels);
  }

  tick(clock: number, queue: QueueRefresh): void {
    if (this.#waiting === 0 && !this.#begin(clock)) return;
    const pseudoChannel = this.#pseudoChannels - this.#waiting--;
    queue(this.#command, pseudoChannel * this.#banks + this.#current);
    const set = Math.floor(this.#current / this.#setBanks);
    this.#done[set]!++;
    // The last bank of a round: each pseudo-channel's gap runs from its own refresh.
    if (this.#done[set]! > (this.#setBanks - 1) * this.#pseudoChannels) {
      this.#allowed[set * this.#pseudoChannels + pseudoChannel] = clock + this.#gap;
      if (this.#waiting === 0) this.#done[set] = 0;
    }
    this.due = this.#waiting > 0 ? clock + 1 : Math.max(clock + 1, this.#nextSet);
  }

  #begin(clock: number): boolean {
    if (clock < this.#nextSet) return false;
    const set = Math.floor(this.#bank / this.#setBanks);
    for (let i = 0; i < this.#pseudoChannels; i++) {
      if (clock < this.#allowed[set * this.#pseudoChannels + i]!) {
        this.#nextSet = clock + 1;
        this.due = this.#nextSet;
        return false;
      }
    }
    this.#current = this.#bank;
    this.#waiting = this.#pseudoChannels;
    this.#bank = (this.#bank + 1) % this.#banks;
    this.#nextSet += this.#interval;
    return true;
  }
}

function needed(device: DramDevice, kind: 'allBank' | 'perBank'): { command: number; interval: number } {
  const refresh = device.refresh[kind];
  if (!refresh) throw new Error(`${device.name} has no ${kind === 'allBank' ? 'all-bank' : 'per-bank'} refresh`);
  return refresh;
}

function banksBelow(device: DramDevice, level: number): number {
  return device.counts.slice(level + 1).reduce((all, count) => all * count, 1);
}
