/**
 * A channel of a memory that computes, for a clocked machine to drive: jobs of PIM commands, done one after the other and
 * each in its order, and ordinary accesses, on one command bus under one set of constraints.
 *
 * The machine pushes work whenever it likes, and calls `advance` with the cycle up to which it will push no more. What is
 * pushed may be sent from the cycle after that on. Cycles are of the memory's clock and begin with 0.
 */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import type { Access } from './accesses.ts';
import { CommandBus } from './bus.ts';
import type { PimMode } from './controller.ts';
import { Ordinary } from './ordinary.ts';
import type { Addressed } from './queue.ts';
import { Refreshing } from './refreshing.ts';
import { PimState } from './state.ts';
import { PimWork } from './work.ts';

/** Told as soon as it is known, which is when the command for it is sent: `cycle` may lie ahead, never behind. */
export interface PimListener {
  /** The `index`-th result of a job, counted from 0, is outside: what one of its commands moves to the host. */
  readonly result?: (tag: number, index: number, cycle: number) => void;
  /** A job's last command has been done: sent, or, where it has a result, that is outside. */
  readonly job: (tag: number, cycle: number) => void;
  /** The last data of an access are outside; of a write, they are in the memory. */
  readonly access: (tag: number, cycle: number) => void;
}

/** Told of a command, with the address that it was sent for and the columns that it multiplies. */
export type ChannelLog = (tick: number, command: number, address: Addressed, multiplications: number) => void;

/** For whom a command is sent: an access, a PIM job, a refresh. */
export const [forAccess, forJob, forRefresh] = [0, 1, 2] as const;

/** Told of `count` equal commands at a bank, the first and the last of which are sent in these cycles. Nothing is allocated. */
export type ChannelWatcher = (
  kind: number,
  command: number,
  bank: number,
  count: number,
  first: number,
  last: number,
) => void;

export interface PimChannelOptions {
  /** `blocked`: accesses wait while PIM work is under way, which begins when none waits. `concurrent`: they go between. */
  readonly mode?: PimMode;
  readonly refresh?: 'all-bank' | 'none';
  /** Columns from which on writes are sent: any number of reads waiting, none waiting; and whether also when all is done. */
  readonly writes?: { readonly high?: number; readonly low?: number; readonly whenIdle?: boolean };
  readonly log?: ChannelLog | null;
  readonly watcher?: ChannelWatcher | null;
}

const never = Number.POSITIVE_INFINITY;
const nowhere = -1;

export class PimChannel {
  /** The last cycle that has been executed; -1 at first. */
  now = -1;
  readonly #device: DramDevice;
  readonly #listener: PimListener;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #refreshing: Refreshing;
  readonly #work: PimWork;
  readonly #ordinary: Ordinary;
  readonly #isBlocked: boolean;
  readonly #log: ChannelLog | null;
  readonly #watcher: ChannelWatcher | null;
  /** By command: whether something of it is outside afterwards, and whether it opens or closes rows. */
  readonly #isResult: readonly boolean[];
  readonly #movesRows: readonly boolean[];
  #told = false;

  /** @throws Error when the device lacks commands that its others need */
  constructor(device: DramDevice, listener: PimListener, options: PimChannelOptions = {}) {
    const { mode = 'concurrent', refresh = 'all-bank', log = null, watcher = null } = options;
    const { high = 32, low = 8, whenIdle = true } = options.writes ?? {};
    this.#device = device;
    this.#listener = listener;
    this.#isBlocked = mode === 'blocked';
    this.#log = log;
    this.#watcher = watcher;
    this.#state = new PimState(device);
    this.#bus = new CommandBus(device);
    this.#refreshing = new Refreshing(device, this.#state, this.#bus, refresh === 'all-bank');
    this.#work = new PimWork(device, this.#state, this.#bus);
    const policy = { high, low, whenIdle };
    this.#ordinary = new Ordinary(device, this.#state, this.#bus, this.#work, this.#refreshing, policy);
    this.#movesRows = device.commands.map(({ banks }) => banks !== 'none');
    this.#isResult = device.commands.map(({ pim, second }) =>
      [pim, second].some((effect) => effect?.kind === 'moves' && effect.to === 'host'),
    );
  }

  /** PIM commands to be done in their order after those of the jobs before. @throws InputError as `ProgramCursor` does */
  pushJob(program: PimProgram, tag: number): void {
    this.#bus.reach(this.now + 1);
    this.#work.push(program, tag);
  }

  /**
   * Reads or writes `count` columns (of one access each) from an address on, which counts columns: those of a row of a bank,
   * then of the same row of the next bank, from the lowest level up, then of the next row.
   */
  pushAccess(isWrite: boolean, address: number, count: number, tag: number): void {
    if (count < 1) throw new Error('an access needs columns');
    this.#bus.reach(this.now + 1);
    this.#ordinary.push({ tag, isWrite, address, left: count, unsent: count });
  }

  /** Columns of accesses that have not been sent. */
  get waiting(): number {
    return this.#ordinary.reads.columns + this.#ordinary.writes.columns;
  }

  /** Whether there is neither a job nor an access to be sent. */
  get isIdle(): boolean {
    return this.#work.job === null && this.waiting === 0;
  }

  /** A cycle before which nothing will be told if nothing is pushed; infinite when there is nothing to be done. */
  get next(): number {
    if (this.isIdle) return never;
    this.#choose();
    const { isWaiting, cycle, due } = this.#refreshing;
    return Math.min(this.#work.cycle, this.#ordinary.cycle, isWaiting ? cycle : due);
  }

  /** Commands sent so far, by index in the device. */
  get commands(): Readonly<Float64Array> {
    return this.#state.sent;
  }

  /** Columns that they worked on: more than one each where a command multiplies several. */
  get columns(): Float64Array {
    const { sent, further } = this.#state;
    return sent.map((count, command) => count + further[command]!);
  }

  /**
   * Executes the cycles up to and with `limit`, but none after the first in which the listener was told something, for the
   * machine may push in answer. Returns the last cycle executed, which is `now`.
   */
  advance(limit: number): number {
    this.#told = false;
    // What goes in the same cycle on another bus is not left for later.
    while (this.#step(this.#told ? Math.min(limit, this.now) : limit));
    return this.now;
  }

  /** Sends the next command, or comes to the next refresh, or to the limit, after which it returns false. */
  #step(limit: number): boolean {
    const refreshing = this.#refreshing;
    const work = this.#work;
    const ordinary = this.#ordinary;
    this.#choose();
    const cycle = Math.min(refreshing.isWaiting ? refreshing.cycle : never, work.cycle, ordinary.cycle);
    if (!refreshing.isWaiting && refreshing.due <= cycle && refreshing.due <= limit) {
      this.#bus.reach(refreshing.due);
      refreshing.wait();
      ordinary.forget();
    } else if (cycle > limit) {
      this.now = Math.max(this.now, limit);
      return false;
    } else if (refreshing.isWaiting && refreshing.cycle === cycle) {
      this.#refresh();
    } else if (work.cycle === cycle) {
      this.#compute();
    } else {
      const soonest = Math.min(work.cycle, refreshing.isWaiting ? refreshing.cycle : refreshing.due);
      this.#access(Math.min(soonest, limit + 1));
    }
    return true;
  }

  /** Finds what may be sent next of each kind. */
  #choose(): void {
    this.#chooseWork();
    const { isUnderWay, isAccepted } = this.#work;
    // Work is not broken off: what was begun although it takes longer holds the refresh up.
    if (this.#refreshing.isWaiting) this.#refreshing.choose(isUnderWay || isAccepted);
    if (this.#isBlocked && this.#isComputing) this.#ordinary.clear();
    else this.#ordinary.choose();
  }

  /** Whether PIM work goes on that nothing may come between: work that was begun, or a job where nothing begins work. */
  get #isComputing(): boolean {
    const { head, job, isUnderWay, isAccepted, isSkipped } = this.#work;
    if (head === null || isSkipped) return false;
    return isUnderWay || isAccepted || (!this.#work.begins && job!.isBegun);
  }

  #chooseWork(): void {
    const work = this.#work;
    work.cycle = never;
    if (work.head === null || work.isSkipped) return;
    const { isWaiting } = this.#refreshing;
    if (!work.begins) {
      if (isWaiting && !work.isUnderWay) return;
      if (this.#isBlocked && !work.isUnderWay && !work.job!.isBegun && this.#ordinary.isWaiting) return;
      work.choose();
      return;
    }
    if (!work.isAccepted) {
      if (isWaiting || (this.#isBlocked && this.#ordinary.isWaiting)) return;
      if (!this.#fits(this.#bus.free(work.head.command))) return;
      work.accept();
    }
    work.choose();
    // Until it is sent, what prepares has to fit; what else was accepted goes on.
    if (work.prepares && !this.#fits(work.cycle)) work.cycle = never;
  }

  /** Whether the work that would go on in a cycle ends before the next refresh; if not, all waits for that. */
  #fits(cycle: number): boolean {
    if (this.#refreshing.left(cycle) > this.#work.estimate) return true;
    this.#work.skip();
    return false;
  }

  #refresh(): void {
    const { command, bank, cycle, refresh } = this.#refreshing;
    this.#start(command, bank, nowhere, 1, cycle);
    this.#watcher?.(forRefresh, command, bank, 1, cycle, cycle);
    if (this.#log !== null) {
      const address = { command: refresh, bank, row: nowhere, column: nowhere, entry: nowhere, sum: nowhere };
      this.#log(this.#bus.tick(cycle), command, address, 1);
    }
    this.#work.forget(command, nowhere);
    this.#ordinary.forget();
    if (command !== refresh) return;
    this.#refreshing.done();
    this.#work.resume();
  }

  #compute(): void {
    const work = this.#work;
    const { command, bank, cycle, head, job } = work;
    const { row, column, entry, sum, multiplications } = head!;
    const wanted = head!.command;
    this.#start(command, bank, row, multiplications, cycle);
    this.#watcher?.(forJob, command, bank, 1, cycle, cycle);
    if (this.#log !== null) {
      const address = { command: wanted, bank, row, column, entry, sum };
      this.#log(this.#bus.tick(cycle), command, address, multiplications);
    }
    job!.isBegun = true;
    if (this.#movesRows[command]) this.#ordinary.moved(this.#state.targets[command]!.buffer, row);
    if (!work.sent()) return;
    const isResult = this.#isResult[command]!;
    const end = isResult ? this.#after(cycle, this.#resultLatency(multiplications)) : cycle + 1;
    if (isResult && this.#listener.result) {
      this.#listener.result(job!.tag, job!.results++, end);
      this.#told = true;
    }
    if (!work.next()) return;
    this.#listener.job(job!.tag, end);
    this.#told = true;
  }

  #resultLatency(multiplications: number): number {
    return this.#device.resultLatency?.[multiplications - 1] ?? this.#device.readLatency;
  }

  /** Sends what was chosen of the accesses, and those columns of the same run that come before a cycle. */
  #access(before: number): void {
    const ordinary = this.#ordinary;
    const { command, bank, row, cycle, run } = ordinary;
    this.#start(command, bank, row, 1, cycle);
    this.#watcher?.(forAccess, command, bank, 1, cycle, cycle);
    if (this.#log !== null) this.#logAccess(0, cycle);
    if (run === 0) {
      this.#work.forget(command, row);
      ordinary.forget(bank);
      return;
    }
    const columns = 1 + this.#follow(run - 1, cycle, before);
    const access = ordinary.sent(columns, this.now);
    if (access !== null) this.#end(access);
  }

  /** Tells of what was chosen of the accesses, or of a column after it. */
  #logAccess(further: number, cycle: number): void {
    const { command, bank, row, column } = this.#ordinary;
    const address = { command, bank, row, column: column + further, entry: nowhere, sum: nowhere };
    this.#log?.(this.#bus.tick(cycle), command, address, 1);
  }

  /** Sends up to so many further columns of a run, as long as nothing else may come between; returns how many. */
  #follow(most: number, from: number, before: number): number {
    const { command, bank, row } = this.#ordinary;
    if (most === 0) return 0;
    const first = this.#bus.cycle(command, this.#state.ready(command, bank));
    const period = first - from;
    const limit = Math.min(before, this.#ordinary.before(period));
    if (first >= limit || !this.#state.repeats[command]) return 0;
    const count = Math.min(most, Math.floor((limit - 1 - first) / period) + 1);
    const last = first + (count - 1) * period;
    if (this.#log !== null) {
      for (let i = 0; i < count; i++) this.#logAccess(i + 1, first + i * period);
    }
    this.#watcher?.(forAccess, command, bank, count, first, last);
    this.#state.sent[command]! += count - 1;
    this.#start(command, bank, row, 1, last);
    return count;
  }

  #end({ tag, isWrite }: Access): void {
    const { readLatency, writeLatency } = this.#device;
    this.#listener.access(tag, this.#after(this.now, isWrite ? writeLatency : readLatency));
    this.#told = true;
  }

  #after(cycle: number, ticks: number): number {
    return cycle + Math.ceil(ticks / this.#device.ticksPerClock);
  }

  #start(command: number, bank: number, row: number, multiplications: number, cycle: number): void {
    this.#state.start(command, bank, row, multiplications, this.#bus.tick(cycle));
    this.#bus.send(command, cycle);
    this.now = cycle;
  }
}
