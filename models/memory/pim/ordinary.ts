/** The ordinary accesses of a channel: which goes next, reads first, writes when there are many or nothing else to do. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { commandSet } from '../dram/commands.ts';
import { type Access, AccessQueue, most } from './accesses.ts';
import type { CommandBus } from './bus.ts';
import { type ColumnLog, Columns } from './columns.ts';
import type { ChannelWatcher } from './listener.ts';
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
  /** What goes next: its command, bank and row, and the cycle for that; and whether it is a read or a write. */
  command = none;
  bank = 0;
  row = 0;
  cycle = never;
  isColumn = false;
  /** Whether the choice is among writes. */
  isWriting = false;
  /** The soonest cycle of another one, of one of those that came before it, and of one that opens or closes a row. */
  #other = never;
  #older = never;
  #rows = never;
  readonly reads: AccessQueue;
  readonly writes: AccessQueue;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #work: PimWork;
  readonly #refreshing: Refreshing;
  readonly #policy: Writes;
  readonly #hasOneBus: boolean;
  readonly #read: number;
  readonly #write: number;
  readonly #activate: number;
  /** By row buffer: what closes a bank's. */
  readonly #closes: readonly number[];
  /** Cycles at least from a read or a write to the next, whatever the bank, and the cycles before which none may go. */
  readonly #readsApart: number;
  readonly #writesApart: number;
  #nextRead = 0;
  #nextWrite = 0;
  #order = 0;
  #slot = none;
  /** Whether accesses of a run go on before those of runs behind that are no sooner, so that it alone need be looked at. */
  #isEven = false;
  /** Columns to be written before reads have their turn. */
  #draining = 0;
  /** Whether one of those it was made of waits for what comes before it among the others. */
  #isHeldUp = false;
  readonly #columns: Columns;
  /** Whether the last choice stands but for its cycle, and as of which state of the PIM work. */
  #isKnown = false;
  #version = -1;
  /** Whether a run waits for its row to be closed in another row buffer. */
  #isElsewhere = false;

  constructor(
    device: DramDevice,
    state: PimState,
    bus: CommandBus,
    work: PimWork,
    refreshing: Refreshing,
    policy: Writes,
    watcher: ChannelWatcher | null,
  ) {
    const { read, write, activate } = commandSet(device);
    this.#state = state;
    this.#bus = bus;
    this.#work = work;
    this.#refreshing = refreshing;
    this.#policy = policy;
    this.#hasOneBus = !device.dualBus;
    this.#read = read;
    this.#write = write;
    this.#activate = activate;
    this.#closes = state.targets[read]!.closes.map(({ command }) => command);
    this.#columns = new Columns(state, bus, most, watcher);
    this.#readsApart = bus.apart(read, state.tables, 1);
    this.#writesApart = bus.apart(write, state.tables, 1);
    this.reads = new AccessQueue(device.bursts, state.banks);
    this.writes = new AccessQueue(device.bursts, state.banks);
  }

  /** The last choice does not stand any more, because of a bank, or of all. */
  forget(bank?: number): void {
    this.#isKnown = false;
    this.reads.moved(bank);
    this.writes.moved(bank);
  }

  /** Takes over all that waits in another channel's, and what has been decided about it. */
  copyFrom(other: Ordinary): void {
    this.reads.copyFrom(other.reads);
    this.writes.copyFrom(other.writes);
    this.#order = other.#order;
    this.#draining = other.#draining;
    this.#nextRead = other.#nextRead;
    this.#nextWrite = other.#nextWrite;
    this.forget();
  }

  /** The PIM work opened or closed a row. In another row buffer that is nothing to most runs. */
  changed(command: number, row: number): void {
    const { targets, tables } = this.#state;
    if (targets[command]!.buffer === 0) this.forget();
    else if (tables.effect[command]! < 0 ? this.#isElsewhere : this.reads.has(row) || this.writes.has(row))
      this.forget();
  }

  push(access: Access): void {
    this.#isKnown = false;
    const queue = access.isWrite ? this.writes : this.reads;
    queue.push(access);
    this.#order = queue.fill(this.#order);
  }

  /** Whether nothing that was sent for others since the last choice lets go what could not go then. */
  get isSettled(): boolean {
    if (this.reads.columns === 0 && this.writes.columns === 0) return true;
    return this.#isKnown && this.#version === this.#work.version;
  }

  /** Cycles at least from the next column of an access that is sent to the last of one; infinite when none waits. */
  get toEnd(): number {
    const { fewest: reads } = this.reads;
    const { fewest: writes } = this.writes;
    return Math.min((reads - 1) * this.#readsApart, (writes - 1) * this.#writesApart);
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
    this.#isKnown = false;
    this.#isElsewhere = false;
    this.#isHeldUp = false;
    this.#older = never;
    this.#other = never;
    this.#rows = never;
    this.#columns.clear();
    this.command = none;
    this.cycle = never;
  }

  /** Finds the run that goes next: of those that may, in their order in each bank, the one whose command can be sent first. */
  choose(): void {
    if (this.reads.columns === 0 && this.writes.columns === 0) {
      this.clear();
      return;
    }
    const { version } = this.#work;
    if (this.#version !== version) this.forget();
    this.#version = version;
    if (this.#isKnown && this.#stands()) return;
    this.clear();
    if (this.isWaiting) {
      const isWriting = this.#draining > 0;
      this.#chooseOf(isWriting);
      // Those may all wait for accesses of the other kind that came before.
      const isHeldUp = this.#isHeldUp;
      if (this.command === none && isHeldUp) this.#chooseOf(!isWriting);
      this.#isHeldUp = isHeldUp;
    }
    this.#isKnown = true;
  }

  #chooseOf(isWriting: boolean): void {
    this.clear();
    this.isWriting = isWriting;
    const queue = isWriting ? this.writes : this.reads;
    const { tables } = this.#state;
    const access = isWriting ? this.#write : this.#read;
    this.#isEven = tables.repeats[access]! && this.#bus.isEven(access, tables);
    this.#consider(queue);
    if (this.#isEven && this.isColumn && this.command !== none) this.#columns.add(queue, this.#slot);
  }

  /** Whether what was chosen is still first: all that was sent since has made nothing sooner. */
  #stands(): boolean {
    if (this.command === none) return true;
    const before = this.cycle;
    this.cycle = this.#bus.cycle(this.command, this.#state.ready(this.command, this.bank));
    if (this.cycle === before || this.cycle < this.#other) return true;
    // It waits for the bus alone, and so would those that came after it.
    return this.#hasOneBus && this.cycle === this.#bus.free(this.command) && this.cycle < this.#older;
  }

  #consider(queue: AccessQueue): void {
    const { isFirst, soonest, bank, row, size } = queue;
    const { openRow } = this.#state;
    let first = never;
    let other = never;
    let rows = never;
    const column = this.isWriting ? this.#nextWrite : this.#nextRead;
    for (let i = 0; i < size; i++) {
      if (isFirst[i] === 0) continue;
      const isHit = openRow[bank[i]!] === row[i];
      const least = isHit && soonest[i]! < column ? column : soonest[i]!;
      const isPassed = least >= first && (this.#isEven || !isHit);
      const cycle = isPassed ? least : this.#cycleOf(queue, i, isHit);
      if (!isHit && cycle < rows) rows = cycle;
      if (cycle < first) {
        other = this.#older = first;
        first = cycle;
        this.#slot = i;
        this.isColumn = isHit;
      } else if (cycle < other) {
        other = cycle;
      }
    }
    this.cycle = first;
    this.#other = other;
    this.#rows = rows;
    if (first === never) return;
    this.bank = bank[this.#slot]!;
    this.row = row[this.#slot]!;
    this.command = this.#commandOf(this.bank, this.row, this.isColumn);
  }

  /** The cycle in which a run may go on; infinite when others are in its way. */
  #cycleOf(queue: AccessQueue, slot: number, isHit: boolean): number {
    const bank = queue.bank[slot]!;
    const row = queue.row[slot]!;
    if (this.#refreshing.holds(bank) || this.#work.reserved === row) return never;
    // One that has to wait opens no row either: what it waits for may need another one.
    if (this.#mustWait(queue, slot) || (!isHit && this.#work.holds(bank))) return never;
    const command = this.#commandOf(bank, row, isHit);
    const cycle = this.#bus.cycle(command, this.#state.ready(command, bank));
    queue.soonest[slot] = cycle;
    if (isHit && !this.#isEven) this.#columns.add(queue, slot);
    return cycle;
  }

  #commandOf(bank: number, row: number, isHit: boolean): number {
    if (!isHit) return this.#opening(bank, row);
    return this.isWriting ? this.#write : this.#read;
  }

  /** What opens a row, or closes one that is in its way. */
  #opening(bank: number, row: number): number {
    const { openRow, banks } = this.#state;
    for (let buffer = 1; buffer < this.#closes.length; buffer++) {
      if (openRow[buffer * banks + bank] !== row) continue;
      this.#isElsewhere = true;
      return this.#closes[buffer]!;
    }
    return openRow[bank] === closed ? this.#activate : this.#closes[0]!;
  }

  /** Whether an access of the other kind to the same columns came before. */
  #mustWait(queue: AccessQueue, slot: number): boolean {
    const before = this.isWriting ? this.reads : this.writes;
    const { bank, row, column, left, order } = queue;
    if (before.inBank[bank[slot]!] === 0) return false;
    if (!before.overlaps(bank[slot]!, row[slot]!, column[slot]!, left[slot]!, order[slot]!)) return false;
    this.#isHeldUp = true;
    return true;
  }

  /** What was chosen, which opens or closes a row, has been sent. */
  opened(): void {
    this.forget(this.bank);
  }

  /**
   * Sends the columns that come before a cycle, up to so many, or until a run is done. Returns its access when that was the
   * last of it.
   */
  send(before: number, limit: number, log: ColumnLog | null): Access | null {
    this.#isKnown = false;
    const queue = this.isWriting ? this.writes : this.reads;
    const columns = this.#columns;
    // The others have their turn after those, or as soon as what came before them has been sent.
    const own = this.isWriting ? Math.max(1, this.#draining) : limit;
    const most = this.#isHeldUp ? 1 : Math.min(limit, own);
    const soonest = this.#isEven ? Math.min(this.#rows, this.#older) : this.#rows;
    const count = columns.send(this.command, Math.min(before, soonest), most, log);
    if (this.isWriting) this.#draining = Math.max(0, this.#draining - count);
    if (this.isWriting) this.#nextWrite = columns.last + this.#writesApart;
    else this.#nextRead = columns.last + this.#readsApart;
    const access = columns.take(queue);
    // A further run is looked at when one has been done.
    if (columns.done !== none) this.#order = queue.fill(this.#order);
    else if (!this.isWriting && !this.#isHeldUp && this.#state.tables.repeats[this.command]) this.#goOn();
    return access;
  }

  /** Chooses the next read of those that were chosen from, unless a row may be opened or closed sooner. */
  #goOn(): void {
    const columns = this.#columns;
    columns.find();
    if (columns.cycle >= (this.#isEven ? Math.min(this.#rows, this.#older) : this.#rows)) return;
    this.bank = columns.bank;
    this.cycle = columns.cycle;
    if (!this.#isEven) this.#older = this.#other = Math.min(columns.other, this.#rows);
    this.#isKnown = true;
  }

  /** The cycle of the last column that was sent. */
  get last(): number {
    return this.#columns.last;
  }
}
