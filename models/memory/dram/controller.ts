/**
 * One channel's controller: what every kind has in common. A tick, in order: refreshes fall due; the page policy queues
 * precharges; then a command from (a) the requests whose row was opened for them, (b) the head of the priority queue, or
 * (c), only while that queue is empty, the reads or the writes. The order and its corner cases are Ramulator 2.1's.
 */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { Banks, closed, open } from './banks.ts';
import type { Edges } from './candidates.ts';
import { Choice } from './choice.ts';
import { type CommandSet, commandSet, sentCommands } from './commands.ts';
import { type Pages, type PageView, pagesFor } from './page.ts';
import type { ControllerPolicy } from './policy.ts';
import { PriorityQueue } from './priority.ts';
import { type QueueRefresh, type RefreshManager, refreshManager } from './refresh.ts';
import { none, type Request, Requests, reads, writes } from './requests.ts';
import { Timing } from './timing.ts';

/** Told of every command: its index, the first bank of the node that it names, and for accesses and openings the row. */
export type CommandLog = (tick: number, command: number, bank: number, row: number, column: number) => void;

/** Told when a request is done, and at which tick; the ticks of reads never go down. */
export interface Completions {
  readDone(tag: number, tick: number): void;
  writeDone(tag: number, tick: number): void;
}

/** Told of every access. */
export interface Activity {
  /** `count` accesses of a bank, the first at `tick` and each `period` ticks after the one before. */
  accessed(bank: number, tick: number, period: number, count: number): void;
}

export interface ControllerOptions {
  readonly log?: CommandLog | null;
  readonly completions?: Completions | null;
  readonly activity?: Activity | null;
  /** False executes every tick and every access one by one. The result is the same. */
  readonly skipsIdle?: boolean;
}

const never = Number.POSITIVE_INFINITY;

export abstract class Controller implements PageView, Edges {
  /** The last tick executed. */
  clock = 0;
  /** Ticks from arrival to the last data, added up over all reads. */
  latencySum = 0;
  /** Requests by what they found at their first command: their row open, the bank closed, another row open. */
  rowHits = 0;
  rowMisses = 0;
  rowConflicts = 0;
  /** Reads answered from the write queue, and writes merged into one that waits. */
  forwarded = 0;
  coalesced = 0;
  /** Tick at which the last read so far is done. */
  lastRead = 0;
  /** Commands sent, by index. */
  readonly commands: Float64Array;
  /** Banks of the channel. */
  readonly banks: number;

  protected readonly device: DramDevice;
  protected readonly set: CommandSet;
  protected readonly timing: Timing;
  protected readonly rows: Banks;
  protected readonly requests: Requests;
  protected readonly choice: Choice;
  protected readonly priority: PriorityQueue;
  /** The next tick at which refreshes are queued. */
  protected refreshDue: number;
  protected readonly policy: ControllerPolicy;
  readonly #pages: Pages;
  protected readonly isOpenPage: boolean;
  readonly #refresh: RefreshManager;
  readonly #queueRefresh: QueueRefresh;
  readonly #highWater: number;
  readonly #lowWater: number;
  protected readonly log: CommandLog | null;
  readonly #completions: Completions | null;
  protected readonly activity: Activity | null;
  protected readonly skipsIdle: boolean;

  constructor(device: DramDevice, policy: ControllerPolicy, options: ControllerOptions = {}) {
    this.device = device;
    this.set = commandSet(device);
    this.timing = new Timing(device, sentCommands(device, this.set, policy));
    const { banks } = this.timing;
    this.banks = banks;
    const wholes = [this.set.prechargeAll, device.refresh.allBank?.command ?? none];
    this.rows = new Banks(device, banks, device.commands[wholes.find((one) => one !== none) ?? none]?.level ?? 0);
    this.requests = new Requests(banks, policy.readQueue + policy.writeQueue + banks);
    const protectsHits = policy.scheduler === 'frfcfs-row-hit';
    const { set, timing, requests, rows } = this;
    this.choice = new Choice(set, timing, requests, rows, device.halfCycle ? this : null, protectsHits);
    this.priority = new PriorityQueue(device, this.set, this.timing, this.rows);
    this.#refresh = refreshManager(device, policy.refresh);
    this.#queueRefresh = (command, bank) => this.priority.push(command, bank);
    this.refreshDue = this.#refresh.due;
    this.#pages = pagesFor(policy.page, this);
    this.isOpenPage = policy.page.kind === 'open';
    this.commands = new Float64Array(device.commands.length);
    this.policy = policy;
    // Watermarks are single-precision fractions of the queue, as in the tools that these are compared with.
    this.#highWater = Math.fround(policy.writeHigh) * policy.writeQueue;
    this.#lowWater = Math.fround(policy.writeLow) * policy.writeQueue;
    this.log = options.log ?? null;
    this.#completions = options.completions ?? null;
    this.activity = options.activity ?? null;
    this.skipsIdle = options.skipsIdle ?? true;
  }

  /** Requests that wait for their access. */
  get waiting(): number {
    return this.requests.size[reads]! + this.requests.size[writes]! + this.choice.heldCount;
  }

  /**
   * Offers a request between this tick and the next; false when its queue is full. `block` is its address among all of
   * the channel's, by which reads are answered from waiting writes.
   */
  send(write: boolean, bank: number, row: number, column: number, block: number, tag = 0): boolean {
    const { requests } = this;
    const queue = write ? writes : reads;
    if (requests.size[writes]! > 0 && requests.hasWrite(bank, block)) {
      if (write) {
        this.coalesced++;
        this.#completions?.writeDone(tag, this.clock);
      } else {
        this.forwarded++;
        this.latencySum++;
        this.#readDone(tag, this.clock + 1);
      }
      return true;
    }
    if (requests.size[queue]! >= (write ? this.policy.writeQueue : this.policy.readQueue)) return false;
    const request = requests.add(queue, bank, row, column, block, this.clock, this.rows.openRow[bank]!, tag);
    const { hit, other } = requests.list(queue, bank);
    if (hit === request || other === request) this.choice.changed(queue, bank, this.clock + 1);
    return true;
  }

  /** Executes ticks until one in which a command starts, but none after `limit`. Returns whether one did. */
  step(limit: number): boolean {
    while (this.clock < limit) {
      const next = this.skipsIdle ? this.nextTick() : this.clock + 1;
      if (next > limit) {
        this.clock = limit;
        return false;
      }
      this.clock = next;
      if (this.tick(next)) return true;
    }
    return false;
  }

  /** Openings by bank. */
  get activations(): Float64Array {
    return this.rows.activations;
  }

  /** Ticks with a row open, by node of the level that a refresh of all banks names; up to now after `settle`. */
  get activeTicks(): Float64Array {
    return this.rows.activeTicks;
  }

  settle(): void {
    this.rows.settle(this.clock);
  }

  isOpen(bank: number): boolean {
    return this.rows.state[bank] === open;
  }

  isWanted(bank: number, except: Request | null): boolean {
    return this.#isHeldFor(bank, except) || this.requests.wanted(bank, except);
  }

  prechargeReady(bank: number): number {
    return this.timing.ready(this.timing.classOf[this.set.precharge]!, bank);
  }

  queuePrecharge(bank: number): void {
    this.priority.push(this.set.precharge, bank);
  }

  /** The first tick from one on in which a command may start. */
  edge(_command: number, _bank: number, tick: number): number {
    return tick;
  }

  /** The next tick in which anything can happen, if no request arrives; at least the one after this. */
  protected nextTick(): number {
    const from = this.clock + 1;
    let tick = this.maintenanceDue(from);
    if (tick <= from) return from;
    const { choice } = this;
    const held = choice.chooseHeld(from);
    if (held.startsBy(from)) return from;
    if (held.startsBy(tick)) tick = held.tick;
    if (this.priority.isEmpty) {
      this.chooseQueue();
      choice.choose(from);
      if (choice.column.startsBy(tick)) tick = choice.column.tick;
      if (choice.row.startsBy(tick)) tick = choice.row.tick;
    } else {
      const start = this.priorityStart(from);
      if (start < tick) tick = start;
    }
    return tick > from ? tick : from;
  }

  /** When the command that the head of the priority queue needs may start, from tick `from` on; infinite when it may not. */
  protected priorityStart(from: number): number {
    const { command, target } = this.priority;
    if (command === none) return never;
    return this.edge(command, target, Math.max(from, this.priority.ready(command)));
  }

  /** Executes a tick; returns whether a command started. */
  protected abstract tick(clock: number): boolean;

  /** Refreshes and the page policy, which come before any choice. */
  protected maintain(clock: number): void {
    if (this.refreshDue <= clock) {
      this.#refresh.tick(clock, this.#queueRefresh);
      this.refreshDue = this.#refresh.due;
    }
    if (!this.isOpenPage) this.#pages.tick(clock);
  }

  /** The next tick from `from` at which `maintain` does something. */
  protected maintenanceDue(from: number): number {
    return this.isOpenPage ? this.refreshDue : Math.min(this.refreshDue, this.#pages.due(from));
  }

  /** Sends the command that the head of the priority queue needs. */
  protected sendPriority(command: number): void {
    const bank = this.priority.target;
    this.priority.sent(command);
    this.start(command, bank, none, none);
    if (command === this.set.precharge) this.#close(bank);
    else if (command === this.set.prechargeAll) {
      for (let b = bank; b < bank + this.rows.rankBanks; b++) this.#close(b);
    }
  }

  /** Chooses between reads and writes anew. */
  protected chooseQueue(): void {
    const { size } = this.requests;
    if (this.choice.queue === reads) {
      if (size[writes]! > this.#highWater || size[reads] === 0) this.choice.serve(writes);
    } else if (size[writes]! < this.#lowWater && size[reads] !== 0) this.choice.serve(reads);
  }

  /** Sends a request's read or write; `mayClose` lets the page policy close the row with it. */
  protected access(request: Request, mayClose = true): void {
    const { queue, bank } = request;
    const write = queue === writes;
    if (!request.isCounted) this.rowHits++;
    let command = write ? this.set.write : this.set.read;
    let closes = false;
    if (!this.isOpenPage && mayClose && !this.#isHeldFor(bank, request) && this.#pages.closesBehind(bank, request)) {
      const closing = write ? this.set.writeClose : this.set.readClose;
      closes = closing !== none && this.timing.ready(this.timing.classOf[closing]!, bank) <= this.clock;
      if (closes) command = closing;
    }
    this.start(command, bank, request.row, request.column);
    if (this.activity !== null) this.activity.accessed(bank, this.clock, 1, 1);
    if (this.rows.holder[bank] === request) {
      this.rows.holder[bank] = null;
      this.choice.hold(queue, bank, null, this.clock);
      this.choice.bankChanged(bank, this.clock);
    } else {
      this.requests.remove(request, this.rows.openRow[bank]!);
      this.choice.changed(queue, bank, this.clock);
    }
    if (closes) this.#close(bank);
    else if (!this.isOpenPage) this.#pages.accessed(bank, this.clock);
    this.done(queue, request.tag, request.arrive, this.clock);
    this.requests.release(request);
  }

  /** Sends the row command that a request needs: its opening, or the precharge that comes before. */
  protected row(request: Request, command: number): void {
    const { bank } = request;
    if (!request.isCounted) {
      request.isCounted = true;
      if (this.rows.state[bank] === open) this.rowConflicts++;
      else this.rowMisses++;
    }
    this.start(command, bank, request.row, request.column);
    if (command === this.set.precharge) this.#close(bank);
    else this.opening(request);
  }

  /** A request's opening command has been sent: it leaves its queue. */
  protected opening(request: Request): void {
    this.requests.remove(request, none);
    this.openFor(request);
  }

  /** A bank's row is open for a request, which from now on goes before all others. */
  protected openFor(request: Request): void {
    const { queue, bank, row } = request;
    this.rows.open(bank, row, request, this.clock);
    this.requests.opened(bank, row);
    this.choice.hold(queue, bank, request, this.clock);
    this.choice.bankChanged(bank, this.clock);
    this.#pages.opened(bank, this.clock);
  }

  #close(bank: number): void {
    this.#pages.closed(bank);
    if (this.rows.state[bank] === closed) return;
    this.rows.close(bank, this.clock);
    this.requests.closed(bank);
    this.choice.bankChanged(bank, this.clock);
  }

  /** A command starts now. */
  protected start(command: number, bank: number, row: number, column: number): void {
    this.timing.issue(command, bank, this.clock);
    this.commands[command]!++;
    this.choice.sent(command, bank);
    if (this.log !== null) this.log(this.clock, command, bank, row, column);
  }

  /** Whether a bank's row was opened for a request that still waits, other than one. */
  #isHeldFor(bank: number, except: Request | null): boolean {
    const holder = this.rows.holder[bank]!;
    return holder !== null && holder !== except;
  }

  /** A request that arrived at one tick has its access at another. */
  protected done(queue: number, tag: number, arrive: number, tick: number): void {
    if (queue === writes) this.#completions?.writeDone(tag, tick);
    else {
      const done = tick + this.device.readLatency;
      this.latencySum += done - arrive;
      this.#readDone(tag, done);
    }
  }

  /** Reads are answered first in, first out: one that is forwarded waits for those before it. */
  #readDone(tag: number, tick: number): void {
    if (tick > this.lastRead) this.lastRead = tick;
    this.#completions?.readDone(tag, this.lastRead);
  }
}
