/**
 * One channel of a memory that computes. In a cycle: refreshes fall due; then, while one waits, the command that it needs,
 * else the command that the PIM queue chooses, else that of the request queue; and beside it, where row and column commands
 * have a bus each, one more for the other bus.
 */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { Refresh } from '../dram/policy.ts';
import { type RefreshManager, refreshManager } from '../dram/refresh.ts';
import { barrierCommand } from './cursor.ts';
import { type Bus, HitsFirst } from './hits-first.ts';
import { type Addressed, PimQueue } from './queue.ts';
import { PimRows } from './rows.ts';
import { type Scope, scopesOf, sentFor } from './scope.ts';
import { ChannelWatch, ordinary, pim, refresh as refreshes } from './watch.ts';

/** `blocked`: requests wait while PIM commands do, which begin when no request waits. `concurrent`: they go between them. */
export type PimMode = 'blocked' | 'concurrent';

/**
 * `oldest`: the oldest command for which anything can be sent, opening and closing rows for it. `hits-first`: accesses to open
 * rows before openings, and those before the closing of rows that no command in the queue is for.
 */
export type PimScheduler = 'oldest' | 'hits-first';

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
  /** Whether `watch` is there. */
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
  /** The next cycle in which something may happen, if nothing arrives. */
  next: number;
  readonly #device: DramDevice;
  readonly #mode: PimMode;
  readonly #log: PimLog | null;
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

  /** `named` are the indices of the commands that it may be given. */
  constructor(device: DramDevice, named: Iterable<number>, options: PimOptions = {}) {
    const { queue = 33, requests = 32, mode = 'concurrent', refresh = 'all-bank', log = null, like = null } = options;
    const isHitsFirst = options.scheduler === 'hits-first';
    this.#postpones = options.postpones ?? false;
    const scopes = like?.scopes ?? scopesOf(device);
    const sent = sentFor(device, scopes, named, refresh);
    this.#device = device;
    this.#mode = mode;
    this.#log = log;
    this.scopes = scopes;
    this.rows = new PimRows(device, scopes, sent, like?.rows);
    this.watch = options.watched ? new ChannelWatch(device, scopes, sent, this.rows) : null;
    this.commands = new PimQueue(device, this.rows, queue, isHitsFirst);
    this.requests = new PimQueue(device, this.rows, requests, isHitsFirst);
    this.#hitsFirst = isHitsFirst ? new HitsFirst(device, this.rows, scopes, this.#postpones) : null;
    this.#served = [[this.commands], [this.requests], [this.commands, this.requests]];
    this.#refresh = refreshManager(device, refresh);
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

  /** Executes a cycle; none may be left out in which something arrived or that `next` named. */
  cycle(cycle: number): void {
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
    const wake = Math.min(this.#wake, this.#refresh.due);
    if (!isSure && this.#wake === never && this.#device.modes) this.#checkModes();
    this.next = isSure ? cycle + 1 : Math.max(cycle + 1, this.#cycleOf(wake));
  }

  /** Nothing may ever be sent for what waits. @throws InputError when one does not go in the mode that the channel is in */
  #checkModes(): void {
    const { commands, rows } = this;
    for (let i = 0; i < commands.size; i++) {
      const { command, bank } = commands.at(i);
      if (command !== barrierCommand && !rows.modes.goes(command, bank)) throw rows.modes.stuck(command);
    }
  }

  /** Sends a command; returns the bus that another one may not take in this cycle, null when none may be sent. */
  #first(cycle: number, tick: number): DramDevice['commands'][number]['bus'] | null {
    if (this.#due.length > 0) return this.#refreshes(tick);
    for (const queue of this.#queues()) {
      const chosen = queue.choose(tick);
      if (chosen === none) continue;
      if (queue.isBarrier(chosen)) {
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
    const ready = this.rows.ready(needed, bank);
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
    this.#start(queue === this.commands ? pim : ordinary, needed, one, tick);
    if (needed !== command) return;
    if (this.#device.commands[command]!.access === 'read') {
      this.latencySum += cycle - arrive + this.#device.readLatency / this.#device.ticksPerClock;
    }
    queue.remove(index);
  }

  #start(kind: number, command: number, address: Addressed, tick: number): void {
    this.rows.start(command, address.bank, address.row, tick);
    this.watch?.start(kind, command, address.bank, address.row, this.#cycleOf(tick), tick);
    if (this.#log !== null) this.#log(tick, command, address);
  }
}
