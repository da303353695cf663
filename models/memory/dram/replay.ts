/** Feeds a list of requests, in order, to the channels of a memory. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { controllerFor } from './channel.ts';
import type { CommandLog, Completions } from './controller.ts';
import type { FastController } from './fast-forward.ts';
import type { ControllerPolicy } from './policy.ts';
import { Upcoming } from './upcoming.ts';

/** Requests in order. Addresses are blocks, bytes, or rows whose columns stand beside them. */
export interface RequestList {
  readonly length: number;
  /** 1 for a write. */
  readonly writes: Uint8Array;
  readonly unit: 'block' | 'byte' | 'row';
  readonly addresses: Float64Array;
  readonly columns: Float64Array | null;
  /** Ticks before which a request is not sent; null when there are none. */
  readonly cycles: Float64Array | null;
}

/** Where a block lies. `decode` leaves its answer in the fields. */
export interface BlockMapping {
  decode(block: number): void;
  readonly channel: number;
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  /** Blocks from a row to the next one of the same bank. */
  readonly rowStride: number;
}

export interface ReplayOptions {
  readonly channels?: number;
  /** Ticks between a request and the next one, at least; 0 sends one in every tick. */
  readonly gap?: number;
  /** Requests sent and not done, at most. */
  readonly outstanding?: number;
  /** Told of every command, channel by channel. */
  readonly log?: (channel: number) => CommandLog;
  readonly skipsIdle?: boolean;
}

export interface ReplayResult {
  /** Ticks until every read has been answered and every write sent. */
  readonly ticks: number;
  readonly requests: number;
  readonly reads: number;
  readonly writes: number;
  readonly latencySumTicks: number;
  /** Over all reads, those answered from the write queue included. */
  readonly averageReadLatencyTicks: number;
  readonly rowHits: number;
  readonly rowMisses: number;
  readonly rowConflicts: number;
  readonly commands: { readonly [name: string]: number };
  readonly forwarded: number;
  readonly coalesced: number;
  /** Ticks with a row open and with none, for each node of the level that a refresh of all banks names. */
  readonly ranks: readonly { readonly activeTicks: number; readonly idleTicks: number }[];
}

/**
 * Sends the requests one by one: an attempt in every tick, before the tick, until the request's queue takes it. A request
 * that finds its queue full holds up those behind it, whatever channel they are for.
 */
export function replay(
  device: DramDevice,
  policy: ControllerPolicy,
  mapping: BlockMapping,
  requests: RequestList,
  options: ReplayOptions = {},
): ReplayResult {
  const { channels = 1, gap = 0, outstanding = Number.POSITIVE_INFINITY } = options;
  const done = new Done(channels, outstanding < requests.length);
  const controllers = Array.from({ length: channels }, (_, i) =>
    controllerFor(device, policy, {
      log: options.log?.(i) ?? null,
      completions: done,
      skipsIdle: options.skipsIdle ?? true,
    }),
  );
  const source = new Source(device, mapping, requests);
  const spacing = Math.max(1, gap);
  /** Runs of hits go in one step where requests come as fast as the queue takes them. */
  const isDense = !done.isCounted && !requests.cycles && spacing === 1;
  /** Ticks from a request to the next that need not be looked at one by one. */
  const restTicks = outstanding === 1 ? Number.MAX_SAFE_INTEGER : requests.cycles ? 0 : spacing;
  let earliest = 0;
  /** The tick after which the attempt in hand is made. */
  let clock = 0;
  for (let i = 0; i < requests.length; ) {
    const next = source.at(i);
    const { from } = next;
    const channel = next.channel[from]!;
    const controller = controllers[channel]!;
    const block = next.block[from]!;
    const bank = next.bank[from]!;
    const row = next.row[from]!;
    const column = next.column[from]!;
    const isWrite = next.write[from] === 1;
    if (clock < earliest) clock = earliest;
    if (requests.cycles && clock < requests.cycles[i]!) clock = requests.cycles[i]!;
    if (done.isCounted && i - done.by(clock) >= outstanding) {
      clock = waitForRoom(controllers, done, clock, i - outstanding);
    }
    if (controller.clock < clock) advance(controller, clock);
    let taken = 0;
    if (restTicks > 1 && controller.serveAlone(isWrite, bank, row, column, clock + restTicks, channel)) {
      earliest = Math.max(clock + spacing, outstanding === 1 ? controller.clock : 0);
      i++;
      continue;
    }
    while (!controller.send(isWrite, bank, row, column, block, channel)) {
      if (isDense && source.rowLength >= shortestRun) {
        taken = controller.sendHits(next, source.rowLength, Number.MAX_SAFE_INTEGER, channel);
        if (taken > 0) break;
      }
      controller.step(Number.MAX_SAFE_INTEGER);
    }
    clock = controller.clock;
    earliest = clock + spacing;
    i += Math.max(1, taken);
  }
  return finish(device, controllers, done, requests);
}

/** Requests to one row that are worth a step of their own. */
const shortestRun = 8;

/** Executes ticks up to one, which may have been executed already. */
function advance(controller: FastController, tick: number): void {
  while (controller.clock < tick) controller.step(tick);
}

/** The first tick by which more than `needed` requests are done. */
function waitForRoom(controllers: readonly FastController[], done: Done, from: number, needed: number): number {
  let clock = from;
  for (const controller of controllers) advance(controller, clock);
  const [first, ...others] = controllers;
  while (done.by(clock) <= needed) {
    if (first && others.length === 0) {
      // Nothing is done before the next answer that is under way, or the next command.
      first.step(done.next);
      clock = first.clock;
    } else {
      clock++;
      for (const controller of controllers) advance(controller, clock);
    }
  }
  return clock;
}

function finish(
  device: DramDevice,
  controllers: readonly FastController[],
  done: Done,
  requests: RequestList,
): ReplayResult {
  for (const controller of controllers) while (controller.waiting > 0) controller.step(Number.MAX_SAFE_INTEGER);
  const ticks = done.last;
  for (const controller of controllers) {
    advance(controller, ticks);
    controller.settle();
  }
  const sum = (of: (controller: FastController) => number): number => controllers.reduce((all, c) => all + of(c), 0);
  const writes = requests.writes.subarray(0, requests.length).reduce((all, write) => all + write, 0);
  const reads = requests.length - writes;
  const latencySumTicks = sum((c) => c.latencySum);
  return {
    ticks,
    requests: requests.length,
    reads,
    writes,
    latencySumTicks,
    averageReadLatencyTicks: reads > 0 ? latencySumTicks / reads : 0,
    rowHits: sum((c) => c.rowHits),
    rowMisses: sum((c) => c.rowMisses),
    rowConflicts: sum((c) => c.rowConflicts),
    commands: Object.fromEntries(device.commands.map(({ name }, i) => [name, sum((c) => c.commands[i]!)])),
    forwarded: sum((c) => c.forwarded),
    coalesced: sum((c) => c.coalesced),
    ranks: controllers.flatMap(({ activeTicks }) =>
      [...activeTicks].map((active) => ({ activeTicks: active, idleTicks: ticks - active })),
    ),
  };
}

/** Decodes requests some time before they are sent. */
class Source {
  readonly #device: DramDevice;
  readonly #mapping: BlockMapping;
  readonly #requests: RequestList;
  readonly #upcoming = new Upcoming(1024);
  /** Index of the request at the start of `#upcoming`. */
  #start = 0;
  /** Where the run that the next request belongs to ends. */
  #rowEnd = 0;

  constructor(device: DramDevice, mapping: BlockMapping, requests: RequestList) {
    this.#device = device;
    this.#mapping = mapping;
    this.#requests = requests;
  }

  /** Request `index` and some that follow; indices must not go down. */
  at(index: number): Upcoming {
    const upcoming = this.#upcoming;
    if (index >= this.#start + upcoming.to) this.#decode(index);
    upcoming.from = index - this.#start;
    return upcoming;
  }

  /** Requests, from that of the last `at` on, that go to its row. */
  get rowLength(): number {
    const upcoming = this.#upcoming;
    if (this.#rowEnd <= upcoming.from) this.#rowEnd = upcoming.from + upcoming.rowLength;
    return this.#rowEnd - upcoming.from;
  }

  #decode(start: number): void {
    const { addresses, columns, unit, writes, length } = this.#requests;
    const upcoming = this.#upcoming;
    const mapping = this.#mapping;
    const count = Math.min(upcoming.capacity, length - start);
    for (let i = 0; i < count; i++) {
      const address = addresses[start + i]!;
      const block =
        unit === 'block'
          ? address
          : unit === 'byte'
            ? Math.floor(address / this.#device.burstBytes)
            : address * mapping.rowStride + columns![start + i]!;
      mapping.decode(block);
      upcoming.write[i] = writes[start + i]!;
      upcoming.block[i] = block;
      upcoming.channel[i] = mapping.channel;
      upcoming.bank[i] = mapping.bank;
      upcoming.row[i] = mapping.row;
      upcoming.column[i] = mapping.column;
    }
    this.#start = start;
    this.#rowEnd = 0;
    upcoming.to = count;
  }
}

/** Which requests are done by when. Tags are channels, in each of which reads are done in order. */
class Done implements Completions {
  /** The last tick at which a request was done. */
  last = 0;
  #writes = 0;
  #reads = 0;
  readonly #underWay: Answers[];
  /** Whether `by` is ever asked. */
  readonly isCounted: boolean;

  constructor(channels: number, isCounted: boolean) {
    this.isCounted = isCounted;
    this.#underWay = Array.from({ length: channels }, () => new Answers());
  }

  readDone(channel: number, tick: number): void {
    if (this.isCounted) this.#underWay[channel]!.push(tick);
    if (tick > this.last) this.last = tick;
  }

  writeDone(_channel: number, tick: number): void {
    this.#writes++;
    if (tick > this.last) this.last = tick;
  }

  /** Requests done by a tick; ticks must not go down. */
  by(tick: number): number {
    for (const answers of this.#underWay) this.#reads += answers.takeUntil(tick);
    return this.#writes + this.#reads;
  }

  /** The tick of the next answer that `by` has not counted. */
  get next(): number {
    return this.#underWay.reduce((next, answers) => Math.min(next, answers.first), Number.MAX_SAFE_INTEGER);
  }
}

/** Ticks that never go down, first in, first out, in a ring that grows as need be. */
class Answers {
  #ticks = new Float64Array(256);
  #from = 0;
  #to = 0;

  push(tick: number): void {
    if (this.#to - this.#from === this.#ticks.length) {
      const ticks = new Float64Array(2 * this.#ticks.length);
      for (let i = this.#from; i < this.#to; i++) ticks[i & (ticks.length - 1)] = this.#at(i);
      this.#ticks = ticks;
    }
    this.#ticks[this.#to++ & (this.#ticks.length - 1)] = tick;
  }

  takeUntil(tick: number): number {
    const before = this.#from;
    while (this.#from < this.#to && this.#at(this.#from) <= tick) this.#from++;
    return this.#from - before;
  }

  get first(): number {
    return this.#from < this.#to ? this.#at(this.#from) : Number.MAX_SAFE_INTEGER;
  }

  #at(i: number): number {
    return this.#ticks[i & (this.#ticks.length - 1)]!;
  }
}
