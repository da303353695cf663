/**
 * Which waiting request goes first. Of each queue and bank at most two candidates matter: the oldest request that hits the
 * open row, for the column bus, and the oldest that needs another row, for the row bus. They stand in dense lists that are
 * kept up to date, beside the place of the bound that tells how late they start at the earliest.
 */
import { type Banks, closed, open } from './banks.ts';
import type { CommandSet } from './commands.ts';
import { none, type Requests, reads, writes } from './requests.ts';
import type { Timing } from './timing.ts';

/** When commands may start that timing alone would let start at a tick. */
export interface Edges {
  columnStart(tick: number): number;
  rowStart(command: number, bank: number, tick: number): number;
}

const never = Number.POSITIVE_INFINITY;

// Which choices a command delays at banks other than its own: those of reads, of writes, of row commands.
const delaysColumns = [1, 2] as const;
const delaysRows = 4;

export class Choice {
  /** The queue in service, from which is chosen. */
  queue = reads;
  /** Earliest ticks for what is sent next on either bus. */
  columnFrom = 1;
  rowFrom = 1;
  /** The best column command of the queue, and its request; infinite when there is none. */
  columnTick = never;
  columnSlot = none;
  rowTick = never;
  rowSlot = none;
  rowCommand = none;
  readonly #set: CommandSet;
  readonly #timing: Timing;
  readonly #requests: Requests;
  readonly #banks: Banks;
  readonly #edges: Edges;
  readonly #protectsHits: boolean;
  readonly #columnClass: Int32Array;
  readonly #activateClass: number;
  readonly #prechargeClass: number;
  /** Of every command: which classes it delays at other banks, as flags. */
  readonly #delays: Int32Array;
  /** Whether the choice is of now. */
  #isColumnKnown = false;
  #isRowKnown = false;
  readonly #columns: readonly [Candidates, Candidates];
  readonly #rows: readonly [Candidates, Candidates];

  /** With `protectsHits` no row is closed while an older request of the queue hits it. */
  constructor(set: CommandSet, timing: Timing, requests: Requests, banks: Banks, edges: Edges, protectsHits: boolean) {
    this.#set = set;
    this.#timing = timing;
    this.#requests = requests;
    this.#banks = banks;
    this.#edges = edges;
    this.#protectsHits = protectsHits;
    this.#columnClass = Int32Array.of(timing.classOf[set.read]!, timing.classOf[set.write]!);
    this.#activateClass = timing.classOf[set.activate]!;
    this.#prechargeClass = timing.classOf[set.precharge]!;
    this.#delays = timing.classOf.map((_, command) => {
      const rows = timing.reaches(command, this.#activateClass) || timing.reaches(command, this.#prechargeClass);
      const columns = [reads, writes].filter((queue) => timing.reaches(command, this.#columnClass[queue]!));
      return columns.reduce((flags, queue) => flags | delaysColumns[queue]!, rows ? delaysRows : 0);
    });
    this.#columns = [new Candidates(banks.count), new Candidates(banks.count)];
    this.#rows = [new Candidates(banks.count), new Candidates(banks.count)];
  }

  /** Chooses from another queue. */
  serve(queue: number): void {
    this.queue = queue;
    this.forget();
  }

  /** Whatever was chosen may not be the best any more. */
  forget(): void {
    this.#isColumnKnown = false;
    this.#isRowKnown = false;
  }

  /** A command was sent to a bank, or to the node above it: what it delays is chosen anew. */
  sent(command: number, bank: number): void {
    const flags = this.#delays[command]!;
    if ((flags & delaysColumns[this.queue]!) !== 0 || this.#bankOf(this.columnSlot) === bank)
      this.#isColumnKnown = false;
    if ((flags & delaysRows) !== 0 || this.#bankOf(this.rowSlot) === bank) this.#isRowKnown = false;
  }

  /** Something about a bank changed that may change both queues' candidates. */
  bankChanged(bank: number): void {
    if (this.#mayHave(reads)) this.changed(reads, bank);
    if (this.#mayHave(writes)) this.changed(writes, bank);
  }

  /** The requests of a queue to a bank changed, or what they need next. */
  changed(queue: number, bank: number): void {
    const { hit, other, order } = this.#requests;
    const banks = this.#banks.count;
    const list = queue * banks + bank;
    const oldestHit = hit[list]!;
    const oldestOther = other[list]!;
    const state = this.#banks.state[bank]!;
    this.#columns[queue as 0 | 1].set(bank, oldestHit, this.#columnClass[queue]! * banks + bank);
    let row = none;
    if (oldestOther !== none) {
      if (state === closed) row = oldestOther;
      else if (
        state === open &&
        this.#banks.holder[bank] === none &&
        !(this.#protectsHits && oldestHit !== none && order[oldestHit]! < order[oldestOther]!)
      ) {
        row = oldestOther;
      }
    }
    const cls = state === closed ? this.#activateClass : this.#prechargeClass;
    this.#rows[queue as 0 | 1].set(bank, row, cls * banks + bank);
    if (queue === this.queue) this.#reconsider(bank, oldestHit, row);
  }

  /** A bank's candidates of the queue in service are new: one of them may be the best, or the best may be gone. */
  #reconsider(bank: number, column: number, row: number): void {
    if (this.#isColumnKnown) {
      if (this.columnSlot !== column && this.#bankOf(this.columnSlot) === bank) this.#isColumnKnown = false;
      else if (column !== none && column !== this.columnSlot) this.#offerColumn(column, bank, this.columnFrom);
    }
    if (this.#isRowKnown) {
      if (this.#bankOf(this.rowSlot) === bank) this.#isRowKnown = false;
      else if (row !== none) this.#offerRow(row, bank, this.rowFrom);
    }
  }

  #bankOf(slot: number): number {
    return slot === none ? none : this.#requests.bank[slot]!;
  }

  /** Whether a queue has candidates, or had until a moment ago. */
  #mayHave(queue: 0 | 1): boolean {
    return this.#requests.size[queue]! > 0 || this.#rows[queue].count > 0 || this.#columns[queue].count > 0;
  }

  /** Finds the best for a column command from one tick, and for a row command from another. */
  choose(columnFrom: number, rowFrom: number): void {
    this.columnFrom = columnFrom;
    this.rowFrom = rowFrom;
    if (!this.#isColumnKnown || this.columnTick < columnFrom) this.#chooseColumn(columnFrom);
    if (!this.#isRowKnown || this.rowTick < rowFrom) this.#chooseRow(rowFrom);
  }

  /** Whether, of the two choices, the column command goes before the row command on one bus. */
  get columnGoesFirst(): boolean {
    if (this.columnTick !== this.rowTick) return this.columnTick < this.rowTick;
    const { order } = this.#requests;
    return this.columnSlot !== none && order[this.columnSlot]! < order[this.rowSlot]!;
  }

  /** Whether all that waits in a queue hits the open row of one bank. */
  isOneRow(queue: number): boolean {
    return this.#columns[queue as 0 | 1].count === 1 && this.#rows[queue as 0 | 1].count === 0;
  }

  #chooseColumn(from: number): void {
    const { queue } = this;
    this.#isColumnKnown = true;
    this.columnTick = never;
    this.columnSlot = none;
    const list = this.#columns[queue as 0 | 1];
    const { bank, slot, bound, count } = list;
    if (count === 0) return;
    const { seen } = this.#timing;
    const { order } = this.#requests;
    const cls = this.#columnClass[queue]!;
    const channel = this.#timing.floor(cls);
    const floor = channel > from ? channel : from;
    for (let i = 0; i < count; i++) {
      const t = seen[bound[i]!]!;
      if (t > this.columnTick) continue;
      if (floor > this.columnTick) return;
      const s = slot[i]!;
      if ((t > floor ? t : floor) === this.columnTick && order[s]! > order[this.columnSlot]!) continue;
      this.#offerColumn(s, bank[i]!, from);
    }
  }

  #chooseRow(from: number): void {
    const { queue } = this;
    this.#isRowKnown = true;
    this.rowTick = never;
    this.rowSlot = none;
    const list = this.#rows[queue as 0 | 1];
    const { bank, slot, bound, count } = list;
    const { seen } = this.#timing;
    const { order } = this.#requests;
    for (let i = 0; i < count; i++) {
      const t = seen[bound[i]!]!;
      if (t > this.rowTick) continue;
      const s = slot[i]!;
      if ((t > from ? t : from) === this.rowTick && order[s]! > order[this.rowSlot]!) continue;
      this.#offerRow(s, bank[i]!, from);
    }
  }

  #offerColumn(slot: number, bank: number, from: number): void {
    const ready = this.#timing.ready(this.#columnClass[this.queue]!, bank);
    const tick = this.#edges.columnStart(ready > from ? ready : from);
    const { order } = this.#requests;
    if (tick < this.columnTick || (tick === this.columnTick && order[slot]! < order[this.columnSlot]!)) {
      this.columnTick = tick;
      this.columnSlot = slot;
    }
  }

  #offerRow(slot: number, bank: number, from: number): void {
    const opens = this.#banks.state[bank] === closed;
    const command = opens ? this.#set.activate : this.#set.precharge;
    const ready = this.#timing.ready(opens ? this.#activateClass : this.#prechargeClass, bank);
    const tick = this.#edges.rowStart(command, bank, ready > from ? ready : from);
    const { order } = this.#requests;
    if (tick < this.rowTick || (tick === this.rowTick && order[slot]! < order[this.rowSlot]!)) {
      this.rowTick = tick;
      this.rowSlot = slot;
      this.rowCommand = command;
    }
  }
}

/** At most one candidate a bank, in no order: the first `count` places of the arrays. */
class Candidates {
  count = 0;
  readonly bank: Int32Array;
  readonly slot: Int32Array;
  /** Where `Timing.seen` has the bound of its start. */
  readonly bound: Int32Array;
  /** By bank: its place; `none` without a candidate. */
  readonly #at: Int32Array;

  constructor(banks: number) {
    this.bank = new Int32Array(banks);
    this.slot = new Int32Array(banks);
    this.bound = new Int32Array(banks);
    this.#at = new Int32Array(banks).fill(none);
  }

  /** The candidate of a bank is now `slot`, or `none`. */
  set(bank: number, slot: number, bound: number): void {
    let at = this.#at[bank]!;
    if (slot === none) {
      if (at === none) return;
      const last = --this.count;
      const moved = this.bank[last]!;
      this.bank[at] = moved;
      this.slot[at] = this.slot[last]!;
      this.bound[at] = this.bound[last]!;
      this.#at[moved] = at;
      this.#at[bank] = none;
      return;
    }
    if (at === none) {
      at = this.count++;
      this.#at[bank] = at;
      this.bank[at] = bank;
    }
    this.slot[at] = slot;
    this.bound[at] = bound;
  }
}
