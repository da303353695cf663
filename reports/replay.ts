/** What a replay of memory requests on DRAM came to, as JSON and for people. */
import { basename } from 'node:path';
import { type DramDevice, tickPs } from '../arch/language/dram/device.ts';
import type { ReplayResult } from '../models/memory/dram/replay.ts';
import type { DramEnergy } from '../models/physical/dram.ts';
import { count, fraction, inScale, joules, ratio, seconds, share, siScale } from './format.ts';

export interface ReplayReport {
  /** The file of the requests. */
  readonly trace: string;
  readonly device: DramDevice;
  readonly channels: number;
  /** Bytes per second that the data buses of all channels can move. */
  readonly peak: number;
  readonly scheduler: string;
  readonly page: string;
  readonly refresh: string;
  readonly mapping: string;
  readonly result: ReplayResult;
  /** Null when the currents of the device are not known. */
  readonly energy: DramEnergy | null;
}

const tickSeconds = (device: DramDevice): number => tickPs(device) * 1e-12;

const runSeconds = ({ device, result }: ReplayReport): number => result.ticks * tickSeconds(device);

/** Bytes per second over all of the run; requests that never reached the banks count as well. */
const bandwidthOf = (report: ReplayReport): number =>
  fraction(report.result.requests * report.device.burstBytes, runSeconds(report));

/** The keys of the JSON in their order; energies are in joules, the bandwidth in bytes per second of simulated time. */
export function replayJson(report: ReplayReport): string {
  const { device, result, energy } = report;
  const json = {
    standard: device.standard,
    organisation: device.organisation,
    speed: device.speed,
    channels: report.channels,
    scheduler: report.scheduler,
    page: report.page,
    refresh: report.refresh,
    mapping: report.mapping,
    ticks: result.ticks,
    tickNs: tickPs(device) / 1000,
    requests: result.requests,
    reads: result.reads,
    writes: result.writes,
    latencySumTicks: result.latencySumTicks,
    averageReadLatencyTicks: result.averageReadLatencyTicks,
    rowHits: result.rowHits,
    rowMisses: result.rowMisses,
    rowConflicts: result.rowConflicts,
    commands: result.commands,
    bandwidth: bandwidthOf(report),
    energy,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

export type Line = readonly [label: string, text: string];

/** Commands, and parts of the energy, on one line. */
const mostOnLine = 5;

/** Items on as many lines as they need, the first with a label. */
export function inLines(label: string, items: readonly string[]): Line[] {
  const lines: Line[] = [];
  for (let i = 0; i < items.length; i += mostOnLine) {
    lines.push([i === 0 ? label : '', items.slice(i, i + mostOnLine).join('   ')]);
  }
  return lines;
}

function bandwidthLine(report: ReplayReport): Line {
  const { peak } = report;
  const bandwidth = bandwidthOf(report);
  const scale = siScale(peak, 'B/s');
  return [
    'bandwidth',
    `${inScale(bandwidth, scale)} of ${inScale(peak, scale)} ${scale.unit}   ${share(bandwidth / peak)}`,
  ];
}

export const several = (number: number, what: string): string => `${count(number)} ${what}${number === 1 ? '' : 's'}`;

function requestLine({ result }: ReplayReport): Line {
  const { requests, reads, writes, forwarded, coalesced } = result;
  const parts = [`${count(requests)}: ${several(reads, 'read')}, ${several(writes, 'write')}`];
  if (forwarded > 0) parts.push(`${several(forwarded, 'read')} of waiting writes`);
  if (coalesced > 0) parts.push(`${several(coalesced, 'write')} merged`);
  return ['requests', parts.join('   ')];
}

function latencyLines({ device, result }: ReplayReport): Line[] {
  if (result.reads === 0) return [];
  const ticks = result.averageReadLatencyTicks;
  return [['latency', `${seconds(ticks * tickSeconds(device))} per read   ${ratio(ticks)} ticks`]];
}

function rowLine({ result }: ReplayReport): Line {
  const { rowHits, rowMisses, rowConflicts } = result;
  const all = rowHits + rowMisses + rowConflicts;
  const of = (part: number) => share(fraction(part, all));
  return ['rows', `hits ${of(rowHits)}   misses ${of(rowMisses)}   conflicts ${of(rowConflicts)}`];
}

/** Commands that were sent, the most frequent first. */
export function commandLines(commands: { readonly [name: string]: number }): Line[] {
  const sent = Object.entries(commands)
    .filter(([, number]) => number > 0)
    .toSorted((a, b) => b[1] - a[1]);
  return inLines(
    'commands',
    sent.map(([name, number]) => `${name} ${count(number)}`),
  );
}

/** What the energy went to; null where nothing of it is known. */
export function energyLines({ speed }: DramDevice, energy: DramEnergy | null): Line[] {
  if (energy === null) return [['energy', `not known: there are no currents of ${speed}`]];
  const parts = Object.entries(energy.by)
    .filter(([, part]) => part > 0)
    .toSorted((a, b) => b[1] - a[1])
    .map(([name, part]) => `${name} ${share(fraction(part, energy.total))}`);
  return [...inLines('energy', [joules(energy.total), ...parts]), ...energy.notes.map((note): Line => ['note', note])];
}

/** Lines under a title; with `color`, labels are dim and the title bold. */
export function titled(name: string, length: string, lines: readonly Line[], color: boolean): string {
  const styled = (code: number, text: string) => (color && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text);
  const indent = Math.max('bandwidth'.length, ...lines.map(([label]) => label.length)) + 2;
  const title = styled(1, name) + ' '.repeat(Math.max(3, 50 - name.length)) + length;
  const body = lines.map(([label, text]) => `${styled(2, label)}${' '.repeat(indent - label.length)}${text}`);
  return `${[title, ...body].join('\n')}\n`;
}

/** About ten lines for a terminal; with `color`, labels are dim and the title bold. */
export function replaySummary(report: ReplayReport, { color = false }: { readonly color?: boolean } = {}): string {
  const { device, channels, result } = report;
  const policies = [report.scheduler, `${report.page} page`, `refresh ${report.refresh}`, report.mapping];
  const lines: Line[] = [
    ['memory', `${several(channels, 'channel')}   ${policies.join('   ')}`],
    requestLine(report),
    bandwidthLine(report),
    ...latencyLines(report),
    rowLine(report),
    ...commandLines(result.commands),
    ...energyLines(device, report.energy),
  ];
  const name = `${basename(report.trace)} on ${device.name}`;
  const length = `${count(result.ticks)} ticks of ${seconds(tickSeconds(device))}   ${seconds(runSeconds(report))}`;
  return titled(name, length, lines, color);
}
