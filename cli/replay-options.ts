/** What replays of requests and of PIM commands share: their options, and the device that these mean. */
import { InputError } from '../arch/language/diagnostics.ts';
import type { DramDevice } from '../arch/language/dram/device.ts';
import { findStandard } from '../arch/language/dram/find.ts';
import { refreshesOf } from '../arch/language/dram/memory.ts';
import { deviceOf } from '../arch/language/dram/resolve.ts';
import type { Refresh, Scheduler } from '../models/memory/dram/policy.ts';
import type { PimMode } from '../models/memory/pim/controller.ts';

export interface ReplayOptions {
  readonly org?: string;
  readonly speed?: string;
  readonly channels?: number;
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
  /** Of SSDs: how many there are, generated requests in place of a trace, and the pages they find. */
  readonly devices?: number;
  readonly random?: string;
  readonly sequential?: string;
  readonly writes?: number;
  readonly depth?: number;
  readonly requests?: number;
  readonly seed?: number;
  readonly fill?: number;
  readonly overwrites?: number;
  /** Of PIM programs: how requests go beside them, and the first cycle whose commands the report shows. */
  readonly mode?: PimMode;
  readonly from?: number;
  /** Files to write; `-` is standard output, in place of the summary. */
  readonly json?: string;
  readonly html?: string;
  readonly commands?: string;
}

/** The device that a name and options mean. @throws InputError */
export function deviceNamed(name: string, options: ReplayOptions): DramDevice {
  const { standard, organisation, speed } = findStandard(name);
  return deviceOf(standard, {
    organisation: options.org ?? organisation,
    speed: options.speed ?? speed,
    ranks: options.ranks,
  });
}

/** The kind of refresh that was asked for, else the one that the device has. @throws InputError when it does not have it. */
export function refreshOf({ refresh, name }: DramDevice, wanted: Refresh | undefined): Refresh {
  const kinds = refreshesOf(refresh);
  const kind = wanted ?? kinds[0]!;
  if (kinds.includes(kind)) return kind;
  throw new InputError({
    message: `--refresh: ${name} has no ${kind} refresh`,
    hint: `it has ${kinds.join(' and ')}`,
  });
}
