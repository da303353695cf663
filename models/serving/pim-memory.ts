/** Channels that compute as the memory of a device: ordinary transfers over all of them, and jobs in single ones. */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import type { Clock } from '../kernel/clock.ts';
import { PimChannel, type PimChannelOptions } from '../memory/pim/channel.ts';
import type { DeviceMemory, Run } from './memory.ts';

/** Told of a job, in picoseconds: each result that has come, and that all is done. */
export interface JobListener {
  readonly result?: (index: number, ps: number) => void;
  readonly done: (ps: number) => void;
}

/** Bytes are laid over channels a row of one bank at a time, and within a channel over banks, then rows. */
export class PimMemory implements DeviceMemory {
  readonly device: DramDevice;
  readonly clock: Clock;
  readonly channels: readonly PimChannel[];
  bytesRead = 0;
  bytesWritten = 0;
  /** Transfers that are under way: accesses that have not been done, and whom to tell. */
  readonly #left = new Map<number, { left: number; last: number; done: (ps: number) => void }>();
  readonly #jobs = new Map<number, JobListener>();
  #tags = 0;
  /** Cycles from a command at least until somebody is told of it. */
  readonly #latency: number;
  #told = false;
  /** Channels that there are, and for how many each one that is simulated stands. */
  readonly count: number;
  readonly weight: number;

  /** `alike`: all channels do the same, so that one stands for all. */
  constructor(device: DramDevice, clock: Clock, count: number, alike: boolean, options: PimChannelOptions) {
    this.device = device;
    this.clock = clock;
    this.count = count;
    this.weight = alike ? count : 1;
    this.#latency = Math.max(1, Math.floor(Math.min(device.readLatency, device.writeLatency) / device.ticksPerClock));
    const listener = {
      access: (tag: number, cycle: number) => this.#accessed(tag, cycle),
      job: (tag: number, cycle: number) => {
        const job = this.#jobs.get(tag);
        this.#jobs.delete(tag);
        this.#told = true;
        job?.done(this.clock.edge(cycle));
      },
      result: (tag: number, index: number, cycle: number) => {
        const job = this.#jobs.get(tag);
        if (!job?.result) return;
        this.#told = true;
        job.result(index, this.clock.edge(cycle));
      },
    };
    this.channels = Array.from({ length: alike ? 1 : count }, () => new PimChannel(device, listener, options));
  }

  submit(ps: number, runs: readonly Run[], write: boolean, done: (ps: number) => void): void {
    const tag = this.#tags++;
    this.#reach(ps);
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
    if (to > from) channel.pushAccess(write, from, to - from, tag);
    return to > from ? 1 : 0;
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
    return next;
  }

  advance(ps: number): void {
    const limit = ps === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : this.clock.period.floorInto(ps);
    this.#told = false;
    while (!this.#told) {
      const horizon = Math.min(limit, this.#next + this.#latency - 1);
      if (this.#next > horizon) return;
      for (let i = 0; i < this.channels.length; i++) this.#run(this.channels[i]!, horizon);
    }
  }

  #run(channel: PimChannel, cycle: number): void {
    while (channel.now < cycle) channel.advance(cycle);
  }

  /** Brings all channels to a time, at which something is pushed. */
  #reach(ps: number): void {
    const cycle = this.clock.period.floorInto(ps);
    for (let i = 0; i < this.channels.length; i++) this.#run(this.channels[i]!, cycle);
  }

  #accessed(tag: number, cycle: number): void {
    const transfer = this.#left.get(tag);
    if (!transfer) throw new Error('an access of no transfer');
    transfer.last = Math.max(transfer.last, cycle);
    if (--transfer.left > 0) return;
    this.#left.delete(tag);
    this.#told = true;
    transfer.done(this.clock.edge(transfer.last));
  }

  /** Gives a channel a job at a time that no later one may come before. */
  job(ps: number, channel: number, program: PimProgram, listener: JobListener): void {
    const tag = this.#tags++;
    this.#reach(ps);
    this.#jobs.set(tag, listener);
    this.channels[this.weight > 1 ? 0 : channel]!.pushJob(program, tag);
  }
}
