/** The part of the mapping table that is at hand: entries, and which of them flash does not have yet. */
import { LruTable } from './lru.ts';

const none = -1;

export class MappingCache {
  readonly #entries: LruTable;
  /** Entries on a page of the table. */
  readonly #inPage: number;
  /** Changed entries of every page of the table, a list of slots linked both ways; `none` ends it. */
  readonly #changed: Int32Array;
  readonly #next: Int32Array;
  readonly #before: Int32Array;
  readonly #dirty: Uint8Array;

  /** So many entries are cached, of a table of so many pages with so many entries each. */
  constructor(entries: number, tablePages: number, inPage: number) {
    this.#entries = new LruTable(entries);
    this.#inPage = inPage;
    this.#changed = new Int32Array(tablePages).fill(none);
    this.#next = new Int32Array(entries);
    this.#before = new Int32Array(entries);
    this.#dirty = new Uint8Array(entries);
  }

  /** Whether the entry of a page is there; if so, it was used. */
  use(page: number): boolean {
    const slot = this.#entries.find(page);
    if (slot < 0) return false;
    this.#entries.touch(slot);
    return true;
  }

  /** Makes room for one more entry; the page whose changed entry had to go, -1 if none had. */
  evict(): number {
    if (!this.#entries.isFull) return none;
    const slot = this.#entries.oldest;
    const page = this.#entries.keyOf(slot);
    const isDirty = this.#dirty[slot] === 1;
    if (isDirty) this.#clean(slot);
    this.#entries.remove(slot);
    return isDirty ? page : none;
  }

  /** Puts in an entry that is not there, behind `evict`. */
  insert(page: number): void {
    this.#entries.insert(page);
  }

  /** The entry of a page, which is there, changed. */
  change(page: number): void {
    const slot = this.#entries.find(page);
    if (this.#dirty[slot] === 1) return;
    const table = Math.floor(page / this.#inPage);
    const first = this.#changed[table]!;
    this.#dirty[slot] = 1;
    this.#next[slot] = first;
    this.#before[slot] = none;
    if (first !== none) this.#before[first] = slot;
    this.#changed[table] = slot;
  }

  /** All changed entries of a page of the table go to flash: they are as there. */
  cleanPage(table: number): void {
    while (this.#changed[table] !== none) this.#clean(this.#changed[table]!);
  }

  #clean(slot: number): void {
    const next = this.#next[slot]!;
    const before = this.#before[slot]!;
    this.#dirty[slot] = 0;
    if (next !== none) this.#before[next] = before;
    if (before !== none) this.#next[before] = next;
    else this.#changed[Math.floor(this.#entries.keyOf(slot) / this.#inPage)] = next;
  }
}
