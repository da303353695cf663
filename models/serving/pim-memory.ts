/** Channels that compute as the memory of a device: ordinary transfers over all of them, and jobs in single ones. */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import type { Clock } from '../kernel/clock.ts';
import { PimChannel, type PimChannelOptions } from '../memory/pim/channel.ts';
import type { PimMode } from '../memory/pim/controller.ts';
import type { DramActivity } from '../physical/dram.ts';
import { bankOrder } from './bank-order.ts';
import type { DeviceMemory, Run } from './memory.ts';
import { PimWatch } from './pim-watch.ts';

export interface PimMemoryOptions extends PimChannelOptions {
  /** Commands of jobs that the host sends in a cycle, all channels together; null: any number. */
  readonly issue: number | null;
  /** Each channel is simulated on its own, also while several do the same: what tests compare with. */
  readonly apart?: boolean;
}

/** A transfer or a job that ends in a cycle, and whom to tell. */
interface End {
  readonly cycle: number;
  readonly tag: number;
  readonly done: (ps: number) => void;
}

function isBefore(one: End, other: End): boolean {
  return one.cycle < other.cycle || (one.cycle === other.cycle && one.tag < other.tag);
}

/** The cycle of the first of a list in order; infinite when there is none. */
function cycleOf(list: readonly { readonly cycle: number }[]): number {
  return list[0]?.cycle ?? Number.POSITIVE_INFINITY;
}

/** Bytes are laid over channels a row of one bank at a time, and within a channel over banks (`bankOrder`), then rows. */
export class PimMemory implements DeviceMemory {
  /** Its channels take transfers one after another. */
  readonly depth = 16;
  readonly device: DramDevice;
  readonly clock: Clock;
  readonly channels: readonly PimChannel[];
  /** Of the channels that are simulated. */
  readonly watch: PimWatch;
  readonly mode: PimMode;
  bytesRead = 0;
  bytesWritten = 0;
  /** Transfers that are under way: accesses that have not been done, and whom to tell. */
  readonly #left = new Map<number, { left: number; last: number; done: (ps: number) => void }>();
  readonly #jobs = new Map<number, (ps: number) => void>();
  #tags = 0;
  /** Jobs that the host has not begun to send, the cycle in which it is done with those before, and commands in a cycle. */
  readonly #later: { cycle: number; channel: number; program: PimProgram; tag: number; row: number }[] = [];
  #sending = 0;
  readonly #issue: number | null;
  /** By channel: a cycle before which nobody is told of anything in it, if nothing is pushed; NaN where not known. */
  readonly #bounds: Float64Array;
  /** The channel with the first bound, and whether it is known. */
  #soonest = 0;
  #isKnown = false;
  readonly #all: readonly number[];
  /** By channel: the one that stands for it while both do the same, mostly itself; and how many follow another one. */
  readonly #leader: Int32Array;
  #following = 0;
  readonly #mayFollow: boolean;
  /** Where operands of jobs are written: the last row of the first bank. */
  readonly #operandColumn: number;
  /** What is known to end, and has not been told, by cycle, then by tag. */
  readonly #ends: End[] = [];
  /** Banks in the order in which rows lie in them; null: as they are counted. */
  readonly #banks: readonly number[] | null;
  /** Transfers and jobs that are under way, and the cycles with any. */
  #underWay = 0;
  #since = 0;
  #until = 0;
  #busyCycles = 0;
  /** Channels that there are, and for how many each one that is simulated stands. */
  readonly count: number;
  readonly weight: number;

  /** `alike`: all channels do the same, so that one stands for all. */
  constructor(
    device: DramDevice,
    clock: Clock,
    count: number,
    alike: boolean,
    { issue, apart = false, ...options }: PimMemoryOptions,
  ) {
    this.device = device;
    this.clock = clock;
    this.count = count;
    this.#issue = issue;
    this.weight = alike ? count : 1;
    this.#operandColumn = (device.rows - 1) * banksOf(device) * device.bursts;
    const order = bankOrder(device);
    this.#banks = order.some((bank, i) => bank !== i) ? order : null;
    const listener = {
      access: (tag: number, cycle: number) => this.#accessed(tag, cycle),
      job: (tag: number, cycle: number) => {
        const done = this.#jobs.get(tag);
        if (!done) throw new Error('a job that nobody gave');
        this.#jobs.delete(tag);
        this.#keep({ cycle, tag, done });
      },
    };
    const simulated = alike ? 1 : count;
    this.watch = new PimWatch(device, simulated);
    this.mode = options.mode ?? 'concurrent';
    this.channels = Array.from({ length: simulated }, (_, channel) => {
      return new PimChannel(device, listener, { ...options, watcher: this.watch.of(channel) });
    });
    this.#all = this.channels.map((_, i) => i);
    this.#bounds = new Float64Array(simulated).fill(Number.POSITIVE_INFINITY);
    this.#leader = Int32Array.from(this.#all);
    // A log is told of every command of every channel.
    this.#mayFollow = !apart && !options.log;
  }

  submit(ps: number, runs: readonly Run[], write: boolean, done: (ps: number) => void): void {
    const tag = this.#tags++;
    this.#reach(ps);
    this.#begin(ps);
    if (!runs.every((run) => this.#isEven(run))) this.#separate();
    else if (this.#mayFollow && this.#following < this.channels.length - 1) this.#findLeaders();
    let left = 0;
    for (const { base, width } of runs) {
      if (write) this.bytesWritten += width;
      else this.bytesRead += width;
      for (const channel of this.#all) if (this.#leads(channel)) left += this.#push(channel, base, width, write, tag);
    }
    this.#left.set(tag, { left, last: 0, done });
  }

  /** Whether all channels have the same columns of a run. */
  #isEven({ base, width }: Run): boolean {
    const { burstBytes, bursts } = this.device;
    const stripe = bursts * this.count;
    return Math.floor(base / burstBytes) % stripe === 0 && Math.ceil((base + width) / burstBytes) % stripe === 0;
  }

  /** Pushes what a channel has of a run; returns the number of accesses, each of columns that follow each other. */
  #push(index: number, base: number, width: number, write: boolean, tag: number): number {
    const { burstBytes, bursts } = this.device;
    const first = Math.floor(base / burstBytes);
    const end = Math.ceil((base + width) / burstBytes);
    const from = this.#columnsBefore(first, index, bursts);
    const to = this.#columnsBefore(end, index, bursts);
    if (to <= from) return 0;
    const channel = this.#pushed(index);
    if (this.#banks === null) {
      channel.pushAccess(write, from, to - from, tag);
      return 1;
    }
    let pushed = 0;
    for (let column = from; column < to; pushed++) {
      const row = Math.floor(column / bursts);
      const stop = Math.min(to, (row + 1) * bursts);
      const { length } = this.#banks;
      const place = row - (row % length) + this.#banks[row % length]!;
      channel.pushAccess(write, place * bursts + (column % bursts), stop - column, tag);
      column = stop;
    }
    return pushed;
  }

  /** Columns below `column` of the whole memory that lie in a channel. */
  #columnsBefore(column: number, channel: number, bursts: number): number {
    const row = Math.floor(column / bursts);
    const rows = Math.floor(row / this.count) + (row % this.count > channel ? 1 : 0);
    return rows * bursts + (row % this.count === channel ? column % bursts : 0);
  }

  /** A time before which nobody is told of anything. */
  get bound(): number {
    const cycle = Math.min(this.#bounds[this.#first]!, cycleOf(this.#later), cycleOf(this.#ends));
    return cycle === Number.POSITIVE_INFINITY ? cycle : this.clock.edge(cycle);
  }

  /** The channel with the first bound. */
  get #first(): number {
    if (this.#isKnown) return this.#soonest;
    const bounds = this.#bounds;
    let first = 0;
    for (let i = 0; i < bounds.length; i++) {
      if (Number.isNaN(bounds[i]!)) bounds[i] = this.channels[i]!.bound;
      if (bounds[i]! < bounds[first]!) first = i;
    }
    this.#isKnown = true;
    this.#soonest = first;
    return first;
  }

  /** The first bound of the channels but one. */
  #boundBut(channel: number): number {
    const bounds = this.#bounds;
    let bound = Number.POSITIVE_INFINITY;
    for (let i = 0; i < bounds.length; i++) if (i !== channel && bounds[i]! < bound) bound = bounds[i]!;
    return bound;
  }

  /**
   * Channels know nothing of each other: the one that may be the first to tell of something is run up to where another
   * one may be, so that none is ever ahead of a time at which something is pushed to it. Ends are told in their order.
   */
  advance(ps: number): void {
    const limit = ps === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : this.clock.period.floorInto(ps);
    for (;;) {
      const first = this.#first;
      const bound = this.#bounds[first]!;
      const later = cycleOf(this.#later);
      const end = cycleOf(this.#ends);
      if (Math.min(bound, later, end) > limit) return;
      if (end < Math.min(bound, later)) {
        this.#tell();
        return;
      }
      if (later <= bound) this.#handOut(later);
      else this.#run(first, Math.min(limit, later, end, this.#boundBut(first)));
    }
  }

  #keep(end: End): void {
    const ends = this.#ends;
    let place = ends.push(end) - 1;
    for (; place > 0 && isBefore(end, ends[place - 1]!); place--) ends[place] = ends[place - 1]!;
    ends[place] = end;
  }

  /** Tells of the first end. */
  #tell(): void {
    const end = this.#ends.shift();
    if (!end) return;
    this.#end(end.cycle);
    end.done(this.clock.edge(end.cycle));
  }

  /** Runs a channel up to a cycle, or to the first in which somebody was told. */
  #run(index: number, cycle: number): void {
    const channel = this.channels[index]!;
    channel.advance(cycle);
    // What held before still holds, unless something was pushed.
    this.#bounds[index] = Math.max(this.#bounds[index]!, channel.bound);
    this.#isKnown = false;
  }

  /** Runs a channel, or the one that stands for it, up to a cycle. */
  #reachIn(index: number, cycle: number): void {
    const leader = this.#leader[index]!;
    while (this.channels[leader]!.now < cycle) this.#run(leader, cycle);
  }

  #leads(channel: number): boolean {
    return this.#leader[channel] === channel;
  }

  /** Of channels that have nothing to do and are alike, the first one stands for all. */
  #findLeaders(): void {
    const found: number[] = [];
    for (const channel of this.#all) {
      if (!this.#leads(channel) || !this.channels[channel]!.isIdle) continue;
      const leader = found.find(
        (one) => this.channels[one]!.isAlike(this.channels[channel]!) && this.watch.isAlike(one, channel),
      );
      if (leader === undefined) found.push(channel);
      else for (const one of this.#separated(channel)) this.#follow(one, leader);
    }
  }

  #follow(channel: number, leader: number): void {
    const { now } = this.channels[leader]!;
    this.channels[channel]!.follow(this.channels[leader]!);
    this.watch.follow(channel, leader, now);
    this.#leader[channel] = leader;
    this.#bounds[channel] = Number.POSITIVE_INFINITY;
    this.#isKnown = false;
    this.#following++;
  }

  #separate(): void {
    if (this.#following > 0) for (const channel of this.#all) this.#separated(channel);
  }

  /** Ends that a channel stands for others, or another one for it. Returns all of them. */
  #separated(channel: number): readonly number[] {
    if (this.#following === 0) return [channel];
    const leader = this.#leader[channel]!;
    const all = this.#all.filter((one) => this.#leader[one] === leader);
    if (all.length === 1) return all;
    const { now, tags } = this.channels[leader]!;
    for (const one of all) {
      if (one === leader) continue;
      this.channels[one]!.leave(this.channels[leader]!);
      this.watch.leave(one, leader, now);
      this.#leader[one] = one;
      this.#following--;
      this.#changed(one);
    }
    // What waits in it waits in all of them.
    for (const tag of tags) this.#transfer(tag).left += all.length - 1;
    return all;
  }

  /** Ends at a time at which nothing is under way. */
  finish(ps: number): void {
    this.#reach(ps);
    this.#separate();
    this.watch.finish(this.cycles);
  }

  /** The last cycle that has been executed. */
  get cycles(): number {
    return Math.max(...this.channels.map(({ now }) => now));
  }

  /** Commands sent in all channels, by index of the device's. */
  get commands(): readonly number[] {
    return this.device.commands.map((_, i) => this.channels.reduce((sum, c) => sum + this.weight * c.commands[i]!, 0));
  }

  get names(): readonly string[] {
    return this.device.commands.map(({ name }) => name);
  }

  /** What its energy depends on. Standby of ranks is not told apart: all of it counts as idle. */
  get activity(): DramActivity {
    const ticks = (this.channels[0]!.now + 1) * this.device.ticksPerClock;
    const at = Math.max(this.device.levels.indexOf('rank'), this.device.levels.indexOf('pseudoChannel'), 0);
    const ranks = this.device.counts.slice(0, at + 1).reduce((all, count) => all * count, this.count);
    const columns = this.channels.map((channel) => channel.columns);
    return {
      commands: this.commands,
      columns: this.device.commands.map((_, i) => columns.reduce((sum, one) => sum + this.weight * one[i]!, 0)),
      ranks: Array.from({ length: ranks }, () => ({ activeTicks: 0, idleTicks: ticks })),
    };
  }

  /** Picoseconds with a transfer or a job under way. */
  get busy(): number {
    return this.clock.edge(this.#busyCycles);
  }

  #begin(ps: number): void {
    if (this.#underWay++ === 0) this.#since = Math.max(this.clock.period.floorInto(ps), this.#until);
  }

  #end(cycle: number): void {
    this.#until = Math.max(this.#until, cycle);
    if (--this.#underWay === 0) this.#busyCycles += this.#until - this.#since;
  }

  /** Hands out jobs whose first command the host sends by a cycle. */
  #handOut(cycle: number): void {
    for (let first = this.#later[0]; first && first.cycle <= cycle; first = this.#later[0]) {
      this.#later.shift();
      this.#reachIn(first.channel, first.cycle);
      this.#own(first.channel).pushJob(first.program, first.tag, first.row);
    }
  }

  /** Brings channels to a time, at which something is pushed to them. */
  #reach(ps: number, channels = this.#all): void {
    const cycle = this.clock.period.floorInto(ps);
    this.#handOut(cycle);
    for (const channel of channels) this.#reachIn(channel, cycle);
  }

  #accessed(tag: number, cycle: number): void {
    const transfer = this.#transfer(tag);
    transfer.last = Math.max(transfer.last, cycle);
    if (--transfer.left > 0) return;
    this.#left.delete(tag);
    this.#keep({ cycle: transfer.last, tag, done: transfer.done });
  }

  #transfer(tag: number): { left: number; last: number; done: (ps: number) => void } {
    const transfer = this.#left.get(tag);
    if (!transfer) throw new Error('an access of no transfer');
    return transfer;
  }

  /**
   * Gives a channel a job at a time that no later one may come before, or all channels; returns how many that are, each of
   * which tells of its end. The rows of the program count from `row`.
   */
  job(ps: number, channel: number | null, program: PimProgram, done: (ps: number) => void, row = 0): number {
    const given = this.#given(channel);
    this.#reach(ps, given);
    for (const one of given) {
      const tag = this.#tags++;
      this.#begin(ps);
      this.#jobs.set(tag, done);
      const cycle = this.#issued(ps, program);
      if (cycle > this.channels[this.#leader[one]!]!.now) this.#later.push({ cycle, channel: one, program, tag, row });
      else this.#own(one).pushJob(program, tag, row);
    }
    return given.length;
  }

  #given(channel: number | null): readonly number[] {
    return this.weight > 1 || channel === null ? this.#all : [channel];
  }

  /** A channel to push something to, so that its bound has to be found again. */
  #pushed(index: number): PimChannel {
    this.#changed(index);
    return this.channels[index]!;
  }

  /** The same, to push what others do not get. */
  #own(index: number): PimChannel {
    this.#separated(index);
    return this.#pushed(index);
  }

  #changed(index: number): void {
    this.#bounds[index] = Number.NaN;
    this.#isKnown = false;
  }

  /** The cycle in which the host sends the first command of a job, after those of the jobs before. */
  #issued(ps: number, program: PimProgram): number {
    if (this.#issue === null) return 0;
    const first = Math.max(this.clock.period.floorInto(ps), this.#sending);
    this.#sending = first + (this.weight * commandsOf(program)) / this.#issue;
    return Math.floor(first);
  }

  /** Writes bytes in one channel, which is where a job there takes its operands from. */
  write(ps: number, channel: number | null, bytes: number, done: (ps: number) => void): number {
    const given = this.#given(channel);
    this.#reach(ps, given);
    const columns = Math.ceil(bytes / this.device.burstBytes);
    this.bytesWritten += bytes * given.length * this.weight;
    for (const one of given) {
      const tag = this.#tags++;
      this.#begin(ps);
      this.#left.set(tag, { left: 1, last: 0, done });
      this.#own(one).pushAccess(true, this.#operandColumn, columns, tag);
    }
    return given.length;
  }
}

/** Commands of a program. */
function commandsOf(program: PimProgram): number {
  return program.reduce((sum, step) => {
    if (step.kind === 'repeat') return sum + step.times * commandsOf(step.steps);
    return step.kind === 'commands' ? sum + step.count : sum;
  }, 0);
}
