/** The command buses of a channel, in cycles: when the next command may be on them. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimTables } from './tables.ts';

const row = 1;
const column = 2;

export class CommandBus {
  /** Ticks of a cycle: where there are two, commands start on the odd ones. */
  readonly #isHalf: boolean;
  readonly #uses: Uint8Array;
  /** By command: cycles from one at a bank to the same at another. */
  readonly #gaps: (Int32Array | undefined)[] = [];
  readonly #even: (boolean | undefined)[] = [];
  /** Cycles from which on they are free. */
  row = 0;
  column = 0;

  constructor(device: DramDevice) {
    this.#isHalf = device.halfCycle;
    const uses = { row, column, both: row | column };
    this.#uses = Uint8Array.from(device.commands, ({ bus }) => uses[device.dualBus ? bus : 'both']);
  }

  copyFrom(other: CommandBus): void {
    this.row = other.row;
    this.column = other.column;
  }

  set(rowFree: number, columnFree: number): void {
    this.row = rowFree;
    this.column = columnFree;
  }

  /** The first cycle in which one of them is free. */
  get first(): number {
    return Math.min(this.row, this.column);
  }

  /** Whether from a cycle on it is as free as another one. */
  isAlike(other: CommandBus, cycle: number): boolean {
    const isAlike = (own: number, its: number): boolean => Math.max(own, cycle) === Math.max(its, cycle);
    return isAlike(this.row, other.row) && isAlike(this.column, other.column);
  }

  /** The first cycle from which on a command may be sent. */
  free(command: number): number {
    const uses = this.#uses[command]!;
    if (uses === row) return this.row;
    return uses === column ? this.column : Math.max(this.row, this.column);
  }

  /** The first cycle in which a command that may start from a tick on may be sent. */
  cycle(command: number, tick: number): number {
    const free = this.free(command);
    const ready = this.#isHalf ? Math.ceil((tick - 1) / 2) : tick;
    return ready > free ? ready : free;
  }

  /** Cycles from a command at a bank to the same one at another, by banks x bank + other; at least 1, for the bus. */
  gaps(command: number, tables: PimTables): Int32Array {
    this.#gaps[command] ??= tables.gaps(command, this.#isHalf ? 2 : 1);
    return this.#gaps[command];
  }

  /** Cycles at least from a command that multiplies so many columns to the next of it, whatever the banks. */
  apart(command: number, tables: PimTables, multiplications: number): number {
    const ticks = tables.apart(command, multiplications);
    return this.#isHalf ? Math.ceil(ticks / 2) : ticks;
  }

  /** Whether no other bank's command may go sooner after one than that of its own bank. */
  isEven(command: number, tables: PimTables): boolean {
    this.#even[command] ??= isEven(this.gaps(command, tables), tables.banks);
    return this.#even[command];
  }

  tick(cycle: number): number {
    return this.#isHalf ? 2 * cycle + 1 : cycle;
  }

  /** A command is sent in a cycle, and none after it in one before. */
  send(command: number, cycle: number): void {
    this.reach(cycle);
    const uses = this.#uses[command]!;
    if (uses & row) this.row = cycle + 1;
    if (uses & column) this.column = cycle + 1;
  }

  /** Nothing more is sent before a cycle. */
  reach(cycle: number): void {
    if (this.row < cycle) this.row = cycle;
    if (this.column < cycle) this.column = cycle;
  }
}

function isEven(gaps: Int32Array, banks: number): boolean {
  return gaps.every((gap, i) => {
    const bank = Math.floor(i / banks);
    return gap >= gaps[bank * banks + bank]!;
  });
}
