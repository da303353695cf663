/** Requests on SSDs: who submits when, and what comes of it. */
import type { SsdPart } from '../../../arch/language/ssd/part.ts';
import { Latencies } from './latencies.ts';
import type { BlockDevice, Done } from './port.ts';
import { buildSsds } from './raid.ts';
import type { RequestSource } from './sources.ts';
import type { Ssd } from './ssd.ts';
import { erase, program, read } from './timing.ts';

export interface SsdRunOptions {
  /** Requests under way at most; the next is submitted when one is done, or at its time if that is later. */
  readonly depth: number;
  /** Requests that are submitted at most. */
  readonly requests?: number;
  /** Nothing is submitted after so many ps. */
  readonly until?: number;
  /** Before it begins, a share of the pages is filled in order, and so many of them overwritten at random. */
  readonly fill?: number;
  readonly overwrites?: number;
  /** Of overwrites. */
  readonly draw?: () => number;
}

/** Latencies of requests, s; percentiles to a thousandth. */
export interface LatencyFigures {
  readonly mean: number;
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface SsdResult {
  readonly requests: number;
  readonly reads: number;
  readonly writes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** From the first submission to the last completion. */
  readonly seconds: number;
  /** Requests, and bytes, per second of it. */
  readonly iops: number;
  readonly bandwidth: number;
  /** From submission to completion; of all, of reads, of writes, where there are any. */
  readonly latency: LatencyFigures;
  readonly readLatency: LatencyFigures | null;
  readonly writeLatency: LatencyFigures | null;
  /** Requests under way, over time: the integral of their number divided by the time. */
  readonly meanInFlight: number;
  readonly counters: SsdCounters;
}

/** Of all SSDs together. */
export interface SsdCounters {
  /** Commands by name: of one plane and of several. */
  readonly commands: { readonly [name: string]: number };
  /** Pages read and programmed, blocks erased. */
  readonly pagesRead: number;
  readonly pagesProgrammed: number;
  readonly blocksErased: number;
  /** Bytes of reads that the cache had. */
  readonly cacheBytes: number;
  /** Lookups of logical pages; entries that were not at hand; pages of the table read and written for that. */
  readonly lookups: number;
  readonly mappingMisses: number;
  readonly tableReads: number;
  readonly tableWrites: number;
  /** Blocks collected, and pages moved for it. */
  readonly collections: number;
  readonly pagesMoved: number;
  /** Pages of users that were programmed, and pages programmed in all for each of them; null where there are none. */
  readonly userPages: number;
  readonly writeAmplification: number | null;
  /** Shares of the time until all is in flash: buses moved something, arrays worked, a direction of the links was taken. */
  readonly busBusy: number;
  readonly arrayBusy: number;
  readonly linkToHostBusy: number;
  readonly linkToDeviceBusy: number;
}

/** Runs requests on the SSDs of a part. @throws RangeError when one is beyond their capacity, Error when a plane is full */
export function runSsd(part: SsdPart, source: RequestSource, options: SsdRunOptions): SsdResult {
  const { ssds, device } = buildSsds(part);
  if (options.fill !== undefined) {
    for (const ssd of ssds) ssd.ftl.precondition(options.fill, options.overwrites ?? 0, options.draw ?? Math.random);
  }
  const host = new Host(device, source, options);
  host.run();
  return host.result(ssds, part);
}

/** Keeps as many requests under way as it may. */
class Host {
  readonly #device: BlockDevice;
  readonly #source: RequestSource;
  readonly #depth: number;
  readonly #until: number;
  readonly #reads = new Latencies();
  readonly #writes = new Latencies();
  /** Requests that may still be submitted, and those that are under way. */
  #left: number;
  #inFlight = 0;
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Integral of the number under way, up to a time. */
  #integral = 0;
  #counted = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = 0;

  constructor(device: BlockDevice, source: RequestSource, { depth, requests, until }: SsdRunOptions) {
    this.#device = device;
    this.#source = source;
    this.#depth = depth;
    this.#left = requests ?? Number.POSITIVE_INFINITY;
    this.#until = until ?? Number.POSITIVE_INFINITY;
  }

  run(): void {
    while (this.#inFlight < this.#depth && this.#submit(0));
    this.#device.advance(Number.POSITIVE_INFINITY);
    if (this.#inFlight > 0) throw new Error(`${this.#inFlight} requests wait and nothing happens`);
  }

  #submit(now: number): boolean {
    if (now > this.#until || this.#left === 0 || !this.#source.next()) return false;
    const { offset, bytes, write, time } = this.#source;
    const at = Math.max(now, time);
    this.#left--;
    this.#inFlight++;
    this.#integral -= at;
    this.#first = Math.min(this.#first, at);
    if (write) this.#bytesWritten += bytes;
    else this.#bytesRead += bytes;
    this.#device.submit(at, offset, bytes, write, write ? this.#written : this.#read);
    return true;
  }

  readonly #read: Done = (ps, submitted) => this.#done(ps, submitted, this.#reads);
  readonly #written: Done = (ps, submitted) => this.#done(ps, submitted, this.#writes);

  #done(ps: number, submitted: number, latencies: Latencies): void {
    latencies.add(ps - submitted);
    this.#inFlight--;
    this.#integral += ps;
    this.#counted++;
    this.#last = ps;
    this.#submit(ps);
  }

  result(ssds: readonly Ssd[], part: SsdPart): SsdResult {
    const seconds = (this.#last - this.#first) * 1e-12;
    const bytes = this.#bytesRead + this.#bytesWritten;
    return {
      requests: this.#counted,
      reads: this.#reads.count,
      writes: this.#writes.count,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      seconds,
      iops: this.#counted / seconds,
      bandwidth: bytes / seconds,
      latency: figures(this.#reads.with(this.#writes)),
      readLatency: this.#reads.count === 0 ? null : figures(this.#reads),
      writeLatency: this.#writes.count === 0 ? null : figures(this.#writes),
      meanInFlight: this.#integral / (this.#last - this.#first),
      counters: countersOf(ssds, part, this.#device.now - this.#first),
    };
  }
}

function figures(latencies: Latencies): LatencyFigures {
  return {
    mean: latencies.mean * 1e-12,
    min: latencies.min * 1e-12,
    p50: latencies.percentile(0.5) * 1e-12,
    p99: latencies.percentile(0.99) * 1e-12,
    max: latencies.max * 1e-12,
  };
}

function countersOf(ssds: readonly Ssd[], part: SsdPart, ps: number): SsdCounters {
  const sum = (figure: (ssd: Ssd) => number): number => ssds.reduce((all, ssd) => all + figure(ssd), 0);
  const share = (figure: (ssd: Ssd) => number, each: number): number => sum(figure) / (ssds.length * each * ps);
  const { channels, chips, dies, busy } = part.flash;
  const units = channels * chips * (busy === 'die' ? dies : 1);
  const programmed = sum(({ flash }) => flash.operations[program]!);
  const userPages = sum(({ ftl }) => ftl.userWrites);
  return {
    commands: {
      read: sum(({ flash }) => flash.single[read]!),
      'multi-plane read': sum(({ flash }) => flash.multiplane[read]!),
      program: sum(({ flash }) => flash.single[program]!),
      'multi-plane program': sum(({ flash }) => flash.multiplane[program]!),
      erase: sum(({ flash }) => flash.single[erase]!),
      'multi-plane erase': sum(({ flash }) => flash.multiplane[erase]!),
    },
    pagesRead: sum(({ flash }) => flash.operations[read]!),
    pagesProgrammed: programmed,
    blocksErased: sum(({ flash }) => flash.operations[erase]!),
    cacheBytes: sum(({ cache }) => cache.bytesFound),
    lookups: sum(({ ftl }) => ftl.lookups),
    mappingMisses: sum(({ ftl }) => ftl.lookups - ftl.hits),
    tableReads: sum(({ ftl }) => ftl.tableReads),
    tableWrites: sum(({ ftl }) => ftl.tableWrites),
    collections: sum(({ ftl }) => ftl.collector.collections),
    pagesMoved: sum(({ ftl }) => ftl.collector.moved),
    userPages,
    writeAmplification: userPages === 0 ? null : programmed / userPages,
    busBusy: share(({ flash }) => flash.busBusy, channels),
    arrayBusy: share(({ flash }) => flash.arrayBusy, units),
    linkToHostBusy: share(({ toHost }) => toHost.busy, 1),
    linkToDeviceBusy: share(({ toDevice }) => toDevice.busy, 1),
  };
}
