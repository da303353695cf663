/** What a run of a PIM program came to, as JSON and for people. */
import { basename } from 'node:path';
import type { DramDevice } from '../arch/language/dram/device.ts';
import type { DramEnergy } from '../models/physical/dram.ts';
import type { PimActivity, PimWaits } from '../models/result.ts';
import { count, fraction, ratio, seconds, share } from './format.ts';
import { commandLines, energyLines, type Line, several, titled } from './replay.ts';

export interface PimReport {
  /** The file of the program. */
  readonly trace: string;
  readonly device: DramDevice;
  readonly refresh: string;
  readonly activity: Required<PimActivity>;
  /** Null when nothing of it is known. */
  readonly energy: DramEnergy | null;
  /** Cycles from the arrival of an ordinary read to its data, on average; null without reads. */
  readonly readLatency: number | null;
}

/** Commands by name, of all channels together. */
export function commandsOf({ channels }: PimActivity): { [command: string]: number } {
  const all: { [command: string]: number } = {};
  for (const { commands } of channels) {
    for (const [name, sent] of Object.entries(commands)) all[name] = (all[name] ?? 0) + sent;
  }
  return all;
}

/** The keys of the JSON in their order; energies are in joules, waits in cycles of all channels together. */
export function pimJson({ device, refresh, activity, energy, readLatency }: PimReport): string {
  const { cycles, cycle, mode, waits, bin, banks, channels, open } = activity;
  const json = {
    standard: device.standard,
    organisation: device.organisation,
    speed: device.speed,
    mode,
    refresh,
    cycles,
    clockNs: device.clockPs / 1000,
    seconds: cycles * cycle,
    commands: commandsOf(activity),
    averageReadLatencyCycles: readLatency,
    waits,
    energy,
    bin,
    banks,
    channels,
    open,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** What cycles with something waiting went to, as texts. */
const waitNames: readonly (readonly [keyof PimWaits, string])[] = [
  ['sent', 'sent'],
  ['commandBus', 'command bus'],
  ['rowBuffer', 'row buffer'],
  ['constraint', 'constraints'],
  ['turn', 'turn'],
  ['refresh', 'refresh'],
  ['own', 'itself'],
];

function waitLine(label: string, waits: PimWaits): Line[] {
  const all = waitNames.reduce((sum, [key]) => sum + waits[key], 0);
  if (all === 0) return [];
  const parts = waitNames
    .filter(([key]) => waits[key] > 0)
    .map(([key, name]) => `${name} ${share(fraction(waits[key], all))}`);
  return [[label, parts.join('   ')]];
}

/** About ten lines for a terminal; `report` is the file of the full one. */
export function pimSummary(
  report: PimReport,
  { color = false, report: file }: { readonly color?: boolean; readonly report?: string } = {},
): string {
  const { device, activity, energy, readLatency } = report;
  const { cycles, cycle, mode, channels, waits } = activity;
  const lines: Line[] = [
    ['memory', `${several(channels.length, 'channel')}   ${mode}   refresh ${report.refresh}`],
    ...waitLine('PIM', waits.pim),
    ...waitLine('requests', waits.ordinary),
    ...(readLatency === null
      ? []
      : [['latency', `${seconds(readLatency * cycle)} per read   ${ratio(readLatency)} cycles`] satisfies Line]),
    ...commandLines(commandsOf(activity)),
    ...energyLines(device, energy),
    ...(file === undefined ? [] : [['report', file] satisfies Line]),
  ];
  const name = `${basename(report.trace)} on ${device.name}`;
  const length = `${count(cycles)} cycles of ${seconds(cycle)}   ${seconds(cycles * cycle)}`;
  return titled(name, length, lines, color);
}
