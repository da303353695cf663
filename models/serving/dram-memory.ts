/** Ordinary DRAM as the memory of a device. */
import type { Dram } from '../memory/dram/memory.ts';
import { oneRun } from '../memory/dram/stream.ts';
import { type DeviceMemory, type Run, widthOf } from './memory.ts';

export class DramMemory implements DeviceMemory {
  /** Its channels take accesses of all transfers in turn. */
  readonly depth = 4;
  readonly #dram: Dram;

  constructor(dram: Dram) {
    this.#dram = dram;
  }

  submit(ps: number, runs: readonly Run[], write: boolean, done: (ps: number) => void): void {
    const { clock } = this.#dram;
    const list = runs.map(({ base, width }) => oneRun(base, width));
    this.#dram.submit(ps, list, widthOf(runs), write, {
      taken: (transfer) => {
        if (write) done(clock.edge(transfer.taken));
      },
      arrived: (transfer) => done(clock.edge(transfer.arrived)),
    });
  }

  get bound(): number {
    return this.#dram.isIdle ? Number.POSITIVE_INFINITY : this.#dram.bound;
  }

  advance(ps: number): void {
    this.#dram.advance(ps);
  }
}
