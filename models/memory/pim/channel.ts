/**
 * A channel of a memory that computes, for a clocked machine to drive: jobs of PIM commands, done one after the other, and
 * ordinary accesses, on one command bus.
 *
 * The machine pushes work whenever it likes, and calls `advance` with the cycle up to which it will push no more. What is
 * pushed may be sent from the cycle after that on. Cycles are of the memory's clock and begin with 0.
 */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import { PimController, type PimLog, type PimMode } from './controller.ts';
import { instructionsIn, ProgramCursor } from './cursor.ts';
import type { Addressed } from './queue.ts';

/** Told as soon as it is known, which is when the command for it is sent: `cycle` may lie ahead, never behind. */
export interface PimListener {
  /** The `index`-th result of a job, counted from 0, is outside: what one of its commands moves to the host. */
  readonly result?: (tag: number, index: number, cycle: number) => void;
  /** A job's last command has been done: sent, or, where it has a result, that is outside. */
  readonly job: (tag: number, cycle: number) => void;
  /** The last data of an access are outside; of a write, they are in the memory. */
  readonly access: (tag: number, cycle: number) => void;
}

export interface PimChannelOptions {
  /** `blocked`: accesses wait while PIM work is under way, which begins when none waits. `concurrent`: they go between. */
  readonly mode?: PimMode;
  readonly refresh?: 'all-bank' | 'none';
  /** Told of every command. */
  readonly log?: PimLog | null;
}

interface Job {
  readonly cursor: ProgramCursor;
  readonly tag: number;
  results: number;
}

interface Access {
  readonly tag: number;
  readonly isWrite: boolean;
  address: number;
  left: number;
  unsent: number;
}

export class PimChannel {
  /** The last cycle that has been executed; -1 at first. */
  now = -1;
  readonly #device: DramDevice;
  readonly #controller: PimController;
  readonly #listener: PimListener;
  readonly #jobs: Job[] = [];
  readonly #accesses = new Map<number, Access>();
  readonly #waiting: Access[] = [];
  readonly #read: number;
  readonly #write: number;
  #told = false;
  #arrived = false;
  #ids = 0;
  /** Whether all commands of the first job are in the queue. */
  #isSpent = false;

  constructor(device: DramDevice, listener: PimListener, options: PimChannelOptions = {}) {
    const { mode, refresh, log = null } = options;
    this.#device = device;
    this.#listener = listener;
    this.#read = device.commands.findIndex(({ access, banks }) => access === 'read' && banks === 'none');
    this.#write = device.commands.findIndex(({ access, banks }) => access === 'write' && banks === 'none');
    this.#controller = new PimController(device, device.commands.keys(), {
      ...(mode && { mode }),
      ...(refresh && { refresh }),
      log,
      sent: (tick, command, address) => this.#sent(tick, command, address),
    });
  }

  /** PIM commands to be done in their order after those of the jobs before. @throws InputError as `ProgramCursor` does */
  pushJob(program: PimProgram, tag: number): void {
    if (instructionsIn(program).length > 0) throw new Error('a job is of commands, not of instructions to a host');
    const cursor = new ProgramCursor(program, this.#device);
    if (!cursor.next()) throw new Error('a job without commands');
    this.#jobs.push({ cursor, tag, results: 0 });
    this.#arrived = true;
  }

  /**
   * Reads or writes `count` columns (of one access each) from an address on, which counts columns: those of a row of a bank,
   * then of the same row of the next bank, from the lowest level up, then of the next row.
   */
  pushAccess(isWrite: boolean, address: number, count: number, tag: number): void {
    this.#waiting.push({ tag, isWrite, address, left: count, unsent: count });
    this.#arrived = true;
  }

  /** Columns of accesses that have not been sent. */
  get waiting(): number {
    let waiting = 0;
    for (const { unsent } of new Set([...this.#accesses.values(), ...this.#waiting])) waiting += unsent;
    return waiting;
  }

  /** Whether there is neither a job nor an access to be sent. */
  get isIdle(): boolean {
    return this.#jobs.length === 0 && this.#waiting.length === 0 && this.#controller.waiting === 0;
  }

  /** A cycle before which nothing will be told if nothing is pushed; infinite when all work is done. */
  get next(): number {
    if (this.isIdle) return Number.POSITIVE_INFINITY;
    return this.#nextCycle;
  }

  /** The next cycle in which something arrives, finds room or is sent. */
  get #nextCycle(): number {
    const { commands, requests, next } = this.#controller;
    const hasRoom =
      (this.#jobs.length > 0 && !this.#isSpent && !commands.isFull) || (this.#waiting.length > 0 && !requests.isFull);
    return this.#arrived || hasRoom ? this.now + 1 : Math.max(this.now + 1, next);
  }

  /** Commands sent so far, by index in the device. */
  get commands(): Readonly<Float64Array> {
    return this.#controller.rows.sent;
  }

  /**
   * Executes the cycles up to and with `limit`, but none after the first in which the listener was told something, for the
   * machine may push in answer. Returns the last cycle executed, which is `now`.
   */
  advance(limit: number): number {
    this.#told = false;
    while (this.now < limit && !this.#told) {
      const cycle = this.#nextCycle;
      if (cycle > limit) {
        this.now = limit;
        break;
      }
      this.now = cycle;
      this.#fill();
      this.#controller.cycle(cycle, limit + 1);
    }
    return this.now;
  }

  /** Hands the controller as much of what waits as its queues take. */
  #fill(): void {
    const { commands, requests } = this.#controller;
    const job = this.#jobs[0];
    while (job && !this.#isSpent && !commands.isFull) {
      commands.pushRun(job.cursor, this.now);
      this.#isSpent = !job.cursor.next();
    }
    for (let access = this.#waiting[0]; access && !requests.isFull; access = this.#waiting[0]) {
      const id = this.#ids++;
      this.#accesses.set(id, access);
      requests.push(this.#addressed(access, id), this.now);
      access.address++;
      if (--access.left === 0) this.#waiting.shift();
    }
    this.#arrived = false;
  }

  #addressed({ isWrite, address }: Access, entry: number): Addressed {
    const { bursts } = this.#device;
    const banks = this.#controller.rows.openRow.length;
    return {
      command: isWrite ? this.#write : this.#read,
      column: address % bursts,
      bank: Math.floor(address / bursts) % banks,
      row: Math.floor(address / bursts / banks),
      entry,
      sum: 0,
    };
  }

  /** A command was sent, perhaps only to open or close a row. */
  #sent(tick: number, index: number, { command, entry }: Addressed): void {
    if (index !== command) return;
    const { readLatency, writeLatency, ticksPerClock } = this.#device;
    const cycle = Math.floor(tick / ticksPerClock);
    const after = (latency: number): number => cycle + Math.ceil(latency / ticksPerClock);
    if (index === this.#read || index === this.#write) {
      const access = this.#accesses.get(entry);
      if (!access) return;
      this.#accesses.delete(entry);
      if (--access.unsent > 0) return;
      this.#listener.access(access.tag, after(access.isWrite ? writeLatency : readLatency));
      this.#told = true;
      return;
    }
    const [job] = this.#jobs;
    if (!job) return;
    const { pim, takes = readLatency } = this.#device.commands[index]!;
    const isResult = pim?.kind === 'moves' && pim.to === 'host';
    const end = isResult ? after(takes) : cycle + 1;
    if (isResult && this.#listener.result) {
      this.#listener.result(job.tag, job.results++, end);
      this.#told = true;
    }
    if (!this.#isSpent || this.#controller.commands.size > 1) return;
    this.#jobs.shift();
    this.#isSpent = false;
    this.#listener.job(job.tag, end);
    this.#told = true;
  }
}
