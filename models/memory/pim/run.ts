/** Runs PIM programs on the channels of a memory. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { ofChannel, type PimProgram } from '../../../workloads/language/pim-program.ts';
import { PimController, type PimLog, type PimOptions } from './controller.ts';
import { barrierCommand, commandsIn, instructionsIn, ProgramCursor } from './cursor.ts';
import { alikeIn, Host, isForHost } from './host.ts';
import type { PimQueue } from './queue.ts';

export interface PimRunOptions extends Omit<PimOptions, 'log' | 'sent'> {
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
}

export interface PimResult {
  /** Clock cycles until the last command was sent, or the sync at the end was done. */
  readonly cycles: number;
  /** Clock cycles until the last data of a read or a write have come, with that in which the first command is handed out. */
  readonly finished: number;
  /** Commands sent, by name, of all channels together. */
  readonly commands: { readonly [name: string]: number };
}

/** @throws InputError when the program names commands, addresses or channels that are not there */
export function runPim(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): PimResult {
  return isForHost(program) ? runInstructions(device, program, options) : runPhases(device, [program], options);
}

/** What a host decodes, as `PimInstruction` has it; channels that get the same are run once. */
function runInstructions(
  device: DramDevice,
  program: PimProgram,
  { channels = 1, log, ...options }: PimRunOptions,
): PimResult {
  const named = commandsIn(program, device);
  checkChannels(program, channels);
  const alike = log ? Array.from({ length: channels }, (_, channel) => [channel]) : alikeIn(program, channels);
  const groups = alike.map((group) => {
    const [first = 0] = group;
    return { channels: group, controller: new PimController(device, named, { ...options, log: log?.(first) ?? null }) };
  });
  const controllers = groups.map(({ controller }) => controller);
  const host = new Host(device, program, groups, options.scheduler === 'in-order');
  let cycle = 0;
  while (host.isBusy || controllers.some((controller) => !controller.isIdle)) {
    cycle = controllers.reduce((next, controller) => Math.min(next, controller.next), host.after(cycle));
    host.give(cycle);
    for (const controller of controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }
  const sent = (command: number) =>
    groups.reduce((all, group) => all + group.controller.rows.sent[command]! * group.channels.length, 0);
  const cycles = Math.max(cycle, host.free - 1);
  const finished = Math.max(cycles, ...controllers.map(({ came, done }) => Math.max(came, done)));
  return {
    cycles,
    finished,
    commands: Object.fromEntries(device.commands.map(({ name }, command) => [name, sent(command)])),
  };
}

function checkChannels(program: PimProgram, channels: number): void {
  for (const instruction of instructionsIn(program)) {
    const missing = instruction.channels.find((channel) => channel < 0 || channel >= channels);
    if (missing === undefined) continue;
    const message = `an instruction of the program is for channel ${missing}`;
    throw new InputError({ message, hint: `there are ${channels}, counted from 0` });
  }
}

/** Programs one after the other: of each, nothing is handed out before all data of the one before have come. */
export function runPhases(
  device: DramDevice,
  programs: readonly PimProgram[],
  { handsOut = 'in order', ...options }: PimRunOptions = {},
): PimResult {
  const run = new Run(device, handsOut === 'in order' ? inOrder(programs, options) : alike(programs, options), options);
  for (let phase = 0; phase < programs.length; phase++) run.phase(phase);
  return run.result();
}

/** Channels from `first` on that are fed from the same programs, each of which stands for `copies`. */
interface Group {
  readonly first: number;
  readonly width: number;
  readonly copies: number;
  readonly programs: readonly PimProgram[];
}

function inOrder(programs: readonly PimProgram[], { channels = 1 }: PimRunOptions): Group[] {
  return [{ first: 0, width: channels, copies: 1, programs }];
}

/** A group for each program that channels get. */
function alike(programs: readonly PimProgram[], { channels = 1 }: PimRunOptions): Group[] {
  const groups = new Map<string, Group>();
  for (let channel = 0; channel < channels; channel++) {
    const own = programs.map((program) => ofChannel(program, channel));
    const key = JSON.stringify(own);
    const { first = channel, copies = 0 } = groups.get(key) ?? {};
    groups.set(key, { first, width: 1, copies: copies + 1, programs: own });
  }
  return [...groups.values()];
}

/** A group that is run: its controllers, and where its program is. */
interface Feed {
  readonly group: Group;
  readonly controllers: readonly PimController[];
  cursor: ProgramCursor;
  hasNext: boolean;
  /** Where a command was handed to last: perhaps with the rest of its run, which there is no room for yet. */
  last: PimQueue | null;
}

class Run {
  readonly #device: DramDevice;
  readonly #feeds: readonly Feed[];
  readonly #controllers: readonly PimController[];
  readonly #intake: number;
  readonly #phases: number;
  #cycle = 0;
  /** The cycle in which the last data of all commands so far come. */
  #data = 0;

  constructor(device: DramDevice, groups: readonly Group[], options: PimRunOptions) {
    const { log, intake = Number.POSITIVE_INFINITY, ...rest } = options;
    this.#device = device;
    this.#intake = intake;
    this.#phases = Math.max(...groups.map(({ programs }) => programs.length));
    const latencies = device.commands.map(({ access }) => (access === 'none' ? null : device[`${access}Latency`]));
    this.#feeds = groups.map((group) => {
      const named = new Set(group.programs.flatMap((program) => [...commandsIn(program, device)]));
      const controllers = Array.from({ length: group.width }, (_, i) => {
        return new PimController(device, named, {
          ...rest,
          log: log?.(group.first + i) ?? null,
          sent: (tick, command) => {
            const latency = latencies[command] ?? null;
            if (latency !== null) this.#data = Math.max(this.#data, Math.ceil((tick + latency) / device.ticksPerClock));
          },
        });
      });
      return { group, controllers, cursor: new ProgramCursor([], device), hasNext: false, last: null };
    });
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
    while (this.#feeds.some((feed) => feed.hasNext) || this.#controllers.some(isBusy)) {
      const isFed = this.#feeds.some((feed) => feed.hasNext && canTake(feed));
      this.#step(isFed ? this.#cycle + 1 : this.#nextEvent());
    }
  }

  result(): PimResult {
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
    };
  }

  #step(cycle: number): void {
    this.#cycle = cycle;
    for (const feed of this.#feeds) if (feed.hasNext) this.#feed(feed);
    for (const controller of this.#controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }

  #feed(feed: Feed): void {
    const { cursor, controllers, group } = feed;
    for (let taken = 0; feed.hasNext && canTake(feed); taken++) {
      const isBarrier = cursor.command === barrierCommand;
      if (taken >= this.#intake && !isBarrier) return;
      const controller = controllers[group.width === 1 ? 0 : cursor.channel]!;
      if (this.#intake === Number.POSITIVE_INFINITY) controller.commands.pushRun(cursor, this.#cycle);
      else controller.commands.push(cursor, this.#cycle);
      feed.last = controller.commands;
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
    return this.#controllers.reduce((next, controller) => Math.min(next, controller.next), Number.POSITIVE_INFINITY);
  }
}

/** @throws InputError when the command is for a channel that is not there. */
function canTake({ controllers, last, cursor: { channel } }: Feed): boolean {
  if (last !== null && last.excess > 0) return false;
  const controller = controllers[channel];
  if (controller) return !controller.commands.isFull;
  const message = `the program sends commands to channel ${channel}`;
  throw new InputError({ message, hint: `there are ${controllers.length}, counted from 0` });
}
