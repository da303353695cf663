/** What a memory that computes did, as reports see it. */
import type { DramDevice } from '../arch/language/dram/device.ts';
import { bankNames } from './measure-dram.ts';
import type { PimMode } from './memory/pim/controller.ts';
import type { PimResult } from './memory/pim/run.ts';
import { type ChannelWatch, type Outcome, ordinary, outcomes, pim, refresh } from './memory/pim/watch.ts';
import type { DramActivity } from './physical/dram.ts';
import type { PimActivity, PimWaits } from './result.ts';

const picoseconds = 1e-12;

/** A run of which every channel was watched. @throws Error when one was not */
export function pimActivity(device: DramDevice, mode: PimMode, { cycles, channels }: PimResult): Required<PimActivity> {
  const watches = watchesOf(channels);
  const cycleSeconds = device.clockPs * picoseconds;
  const end = cycles + 1;
  const banks = bankNames(device);
  const width = Math.max(1, ...watches.map(({ commands }) => commands.width));
  const over = ({ commands }: ChannelWatch, kind: number): number[] => commands.series(kind, end);
  return {
    standard: device.standard,
    organisation: device.organisation,
    speed: device.speed,
    mode,
    cycles,
    cycle: cycleSeconds,
    banks,
    bin: width * cycleSeconds,
    channels: channels.map(({ sent }, i) => ({
      commands: Object.fromEntries(device.commands.map(({ name }, command) => [name, sent[command]!])),
      ordinary: over(watches[i]!, ordinary),
      pim: over(watches[i]!, pim),
      refresh: over(watches[i]!, refresh),
    })),
    open: { ordinary: openShares(device, watches, ordinary, end), pim: openShares(device, watches, pim, end) },
    waits: { ordinary: waitsOf(watches, ordinary), pim: waitsOf(watches, pim) },
  };
}

/** What the energy of such a run depends on. @throws Error when a channel was not watched */
export function pimDramActivity(device: DramDevice, { cycles, channels }: PimResult): DramActivity {
  const ticks = cycles * device.ticksPerClock;
  return {
    commands: device.commands.map((_, command) => channels.reduce((all, { sent }) => all + sent[command]!, 0)),
    ranks: watchesOf(channels).flatMap(({ activeTicks }) =>
      [...activeTicks].map((active) => ({ activeTicks: active, idleTicks: Math.max(0, ticks - active) })),
    ),
  };
}

function watchesOf(channels: PimResult['channels']): ChannelWatch[] {
  return channels.map(({ watch }) => {
    if (watch === null) throw new Error('a channel that was not watched');
    return watch;
  });
}

/** By bank and bin: the share of the bin in which a row was open, the mean of all channels. */
function openShares(device: DramDevice, watches: readonly ChannelWatch[], kind: number, end: number): number[][] {
  const count = bankNames(device).length;
  const ticks = end * device.ticksPerClock;
  return Array.from({ length: count }, (_, bank) => {
    const all = watches.map(({ open }) => open.series(kind * count + bank, ticks));
    const width = watches[0]?.open.width ?? 1;
    return (all[0] ?? []).map((_, bin) => {
      const covered = Math.min(width, ticks - bin * width) * watches.length;
      return all.reduce((sum, series) => sum + series[bin]!, 0) / covered;
    });
  });
}

function waitsOf(watches: readonly ChannelWatch[], kind: typeof ordinary | typeof pim): PimWaits {
  const cycles = (outcome: Outcome): number =>
    watches.reduce((sum, watch) => sum + watch.outcomes[kind][outcomes.indexOf(outcome)]!, 0);
  return {
    sent: cycles('sent'),
    commandBus: cycles('commandBus'),
    rowBuffer: cycles('rowBuffer'),
    constraint: cycles('constraint'),
    turn: cycles('turn'),
    refresh: cycles('refresh'),
    own: cycles('own'),
  };
}
