/** The DRAM of the controller: holds written data until flash has them, and answers reads of what it holds. */
import { planesOf, type SsdCache, type SsdPart, sectorBytes } from '../../../arch/language/ssd/part.ts';
import { cacheDone, evicted } from './codes.ts';
import type { EventQueue } from './events.ts';
import type { Ftl } from './ftl.ts';
import { LruTable } from './lru.ts';
import { PageTable } from './page-table.ts';
import { ones, type Transactions, userWrite } from './transactions.ts';

const none = -1;

/** A page written again within this time stays in the cache instead of going to flash at once, ps. */
const rewriteWindow = 1e12;

/** A page's state in the cache: on its way to flash, or to be written when it has to go. */
const leaving = 0;
const dirty = 1;

export class WriteCache {
  /** Bytes that reads found here. */
  bytesFound = 0;
  readonly #timing: SsdCache;
  readonly #events: EventQueue;
  readonly #txs: Transactions;
  readonly #ftl: Ftl;
  readonly #pages: LruTable;
  /** Of the pages held: sectors, state, and how often they were written. */
  readonly #sectors: Uint32Array;
  readonly #state: Uint8Array;
  readonly #version: Uint32Array;
  /** Window in which a page was written last, from 1. */
  readonly #window: PageTable;
  /** Sectors on their way to flash, of which there may be as many as all planes program at a time. */
  #leavingSectors = 0;
  readonly #mostLeaving: number;
  #free = 0;
  #versions = 0;

  constructor(part: SsdPart, logical: number, events: EventQueue, txs: Transactions, ftl: Ftl) {
    const { cache, flash } = part;
    const capacity = Math.floor(cache.capacity / flash.page);
    this.#timing = cache;
    this.#events = events;
    this.#txs = txs;
    this.#ftl = ftl;
    this.#pages = new LruTable(capacity);
    this.#sectors = new Uint32Array(capacity);
    this.#state = new Uint8Array(capacity);
    this.#version = new Uint32Array(capacity);
    this.#window = new PageTable(logical);
    this.#mostLeaving = planesOf(flash) * (flash.page / sectorBytes);
  }

  /** Whether another page may go on its way to flash. */
  get hasRoom(): boolean {
    return this.#leavingSectors < this.#mostLeaving;
  }

  /** Sectors of a page that it holds. */
  held(page: number): number {
    const slot = this.#pages.find(page);
    return slot < 0 ? 0 : this.#sectors[slot]!;
  }

  /** A request reads bytes from it. */
  readBytes(request: number, bytes: number): void {
    this.bytesFound += bytes;
    this.#access(bytes, cacheDone | request);
  }

  /**
   * Takes pages of a write request, from the head of a list, as long as there is room; an access for what was taken ends
   * with the event `cacheDone`. Pages not written lately go to flash at once.
   * @returns what is left of the list
   */
  write(request: number, head: number): number {
    const { next, page, mask } = this.#txs;
    let bytes = 0;
    let outward = none;
    let lastOutward = none;
    let tx = head;
    for (let after: number; tx !== none && this.hasRoom; tx = after) {
      after = next[tx]!;
      next[tx] = none;
      bytes += this.#txs.bytes[tx]!;
      const slot = this.#hold(page[tx]!, mask[tx]!);
      if (this.#wasWrittenLately(page[tx]!)) {
        this.#state[slot] = dirty;
        this.#txs.free(tx);
        continue;
      }
      this.#state[slot] = leaving;
      this.#leave(tx, slot);
      if (outward === none) outward = tx;
      else next[lastOutward] = tx;
      lastOutward = tx;
    }
    if (bytes > 0) this.#access(bytes, cacheDone | request);
    if (outward !== none) this.#ftl.translate(outward);
    return tx;
  }

  /** A page that had to go was read from the DRAM. */
  evictionRead(tx: number): void {
    this.#ftl.translate(tx);
  }

  /** A page is in flash. */
  written(tx: number): void {
    const { page, mask, from } = this.#txs;
    this.#leavingSectors -= ones(mask[tx]!);
    const slot = this.#pages.find(page[tx]!);
    if (slot >= 0 && this.#version[slot] === from[tx]) this.#pages.remove(slot);
    this.#txs.free(tx);
  }

  /** The slot of a page that is written, with its sectors. */
  #hold(page: number, mask: number): number {
    let slot = this.#pages.find(page);
    if (slot < 0) {
      if (this.#pages.isFull) this.#evict();
      slot = this.#pages.insert(page);
      this.#sectors[slot] = 0;
    } else this.#pages.touch(slot);
    this.#sectors[slot] = (this.#sectors[slot]! | mask) >>> 0;
    this.#version[slot] = ++this.#versions;
    return slot;
  }

  /** Also notes that the page is written now. */
  #wasWrittenLately(page: number): boolean {
    const window = Math.floor(this.#events.now / rewriteWindow) + 1;
    if (this.#window.get(page) === window) return true;
    this.#window.set(page, window);
    return false;
  }

  #leave(tx: number, slot: number): void {
    this.#txs.from[tx] = this.#version[slot]!;
    this.#leavingSectors += ones(this.#txs.mask[tx]!);
  }

  /** Makes room: the page not used for longest goes; when flash does not have it, it is read to be written there. */
  #evict(): void {
    const slot = this.#pages.oldest;
    const page = this.#pages.keyOf(slot);
    const sectors = this.#sectors[slot]!;
    const isDirty = this.#state[slot] === dirty;
    this.#pages.remove(slot);
    if (!isDirty) return;
    const tx = this.#txs.make(userWrite, page, ones(sectors) * sectorBytes, none);
    this.#txs.mask[tx] = sectors;
    this.#leave(tx, slot);
    this.#access(this.#txs.bytes[tx]!, evicted | tx);
  }

  /** One access after the other. */
  #access(bytes: number, event: number): void {
    const { bandwidth, row, latency, precharge } = this.#timing;
    const rows = Math.ceil(bytes / row);
    const time = rows * latency + (rows - 1) * precharge + Math.round((bytes * 1e12) / bandwidth);
    this.#free = Math.max(this.#events.now, this.#free) + time;
    this.#events.put(this.#free, event);
  }
}
