/** The ordinary accesses of a channel: which goes next, reads first, writes when there are many or nothing else to do. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { commandSet } from '../dram/commands.ts';
import { type Access, AccessQueue } from './accesses.ts';
import type { CommandBus } from './bus.ts';
import type { Refreshing } from './refreshing.ts';
import { closed, type PimState } from './state.ts';
import type { PimWork } from './work.ts';

const none = -1;
const never = Number.POSITIVE_INFINITY;

/** Writes begin above `high` columns, above `low` while no read waits, and, with `whenIdle`, when nothing else waits. */
export interface Writes {
  readonly low: number;
  readonly high: number;
  readonly whenIdle: boolean;
}

export class Ordinary {
  /** What goes next: its command, bank and row, and the cycle for that. */
  command = none;
  bank = 0;
  row = 0;
  cycle = never;
  /** The soonest cycle of another one. */
  other = never;
  readonly reads: AccessQueue;
  readonly writes: AccessQueue;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #work: PimWork;
  readonly #refreshing: Refreshing;
  readonly #policy: Writes;
  readonly #read: number;
  readonly #write: number;
  readonly #activate: number;
  /** By row buffer: what closes a bank's. */
  readonly #closes: readonly number[];
  #order = 0;
  /** Columns to be written before reads have their turn. */
  #draining = 0;
  #slot = none;
  /** By bank: the choice in which an older run was for it. */
  readonly #seen: Float64Array;
  #choice = 0;

  constructor(
    device: DramDevice,
    state: PimState,
    bus: CommandBus,
    work: PimWork,
    refreshing: Refreshing,
    policy: Writes,
  ) {
    const { read, write, activate } = commandSet(device);
    this.#state = state;
    this.#bus = bus;
    this.#work = work;
    this.#refreshing = refreshing;
    this.#policy = policy;
    this.#read = read;
    this.#write = write;
    this.#activate = activate;
    this.#closes = state.targets[read]!.closes.map(({ command }) => command);
    this.#seen = new Float64Array(state.banks);
    this.reads = new AccessQueue(device.bursts, state.banks);
    this.writes = new AccessQueue(device.bursts, state.banks);
  }

  push(access: Access): void {
    (access.isWrite ? this.writes : this.reads).push(access);
  }

  /** Whether something waits to be sent, not counting writes that are kept for later. */
  get isWaiting(): boolean {
    this.#decide();
    return this.#draining > 0 || this.reads.columns > 0;
  }

  #decide(): void {
    if (this.#draining > 0 || this.writes.columns === 0) return;
    const { low, high, whenIdle } = this.#policy;
    const { columns } = this.writes;
    const hasTime = this.reads.columns === 0 && (columns > low || (whenIdle && this.#work.job === null));
    if (columns >= high || hasTime) this.#draining = columns;
  }

  /** Nothing may go. */
  clear(): void {
    this.command = none;
    this.cycle = never;
    this.other = never;
  }

  /** Finds the run that goes next: of those that may, in their order in each bank, the one whose command can be sent first. */
  choose(): void {
    this.clear();
    if (!this.isWaiting) return;
    const isWriting = this.#draining > 0;
    const queue = isWriting ? this.writes : this.reads;
    if (queue.mayFill) this.#order = queue.fill(this.#order);
    this.#choice++;
    for (let i = 0; i < queue.size; i++) this.#consider(queue, i, isWriting);
  }

  #consider(queue: AccessQueue, slot: number, isWriting: boolean): void {
    const bank = queue.bank[slot]!;
    if (this.#seen[bank] === this.#choice) return;
    this.#seen[bank] = this.#choice;
    const row = queue.row[slot]!;
    if (this.#refreshing.holds(bank) || this.#work.reserved === row) return;
    const isHit = this.#state.openRow[bank] === row;
    const command = isHit ? (isWriting ? this.#write : this.#read) : this.#opening(bank, row);
    if (isHit ? this.#mustWait(queue, slot, isWriting) : this.#work.holds(bank)) return;
    const cycle = this.#bus.cycle(command, this.#state.ready(command, bank));
    if (cycle >= this.cycle) {
      if (cycle < this.other) this.other = cycle;
      return;
    }
    this.other = this.cycle;
    this.command = command;
    this.bank = bank;
    this.row = row;
    this.cycle = cycle;
    this.#slot = slot;
  }

  /** What opens a row, or closes one that is in its way. */
  #opening(bank: number, row: number): number {
    const { openRow, banks } = this.#state;
    for (let buffer = 1; buffer < this.#closes.length; buffer++) {
      if (openRow[buffer * banks + bank] === row) return this.#closes[buffer]!;
    }
    return openRow[bank] === closed ? this.#activate : this.#closes[0]!;
  }

  /** Whether an access of the other kind to the same columns came before. */
  #mustWait(queue: AccessQueue, slot: number, isWriting: boolean): boolean {
    const before = isWriting ? this.reads : this.writes;
    if (before.size === 0 && !before.mayFill) return false;
    if (before.mayFill) this.#order = before.fill(this.#order);
    const { bank, row, column, left, order } = queue;
    if (!before.overlaps(bank[slot]!, row[slot]!, column[slot]!, left[slot]!, order[slot]!)) return false;
    // Reads after a write: it is written first. Writes after a read wait for it.
    this.#draining = isWriting ? 0 : this.writes.columns;
    return true;
  }

  /** Columns that may follow what was chosen; 0 where that opens or closes a row. */
  get run(): number {
    if (this.command !== this.#read && this.command !== this.#write) return 0;
    return (this.command === this.#write ? this.writes : this.reads).left[this.#slot]!;
  }

  get column(): number {
    return (this.command === this.#write ? this.writes : this.reads).column[this.#slot]!;
  }

  /** Columns of the chosen run were sent; returns its access when that was the last of it. */
  sent(columns: number): Access | null {
    const isWrite = this.command === this.#write;
    if (isWrite) this.#draining -= columns;
    return (isWrite ? this.writes : this.reads).sent(this.#slot, columns);
  }
}
