/** Runs a PIM program on the channels of a memory. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import { PimController, type PimLog, type PimOptions } from './controller.ts';
import { commandsIn, instructionsIn } from './cursor.ts';
import { alikeIn, Host } from './host.ts';

export interface PimRunOptions extends Omit<PimOptions, 'log'> {
  readonly channels?: number;
  readonly log?: (channel: number) => PimLog;
}

export interface PimResult {
  /** Clock cycles until the last command was sent, or the sync at the end was done. */
  readonly cycles: number;
  /** Commands sent, by name, of all channels together. */
  readonly commands: { readonly [name: string]: number };
}

/**
 * Hands out the commands of a program in its order, as many in a cycle as the queues take; one whose channel's queue is full
 * holds up all behind it, whatever channel they are for. Instructions are handed out as `PimInstruction` says. Channels that
 * get the same are run once.
 * @throws InputError when the program names commands, addresses or channels that are not there
 */
export function runPim(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): PimResult {
  const { channels = 1, log, ...rest } = options;
  const named = commandsIn(program, device);
  checkChannels(program, channels);
  const alike = log ? Array.from({ length: channels }, (_, channel) => [channel]) : alikeIn(program, channels);
  const groups = alike.map((group) => {
    const [first = 0] = group;
    return { channels: group, controller: new PimController(device, named, { ...rest, log: log?.(first) ?? null }) };
  });
  const controllers = groups.map(({ controller }) => controller);
  const host = new Host(device, program, groups, rest.order === 'in-order');
  let cycle = 0;
  while (host.isBusy || controllers.some((controller) => !controller.isIdle)) {
    cycle = controllers.reduce((next, controller) => Math.min(next, controller.next), host.after(cycle));
    host.give(cycle);
    for (const controller of controllers) if (controller.next <= cycle) controller.cycle(cycle);
  }
  const sent = (command: number) =>
    groups.reduce((all, group) => all + group.controller.rows.sent[command]! * group.channels.length, 0);
  return {
    cycles: Math.max(cycle, host.free - 1),
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
