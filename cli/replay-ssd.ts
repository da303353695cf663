import { InputError } from '../arch/language/diagnostics.ts';
import { findSsd } from '../arch/language/ssd/find.ts';
import { type SsdPart, sectorBytes, ssdCapacity, ssdPeaks } from '../arch/language/ssd/part.ts';
import { parseSize, UnitError } from '../arch/language/units.ts';
import { RandomNumbers } from '../models/memory/ssd/mrg.ts';
import { runSsd } from '../models/memory/ssd/run.ts';
import { Generator, ListedRequests, type RequestSource } from '../models/memory/ssd/sources.ts';
import { type SsdReport, ssdJson, ssdSummary } from '../reports/ssd.ts';
import { readBlockTrace } from '../workloads/import/ssd/trace.ts';
import { together } from './failure.ts';
import { write } from './files.ts';
import { checkFiles, keepInputs } from './outputs.ts';
import type { ReplayOptions } from './replay-options.ts';

/** Requests that are generated unless told. */
const usualRequests = 100_000;
/** Requests under way at a time unless told. */
const usualDepth = 1;
const usualSeed = 1;

/** Options of other memories. */
const foreign = [
  'org',
  'speed',
  'channels',
  'ranks',
  'refresh',
  'gap',
  'outstanding',
  'mode',
  'from',
  'html',
  'commands',
] as const;

/** Sends the requests of a trace, or generated ones, to an SSD. @throws InputError with all that is wrong */
export async function replaySsd(name: string, trace: string | undefined, options: ReplayOptions): Promise<void> {
  const { json, depth = usualDepth, devices } = options;
  const [part] = together(
    () => withDevices(findSsd(name), devices),
    () => checkFiles({ json }),
    () => keepInputs([name, ...(trace === undefined ? [] : [trace])], { json }),
    () => onlySsd(options),
  );
  const work = workOf(part, trace, options);
  const seed = options.seed ?? usualSeed;
  const draws = new RandomNumbers(seed + 2);
  const result = runSsd(part, work.source, {
    depth,
    ...(work.requests !== undefined && { requests: work.requests }),
    ...(options.fill !== undefined && { fill: options.fill, draw: () => Math.min(draws.next(), 1 - 2 ** -40) }),
    ...(options.overwrites !== undefined && { overwrites: options.overwrites }),
  });
  const report: SsdReport = { work: work.name, name, part, depth, peak: ssdPeaks(part).link, result };
  if (json !== undefined) write(json, ssdJson(report));
  if (json === '-') return;
  const color = process.stdout.isTTY === true && process.stdout.hasColors();
  process.stdout.write(ssdSummary(report, { color }));
}

function withDevices(part: SsdPart, devices: number | undefined): SsdPart {
  return devices === undefined ? part : part.set('count', devices);
}

interface Work {
  readonly name: string;
  readonly source: RequestSource;
  readonly requests: number | undefined;
}

/** @throws InputError when there is no trace and nothing generated, or both */
function workOf(part: SsdPart, trace: string | undefined, options: ReplayOptions): Work {
  const { random, sequential, writes = 0, requests, limit, seed = usualSeed } = options;
  const pattern = random === undefined ? 'sequential' : 'random';
  const size = random ?? sequential;
  if (trace !== undefined) {
    if (size !== undefined)
      throw new InputError({ message: `--${pattern} takes the place of a trace, and ${trace} is one` });
    const list = readBlockTrace(trace, ssdCapacity(part));
    return { name: trace, source: new ListedRequests(list), requests: requests ?? limit };
  }
  if (size === undefined) {
    throw new InputError({
      message: 'there is nothing to send',
      hint: 'name a trace, or write --random 4KiB or --sequential 128KiB',
    });
  }
  const bytes = sizeOf(pattern, size, part);
  const region = ssdCapacity(part);
  const source = new Generator({ pattern, bytes, reads: 1 - writes, region, align: bytes, seed });
  const kind = writes === 0 ? 'reads' : writes === 1 ? 'writes' : `requests, ${Math.round(100 * writes)} % writes`;
  return { name: `${pattern} ${size} ${kind}`, source, requests: requests ?? limit ?? usualRequests };
}

/** @throws InputError */
function sizeOf(option: string, text: string, part: SsdPart): number {
  try {
    const bytes = parseSize(/^\d+$/.test(text) ? `${text} B` : text);
    if (bytes % sectorBytes === 0 && bytes <= ssdCapacity(part)) return bytes;
    throw new InputError({
      message: `--${option} ${text}: no size of a request`,
      hint: 'a multiple of 512 bytes that the SSD holds',
    });
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new InputError({ message: `--${option}: ${error.message}`, hint: error.hint });
  }
}

/** @throws InputError when options are there that SSDs do not have */
function onlySsd(options: ReplayOptions): void {
  const given = foreign.filter((option) => options[option] !== undefined);
  if (given.length === 0) return;
  throw new InputError(given.map((option) => ({ message: `--${option} goes with DRAM, and this is an SSD` })));
}
