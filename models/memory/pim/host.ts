/** Hands out the commands of a program to the queues of channels. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import { type Alike, alike } from './alike.ts';
import type { PimController, PimScheduler } from './controller.ts';
import { barrierCommand, instructionCommand, instructionsIn, ProgramCursor, syncCommand } from './cursor.ts';
import type { PimQueue } from './queue.ts';

const never = Number.POSITIVE_INFINITY;
const sync = { command: syncCommand, bank: 0, row: 0, column: 0, entry: 0, sum: 0 };

/** Channels that every instruction of a program is for alike; each by itself when it has commands outside of them. */
export function sharesOf(program: PimProgram, channels: number): number[][] {
  const instructions = hasPlain(program) ? null : [...new Set(instructionsIn(program))];
  return alike(channels, (channel) =>
    instructions ? instructions.map((one) => (one.channels.includes(channel) ? '1' : '0')).join('') : String(channel),
  );
}

/** @throws InputError when an instruction is for a channel that is not there, or with what does not go with a host */
export function checkForHost(
  program: PimProgram,
  { channels, accesses, scheduler }: { channels: number; accesses: PimProgram; scheduler?: PimScheduler },
): void {
  if (accesses.length > 0 || scheduler === 'hits-first') {
    const what = accesses.length > 0 ? 'run beside other accesses' : 'sent hits first';
    throw new InputError({ message: `what a host decodes is not ${what}` });
  }
  for (const instruction of instructionsIn(program)) {
    const missing = instruction.channels.find((channel) => channel < 0 || channel >= channels);
    if (missing === undefined) continue;
    const message = `an instruction of the program is for channel ${missing}`;
    throw new InputError({ message, hint: `there are ${channels}, counted from 0` });
  }
}

/** Whether a program has something that a host decodes. */
export function isForHost(program: PimProgram): boolean {
  return program.some(
    (step) => step.kind === 'instruction' || step.kind === 'sync' || (step.kind === 'repeat' && isForHost(step.steps)),
  );
}

function hasPlain(program: PimProgram): boolean {
  return program.some(
    (step) => step.kind === 'commands' || step.kind === 'barrier' || (step.kind === 'repeat' && hasPlain(step.steps)),
  );
}

/** What a group of channels gets of the instruction in hand. */
class Share {
  readonly group: Alike;
  readonly cursor: ProgramCursor;
  hasNext = false;

  constructor(group: Alike, device: DramDevice) {
    this.group = group;
    this.cursor = new ProgramCursor([], device);
  }

  get isOut(): boolean {
    return !this.hasNext && this.group.controller.commands.excess === 0;
  }
}

export class Host {
  readonly #device: DramDevice;
  /** By channel: the controller that runs it. */
  readonly #controllers: readonly PimController[];
  readonly #inOrder: boolean;
  readonly #cursor: ProgramCursor;
  #hasNext: boolean;
  readonly #shares: readonly Share[];
  /** Groups that the instruction in hand is for; empty: none is in hand. */
  #open: Share[] = [];
  /** What it waits for once all have their share: nothing, their data, or a sync. */
  #awaits: 'nothing' | 'data' | 'sync' = 'nothing';
  #isWaiting = false;
  /** Where a run has just been handed over, of which there may be no room for all. */
  #last: PimQueue | null = null;
  /** The first cycle in which it may hand out more. */
  free = 0;

  constructor(device: DramDevice, program: PimProgram, groups: readonly Alike[], inOrder: boolean) {
    this.#device = device;
    this.#inOrder = inOrder;
    this.#controllers = groups
      .flatMap(({ controller, channels }) => channels.map((channel) => ({ channel, controller })))
      .sort((a, b) => a.channel - b.channel)
      .map(({ controller }) => controller);
    this.#cursor = new ProgramCursor(program, device);
    this.#shares = groups.map((group) => new Share(group, device));
    this.#hasNext = this.#cursor.next();
  }

  /** Whether it has more to hand out, or waits for something that is not known to come. */
  get isBusy(): boolean {
    return this.#hasNext || (this.#isWaiting ? !this.#resume() : this.#open.length > 0);
  }

  /** The next cycle after one in which it may hand out something, if no queue changes. */
  after(cycle: number): number {
    if (this.#isWaiting) return this.#resume() ? Math.max(cycle + 1, this.free) : never;
    if (this.#open.length > 0) {
      const canGive = ({ hasNext, group: { controller }, cursor }: Share) => hasNext && this.#takes(controller, cursor);
      return this.#open.some(canGive) || this.#open.every(({ isOut }) => isOut) ? cycle + 1 : never;
    }
    if (!this.#hasNext || !this.#canTake()) return never;
    return Math.max(cycle + 1, this.free);
  }

  /** Hands out what can be in a cycle. */
  give(cycle: number): void {
    if (this.#isWaiting) {
      if (!this.#resume() || cycle < this.free) return;
      this.#isWaiting = false;
    }
    if (this.#open.length > 0) {
      this.#share(cycle);
      return;
    }
    while (this.#hasNext && cycle >= this.free && this.#canTake()) {
      const { command } = this.#cursor;
      if (command === instructionCommand || command === syncCommand) {
        this.#decode();
        this.#share(cycle);
        return;
      }
      const controller = this.#controllers[this.#cursor.channel]!;
      this.#push(controller, this.#cursor, cycle);
      this.#last = controller.commands;
      this.#hasNext = this.#cursor.next();
    }
  }

  /** Takes up the instruction or sync that the cursor has come to. */
  #decode(): void {
    const { step, iteration } = this.#cursor;
    const { step: written, steps } = step!;
    this.#awaits = 'nothing';
    if (written.kind === 'sync') this.#awaits = 'sync';
    else if (written.kind === 'instruction' && written.waits) this.#awaits = 'data';
    this.#open = this.#shares.filter(
      ({ group }) => written.kind !== 'instruction' || written.channels.includes(group.channels[0]!),
    );
    for (const share of this.#open) {
      share.cursor.begin(steps, iteration);
      share.hasNext = written.kind === 'sync' || share.cursor.next();
    }
    this.#hasNext = this.#cursor.next();
  }

  /** Gives every group what it has room for; what follows comes in a later cycle. */
  #share(cycle: number): void {
    for (const share of this.#open) {
      const { cursor, group } = share;
      while (share.hasNext && this.#takes(group.controller, cursor)) {
        if (this.#awaits === 'sync') {
          group.controller.commands.push(sync, cycle);
          group.controller.next = Math.min(group.controller.next, cycle);
          share.hasNext = false;
        } else {
          this.#push(group.controller, cursor, cycle);
          share.hasNext = cursor.next();
        }
      }
    }
    if (this.#open.some(({ isOut }) => !isOut)) return;
    this.free = cycle + 1;
    if (this.#awaits === 'nothing') this.#open = [];
    else this.#isWaiting = true;
  }

  /** Whether what it waits for is known to come; then `free` is the cycle after. */
  #resume(): boolean {
    if (this.#open.some(({ group }) => group.controller.waiting > 0)) return false;
    for (const { group } of this.#open) {
      const { came, done, synced } = group.controller;
      const end = this.#awaits === 'data' ? came : Math.max(came, done, synced) + 1;
      this.free = Math.max(this.free, end + 1);
    }
    this.#open = [];
    return true;
  }

  #push(controller: PimController, cursor: ProgramCursor, cycle: number): void {
    const queue = this.#queueFor(controller, cursor);
    controller.next = Math.min(controller.next, cycle);
    queue.pushRun(cursor, cycle);
  }

  /** @throws InputError when the command is for a channel that is not there. */
  #canTake(): boolean {
    if (this.#last !== null && this.#last.excess > 0) return false;
    const { command, channel } = this.#cursor;
    if (command === instructionCommand || command === syncCommand) return true;
    const controller = this.#controllers[channel];
    if (controller) return this.#takes(controller, this.#cursor);
    const message = `the program sends commands to channel ${channel}`;
    throw new InputError({ message, hint: `there are ${this.#controllers.length}, counted from 0` });
  }

  /** Whether a queue has room. In order, requests and PIM commands also wait for each other. */
  #takes(controller: PimController, cursor: ProgramCursor): boolean {
    const queue =
      this.#awaits === 'sync' && this.#open.length > 0 ? controller.commands : this.#queueFor(controller, cursor);
    if (queue.isFull) return false;
    if (!this.#inOrder) return true;
    return (queue === controller.commands ? controller.requests : controller.commands).size === 0;
  }

  /** In order, accesses to one bank are requests; else all goes in the order of the program. */
  #queueFor(controller: PimController, { command }: ProgramCursor): PimQueue {
    if (!this.#inOrder || command === barrierCommand) return controller.commands;
    const { access, level } = this.#device.commands[command]!;
    return access !== 'none' && level === this.#device.levels.length - 1 ? controller.requests : controller.commands;
  }
}
