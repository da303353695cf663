/** What will happen, in order of time; of two at one time, the one that was put in first. */
export class EventQueue {
  /** Of the event that `take` gave last, ps. */
  now = 0;
  #size = 0;
  #times = new Float64Array(64);
  #order = new Float64Array(64);
  #codes = new Int32Array(64);
  #sequence = 0;

  get size(): number {
    return this.#size;
  }

  /** Time of the next event; Infinity when there is none. */
  get next(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** An event at a time that has not passed. */
  put(time: number, code: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const order = this.#order;
    const codes = this.#codes;
    // It is the youngest: it stays below parents of its own time.
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      order[at] = order[parent]!;
      codes[at] = codes[parent]!;
      at = parent;
    }
    times[at] = time;
    order[at] = this.#sequence++;
    codes[at] = code;
  }

  /** Takes the next event and gives its code; there must be one. */
  take(): number {
    const times = this.#times;
    const order = this.#order;
    const codes = this.#codes;
    const code = codes[0]!;
    this.now = times[0]!;
    const last = --this.#size;
    const time = times[last]!;
    const turn = order[last]!;
    const lastCode = codes[last]!;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      const right = child + 1;
      if (
        right < last &&
        (times[right]! < times[child]! || (times[right] === times[child] && order[right]! < order[child]!))
      )
        child = right;
      if (times[child]! > time || (times[child] === time && order[child]! > turn)) break;
      times[at] = times[child]!;
      order[at] = order[child]!;
      codes[at] = codes[child]!;
      at = child;
    }
    times[at] = time;
    order[at] = turn;
    codes[at] = lastCode;
    return code;
  }

  #grow(): void {
    const length = 2 * this.#times.length;
    const [times, order, codes] = [this.#times, this.#order, this.#codes];
    this.#times = new Float64Array(length);
    this.#times.set(times);
    this.#order = new Float64Array(length);
    this.#order.set(order);
    this.#codes = new Int32Array(length);
    this.#codes.set(codes);
  }
}
