/** What a channel's controller has counted, and what it is to count for time that is passed over. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { apportion } from '../../kernel/estimate.ts';
import type { Controller } from './controller.ts';

/** Sums, then commands, openings by bank, and ticks with a row open by rank. */
const sums = ['latencySum', 'forwarded', 'coalesced', 'rowHits', 'rowMisses', 'rowConflicts'] as const;
const found = sums.length - 3;

/** Counters of controllers of one kind as lists of numbers. */
export class Counters {
  readonly size: number;
  readonly #device: DramDevice;
  /** Positions of the three groups. */
  readonly #commands = sums.length;
  readonly #openings: number;
  readonly #active: number;

  constructor(device: DramDevice, controller: Controller) {
    this.#device = device;
    this.#openings = this.#commands + controller.commands.length;
    this.#active = this.#openings + controller.banks;
    this.size = this.#active + controller.activeTicks.length;
  }

  save(controller: Controller, into: Float64Array, at: number): void {
    controller.settle();
    sums.forEach((key, i) => {
      into[at + i] = controller[key];
    });
    into.set(controller.commands, at + this.#commands);
    into.set(controller.activations, at + this.#openings);
    into.set(controller.activeTicks, at + this.#active);
  }

  add(controller: Controller, counts: Float64Array): void {
    sums.forEach((key, i) => {
      controller[key] += counts[i]!;
    });
    const addAll = (counters: Float64Array, from: number): void => {
      for (let i = 0; i < counters.length; i++) counters[i]! += counts[from + i]!;
    };
    addAll(controller.commands, this.#commands);
    addAll(controller.activations, this.#openings);
    addAll(controller.activeTicks, this.#active);
  }

  /**
   * `times` as much as has come since they were saved, in whole numbers that agree with each other; of ticks with a row
   * open, `share` as much.
   */
  gained(controller: Controller, since: Float64Array, at: number, times: number, share: number): Float64Array {
    const gained = new Float64Array(this.size);
    this.save(controller, gained, 0);
    for (let i = 0; i < this.size; i++) {
      const more = gained[i]! - since[at + i]!;
      gained[i] = Math.floor(more * (i < this.#active ? times : share) + 0.5);
    }
    const commands = gained.subarray(this.#commands, this.#openings);
    const openings = gained.subarray(this.#openings, this.#active);
    const opened = this.#device.commands.reduce((sum, { banks }, i) => sum + (banks === 'opens' ? commands[i]! : 0), 0);
    openings.set(apportion(opened, openings));
    const results = gained.subarray(found, this.#commands);
    results.set(apportion(this.accesses(gained), results));
    return gained;
  }

  /** Reads and writes among the commands of a list. */
  accesses(counts: Float64Array): number {
    return this.#device.commands.reduce(
      (sum, { access }, i) => sum + (access === 'none' ? 0 : counts[this.#commands + i]!),
      0,
    );
  }
}
