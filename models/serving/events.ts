/** What is to happen at which time, in the order of time; at one time in the order in which it was asked for. */
export class Events {
  readonly #heap: Event[] = [];
  #asked = 0;

  /** The time of the next one; infinite when there is none. */
  get first(): number {
    return this.#heap[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  at(time: number, action: () => void): void {
    const heap = this.#heap;
    const event = { time, order: this.#asked++, action };
    let place = heap.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (isBefore(heap[above]!, event)) break;
      heap[place] = heap[above]!;
      place = above;
    }
    heap[place] = event;
  }

  /** Takes the next one out and lets it happen. */
  step(): void {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) return;
    if (heap.length > 0) this.#sink(last);
    first.action();
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let place = 0;
    for (let below = 1; below < heap.length; below = 2 * place + 1) {
      const right = below + 1;
      if (right < heap.length && isBefore(heap[right]!, heap[below]!)) below = right;
      if (isBefore(event, heap[below]!)) break;
      heap[place] = heap[below]!;
      place = below;
    }
    heap[place] = event;
  }
}

interface Event {
  readonly time: number;
  readonly order: number;
  readonly action: () => void;
}

function isBefore(one: Event, other: Event): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}
