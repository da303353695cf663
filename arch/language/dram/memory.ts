/** A main memory of DRAM: what a machine chooses of a standard, and how its controllers order commands. */
import { Record } from 'immutable';
import type { DramDevice } from './device.ts';
import { tickPs } from './device.ts';
import { Page } from './page.ts';
import { deviceOf } from './resolve.ts';
import { DramStandard } from './standard.ts';

/** Requests that each queue of a channel holds, and the fractions of the write queue where writing ends and begins. */
export class Queues extends Record<{ reads: number; writes: number; low: number; high: number }>(
  { reads: 32, writes: 32, low: 0.2, high: 0.8 },
  'Queues',
) {}

export const schedulers = ['frfcfs', 'frfcfs-row-hit'] as const;
export const refreshPolicies = ['all-bank', 'per-bank', 'none'] as const;

/**
 * What ordinary requests do while a memory computes: `concurrent`, they go between its commands; `blocked`, they wait until
 * all of a program have been sent.
 */
export const pimModes = ['concurrent', 'blocked'] as const;

/** The kinds of refresh that a standard's, or a device's, refresh commands allow. */
export function refreshesOf(refresh: {
  readonly allBank: unknown;
  readonly perBank: unknown;
}): (typeof refreshPolicies)[number][] {
  const has = { 'all-bank': refresh.allBank !== null, 'per-bank': refresh.perBank !== null, none: true };
  return refreshPolicies.filter((policy) => has[policy]);
}

export class DramMemory extends Record<{
  standard: DramStandard;
  organisation: string;
  speed: string;
  /** Null where the standard has none. */
  ranks: number | null;
  channels: number;
  /** How addresses are laid on channels, banks, rows and columns. */
  mapping: string;
  scheduler: (typeof schedulers)[number];
  page: Page;
  refreshes: (typeof refreshPolicies)[number];
  queues: Queues;
  /** Null where the standard computes nothing. */
  pim: (typeof pimModes)[number] | null;
  /** Commands that compute which the host sends in a cycle, all channels together; null: as many as it likes. */
  issue: number | null;
}>(
  {
    standard: new DramStandard(),
    organisation: '',
    speed: '',
    ranks: null,
    channels: 1,
    mapping: 'interleaved',
    scheduler: 'frfcfs',
    page: new Page(),
    refreshes: 'all-bank',
    queues: new Queues(),
    pim: null,
    issue: null,
  },
  'DramMemory',
) {}

/** The device that each channel of a memory is. */
export function memoryDevice({ standard, organisation, speed, ranks }: DramMemory): DramDevice {
  return deviceOf(standard, { organisation, speed, ranks: ranks ?? undefined });
}

/** Bytes that `channels` channels hold. */
export function capacityOf(device: DramDevice, channels: number): number {
  const banks = device.counts.reduce((all, count) => all * count, channels);
  return banks * device.rows * device.bursts * device.burstBytes;
}

/**
 * Bytes per second that `channels` channels can move: data rate x width of every data bus. Where an access carries
 * other bytes than its columns have, the bytes of accesses that follow each other as fast as reads may.
 */
export function peakBandwidth(standard: DramStandard, device: DramDevice, channels: number): number {
  const buses = channels * (device.counts[device.levels.indexOf('pseudoChannel')] ?? 1);
  if (standard.payload !== null) return (buses * device.burstBytes) / (readSpacing(device) * tickPs(device) * 1e-12);
  const rate = standard.speeds.get(device.speed)?.rate ?? 0;
  return (buses * rate * 1e6 * device.width) / 8;
}

/** Ticks from one read to the next on the same data bus. */
function readSpacing({ commands, constraints, levels }: DramDevice): number {
  const read = commands.findIndex(({ access }) => access === 'read');
  const bus = Math.max(0, levels.indexOf('pseudoChannel'));
  const rows = constraints.filter(
    ({ level, after, before, window, sibling }) =>
      level <= bus && window === 1 && !sibling && after.includes(read) && before.includes(read),
  );
  return Math.max(commands[read].ticks, ...rows.map(({ latency }) => latency));
}
