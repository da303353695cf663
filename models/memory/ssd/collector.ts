/** Garbage collection: pages of a block that are still needed move to another one, then the block is erased. */
import type { SsdCollection } from '../../../arch/language/ssd/part.ts';
import { type Blocks, forMoved } from './blocks.ts';
import type { Flash } from './flash.ts';
import type { PageMap } from './page-map.ts';
import type { FlashTiming } from './timing.ts';
import { eraseBlock, moveRead, moveWrite, type Transactions } from './transactions.ts';

/** Told what collection does to others. */
export interface CollectionListener {
  /** A page is elsewhere. */
  pageMoved(page: number): void;
  /** A plane has a free block more. */
  blockFreed(plane: number): void;
}

export class Collector {
  /** Blocks whose collection was begun, pages that were moved, blocks that were erased. */
  collections = 0;
  moved = 0;
  erased = 0;
  /** Free blocks of a plane that user writes leave alone. */
  readonly reserve: number;
  readonly #policy: SsdCollection['policy'];
  readonly #threshold: number;
  /**
   * Blocks of a plane that are collected at a time. Their pages, less than so many blocks, move into free ones: with the
   * block that a user's last write took, and one for the table, the reserve suffices.
   */
  readonly #most: number;
  readonly #timing: FlashTiming;
  readonly #blocks: Blocks;
  readonly #map: PageMap;
  readonly #txs: Transactions;
  readonly #flash: Flash;
  readonly #listener: CollectionListener;
  /** Blocks being collected, by plane; pages that are not moved yet, by block. */
  readonly #ongoing: Uint16Array;
  readonly #left: Uint16Array;
  /** State of the random numbers (xorshift32). */
  #random = 0x2545f491;

  constructor(
    { policy, threshold, reserve }: SsdCollection,
    { timing, blocks, map, txs, flash }: CollectorParts,
    listener: CollectionListener,
  ) {
    this.#policy = policy;
    this.reserve = reserve;
    this.#threshold = Math.max(1, reserve, Math.floor(threshold * timing.blocks));
    this.#most = reserve - 2;
    this.#timing = timing;
    this.#blocks = blocks;
    this.#map = map;
    this.#txs = txs;
    this.#flash = flash;
    this.#listener = listener;
    this.#ongoing = new Uint16Array(timing.planes);
    this.#left = new Uint16Array(timing.planes * timing.blocks);
  }

  /** Begins to collect a block of a plane that has few free ones left. */
  check(plane: number): void {
    if (this.#blocks.free[plane]! >= this.#threshold || this.#ongoing[plane]! >= this.#most) return;
    const block = this.#victim(plane);
    if (block < 0) return;
    const { pages } = this.#timing;
    this.#blocks.collect(block);
    this.#ongoing[plane]!++;
    this.collections++;
    for (let place = block * pages; place < (block + 1) * pages; place++) {
      if (!this.#map.isCurrent(place)) continue;
      this.#left[block]!++;
      this.#flash.enqueue(this.#txs.make(moveRead, this.#map.pageAt(place), this.#timing.pageBytes, block), place);
    }
    this.eraseIfEmpty(block);
    this.#flash.schedule();
  }

  /** Collects, in no time, until a plane has as many free blocks as it should. */
  checkAtOnce(plane: number): void {
    const { pages } = this.#timing;
    while (this.#blocks.free[plane]! < this.#threshold) {
      const block = this.#victim(plane);
      if (block < 0) return;
      this.#blocks.collect(block);
      for (let place = block * pages; place < (block + 1) * pages; place++) {
        if (!this.#map.isCurrent(place)) continue;
        const page = this.#map.pageAt(place);
        const target = this.#blocks.take(plane, forMoved);
        this.#map.fill(target, page);
        this.#map.move(page, target);
      }
      this.#blocks.release(block);
    }
  }

  /** A page was read: it is written elsewhere, unless it was overwritten meanwhile. */
  readDone(tx: number): void {
    const { place, page, owner } = this.#txs;
    const from = place[tx]!;
    const moving = page[tx]!;
    const block = owner[tx]!;
    this.#txs.free(tx);
    if (this.#map.placeOf(moving) !== from) {
      this.#leave(block);
      return;
    }
    const target = this.#blocks.take(this.#blocks.planeOf(block), forMoved);
    this.#map.fill(target, moving);
    this.#blocks.programs[this.#blocks.blockOf(target)]!++;
    const write = this.#txs.make(moveWrite, moving, this.#timing.pageBytes, block);
    this.#txs.from[write] = from;
    this.#flash.enqueue(write, target);
    this.#flash.schedule();
  }

  /** A page is where it was moved to. */
  writeDone(tx: number): void {
    const { place, page, owner, from } = this.#txs;
    const target = place[tx]!;
    const moving = page[tx]!;
    const block = owner[tx]!;
    const old = from[tx]!;
    this.#txs.free(tx);
    this.moved++;
    this.#blocks.programs[this.#blocks.blockOf(target)]!--;
    if (this.#map.placeOf(moving) === old) {
      this.#map.move(moving, target);
      this.#blocks.invalidate(old);
      this.#listener.pageMoved(moving);
    } else this.#blocks.invalidate(target);
    this.#leave(block);
  }

  eraseDone(tx: number): void {
    const block = this.#txs.page[tx]!;
    this.#txs.free(tx);
    const plane = this.#blocks.planeOf(block);
    this.erased++;
    this.#blocks.release(block);
    this.#ongoing[plane]!--;
    this.#listener.blockFreed(plane);
    if (this.#blocks.free[plane]! < this.reserve) this.check(plane);
  }

  /** Erases a block being collected that nothing is left on, and nobody reads. */
  eraseIfEmpty(block: number): void {
    if (!this.#blocks.isBeingCollected(block) || this.#left[block]! > 0 || this.#blocks.reads[block]! > 0) return;
    this.#flash.enqueue(this.#txs.make(eraseBlock, block, 0, -1), block * this.#timing.pages);
  }

  #leave(block: number): void {
    this.#left[block]!--;
    this.eraseIfEmpty(block);
    this.#flash.schedule();
  }

  /** The block to collect in a plane; -1 when none has a page that is not needed. */
  #victim(plane: number): number {
    if (this.#policy === 'random-greedy') {
      const block = this.#bestOfSome(plane);
      if (block >= 0) return block;
    }
    return this.#blocks.mostInvalid(plane);
  }

  /** Of log2(blocks) candidates drawn at random; -1 when none of them has a page that is not needed. */
  #bestOfSome(plane: number): number {
    const { blocks } = this.#timing;
    const draws = Math.max(1, Math.floor(Math.log2(blocks)));
    let best = -1;
    for (let i = 0, seen = 0; i < 4 * blocks && seen < draws; i++) {
      const block = plane * blocks + (this.#draw() % blocks);
      if (!this.#blocks.isCandidate(block)) continue;
      seen++;
      if (this.#blocks.invalid[block]! > (best < 0 ? 0 : this.#blocks.invalid[best]!)) best = block;
    }
    return best;
  }

  #draw(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random;
  }
}

/** What collection works with. */
export interface CollectorParts {
  readonly timing: FlashTiming;
  readonly blocks: Blocks;
  readonly map: PageMap;
  readonly txs: Transactions;
  readonly flash: Flash;
}
