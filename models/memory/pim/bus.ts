/** The command buses of a channel, in cycles: when the next command may be on them. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';

const row = 1;
const column = 2;

export class CommandBus {
  /** Ticks of a cycle: where there are two, commands start on the odd ones. */
  readonly #isHalf: boolean;
  readonly #uses: Uint8Array;
  #row = 0;
  #column = 0;

  constructor(device: DramDevice) {
    this.#isHalf = device.halfCycle;
    const uses = { row, column, both: row | column };
    this.#uses = Uint8Array.from(device.commands, ({ bus }) => uses[device.dualBus ? bus : 'both']);
  }

  /** The first cycle from which on a command may be sent. */
  free(command: number): number {
    const uses = this.#uses[command]!;
    if (uses === row) return this.#row;
    return uses === column ? this.#column : Math.max(this.#row, this.#column);
  }

  /** The first cycle in which a command that may start from a tick on may be sent. */
  cycle(command: number, tick: number): number {
    const free = this.free(command);
    const ready = this.#isHalf ? Math.ceil((tick - 1) / 2) : tick;
    return ready > free ? ready : free;
  }

  tick(cycle: number): number {
    return this.#isHalf ? 2 * cycle + 1 : cycle;
  }

  /** A command is sent in a cycle, and none after it in one before. */
  send(command: number, cycle: number): void {
    this.reach(cycle);
    const uses = this.#uses[command]!;
    if (uses & row) this.#row = cycle + 1;
    if (uses & column) this.#column = cycle + 1;
  }

  /** Nothing more is sent before a cycle. */
  reach(cycle: number): void {
    if (this.#row < cycle) this.#row = cycle;
    if (this.#column < cycle) this.#column = cycle;
  }
}
