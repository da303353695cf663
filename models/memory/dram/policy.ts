/** How a controller orders commands: each piece chosen by name. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { type Page, timeoutTicks } from '../../../arch/language/dram/page.ts';

export interface ControllerPolicy {
  readonly scheduler: Scheduler;
  readonly page: PagePolicy;
  readonly refresh: Refresh;
  /** Requests that each queue of a channel holds. */
  readonly readQueue: number;
  readonly writeQueue: number;
  /** Writes begin above `writeHigh` of their queue and end below `writeLow` of it, while reads wait. */
  readonly writeLow: number;
  readonly writeHigh: number;
}

/**
 * `frfcfs`: the oldest request whose next command can start now. `frfcfs-row-hit`: the same, but no row is closed while an
 * older request hits it.
 */
export type Scheduler = 'frfcfs' | 'frfcfs-row-hit';

/**
 * - `open`: a row stays open until another one, or a refresh, needs its bank.
 * - `closed`: the last waiting hit to a row closes it with its own access (auto-precharge).
 * - `capped`: after `cap` accesses a row is closed with the next one, or by a precharge as soon as one can start
 *   (Ramulator's ClosedCAP).
 * - `timeout`: a row that no access used for `ticks` is precharged, unless a request that hits it waits.
 */
export type PagePolicy =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'capped'; readonly cap: number }
  | { readonly kind: 'timeout'; readonly ticks: number };

/** A page policy of a description, in ticks of a device. */
export function pagePolicyOf(page: Page, device: DramDevice): PagePolicy {
  switch (page.kind) {
    case 'capped':
      return { kind: 'capped', cap: page.cap };
    case 'timeout':
      return { kind: 'timeout', ticks: timeoutTicks(page, device) };
    default:
      return { kind: page.kind };
  }
}

export type Refresh = 'all-bank' | 'per-bank' | 'none';

export const defaultPolicy: ControllerPolicy = {
  scheduler: 'frfcfs',
  page: { kind: 'open' },
  refresh: 'all-bank',
  readQueue: 32,
  writeQueue: 32,
  writeLow: 0.2,
  writeHigh: 0.8,
};
