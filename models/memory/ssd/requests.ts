/** Requests under way: numbers in arrays, reused once they are done. */
import type { Done } from './port.ts';
import { copy } from './transactions.ts';

const none = -1;

export class Requests {
  /** What comes next in the queue that it is in; -1 at the end. */
  next = new Int32Array(64);
  submitted = new Float64Array(64);
  offset = new Float64Array(64);
  bytes = new Float64Array(64);
  /** 1 of a write. */
  write = new Uint8Array(64);
  /** Parts that are not done: pages, accesses of the cache, and 1 while not all pages of a write are taken. */
  left = new Int32Array(64);
  /** Pages of a write that the cache has not taken, a list of transactions. */
  pages = new Int32Array(64);
  /** Those for which the submission queue, the controller, the cache have no room. */
  readonly unqueued = new Queue(this);
  readonly unfetched = new Queue(this);
  readonly unwritten = new Queue(this);
  readonly #done: Done[] = [];
  #free = none;
  #used = 0;

  make(ps: number, offset: number, bytes: number, write: boolean, done: Done): number {
    let request = this.#free;
    if (request !== none) this.#free = this.next[request]!;
    else {
      if (this.#used === this.next.length) this.#grow();
      request = this.#used++;
    }
    this.next[request] = none;
    this.submitted[request] = ps;
    this.offset[request] = offset;
    this.bytes[request] = bytes;
    this.write[request] = write ? 1 : 0;
    this.left[request] = 0;
    this.pages[request] = none;
    this.#done[request] = done;
    return request;
  }

  /** Whom to tell of a request that is done; it is gone. */
  take(request: number): Done {
    this.next[request] = this.#free;
    this.#free = request;
    return this.#done[request]!;
  }

  #grow(): void {
    const length = 2 * this.next.length;
    this.next = copy(this.next, new Int32Array(length));
    this.submitted = copy(this.submitted, new Float64Array(length));
    this.offset = copy(this.offset, new Float64Array(length));
    this.bytes = copy(this.bytes, new Float64Array(length));
    this.write = copy(this.write, new Uint8Array(length));
    this.left = copy(this.left, new Int32Array(length));
    this.pages = copy(this.pages, new Int32Array(length));
  }
}

/** Requests in the order in which they came; one is in no more than one queue. */
class Queue {
  head = none;
  #tail = none;
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  push(request: number): void {
    this.#requests.next[request] = none;
    if (this.head === none) this.head = request;
    else this.#requests.next[this.#tail] = request;
    this.#tail = request;
  }

  /** Takes the first one; there must be one. */
  shift(): number {
    const first = this.head;
    this.head = this.#requests.next[first]!;
    return first;
  }
}
