/** SSDs with data striped over them: RAID-0. */
import type { SsdPart } from '../../../arch/language/ssd/part.ts';
import type { BlockDevice, Done } from './port.ts';
import { Ssd } from './ssd.ts';

/** A request whose pieces are on several devices. */
class Join {
  left = 0;
  submitted = 0;
  done: Done | null = null;
  readonly #free: Join[];

  constructor(free: Join[]) {
    this.#free = free;
  }

  readonly pieceDone: Done = (ps) => {
    if (--this.left > 0) return;
    const { done, submitted } = this;
    this.#free.push(this);
    done?.(ps, submitted);
  };
}

/** Stripe k is on device k mod n, behind the stripes before it there; what a request has on a device is one request. */
export class Raid0 implements BlockDevice {
  readonly capacity: number;
  readonly #devices: readonly BlockDevice[];
  readonly #stripe: number;
  /** Joins that are not in use. */
  readonly #free: Join[] = [];
  #now = 0;

  /** @param devices of equal capacity */
  constructor(devices: readonly BlockDevice[], stripe: number) {
    this.#devices = devices;
    this.#stripe = stripe;
    const inEach = Math.floor(Math.min(...devices.map(({ capacity }) => capacity)) / stripe);
    this.capacity = devices.length * inEach * stripe;
  }

  get now(): number {
    return this.#now;
  }

  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const device of this.#devices) next = Math.min(next, device.next);
    return next;
  }

  submit(ps: number, offset: number, bytes: number, write: boolean, done: Done): void {
    if (!(offset >= 0 && bytes > 0 && offset + bytes <= this.capacity))
      throw new RangeError(`bytes ${offset} to ${offset + bytes} of ${this.capacity}`);
    const count = this.#devices.length;
    const join = this.#free.pop() ?? new Join(this.#free);
    join.done = done;
    join.submitted = ps;
    const first = Math.floor(offset / this.#stripe);
    const last = Math.floor((offset + bytes - 1) / this.#stripe);
    join.left = Math.min(count, last - first + 1);
    for (let stripe = first; stripe < first + join.left; stripe++) {
      const from = this.#onDevice(stripe, stripe === first ? offset % this.#stripe : 0);
      const end = last - ((last - stripe) % count);
      const to = this.#onDevice(end, end === last ? ((offset + bytes - 1) % this.#stripe) + 1 : this.#stripe);
      this.#devices[stripe % count]!.submit(ps, from, to - from, write, join.pieceDone);
    }
  }

  advance(until: number): void {
    for (let next = this.next; next <= until && next < Number.POSITIVE_INFINITY; next = this.next) {
      this.#now = next;
      for (const device of this.#devices) if (device.next <= next) device.advance(next);
    }
  }

  /** Offset on its device of a byte of a stripe. */
  #onDevice(stripe: number, byte: number): number {
    return Math.floor(stripe / this.#devices.length) * this.#stripe + byte;
  }
}

/** The SSDs of a part, and the device that they are together. */
export interface BuiltSsd {
  readonly ssds: readonly Ssd[];
  readonly device: BlockDevice;
}

export function buildSsds(part: SsdPart): BuiltSsd {
  const ssds = Array.from({ length: part.count }, () => new Ssd(part));
  return { ssds, device: ssds.length === 1 ? ssds[0]! : new Raid0(ssds, part.stripe) };
}
