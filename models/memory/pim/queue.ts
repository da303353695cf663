/** Commands that wait in a channel, and which of them goes next. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { barrierCommand } from './cursor.ts';
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

const unknown = -1;

/** A command that waits. */
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
  /** The command to send next for it, as of `states`, and the earliest tick for that, as of `version`. */
  needed = 0;
  states = unknown;
  ready = 0;
  version = unknown;
}

export class PimQueue {
  readonly #rows: PimRows;
  readonly #capacity: number;
  readonly #isGrouped: boolean;
  readonly #opensOrCloses: readonly boolean[];
  /** First in, first out; those beyond `size` are spare. */
  readonly #waiting: Waiting[];
  size = 0;
  /** The earliest tick after that of the last choice at which another choice may have another outcome. */
  next = Number.POSITIVE_INFINITY;

  /** In a grouped queue, barriers are marks on the commands before them instead of waiting themselves. */
  constructor(device: DramDevice, rows: PimRows, capacity: number, isGrouped = false) {
    this.#isGrouped = isGrouped;
    this.#rows = rows;
    this.#capacity = capacity;
    this.#opensOrCloses = device.commands.map(({ banks, access }) => banks !== 'none' && access === 'none');
    this.#waiting = Array.from({ length: capacity }, () => new Waiting());
  }

  get isFull(): boolean {
    return this.size === this.#capacity;
  }

  push(from: Addressed, arrive: number): void {
    if (this.#isGrouped && from.command === barrierCommand) {
      const last = this.#waiting[this.size - 1];
      if (last) last.isLast = true;
      return;
    }
    const slot = this.#waiting[this.size++]!;
    slot.command = from.command;
    slot.bank = from.bank;
    slot.row = from.row;
    slot.column = from.column;
    slot.entry = from.entry;
    slot.sum = from.sum;
    slot.arrive = arrive;
    slot.isLast = false;
    slot.states = unknown;
    slot.version = unknown;
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

  remove(index: number): void {
    const waiting = this.#waiting;
    const gone = waiting[index]!;
    this.size--;
    for (let i = index; i < this.size; i++) waiting[i] = waiting[i + 1]!;
    waiting[this.size] = gone;
  }

  /**
   * Place of the one to go next, -1 when none waits; a barrier in front is taken away. That is the oldest whose next command
   * may start, of those behind a barrier only if that command opens or closes rows; but nothing else is sent to a bank
   * whose open row another one is for, while an older one waits. When none may start, the oldest.
   */
  choose(tick: number): number {
    if (this.size > 0 && this.#waiting[0]!.command === barrierCommand) this.remove(0);
    return this.#choice(tick, 0);
  }

  /** What `choose` would choose, of this queue as it is: nothing is taken away. */
  peek(tick: number): number {
    return this.#choice(tick, this.size > 0 && this.#waiting[0]!.command === barrierCommand ? 1 : 0);
  }

  /** The choice among those from `first` on. */
  #choice(tick: number, first: number): number {
    const waiting = this.#waiting;
    this.next = Number.POSITIVE_INFINITY;
    if (this.size === first) return unknown;
    let isBehind = false;
    for (let i = first; i < this.size; i++) {
      const one = waiting[i]!;
      if (one.command === barrierCommand) {
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

  /** Whether what is chosen is a barrier that another one went right before. */
  isBarrier(index: number): boolean {
    return this.#waiting[index]!.command === barrierCommand;
  }

  #isHit(one: Waiting): boolean {
    return one.needed === one.command && this.#rows.hits(one.command);
  }

  /** Whether one that waits hits the open row of a bank. */
  #isHeld(bank: number): boolean {
    for (let i = 0; i < this.size; i++) {
      const one = this.#waiting[i]!;
      if (one.bank !== bank || one.command === barrierCommand) continue;
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
      one.ready = this.#rows.ready(one.needed, one.bank);
      one.version = version;
    }
  }
}
