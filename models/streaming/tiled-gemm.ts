/**
 * A product on compute units that share a cache: tiles of the result, one on each unit, wave after wave. A unit streams a block of
 * rows of the first operand and one of columns of the second through; blocks that several units of a wave need are fetched
 * once, and again in a later wave unless they are in the cache, which keeps what was used last.
 */

export interface GemmShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly bytesPerElement: number;
}

export interface TiledMachine {
  readonly units: number;
  /** Multiply-adds of a unit in a second. */
  readonly macsPerSecond: number;
  readonly cacheBytes: number;
}

export interface Wave {
  /** Numbers of the tiles, row by row of the result. */
  readonly tiles: readonly number[];
  /** Bytes that are not in the cache. */
  readonly reads: number;
  /** Picoseconds that units work. */
  readonly time: number;
  /** Steps along the inner dimension, each of which is read while the one before is worked on. */
  readonly slices: number;
}

/** Rows and columns of a tile; assumed. */
export const tileSize = 128;
/** Inner elements of a slice; assumed. */
const sliceSize = 64;

export function tilesOf({ m, n }: GemmShape): { readonly rows: number; readonly columns: number } {
  return { rows: Math.ceil(m / tileSize), columns: Math.ceil(n / tileSize) };
}

/** Bytes of a tile of the result; those at its edges are smaller. */
export function tileBytes({ m, n, bytesPerElement }: GemmShape, tile: number): number {
  const columns = Math.ceil(n / tileSize);
  const [row, column] = [Math.floor(tile / columns), tile % columns];
  return extent(m, row) * extent(n, column) * bytesPerElement;
}

const extent = (size: number, index: number): number => Math.min(tileSize, size - index * tileSize);

/** `cachesResults`: results take room in the cache on their way to memory. */
export function wavesOf(shape: GemmShape, machine: TiledMachine, cachesResults: boolean): Wave[] {
  const { rows, columns } = tilesOf(shape);
  const cache = new Cache(machine.cacheBytes);
  const time = Math.ceil((tileSize * tileSize * shape.k * 1e12) / machine.macsPerSecond);
  const block = shape.k * shape.bytesPerElement;
  const waves: Wave[] = [];
  for (let first = 0; first < rows * columns; first += machine.units) {
    const count = Math.min(machine.units, rows * columns - first);
    const tiles = Array.from({ length: count }, (_, i) => first + i);
    let reads = 0;
    for (const row of new Set(tiles.map((tile) => Math.floor(tile / columns))))
      reads += cache.miss(`a${row}`, extent(shape.m, row) * block);
    for (const column of new Set(tiles.map((tile) => tile % columns)))
      reads += cache.miss(`b${column}`, extent(shape.n, column) * block);
    if (cachesResults) for (const tile of tiles) cache.miss(`c${tile}`, tileBytes(shape, tile));
    waves.push({ tiles, reads, time, slices: Math.ceil(shape.k / sliceSize) });
  }
  return waves;
}

/** Keeps what was used last. */
class Cache {
  readonly #capacity: number;
  readonly #bytes = new Map<string, number>();
  #used = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Bytes that have to be fetched: all or none. */
  miss(name: string, bytes: number): number {
    const isHit = this.#bytes.delete(name);
    this.#bytes.set(name, bytes);
    if (isHit) return 0;
    this.#used += bytes;
    for (const [oldest, freed] of this.#bytes) {
      if (this.#used <= this.#capacity) break;
      this.#bytes.delete(oldest);
      this.#used -= freed;
    }
    return bytes;
  }
}
