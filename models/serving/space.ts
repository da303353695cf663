/** Where tensors lie in a device's memory. */
import type { Run } from './memory.ts';

/** Gives out consecutive bytes that begin at multiples of `grain`. */
export class Space {
  readonly #grain: number;
  #end: number;
  readonly #known = new Map<string, Run>();

  constructor(grain: number, start = 0) {
    this.#grain = grain;
    this.#end = start;
  }

  /** The place of what has this name, the same every time while its size does not grow. */
  placeOf(name: string, bytes: number): Run {
    const known = this.#known.get(name);
    if (known && known.width >= bytes) return { base: known.base, width: bytes };
    const place = { base: this.#end, width: bytes };
    this.#end += Math.ceil(bytes / this.#grain) * this.#grain;
    this.#known.set(name, place);
    return place;
  }

  /** Bytes given out. */
  get end(): number {
    return this.#end;
  }
}
