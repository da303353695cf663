/** Who is told of what happens in a channel that a machine drives, and what such a channel may be asked for. */
import type { PimMode } from './controller.ts';
import type { Addressed } from './queue.ts';

/** Told as soon as it is known, which is when the command for it is sent: `cycle` may lie ahead, never behind. */
export interface PimListener {
  /** The `index`-th result of a job, counted from 0, is outside: what one of its commands moves to the host. */
  readonly result?: (tag: number, index: number, cycle: number) => void;
  /** A job's last command has been done: sent, or, where it has a result, that is outside. */
  readonly job: (tag: number, cycle: number) => void;
  /** The last data of an access are outside; of a write, they are in the memory. */
  readonly access: (tag: number, cycle: number) => void;
}

/** Told of a command, with the address that it was sent for and the columns that it multiplies. */
export type ChannelLog = (tick: number, command: number, address: Addressed, multiplications: number) => void;

/** For whom a command is sent: an access, a PIM job, a refresh. */
export const [forAccess, forJob, forRefresh] = [0, 1, 2] as const;

/**
 * Told of `count` equal commands, evenly apart, the first and the last of which are sent in these cycles; at a bank, or, of
 * columns that accesses read or write, at several, of which it is one. Nothing is allocated.
 */
export type ChannelWatcher = (
  kind: number,
  command: number,
  bank: number,
  count: number,
  first: number,
  last: number,
) => void;

export interface PimChannelOptions {
  /** `blocked`: accesses wait while PIM work is under way, which begins when none waits. `concurrent`: they go between. */
  readonly mode?: PimMode;
  readonly refresh?: 'all-bank' | 'none';
  /** Columns from which on writes are sent: any number of reads waiting, none waiting; and whether also when all is done. */
  readonly writes?: { readonly high?: number; readonly low?: number; readonly whenIdle?: boolean };
  readonly log?: ChannelLog | null;
  /** Every command is a step of its own, chosen anew: what tests compare with. */
  readonly oneByOne?: boolean;
  readonly watcher?: ChannelWatcher | null;
}
