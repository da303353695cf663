/** What a memory that computes did for a model that was served, as reports see it. */
import { bankNames } from '../measure-dram.ts';
import type { PimActivity, Series } from '../result.ts';
import type { PimMemory } from './pim-memory.ts';

const picoseconds = 1e-12;

/** All channels, of which those that are alike stand for each other. */
export function pimActivityOf(memory: PimMemory): PimActivity {
  const { device, channels, cycles, count, weight, watch, mode } = memory;
  const end = cycles + 1;
  const cycle = device.clockPs * picoseconds;
  const simulated = channels.map(({ commands }, channel) => ({
    commands: Object.fromEntries(device.commands.map(({ name }, command) => [name, commands[command]!])),
    ...watch.commands(channel, end),
  }));
  return {
    standard: device.standard,
    organisation: device.organisation,
    speed: device.speed,
    mode,
    cycles,
    cycle,
    banks: bankNames(device),
    bin: watch.width * cycle,
    channels: weight > 1 ? Array.from({ length: count }, () => simulated[0]!) : simulated,
    open: watch.open(end),
  };
}

/** Bytes that were read and written over time, all channels together; jobs move none. */
export function pimBandwidth(name: string, { device, cycles, weight, watch }: PimMemory): Series {
  const bin = watch.width * device.clockPs * picoseconds;
  const bytes = weight * device.burstBytes;
  return { name, unit: 'B/s', bin, values: watch.accesses(cycles + 1).map((columns) => (columns * bytes) / bin) };
}
