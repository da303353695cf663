/** An operator on a unit that reads from memory what it needs and writes back what it makes, step by step. */
import { waitMemory } from '../compute/account.ts';
import type { Events } from './events.ts';
import { type DeviceMemory, type Run, widthOf } from './memory.ts';
import type { Unit } from './unit.ts';

/** One step: what it reads that no step before it has, the cycles that it takes, and what it writes. */
export interface Step {
  readonly reads: readonly Run[];
  readonly cycles: number;
  readonly writes: readonly Run[];
}

export interface Around {
  readonly events: Events;
  readonly memory: DeviceMemory;
  /** Bytes that may be read, or asked for, before the step that needs them has ended. */
  readonly room: number;
}

/** Reads that are under way at a time. */
const outstanding = 16;

/**
 * Runs steps on a unit. Reads are asked for in order, as far ahead as there is room; a step begins when what it reads has come
 * and the one before has ended; what it writes is asked for at its end. Done when the last step has ended and all writes
 * are done.
 */
export class Streamed {
  readonly #steps: readonly Step[];
  readonly #unit: Unit;
  readonly #around: Around;
  readonly #done: (ps: number) => void;
  /** The next step to ask for, and the next to begin. */
  #asked = 0;
  #begun = 0;
  /** Bytes asked for that are not done with, and requests that have not been answered. */
  #bytes = 0;
  #reading = 0;
  #writing = 0;
  #isBusy = false;
  /** By step: whether what it reads has not come. */
  readonly #missing: Uint8Array;
  /** Cycle from which on the unit's waiting is for this. */
  readonly #since: number;

  constructor(steps: readonly Step[], unit: Unit, ps: number, around: Around, done: (ps: number) => void) {
    this.#steps = steps;
    this.#unit = unit;
    this.#around = around;
    this.#done = done;
    this.#missing = Uint8Array.from(steps, ({ reads }) => (widthOf(reads) > 0 ? 1 : 0));
    this.#since = unit.clock.cycleAtOrAfter(ps);
    this.#ask(ps);
    this.#go(ps);
  }

  #ask(ps: number): void {
    const { memory, events, room } = this.#around;
    for (; this.#asked < this.#steps.length; this.#asked++) {
      const index = this.#asked;
      const { reads } = this.#steps[index]!;
      const bytes = widthOf(reads);
      if (bytes === 0) continue;
      if (this.#reading === outstanding || (this.#bytes > 0 && this.#bytes + bytes > room)) return;
      this.#bytes += bytes;
      this.#reading++;
      memory.submit(ps, reads, false, (time) => {
        events.at(time, () => {
          this.#missing[index] = 0;
          this.#reading--;
          this.#ask(time);
          this.#go(time);
        });
      });
    }
  }

  #go(ps: number): void {
    if (this.#isBusy) return;
    const step = this.#steps[this.#begun];
    if (step === undefined) {
      if (this.#writing === 0) this.#done(ps);
      return;
    }
    if (this.#missing[this.#begun] === 1) return;
    this.#begun++;
    this.#isBusy = true;
    const end = this.#unit.occupy(ps, step.cycles, waitMemory, this.#since);
    this.#around.events.at(end, () => this.#end(step, end));
  }

  #end(step: Step, ps: number): void {
    const { memory, events } = this.#around;
    this.#isBusy = false;
    this.#bytes -= widthOf(step.reads);
    if (widthOf(step.writes) > 0) {
      this.#writing++;
      memory.submit(ps, step.writes, true, (time) => {
        events.at(time, () => {
          this.#writing--;
          if (this.#begun === this.#steps.length) this.#go(time);
        });
      });
    }
    this.#ask(ps);
    this.#go(ps);
  }
}
