/**
 * Attention alone on NeuPIMs' machine (stage B): channels that compute beside an NPU whose vector unit does softmaxes and adds up
 * results. What the NPU takes is its tool's (casys-kaist/NeuPIMs, src/NeuPIMSystolicWS.cc, Interconnect.cc, Simulator.cc):
 * instructions leave the core in their order and reach a channel's controller three cycles later; a response is in the core
 * two cycles after it is complete; loads, vector operations and stores are each done in order, one vector operation and one
 * store may begin in a cycle, and a store's write is answered once it is in the channel's write buffer.
 */
import { type AttentionJob, attentionJobs, attentionRows, type DramDevice, PimChannel } from '../../../index.ts';

export interface Request {
  readonly channel: number;
  readonly length: number;
}

/** Figures of NeuPIMs' machine. */
const channels = 32;
const heads = 8;
const headSize = 128;
const vector = { units: 8, lanes: 128 };
/** Cycles from the core to the earliest command, back to the core, and from a store to the answer of its first write. */
const out = 3;
const back = 2;
const answered = 5;
/** Writes that a channel's buffer holds, and those that it keeps. */
const writeBuffer = { high: 32, low: 8 };
/** Bytes of a number, of an access, and of what a row number stands for in a channel's accesses. */
const numberBytes = 2;
const accessBytes = 64;

/** A vector operation and the store of its result. */
interface Operation {
  /** Results that have not come, and the latest cycle in which one is in the core. */
  left: number;
  ready: number;
  readonly latency: number;
  readonly elements: number;
  end: number;
}

/** A job for a channel, from a cycle on. */
interface Timed {
  readonly cycle: number;
  readonly job: AttentionJob;
  /** Operation that a result is for. */
  readonly operationOf: (result: number) => Operation | null;
}

/** A sequence of jobs and operations that all end before the next begins. */
interface Phase {
  readonly jobs: readonly {
    readonly channel: number;
    readonly job: AttentionJob;
    readonly operationOf: Timed['operationOf'];
  }[];
  readonly operations: readonly Operation[];
}

export interface Options {
  readonly mode: 'blocked' | 'concurrent';
  /** Whether all PIM instructions leave the core at once, or one in a cycle. */
  readonly atOnce: boolean;
}

/** Softmax of the numbers of a head: sums in a tree and three operations; the tool counts bytes where it means numbers. */
function softmaxLatency(length: number): number {
  const size = length * numberBytes;
  return 2 * treeSteps(size) + 3 * Math.ceil(size / vector.lanes);
}

function treeSteps(size: number): number {
  const steps = Math.ceil(size / vector.lanes);
  return size <= vector.lanes ? 1 : steps + treeSteps(steps);
}

/** Core cycle in which the last operation has ended. */
export function attentionCycles(device: DramDevice, requests: readonly Request[], options: Options): number {
  const machine = new Machine(device, options);
  let cycle = 1;
  for (const phase of phasesOf(device, requests)) cycle = machine.run(phase, cycle);
  return cycle;
}

function phasesOf(device: DramDevice, requests: readonly Request[]): Phase[] {
  const nextRow = new Array<number>(channels).fill(1);
  // The tool takes requests channel by channel.
  const ordered = [...requests].sort((a, b) => a.channel - b.channel);
  const logits: Phase = { jobs: [], operations: [] };
  const context: Phase = { jobs: [], operations: [] };
  for (const { channel, length } of ordered) {
    const rows = attentionRows(device, { heads, headSize, length });
    const keyRow = nextRow[channel]!;
    const valueRow = keyRow + rows.keys;
    nextRow[channel] = valueRow + rows.values;
    const jobs = attentionJobs(device, { heads, headSize, length, keyRow, valueRow, vectorRow: 0 });
    addLogits(logits, channel, length, jobs.logits);
    addContext(context, channel, jobs.context);
  }
  return [logits, context];
}

type Writable = { jobs: Phase['jobs'][number][]; operations: Operation[] };

function addLogits(phase: Phase, channel: number, length: number, jobs: readonly AttentionJob[]): void {
  const { jobs: all, operations } = phase as Writable;
  const softmaxes = Array.from(
    { length: heads },
    (): Operation => ({
      left: 0,
      ready: 0,
      latency: softmaxLatency(length),
      elements: length,
      end: Number.POSITIVE_INFINITY,
    }),
  );
  for (const job of jobs) {
    for (const head of job.heads) softmaxes[head]!.left += job.results / job.heads.length;
    all.push({ channel, job, operationOf: (result) => softmaxes[job.heads[result % job.heads.length]!]! });
  }
  operations.push(...softmaxes);
}

/** Results of several chunks of tokens are added up and stored; the tool stores the whole head with every part of it. */
function addContext(phase: Phase, channel: number, jobs: readonly AttentionJob[]): void {
  const { jobs: all, operations } = phase as Writable;
  for (let head = 0; head < heads; head++) {
    const own = jobs.filter((job) => job.heads[0] === head);
    const parts = own[0]?.results ?? 0;
    const sums = Array.from(
      { length: own.length > 1 ? parts : 0 },
      (): Operation => ({
        left: own.length,
        ready: 0,
        latency: Math.ceil((headSize * numberBytes) / vector.lanes),
        elements: headSize,
        end: Number.POSITIVE_INFINITY,
      }),
    );
    for (const job of own) all.push({ channel, job, operationOf: (result) => sums[result] ?? null });
    operations.push(...sums);
  }
}

/** Cycles that are run together: no result of one is in the core in another of them. */
const window = 16;

class Machine {
  readonly #device: DramDevice;
  readonly #options: Options;
  readonly #channels: readonly Channel[];
  /** Bytes stored so far: stores go to consecutive addresses. */
  #stored = 0;
  #operation = 0;
  #store = 0;
  /** Latest cycle in which something of the phase was answered. */
  #last = 0;
  readonly #pipes: Operation[][] = Array.from({ length: vector.units }, () => []);

  constructor(device: DramDevice, options: Options) {
    this.#device = device;
    this.#options = options;
    this.#channels = Array.from({ length: channels }, () => new Channel(device, options.mode));
  }

  /** Runs a phase from a core cycle on; returns the one in which the next may begin. */
  run(phase: Phase, from: number): number {
    let instructions = 0;
    for (const { channel, job, operationOf } of phase.jobs) {
      const cycle = from + out + (this.#options.atOnce ? 0 : instructions);
      this.#channels[channel]!.jobs.push({ cycle, job, operationOf });
      instructions += instructionsOf(job, this.#device);
    }
    this.#operation = 0;
    this.#store = 0;
    this.#last = 0;
    for (let start = from; ; start += window) {
      for (const channel of this.#channels) channel.run(start + window);
      for (let cycle = start; cycle < start + window; cycle++) this.#core(phase, cycle);
      const isDone = this.#store === phase.operations.length && this.#channels.every((channel) => channel.isDone);
      if (!isDone) continue;
      const end = Math.max(this.#last, ...this.#channels.map(({ answered: cycle }) => cycle));
      if (end < start + window) return end + 1;
    }
  }

  /** One cycle of the core: results of operations, a store, the beginning of an operation. */
  #core({ operations }: Phase, cycle: number): void {
    for (const pipe of this.#pipes) if (pipe.length > 0 && pipe[0]!.end <= cycle) pipe.shift()!.end = 0;
    const stored = operations[this.#store];
    if (stored?.end === 0) {
      this.#store++;
      this.#write(stored.elements, cycle);
    }
    const operation = operations[this.#operation];
    if (!operation || operation.left > 0 || operation.ready > cycle) return;
    this.#operation++;
    operation.end = cycle + operation.latency;
    // The tool takes the first pipeline where all are busy, and does not let it wait there.
    (this.#pipes.find((pipe) => pipe.length === 0) ?? this.#pipes[0]!).push(operation);
  }

  /** Stores numbers at the next addresses, access by access over the channels. */
  #write(elements: number, cycle: number): void {
    const first = Math.floor((this.#stored + numberBytes) / accessBytes);
    this.#stored += elements * numberBytes;
    const last = Math.floor(this.#stored / accessBytes);
    const counts = new Array<number>(channels).fill(0);
    for (let access = first; access <= last; access++) {
      const channel = access % channels;
      const end = this.#channels[channel]!.write(Math.floor(access / channels), cycle, counts[channel]!++);
      this.#last = Math.max(this.#last, end);
    }
  }
}

/** Commands of a job that the core sends. */
function instructionsOf({ program }: AttentionJob, device: DramDevice): number {
  let count = 0;
  for (const step of program) {
    if (step.kind === 'repeat')
      count += step.times * instructionsOf({ program: step.steps, heads: [], results: 0 }, device);
    else if (step.kind === 'commands') count += step.count;
  }
  return count;
}

/** A channel with what waits for it. */
class Channel {
  readonly jobs: Timed[] = [];
  /** Latest core cycle in which a result is there. */
  answered = 0;
  readonly #channel: PimChannel;
  readonly #running = new Map<number, Timed>();
  #tag = 0;
  #next = 0;
  /** Writes by the cycle from which on they may be sent. */
  readonly #writes: { readonly cycle: number; readonly address: number }[] = [];
  #written = 0;
  /** Of the write buffer: writes in it, those that leave it one in a cycle, and the cycle that this is of. */
  #held = 0;
  #leaving = 0;
  #time = 0;

  constructor(device: DramDevice, mode: Options['mode']) {
    const listener = {
      result: (tag: number, index: number, cycle: number) => this.#result(tag, index, cycle + back),
      job: (tag: number) => this.#running.delete(tag),
      access: () => undefined,
    };
    this.#channel = new PimChannel(device, listener, { mode, writes: { ...writeBuffer, whenIdle: false } });
  }

  get isDone(): boolean {
    return this.#next === this.jobs.length && this.#running.size === 0;
  }

  #result(tag: number, index: number, cycle: number): void {
    this.answered = Math.max(this.answered, cycle);
    const operation = this.#running.get(tag)!.operationOf(index);
    if (!operation) return;
    operation.left--;
    operation.ready = Math.max(operation.ready, cycle);
  }

  /** Executes the cycles before one. */
  run(end: number): void {
    for (;;) {
      const job = this.jobs[this.#next]?.cycle ?? Number.POSITIVE_INFINITY;
      const write = this.#writes[this.#written]?.cycle ?? Number.POSITIVE_INFINITY;
      const next = Math.min(job, write);
      if (next >= end) break;
      this.#reach(next - 1);
      if (write === next) this.#channel.pushAccess(true, this.#writes[this.#written++]!.address, 1, -1);
      else this.#begin(this.jobs[this.#next++]!);
    }
    // Writes alone have no results; what comes after them may come before the end.
    while (this.#running.size > 0 && this.#channel.now < end - 1) this.#channel.advance(end - 1);
  }

  #reach(cycle: number): void {
    while (this.#channel.now < cycle) this.#channel.advance(cycle);
  }

  #begin(timed: Timed): void {
    this.#running.set(this.#tag, timed);
    this.#channel.pushJob(timed.job.program, this.#tag++);
  }

  /** A write leaves the core, the `index`-th for the channel in a cycle, two of which come in a cycle. Returns when it is answered. */
  write(address: number, cycle: number, index: number): number {
    const came = cycle + Math.floor(index / 2);
    // A write to the address of one that waits takes its place: where one store ends in an access, the next begins.
    if (address === this.#writes.at(-1)?.address) return came + answered;
    const arrival = this.#accept(came);
    this.#writes.push({ cycle: arrival + out, address });
    return arrival + answered;
  }

  /** The cycle in which the write buffer takes a write that comes in a cycle. */
  #accept(cycle: number): number {
    let time = Math.max(cycle, this.#time);
    const left = Math.min(this.#leaving, time - this.#time);
    this.#held -= left;
    this.#leaving -= left;
    if (this.#held >= writeBuffer.high) {
      time++;
      this.#held--;
      this.#leaving = Math.max(0, this.#leaving - 1);
    }
    this.#held++;
    if (this.#leaving === 0 && this.#held > writeBuffer.low) this.#leaving = this.#held;
    this.#time = time;
    return time;
  }
}
