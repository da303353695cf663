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
import { CommandLog } from './command-log.ts';
import {
  type ChannelWatcher,
  forAccess,
  forJob,
  forRefresh,
  type PimChannelOptions,
  type PimListener,
} from './listener.ts';
import { Ordinary } from './ordinary.ts';
import { Refreshing } from './refreshing.ts';
import { PimState } from './state.ts';
import { TileRuns } from './tile-runs.ts';
import type { KnownTile } from './tiles.ts';
import { PimWork } from './work.ts';

export type { ChannelLog, PimChannelOptions, PimListener } from './listener.ts';

const never = Number.POSITIVE_INFINITY;
const nowhere = -1;
const unknown = -1;

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
  readonly #log: CommandLog | null;
  readonly #isOneByOne: boolean;
  readonly #watcher: ChannelWatcher | null;
  /** By command: whether something of it is outside afterwards. */
  readonly #isResult: readonly boolean[];
  /** Ticks at least from a command with a result until that is outside. */
  readonly #leastLatency: number;
  #told = false;
  /** The cycle of the next command or refresh, if nothing was pushed since it was found. */
  #quiet = unknown;
  /** Null where every command is a step of its own, or somebody is told of each. */
  readonly #tiles: TileRuns | null;

  /** @throws Error when the device lacks commands that its others need */
  constructor(device: DramDevice, listener: PimListener, options: PimChannelOptions = {}) {
    const { mode = 'concurrent', refresh = 'all-bank', log = null, watcher = null, oneByOne = false } = options;
    const { high = 32, low = 8, whenIdle = true } = options.writes ?? {};
    this.#device = device;
    this.#listener = listener;
    this.#isBlocked = mode === 'blocked';
    this.#isOneByOne = oneByOne;
    this.#leastLatency = Math.min(...(device.resultLatency ?? [device.readLatency]));
    this.#watcher = watcher;
    this.#state = new PimState(device);
    this.#bus = new CommandBus(device);
    this.#refreshing = new Refreshing(device, this.#state, this.#bus, refresh === 'all-bank');
    this.#work = new PimWork(device, this.#state, this.#bus, this.#isBlocked);
    const policy = { high, low, whenIdle };
    this.#ordinary = new Ordinary(device, this.#state, this.#bus, this.#work, this.#refreshing, policy, watcher);
    const isWhole = log === null && !oneByOne && listener.result === undefined;
    const hasTiles = isWhole && !this.#state.tables.isDisplaced && device.commands.some(({ prepares }) => prepares);
    this.#tiles = hasTiles
      ? new TileRuns(device, this.#state, this.#bus, this.#work, this.#refreshing, this.#ordinary, watcher)
      : null;
    this.#log = log && new CommandLog(log, this.#bus, this.#work, this.#ordinary);
    this.#isResult = device.commands.map(({ pim, second }) =>
      [pim, second].some((effect) => effect?.kind === 'moves' && effect.to === 'host'),
    );
  }

  /**
   * PIM commands to be done in their order after those of the jobs before, on rows from one on as `ProgramCursor` has it.
   * @throws InputError as that does
   */
  pushJob(program: PimProgram, tag: number, row = 0): void {
    // While a tile is waited for, there is nothing that a job which comes after it could change.
    if (!this.#tiles?.waiting) {
      this.#tiles?.pushed();
      this.#reach();
    }
    this.#work.push(program, tag, row);
  }

  /** Something may be sent from the next cycle on. */
  #reach(): void {
    this.#bus.reach(this.now + 1);
    this.#quiet = unknown;
  }

  /** Executes what was put off until the end of a tile. */
  #catchUp(): void {
    if (!this.#tiles?.waiting) return;
    this.#tiles.waiting = null;
    const { now } = this;
    while (this.#step(now, false));
  }

  /**
   * Reads or writes `count` columns (of one access each) from an address on, which counts columns: those of a row of a bank,
   * then of the same row of the next bank, from the lowest level up, then of the next row.
   */
  pushAccess(isWrite: boolean, address: number, count: number, tag: number): void {
    if (count < 1) throw new Error('an access needs columns');
    this.#catchUp();
    this.#tiles?.disturb();
    this.#reach();
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

  /** A cycle before which nothing will be sent if nothing is pushed; infinite when there is nothing to be done. */
  get next(): number {
    if (this.isIdle) return never;
    if (this.#tiles?.waiting) return Math.max(this.now + 1, this.#bus.first);
    if (this.#quiet === unknown) {
      this.#choose();
      this.#quiet = this.#soonest;
    }
    return this.#quiet;
  }

  /** A cycle before which nothing will be told if nothing is pushed; infinite when there is nothing to be done. */
  get bound(): number {
    const { next } = this;
    if (next === never) return never;
    const { readLatency, writeLatency } = this.#device;
    const tile = this.#tiles?.waiting;
    const first = tile ? this.#bus.first + tile.last : next;
    const accesses = this.#after(first + this.#ordinary.toEnd, Math.min(readLatency, writeLatency));
    const { job } = this.#work;
    if (job === null) return accesses;
    if (this.#listener.result !== undefined) return Math.min(accesses, next + 1);
    const last = first + (tile ? this.#work.toEndAfterTile : this.#work.toEnd);
    return Math.min(accesses, this.#isResult[job.last] ? this.#after(last, this.#leastLatency) : last + 1);
  }

  /** The cycle of what was chosen, or in which a refresh falls due. */
  get #soonest(): number {
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

  /** Whether there is nothing to be done, and nothing to come can tell this from another channel that has nothing to do. */
  isAlike(other: PimChannel): boolean {
    if (this.now !== other.now || !this.isIdle || !other.isIdle) return false;
    const next = this.now + 1;
    return (
      this.#bus.isAlike(other.#bus, next) &&
      this.#refreshing.isAlike(other.#refreshing) &&
      this.#state.isAlike(other.#state, this.#bus.tick(next))
    );
  }

  /** From now on another channel, which is alike and gets the same, stands for this one too. */
  follow(leader: PimChannel): void {
    this.#state.count(leader.#state, -1);
  }

  /** Goes on from where the channel is that this one followed, and which has no jobs. */
  leave(leader: PimChannel): void {
    this.now = leader.now;
    this.#quiet = unknown;
    this.#tiles?.disturb();
    this.#state.count(leader.#state, 1);
    this.#state.copyFrom(leader.#state);
    this.#bus.copyFrom(leader.#bus);
    this.#refreshing.copyFrom(leader.#refreshing);
    this.#ordinary.copyFrom(leader.#ordinary);
  }

  /** Tags of the accesses that are not done. */
  get tags(): readonly number[] {
    return [...this.#ordinary.reads.tags, ...this.#ordinary.writes.tags];
  }

  /**
   * Executes the cycles up to and with `limit`, but none after the first in which the listener was told something, for the
   * machine may push in answer. Returns the last cycle executed, which is `now`.
   */
  advance(limit: number): number {
    this.#told = false;
    if (this.#quiet > limit) {
      this.now = Math.max(this.now, limit);
      return this.now;
    }
    this.#quiet = unknown;
    // What goes in the same cycle on another bus is not left for later.
    while (this.#step(this.#told ? Math.min(limit, this.now) : limit));
    return this.now;
  }

  /**
   * Sends the next command, or does the next tile, or comes to the next refresh, or to the limit, after which it returns
   * false.
   */
  #step(limit: number, mayRepeat = true): boolean {
    const refreshing = this.#refreshing;
    const work = this.#work;
    const ordinary = this.#ordinary;
    const tile = mayRepeat && work.tile !== null ? this.#tiles?.find() : null;
    if (tile) return this.#doTile(tile, limit);
    this.#choose();
    const cycle = Math.min(refreshing.isWaiting ? refreshing.cycle : never, work.cycle, ordinary.cycle);
    if (!refreshing.isWaiting && refreshing.due <= cycle && refreshing.due <= limit) {
      this.#bus.reach(refreshing.due);
      refreshing.wait();
      this.#tiles?.disturb();
      ordinary.forget();
    } else if (cycle > limit) {
      this.now = Math.max(this.now, limit);
      this.#quiet = this.#soonest;
      return false;
    } else if (refreshing.isWaiting && refreshing.cycle === cycle) {
      this.#refreshOn(limit);
    } else if (work.cycle === cycle) {
      this.#computeOn(limit);
    } else {
      this.#access(Math.min(work.cycle, this.#until(limit)));
    }
    return true;
  }

  /** Does a tile up to its last command, if that comes before the limit; if not, nothing of it is done yet. */
  #doTile(tile: KnownTile, limit: number): boolean {
    const end = this.#bus.first + tile.beforeLast;
    if (end <= limit) {
      this.now = this.#tiles!.apply(tile);
      return true;
    }
    this.#tiles!.waiting = tile;
    this.now = Math.max(this.now, limit);
    this.#quiet = end;
    return false;
  }

  /** The cycle before which no refresh has to do with commands, and that ends what is executed now. */
  #until(limit: number): number {
    const { isWaiting, cycle, due } = this.#refreshing;
    return Math.min(isWaiting ? cycle : due, limit + 1);
  }

  /** Finds what may be sent next of each kind. */
  #choose(): void {
    if (this.#isOneByOne) this.#ordinary.forget();
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
    const { estimate } = this.#work;
    this.#tiles?.needs(cycle + 1 + estimate);
    if (this.#refreshing.left(cycle) > estimate) return true;
    this.#tiles?.disturb();
    this.#work.skip();
    return false;
  }

  /** Sends what a refresh needs next, and goes on as long as there is nothing else that could go. */
  #refreshOn(limit: number): void {
    const refreshing = this.#refreshing;
    this.#refresh();
    while (refreshing.isWaiting && !this.#isOneByOne && this.waiting === 0) {
      refreshing.choose(false);
      if (refreshing.cycle > limit) return;
      this.#refresh();
    }
  }

  #refresh(): void {
    const { command, bank, cycle, refresh } = this.#refreshing;
    this.#start(command, bank, nowhere, 1, cycle);
    this.#watcher?.(forRefresh, command, bank, 1, cycle, cycle);
    this.#log?.refresh(command, bank, refresh, cycle);
    this.#work.forget(command, nowhere);
    this.#ordinary.forget();
    if (command !== refresh) return;
    this.#refreshing.done();
    this.#work.resume();
  }

  /** Sends what was chosen for the PIM work, and goes on as long as that changes nothing for anyone else. */
  #computeOn(limit: number): void {
    const work = this.#work;
    const before = Math.min(this.#ordinary.cycle, this.#until(limit));
    this.#compute(before);
    while (!this.#told && !this.#isOneByOne && !this.#refreshing.isWaiting && this.#ordinary.isSettled) {
      if (this.#tiles !== null && work.tile !== null) return;
      this.#chooseWork();
      if (work.cycle >= before || !this.#ordinary.isSettled) return;
      this.#compute(before);
    }
  }

  /** Sends what was chosen for the PIM work, and those after it that are alike and come before a cycle. */
  #compute(before: number): void {
    const work = this.#work;
    const { command, bank, head, job } = work;
    const { row, multiplications } = head!;
    const isResult = this.#isResult[command]!;
    const isTold = isResult && this.#listener.result !== undefined;
    const own = work.isHead ? 1 : 0;
    if (own === 1) this.#tiles?.sendsOwn(this.now);
    const cycle = isTold ? work.cycle : this.#repeat(before);
    this.#start(command, bank, row, multiplications, cycle);
    this.#watcher?.(forJob, command, bank, 1, cycle, cycle);
    this.#tiles?.sends(command, bank, 1, cycle, cycle, own);
    this.#log?.work(cycle);
    job!.isBegun = true;
    if (this.#state.tables.effect[command] !== 0) this.#ordinary.changed(command, row);
    if (!work.sent()) return;
    const end = isResult ? this.#after(cycle, this.#resultLatency(multiplications)) : cycle + 1;
    if (isTold) {
      this.#listener.result!(job!.tag, job!.results++, end);
      this.#told = true;
    }
    if (!work.next()) return;
    this.#listener.job(job!.tag, end);
    this.#told = true;
  }

  /** Sends what is alike up to the last one before a cycle, but not that; returns the cycle for that. */
  #repeat(before: number): number {
    const { command, bank, cycle, head, alike } = this.#work;
    if (alike === 0 || this.#isOneByOne || cycle + 1 >= before) return cycle;
    const { tables } = this.#state;
    const period = this.#bus.gaps(command, tables)[bank * tables.banks + bank]!;
    const count = Math.min(alike, Math.floor((before - 1 - cycle) / period));
    if (count === 0) return cycle;
    const last = cycle + (count - 1) * period;
    this.#watcher?.(forJob, command, bank, count, cycle, last);
    this.#tiles?.sends(command, bank, count, cycle, last, count);
    this.#state.sent[command]! += count;
    this.#state.further[command]! += count * (head!.multiplications - 1);
    if (this.#log === null) head!.skip(count);
    else {
      for (let i = 0; i < count; i++) {
        this.#log.work(cycle + i * period);
        head!.next();
      }
    }
    return cycle + count * period;
  }

  #resultLatency(multiplications: number): number {
    return this.#device.resultLatency?.[multiplications - 1] ?? this.#device.readLatency;
  }

  /** Sends what was chosen of the accesses, and columns after it that come before a cycle. */
  #access(before: number): void {
    const ordinary = this.#ordinary;
    this.#tiles?.disturb();
    const { command, bank, row, cycle } = ordinary;
    if (ordinary.isColumn) {
      const access = ordinary.send(before, this.#isOneByOne ? 1 : Number.POSITIVE_INFINITY, this.#log?.column ?? null);
      this.now = ordinary.last;
      if (access !== null) this.#end(access);
      return;
    }
    this.#start(command, bank, row, 1, cycle);
    this.#watcher?.(forAccess, command, bank, 1, cycle, cycle);
    this.#log?.access(command, bank, row, nowhere, cycle);
    this.#work.forget(command, row);
    ordinary.opened();
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
    const tick = this.#bus.tick(cycle);
    this.#tiles?.starts(command, bank, tick);
    this.#state.start(command, bank, row, multiplications, tick);
    this.#bus.send(command, cycle);
    this.now = cycle;
  }
}
