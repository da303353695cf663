import type { DramResult, MemoryResult, Result } from '../../models/result.ts';
import { gemmThenRelu } from './sample.ts';

/** Nodes of each level below one of the level above. */
export type Banks = { ranks: number; bankGroups: number; banks: number };

export const smallBanks: Banks = { ranks: 1, bankGroups: 4, banks: 4 };

const numbers = (count: number) => [...Array(count).keys()];

const pathsOf = ({ ranks, bankGroups, banks }: Banks): string[] =>
  numbers(ranks).flatMap((rank) =>
    numbers(bankGroups).flatMap((group) =>
      numbers(banks).map((bank) => `rank ${rank}, bank group ${group}, bank ${bank}`),
    ),
  );

const bins = 300;

/** Between 0 and 1, the same for the same numbers. */
function noise(a: number, b: number): number {
  const wave = Math.sin(a * 12.9898 + b * 78.233) * 43758.5453;
  return wave - Math.floor(wave);
}

/** Share of the bus that a bank has in a bin: a stream goes from bank to bank, bank 5 is hot late, and all pause to refresh. */
function weight(bank: number, bin: number, banks: number): number {
  if (bin % 47 === 46) return 0;
  const stream = (bin * 0.6) % banks;
  const near = Math.max(0, 1 - (Math.abs(bank - stream) * 10) / banks);
  const hot = bin > 200 && bank === 5 % banks ? 2.2 : 0;
  return 1.2 * near + hot + (bin > 120 && noise(bank, bin) > 0.6 ? 0.25 * noise(bin, bank) : 0);
}

/** Accesses per bank and bin that add up, within rounding, to so many. */
function activityOf(accesses: number, banks: number): number[][] {
  const weights = numbers(banks).map((bank) => numbers(bins).map((bin) => weight(bank, bin, banks)));
  const total = weights.flat().reduce((sum, value) => sum + value, 0);
  return weights.map((row) => row.map((value) => Math.round((value / total) * accesses)));
}

export function dramOf(memory: MemoryResult, shape: Banks, channels: number, seconds: number): DramResult {
  const banks = pathsOf(shape);
  const moved = memory.bytesRead + memory.bytesWritten;
  const activity = activityOf(moved / 64, banks.length);
  return {
    standard: 'DDR4',
    organisation: 'DDR4_8Gb_x8',
    speed: 'DDR4_2400R',
    channels,
    scheduler: 'frfcfs',
    page: 'open',
    refresh: 'all-bank',
    mapping: 'RoBaRaCoCh',
    burstBytes: 64,
    banks,
    activity,
    bin: seconds / (bins - 0.4),
    activations: activity.map((row, bank) =>
      Math.round(row.reduce((sum, value) => sum + value, 0) * (0.04 + 0.05 * noise(bank, 1))),
    ),
    channelBytes: numbers(channels).map((channel) => Math.round((moved / channels) * (1 + 0.01 * noise(channel, 2)))),
    forwarded: 412,
    coalesced: 1033,
  };
}

/** A product and its rectification out of DRAM of so many banks. */
export function onDram(shape: Banks = smallBanks, channels = 2): Result {
  const result = gemmThenRelu();
  const memories = result.memories.map((memory) => (memory.kind === 'memory' ? withDram(memory) : memory));
  function withDram(memory: MemoryResult): MemoryResult {
    const dram = dramOf(memory, shape, channels, result.seconds);
    const accesses = (memory.bytesRead + memory.bytesWritten) / 64;
    const opened = dram.activations.reduce((sum, value) => sum + value, 0);
    return {
      ...memory,
      model: 'dram',
      dram,
      rowHits: Math.round(accesses) - opened,
      rowMisses: Math.round(opened * 0.3),
      rowConflicts: opened - Math.round(opened * 0.3),
      commands: {
        ACT: opened,
        PREpb: opened - 40,
        PREab: 120,
        RD: Math.round(memory.bytesRead / 64),
        WR: Math.round(memory.bytesWritten / 64),
        REFab: 134,
      },
    };
  }
  const { hbm: _, ...parts } = result.energy.by;
  const dram = {
    activate: 3.1e-4,
    read: 5.4e-4,
    write: 1.3e-4,
    refresh: 8.2e-5,
    'background active': 2.6e-4,
    'background precharged': 4.1e-5,
  };
  const by = { ...parts, hbm: dram };
  const total = Object.values(by)
    .flatMap((actions) => Object.values(actions))
    .reduce((sum, joule) => sum + joule, 0);
  return { ...result, memories, energy: { total, by } };
}
