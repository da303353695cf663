/** Something that does one thing after another: an array, a vector unit, a link to other devices. */
import { Account, busy } from '../compute/account.ts';
import type { Clock } from '../kernel/clock.ts';

export class Unit {
  readonly name: string;
  readonly kind: 'array' | 'vector' | 'link';
  readonly clock: Clock;
  readonly account = new Account();
  /** Cycle from which on it is free. */
  #free = 0;

  constructor(name: string, kind: Unit['kind'], clock: Clock) {
    this.name = name;
    this.kind = kind;
    this.clock = clock;
  }

  /**
   * Does something of whole cycles as soon as it is free, at `ps` at the earliest; what was waited for until then since the
   * cycle `since` goes to an activity. Returns the picosecond at which it has ended. Times must not go back.
   */
  occupy(ps: number, cycles: number, waited: number | null = null, since = 0): number {
    const from = Math.max(this.#free, this.clock.cycleAtOrAfter(ps));
    if (waited !== null) this.account.add(waited, Math.max(this.#free, since), from);
    this.#free = from + cycles;
    this.account.add(busy, from, this.#free);
    return this.clock.edge(this.#free);
  }
}
