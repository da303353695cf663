/** A main memory that computes, for clocked machines: ordinary transfers and products on the same channels. */
import { banksOf } from '../arch/language/dram/device.ts';
import type { Box } from '../workloads/language/region.ts';
import type { Workload } from '../workloads/language/workload.ts';
import { Matrices } from './binding/matrices.ts';
import type { Program } from './binding/program.ts';
import { memoryBandwidth, type Topology } from './binding/topology.ts';
import { Clock, Ratio } from './kernel/clock.ts';
import type { Kernel } from './kernel/kernel.ts';
import { bytesIn, type Runs } from './memory/dram/stream.ts';
import type { Moved, Requester } from './memory/dram/transfers.ts';
import type { PimMode } from './memory/pim/controller.ts';
import type { Traffic } from './memory/port.ts';
import { type LaterMemory, MemoryProcess } from './memory/process.ts';
import type { PimTask } from './pim-product.ts';
import { Events } from './serving/events.ts';
import type { Run } from './serving/memory.ts';
import { PimMemory } from './serving/pim-memory.ts';

/** Writes that may be under way while whoever asked for them goes on. */
const postedWrites = 16;

interface Options {
  readonly mode: PimMode;
  readonly issue: number | null;
  readonly refresh: 'all-bank' | 'none';
  /** Peak of ordinary transfers. */
  readonly bytesPerSecond: number;
}

/** A transfer as its requester is told of it; ticks are cycles. */
class Transfer implements Moved {
  readonly write: boolean;
  readonly firstTaken: number;
  taken: number;
  arrived = 0;

  constructor(write: boolean, tick: number) {
    this.write = write;
    this.firstTaken = tick;
    this.taken = tick;
  }
}

/**
 * A read is taken at once, so that as many are under way as there is room for on the chip; so are the first 16 writes, and
 * each further one when one of those has been done.
 */
export class ComputingMemory implements Traffic, LaterMemory {
  readonly name: string;
  readonly bytesPerSecond: number;
  /** Of its cycles. */
  readonly clock: Clock;
  readonly memory: PimMemory;
  bytesRead = 0;
  bytesWritten = 0;
  reads = 0;
  writes = 0;
  /** Picoseconds from when reads are asked for until their data have come, added up. */
  readLatencySum = 0;
  /** Bytes of vectors that were written for products, by tensor. */
  readonly vectors = new Map<string, number>();
  readonly #matrices: Matrices;
  readonly #events = new Events();
  #process: MemoryProcess | null = null;
  #told = false;
  /** Transfers and products under way, the writes among them, and writes that wait to be taken. */
  #underWay = 0;
  #posted = 0;
  readonly #waiting: ((ps: number) => void)[] = [];
  #last = 0;

  constructor(name: string, matrices: Matrices, { mode, issue, refresh, bytesPerSecond }: Options) {
    const { device, channels } = matrices;
    this.name = name;
    this.bytesPerSecond = bytesPerSecond;
    this.clock = Clock.ofPeriod(name, new Ratio(device.clockPs, 1));
    this.memory = new PimMemory(device, this.clock, channels, false, { mode, issue, refresh });
    this.#matrices = matrices;
  }

  /** Makes it a process of a kernel, on which requesters run. */
  attach(kernel: Kernel): void {
    this.#process = new MemoryProcess(kernel, this);
  }

  /** Takes on whole runs of `bytes` at a time that no later request may come before. */
  submit(ps: number, list: readonly Runs[], bytes: number, write: boolean, requester: Requester): Moved {
    const transfer = new Transfer(write, this.clock.cycleAtOrAfter(ps));
    this.#underWay++;
    if (write) {
      this.writes++;
      this.bytesWritten += bytes;
      this.#post(ps, transfer, requester);
    } else {
      this.reads++;
      this.bytesRead += bytes;
      this.#events.at(ps, () => this.#tell(() => requester.taken(transfer)));
    }
    this.memory.submit(ps, flat(list, this.memory.device.burstBytes), write, (end) => {
      this.#end(end);
      transfer.arrived = this.clock.cycleAtOrAfter(end);
      if (write) this.#written(end);
      else {
        this.readLatencySum += end - ps;
        this.#tell(() => requester.arrived(transfer));
      }
    });
    this.#process?.expect();
    return transfer;
  }

  /** Begins an operation's products on a tile at a time that no later request may come before; `done` is told of their end. */
  compute(ps: number, operation: string, tile: Box, done: (ps: number) => void): void {
    const product = this.#matrices.of(operation);
    const tasks = product.tasks(tile);
    this.#underWay++;
    let left = tasks.length;
    let last = ps;
    const ended = (end: number): void => {
      last = Math.max(last, end);
      if (--left > 0) return;
      this.#end(last);
      this.#tell(() => done(last));
    };
    for (const { channel, program, vector } of tasks) {
      if (vector === null) {
        left += this.memory.job(ps, channel, program, ended) - 1;
        continue;
      }
      this.writes++;
      this.bytesWritten += vector.bytes;
      this.vectors.set(product.vector, (this.vectors.get(product.vector) ?? 0) + vector.bytes);
      this.memory.submit(ps, [this.#vectorRun(channel, vector)], true, (end) => {
        this.#events.at(end, () => this.memory.job(end, channel, program, ended));
      });
    }
    this.#process?.expect();
  }

  /** Where a vector lies: the first bank's row. */
  #vectorRun(channel: number, { row, bytes }: NonNullable<PimTask['vector']>): Run {
    const { device, count } = this.memory;
    return { base: (row * banksOf(device) * count + channel) * device.bursts * device.burstBytes, width: bytes };
  }

  #post(ps: number, transfer: Transfer, requester: Requester): void {
    const take = (at: number): void => {
      transfer.taken = this.clock.cycleAtOrAfter(at);
      this.#events.at(at, () => this.#tell(() => requester.taken(transfer)));
    };
    if (this.#posted < postedWrites) {
      this.#posted++;
      take(ps);
    } else this.#waiting.push(take);
  }

  #written(ps: number): void {
    const next = this.#waiting.shift();
    if (next) next(ps);
    else this.#posted--;
  }

  #end(ps: number): void {
    this.#last = Math.max(this.#last, ps);
    this.#underWay--;
  }

  #tell(requester: () => void): void {
    this.#told = true;
    requester();
  }

  get isIdle(): boolean {
    return this.#underWay === 0 && this.#events.first === Number.POSITIVE_INFINITY;
  }

  /** Picoseconds before which nothing happens that a requester would be told of; infinite when nothing is under way. */
  get bound(): number {
    return Math.min(this.#events.first, this.memory.bound);
  }

  /** Goes on until requesters have been told of something, or until others act at `ps`. */
  advance(ps: number): void {
    this.#told = false;
    while (!this.#told && this.bound <= ps && this.bound < Number.POSITIVE_INFINITY) {
      const { first } = this.#events;
      if (this.memory.bound <= first) this.memory.advance(Math.min(first, ps));
      else this.#events.step();
    }
  }

  /** When the last of what has been done so far was done, in picoseconds. */
  drain(): number {
    return this.#last;
  }

  /** Ends at a time at which nothing is under way. */
  finish(ps: number): void {
    this.memory.finish(ps);
  }

  /** What its matrices' layouts lose, in sentences. */
  get losses(): readonly string[] {
    return this.#matrices.losses;
  }

  /** Picoseconds with a transfer or a product under way. */
  get busy(): number {
    return this.memory.busy;
  }

  /** Seconds from when a read is asked for until its data have come, on average; 0 without reads. */
  get averageReadLatency(): number {
    return this.reads > 0 ? (this.readLatencySum / this.reads) * 1e-12 : 0;
  }
}

/** The memories in which a program multiplies. */
export function computingMemories(topology: Topology, program: Program, workload: Workload): ComputingMemory[] {
  return topology.memories.flatMap((site): ComputingMemory[] => {
    const { path, part } = site;
    if (!part.dram?.pim) return [];
    const matrices = new Matrices(path, part, workload, program, topology);
    const { pim: mode, issue, refreshes } = part.dram;
    const refresh = refreshes === 'none' ? 'none' : 'all-bank';
    const options = { mode, issue, refresh, bytesPerSecond: memoryBandwidth(site) } as const;
    return matrices.areThere ? [new ComputingMemory(path, matrices, options)] : [];
  });
}

/** Single runs, without what follows in the same columns. */
function flat(list: readonly Runs[], burstBytes: number): Run[] {
  const runs: { base: number; width: number }[] = [];
  const add = (base: number, width: number): void => {
    const from = Math.floor(base / burstBytes) * burstBytes;
    const to = Math.ceil((base + width) / burstBytes) * burstBytes;
    const last = runs.at(-1);
    if (last && from >= last.base && from <= last.base + last.width) last.width = Math.max(last.width, to - last.base);
    else runs.push({ base: from, width: to - from });
  };
  const visit = ({ counts, strides, width }: Runs, loop: number, base: number): void => {
    if (loop === counts.length) {
      add(base, width);
      return;
    }
    for (let i = 0; i < counts[loop]!; i++)
      visit({ base, counts, strides, width }, loop + 1, base + i * strides[loop]!);
  };
  for (const some of list) if (bytesIn(some) > 0) visit(some, 0, some.base);
  return runs;
}
