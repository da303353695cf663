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
}

/** Bytes are laid over channels a row of one bank at a time, and within a channel over banks (`bankOrder`), then rows. */
export class PimMemory implements DeviceMemory {
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
  readonly #later: { cycle: number; channel: PimChannel; program: PimProgram; tag: number }[] = [];
  #sending = 0;
  readonly #issue: number | null;
  /** Cycles from a command at least until somebody is told of it. */
  readonly #latency: number;
  /** The cycle up to which channels are run. */
  #horizon = 0;
  /** Where operands of jobs are written: the last row of the first bank. */
  readonly #operandColumn: number;
  /** Banks in the order in which rows lie in them; null: as they are counted. */
  readonly #banks: readonly number[] | null;
  #told = false;
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
    { issue, ...options }: PimMemoryOptions,
  ) {
    this.device = device;
    this.clock = clock;
    this.count = count;
    this.#issue = issue;
    this.weight = alike ? count : 1;
    this.#latency = Math.max(1, Math.floor(Math.min(device.readLatency, device.writeLatency) / device.ticksPerClock));
    this.#operandColumn = (device.rows - 1) * banksOf(device) * device.bursts;
    const order = bankOrder(device);
    this.#banks = order.some((bank, i) => bank !== i) ? order : null;
    const listener = {
      access: (tag: number, cycle: number) => this.#accessed(tag, cycle),
      job: (tag: number, cycle: number) => {
        const job = this.#jobs.get(tag);
        this.#jobs.delete(tag);
        this.#told = true;
        this.#end(cycle);
        job?.(this.clock.edge(Math.max(cycle, this.#horizon + 1)));
      },
    };
    const simulated = alike ? 1 : count;
    this.watch = new PimWatch(device, simulated);
    this.mode = options.mode ?? 'concurrent';
    this.channels = Array.from({ length: simulated }, (_, channel) => {
      return new PimChannel(device, listener, { ...options, watcher: this.watch.of(channel) });
    });
  }

  submit(ps: number, runs: readonly Run[], write: boolean, done: (ps: number) => void): void {
    const tag = this.#tags++;
    this.#reach(ps);
    this.#begin(ps);
    let left = 0;
    for (const { base, width } of runs) {
      if (write) this.bytesWritten += width;
      else this.bytesRead += width;
      this.channels.forEach((channel, i) => {
        left += this.#push(channel, i, base, width, write, tag);
      });
    }
    this.#left.set(tag, { left, last: 0, done });
  }

  /** Pushes what a channel has of a run; returns the number of accesses, each of columns that follow each other. */
  #push(channel: PimChannel, index: number, base: number, width: number, write: boolean, tag: number): number {
    const { burstBytes, bursts } = this.device;
    const first = Math.floor(base / burstBytes);
    const end = Math.ceil((base + width) / burstBytes);
    const from = this.#columnsBefore(first, index, bursts);
    const to = this.#columnsBefore(end, index, bursts);
    if (to <= from) return 0;
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

  /** A time before which nobody is told of anything: what is sent next is told of with its latency. */
  get bound(): number {
    const next = this.#next;
    return next === Number.POSITIVE_INFINITY ? next : this.clock.edge(next + this.#latency);
  }

  get #next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.channels.length; i++) next = Math.min(next, this.channels[i]!.next);
    return Math.min(next, this.#later[0]?.cycle ?? next);
  }

  advance(ps: number): void {
    const limit = ps === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : this.clock.period.floorInto(ps);
    this.#told = false;
    while (!this.#told) {
      const next = this.#next;
      if (next > limit) return;
      this.#horizon = Math.min(limit, next + this.#latency - 1);
      this.#handOut(this.#horizon);
      for (let i = 0; i < this.channels.length; i++) this.#run(this.channels[i]!, this.#horizon);
    }
  }

  #run(channel: PimChannel, cycle: number): void {
    while (channel.now < cycle) channel.advance(cycle);
  }

  /** Ends at a time at which nothing is under way. */
  finish(ps: number): void {
    this.#reach(ps);
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
      this.#run(first.channel, first.cycle);
      first.channel.pushJob(first.program, first.tag);
    }
  }

  /** Brings all channels to a time, at which something is pushed. */
  #reach(ps: number): void {
    const cycle = this.clock.period.floorInto(ps);
    this.#handOut(cycle);
    for (let i = 0; i < this.channels.length; i++) this.#run(this.channels[i]!, cycle);
  }

  #accessed(tag: number, cycle: number): void {
    const transfer = this.#left.get(tag);
    if (!transfer) throw new Error('an access of no transfer');
    transfer.last = Math.max(transfer.last, cycle);
    if (--transfer.left > 0) return;
    this.#left.delete(tag);
    this.#told = true;
    this.#end(transfer.last);
    transfer.done(this.clock.edge(transfer.last));
  }

  /**
   * Gives a channel a job at a time that no later one may come before, or all channels; returns how many that are, each of
   * which tells of its end.
   */
  job(ps: number, channel: number | null, program: PimProgram, done: (ps: number) => void): number {
    this.#reach(ps);
    const given = this.#given(channel);
    for (const one of given) {
      const tag = this.#tags++;
      this.#begin(ps);
      this.#jobs.set(tag, done);
      const cycle = this.#issued(ps, program);
      if (cycle > one.now) this.#later.push({ cycle, channel: one, program, tag });
      else one.pushJob(program, tag);
    }
    return given.length;
  }

  #given(channel: number | null): readonly PimChannel[] {
    return this.weight > 1 || channel === null ? this.channels : [this.channels[channel]!];
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
    this.#reach(ps);
    const given = this.#given(channel);
    const columns = Math.ceil(bytes / this.device.burstBytes);
    this.bytesWritten += bytes * given.length * this.weight;
    for (const one of given) {
      const tag = this.#tags++;
      this.#begin(ps);
      this.#left.set(tag, { left: 1, last: 0, done });
      one.pushAccess(true, this.#operandColumn, columns, tag);
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
