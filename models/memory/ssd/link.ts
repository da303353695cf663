/** One direction of PCIe: packets in the order in which they were sent. */
import type { SsdLink } from '../../../arch/language/ssd/part.ts';

/** Bytes behind the header of a packet that asks for data. */
const requestBytes = 4;

export class LinkDirection {
  /** ps in which packets went over it. */
  busy = 0;
  readonly #lanes: number;
  /** ps for a byte of a lane. */
  readonly #byte: number;
  readonly #payload: number;
  readonly #overhead: number;
  #free = 0;

  constructor({ lanes, lane, payload, overhead }: SsdLink) {
    this.#lanes = lanes;
    this.#byte = 1e12 / lane;
    this.#payload = payload;
    this.#overhead = overhead;
  }

  /** Sends data; gives the time at which all of them are there. */
  send(now: number, bytes: number): number {
    const whole = Math.floor(bytes / this.#payload);
    const rest = bytes - whole * this.#payload;
    const last = rest === 0 ? 0 : rest + this.#overhead;
    return this.#take(now, whole * (this.#payload + this.#overhead) + last);
  }

  /** Asks for data; gives the time at which the request is there. */
  ask(now: number): number {
    return this.#take(now, this.#overhead + requestBytes);
  }

  #take(now: number, bytes: number): number {
    // Bytes lie side by side on the lanes: the last ones take as long as full ones.
    const time = Math.round(Math.ceil(bytes / this.#lanes) * this.#byte);
    this.#free = (now > this.#free ? now : this.#free) + time;
    this.busy += time;
    return this.#free;
  }
}
