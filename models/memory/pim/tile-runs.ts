/** The tiles of one channel: those that are known are done in one step, others are looked at while they are done. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { CommandBus } from './bus.ts';
import type { ChannelWatcher } from './listener.ts';
import type { Ordinary } from './ordinary.ts';
import type { Refreshing } from './refreshing.ts';
import type { PimState } from './state.ts';
import { type KnownTile, type Tiles, tilesOf } from './tiles.ts';
import type { PimWork } from './work.ts';

export class TileRuns {
  /** The one in hand, which ends after the last cycle that was executed: nothing of it has been done yet. */
  waiting: KnownTile | null = null;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #work: PimWork;
  readonly #refreshing: Refreshing;
  readonly #ordinary: Ordinary;
  readonly #watcher: ChannelWatcher | null;
  readonly #tiles: Tiles;
  /** The one that is looked at, the one right before it, its shape, where it is to be kept, and commands that are left. */
  #seen: KnownTile | null = null;
  #before: KnownTile | null = null;
  #shape = 0;
  #hash = 0;
  #left = 0;
  /** The last one, and commands sent since its last but one. */
  #previous: KnownTile | null = null;
  #since = 0;

  constructor(
    device: DramDevice,
    state: PimState,
    bus: CommandBus,
    work: PimWork,
    refreshing: Refreshing,
    ordinary: Ordinary,
    watcher: ChannelWatcher | null,
  ) {
    this.#state = state;
    this.#bus = bus;
    this.#work = work;
    this.#refreshing = refreshing;
    this.#ordinary = ordinary;
    this.#watcher = watcher;
    this.#tiles = tilesOf(device);
  }

  /** The tile in hand, if it can be done in one step. */
  find(): KnownTile | null {
    if (this.waiting !== null) return this.waiting;
    const { tile } = this.#work;
    if (tile === null || this.#refreshing.isWaiting || this.#ordinary.isWaiting) return null;
    if (tile.lasts > 1 && this.#state.tables.repeats[tile.last]) return null;
    if (!this.#work.isTileClosed) return null;
    const previous = this.#since === 1 ? this.#previous : null;
    this.#before = previous;
    const following = previous?.next.get(tile.shape);
    const known = following?.follows(this.#bus)
      ? following
      : this.#tiles.find(tile, this.#state, this.#bus, this.#work);
    if (known === null) {
      this.#seen = this.#tiles.begin(this.#state, this.#bus);
      this.#shape = tile.shape;
      this.#hash = this.#tiles.hash;
      this.#left = tile.commands;
      return null;
    }
    previous?.next.set(tile.shape, known);
    const end = this.#bus.first + Math.max(known.due, known.beforeLast);
    return end < this.#refreshing.due ? known : null;
  }

  /** Does it, but for its last command; returns the cycle of the one before. */
  apply(known: KnownTile): number {
    const now = known.apply(this.#state, this.#bus, this.#watcher);
    this.#work.skipTile();
    this.#ordinary.forget();
    this.waiting = null;
    this.#follow(known);
    return now;
  }

  #follow(known: KnownTile): void {
    this.#previous = known;
    this.#since = 0;
  }

  /** Something else happens: what is looked at is no tile on its own, and what comes does not follow from one. */
  disturb(): void {
    this.#seen = null;
    this.pushed();
  }

  /** A job was pushed: what comes may begin later than it would right after the last tile. */
  pushed(): void {
    this.#previous = null;
  }

  /** Work is begun in a cycle if the refresh falls due after another one. */
  needs(due: number): void {
    this.#seen?.needs(due);
  }

  /** A command starts, so many ticks after cycle 0. */
  starts(command: number, bank: number, tick: number): void {
    this.#since++;
    if (this.#seen !== null && this.#state.tables.isWindowed[command]) this.#seen.addWindowed(command, bank, tick);
  }

  /** Commands of the work are sent; of those, so many are of the program itself. */
  sends(command: number, bank: number, count: number, first: number, last: number, own: number): void {
    this.#seen?.add(command, bank, count, first, last);
    this.#left -= own;
  }

  /** A command of the program is sent next: whether that is the last of what is looked at. */
  sendsOwn(now: number): void {
    const seen = this.#seen;
    if (seen === null || this.#left !== 1) return;
    this.#seen = null;
    // It is what opens the row in all banks.
    if (!this.#work.isOpenInAll) return;
    seen.end(this.#state, this.#bus, now, this.#work.cycle);
    this.#tiles.keep(seen, this.#hash);
    this.#before?.next.set(this.#shape, seen);
    this.#follow(seen);
  }
}
