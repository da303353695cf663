/**
 * One channel of a memory that computes. In a cycle: refreshes fall due; then, while one waits, the command that it needs,
 * else the command that the PIM queue chooses, else that of the request queue; and beside it, where row and column commands
 * have a bus each, one more for the other bus.
 */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { Refresh } from '../dram/policy.ts';
import { type RefreshManager, refreshManager } from '../dram/refresh.ts';
import { type Bus, HitsFirst } from './hits-first.ts';
import { type Addressed, PimQueue } from './queue.ts';
import { PimRows } from './rows.ts';
import { type Scope, scopesOf, sentFor } from './scope.ts';
import { ChannelWatch, ordinary, pim, refresh as refreshes } from './watch.ts';

/** `blocked`: requests wait while PIM commands do, which begin when no request waits. `concurrent`: they go between them. */
export type PimMode = 'blocked' | 'concurrent';

/**
 * `oldest`: the oldest command for which anything can be sent, opening and closing rows for it. `in-order`: PIM commands one
 * after the other, whatever else could be sent; requests as with `oldest`. `hits-first`: accesses to open rows before openings,
 * and those before the closing of rows that no command in the queue is for.
 */
export type PimScheduler = 'oldest' | 'in-order' | 'hits-first';

/** Told of every command, with the address that it was sent for. */
export type PimLog = (tick: number, command: number, address: Addressed) => void;

export interface PimOptions {
  /** PIM commands that wait in a channel, and requests. */
  readonly queue?: number;
  readonly requests?: number;
  readonly mode?: PimMode;
  readonly scheduler?: PimScheduler;
  readonly refresh?: Refresh;
  /**
   * Where hits come first: a refresh that is due holds up no opening of rows, and one that still waits when the next falls
   * due is left out, as in DRAMSim2.
   */
  readonly postpones?: boolean;
  readonly log?: PimLog | null;
  /** Told of the same, but for commands of a run after the first that went with it; those answer nothing and end nothing. */
  readonly sent?: PimLog | null;
  /** Whether `watch` is there; commands are then sent one by one. */
  readonly watched?: boolean;
  /** Another channel of the same, whose tables it takes over. */
  readonly like?: PimController | null;
}

const never = Number.POSITIVE_INFINITY;
const none = -1;

export class PimController {
  readonly scopes: readonly Scope[];
  readonly rows: PimRows;
  readonly commands: PimQueue;
  readonly requests: PimQueue;
  /** What happens over time; null unless asked for. */
  readonly watch: ChannelWatch | null;
  /** Cycles until a read's last data have come, added up over all reads. */
  latencySum = 0;
  /** Cycles at which the last data of those sent had come, one command's after another's, and all were written or done. */
  came = 0;
  done = 0;
  /** The cycle in which the last sync came to the front of its queue. */
  synced = 0;
  /** The next cycle in which something may happen, if nothing arrives. */
  next: number;
  readonly #device: DramDevice;
  readonly #mode: PimMode;
  readonly #log: PimLog | null;
  readonly #told: PimLog | null;
  readonly #refresh: RefreshManager;
  readonly #hitsFirst: HitsFirst | null;
  readonly #postpones: boolean;
  /** Refreshes that wait: commands and banks in turn. */
  readonly #due: number[] = [];
  /** Queues that may send: of PIM commands only, of requests only, or both. */
  readonly #served: readonly (readonly PimQueue[])[];
  /** In blocked mode: whether requests wait for PIM commands. */
  #isBlocked = false;
  /** The earliest tick after this one at which something may start. */
  #wake = never;
  /** Place of a run of which the last command sent was one; -1: it was of none. */
  #sent = none;
  /** By command: cycles until it is done, and whether data come of it. */
  readonly #takes: readonly number[];
  readonly #answers: readonly boolean[];

  /** `named` are the indices of the commands that it may be given. */
  constructor(device: DramDevice, named: Iterable<number>, options: PimOptions = {}) {
    const { queue = 33, requests = 32, mode = 'concurrent', refresh = 'all-bank', log = null } = options;
    const { scheduler = 'oldest', sent = null, like = null } = options;
    const [isGrouped, isInOrder] = [scheduler === 'hits-first', scheduler === 'in-order'];
    this.#postpones = options.postpones ?? false;
    const scopes = like?.scopes ?? scopesOf(device);
    const needed = sentFor(device, scopes, named, refresh);
    this.#device = device;
    this.#mode = mode;
    this.#log = log;
    this.#told = sent;
    this.scopes = scopes;
    this.rows = new PimRows(device, scopes, needed, like?.rows);
    this.watch = options.watched ? new ChannelWatch(device, scopes, needed, this.rows) : null;
    this.commands = new PimQueue(device, this.rows, queue, { isGrouped, isInOrder });
    this.requests = new PimQueue(device, this.rows, requests, { isGrouped });
    this.#hitsFirst = isGrouped ? new HitsFirst(device, this.rows, scopes, this.#postpones) : null;
    this.#served = [[this.commands], [this.requests], [this.commands, this.requests]];
    this.#refresh = refreshManager(device, refresh);
    this.#takes = device.commands.map(({ takes, access }) => {
      const { readLatency, writeLatency, ticksPerClock } = device;
      const usual = { read: readLatency, write: writeLatency, none: ticksPerClock }[access];
      return Math.ceil((takes ?? usual) / ticksPerClock);
    });
    this.#answers = device.commands.map(({ access, pim }) => access === 'read' || pim?.to === 'host');
    this.next = this.#cycleOf(this.#refresh.due);
  }

  /** Whether nothing waits, refreshes that are due included. */
  get isIdle(): boolean {
    return this.waiting === 0 && this.#due.length === 0;
  }

  /** PIM commands, barriers included, and requests that wait. */
  get waiting(): number {
    return this.commands.size + this.requests.size;
  }

  /** Tick of a cycle; commands start on rising edges, which are odd ticks where a cycle has two. */
  #tickOf(cycle: number): number {
    return this.#device.halfCycle ? 2 * cycle + 1 : cycle;
  }

  #cycleOf(tick: number): number {
    return this.#device.halfCycle ? Math.ceil((tick - 1) / 2) : tick;
  }

  /** Ends with a cycle: brings what `watch` has up to it. */
  finish(cycle: number): void {
    this.watch?.finish(cycle, this.#tickOf(cycle));
  }

  /**
   * Executes a cycle; none may be left out in which something arrived or that `next` named. What it sends in later cycles is
   * sent with it where nothing can come between: a run of which the queue has more than room, but nothing of it at `before`
   * or later, when a request may arrive.
   */
  cycle(cycle: number, before = never): void {
    const tick = this.#tickOf(cycle);
    this.#wake = never;
    if (this.#refresh.due <= tick) {
      if (this.#hitsFirst && this.#postpones) this.#due.length = 0;
      this.#refresh.tick(tick, (command, bank) => this.#due.push(command, bank));
    }
    this.watch?.look(cycle, tick, [this.requests, this.commands], this.#turn(), this.#due.length > 0);
    const { version } = this.rows;
    const { waiting } = this;
    if (this.#hitsFirst) {
      const first = this.#hits(this.#hitsFirst, cycle, tick, null);
      if (first !== null && this.#device.dualBus) this.#hits(this.#hitsFirst, cycle, tick, first);
    } else {
      const first = this.#first(cycle, tick);
      if (first !== null && this.#device.dualBus) this.#second(cycle, tick, first);
    }
    const isSure = this.rows.version !== version || this.waiting !== waiting;
    if (isSure) {
      const last = this.#goOn(cycle, before);
      this.next = Math.max(last + 1, this.#cycleOf(this.#quiet(none)));
      return;
    }
    if (this.#wake === never && this.#device.modes) this.#checkModes();
    this.next = Math.max(cycle + 1, this.#cycleOf(Math.min(this.#wake, this.#refresh.due)));
  }

  /**
   * The tick before which nothing is sent, if nothing arrives, but for the run of PIM commands at a place. Where hits come
   * first, and where `watch` is told why commands wait, every cycle after one that was sent is looked at.
   */
  #quiet(index: number): number {
    if (this.#hitsFirst || this.watch) return 0;
    if (this.#due.length > 0 || (this.#mode === 'blocked' && index === none)) return 0;
    let quiet = never;
    for (const queue of this.#queues())
      quiet = Math.min(quiet, queue.quietUntil(queue === this.commands ? index : none));
    // What waits may wait for a mode for ever, which the next cycle finds out.
    if (quiet === never && index === none && this.#device.modes) return 0;
    return Math.min(quiet, this.#refresh.due);
  }

  /** Sends what is left of a run of which one was just sent, as far as nothing can come between; returns the last cycle. */
  #goOn(cycle: number, before: number): number {
    const { commands, rows } = this;
    const index = this.#sent;
    const most = commands.excess - 1;
    this.#sent = none;
    if (index === none || most <= 0 || this.#due.length > 0) return cycle;
    const one = commands.at(index);
    const interval = rows.interval(one.command, one.bank, this.#tickOf(cycle));
    if (interval === 0) return cycle;
    const end = Math.min(before, this.#cycleOf(this.#quiet(index)));
    const count = Math.min(most, one.count, Math.floor((end - 1 - cycle) / interval));
    if (count <= 0) return cycle;
    const last = cycle + count * interval;
    if (this.#log !== null) {
      for (let i = 0; i < count; i++) {
        this.#log(this.#tickOf(cycle + (i + 1) * interval), one.command, one);
        if (i + 1 < count) one.step?.locate(one.number + i + 1, one.first, one);
      }
    }
    rows.start(one.command, one.bank, one.row, this.#tickOf(last), count);
    this.#finish(one.command, last, count);
    commands.remove(index, count);
    return last;
  }

  /** Nothing may ever be sent for what waits. @throws InputError when one does not go in the mode that the channel is in */
  #checkModes(): void {
    const { commands, rows } = this;
    for (let i = 0; i < commands.entries; i++) {
      const { command, bank } = commands.at(i);
      if (command >= 0 && !rows.modes.goes(command, bank)) throw rows.modes.stuck(command);
    }
    const [refresh = none, first = 0] = this.#due;
    if (refresh !== none && !rows.modes.goes(refresh, first)) throw rows.modes.stuck(refresh);
  }

  /** Sends a command; returns the bus that another one may not take in this cycle, null when none may be sent. */
  #first(cycle: number, tick: number): DramDevice['commands'][number]['bus'] | null {
    if (this.#due.length > 0) return this.#refreshes(tick);
    for (const queue of this.#queues()) {
      const chosen = queue.choose(tick);
      if (chosen === none) continue;
      if (queue.isBarrier(chosen)) {
        if (queue.isSync(chosen)) this.synced = cycle;
        queue.remove(chosen);
        this.watch?.takes(queue === this.commands ? pim : ordinary);
        return null;
      }
      const { needed, ready } = queue.at(chosen);
      if (ready <= tick) {
        this.#send(queue, chosen, cycle, tick);
        return this.#device.commands[needed]!.bus;
      }
      this.#wake = Math.min(this.#wake, queue.next);
    }
    return null;
  }

  /** Sends the command that the first refresh that waits needs; returns its bus. */
  #refreshes(tick: number): DramDevice['commands'][number]['bus'] {
    const [command = 0, bank = 0] = this.#due;
    const needed = this.rows.needed(command, bank, none);
    const ready = this.rows.readyFor(needed, command, bank, none);
    if (ready > tick) this.#wake = ready;
    else {
      this.#start(refreshes, needed, { command, bank, row: none, column: none, entry: none, sum: none }, tick);
      if (needed === command) this.#due.splice(0, 2);
    }
    return this.#device.commands[needed]!.bus;
  }

  /** Sends a command on the bus that is not taken. */
  #second(cycle: number, tick: number, taken: DramDevice['commands'][number]['bus']): void {
    for (const queue of this.#queues()) {
      const chosen = queue.choose(tick);
      if (chosen === none || queue.isBarrier(chosen)) continue;
      const { needed, ready } = queue.at(chosen);
      this.#wake = Math.min(this.#wake, ready <= tick ? tick + 1 : queue.next);
      const { bus } = this.#device.commands[needed]!;
      if (ready > tick || bus === taken || bus === 'both' || taken === 'both') continue;
      this.#send(queue, chosen, cycle, tick);
      return;
    }
  }

  /** Sends what comes first among hits, openings and closings on a bus that is not taken; returns its bus. */
  #hits(chooser: HitsFirst, cycle: number, tick: number, taken: Bus | null): Bus | null {
    const isChosen = chooser.choose(this.#queues(), this.#due, tick, taken);
    this.#wake = Math.min(this.#wake, chooser.wake);
    if (!isChosen) return null;
    const { command, bank, queue, index } = chooser;
    if (queue) this.#send(queue, index, cycle, tick);
    else {
      this.#start(refreshes, command, { command, bank, row: none, column: none, entry: none, sum: none }, tick);
      if (this.#device.commands[command]!.refreshes) this.#due.splice(0, 2);
    }
    return this.#device.commands[command]!.bus;
  }

  /** Queues that may send, the first one first; in blocked mode that stays so until the other ones' turn. */
  #queues(): readonly PimQueue[] {
    this.#isBlocked = this.#isPimTurn();
    return this.#turn();
  }

  #turn(): readonly PimQueue[] {
    const [programs = [], ordinary = [], both = []] = this.#served;
    if (this.#mode === 'concurrent') return both;
    return this.#isPimTurn() ? programs : ordinary;
  }

  #isPimTurn(): boolean {
    if (this.commands.size === 0) return false;
    return this.requests.size === 0 || this.#isBlocked;
  }

  #send(queue: PimQueue, index: number, cycle: number, tick: number): void {
    const one = queue.at(index);
    const { needed, command, arrive } = one;
    this.#sent = none;
    this.#start(queue === this.commands ? pim : ordinary, needed, one, tick);
    if (needed !== command) return;
    this.#finish(command, cycle);
    if (this.#device.commands[command]!.access === 'read') {
      this.latencySum += cycle - arrive + this.#device.readLatency / this.#device.ticksPerClock;
    }
    const isRun = queue === this.commands && one.count > 1;
    queue.remove(index);
    if (isRun) this.#sent = index;
  }

  /** Notes when a command sent in a cycle is done, the last one of `count`. */
  #finish(command: number, cycle: number, count = 1): void {
    const end = cycle + this.#takes[command]!;
    if (this.#answers[command]!) this.came = Math.max(end, this.came + count);
    else if (end > this.done) this.done = end;
  }

  #start(kind: number, command: number, address: Addressed, tick: number): void {
    this.rows.start(command, address.bank, address.row, tick);
    this.watch?.start(kind, command, address.bank, address.row, this.#cycleOf(tick), tick);
    if (this.#log !== null) this.#log(tick, command, address);
    if (this.#told !== null) this.#told(tick, command, address);
  }
}
