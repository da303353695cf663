/** PIM programs run on channels, with what was sent. */
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { findStandard } from '../../../../arch/language/dram/find.ts';
import { deviceOf } from '../../../../arch/language/dram/resolve.ts';
import type { Addressed } from '../../../../models/memory/pim/queue.ts';
import { type PimResult, type PimRunOptions, runPim } from '../../../../models/memory/pim/run.ts';
import type { PimProgram } from '../../../../workloads/language/pim-program.ts';
import type { IssuedCommand } from '../../../reference/dram-checker.ts';

export function dialect(name: string, speed?: string, organisation?: string): DramDevice {
  return deviceOf(findStandard(name).standard, { speed, organisation });
}

export interface Sent extends IssuedCommand {
  readonly address: Addressed;
}

/** What a program sends to channel 0. */
export function sentBy(device: DramDevice, program: PimProgram, options: PimRunOptions = {}): [Sent[], PimResult] {
  const sent: Sent[] = [];
  const result = runPim(device, program, {
    ...options,
    log: (channel) => (tick, command, address) => {
      if (channel === 0) sent.push(issued(device, tick, command, address));
    },
  });
  return [sent, result];
}

/** A command as checkers take it. */
export function issued(device: DramDevice, tick: number, command: number, address: Addressed): Sent {
  const path = device.counts.map((count, level) => {
    const below = device.counts.slice(level + 1).reduce((all, n) => all * n, 1);
    return Math.floor(address.bank / below) % count;
  });
  const { level } = device.commands[command]!;
  return { tick, command, path: path.slice(0, level + 1), row: address.row, address: { ...address } };
}
