/** What flash is asked for, a page or a block at a time: numbers in arrays, reused once they are done. */

/** What a transaction is for. */
export const userRead = 0;
/** The rest of a page, part of which is written. */
export const updateRead = 1;
export const tableRead = 2;
export const moveRead = 3;
export const userWrite = 4;
export const tableWrite = 5;
export const moveWrite = 6;
export const eraseBlock = 7;

export class Transactions {
  /** What comes next in the list or queue that it is in; -1 at the end. */
  next = new Int32Array(64);
  purpose = new Uint8Array(64);
  /** Logical page; of the mapping table, behind all logical pages, its page. Of an erase, the block. */
  page = new Uint32Array(64);
  /** Sectors of the page, a bit for each. */
  mask = new Uint32Array(64);
  /** Bytes that go over the bus. */
  bytes = new Int32Array(64);
  /** The request it is part of; -1 when it is of none. Of an update read, the write that waits for it. */
  owner = new Int32Array(64);
  /** Physical page, its plane, and its place within the block. */
  place = new Uint32Array(64);
  plane = new Int32Array(64);
  row = new Int32Array(64);
  /** Of a move, the physical page that it is from; of a write from the cache, the version of what is written. */
  from = new Uint32Array(64);
  /** Reads that a write waits for. */
  waits = new Uint8Array(64);
  #free = -1;
  #used = 0;

  /** A transaction of one page. */
  make(purpose: number, page: number, bytes: number, owner: number): number {
    let tx = this.#free;
    if (tx >= 0) this.#free = this.next[tx]!;
    else {
      if (this.#used === this.next.length) this.#grow();
      tx = this.#used++;
    }
    this.next[tx] = -1;
    this.purpose[tx] = purpose;
    this.page[tx] = page;
    this.mask[tx] = 0;
    this.bytes[tx] = bytes;
    this.owner[tx] = owner;
    this.waits[tx] = 0;
    return tx;
  }

  free(tx: number): void {
    this.next[tx] = this.#free;
    this.#free = tx;
  }

  #grow(): void {
    const length = 2 * this.next.length;
    this.next = copy(this.next, new Int32Array(length));
    this.purpose = copy(this.purpose, new Uint8Array(length));
    this.page = copy(this.page, new Uint32Array(length));
    this.mask = copy(this.mask, new Uint32Array(length));
    this.bytes = copy(this.bytes, new Int32Array(length));
    this.owner = copy(this.owner, new Int32Array(length));
    this.place = copy(this.place, new Uint32Array(length));
    this.plane = copy(this.plane, new Int32Array(length));
    this.row = copy(this.row, new Int32Array(length));
    this.from = copy(this.from, new Uint32Array(length));
    this.waits = copy(this.waits, new Uint8Array(length));
  }
}

/** Fills the beginning of a longer array. */
export function copy<T extends Int32Array | Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Bits that are set. */
export function ones(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
