/** Bits of a page's number that count within a leaf. */
const leafBits = 3;
const leafMask = (1 << leafBits) - 1;
/** Leaves of a chunk: chunks are what memory grows by. */
const chunkBits = 14;
const chunkMask = (1 << chunkBits) - 1;

/**
 * A number, or several (`words`), for every page, 0 for pages that nothing was said of. Memory grows with the leaves of
 * 8 pages that were touched, not with the SSD: 4 bytes for every 8 pages of it, and 32 bytes a word for each leaf.
 */
export class PageTable {
  /** Leaf of every 8 pages, from 1. */
  readonly #leaves: Uint32Array;
  readonly #chunks: Uint32Array[] = [];
  readonly #words: number;
  #used = 0;

  constructor(pages: number, words = 1) {
    this.#leaves = new Uint32Array(Math.ceil(pages / (1 << leafBits)));
    this.#words = words;
  }

  get(page: number, word = 0): number {
    const leaf = this.#leaves[page >>> leafBits]!;
    if (leaf === 0) return 0;
    const at = leaf - 1;
    const slot = ((at & chunkMask) << leafBits) | (page & leafMask);
    return this.#chunks[at >>> chunkBits]![slot * this.#words + word]!;
  }

  /** @param value below 2^32 */
  set(page: number, value: number, word = 0): void {
    let leaf = this.#leaves[page >>> leafBits]!;
    if (leaf === 0) {
      leaf = ++this.#used;
      this.#leaves[page >>> leafBits] = leaf;
      const length = this.#words << (leafBits + chunkBits);
      if ((leaf - 1) >>> chunkBits === this.#chunks.length) this.#chunks.push(new Uint32Array(length));
    }
    const at = leaf - 1;
    const slot = ((at & chunkMask) << leafBits) | (page & leafMask);
    this.#chunks[at >>> chunkBits]![slot * this.#words + word] = value;
  }
}
