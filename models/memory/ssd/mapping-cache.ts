/** The part of the mapping table that is at hand: entries, and which of them flash does not have yet. */
import { LruTable } from './lru.ts';

export class MappingCache {
  readonly #entries: LruTable;
  readonly #dirty: Uint8Array;

  constructor(entries: number) {
    this.#entries = new LruTable(entries);
    this.#dirty = new Uint8Array(entries);
  }

  /** Whether the entry of a page is there; if so, it was used. */
  use(page: number): boolean {
    const slot = this.#entries.find(page);
    if (slot < 0) return false;
    this.#entries.touch(slot);
    return true;
  }

  has(page: number): boolean {
    return this.#entries.find(page) >= 0;
  }

  /** Makes room for one more entry; the page whose changed entry had to go, -1 if none had. */
  evict(): number {
    if (!this.#entries.isFull) return -1;
    const slot = this.#entries.oldest;
    const page = this.#entries.keyOf(slot);
    this.#entries.remove(slot);
    return this.#dirty[slot] === 1 ? page : -1;
  }

  /** Puts in an entry that is not there, behind `evict`. */
  insert(page: number): void {
    this.#dirty[this.#entries.insert(page)] = 0;
  }

  /** The entry of a page, which is there, changed. */
  change(page: number): void {
    this.#dirty[this.#entries.find(page)] = 1;
  }

  /** Changed entries of pages from `first` on go to flash: they are as there. */
  clean(first: number, pages: number): void {
    for (let page = first; page < first + pages; page++) {
      const slot = this.#entries.find(page);
      if (slot >= 0) this.#dirty[slot] = 0;
    }
  }
}
