/**
 * Tiles of PIM work: what is prepared, computed and read again and again. What one sends and when depends on nothing but
 * its shape and how the channel stands when it begins, as long as no access is to be sent and no refresh falls due. So it
 * is found out once, and after that done in one step.
 */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { CommandBus } from './bus.ts';
import { type ChannelWatcher, forJob } from './listener.ts';
import type { Tile } from './prepared.ts';
import type { PimState } from './state.ts';
import type { PimWork } from './work.ts';

/** Tiles that are kept of a device: more than come up in the layers of a model, a few kilobytes each. */
const mostKept = 2048;

/** A tile up to its last command, which is not part of it. Cycles and ticks are counted from when it begins. */
export class KnownTile {
  /** How the channel stands when it begins. */
  readonly #standing: Int32Array;
  /** The cycle of its last command. */
  last = 0;
  /** A refresh has to fall due in a later cycle than this, or the work would not begin. */
  due = 0;
  /** What came right after it, by shape. */
  readonly next = new Map<number, KnownTile>();
  #row = 0;
  #column = 0;
  /** The cycle of the command before the last. */
  beforeLast = 0;
  /** Where commands are held up that may not start yet, and until when. */
  #places = new Int32Array(0);
  #ticks = new Int32Array(0);
  /** Commands sent, and columns that they multiplied beyond one each, by index. */
  readonly #sent: Float64Array;
  readonly #further: Float64Array;
  /** Those of which any are sent. */
  #commands = new Int32Array(0);
  /** What watchers are told, five numbers each. */
  readonly #told: number[] = [];
  /** Commands of rows that look back further: which, where, when. */
  readonly #windowed: number[] = [];
  /** Where it begins, while it is found out. */
  readonly #first: number;
  readonly #from: number;

  constructor(standing: Int32Array, state: PimState, bus: CommandBus) {
    this.#standing = standing;
    this.#first = bus.first;
    this.#from = bus.tick(bus.first);
    this.#sent = state.sent.map((count) => -count);
    this.#further = state.further.map((count) => -count);
  }

  /** The same of a channel in which it comes right after what it came after; only that may be other when it was pushed. */
  follows(bus: CommandBus): boolean {
    return this.#standing[1] === bus.row - bus.first && this.#standing[2] === bus.column - bus.first;
  }

  begins(standing: Int32Array): boolean {
    const own = this.#standing;
    for (let i = 0; i < own.length; i++) if (own[i] !== standing[i]) return false;
    return true;
  }

  /** So many commands are sent, evenly apart, the first and the last in these cycles. */
  add(command: number, bank: number, count: number, first: number, last: number): void {
    this.#told.push(command, bank, count, first - this.#first, last - this.#first);
  }

  /** A command starts at a tick that a row keeps which looks back further. */
  addWindowed(command: number, bank: number, tick: number): void {
    this.#windowed.push(command, bank, tick - this.#from);
  }

  /** Work is begun if it ends before the next refresh, which has to fall due after a cycle. */
  needs(due: number): void {
    this.due = Math.max(this.due, due - this.#first);
  }

  /** All but the last command has been sent, which will be in a cycle. */
  end(state: PimState, bus: CommandBus, now: number, last: number): void {
    const { earliest } = state;
    const from = this.#from;
    const places = earliest.flatMap((tick, place) => (tick > from ? [place] : []));
    this.#places = Int32Array.from(places);
    this.#ticks = Int32Array.from(places, (place) => earliest[place]! - from);
    this.#row = bus.row - this.#first;
    this.#column = bus.column - this.#first;
    this.beforeLast = now - this.#first;
    this.last = last - this.#first;
    for (let i = 0; i < this.#sent.length; i++) {
      this.#sent[i]! += state.sent[i]!;
      this.#further[i]! += state.further[i]!;
    }
    this.#commands = Int32Array.from(this.#sent.keys()).filter((command) => this.#sent[command]! > 0);
  }

  /** Does it in a channel that stands as it has to; returns the cycle of the last command that was sent. */
  apply(state: PimState, bus: CommandBus, watcher: ChannelWatcher | null): number {
    const { first } = bus;
    const { earliest } = state;
    const from = bus.tick(first);
    const places = this.#places;
    const ticks = this.#ticks;
    for (let i = 0; i < places.length; i++) earliest[places[i]!] = from + ticks[i]!;
    const windowed = this.#windowed;
    for (let i = 0; i < windowed.length; i += 3) state.note(windowed[i]!, windowed[i + 1]!, from + windowed[i + 2]!);
    const commands = this.#commands;
    for (let i = 0; i < commands.length; i++) {
      const command = commands[i]!;
      state.sent[command]! += this.#sent[command]!;
      state.further[command]! += this.#further[command]!;
    }
    bus.set(first + this.#row, first + this.#column);
    if (watcher !== null) this.#tell(watcher, first);
    return first + this.beforeLast;
  }

  #tell(watcher: ChannelWatcher, first: number): void {
    const told = this.#told;
    for (let i = 0; i < told.length; i += 5) {
      watcher(forJob, told[i]!, told[i + 1]!, told[i + 2]!, first + told[i + 3]!, first + told[i + 4]!);
    }
  }
}

/** The tiles that are known of a device. */
export class Tiles {
  readonly #known = new Map<number, KnownTile[]>();
  #count = 0;
  /** How a channel stands: the tile's shape, when the buses are free, which banks have rows open, when commands may start. */
  #standing = new Int32Array(0);
  #hash = 0;

  /** What a channel does that has a tile in hand; null where that is not known. */
  find({ shape }: Tile, state: PimState, bus: CommandBus, work: PimWork): KnownTile | null {
    if (this.#standing.length === 0) this.#standing = new Int32Array(3 + state.banks + state.waits);
    const standing = this.#standing;
    standing[0] = shape;
    standing[1] = bus.row - bus.first;
    standing[2] = bus.column - bus.first;
    work.readOpen(standing, 3);
    state.readWaits(bus.tick(bus.first), standing, 3 + state.banks);
    let hash = 0;
    for (let i = 0; i < standing.length; i++) hash = (Math.imul(hash, 31) + standing[i]!) | 0;
    this.#hash = hash;
    const same = this.#known.get(hash);
    if (same === undefined) return null;
    for (const tile of same) if (tile.begins(standing)) return tile;
    return null;
  }

  /** Begins to find out what was not found; null where enough is known. */
  begin(state: PimState, bus: CommandBus): KnownTile | null {
    return this.#count < mostKept ? new KnownTile(this.#standing.slice(), state, bus) : null;
  }

  /** It has been found out. */
  keep(tile: KnownTile, hash: number): void {
    this.#count++;
    const same = this.#known.get(hash);
    if (same) same.push(tile);
    else this.#known.set(hash, [tile]);
  }

  /** That of what `find` looked for. */
  get hash(): number {
    return this.#hash;
  }
}

const known = new WeakMap<DramDevice, Tiles>();

/** One table for all channels of a device. */
export function tilesOf(device: DramDevice): Tiles {
  const tiles = known.get(device) ?? new Tiles();
  known.set(device, tiles);
  return tiles;
}
