/** Runs a PIM program on the channels of a memory. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import { PimController, type PimLog, type PimOptions } from './controller.ts';
import { commandsIn, ProgramCursor } from './cursor.ts';

export interface PimRunOptions extends Omit<PimOptions, 'log'> {
  readonly channels?: number;
  readonly log?: (channel: number) => PimLog;
}

export interface PimResult {
  /** Clock cycles until the last command was sent. */
  readonly cycles: number;
  /** Commands sent, by name, of all channels together. */
  readonly commands: { readonly [name: string]: number };
}

/**
 * Hands out the commands of a program in its order, as many in a cycle as the queues take; one whose channel's queue is full
 * holds up all behind it, whatever channel they are for.
 * @throws InputError when the program names commands, addresses or channels that are not there
 */
export function runPim(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): PimResult {
  const { channels = 1, log, ...rest } = options;
  const named = commandsIn(program, device);
  const controllers = Array.from(
    { length: channels },
    (_, i) => new PimController(device, named, { ...rest, log: log?.(i) ?? null }),
  );
  const cursor = new ProgramCursor(program, device);
  let hasNext = cursor.next();
  let cycle = 0;
  while (hasNext || controllers.some((controller) => !controller.isIdle)) {
    cycle =
      hasNext && canTake(controllers, cursor)
        ? cycle + 1
        : controllers.reduce((next, c) => Math.min(next, c.next), Infinity);
    while (hasNext && canTake(controllers, cursor)) {
      const controller = controllers[cursor.channel]!;
      controller.commands.push(cursor, cycle);
      controller.next = cycle;
      hasNext = cursor.next();
    }
    for (const controller of controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }
  const sent = device.commands.map((_, command) => controllers.reduce((all, { rows }) => all + rows.sent[command]!, 0));
  return {
    cycles: cycle,
    commands: Object.fromEntries(device.commands.map(({ name }, command) => [name, sent[command]!])),
  };
}

/** @throws InputError when the command is for a channel that is not there. */
function canTake(controllers: readonly PimController[], { channel }: ProgramCursor): boolean {
  const controller = controllers[channel];
  if (controller) return !controller.commands.isFull;
  const message = `the program sends commands to channel ${channel}`;
  throw new InputError({ message, hint: `there are ${controllers.length}, counted from 0` });
}
