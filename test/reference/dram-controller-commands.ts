/** Which of a device's commands a controller sends for what: the first in the device's order that does just that. */
import type { DramCommand, DramDevice } from '../../arch/language/dram/device.ts';

export interface ControllerCommands {
  /** Opens a closed bank, or with `second` half-opens it. */
  readonly open: number;
  /** Opens a half-open bank; -1 where one command opens at once. */
  readonly second: number;
  readonly precharge: number;
  /** Closes all banks of what an all-bank refresh refreshes; -1 without one. */
  readonly prechargeAll: number;
  readonly read: number;
  readonly write: number;
  /** Read and write that close their bank after them; -1 without. */
  readonly readClosing: number;
  readonly writeClosing: number;
  /** What synchronises the data clock for a read, and for a write; -1 without. */
  readonly syncRead: number;
  readonly syncWrite: number;
}

export function controllerCommands(device: DramDevice): ControllerCommands {
  const find = (does: (command: DramCommand) => boolean) => device.commands.findIndex(does);
  const bank = device.levels.length - 1;
  const { allBank } = device.refresh;
  const refreshed = allBank === null ? -1 : device.commands[allBank.command].level;
  const precharges = (level: number) => find((c) => c.banks === 'closes' && c.access === 'none' && c.level === level);
  const accesses = (kind: 'read' | 'write', banks: 'none' | 'closes') =>
    find((c) => c.access === kind && c.banks === banks);
  const opens = find((c) => c.banks === 'opens');
  const activates = find((c) => c.banks === 'activates');
  return {
    open: activates === -1 ? opens : activates,
    second: activates === -1 ? -1 : opens,
    precharge: precharges(bank),
    prechargeAll: precharges(refreshed),
    read: accesses('read', 'none'),
    write: accesses('write', 'none'),
    readClosing: accesses('read', 'closes'),
    writeClosing: accesses('write', 'closes'),
    syncRead: find((c) => c.syncs === 'read' || c.syncs === 'any'),
    syncWrite: find((c) => c.syncs === 'write' || c.syncs === 'any'),
  };
}
