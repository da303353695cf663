/** Runs PIM programs on the channels of a memory, and ordinary accesses beside them. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { isEven, ofChannel, type PimProgram } from '../../../workloads/language/pim-program.ts';
import { type Alike, alike, controllersOf } from './alike.ts';
import type { PimController, PimLog, PimOptions } from './controller.ts';
import { barrierCommand, commandsIn, ProgramCursor } from './cursor.ts';
import { checkForHost, Host, isForHost, sharesOf } from './host.ts';
import type { PimQueue } from './queue.ts';
import type { ChannelWatch } from './watch.ts';

export interface PimRunOptions extends Omit<PimOptions, 'log' | 'sent' | 'like'> {
  readonly channels?: number;
  /**
   * `in order`: commands are handed out in the order of the program; one whose channel's queue is full holds up all behind
   * it. `by channel`: each channel gets its own ones as its queue takes them, and channels that get the same are run once.
   * What a host decodes is handed out as `PimInstruction` says.
   */
  readonly handsOut?: 'in order' | 'by channel';
  /** Most commands that are handed out in a cycle: in order, to all channels together; by channel, to each. */
  readonly intake?: number;
  /** The log of each channel. */
  readonly log?: (channel: number) => PimLog;
  /**
   * Ordinary reads and writes, a program of commands that access: they go to the queues of requests as these take them, with
   * the first of the programs, and wait for no PIM command here.
   */
  readonly accesses?: PimProgram;
}

export interface PimResult {
  /** Clock cycles until the last command was sent, or the sync at the end was done. */
  readonly cycles: number;
  /** Clock cycles until the last data of a read or a write have come, with that in which the first command is handed out. */
  readonly finished: number;
  /** Commands sent, by name, of all channels together. */
  readonly commands: { readonly [name: string]: number };
  /** In their order; those that got the same are one and the same. */
  readonly channels: readonly PimChannelResult[];
}

export interface PimChannelResult {
  /** Commands sent, by index in the device. */
  readonly sent: Readonly<Float64Array>;
  /** Clock cycles until a read's last data have come, added up over all reads. */
  readonly latencySum: number;
  /** What happened over time; null unless `watched`. */
  readonly watch: ChannelWatch | null;
}

const never = Number.POSITIVE_INFINITY;

/** @throws InputError when the program names commands, addresses or channels that are not there, or accesses do not access */
export function runPim(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): PimResult {
  return isForHost(program) ? runInstructions(device, program, options) : runPhases(device, [program], options);
}

/** What a host decodes, as `PimInstruction` has it; channels that get the same are run once. */
function runInstructions(
  device: DramDevice,
  program: PimProgram,
  { channels = 1, accesses = [], log, ...options }: PimRunOptions,
): PimResult {
  checkForHost(program, { ...options, channels, accesses });
  const controllers = controllersOf(device, sharesOf(program, channels), commandsIn(program, device), options, log);
  const host = new Host(device, program, controllers, options.scheduler === 'in-order');
  let cycle = 0;
  while (host.isBusy || controllers.some(({ controller }) => !controller.isIdle)) {
    cycle = controllers.reduce((next, { controller }) => Math.min(next, controller.next), host.after(cycle));
    host.give(cycle);
    for (const { controller } of controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }
  const cycles = Math.max(cycle, host.free - 1);
  const ends = controllers.map(({ controller: { came, done } }) => Math.max(came, done));
  return resultOf(device, controllers, cycles, Math.max(cycles, ...ends));
}

/** Ends runs with a cycle. */
function resultOf(device: DramDevice, all: readonly Alike[], cycles: number, finished: number): PimResult {
  const results: PimChannelResult[] = [];
  for (const { controller, channels } of all) {
    controller.finish(cycles);
    const { rows, latencySum, watch } = controller;
    const result = { sent: rows.sent, latencySum, watch };
    for (const channel of channels) results[channel] = result;
  }
  const sentOf = (command: number): number => results.reduce((n, { sent }) => n + sent[command]!, 0);
  const commands = Object.fromEntries(device.commands.map(({ name }, command) => [name, sentOf(command)]));
  return { cycles, finished, commands, channels: results };
}

/**
 * Programs one after the other: of each, nothing is handed out before all data of the one before have come.
 * @throws InputError as `runPim`, and on what a host decodes
 */
export function runPhases(
  device: DramDevice,
  programs: readonly PimProgram[],
  { handsOut = 'in order', ...options }: PimRunOptions = {},
): PimResult {
  checkAccesses(options.accesses ?? [], device);
  if (programs.some(isForHost)) throw new InputError({ message: 'what a host decodes is not run in phases' });
  const groups = handsOut === 'in order' ? inOrder(programs, options) : byChannel(programs, options);
  const run = new Run(device, groups, options);
  for (let phase = 0; phase < programs.length; phase++) run.phase(phase);
  return run.result();
}

/** Channels that are fed from the same programs. */
interface Group {
  /** Those that each of its controllers stands for. */
  readonly channels: readonly (readonly number[])[];
  readonly programs: readonly PimProgram[];
  readonly accesses: PimProgram;
}

function inOrder(programs: readonly PimProgram[], { channels = 1, accesses = [] }: PimRunOptions): Group[] {
  return [{ channels: Array.from({ length: channels }, (_, channel) => [channel]), programs, accesses }];
}

/** A group for each program that channels get, run as channel 0 of its own. */
function byChannel(programs: readonly PimProgram[], { channels = 1, accesses = [] }: PimRunOptions): Group[] {
  const isSame = accesses.length === 0 && programs.every((program) => isEven(program, channels));
  const own = (channel: number) => ({
    programs: programs.map((program) => ofChannel(program, channel)),
    accesses: ofChannel(accesses, channel),
  });
  const groups = alike(channels, (channel) => (isSame ? '' : JSON.stringify(own(channel))));
  return groups.map((members) => ({ channels: [members], ...own(members[0] ?? 0) }));
}

/** Commands on their way to one of the queues of a group's controllers. */
interface Feed {
  readonly group: Group;
  readonly all: readonly Alike[];
  /** Those of `all`. */
  readonly controllers: readonly PimController[];
  readonly queueOf: (controller: PimController) => PimQueue;
  cursor: ProgramCursor;
  hasNext: boolean;
  /** Where a command was handed to last: perhaps with the rest of its run, which there is no room for yet. */
  last: PimQueue | null;
}

class Run {
  readonly #device: DramDevice;
  /** Of programs, and of accesses. */
  readonly #feeds: readonly Feed[];
  readonly #accesses: readonly Feed[];
  readonly #all: readonly Feed[];
  readonly #controllers: readonly PimController[];
  readonly #intake: number;
  readonly #phases: number;
  #cycle = 0;
  /** The cycle in which the last data of all commands so far come. */
  #data = 0;

  constructor(device: DramDevice, groups: readonly Group[], options: PimRunOptions) {
    const { log, intake = never, accesses: _, ...rest } = options;
    this.#device = device;
    this.#intake = intake;
    this.#phases = Math.max(...groups.map(({ programs }) => programs.length));
    const latencies = device.commands.map(({ access }) => (access === 'none' ? null : device[`${access}Latency`]));
    const sent: PimLog = (tick, command) => {
      const latency = latencies[command] ?? null;
      if (latency !== null) this.#data = Math.max(this.#data, Math.ceil((tick + latency) / device.ticksPerClock));
    };
    this.#feeds = groups.map((group) => {
      const named = new Set([...group.programs, group.accesses].flatMap((program) => [...commandsIn(program, device)]));
      const all = controllersOf(device, group.channels, named, { ...rest, sent }, log);
      const controllers = all.map(({ controller }) => controller);
      const queueOf = ({ commands }: PimController) => commands;
      return { group, all, controllers, queueOf, cursor: new ProgramCursor([], device), hasNext: false, last: null };
    });
    this.#accesses = this.#feeds.map((feed) => {
      const cursor = new ProgramCursor(feed.group.accesses, device);
      return { ...feed, queueOf: ({ requests }: PimController) => requests, cursor, hasNext: cursor.next() };
    });
    this.#all = [...this.#feeds, ...this.#accesses];
    this.#controllers = this.#feeds.flatMap(({ controllers }) => controllers);
  }

  /** Runs the program of one phase until all its commands have been sent. */
  phase(phase: number): void {
    if (phase > 0) this.#drain();
    for (const feed of this.#feeds) {
      feed.cursor = new ProgramCursor(feed.group.programs[phase] ?? [], this.#device);
      feed.hasNext = feed.cursor.next();
    }
    const isLast = phase === this.#phases - 1;
    const isBusy = (controller: PimController): boolean => (isLast ? !controller.isIdle : controller.waiting > 0);
    while (this.#all.some((feed) => feed.hasNext) || this.#controllers.some(isBusy)) {
      const isFed = this.#all.some((feed) => feed.hasNext && canTake(feed));
      this.#step(isFed ? this.#cycle + 1 : this.#nextEvent());
    }
  }

  result(): PimResult {
    const all = this.#feeds.flatMap((feed) => feed.all);
    return resultOf(this.#device, all, this.#cycle, this.#data + 1);
  }

  #step(cycle: number): void {
    this.#cycle = cycle;
    for (const feed of this.#all) if (feed.hasNext) this.#feed(feed);
    for (const { controllers, hasNext } of this.#accesses) {
      const before = hasNext ? cycle + 1 : never;
      for (const controller of controllers) if (controller.next <= cycle) controller.cycle(cycle, before);
    }
  }

  #feed(feed: Feed): void {
    const { cursor, controllers, queueOf } = feed;
    for (let taken = 0; feed.hasNext && canTake(feed); taken++) {
      const isBarrier = cursor.command === barrierCommand;
      if (taken >= this.#intake && !isBarrier) return;
      const controller = controllers[cursor.channel]!;
      const queue = queueOf(controller);
      if (this.#intake === never) queue.pushRun(cursor, this.#cycle);
      else queue.push(cursor, this.#cycle);
      feed.last = queue;
      controller.next = Math.min(controller.next, this.#cycle);
      feed.hasNext = cursor.next();
      if (isBarrier) taken--;
    }
  }

  /** Goes on until all data have come; what is handed out then may be sent two cycles later. */
  #drain(): void {
    const end = this.#data + 1;
    for (let next = this.#nextEvent(); next <= end; next = this.#nextEvent()) this.#step(next);
    this.#cycle = end;
  }

  #nextEvent(): number {
    return this.#controllers.reduce((next, controller) => Math.min(next, controller.next), never);
  }
}

/** @throws InputError when the command is for a channel that is not there. */
function canTake({ controllers, queueOf, last, cursor: { channel } }: Feed): boolean {
  if (last !== null && last.excess > 0) return false;
  const controller = controllers[channel];
  if (controller) return !queueOf(controller).isFull;
  const message = `the program sends commands to channel ${channel}`;
  throw new InputError({ message, hint: `there are ${controllers.length}, counted from 0` });
}

/** @throws InputError when one of them is no read or write */
function checkAccesses(accesses: PimProgram, device: DramDevice): void {
  for (const command of commandsIn(accesses, device)) {
    const { name, access } = device.commands[command]!;
    if (access !== 'none') continue;
    const able = device.commands.filter((one) => one.access !== 'none').map((one) => one.name);
    throw new InputError({ message: `${name} is no access`, hint: `${able.join(', ')} are` });
  }
}
