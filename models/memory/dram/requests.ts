/**
 * The requests that a channel's controller holds, in flat arrays: a pool of slots, a queue of reads and one of writes, and
 * within each a list per bank in order of arrival.
 *
 * Of the requests of one queue to one bank only two can matter: the oldest that hits the open row, and the oldest that
 * does not. Both are kept up to date, so that a scheduler looks at banks, never at requests.
 */

export const none = -1;

/** Index of the two queues. */
export const reads = 0;
export const writes = 1;

export class Requests {
  readonly banks: number;
  // By slot.
  readonly bank: Int32Array;
  readonly row: Int32Array;
  readonly column: Int32Array;
  readonly block: Float64Array;
  readonly isWrite: Uint8Array;
  readonly arrive: number[];
  /** Order of arrival; no two are equal. */
  readonly order: number[];
  /** Whose it is: what the sender gave with it. */
  readonly tag: Int32Array;
  /** Whether it was counted as a hit, miss or conflict: at its first command. */
  readonly counted: Uint8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;
  #orders = 0;
  // By queue x banks + bank.
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  /** The oldest that hits the open row, and the oldest that does not; with no row open none hits. */
  readonly hit: Int32Array;
  readonly other: Int32Array;
  /** Requests in each queue. */
  readonly size = new Int32Array(2);

  constructor(banks: number, slots: number) {
    this.banks = banks;
    this.bank = new Int32Array(slots);
    this.row = new Int32Array(slots);
    this.column = new Int32Array(slots);
    this.block = new Float64Array(slots);
    this.isWrite = new Uint8Array(slots);
    this.arrive = new Array<number>(slots).fill(0);
    this.order = new Array<number>(slots).fill(0);
    this.tag = new Int32Array(slots);
    this.counted = new Uint8Array(slots);
    this.#next = new Int32Array(slots);
    this.#previous = new Int32Array(slots);
    this.#free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.#freeCount = slots;
    this.#head = new Int32Array(2 * banks).fill(none);
    this.#tail = new Int32Array(2 * banks).fill(none);
    this.hit = new Int32Array(2 * banks).fill(none);
    this.other = new Int32Array(2 * banks).fill(none);
  }

  /** Appends a request to its queue; `openRow` is the row open in its bank, or `none`. Returns its slot. */
  add(
    queue: number,
    bank: number,
    row: number,
    column: number,
    block: number,
    arrive: number,
    openRow: number,
  ): number {
    const slot = this.#free[--this.#freeCount]!;
    this.bank[slot] = bank;
    this.row[slot] = row;
    this.column[slot] = column;
    this.block[slot] = block;
    this.isWrite[slot] = queue;
    this.arrive[slot] = arrive;
    this.order[slot] = this.#orders++;
    this.counted[slot] = 0;
    const list = queue * this.banks + bank;
    const tail = this.#tail[list]!;
    this.#next[slot] = none;
    this.#previous[slot] = tail;
    this.#tail[list] = slot;
    if (tail === none) this.#head[list] = slot;
    else this.#next[tail] = slot;
    if (row === openRow) {
      if (this.hit[list] === none) this.hit[list] = slot;
    } else if (this.other[list] === none) {
      this.other[list] = slot;
    }
    this.size[queue]!++;
    return slot;
  }

  /** Takes a request out of its queue; it keeps its slot until `release`. */
  remove(slot: number, openRow: number): void {
    const queue = this.isWrite[slot]!;
    const bank = this.bank[slot]!;
    const list = queue * this.banks + bank;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === none) this.#head[list] = next;
    else this.#next[previous] = next;
    if (next === none) this.#tail[list] = previous;
    else this.#previous[next] = previous;
    // Whatever stands before the oldest hit misses, and the other way round: the next one stands behind.
    if (this.hit[list] === slot) this.hit[list] = this.#nextWhere(next, openRow, true);
    else if (this.other[list] === slot) this.other[list] = this.#nextWhere(next, openRow, false);
    this.size[queue]!--;
  }

  /** Oldest request of a queue's list for a bank. */
  oldest(queue: number, bank: number): number {
    return this.#head[queue * this.banks + bank]!;
  }

  /** Whether a request is the oldest in its list that hits the open row, or the oldest that does not. */
  isOldest(slot: number): boolean {
    const list = this.isWrite[slot]! * this.banks + this.bank[slot]!;
    return this.hit[list] === slot || this.other[list] === slot;
  }

  /** The request behind one in its list; `none` behind the last. */
  after(slot: number): number {
    return this.#next[slot]!;
  }

  /** The oldest request of a list, all of which hit the open row, leaves; a new one of the same row takes its slot, as the last. */
  replaceOldest(queue: number, bank: number, column: number, block: number, arrive: number, tag: number): void {
    const list = queue * this.banks + bank;
    const slot = this.#head[list]!;
    const tail = this.#tail[list]!;
    if (slot !== tail) {
      const next = this.#next[slot]!;
      this.#head[list] = next;
      this.#previous[next] = none;
      this.#next[tail] = slot;
      this.#previous[slot] = tail;
      this.#next[slot] = none;
      this.#tail[list] = slot;
    }
    this.hit[list] = this.#head[list]!;
    this.column[slot] = column;
    this.block[slot] = block;
    this.arrive[slot] = arrive;
    this.order[slot] = this.#orders++;
    this.tag[slot] = tag;
    this.counted[slot] = 0;
  }

  release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }

  /** A bank's open row changed. */
  opened(bank: number, openRow: number): void {
    for (let queue = 0, list = bank; queue < 2; queue++, list += this.banks) {
      if (this.size[queue] === 0) continue;
      const head = this.#head[list]!;
      if (head === none) continue;
      this.hit[list] = this.#nextWhere(head, openRow, true);
      this.other[list] = this.#nextWhere(head, openRow, false);
    }
  }

  closed(bank: number): void {
    for (let list = bank; list < 2 * this.banks; list += this.banks) {
      this.hit[list] = none;
      this.other[list] = this.#head[list]!;
    }
  }

  /** Whether a write to the block waits. */
  hasWrite(bank: number, block: number): boolean {
    for (let slot = this.#head[this.banks + bank]!; slot !== none; slot = this.#next[slot]!) {
      if (this.block[slot] === block) return true;
    }
    return false;
  }

  /** Whether a request other than `self` waits in a queue for a row of a bank that is open. */
  wanted(bank: number, self: number): boolean {
    for (let list = bank; list < 2 * this.banks; list += this.banks) {
      const hit = this.hit[list]!;
      if (hit === none) continue;
      if (hit !== self || this.#nextWhere(this.#next[hit]!, this.row[hit]!, true) !== none) return true;
    }
    return false;
  }

  #nextWhere(from: number, row: number, equal: boolean): number {
    let slot = from;
    while (slot !== none && (this.row[slot] === row) !== equal) slot = this.#next[slot]!;
    return slot;
  }
}
