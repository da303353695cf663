/** A main memory of DRAM: channels with a controller each, which live for a whole run, and what they did. */
import { type DramDevice, tickPs } from '../../../arch/language/dram/device.ts';
import type { AddressMapping } from '../../../arch/language/dram/mapping.ts';
import { Bins, timelineBins } from '../../kernel/bins.ts';
import { Clock, Ratio } from '../../kernel/clock.ts';
import { apportion } from '../../kernel/estimate.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Passage, Sampled } from '../../kernel/sampling.ts';
import type { DramActivity } from '../../physical/dram.ts';
import type { Traffic } from '../port.ts';
import { type LaterMemory, MemoryProcess } from '../process.ts';
import { controllerFor } from './channel.ts';
import type { Controller, Activity as Told } from './controller.ts';
import { FrontEnd, Part } from './front-end.ts';
import { Counters } from './passing.ts';
import type { ControllerPolicy } from './policy.ts';
import { bytesIn, ChannelStream, type Runs } from './stream.ts';
import { type Requester, Transfer, Transfers } from './transfers.ts';

/** Bins of a bank's activity over time. */
const bankBins = 64;

interface DramOptions {
  readonly device: DramDevice;
  readonly policy: ControllerPolicy;
  readonly mapping: AddressMapping;
  readonly channels: number;
  /** Peak. */
  readonly bytesPerSecond: number;
  /** Runs every channel for itself from the start. The result is the same. */
  readonly isolated?: boolean;
}

/** A transfer that all channels do in the same way. */
interface Even {
  readonly list: readonly Runs[];
  readonly from: number;
  readonly transfer: Transfer;
}

/**
 * As long as every transfer is the same for all channels, the first one stands for all. The first transfer that is not makes
 * the others catch up.
 */
export class Dram implements Traffic, Sampled, LaterMemory {
  readonly name: string;
  readonly device: DramDevice;
  readonly bytesPerSecond: number;
  /** Ticks of the device. */
  readonly clock: Clock;
  bytesRead = 0;
  bytesWritten = 0;
  reads = 0;
  writes = 0;
  /** Accesses over time in ticks: of each bank, and of all. */
  readonly banks: Bins;
  readonly accesses = new Bins(1, timelineBins, 1);
  readonly #mapping: AddressMapping;
  readonly #channels: number;
  readonly #newFrontEnd: () => FrontEnd;
  /** Of every channel, or of the first one while it stands for all. */
  readonly #frontEnds: FrontEnd[];
  /** What all channels have done while the first one stands for them. */
  #even: Even[] | null;
  /** Channels for which an access counts. */
  #weight: number;
  readonly #transfers: Transfers;
  #process: MemoryProcess | null = null;
  readonly #counters: Counters;
  /** What the first channel has counted for time passed over while it stands for all. */
  readonly #passed: Float64Array;
  /** Picoseconds between two refreshes; 0 without. */
  readonly refreshInterval: number;

  constructor(name: string, options: DramOptions) {
    const { device, policy, mapping, channels, bytesPerSecond, isolated = false } = options;
    this.name = name;
    this.device = device;
    this.bytesPerSecond = bytesPerSecond;
    this.clock = Clock.ofPeriod(name, new Ratio(device.clockPs, device.ticksPerClock));
    this.#mapping = mapping;
    this.#channels = channels;
    const activity: Told = { accessed: (bank, tick, period, count) => this.#accessed(bank, tick, period, count) };
    this.#newFrontEnd = () =>
      new FrontEnd((completions) => controllerFor(device, policy, { completions, activity }), device.writeLatency);
    const standsForAll = channels > 1 && mapping.period > 0 && !isolated;
    this.#even = standsForAll ? [] : null;
    this.#weight = standsForAll ? channels : 1;
    this.#frontEnds = Array.from({ length: standsForAll ? 1 : channels }, this.#newFrontEnd);
    this.banks = new Bins(this.controllers[0]!.banks, bankBins, 1);
    this.#transfers = new Transfers(this.#frontEnds, device.readLatency);
    this.#counters = new Counters(device, this.controllers[0]!);
    this.#passed = new Float64Array(this.#counters.size);
    const { allBank, perBank } = device.refresh;
    const refresh = { 'all-bank': allBank, 'per-bank': perBank, none: null }[policy.refresh];
    this.refreshInterval = refresh ? this.clock.edge(refresh.interval) : 0;
  }

  get controllers(): readonly Controller[] {
    const all = this.#frontEnds.map(({ controller }) => controller);
    return this.#even === null ? all : Array.from({ length: this.#channels }, () => all[0]!);
  }

  /** Picoseconds with a transfer under way. */
  get busy(): number {
    return this.clock.edge(this.#transfers.busyTicks);
  }

  /** Makes it a process of a kernel, on which requesters run. */
  attach(kernel: Kernel): void {
    this.#process = new MemoryProcess(kernel, this);
  }

  /** Takes on whole runs of `bytes` at a time that no later request may come before. */
  submit(ps: number, list: readonly Runs[], bytes: number, write: boolean, requester: Requester): Transfer {
    if (write) {
      this.writes++;
      this.bytesWritten += bytes;
    } else {
      this.reads++;
      this.bytesRead += bytes;
    }
    const from = this.clock.cycleAtOrAfter(ps);
    if (this.#even !== null && !this.#isEven(list)) this.#part(this.#even);
    const parts = this.#frontEnds.map((_, channel) => this.#partOf(list, write, from, channel));
    const transfer = new Transfer(write, requester, parts, this.#leastAccesses(list));
    this.#even?.push({ list, from, transfer });
    this.#transfers.add(transfer, from);
    this.#process?.expect();
    return transfer;
  }

  #partOf(list: readonly Runs[], write: boolean, from: number, channel: number): Part | null {
    const stream = new ChannelStream(list, this.#mapping, channel, this.device.burstBytes);
    return stream.advance() ? new Part(write, stream, from) : null;
  }

  /** Accesses of the channels at hand; those of one loop of runs, as others may have bytes in common with it. */
  #leastAccesses(list: readonly Runs[]): number {
    const most = list.reduce((largest, runs) => Math.max(largest, bytesIn(runs)), 0);
    return Math.floor(most / this.device.burstBytes / (this.#even === null ? 1 : this.#channels));
  }

  /** Whether all channels have the same to do. */
  #isEven(list: readonly Runs[]): boolean {
    const bytes = this.#mapping.period * this.device.burstBytes;
    return list.every(({ base, strides, width }) => [base, width, ...strides].every((n) => n % bytes === 0));
  }

  /** The first channel stands for itself from here on; the others do what it has done. */
  #part(done: readonly Even[]): void {
    const [first] = this.#frontEnds as [FrontEnd];
    this.#even = null;
    this.#weight = 0;
    for (let channel = 1; channel < this.#channels; channel++) {
      const frontEnd = this.#newFrontEnd();
      for (const { list, from, transfer } of done) {
        frontEnd.runTo(Math.min(from, first.clock));
        const part = this.#partOf(list, transfer.write, from, channel);
        if (part) frontEnd.add(part);
        transfer.parts.push(part);
      }
      frontEnd.runTo(first.clock);
      this.#counters.add(frontEnd.controller, this.#passed);
      this.#frontEnds.push(frontEnd);
    }
    this.#weight = 1;
  }

  get isIdle(): boolean {
    return this.#transfers.underWay === 0;
  }

  /** Picoseconds before which nothing happens that a requester would be told of. */
  get bound(): number {
    return this.clock.edge(this.#transfers.bound);
  }

  /** Goes on until requesters have been told of something, or until others act at `ps`. */
  advance(ps: number): void {
    const limit = ps === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : this.clock.cycleAtOrAfter(ps);
    this.#transfers.advance(limit);
  }

  /** Does what still waits, and nothing else; returns when the last data have come, in picoseconds. */
  drain(): number {
    return this.clock.edge(this.#frontEnds.reduce((last, frontEnd) => Math.max(last, frontEnd.drain()), 0));
  }

  /** Ends at a time at which nothing waits: refreshes go on until then. */
  finish(ps: number): void {
    const tick = this.clock.cycleAtOrAfter(ps);
    for (const frontEnd of this.#frontEnds) {
      frontEnd.runTo(tick);
      frontEnd.controller.settle();
    }
    this.banks.cover(tick + this.banks.shift);
    this.accesses.cover(tick + this.accesses.shift);
  }

  /** Counts transfers that are about to be passed over. */
  count(transfers: number, bytes: number, write: boolean): void {
    if (write) {
      this.writes += transfers;
      this.bytesWritten += transfers * bytes;
    } else {
      this.reads += transfers;
      this.bytesRead += transfers * bytes;
    }
  }

  /** Ticks, busy ones, channels at hand; then accesses by bank and every channel's counters and ticks. */
  get size(): number {
    return 3 + this.banks.kinds + this.#channels * (this.#counters.size + 1);
  }

  save(into: Float64Array, at: number, _passed: number, now: number): void {
    const tick = this.clock.cycleAtOrAfter(now);
    const { kinds, shift } = this.banks;
    into[at] = tick + shift;
    into[at + 1] = this.#transfers.busyUpTo(tick);
    into[at + 2] = this.#frontEnds.length;
    for (let bank = 0; bank < kinds; bank++) into[at + 3 + bank] = this.banks.total(bank);
    const { size } = this.#counters;
    this.#frontEnds.forEach(({ controller, clock }, channel) => {
      const own = at + 3 + kinds + channel * (size + 1);
      into[own] = clock + shift;
      this.#counters.save(controller, into, own + 1);
    });
  }

  pass(since: Float64Array, at: number, { iterations, measured, now, after }: Passage): void {
    const times = iterations / measured;
    const { kinds, shift } = this.banks;
    const later = this.clock.period.floorInto(after);
    const ticks = later - shift;
    const tick = this.clock.cycleAtOrAfter(now);
    const isBusy = ratio(this.#transfers.busyUpTo(tick) - since[at + 1]!, tick + shift - since[at]!);
    let accesses = 0;
    const { size } = this.#counters;
    this.#frontEnds.forEach(({ controller, clock }, channel) => {
      // Channels that the first one stood for had done the same.
      const own = at + 3 + kinds + (channel < since[at + 2]! ? channel : 0) * (size + 1);
      const share = ticks * ratio(1, clock + shift - since[own]!);
      const gained = this.#counters.gained(controller, since, own + 1, times, share);
      this.#counters.add(controller, gained);
      accesses += this.#counters.accesses(gained) * this.#weight;
      if (this.#even !== null) for (let i = 0; i < size; i++) this.#passed[i]! += gained[i]!;
    });
    this.#transfers.busyTicks += Math.floor(ticks * isBusy + 0.5);
    const byBank = Array.from({ length: kinds }, (_, bank) => this.banks.total(bank) - since[at + 3 + bank]!);
    const shares = apportion(accesses, byBank);
    this.banks.pass(tick, later, shares);
    this.accesses.pass(tick, later, [shares.reduce((sum, share) => sum + share, 0)]);
  }

  /** What its energy depends on, once finished. */
  get activity(): DramActivity {
    const { controllers } = this;
    const commands = this.device.commands.map((_, i) => controllers.reduce((sum, c) => sum + c.commands[i]!, 0));
    const ranks = controllers.flatMap(({ activeTicks, clock }) =>
      [...activeTicks].map((active) => ({ activeTicks: active, idleTicks: clock + this.banks.shift - active })),
    );
    return { commands, ranks };
  }

  /** Seconds from when its channel's queue takes a read to its data, on average; 0 without reads. */
  get averageReadLatency(): number {
    const { controllers, device } = this;
    const ticks = controllers.reduce((sum, { latencySum }) => sum + latencySum, 0);
    const reads = controllers.reduce((sum, { commands, forwarded }) => {
      return (
        sum + forwarded + device.commands.reduce((n, { access }, i) => n + (access === 'read' ? commands[i]! : 0), 0)
      );
    }, 0);
    return reads > 0 ? (ticks / reads) * tickPs(device) * 1e-12 : 0;
  }

  #accessed(bank: number, tick: number, period: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const at = tick + i * period;
      this.banks.add(bank, at, at + 1, this.#weight);
      this.accesses.add(0, at, at + 1, this.#weight);
    }
  }
}

/** A share of a length; 0 of none, 1 at most. */
function ratio(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}
