/** A machine's memory of DRAM: the keys of a standard, which `use` puts there, and the machine's own choices. */
import { z } from 'zod';
import { MemoryPart, Span } from '../arch.ts';
import { type Diagnostic, suggest } from '../diagnostics.ts';
import type { Layers, Tree } from '../layers.ts';
import { count, duration, parsed } from '../quantities.ts';
import type { Path } from '../source.ts';
import type { DramDevice } from './device.ts';
import { readStandard } from './load.ts';
import { compileMapping, MappingError } from './mapping.ts';
import {
  capacityOf,
  DramMemory,
  memoryDevice,
  peakBandwidth,
  pimModes,
  Queues,
  refreshesOf,
  refreshPolicies,
  schedulers,
} from './memory.ts';
import { parsePage } from './page.ts';
import { standardShape } from './schema.ts';
import type { DramStandard } from './standard.ts';

const usual = new DramMemory();
const { reads, writes, low, high } = usual.queues;
const fraction = z.number().min(0).max(1);

/** What a machine says of a memory, besides its standard. */
export const dramShape = {
  model: z.literal('dram').default('dram').describe('dram: commands and banks, by the tables of a standard'),
  organisation: z.string().optional().describe("A chip of the standard's; its first one when omitted"),
  speed: z.string().optional().describe("A speed grade of the standard's; its first one when omitted"),
  channels: count.default(usual.channels).describe('Channels, each with a controller'),
  ranks: count.optional().describe('Ranks of a channel; as the organisation has it when omitted'),
  mapping: z
    .string()
    .default(usual.mapping)
    .describe('How addresses are laid on channels, banks, rows and columns, from the highest bits'),
  scheduler: z
    .enum(schedulers)
    .default(usual.scheduler)
    .describe('The oldest request that can be served; row-hit: no row is closed before older requests that hit it'),
  page: parsed(z.string(), parsePage, ['open', 'capped 4', 'timeout 200 ns'])
    .prefault('open')
    .describe('When rows are closed: open, closed, capped N accesses, timeout T'),
  refreshes: z.enum(refreshPolicies).default(usual.refreshes).describe('Which refresh commands are sent'),
  queues: z
    .strictObject({
      reads: count.default(reads).describe('Reads that wait in a channel'),
      writes: count.default(writes).describe('Writes that wait in a channel'),
      low: z
        .number()
        .gt(0)
        .max(1)
        .default(low)
        .describe('Fraction of the write queue below which writing ends while reads wait'),
      high: fraction.default(high).describe('Fraction of the write queue above which writing begins'),
    })
    .prefault({})
    .describe('Queues of a channel'),
  pim: z
    .enum(pimModes)
    .optional()
    .describe('Whether requests go between commands that compute, which is usual, or wait for them'),
  issue: count
    .optional()
    .describe('Commands that compute which the host sends in a cycle, all channels together; any number when omitted'),
  latency: duration.prefault('0 ns').describe('Between a controller and what asks it, there and back'),
};

const dramSchema = z.object({ ...dramShape, ...standardShape });

/** Whether the keys of a memory are of one of DRAM. */
export function isDram(part: Tree): boolean {
  return part.standard !== undefined || part.extends !== undefined || part.model === 'dram';
}

/**
 * The memory at a path. `schema` has the keys of `dramShape`, of a standard and what else such a part may have.
 * Mistakes come back instead, or with what can be read.
 */
export function readDramPart<
  T extends z.output<typeof dramSchema> & { count: number; technology?: string | undefined },
>(
  layers: Layers,
  at: Path,
  schema: z.ZodType<T>,
): { readonly part: MemoryPart | undefined; readonly mistakes: readonly Diagnostic[] } {
  const { keys, standard, mistakes } = readStandard(layers, at, schema);
  if (!keys || !standard) return { part: undefined, mistakes };
  const wrong = wrongChoices(keys, standard, layers, at);
  if (wrong.length > 0) return { part: undefined, mistakes: [...mistakes, ...wrong] };
  const dram = choose(keys, standard);
  const device = memoryDevice(dram);
  const wrongMapping = mappingMistake(dram, device, keys.count, layers, at);
  if (wrongMapping) return { part: new MemoryPart(), mistakes: [...mistakes, wrongMapping] };
  const part = new MemoryPart({
    count: keys.count,
    model: 'dram',
    bandwidth: peakBandwidth(standard, device, dram.channels),
    latency: new Span({ amount: keys.latency, unit: 'ps' }),
    capacity: capacityOf(device, dram.channels),
    technology: keys.technology ?? null,
    dram,
  });
  return { part, mistakes };
}

type Keys = z.output<typeof dramSchema>;

/** What is wrong with how addresses are laid on the channels of all `count` copies; null when nothing is. */
function mappingMistake(
  { channels, mapping }: DramMemory,
  device: DramDevice,
  count: number,
  layers: Layers,
  at: Path,
): Diagnostic | null {
  try {
    compileMapping(mapping, device, channels * count);
    return null;
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    return { message: error.message, place: layers.placeOf([...at, 'mapping']), hint: error.hint };
  }
}

function choose(keys: Keys, standard: DramStandard): DramMemory {
  const { channels, mapping, scheduler, page, refreshes } = keys;
  const organisation = keys.organisation ?? standard.organisations.keySeq().first('');
  const ranks = keys.ranks ?? standard.organisations.get(organisation)?.counts.get('rank') ?? null;
  return new DramMemory({
    standard,
    organisation,
    speed: keys.speed ?? standard.speeds.keySeq().first(''),
    ranks,
    channels,
    mapping,
    scheduler,
    page,
    refreshes,
    queues: new Queues(keys.queues),
    pim: standard.units === null ? null : (keys.pim ?? 'concurrent'),
    issue: standard.units === null ? null : (keys.issue ?? null),
  });
}

/** Choices that the standard does not have. */
function wrongChoices(keys: Keys, standard: DramStandard, layers: Layers, at: Path): Diagnostic[] {
  const mistakes: Diagnostic[] = [];
  const mistake = (path: Path, message: string, hint?: string): void => {
    mistakes.push({ message, place: layers.placeOf([...at, ...path]), hint });
  };
  const { name, organisations, speeds, refresh, levels } = standard;
  if (keys.organisation !== undefined && !organisations.has(keys.organisation)) {
    const hint = suggest(keys.organisation, organisations.keys());
    mistake(['organisation'], `${name} has no organisation "${keys.organisation}"`, hint);
  }
  if (keys.speed !== undefined && !speeds.has(keys.speed)) {
    mistake(['speed'], `${name} has no speed "${keys.speed}"`, suggest(keys.speed, speeds.keys()));
  }
  if (keys.ranks !== undefined && !levels.includes('rank')) {
    mistake(['ranks'], `${name} has no ranks`, `it has ${levels.join(', ')}`);
  }
  const kinds = refreshesOf(refresh);
  if (!kinds.includes(keys.refreshes)) {
    mistake(['refreshes'], `${name} has no ${keys.refreshes} refresh`, `one of ${kinds.join(', ')}`);
  }
  for (const key of ['pim', 'issue'] as const) {
    if (keys[key] === undefined || standard.units !== null) continue;
    mistake([key], `${name} computes nothing`, 'take this key away, or use a dialect such as dram/attacc-hbm3');
  }
  if (keys.queues.low >= keys.queues.high) {
    mistake(['queues'], 'writing ends at a level of the queue below the one where it begins', 'low is less than high');
  }
  return mistakes;
}
