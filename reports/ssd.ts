/** What requests on SSDs came to, as JSON and for people. */
import type { SsdPart } from '../arch/language/ssd/part.ts';
import type { LatencyFigures, SsdResult } from '../models/memory/ssd/run.ts';
import { count, fraction, inScale, seconds, share, siScale } from './format.ts';
import { commandLines, type Line, several, titled } from './replay.ts';

export interface SsdReport {
  /** The file of the requests, or what they are: `random 4 KiB reads`. */
  readonly work: string;
  /** The SSD's name. */
  readonly name: string;
  readonly part: SsdPart;
  /** Requests under way at most. */
  readonly depth: number;
  /** Bytes per second that the links can move. */
  readonly peak: number;
  readonly result: SsdResult;
}

/** Times are in seconds, rates per second of simulated time, shares from 0 to 1. */
export function ssdJson({ work, name, part, depth, result }: SsdReport): string {
  return `${JSON.stringify({ ssd: name, count: part.count, work, depth, ...result }, null, 2)}\n`;
}

function latencyLine(label: string, { mean, p50, p99, max }: LatencyFigures): Line {
  return [label, `${seconds(mean)} mean   ${seconds(p50)} median   ${seconds(p99)} p99   ${seconds(max)} max`];
}

function latencyLines({ reads, writes, latency, readLatency, writeLatency }: SsdResult): Line[] {
  const all = latencyLine('latency', latency);
  if (reads === 0 || writes === 0 || readLatency === null || writeLatency === null) return [all];
  return [all, latencyLine('  reads', readLatency), latencyLine('  writes', writeLatency)];
}

function bandwidthLine({ peak, result }: SsdReport): Line {
  const scale = siScale(peak, 'B/s');
  const { linkToHostBusy, linkToDeviceBusy, busBusy, arrayBusy } = result.counters;
  const busy = [
    `link ${share(Math.max(linkToHostBusy, linkToDeviceBusy))}`,
    `buses ${share(busBusy)}`,
    `arrays ${share(arrayBusy)} busy`,
  ];
  return [
    'bandwidth',
    `${inScale(result.bandwidth, scale)} of ${inScale(peak, scale)} ${scale.unit}   ${busy.join('   ')}`,
  ];
}

function mappingLines({ counters }: SsdResult): Line[] {
  const { lookups, mappingMisses, tableReads, tableWrites } = counters;
  if (mappingMisses === 0) return [];
  const parts = [
    `${count(lookups)} lookups`,
    `${share(fraction(mappingMisses, lookups))} missed`,
    `${several(tableReads, 'page')} of the table read`,
    ...(tableWrites > 0 ? [`${several(tableWrites, 'page')} written`] : []),
  ];
  return [['mapping', parts.join('   ')]];
}

function writeLines({ counters }: SsdResult): Line[] {
  const { writeAmplification, userPages, pagesMoved, collections } = counters;
  if (writeAmplification === null) return [];
  const parts = [
    `${count(userPages)} pages of users`,
    ...(collections > 0 ? [`${several(collections, 'block')} collected`, `${several(pagesMoved, 'page')} moved`] : []),
    `write amplification ${writeAmplification.toFixed(3)}`,
  ];
  return [['writes', parts.join('   ')]];
}

/** About ten lines for a terminal; with `color`, labels are dim and the title bold. */
export function ssdSummary(report: SsdReport, { color = false }: { readonly color?: boolean } = {}): string {
  const { result, name, work, part, depth } = report;
  const { counters } = result;
  const lines: Line[] = [
    [
      'requests',
      `${count(result.requests)}: ${several(result.reads, 'read')}, ${several(result.writes, 'write')}   up to ${count(depth)} under way`,
    ],
    ['iops', `${count(result.iops)} /s`],
    ...latencyLines(result),
    bandwidthLine(report),
    ...commandLines(counters.commands),
    ...(counters.cacheBytes > 0
      ? [['cache', `${share(fraction(counters.cacheBytes, result.bytesRead))} of bytes read`] as const]
      : []),
    ...mappingLines(result),
    ...writeLines(result),
  ];
  const title = `${work} on ${part.count > 1 ? `${part.count} x ` : ''}${name}`;
  return titled(title, seconds(result.seconds), lines, color);
}
