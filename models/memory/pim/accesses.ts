/** Ordinary accesses that wait in a channel, as runs of columns of one row each. */

/** What was asked for, told of when all of it has been sent. */
export interface Access {
  readonly tag: number;
  readonly isWrite: boolean;
  /** Columns that no run has yet: the first, and how many. */
  address: number;
  left: number;
  /** Columns that have not been sent. */
  unsent: number;
}

/**
 * Runs that a controller chooses from, and columns of them from which on it takes no further one: as many as DRAMsim3's
 * command queues hold, 8 for each of 32 banks.
 */
export const most = 32;
const enough = 256;

export class AccessQueue {
  /** Runs in their order; those beyond `size` are spare. */
  readonly bank = new Int32Array(most);
  readonly row = new Int32Array(most);
  readonly column = new Int32Array(most);
  readonly left = new Int32Array(most);
  readonly order = new Float64Array(most);
  /** A cycle before which nothing can be sent for it, as long as no row is opened or closed in its bank. */
  readonly soonest = new Float64Array(most);
  readonly #access: (Access | null)[] = new Array<Access | null>(most).fill(null);
  size = 0;
  /** Runs by bank, and whether a run is the first one of its bank. */
  readonly inBank: Int32Array;
  readonly isFirst = new Uint8Array(most);
  /** Columns that have not been sent, of runs and of accesses behind. */
  columns = 0;
  /** Columns of runs. */
  #seen = 0;
  /** Accesses that are not all in runs, from `#first` on. */
  #behind: Access[] = [];
  #first = 0;
  readonly #bursts: number;
  readonly #banks: number;

  /** `bursts` are the accesses of a row. */
  constructor(bursts: number, banks: number) {
    this.#bursts = bursts;
    this.#banks = banks;
    this.inBank = new Int32Array(banks);
  }

  push(access: Access): void {
    this.#behind.push(access);
    this.columns += access.left;
  }

  /** Takes over all that waits in another one of the same size. */
  copyFrom(other: AccessQueue): void {
    const own = new Map<Access, Access>();
    const copyOf = (access: Access): Access => {
      const copy = own.get(access) ?? { ...access };
      own.set(access, copy);
      return copy;
    };
    this.bank.set(other.bank);
    this.row.set(other.row);
    this.column.set(other.column);
    this.left.set(other.left);
    this.order.set(other.order);
    this.soonest.set(other.soonest);
    this.inBank.set(other.inBank);
    this.isFirst.set(other.isFirst);
    this.size = other.size;
    this.columns = other.columns;
    this.#seen = other.#seen;
    for (let i = 0; i < most; i++) {
      const access = other.#access[i]!;
      this.#access[i] = access && copyOf(access);
    }
    this.#behind = other.#behind.slice(other.#first).map(copyOf);
    this.#first = 0;
  }

  /** Tags of the accesses that are not done. */
  get tags(): readonly number[] {
    const all = new Set([...this.#access.slice(0, this.size), ...this.#behind.slice(this.#first)]);
    return [...all].flatMap((access) => (access ? [access.tag] : []));
  }

  /** Makes runs while there is room; `order` is that of the next one. Returns the order after the last. */
  fill(order: number): number {
    while (this.mayFill) {
      const access = this.#behind[this.#first]!;
      const column = access.address % this.#bursts;
      const count = Math.min(access.left, this.#bursts - column);
      const row = Math.floor(access.address / this.#bursts);
      const slot = this.size++;
      const bank = row % this.#banks;
      this.bank[slot] = bank;
      this.isFirst[slot] = this.inBank[bank]!++ === 0 ? 1 : 0;
      this.row[slot] = Math.floor(row / this.#banks);
      this.column[slot] = column;
      this.left[slot] = count;
      this.#seen += count;
      this.order[slot] = order++;
      this.soonest[slot] = 0;
      this.#access[slot] = access;
      access.address += count;
      access.left -= count;
      if (access.left === 0) this.#next();
    }
    return order;
  }

  #next(): void {
    if (++this.#first < 1024) return;
    this.#behind = this.#behind.slice(this.#first);
    this.#first = 0;
  }

  /** Of the accesses that wait, the fewest columns that one has left; infinite when none waits. */
  get fewest(): number {
    let fewest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.size; i++) fewest = Math.min(fewest, this.#access[i]!.unsent);
    for (let i = this.#first; i < this.#behind.length; i++) fewest = Math.min(fewest, this.#behind[i]!.unsent);
    return fewest;
  }

  /** Whether there may be accesses that `fill` would make runs of. */
  get mayFill(): boolean {
    return this.size < most && this.#seen < enough && this.#first < this.#behind.length;
  }

  /** Columns of a run were sent. Returns its access when that was the last of it, and null otherwise. */
  sent(slot: number, columns: number): Access | null {
    const access = this.#access[slot]!;
    this.columns -= columns;
    this.#seen -= columns;
    this.column[slot]! += columns;
    this.left[slot]! -= columns;
    access.unsent -= columns;
    if (this.left[slot] === 0) this.#remove(slot);
    return access.unsent === 0 ? access : null;
  }

  #remove(slot: number): void {
    this.size--;
    const bank = this.bank[slot]!;
    if (--this.inBank[bank]! > 0 && this.isFirst[slot] === 1) this.isFirst[this.bank.indexOf(bank, slot + 1)] = 1;
    for (let i = slot; i < this.size; i++) {
      this.bank[i] = this.bank[i + 1]!;
      this.row[i] = this.row[i + 1]!;
      this.column[i] = this.column[i + 1]!;
      this.left[i] = this.left[i + 1]!;
      this.order[i] = this.order[i + 1]!;
      this.soonest[i] = this.soonest[i + 1]!;
      this.isFirst[i] = this.isFirst[i + 1]!;
      this.#access[i] = this.#access[i + 1]!;
    }
    this.#access[this.size] = null;
  }

  /** A row was opened or closed in a bank, or, without one, perhaps anywhere. */
  moved(bank?: number): void {
    for (let i = 0; i < this.size; i++) if (bank === undefined || this.bank[i] === bank) this.soonest[i] = 0;
  }

  /** Whether a run is of a row. */
  has(row: number): boolean {
    for (let i = 0; i < this.size; i++) if (this.row[i] === row) return true;
    return false;
  }

  /** Whether a run that came before an order has columns of a row that another run has. */
  overlaps(bank: number, row: number, column: number, count: number, order: number): boolean {
    for (let i = 0; i < this.size; i++) {
      if (this.bank[i] !== bank || this.row[i] !== row || this.order[i]! > order) continue;
      if (this.column[i]! < column + count && column < this.column[i]! + this.left[i]!) return true;
    }
    return false;
  }
}
