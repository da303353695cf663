/** What keeps a main memory's channels up with the kernel of a section. */
import type { Clock } from '../kernel/clock.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';

/** A main memory that serves later what it was asked for. Times are in picoseconds. */
export interface LaterMemory {
  readonly name: string;
  readonly clock: Clock;
  /** Whether it has served all. */
  readonly isIdle: boolean;
  /** A time before which nobody is told of anything. */
  readonly bound: number;
  /** Goes on to a time, or to the first at which somebody is told of something. */
  advance(ps: number): void;
}

export class MemoryProcess extends Process {
  readonly #memory: LaterMemory;

  constructor(kernel: Kernel, memory: LaterMemory) {
    super(kernel, memory.name, memory.clock);
    this.#memory = memory;
  }

  run(): void {
    if (this.finished) return;
    this.#memory.advance(this.kernel.horizon);
    if (!this.finished) this.kernel.at(this.#memory.bound, this);
  }

  get finished(): boolean {
    return this.#memory.isIdle;
  }

  /** Somebody has asked for something. */
  expect(): void {
    this.kernel.atLatest(this.#memory.bound, this);
  }
}
