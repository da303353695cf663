/** Blocks of every plane: which are free, which is being filled, how many pages of each are still needed. */
import type { FlashTiming } from './timing.ts';

/** What pages of a block are for: each kind fills a block of its own in every plane. */
export const forData = 0;
export const forTable = 1;
export const forMoved = 2;
const streams = 3;

const isFree = 0;
const isOpen = 1;
const isFull = 2;
const isCollected = 3;

export class Blocks {
  /** Free blocks, by plane. */
  readonly free: Int32Array;
  /** Of every block: pages that are not needed any more, reads and programs under way, and times it was erased. */
  readonly invalid: Uint16Array;
  readonly reads: Uint16Array;
  readonly programs: Uint16Array;
  readonly erases: Uint32Array;
  readonly #timing: FlashTiming;
  readonly #state: Uint8Array;
  /** Block that is being filled, and its next page, by plane and stream. */
  readonly #open: Int32Array;
  readonly #next: Uint16Array;

  constructor(timing: FlashTiming) {
    const { planes, blocks } = timing;
    this.#timing = timing;
    this.free = new Int32Array(planes).fill(blocks);
    this.invalid = new Uint16Array(planes * blocks);
    this.reads = new Uint16Array(planes * blocks);
    this.programs = new Uint16Array(planes * blocks);
    this.erases = new Uint32Array(planes * blocks);
    this.#state = new Uint8Array(planes * blocks);
    this.#open = new Int32Array(planes * streams);
    this.#next = new Uint16Array(planes * streams);
    for (let at = 0; at < planes * streams; at++) this.#open[at] = this.#takeBlock(Math.floor(at / streams));
  }

  /** The next page of a stream in a plane. */
  take(plane: number, stream: number): number {
    const { pages } = this.#timing;
    const at = plane * streams + stream;
    const block = this.#open[at]!;
    const page = this.#next[at]!++;
    if (page + 1 === pages) {
      this.#state[block] = isFull;
      this.#open[at] = this.#takeBlock(plane);
      this.#next[at] = 0;
    }
    return block * pages + page;
  }

  /** Whether the page that `take` gave last for a stream was the last one of its block. */
  hasFilled(plane: number, stream: number): boolean {
    return this.#next[plane * streams + stream] === 0;
  }

  /** Block of a page. */
  blockOf(place: number): number {
    return Math.floor(place / this.#timing.pages);
  }

  planeOf(block: number): number {
    return Math.floor(block / this.#timing.blocks);
  }

  /** What is on a page is not needed any more. */
  invalidate(place: number): void {
    this.invalid[this.blockOf(place)]!++;
  }

  /** Whether a block may be collected: it is full, no page of it is being programmed, and it is not collected yet. */
  isCandidate(block: number): boolean {
    return this.#state[block] === isFull && this.programs[block] === 0;
  }

  /** The candidate of a plane with the most pages that are not needed; -1 when there is none with any. */
  mostInvalid(plane: number): number {
    const { blocks } = this.#timing;
    let best = -1;
    for (let block = plane * blocks; block < (plane + 1) * blocks; block++) {
      if (this.isCandidate(block) && this.invalid[block]! > (best < 0 ? 0 : this.invalid[best]!)) best = block;
    }
    return best;
  }

  collect(block: number): void {
    this.#state[block] = isCollected;
  }

  isBeingCollected(block: number): boolean {
    return this.#state[block] === isCollected;
  }

  /** The block was erased. */
  release(block: number): void {
    this.#state[block] = isFree;
    this.invalid[block] = 0;
    this.erases[block]!++;
    this.free[this.planeOf(block)]!++;
  }

  /** A free block of those erased least often, the first of them. @throws Error when the plane is full */
  #takeBlock(plane: number): number {
    const { blocks } = this.#timing;
    const state = this.#state;
    const { erases } = this;
    let best = -1;
    for (let block = plane * blocks; block < (plane + 1) * blocks; block++) {
      if (state[block] !== isFree || (best >= 0 && erases[block]! >= erases[best]!)) continue;
      best = block;
      if (erases[block] === 0) break;
    }
    if (best < 0) throw new Error(`no block of plane ${plane} is free`);
    this.#state[best] = isOpen;
    this.free[plane]!--;
    return best;
  }
}
