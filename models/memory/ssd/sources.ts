/** Requests that an SSD is given, one after the other. */
import { sectorBytes } from '../../../arch/language/ssd/part.ts';
import { RandomNumbers } from './mrg.ts';

/** What `next` found is in the other fields. */
export interface RequestSource {
  offset: number;
  bytes: number;
  write: boolean;
  /** Time before which it is not submitted, ps; 0 where none is told. */
  time: number;
  /** The next request; false when there is no more. */
  next(): boolean;
}

export interface GeneratedRequests {
  readonly pattern: 'random' | 'sequential';
  /** Of each request. */
  readonly bytes: number;
  /** Share of the requests that read. */
  readonly reads: number;
  /** Bytes, from the first on, that they are in. */
  readonly region: number;
  /** Offsets are multiples of so many bytes. */
  readonly align: number;
  readonly seed: number;
}

/**
 * Requests without end. Random ones are spread evenly; sequential ones begin at a random place and begin anew behind the
 * end. Kinds are drawn from the stream of the seed, places from the next, as MQSim draws them.
 */
export class Generator implements RequestSource {
  offset = 0;
  bytes: number;
  write = false;
  readonly time = 0;
  readonly #kinds: RandomNumbers;
  readonly #places: RandomNumbers;
  readonly #isSequential: boolean;
  readonly #reads: number;
  readonly #sectors: number;
  readonly #length: number;
  readonly #align: number;
  #following = 0;

  constructor({ pattern, bytes, reads, region, align, seed }: GeneratedRequests) {
    this.bytes = bytes;
    this.#kinds = new RandomNumbers(seed);
    this.#places = new RandomNumbers(seed + 1);
    this.#isSequential = pattern === 'sequential';
    this.#reads = reads;
    this.#sectors = Math.floor(region / sectorBytes);
    this.#length = bytes / sectorBytes;
    this.#align = align / sectorBytes;
    if (this.#isSequential) this.#following = this.#aligned(this.#draw());
  }

  next(): boolean {
    this.write = this.#kinds.next() > this.#reads;
    let sector = this.#isSequential ? this.#following : this.#draw();
    if (sector + this.#length > this.#sectors) sector = 0;
    sector = this.#aligned(sector);
    this.#following = sector + this.#length;
    this.offset = sector * sectorBytes;
    return true;
  }

  #draw(): number {
    return Math.min(this.#sectors - 1, Math.floor(this.#sectors * this.#places.next()));
  }

  #aligned(sector: number): number {
    return sector - (sector % this.#align);
  }
}

/** Lists of requests as traces have them. */
export interface RequestList {
  readonly length: number;
  readonly offsets: Float64Array;
  readonly bytes: Float64Array;
  /** 1 of a write. */
  readonly writes: Uint8Array;
  /** ps; null where no line has a time. */
  readonly times: Float64Array | null;
}

/** The requests of a list, in its order. */
export class ListedRequests implements RequestSource {
  offset = 0;
  bytes = 0;
  write = false;
  time = 0;
  readonly #list: RequestList;
  #at = 0;

  constructor(list: RequestList) {
    this.#list = list;
  }

  next(): boolean {
    const { length, offsets, bytes, writes, times } = this.#list;
    if (this.#at === length) return false;
    const at = this.#at++;
    this.offset = offsets[at]!;
    this.bytes = bytes[at]!;
    this.write = writes[at] === 1;
    this.time = times === null ? 0 : times[at]!;
    return true;
  }
}
