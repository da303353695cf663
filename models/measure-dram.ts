/** What a memory of DRAM did, as reports see it. */
import type { DramDevice } from '../arch/language/dram/device.ts';
import type { DramMemory } from '../arch/language/dram/memory.ts';
import { pageText } from '../arch/language/dram/page.ts';
import type { Dram } from './memory/dram/memory.ts';
import type { DramResult, MemoryResult, Series } from './result.ts';

const picoseconds = 1e-12;

/** Figures that every memory has. */
export function dramFigures(
  dram: Dram,
): Pick<MemoryResult, 'commands' | 'rowHits' | 'rowMisses' | 'rowConflicts' | 'averageReadLatency'> {
  const { controllers, device, activity, averageReadLatency } = dram;
  const sum = (key: 'rowHits' | 'rowMisses' | 'rowConflicts'): number =>
    controllers.reduce((all, controller) => all + controller[key], 0);
  return {
    commands: Object.fromEntries(device.commands.map(({ name }, i) => [name, activity.commands[i] ?? 0])),
    rowHits: sum('rowHits'),
    rowMisses: sum('rowMisses'),
    rowConflicts: sum('rowConflicts'),
    averageReadLatency,
  };
}

/** Figures that only DRAM has; `seconds` is the length of the run. */
export function dramResult(dram: Dram, choice: DramMemory, seconds: number): DramResult {
  const { controllers, device, banks } = dram;
  const names = bankNames(device);
  const sum = (key: 'forwarded' | 'coalesced'): number =>
    controllers.reduce((all, controller) => all + controller[key], 0);
  const ticks = ticksIn(dram, seconds);
  return {
    standard: device.standard,
    organisation: device.organisation,
    speed: device.speed,
    channels: controllers.length,
    scheduler: choice.scheduler,
    page: pageText(choice.page),
    refresh: choice.refreshes,
    mapping: choice.mapping,
    burstBytes: device.burstBytes,
    banks: names,
    activity: names.map((_, bank) => banks.series(bank, ticks)),
    bin: secondsOf(dram, banks.width),
    activations: names.map((_, bank) => controllers.reduce((all, { activations }) => all + activations[bank]!, 0)),
    channelBytes: controllers.map(({ commands }) =>
      device.commands.reduce(
        (bytes, { access }, i) => bytes + (access === 'none' ? 0 : commands[i]! * device.burstBytes),
        0,
      ),
    ),
    forwarded: sum('forwarded'),
    coalesced: sum('coalesced'),
  };
}

/**
 * Bandwidth over time. The bytes that were asked for are spread evenly over the accesses that it took, each of which moves a
 * whole burst, whatever is needed of it.
 */
export function dramBandwidth(dram: Dram, seconds: number): Series {
  const { name, accesses, bytesRead, bytesWritten } = dram;
  const counts = accesses.series(0, ticksIn(dram, seconds));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const bin = secondsOf(dram, accesses.width);
  const perAccess = all > 0 ? (bytesRead + bytesWritten) / all / bin : 0;
  return { name, unit: 'B/s', bin, values: counts.map((count) => count * perAccess) };
}

function secondsOf({ clock }: Dram, ticks: number): number {
  const { numerator, denominator } = clock.period;
  return ((ticks * numerator) / denominator) * picoseconds;
}

function ticksIn({ clock }: Dram, seconds: number): number {
  return clock.cycleAtOrAfter(Math.round(seconds / picoseconds));
}

/** Path names of the banks of a channel: `rank 0, bank group 1, bank 2`. */
export function bankNames({ levels, counts }: Pick<DramDevice, 'levels' | 'counts'>): string[] {
  return levels.slice(1).reduce<string[]>(
    (paths, level, i) => {
      const word = level.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      return paths.flatMap((path) =>
        Array.from({ length: counts[i + 1]! }, (_, n) => `${path === '' ? '' : `${path}, `}${word} ${n}`),
      );
    },
    [''],
  );
}
