import { InputError } from '../arch/language/diagnostics.ts';
import type { DramDevice } from '../arch/language/dram/device.ts';
import { findStandard } from '../arch/language/dram/find.ts';
import { type AddressMapping, compileMapping, MappingError } from '../arch/language/dram/mapping.ts';
import { peakBandwidth, refreshesOf } from '../arch/language/dram/memory.ts';
import { parsePage } from '../arch/language/dram/page.ts';
import { deviceOf } from '../arch/language/dram/resolve.ts';
import { UnitError } from '../arch/language/units.ts';
import {
  defaultPolicy,
  type PagePolicy,
  pagePolicyOf,
  type Refresh,
  type Scheduler,
} from '../models/memory/dram/policy.ts';
import { type RequestList, replay as replayRequests } from '../models/memory/dram/replay.ts';
import { dramEnergy } from '../models/physical/dram.ts';
import { CommandTrace } from '../reports/command-trace.ts';
import { type ReplayReport, replayJson, replaySummary } from '../reports/replay.ts';
import { readTrace } from '../workloads/import/dram/trace.ts';
import { together } from './failure.ts';
import { write, writePieces } from './files.ts';
import { checkFiles, keepInputs } from './outputs.ts';

export interface ReplayOptions {
  readonly org?: string;
  readonly speed?: string;
  readonly channels: number;
  readonly ranks?: number;
  readonly scheduler: Scheduler;
  /** As `parsePage` reads it. */
  readonly page: string;
  readonly refresh?: Refresh;
  /** As `compileMapping` reads it. */
  readonly mapping: string;
  /** Ticks between two requests. */
  readonly gap?: number;
  readonly outstanding?: number;
  readonly limit?: number;
  /** Files to write; `-` is standard output, in place of the summary. */
  readonly json?: string;
  readonly commands?: string;
}

/** Sends the requests of a trace to DRAM. @throws InputError with all that is wrong with the arguments and the files. */
export async function replay(standard: string, trace: string, options: ReplayOptions): Promise<void> {
  const { channels, scheduler, page, mapping, json, commands, gap, outstanding } = options;
  const [chosen, requests] = together(
    () => choices(standard, options),
    () => readTrace(trace),
    () => checkFiles({ json, commands }),
    () => keepInputs([standard, trace], { json, commands }),
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
  const { standard, organisation, speed } = findStandard(name);
  const device = deviceOf(standard, {
    organisation: options.org ?? organisation,
    speed: options.speed ?? speed,
    ranks: options.ranks,
  });
  const [page, mapping, refresh] = together(
    () => named('--page', () => pagePolicyOf(parsePage(options.page), device)),
    () => named('--mapping', () => compileMapping(options.mapping, device, options.channels)),
    () => refreshOf(device, options.refresh),
  );
  return { device, page, mapping, refresh, peak: peakBandwidth(standard, device, options.channels) };
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

/** The kind of refresh that was asked for, else the one that the device has. @throws InputError when it does not have it. */
function refreshOf({ refresh, name }: DramDevice, wanted: Refresh | undefined): Refresh {
  const kinds = refreshesOf(refresh);
  const kind = wanted ?? kinds[0]!;
  if (kinds.includes(kind)) return kind;
  throw new InputError({
    message: `--refresh: ${name} has no ${kind} refresh`,
    hint: `it has ${kinds.join(' and ')}`,
  });
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
