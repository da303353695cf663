/** Refreshes of a channel: each node in turn, evenly apart, so that each has its own as often as the device needs it. */
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import type { CommandBus } from './bus.ts';
import { closed, type PimState } from './state.ts';

const none = -1;

export class Refreshing {
  /** The cycle in which the next one falls due. */
  due: number;
  /** Whether one waits, and the banks that it is for. */
  isWaiting = false;
  first = 0;
  readonly size: number;
  /** What it needs next, and the cycle for that. */
  command = none;
  bank = 0;
  cycle = Number.POSITIVE_INFINITY;
  readonly refresh: number;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #interval: number;
  #count = 0;
  /** By row buffer: parts from the first one on that are closed. While one waits that is not held up, none is opened. */
  readonly #closed: Int32Array;

  constructor(device: DramDevice, state: PimState, bus: CommandBus, isOn: boolean) {
    const { allBank } = device.refresh;
    if (isOn && !allBank) throw new Error(`${device.name} has no all-bank refresh`);
    this.#state = state;
    this.#closed = new Int32Array(state.tables.buffers);
    this.#bus = bus;
    this.refresh = isOn ? allBank!.command : none;
    const banks = banksOf(device);
    this.size = isOn ? state.targets[this.refresh]!.scope.banks(0).length : banks;
    this.#interval = isOn ? allBank!.interval / device.ticksPerClock / (banks / this.size) : Number.POSITIVE_INFINITY;
    this.due = Math.floor(this.#interval);
  }

  copyFrom(other: Refreshing): void {
    this.#count = other.#count;
    this.due = other.due;
    this.isWaiting = other.isWaiting;
    this.first = other.first;
    this.command = other.command;
    this.bank = other.bank;
    this.cycle = other.cycle;
    this.#closed.set(other.#closed);
  }

  isAlike(other: Refreshing): boolean {
    return this.#count === other.#count && this.isWaiting === other.isWaiting;
  }

  /** Cycles from one to the end of the work that may begin in a cycle, which has to be over when the next falls due. */
  left(cycle: number): number {
    return this.isWaiting ? 0 : this.due - cycle - 1;
  }

  /** The one that is due waits from now on. */
  wait(): void {
    this.isWaiting = true;
    this.first = (this.#count * this.size) % this.#state.banks;
    this.#closed.fill(0);
  }

  /** Whether a bank is of those that wait for it. */
  holds(bank: number): boolean {
    return this.isWaiting && bank >= this.first && bank < this.first + this.size;
  }

  /** Finds what it needs next: that rows are closed, else itself; nothing while it is held up. */
  choose(isHeldUp: boolean): void {
    this.cycle = Number.POSITIVE_INFINITY;
    if (isHeldUp) return;
    const { closes } = this.#state.targets[this.refresh]!;
    for (let buffer = 0; buffer < closes.length; buffer++) {
      const { command, first } = closes[buffer]!;
      const parts = first[this.first]!;
      // None is sooner than its bus is free.
      const free = this.#bus.free(command);
      let i = this.#closed[buffer]!;
      while (i < parts.length && !this.#isOpen(buffer, parts[i]!)) i++;
      this.#closed[buffer] = i;
      for (; i < parts.length && this.cycle > free; i++) {
        if (this.#isOpen(buffer, parts[i]!)) this.#offer(command, parts[i]!);
      }
    }
    if (this.cycle === Number.POSITIVE_INFINITY) this.#offer(this.refresh, this.first);
  }

  #isOpen(buffer: number, part: number): boolean {
    const { openRow, banks, targets } = this.#state;
    const inside = targets[this.refresh]!.closes[buffer]!.banks[part]!;
    for (let i = 0; i < inside.length; i++) if (openRow[buffer * banks + inside[i]!] !== closed) return true;
    return false;
  }

  #offer(command: number, bank: number): void {
    const cycle = this.#bus.cycle(command, this.#state.ready(command, bank));
    if (cycle >= this.cycle) return;
    this.command = command;
    this.bank = bank;
    this.cycle = cycle;
  }

  /** It was sent. */
  done(): void {
    this.isWaiting = false;
    this.#count++;
    this.due = Math.floor((this.#count + 1) * this.#interval);
  }
}
