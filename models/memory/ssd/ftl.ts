/** The translation layer: finds pages, gives new places to what is written, and keeps its table in flash. */
import { planesOf, type SsdPart, sectorBytes } from '../../../arch/language/ssd/part.ts';
import { Blocks, forData, forTable } from './blocks.ts';
import { Collector } from './collector.ts';
import type { Flash } from './flash.ts';
import { MappingCache } from './mapping-cache.ts';
import { PageMap, planeAllocation } from './page-map.ts';
import type { FlashTiming } from './timing.ts';
import { ones, type Transactions, tableRead, tableWrite, updateRead, userWrite } from './transactions.ts';

const none = -1;

export class Ftl {
  /** Times a page was looked up, and times its entry was at hand. */
  lookups = 0;
  hits = 0;
  /** Pages of the table that were read and written, old rests of pages that were read, user pages that were written. */
  tableReads = 0;
  tableWrites = 0;
  updateReads = 0;
  userWrites = 0;
  readonly collector: Collector;
  readonly map: PageMap;
  readonly blocks: Blocks;
  readonly #timing: FlashTiming;
  readonly #txs: Transactions;
  readonly #flash: Flash;
  /** Null: the table is at hand as a whole. */
  readonly #cache: MappingCache | null;
  /** Entries on a page of the table. */
  readonly #entries: number;
  /** Transactions that wait for a page of the table, and such pages on their way to flash. */
  readonly #waiting: Int32Array;
  readonly #lastWaiting: Int32Array;
  readonly #departing: Uint16Array;
  /** Transactions that need a page and wait for a free block, by plane. */
  readonly #stalled: Int32Array;
  readonly #lastStalled: Int32Array;

  constructor(part: SsdPart, logical: number, timing: FlashTiming, txs: Transactions, flash: Flash) {
    const { flash: chips, translation } = part;
    const physical = timing.planes * timing.pagesOfPlane;
    const sectors = chips.page / sectorBytes;
    // MQSim's entries: in the cache both page numbers and a bit for each sector, in flash the physical number and bits.
    const cached = Math.ceil((2 * Math.log2(physical) + sectors) / 8);
    const stored = Math.ceil((Math.log2(physical) + sectors) / 8);
    const isIdeal = translation.table === 'ideal';
    this.#entries = Math.floor(chips.page / stored);
    const tablePages = isIdeal ? 0 : Math.ceil(logical / this.#entries);
    this.#timing = timing;
    this.#txs = txs;
    this.#flash = flash;
    this.#cache = isIdeal
      ? null
      : new MappingCache(Math.max(1, Math.floor(translation.cache / cached)), tablePages, this.#entries);
    this.#waiting = new Int32Array(tablePages).fill(none);
    this.#lastWaiting = new Int32Array(tablePages);
    this.#departing = new Uint16Array(tablePages);
    this.#stalled = new Int32Array(planesOf(chips)).fill(none);
    this.#lastStalled = new Int32Array(planesOf(chips));
    this.blocks = new Blocks(timing);
    this.map = new PageMap(logical, tablePages, physical, planeAllocation(chips, translation));
    this.collector = new Collector(part.collection, { timing, blocks: this.blocks, map: this.map, txs, flash }, this);
    for (let page = logical; page < logical + tablePages; page++) this.#put(page, forTable);
  }

  /** Finds the pages of a list of user transactions and queues them; where the table has to be read, that goes first. */
  translate(head: number): void {
    const { next, page } = this.#txs;
    let found = none;
    let last = none;
    for (let tx = head, after: number; tx !== none; tx = after) {
      after = next[tx]!;
      this.#txs.next[tx] = none;
      this.lookups++;
      if (this.#cache !== null && !this.#cache.use(page[tx]!)) {
        this.#miss(tx);
        continue;
      }
      this.hits++;
      if (found === none) found = tx;
      else this.#txs.next[last] = tx;
      last = tx;
    }
    this.#locateAll(found);
    this.#flash.schedule();
  }

  /** Fills a share of the logical pages, in order, then overwrites so many drawn at random, all in no time. */
  precondition(fill: number, overwrites: number, draw: () => number): void {
    const full = 2 ** (this.#timing.pageBytes / sectorBytes) - 1;
    const pages = Math.floor(fill * this.map.logical);
    for (let i = 0; i < pages + (pages > 0 ? overwrites : 0); i++) {
      const page = i < pages ? i : Math.floor(draw() * pages);
      const old = this.map.placeOf(page);
      if (old >= 0) this.blocks.invalidate(old);
      this.#put(page, forData);
      this.map.setWritten(page, full >>> 0);
      this.collector.checkAtOnce(this.map.planeOf(page));
    }
  }

  /** A user's page, or the rest of one, was read. */
  readDone(tx: number): void {
    this.#readEnded(this.#txs.place[tx]!);
  }

  updateReadDone(tx: number): void {
    const write = this.#txs.owner[tx]!;
    this.#txs.waits[write]!--;
    this.#readEnded(this.#txs.place[tx]!);
    this.#txs.free(tx);
  }

  /** A user's page was programmed. */
  writeDone(tx: number): void {
    this.userWrites++;
    this.#programEnded(this.#txs.place[tx]!);
  }

  /** A page of the table is there: all that wait for it go on. */
  tableReadDone(tx: number): void {
    const txs = this.#txs;
    const table = txs.page[tx]! - this.map.logical;
    this.#readEnded(txs.place[tx]!);
    const write = txs.owner[tx]!;
    txs.free(tx);
    if (write !== none) {
      txs.waits[write]!--;
      return;
    }
    const head = this.#waiting[table]!;
    this.#waiting[table] = none;
    for (let waiting = head; waiting !== none; waiting = txs.next[waiting]!) this.#insert(txs.page[waiting]!);
    this.#locateAll(head);
    this.#flash.schedule();
  }

  tableWriteDone(tx: number): void {
    this.tableWrites++;
    this.#programEnded(this.#txs.place[tx]!);
    this.#departing[this.#txs.page[tx]! - this.map.logical]!--;
    this.#txs.free(tx);
  }

  /** Of the collector: an entry changed. */
  pageMoved(page: number): void {
    if (page >= this.map.logical) return;
    this.#change(page);
    this.#flash.schedule();
  }

  /** Of the collector: what waited for a free block goes on. */
  blockFreed(plane: number): void {
    const { next } = this.#txs;
    while (this.#stalled[plane] !== none && this.blocks.free[plane]! >= this.collector.reserve) {
      const tx = this.#stalled[plane]!;
      this.#stalled[plane] = next[tx]!;
      next[tx] = none;
      this.#locate(tx);
    }
    this.#flash.schedule();
  }

  #locateAll(head: number): void {
    for (let tx = head, after: number; tx !== none; tx = after) {
      after = this.#txs.next[tx]!;
      this.#txs.next[tx] = none;
      this.#locate(tx);
    }
  }

  /** The entry of the page is at hand. */
  #locate(tx: number): void {
    if (this.#txs.purpose[tx] === userWrite) this.#write(tx);
    else this.#read(tx);
  }

  #read(tx: number): void {
    const page = this.#txs.page[tx]!;
    let place = this.map.placeOf(page);
    if (place < 0) {
      if (this.#stalls(tx)) return;
      // Nobody wrote it since the run began: it was there before, on the next free page.
      place = this.#put(page, forData);
      this.map.setWritten(page, this.#txs.mask[tx]!);
      this.#change(page);
      this.blocks.reads[this.blocks.blockOf(place)]!++;
      this.#collectIfFilled(page, forData);
    } else this.blocks.reads[this.blocks.blockOf(place)]!++;
    this.#flash.enqueue(tx, place);
  }

  #write(tx: number): void {
    const txs = this.#txs;
    const page = txs.page[tx]!;
    if (this.#stalls(tx)) return;
    const old = this.map.placeOf(page);
    const written = this.map.writtenOf(page);
    const rest = written & ~txs.mask[tx]!;
    if (old >= 0) this.blocks.invalidate(old);
    const place = this.#put(page, forData);
    this.map.setWritten(page, (written | txs.mask[tx]!) >>> 0);
    this.blocks.programs[this.blocks.blockOf(place)]!++;
    this.#change(page);
    if (old >= 0 && rest !== 0) this.#readRest(tx, old, rest);
    this.#flash.enqueue(tx, place);
    this.#collectIfFilled(page, forData);
  }

  /** Whether a transaction that needs a page has to wait, as its plane has no block for it. */
  #stalls(tx: number): boolean {
    const plane = this.map.planeOf(this.#txs.page[tx]!);
    if (this.blocks.free[plane]! >= this.collector.reserve) return false;
    if (this.#stalled[plane] === none) this.#stalled[plane] = tx;
    else this.#txs.next[this.#lastStalled[plane]!] = tx;
    this.#lastStalled[plane] = tx;
    this.collector.check(plane);
    return true;
  }

  /** A page was programmed, so that its block may be collected. */
  #programEnded(place: number): void {
    const block = this.blocks.blockOf(place);
    const plane = this.blocks.planeOf(block);
    this.blocks.programs[block]!--;
    if (this.#stalled[plane] !== none) this.collector.check(plane);
  }

  /** What is not written anew is read from the old page first. */
  #readRest(write: number, old: number, rest: number): void {
    const bytes = sectorBytes * ones(rest);
    const tx = this.#txs.make(updateRead, this.#txs.page[write]!, bytes, write);
    this.#txs.waits[write]!++;
    this.#txs.bytes[write]! += bytes;
    this.updateReads++;
    this.blocks.reads[this.blocks.blockOf(old)]!++;
    this.#flash.enqueue(tx, old);
  }

  /** The entry of the page is in flash. */
  #miss(tx: number): void {
    const page = this.#txs.page[tx]!;
    const table = Math.floor(page / this.#entries);
    if (this.#departing[table]! > 0) {
      // Its page of the table is still in the controller, on its way to flash.
      this.#insert(page);
      this.#locate(tx);
      return;
    }
    if (this.#waiting[table] !== none) this.#txs.next[this.#lastWaiting[table]!] = tx;
    else {
      this.#waiting[table] = tx;
      this.tableReads++;
      this.#readTable(table, sectorBytes, none);
    }
    this.#lastWaiting[table] = tx;
    this.#flash.schedule();
  }

  /** Reads a page of the table, for those that wait for it or for a write of it. */
  #readTable(table: number, bytes: number, write: number): void {
    const page = this.map.logical + table;
    const place = this.map.placeOf(page);
    this.blocks.reads[this.blocks.blockOf(place)]!++;
    this.#flash.enqueue(this.#txs.make(tableRead, page, bytes, write), place);
  }

  /** The entry of a page changed; it may have left the cache while its write waited for a free block. */
  #change(page: number): void {
    if (this.#cache === null) return;
    this.#insert(page);
    this.#cache.change(page);
  }

  /** Puts an entry into the cache; the changed one that has to go for it is written, with all of its page. */
  #insert(page: number): void {
    const cache = this.#cache!;
    if (cache.use(page)) return;
    const lost = cache.evict();
    cache.insert(page);
    if (lost < 0) return;
    const table = Math.floor(lost / this.#entries);
    const tablePage = this.map.logical + table;
    cache.cleanPage(table);
    const write = this.#txs.make(tableWrite, tablePage, this.#timing.pageBytes, none);
    this.#txs.waits[write] = 1;
    this.tableReads++;
    this.#readTable(table, this.#timing.pageBytes, write);
    this.blocks.invalidate(this.map.placeOf(tablePage));
    const place = this.#put(tablePage, forTable);
    this.#departing[table]!++;
    this.blocks.programs[this.blocks.blockOf(place)]!++;
    this.#flash.enqueue(write, place);
    this.#collectIfFilled(tablePage, forTable);
  }

  /** Gives a page its next place. */
  #put(page: number, stream: number): number {
    const place = this.blocks.take(this.map.planeOf(page), stream);
    this.map.fill(place, page);
    this.map.move(page, place);
    return place;
  }

  #collectIfFilled(page: number, stream: number): void {
    const plane = this.map.planeOf(page);
    if (this.blocks.hasFilled(plane, stream)) this.collector.check(plane);
  }

  #readEnded(place: number): void {
    const block = this.blocks.blockOf(place);
    if (--this.blocks.reads[block]! === 0 && this.blocks.isBeingCollected(block)) {
      this.collector.eraseIfEmpty(block);
      this.#flash.schedule();
    }
  }
}
