/** Bits of an index that count within a leaf. */
const leafBits = 3;
const leafSize = 1 << leafBits;
/** Leaves of a chunk: chunks are what memory grows by. */
const chunkBits = 15;

/**
 * Numbers by page, 0 for pages that nothing was said of. Memory grows with the leaves of 8 pages that were touched, not
 * with the SSD: 4 bytes for each 8 pages of it, and 32 for each leaf.
 */
export class PageTable {
  /** Leaf of every 8 pages, from 1. */
  readonly #leaves: Uint32Array;
  readonly #chunks: Uint32Array[] = [];
  #used = 0;

  constructor(pages: number) {
    this.#leaves = new Uint32Array(Math.ceil(pages / leafSize));
  }

  get(page: number): number {
    const leaf = this.#leaves[Math.floor(page / leafSize)]!;
    if (leaf === 0) return 0;
    const at = leaf - 1;
    return this.#chunks[at >>> chunkBits]![((at & ((1 << chunkBits) - 1)) << leafBits) | (page % leafSize)]!;
  }

  /** @param value below 2^32 */
  set(page: number, value: number): void {
    const place = Math.floor(page / leafSize);
    let leaf = this.#leaves[place]!;
    if (leaf === 0) {
      leaf = ++this.#used;
      this.#leaves[place] = leaf;
      if ((leaf - 1) >>> chunkBits === this.#chunks.length) this.#chunks.push(new Uint32Array(leafSize << chunkBits));
    }
    const at = leaf - 1;
    this.#chunks[at >>> chunkBits]![((at & ((1 << chunkBits) - 1)) << leafBits) | (page % leafSize)] = value;
  }
}
