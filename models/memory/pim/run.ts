/** Runs a PIM program on the channels of a memory, and ordinary requests beside it. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import { PimController, type PimLog, type PimOptions } from './controller.ts';
import { commandsIn, ProgramCursor } from './cursor.ts';
import type { PimQueue } from './queue.ts';
import type { ChannelWatch } from './watch.ts';

export interface PimRunOptions extends Omit<PimOptions, 'log' | 'like'> {
  readonly channels?: number;
  readonly log?: (channel: number) => PimLog;
  /** Ordinary reads and writes: a program of commands that access, which go to the queues of requests. */
  readonly accesses?: PimProgram;
}

export interface PimResult {
  /** Clock cycles until the last command was sent. */
  readonly cycles: number;
  /** Commands sent, by name, of all channels together. */
  readonly commands: { readonly [name: string]: number };
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

/**
 * Hands out the commands of a program in its order, as many in a cycle as the queues take; one whose channel's queue is full
 * holds up all behind it, whatever channel they are for. So for accesses, which wait for no PIM command here.
 * @throws InputError when the program names commands, addresses or channels that are not there, or accesses do not access
 */
export function runPim(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): PimResult {
  const { channels = 1, log, accesses = [], ...rest } = options;
  checkAccesses(accesses, device);
  const named = new Set([...commandsIn(program, device), ...commandsIn(accesses, device)]);
  const controllers: PimController[] = [];
  for (let i = 0; i < channels; i++) {
    controllers.push(
      new PimController(device, named, { ...rest, log: log?.(i) ?? null, like: controllers[0] ?? null }),
    );
  }
  const feeds = [
    new Feed(new ProgramCursor(program, device), controllers, ({ commands }) => commands),
    new Feed(new ProgramCursor(accesses, device), controllers, ({ requests }) => requests),
  ];
  let cycle = 0;
  while (feeds.some(({ hasNext }) => hasNext) || controllers.some((controller) => !controller.isIdle)) {
    const isFed = feeds.some((feed) => feed.canGo);
    cycle = isFed ? cycle + 1 : controllers.reduce((next, c) => Math.min(next, c.next), Infinity);
    for (const feed of feeds) feed.go(cycle);
    for (const controller of controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }
  for (const controller of controllers) controller.finish(cycle);
  const sent = device.commands.map((_, command) => controllers.reduce((all, { rows }) => all + rows.sent[command]!, 0));
  return {
    cycles: cycle,
    commands: Object.fromEntries(device.commands.map(({ name }, command) => [name, sent[command]!])),
    channels: controllers.map(({ rows, latencySum, watch }) => ({ sent: rows.sent, latencySum, watch })),
  };
}

/** Commands on their way to one of the queues of each channel. */
class Feed {
  hasNext: boolean;
  readonly #cursor: ProgramCursor;
  readonly #controllers: readonly PimController[];
  readonly #queueOf: (controller: PimController) => PimQueue;

  constructor(
    cursor: ProgramCursor,
    controllers: readonly PimController[],
    queueOf: (controller: PimController) => PimQueue,
  ) {
    this.#cursor = cursor;
    this.#controllers = controllers;
    this.#queueOf = queueOf;
    this.hasNext = cursor.next();
  }

  /** Whether the next command's queue has room. @throws InputError when the command is for a channel that is not there */
  get canGo(): boolean {
    if (!this.hasNext) return false;
    const controller = this.#controllers[this.#cursor.channel];
    if (controller) return !this.#queueOf(controller).isFull;
    const message = `the program sends commands to channel ${this.#cursor.channel}`;
    throw new InputError({ message, hint: `there are ${this.#controllers.length}, counted from 0` });
  }

  go(cycle: number): void {
    while (this.canGo) {
      const controller = this.#controllers[this.#cursor.channel]!;
      this.#queueOf(controller).push(this.#cursor, cycle);
      controller.next = cycle;
      this.hasNext = this.#cursor.next();
    }
  }
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
