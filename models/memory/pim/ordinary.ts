/** The ordinary accesses of a channel: which goes next, reads first, writes when there are many or nothing else to do. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { commandSet } from '../dram/commands.ts';
import { type Access, AccessQueue } from './accesses.ts';
import type { CommandBus } from './bus.ts';
import type { Refreshing } from './refreshing.ts';
import { closed, PimState } from './state.ts';
import type { PimWork } from './work.ts';

const none = -1;
const never = Number.POSITIVE_INFINITY;

const knownGaps = new WeakMap<DramDevice, readonly number[]>();

/** By command: cycles at least from one to the next of it, whatever the bank. */
function gapsOf(device: DramDevice): readonly number[] {
  const known = knownGaps.get(device);
  if (known) return known;
  const gaps = device.commands.map((_, command) => {
    const state = new PimState(device);
    state.start(command, 0, 0, 1, 0);
    const ready = Array.from({ length: state.banks }, (_, bank) => state.ready(command, bank));
    return Math.floor(Math.min(...ready) / device.ticksPerClock);
  });
  knownGaps.set(device, gaps);
  return gaps;
}

/** Writes begin above `high` columns, above `low` while no read waits, and, with `whenIdle`, when nothing else waits. */
export interface Writes {
  readonly low: number;
  readonly high: number;
  readonly whenIdle: boolean;
}

export class Ordinary {
  /** What goes next: its command, bank and row, and the cycle for that. */
  command = none;
  bank = 0;
  row = 0;
  cycle = never;
  /** Soonest cycles, when it was chosen, of those before it, and of openings, closings and accesses of those behind. */
  #older = never;
  #youngerRow = never;
  #youngerHit = never;
  /** By command: cycles at least from one access to the next in any bank; and when the last one was sent. */
  readonly #gaps: readonly number[];
  #last = -never;
  readonly reads: AccessQueue;
  readonly writes: AccessQueue;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #work: PimWork;
  readonly #refreshing: Refreshing;
  readonly #policy: Writes;
  readonly #hasOneBus: boolean;
  readonly #read: number;
  readonly #write: number;
  readonly #activate: number;
  /** By row buffer: what closes a bank's. */
  readonly #closes: readonly number[];
  #order = 0;
  /** Columns to be written before reads have their turn. */
  #draining = 0;
  #slot = none;
  /** Whether an access of the last choice waits for one of the other kind. */
  #isHeldUp = false;
  /** Whether the last choice stands but for its cycle, and as of which state of the PIM work. */
  #isKnown = false;
  #version = -1;
  /** By bank: the choice in which an older run was for it. */
  readonly #seen: Float64Array;
  #choice = 0;

  constructor(
    device: DramDevice,
    state: PimState,
    bus: CommandBus,
    work: PimWork,
    refreshing: Refreshing,
    policy: Writes,
  ) {
    const { read, write, activate } = commandSet(device);
    this.#state = state;
    this.#bus = bus;
    this.#work = work;
    this.#refreshing = refreshing;
    this.#policy = policy;
    this.#hasOneBus = !device.dualBus;
    this.#gaps = gapsOf(device);
    this.#read = read;
    this.#write = write;
    this.#activate = activate;
    this.#closes = state.targets[read]!.closes.map(({ command }) => command);
    this.#seen = new Float64Array(state.banks);
    this.reads = new AccessQueue(device.bursts, state.banks);
    this.writes = new AccessQueue(device.bursts, state.banks);
  }

  /** The last choice does not stand any more, because of a bank, or of all. */
  forget(bank?: number): void {
    this.#isKnown = false;
    this.reads.moved(bank);
    this.writes.moved(bank);
  }

  /** A command of PIM opened or closed a row, which may be the one that was chosen, or stand in its way. */
  moved(buffer: number, row: number): void {
    if (buffer === 0 || row === this.row || this.#closes.indexOf(this.command) > 0) this.forget();
  }

  push(access: Access): void {
    this.#isKnown = false;
    const queue = access.isWrite ? this.writes : this.reads;
    queue.push(access);
    this.#order = queue.fill(this.#order);
  }

  /** Whether something waits to be sent, not counting writes that are kept for later. */
  get isWaiting(): boolean {
    this.#decide();
    return this.#draining > 0 || this.reads.columns > 0;
  }

  #decide(): void {
    if (this.#draining > 0 || this.writes.columns === 0) return;
    const { low, high, whenIdle } = this.#policy;
    const { columns } = this.writes;
    const hasTime = this.reads.columns === 0 && (columns > low || (whenIdle && this.#work.job === null));
    if (columns >= high || hasTime) this.#draining = columns;
  }

  /** Nothing may go. */
  clear(): void {
    this.#isKnown = false;
    this.#older = never;
    this.#youngerRow = never;
    this.#youngerHit = never;
    this.command = none;
    this.cycle = never;
  }

  /** Finds the run that goes next: of those that may, in their order in each bank, the one whose command can be sent first. */
  choose(): void {
    const { version } = this.#work;
    if (this.#version !== version) this.forget();
    this.#version = version;
    if (this.#isKnown && this.#stands()) return;
    this.clear();
    this.#isKnown = true;
    if (!this.isWaiting) return;
    const isWriting = this.#draining > 0;
    this.#chooseFrom(isWriting);
    // Those may all wait for accesses of the other kind that came before.
    if (this.#isHeldUp && this.command === none) this.#chooseFrom(!isWriting);
  }

  #chooseFrom(isWriting: boolean): void {
    const queue = isWriting ? this.writes : this.reads;
    this.#choice++;
    this.#isHeldUp = false;
    for (let i = 0; i < queue.size; i++) this.#consider(queue, i, isWriting);
  }

  /** Whether what was chosen is still first: all that was sent since has made nothing sooner. */
  #stands(): boolean {
    if (this.command === none) return true;
    const before = this.cycle;
    this.cycle = this.#bus.cycle(this.command, this.#state.ready(this.command, this.bank));
    if (this.cycle === before) return true;
    if (this.cycle >= this.#older) return false;
    // Where it waits for the bus alone, those that came after it would do so too.
    if (this.#hasOneBus && this.cycle === this.#bus.free(this.command)) return true;
    const next = Math.max(this.#youngerHit, this.#last + this.#gaps[this.command]!);
    return this.cycle <= this.#youngerRow && this.cycle <= next;
  }

  /** A cycle before which nothing else of the accesses is sooner than further columns of the run, so many cycles apart. */
  before(period: number): number {
    const hit = period <= this.#gaps[this.command]! ? never : this.#youngerHit;
    return Math.min(this.#older, this.#youngerRow + 1, hit + 1);
  }

  #consider(queue: AccessQueue, slot: number, isWriting: boolean): void {
    const bank = queue.bank[slot]!;
    if (this.#seen[bank] === this.#choice) return;
    this.#seen[bank] = this.#choice;
    const row = queue.row[slot]!;
    const isHit = this.#state.openRow[bank] === row;
    if (queue.soonest[slot]! >= this.cycle) {
      this.#yield(queue.soonest[slot]!, isHit);
      return;
    }
    if (this.#refreshing.holds(bank) || this.#work.reserved === row) return;
    const command = isHit ? (isWriting ? this.#write : this.#read) : this.#opening(bank, row);
    if (isHit ? this.#mustWait(queue, slot, isWriting) : this.#work.holds(bank)) return;
    const cycle = this.#bus.cycle(command, this.#state.ready(command, bank));
    queue.soonest[slot] = cycle;
    if (cycle >= this.cycle) {
      this.#yield(cycle, isHit);
      return;
    }
    this.#older = this.cycle;
    this.#youngerRow = never;
    this.#youngerHit = never;
    this.command = command;
    this.bank = bank;
    this.row = row;
    this.cycle = cycle;
    this.#slot = slot;
  }

  /** One that is not sooner than what is chosen so far. */
  #yield(cycle: number, isHit: boolean): void {
    if (isHit && cycle < this.#youngerHit) this.#youngerHit = cycle;
    if (!isHit && cycle < this.#youngerRow) this.#youngerRow = cycle;
  }

  /** What opens a row, or closes one that is in its way. */
  #opening(bank: number, row: number): number {
    const { openRow, banks } = this.#state;
    for (let buffer = 1; buffer < this.#closes.length; buffer++) {
      if (openRow[buffer * banks + bank] === row) return this.#closes[buffer]!;
    }
    return openRow[bank] === closed ? this.#activate : this.#closes[0]!;
  }

  /** Whether an access of the other kind to the same columns came before. */
  #mustWait(queue: AccessQueue, slot: number, isWriting: boolean): boolean {
    const before = isWriting ? this.reads : this.writes;
    if (before.size === 0) return false;
    const { bank, row, column, left, order } = queue;
    if (!before.overlaps(bank[slot]!, row[slot]!, column[slot]!, left[slot]!, order[slot]!)) return false;
    this.#isHeldUp = true;
    return true;
  }

  /** Columns that may follow what was chosen; 0 where that opens or closes a row. */
  get run(): number {
    if (this.command !== this.#read && this.command !== this.#write) return 0;
    return (this.command === this.#write ? this.writes : this.reads).left[this.#slot]!;
  }

  get column(): number {
    return (this.command === this.#write ? this.writes : this.reads).column[this.#slot]!;
  }

  /** Columns of the chosen run were sent, the last in a cycle; returns its access when that was the last of it. */
  sent(columns: number, cycle: number): Access | null {
    this.#last = cycle;
    const isWrite = this.command === this.#write;
    const queue = isWrite ? this.writes : this.reads;
    if (isWrite) this.#draining = Math.max(0, this.#draining - columns);
    if (isWrite) this.#isKnown = false;
    const isDone = queue.left[this.#slot] === columns;
    const access = queue.sent(this.#slot, columns);
    if (!isDone) return access;
    // A further run is looked at when one has been done.
    this.#isKnown = false;
    this.#order = queue.fill(this.#order);
    return access;
  }
}
