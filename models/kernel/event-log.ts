/** What was added to a timeline, in order, so that it can be added again. */
import type { Bins } from './bins.ts';

/** Numbers per entry: kind, from, to, amount; for what was repeated -1 and its position among the repeats. */
const fields = 4;
const repeated = -1;

/** Entries from `begin` to `end`, added `times` more, each time `stride` later. */
interface Repeat {
  readonly begin: number;
  readonly end: number;
  readonly stride: number;
  readonly times: number;
  /** Of the entries: the time that they lie in, and their amounts by kind. */
  readonly from: number;
  readonly to: number;
  readonly amounts: Float64Array;
}

export class EventLog {
  readonly #kinds: number;
  #entries = new Float64Array(fields * 256);
  readonly #repeats: Repeat[] = [];
  /** Entries. */
  length = 0;
  /** Entries before this one stay as they are. */
  #sealed = 0;

  constructor(kinds: number) {
    this.#kinds = kinds;
  }

  add(kind: number, from: number, to: number, amount: number): void {
    const entries = this.#entries;
    const last = (this.length - 1) * fields;
    // One after the other at one unit per unit of time is the same as both at once.
    if (
      this.length > this.#sealed &&
      amount === to - from &&
      entries[last] === kind &&
      entries[last + 2] === from &&
      entries[last + 3] === from - entries[last + 1]!
    ) {
      entries[last + 2] = to;
      entries[last + 3]! += amount;
      return;
    }
    this.#push(kind, from, to, amount);
  }

  /** Where the next entry goes. */
  mark(): number {
    this.#sealed = this.length;
    return this.length;
  }

  /** Adds the entries since a mark to `bins` again, `times` times, each time `stride` later, and remembers that. */
  repeat(bins: Bins, mark: number, stride: number, times: number): void {
    if (mark === this.length) return;
    const repeat = this.#gather(mark, stride, times);
    bins.cover(repeat.to + stride * times);
    this.#add(bins, repeat, 0);
    this.#push(repeated, this.#repeats.push(repeat) - 1, 0, 0);
    this.#sealed = this.length;
  }

  #push(kind: number, from: number, to: number, amount: number): void {
    if (this.length * fields === this.#entries.length) {
      const entries = new Float64Array(2 * this.#entries.length);
      entries.set(this.#entries);
      this.#entries = entries;
    }
    const at = this.length++ * fields;
    this.#entries[at] = kind;
    this.#entries[at + 1] = from;
    this.#entries[at + 2] = to;
    this.#entries[at + 3] = amount;
  }

  #gather(begin: number, stride: number, times: number): Repeat {
    const entries = this.#entries;
    const amounts = new Float64Array(this.#kinds);
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let at = begin * fields; at < this.length * fields; at += fields) {
      const kind = entries[at]!;
      if (kind === repeated) {
        const inner = this.#repeats[entries[at + 1]!]!;
        from = Math.min(from, inner.from + inner.stride);
        to = Math.max(to, inner.to + inner.stride * inner.times);
        for (let k = 0; k < this.#kinds; k++) amounts[k]! += inner.times * inner.amounts[k]!;
      } else {
        from = Math.min(from, entries[at + 1]!);
        to = Math.max(to, entries[at + 2]!);
        amounts[kind]! += entries[at + 3]!;
      }
    }
    return { begin, end: this.length, stride, times, from, to, amounts };
  }

  /** Adds the copies, all of them `later`: those that lie in one bin together, the others entry by entry. */
  #add(bins: Bins, repeat: Repeat, later: number): void {
    const { stride, times, from, to, amounts } = repeat;
    for (let copy = 1; copy <= times; ) {
      const begin = from + later + copy * stride;
      const binEnd = (Math.floor(begin / bins.width) + 1) * bins.width;
      const fitting = Math.min(times, Math.floor((binEnd - to - later) / stride)) - copy + 1;
      if (fitting > 0) {
        for (let kind = 0; kind < this.#kinds; kind++) bins.put(kind, begin, fitting * amounts[kind]!);
        copy += fitting;
      } else {
        this.#addEntries(bins, repeat, later + copy * stride);
        copy++;
      }
    }
  }

  #addEntries(bins: Bins, { begin, end }: Repeat, later: number): void {
    const entries = this.#entries;
    for (let at = begin * fields; at < end * fields; at += fields) {
      const kind = entries[at]!;
      if (kind === repeated) this.#add(bins, this.#repeats[entries[at + 1]!]!, later);
      else bins.spread(kind, entries[at + 1]! + later, entries[at + 2]! + later, entries[at + 3]!);
    }
  }
}
