/** Which of a device's commands a controller sends for what. */
import type { DramCommand, DramDevice } from '../../../arch/language/dram/device.ts';
import type { ControllerPolicy } from './policy.ts';
import { none } from './requests.ts';

export interface CommandSet {
  readonly read: number;
  readonly write: number;
  /** With auto-precharge; `none` where the device has no such command. */
  readonly readClose: number;
  readonly writeClose: number;
  /** Opens a row, or half-opens it where `activateSecond` does the rest. */
  readonly activate: number;
  readonly activateSecond: number;
  readonly precharge: number;
  readonly prechargeAll: number;
  /** Before a read or a write when the data clock has stopped. */
  readonly syncRead: number;
  readonly syncWrite: number;
}

/** @throws Error when the device lacks a command without which nothing can be read or written. */
export function commandSet(device: DramDevice): CommandSet {
  const find = (matches: (command: DramCommand) => boolean): number => device.commands.findIndex(matches);
  const need = (what: string, matches: (command: DramCommand) => boolean): number => {
    const index = find(matches);
    if (index === none) throw new Error(`${device.name} has no command that ${what}`);
    return index;
  };
  const bankLevel = device.levels.length - 1;
  const isSplit = device.activationDeadline > 0;
  return {
    read: need('reads', (c) => c.access === 'read' && c.banks === 'none'),
    write: need('writes', (c) => c.access === 'write' && c.banks === 'none'),
    readClose: find((c) => c.access === 'read' && c.banks === 'closes'),
    writeClose: find((c) => c.access === 'write' && c.banks === 'closes'),
    activate: need('opens a bank', (c) => c.banks === (isSplit ? 'activates' : 'opens')),
    activateSecond: isSplit ? need('opens a half-open bank', (c) => c.banks === 'opens') : none,
    precharge: need('closes a bank', (c) => c.access === 'none' && c.banks === 'closes' && c.level === bankLevel),
    prechargeAll: find((c) => c.access === 'none' && c.banks === 'closes' && c.level < bankLevel),
    syncRead: find((c) => c.syncs === 'read' || c.syncs === 'any'),
    syncWrite: find((c) => c.syncs === 'write' || c.syncs === 'any'),
  };
}

/** Of every command of a device whether a controller ever sends it. */
export function sentCommands(device: DramDevice, set: CommandSet, policy: ControllerPolicy): boolean[] {
  const { readClose, writeClose, ...always } = set;
  const sent = new Set<number>(Object.values(always));
  if (policy.page.kind === 'closed' || policy.page.kind === 'capped') sent.add(readClose).add(writeClose);
  if (policy.refresh === 'all-bank') sent.add(device.refresh.allBank?.command ?? none);
  if (policy.refresh === 'per-bank') sent.add(device.refresh.perBank?.command ?? none);
  return device.commands.map((_, command) => sent.has(command));
}
