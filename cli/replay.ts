import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../arch/language/diagnostics.ts';
import type { DramDevice } from '../arch/language/dram/device.ts';
import { findStandard } from '../arch/language/dram/find.ts';
import { type AddressMapping, compileMapping, MappingError } from '../arch/language/dram/mapping.ts';
import { peakBandwidth } from '../arch/language/dram/memory.ts';
import { parsePage } from '../arch/language/dram/page.ts';
import { libraryFile } from '../arch/language/library.ts';
import { UnitError } from '../arch/language/units.ts';
import { defaultPolicy, type PagePolicy, pagePolicyOf, type Refresh } from '../models/memory/dram/policy.ts';
import { type RequestList, replay as replayRequests } from '../models/memory/dram/replay.ts';
import { dramEnergy } from '../models/physical/dram.ts';
import { CommandTrace } from '../reports/command-trace.ts';
import { type ReplayReport, replayJson, replaySummary } from '../reports/replay.ts';
import { readTrace } from '../workloads/import/dram/trace.ts';
import { pimFormatOf } from '../workloads/import/pim/trace.ts';
import { together } from './failure.ts';
import { write, writePieces } from './files.ts';
import { checkFiles, keepInputs } from './outputs.ts';
import { deviceNamed, type ReplayOptions, refreshOf } from './replay-options.ts';

/**
 * Sends the requests or the PIM commands of a trace to DRAM.
 * @throws InputError with all that is wrong with the arguments and the files.
 */
export async function replay(standard: string, trace: string | undefined, options: ReplayOptions): Promise<void> {
  if (isSsd(standard)) return (await import('./replay-ssd.ts')).replaySsd(standard, trace, options);
  onlySsd(options);
  if (trace === undefined) throw new InputError({ message: 'a trace is missing', hint: 'name a file of requests' });
  if (isPim(standard, trace, options)) return (await import('./replay-pim.ts')).replayPim(standard, trace, options);
  const { channels = 1, scheduler, page, mapping, json, commands, gap, outstanding } = options;
  const [chosen, requests] = together(
    () => choices(standard, options),
    () => readTrace(trace),
    () => checkFiles({ json, commands }),
    () => keepInputs([standard, trace], { json, commands }),
    () => onlyPim(options),
  );
  const { device, refresh, peak } = chosen;
  const log = commands === undefined ? null : new CommandTrace(device);
  const result = replayRequests(
    device,
    { ...defaultPolicy, scheduler, page: chosen.page, refresh },
    chosen.mapping,
    limited(requests, device, options.limit),
    {
      channels,
      ...(gap !== undefined && { gap }),
      ...(outstanding !== undefined && { outstanding }),
      ...(log !== null && { log: log.log }),
    },
  );
  const sent = device.commands.map(({ name }) => result.commands[name] ?? 0);
  const energy = dramEnergy(device, { commands: sent, ranks: result.ranks });
  const report = { trace, device, channels, peak, scheduler, page, refresh, mapping, result, energy };
  writeReport(report, options, log);
}

/** Whether a trace is of PIM commands; one that cannot be read, or a device that is not there, is told of elsewhere. */
function isPim(standard: string, trace: string, options: ReplayOptions): boolean {
  try {
    return pimFormatOf(trace, deviceNamed(standard, options)) !== null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}

/** Whether a name is that of an SSD, by its file or in the library. */
function isSsd(name: string): boolean {
  const isFile = statSync(name, { throwIfNoEntry: false })?.isFile() === true;
  if (!isFile) return name.startsWith('ssd/') || 'file' in libraryFile('arch/parts/ssd', name);
  return /^kind:\s*ssd\b|^use:\s*ssd\//m.test(readFileSync(name, 'utf8'));
}

/** @throws InputError when options are there that only SSDs have */
function onlySsd(options: ReplayOptions): void {
  const own = ['devices', 'random', 'sequential', 'writes', 'depth', 'requests', 'seed', 'fill', 'overwrites'] as const;
  const given = own.filter((option) => options[option] !== undefined);
  if (given.length === 0) return;
  throw new InputError(given.map((option) => ({ message: `--${option} goes with SSDs, and this is none` })));
}

/** @throws InputError when options are there that only PIM programs have */
function onlyPim(options: ReplayOptions): void {
  const given = (['mode', 'from', 'html'] as const).filter((option) => options[option] !== undefined);
  if (given.length === 0) return;
  throw new InputError(given.map((option) => ({ message: `--${option} goes with PIM programs, and this is none` })));
}

interface Choices {
  readonly device: DramDevice;
  readonly page: PagePolicy;
  readonly mapping: AddressMapping;
  readonly refresh: Refresh;
  /** Bytes per second of all channels. */
  readonly peak: number;
}

/** @throws InputError */
function choices(name: string, options: ReplayOptions): Choices {
  const { standard } = findStandard(name);
  const device = deviceNamed(name, options);
  const { channels = 1 } = options;
  const [page, mapping, refresh] = together(
    () => named('--page', () => pagePolicyOf(parsePage(options.page), device)),
    () => named('--mapping', () => compileMapping(options.mapping, device, channels)),
    () => refreshOf(device, options.refresh),
  );
  return { device, page, mapping, refresh, peak: peakBandwidth(standard, device, channels) };
}

/** What an option's text means. @throws InputError that names the option */
function named<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MappingError) && !(error instanceof UnitError)) throw error;
    throw new InputError({ message: `${option}: ${error.message}`, hint: error.hint });
  }
}

/** The first requests; cycles of a trace are clock cycles, which may be two ticks. */
function limited(requests: RequestList, device: DramDevice, limit: number | undefined): RequestList {
  return {
    ...requests,
    length: Math.min(requests.length, limit ?? requests.length),
    cycles: requests.cycles?.map((cycle) => cycle * device.ticksPerClock) ?? null,
  };
}

/** @throws InputError with every file that could not be written; the others are. */
function writeReport(report: ReplayReport, { json, commands }: ReplayOptions, log: CommandTrace | null): void {
  try {
    together(
      () => json !== undefined && write(json, replayJson(report)),
      () => commands !== undefined && log !== null && writePieces(commands, log.csv()),
    );
  } finally {
    if (json !== '-' && commands !== '-') {
      const color = process.stdout.isTTY === true && process.stdout.hasColors();
      process.stdout.write(replaySummary(report, { color }));
    }
  }
}
