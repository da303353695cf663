/**
 * Which command goes next where hits come first, as in DRAMSim2 and what descends from it: of those that wait, the oldest
 * access to an open row that may start; else the oldest opening; else the closing of a row that none of them is for. Of two
 * accesses to one place the older one goes first. The last command before a barrier waits for all before it, and none behind
 * it goes until it has gone, but for openings when it is the only one left. A refresh closes bank after bank as each may be
 * closed, while accesses go on.
 */
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimQueue, Waiting } from './queue.ts';
import type { PimRows } from './rows.ts';
import type { Scope } from './scope.ts';

const none = -1;
const never = Number.POSITIVE_INFINITY;

export type Bus = DramDevice['commands'][number]['bus'];

export class HitsFirst {
  /** What was chosen: a command at a bank, and the queue and place of what it is for; a place of -1 for none that waits. */
  command = none;
  bank = 0;
  index = none;
  queue: PimQueue | null = null;
  /** The earliest tick after the last choice at which another one may have another outcome. */
  wake = never;
  readonly #device: DramDevice;
  readonly #rows: PimRows;
  readonly #scopes: readonly Scope[];
  readonly #opens: readonly boolean[];
  readonly #banks: number;
  /** Whether rows are opened in banks that wait for a refresh. */
  readonly #postpones: boolean;
  /** Bank to begin with when rows are closed that none is for. */
  #turn = 0;
  #tick = 0;
  #taken: Bus | null = null;

  constructor(device: DramDevice, rows: PimRows, scopes: readonly Scope[], postpones: boolean) {
    this.#device = device;
    this.#rows = rows;
    this.#scopes = scopes;
    this.#banks = banksOf(device);
    this.#postpones = postpones;
    this.#opens = device.commands.map(({ banks }) => banks === 'opens');
  }

  /** Chooses among queues and the first of the refreshes that are due; not on the bus that is taken. False when none may go. */
  choose(queues: readonly PimQueue[], due: readonly number[], tick: number, taken: Bus | null): boolean {
    this.#tick = tick;
    this.#taken = taken;
    this.wake = never;
    const refresh = due.length > 0 ? this.#refresh(due) : 'open';
    if (refresh === 'chosen') return true;
    if (refresh === 'closed') return false;
    return this.#hits(queues) || this.#openings(queues, this.#postpones ? [] : due) || this.#closings(queues);
  }

  /** `closed`: all banks are, and the refresh is waited for. */
  #refresh([command = none, first = 0]: readonly number[]): 'chosen' | 'open' | 'closed' {
    const banks = this.#scopes[command]!.banks(first);
    let isClosed = true;
    for (let i = 0; i < banks.length; i++) {
      const bank = banks[i]!;
      if (this.#rows.openRow[bank]! < 0) continue;
      isClosed = false;
      if (!this.#rows.follows(bank) && this.#try(this.#rows.closer(bank), bank, null, none)) return 'chosen';
    }
    if (!isClosed) return 'open';
    return this.#try(command, first, null, none) ? 'chosen' : 'closed';
  }

  /** Accesses to open rows, and commands that need none. */
  #hits(queues: readonly PimQueue[]): boolean {
    for (const queue of queues) {
      for (let i = 0; i < queue.entries; i++) {
        const one = queue.seen(i);
        if (i > 0 && one.isLast) break;
        if (one.needed === one.command && !follows(queue, i, one) && this.#try(one.command, one.bank, queue, i))
          return true;
        if (one.isLast) break;
      }
    }
    return false;
  }

  /** Openings, but not in the banks of a refresh. */
  #openings(queues: readonly PimQueue[], [refresh = none, first = 0]: readonly number[]): boolean {
    for (const queue of queues) {
      for (let i = 0; i < queue.entries; i++) {
        const one = queue.seen(i);
        if (i > 0 && one.isLast) break;
        const isHeld = refresh !== none && this.#rows.concerns(refresh, first, one.bank);
        if (this.#opens[one.needed] && !isHeld && this.#try(one.needed, one.bank, queue, i)) return true;
      }
    }
    return false;
  }

  #closings(queues: readonly PimQueue[]): boolean {
    for (let i = 0; i < this.#banks; i++) {
      const bank = (this.#turn + i) % this.#banks;
      if (this.#rows.openRow[bank]! < 0 || this.#rows.follows(bank) || this.#isWanted(queues, bank)) continue;
      if (!this.#try(this.#rows.closer(bank), bank, null, none)) continue;
      this.#turn = bank;
      return true;
    }
    return false;
  }

  /** Whether one that waits, up to the first barrier, is for the open row of a bank. */
  #isWanted(queues: readonly PimQueue[], bank: number): boolean {
    const row = this.#rows.openRow[bank]!;
    for (const queue of queues) {
      for (let i = 0; i < queue.entries; i++) {
        const one = queue.at(i);
        if (one.row === row && this.#rows.concerns(one.command, one.bank, bank)) return true;
        if (one.isLast) break;
      }
    }
    return false;
  }

  /** Chooses a command when it may start now, and notes otherwise when it may. */
  #try(command: number, bank: number, queue: PimQueue | null, index: number): boolean {
    const { bus } = this.#device.commands[command]!;
    const ready = this.#rows.ready(command, bank);
    if (ready > this.#tick) {
      this.wake = Math.min(this.wake, ready);
      return false;
    }
    if (this.#taken !== null && (bus === this.#taken || bus === 'both' || this.#taken === 'both')) {
      this.wake = this.#tick + 1;
      return false;
    }
    this.command = command;
    this.bank = bank;
    this.queue = queue;
    this.index = index;
    return true;
  }
}

/** Whether an older one in the queue is for the same place. */
function follows(queue: PimQueue, index: number, { bank, row, column }: Waiting): boolean {
  for (let i = 0; i < index; i++) {
    const older = queue.at(i);
    if (older.bank === bank && older.row === row && older.column === column) return true;
  }
  return false;
}
