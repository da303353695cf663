/** Commands that wait in a channel, and which of them goes next. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { barrierCommand, type ProgramCursor, syncCommand } from './cursor.ts';
import type { RunStep } from './prepared.ts';
import type { PimRows } from './rows.ts';

/** A command with its address. */
export interface Addressed {
  readonly command: number;
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  readonly entry: number;
  readonly sum: number;
}

/** Commands `number` to `number + count - 1` of a step: the same one to the same row. */
export interface Run {
  readonly step: RunStep;
  /** The number that the step began with. */
  readonly first: number;
  readonly number: number;
  readonly count: number;
}

/** How a queue is kept. */
export interface QueueOptions {
  /** The oldest goes first, whatever else is ready. */
  readonly isInOrder?: boolean;
  /** Barriers are marks on the commands before them instead of waiting themselves. */
  readonly isGrouped?: boolean;
}

const unknown = -1;
const never = Number.POSITIVE_INFINITY;

/** A command that waits, and those of its run that wait behind it. */
export class Waiting implements Addressed {
  command = 0;
  bank = 0;
  row = 0;
  column = 0;
  entry = 0;
  sum = 0;
  arrive = 0;
  /** Of grouped queues: that a barrier follows. */
  isLast = false;
  count = 0;
  step: RunStep | null = null;
  first = 0;
  number = 0;
  /** The command to send next for it, as of `states`, and the earliest tick for that, as of `version`. */
  needed = 0;
  states = unknown;
  ready = 0;
  version = unknown;
}

export class PimQueue {
  readonly #rows: PimRows;
  readonly #capacity: number;
  readonly #isInOrder: boolean;
  readonly #isGrouped: boolean;
  readonly #opensOrCloses: readonly boolean[];
  readonly #isDual: boolean;
  /** First in, first out; those beyond `entries` are spare. */
  readonly #waiting: Waiting[];
  /** Places that are taken, each by a command, a run of them, or a barrier. */
  entries = 0;
  /** Commands that wait: more than the capacity while there is no room yet for all of a run. */
  size = 0;
  /** The earliest tick after that of the last choice at which another choice may have another outcome. */
  next = never;

  constructor(
    device: DramDevice,
    rows: PimRows,
    capacity: number,
    { isInOrder = false, isGrouped = false }: QueueOptions = {},
  ) {
    this.#rows = rows;
    this.#capacity = capacity;
    this.#isInOrder = isInOrder;
    this.#isGrouped = isGrouped;
    this.#opensOrCloses = device.commands.map(({ banks, access }) => banks !== 'none' && access === 'none');
    this.#isDual = device.dualBus;
    this.#waiting = Array.from({ length: capacity }, () => new Waiting());
  }

  get isFull(): boolean {
    return this.size >= this.#capacity;
  }

  /** Commands of a run that there is no room for yet; while there are any, nothing else can come. */
  get excess(): number {
    return Math.max(0, this.size - this.#capacity);
  }

  /**
   * Takes the command that a cursor has come to, and with it the rest of its run, which the cursor skips: also that which
   * there is no room for yet. One by one, as room comes, is the same, but where a second command is chosen before the room
   * of the first is taken: one by one they come there.
   */
  pushRun(cursor: ProgramCursor, arrive: number): void {
    const { step, first, number } = cursor;
    const isWhole = !this.#isGrouped && (!this.#isDual || this.size + 2 <= this.#capacity);
    const count = isWhole ? cursor.count : 1;
    const run = step !== null && cursor.count > 1 && !this.#isGrouped ? { step, first, number, count } : null;
    this.push(cursor, arrive, run);
    cursor.skip(count - 1);
  }

  push(from: Addressed, arrive: number, run: Run | null = null): void {
    if (this.#isGrouped && from.command === barrierCommand) {
      if (this.entries > 0) this.#waiting[this.entries - 1]!.isLast = true;
      return;
    }
    const count = run === null ? 1 : run.count;
    this.size += count;
    if (run !== null && this.#extend(run)) return;
    const slot = this.#waiting[this.entries++]!;
    slot.command = from.command;
    slot.bank = from.bank;
    slot.row = from.row;
    slot.column = from.column;
    slot.entry = from.entry;
    slot.sum = from.sum;
    slot.arrive = arrive;
    slot.isLast = false;
    slot.count = count;
    slot.step = run === null ? null : run.step;
    slot.first = run === null ? 0 : run.first;
    slot.number = run === null ? 0 : run.number;
    slot.states = unknown;
    slot.version = unknown;
  }

  /** Puts a run to the end of the one that it goes on. */
  #extend({ step, first, number, count }: Run): boolean {
    const last = this.entries === 0 ? null : this.#waiting[this.entries - 1]!;
    if (last === null || last.step !== step || last.first !== first || last.number + last.count !== number)
      return false;
    if (step.startsRun(number)) return false;
    last.count += count;
    return true;
  }

  at(index: number): Waiting {
    return this.#waiting[index]!;
  }

  /** One that waits, with what is known of it up to date. */
  seen(index: number): Waiting {
    const one = this.#waiting[index]!;
    this.#look(one);
    return one;
  }

  /** Takes away the first `count` commands of an entry. */
  remove(index: number, count = 1): void {
    const waiting = this.#waiting;
    const gone = waiting[index]!;
    this.size -= count;
    gone.count -= count;
    gone.number += count;
    if (gone.count > 0) {
      gone.step?.locate(gone.number, gone.first, gone);
      return;
    }
    this.entries--;
    for (let i = index; i < this.entries; i++) waiting[i] = waiting[i + 1]!;
    waiting[this.entries] = gone;
  }

  /**
   * Place of the one to go next, -1 when none waits; a barrier in front is taken away. In order, that is the oldest; else
   * the oldest whose next command may start, of those behind a barrier only if that command opens or closes rows; but
   * nothing else is sent to a bank whose open row another one is for, while an older one waits. When none may start, the
   * oldest.
   */
  choose(tick: number): number {
    if (this.entries > 0 && this.#waiting[0]!.command === barrierCommand) this.remove(0);
    return this.#choice(tick, 0);
  }

  /** What `choose` would choose, of this queue as it is: nothing is taken away. */
  peek(tick: number): number {
    return this.#choice(tick, this.entries > 0 && this.#waiting[0]!.command === barrierCommand ? 1 : 0);
  }

  /** The choice among those from `first` on. */
  #choice(tick: number, first: number): number {
    const waiting = this.#waiting;
    this.next = never;
    if (this.entries === first) return unknown;
    if (this.#isInOrder) {
      const oldest = waiting[first]!;
      if (oldest.command < 0) return first;
      this.#look(oldest);
      if (oldest.ready > tick) this.next = oldest.ready;
      return first;
    }
    let isBehind = false;
    for (let i = first; i < this.entries; i++) {
      const one = waiting[i]!;
      if (one.command < 0) {
        if (i === first) return first;
        isBehind = true;
        continue;
      }
      this.#look(one);
      if (isBehind && !this.#opensOrCloses[one.needed]) continue;
      if (one.ready > tick) {
        if (one.ready < this.next) this.next = one.ready;
      } else if (i === first || this.#isHit(one) || !this.#isHeld(one.bank)) return i;
    }
    return first;
  }

  /**
   * The tick before which nothing but the run at a place is chosen, however much of it is sent, as long as some of it is
   * left; a place of -1: nothing at all.
   */
  quietUntil(index: number): number {
    let quiet = never;
    let isBehind = false;
    const candidates = this.#isInOrder ? Math.min(1, this.entries) : this.entries;
    for (let i = 0; i < candidates; i++) {
      if (i === index) continue;
      const one = this.#waiting[i]!;
      if (one.command < 0) {
        if (i === 0) return 0;
        isBehind = true;
        continue;
      }
      this.#look(one);
      if (isBehind && !this.#opensOrCloses[one.needed]) continue;
      if (i === 0 || this.#isHit(one) || !this.#isHeld(one.bank)) quiet = Math.min(quiet, one.ready);
    }
    return quiet;
  }

  /** Whether what is chosen is a barrier that another one went right before, or a sync. */
  isBarrier(index: number): boolean {
    return this.#waiting[index]!.command < 0;
  }

  isSync(index: number): boolean {
    return this.#waiting[index]!.command === syncCommand;
  }

  #isHit(one: Waiting): boolean {
    return one.needed === one.command && this.#rows.hits(one.command);
  }

  /** Whether one that waits hits the open row of a bank. */
  #isHeld(bank: number): boolean {
    for (let i = 0; i < this.entries; i++) {
      const one = this.#waiting[i]!;
      if (one.bank !== bank || one.command < 0) continue;
      this.#look(one);
      if (this.#isHit(one)) return true;
    }
    return false;
  }

  /** Brings what is known of one that waits up to date. */
  #look(one: Waiting): void {
    const { version, states } = this.#rows;
    if (one.states !== states) {
      one.needed = this.#rows.needed(one.command, one.bank, one.row);
      one.states = states;
    }
    if (one.version !== version) {
      one.ready = this.#rows.readyFor(one.needed, one.command, one.bank, one.row);
      one.version = version;
    }
  }
}
