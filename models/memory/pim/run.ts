/** Runs PIM programs on the channels of a memory, and ordinary accesses beside them. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { isEven, ofChannel, type PimProgram } from '../../../workloads/language/pim-program.ts';
import { PimController, type PimLog, type PimOptions } from './controller.ts';
import { barrierCommand, commandsIn, ProgramCursor } from './cursor.ts';
import type { PimQueue } from './queue.ts';
import type { ChannelWatch } from './watch.ts';

export interface PimRunOptions extends Omit<PimOptions, 'log' | 'like'> {
  readonly channels?: number;
  /**
   * `in order`: commands are handed out in the order of the program; one whose channel's queue is full holds up all behind
   * it. `by channel`: each channel gets its own ones as its queue takes them, and channels that get the same are run once.
   */
  readonly handsOut?: 'in order' | 'by channel';
  /** Most commands that are handed out in a cycle: in order, to all channels together; by channel, to each. */
  readonly intake?: number;
  /** The log of each channel that is run. */
  readonly log?: (channel: number) => PimLog;
  /**
   * Ordinary reads and writes, a program of commands that access: they go to the queues of requests as these take them, with
   * the first of the programs, and wait for no PIM command here.
   */
  readonly accesses?: PimProgram;
}

export interface PimResult {
  /** Clock cycles until the last command was sent. */
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

/** @throws InputError when the program names commands, addresses or channels that are not there, or accesses do not access */
export function runPim(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): PimResult {
  return runPhases(device, [program], options);
}

/** Programs one after the other: of each, nothing is handed out before all data of the one before have come. */
export function runPhases(
  device: DramDevice,
  programs: readonly PimProgram[],
  { handsOut = 'in order', ...options }: PimRunOptions = {},
): PimResult {
  checkAccesses(options.accesses ?? [], device);
  const run = new Run(device, handsOut === 'in order' ? inOrder(programs, options) : alike(programs, options), options);
  for (let phase = 0; phase < programs.length; phase++) run.phase(phase);
  return run.result();
}

/** Channels from `first` on that are fed from the same programs, each of which stands for `copies`. */
interface Group {
  readonly first: number;
  readonly width: number;
  readonly copies: number;
  /** All channels that they stand for. */
  readonly members: readonly number[];
  readonly programs: readonly PimProgram[];
  readonly accesses: PimProgram;
}

function inOrder(programs: readonly PimProgram[], { channels = 1, accesses = [] }: PimRunOptions): Group[] {
  const members = Array.from({ length: channels }, (_, channel) => channel);
  return [{ first: 0, width: channels, copies: 1, members, programs, accesses }];
}

/** A group for each program that channels get. */
function alike(programs: readonly PimProgram[], { channels = 1, accesses = [] }: PimRunOptions): Group[] {
  if (accesses.length === 0 && programs.every((program) => isEven(program, channels))) {
    const members = Array.from({ length: channels }, (_, channel) => channel);
    const own = programs.map((program) => ofChannel(program, 0));
    return [{ first: 0, width: 1, copies: channels, members, programs: own, accesses }];
  }
  const groups = new Map<string, Group>();
  for (let channel = 0; channel < channels; channel++) {
    const own = programs.map((program) => ofChannel(program, channel));
    const ordinary = ofChannel(accesses, channel);
    const key = JSON.stringify([own, ordinary]);
    const { first = channel, copies = 0, members = [] } = groups.get(key) ?? {};
    const group = { first, width: 1, copies: copies + 1, members: [...members, channel] };
    groups.set(key, { ...group, programs: own, accesses: ordinary });
  }
  return [...groups.values()];
}

/** Commands on their way to one of the queues of a group's controllers. */
interface Feed {
  readonly group: Group;
  readonly controllers: readonly PimController[];
  readonly queueOf: (controller: PimController) => PimQueue;
  cursor: ProgramCursor;
  hasNext: boolean;
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
    const { log, intake = Number.POSITIVE_INFINITY, accesses: _, ...rest } = options;
    this.#device = device;
    this.#intake = intake;
    this.#phases = Math.max(...groups.map(({ programs }) => programs.length));
    const latencies = device.commands.map(({ access }) => (access === 'none' ? null : device[`${access}Latency`]));
    this.#feeds = groups.map((group) => {
      const named = new Set([...group.programs, group.accesses].flatMap((program) => [...commandsIn(program, device)]));
      const controllers: PimController[] = [];
      for (let i = 0; i < group.width; i++) {
        const own = log?.(group.first + i);
        const controller = new PimController(device, named, {
          ...rest,
          like: controllers[0] ?? null,
          log: (tick, command, address) => {
            const latency = latencies[command] ?? null;
            if (latency !== null) this.#data = Math.max(this.#data, Math.ceil((tick + latency) / device.ticksPerClock));
            own?.(tick, command, address);
          },
        });
        controllers.push(controller);
      }
      const queueOf = ({ commands }: PimController) => commands;
      return { group, controllers, queueOf, cursor: new ProgramCursor([], device), hasNext: false };
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
    for (const controller of this.#controllers) controller.finish(this.#cycle);
    const channels: PimChannelResult[] = [];
    for (const { group, controllers } of this.#feeds) {
      group.members.forEach((channel, i) => {
        const { rows, latencySum, watch } = controllers[group.width === 1 ? 0 : i]!;
        channels[channel] = { sent: rows.sent, latencySum, watch };
      });
    }
    const sent = this.#device.commands.map((_, command) =>
      this.#feeds.reduce(
        (all, { group, controllers }) =>
          all + group.copies * controllers.reduce((n, c) => n + c.rows.sent[command]!, 0),
        0,
      ),
    );
    return {
      cycles: this.#cycle,
      finished: this.#data + 1,
      commands: Object.fromEntries(this.#device.commands.map(({ name }, command) => [name, sent[command]!])),
      channels,
    };
  }

  #step(cycle: number): void {
    this.#cycle = cycle;
    for (const feed of this.#all) if (feed.hasNext) this.#feed(feed);
    for (const controller of this.#controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }

  #feed(feed: Feed): void {
    const { cursor, controllers, queueOf, group } = feed;
    for (let taken = 0; feed.hasNext && canTake(feed); taken++) {
      const isBarrier = cursor.command === barrierCommand;
      if (taken >= this.#intake && !isBarrier) return;
      const controller = controllers[group.width === 1 ? 0 : cursor.channel]!;
      queueOf(controller).push(cursor, this.#cycle);
      controller.next = this.#cycle;
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
    return this.#controllers.reduce((next, controller) => Math.min(next, controller.next), Number.POSITIVE_INFINITY);
  }
}

/** @throws InputError when the command is for a channel that is not there. */
function canTake({ controllers, queueOf, cursor: { channel } }: Feed): boolean {
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
