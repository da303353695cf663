/**
 * The requests that a channel's controller holds: a pool of them, a queue of reads and one of writes, and within each a list
 * per bank in order of arrival.
 *
 * Of the requests of one queue to one bank only two can matter: the oldest that hits the open row, and the oldest that
 * does not. Both are kept up to date, so that a scheduler looks at banks, never at requests.
 */

export const none = -1;

/** Index of the two queues. */
export const reads = 0;
export const writes = 1;

export class Request {
  /** `reads` or `writes`. */
  queue = reads;
  bank = 0;
  row = 0;
  column = 0;
  block = 0;
  /** Tick of its arrival, and its place among all arrivals. */
  arrive = 0;
  order = 0;
  /** Whose it is: what the sender gave with it. */
  tag = 0;
  /** Whether it was counted as a hit, miss or conflict: at its first command. */
  isCounted = false;
  /** Its neighbours in its list. */
  previous: Request | null = null;
  next: Request | null = null;
}

/** The requests of one queue to one bank. */
export class BankList {
  head: Request | null = null;
  tail: Request | null = null;
  /** The oldest that hits the open row, and the oldest that does not; with no row open none hits. */
  hit: Request | null = null;
  other: Request | null = null;
}

export class Requests {
  readonly #banks: number;
  /** By queue x banks + bank. */
  readonly #lists: readonly BankList[];
  readonly #free: Request[];
  #freeCount: number;
  #orders = 0;
  /** Requests in each queue. */
  readonly size = new Int32Array(2);

  constructor(banks: number, capacity: number) {
    this.#banks = banks;
    this.#lists = Array.from({ length: 2 * banks }, () => new BankList());
    this.#free = Array.from({ length: capacity }, () => new Request());
    this.#freeCount = capacity;
  }

  /** The list of a queue for a bank. */
  list(queue: number, bank: number): BankList {
    return this.#lists[queue * this.#banks + bank]!;
  }

  /** Appends a request to its queue; `openRow` is the row open in its bank, or `none`. */
  add(
    queue: number,
    bank: number,
    row: number,
    column: number,
    block: number,
    arrive: number,
    openRow: number,
    tag: number,
  ): Request {
    const request = this.#free[--this.#freeCount]!;
    request.queue = queue;
    request.bank = bank;
    request.row = row;
    request.column = column;
    request.block = block;
    request.arrive = arrive;
    request.order = this.#orders++;
    request.tag = tag;
    request.isCounted = false;
    const list = this.list(queue, bank);
    const { tail } = list;
    request.next = null;
    request.previous = tail;
    list.tail = request;
    if (tail === null) list.head = request;
    else tail.next = request;
    if (row === openRow) list.hit ??= request;
    else list.other ??= request;
    this.size[queue]!++;
    return request;
  }

  /** Takes a request out of its queue; it is not used again until `release`. */
  remove(request: Request, openRow: number): void {
    const { queue, next, previous } = request;
    const list = this.list(queue, request.bank);
    if (previous === null) list.head = next;
    else previous.next = next;
    if (next === null) list.tail = previous;
    else next.previous = previous;
    // Whatever stands before the oldest hit misses, and the other way round: the next one stands behind.
    if (list.hit === request) list.hit = nextWhere(next, openRow, true);
    else if (list.other === request) list.other = nextWhere(next, openRow, false);
    this.size[queue]!--;
  }

  /** The oldest request of a list, all of which hit the open row, leaves; a new one of the same row takes its place, as the last. */
  replaceOldest(list: BankList, column: number, block: number, arrive: number, tag: number): void {
    const { head: request, tail } = list;
    if (request === null || tail === null) return;
    const { next } = request;
    if (next !== null) {
      list.head = next;
      next.previous = null;
      tail.next = request;
      request.previous = tail;
      request.next = null;
      list.tail = request;
    }
    list.hit = list.head;
    request.column = column;
    request.block = block;
    request.arrive = arrive;
    request.order = this.#orders++;
    request.tag = tag;
    request.isCounted = false;
  }

  release(request: Request): void {
    this.#free[this.#freeCount++] = request;
  }

  /** A bank's open row changed. */
  opened(bank: number, openRow: number): void {
    for (let queue = reads; queue <= writes; queue++) {
      if (this.size[queue] === 0) continue;
      const list = this.list(queue, bank);
      if (list.head === null) continue;
      list.hit = nextWhere(list.head, openRow, true);
      list.other = nextWhere(list.head, openRow, false);
    }
  }

  closed(bank: number): void {
    for (let queue = reads; queue <= writes; queue++) {
      const list = this.list(queue, bank);
      list.hit = null;
      list.other = list.head;
    }
  }

  /** Whether a write to the block waits. */
  hasWrite(bank: number, block: number): boolean {
    for (let { head: request } = this.list(writes, bank); request !== null; request = request.next) {
      if (request.block === block) return true;
    }
    return false;
  }

  /** Whether a request other than `self` waits in a queue for a row of a bank that is open. */
  wanted(bank: number, self: Request | null): boolean {
    for (let queue = reads; queue <= writes; queue++) {
      const { hit } = this.list(queue, bank);
      if (hit === null) continue;
      if (hit !== self || nextWhere(hit.next, hit.row, true) !== null) return true;
    }
    return false;
  }
}

/** The first request from one on in its list whose row is, or is not, a certain one. */
function nextWhere(from: Request | null, row: number, equal: boolean): Request | null {
  let request = from;
  while (request !== null && (request.row === row) !== equal) request = request.next;
  return request;
}
