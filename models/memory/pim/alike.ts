/** Channels that get the same, of which one is run. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { PimController, type PimLog, type PimOptions } from './controller.ts';

/** A controller, and the channels that it stands for. */
export interface Alike {
  readonly controller: PimController;
  readonly channels: readonly number[];
}

/** Channels together that get the same, which is told as text: in their order, as are the groups by their first ones. */
export function alike(channels: number, gets: (channel: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (let channel = 0; channel < channels; channel++) {
    const key = gets(channel);
    const group = groups.get(key);
    if (group) group.push(channel);
    else groups.set(key, [channel]);
  }
  return [...groups.values()];
}

/** A controller for each group of channels, which tells the logs of all of them. `named` are as `PimController` has them. */
export function controllersOf(
  device: DramDevice,
  groups: readonly (readonly number[])[],
  named: ReadonlySet<number>,
  options: Omit<PimOptions, 'log' | 'like'>,
  log: ((channel: number) => PimLog) | undefined,
): Alike[] {
  const all: Alike[] = [];
  for (const channels of groups) {
    const own = { ...options, like: all[0]?.controller ?? null, log: log ? logOf(channels.map(log)) : null };
    all.push({ controller: new PimController(device, named, own), channels });
  }
  return all;
}

function logOf(logs: readonly PimLog[]): PimLog {
  const [only] = logs;
  if (only && logs.length === 1) return only;
  return (tick, command, address) => {
    for (const log of logs) log(tick, command, address);
  };
}
