/** Lists of requests for property tests of `replay`, and what was sent for them. */
import fc from 'fast-check';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { type AddressMapping, compileMapping } from '../../../../arch/language/dram/mapping.ts';
import type { ControllerPolicy, PagePolicy } from '../../../../models/memory/dram/policy.ts';
import type { ReplayOptions, RequestList } from '../../../../models/memory/dram/replay.ts';
import type { BlockRequest } from '../../../reference/dram-controller-replay.ts';
import { devices, pages, places, policies } from './arbitraries.ts';
import { requestList } from './runs.ts';

export interface ReplayCase {
  readonly device: DramDevice;
  readonly policy: ControllerPolicy;
  readonly mapping: AddressMapping;
  readonly requests: RequestList;
  readonly options: ReplayOptions & { readonly channels: number };
}

export interface CaseLimits {
  /** Requests as fast as they are taken, to rows that stay open: where runs of hits go in one step. */
  readonly isDense?: boolean;
  /** Requests of a run of hits, at most, and how many runs. */
  readonly runLength: number;
  readonly runs: number;
}

const mappings = ['RoBaRaCoCh', 'ChRaBaRoCo', 'MOP4CLXOR'];
const open: PagePolicy = { kind: 'open' };

/** Requests, how they are sent, and for what memory. */
export function replayCases(limits: CaseLimits): fc.Arbitrary<ReplayCase> {
  return fc
    .record({
      standard: devices,
      hasLongRows: fc.boolean(),
      channels: fc.constantFrom(1, 1, 2, 4),
      mapping: fc.constantFrom(...mappings),
    })
    .chain(({ standard, hasLongRows, channels, mapping: text }) => {
      const device = hasLongRows ? { ...standard, bursts: 2048 } : standard;
      const mapping = compileMapping(text, device, channels);
      return fc.record({
        device: fc.constant(device),
        policy: policies(device, limits.isDense ? [open] : [open, open, ...pages]),
        mapping: fc.constant(mapping),
        requests: requestLists(device, mapping, channels, limits),
        options: limits.isDense ? fc.constant({ channels }) : sending(channels),
      });
    });
}

function sending(channels: number): fc.Arbitrary<ReplayCase['options']> {
  return fc.record({
    channels: fc.constant(channels),
    gap: fc.constantFrom(0, 0, 0, 1, 3, 60, 200),
    outstanding: fc.oneof(
      { weight: 2, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
      { weight: 1, arbitrary: fc.constantFrom(1, 3, 20) },
    ),
  });
}

function requestLists(
  device: DramDevice,
  mapping: AddressMapping,
  channels: number,
  limits: CaseLimits,
): fc.Arbitrary<RequestList> {
  const segment = fc.oneof(
    { weight: 3, arbitrary: hits(device, mapping, channels, limits.runLength) },
    { weight: 2, arbitrary: neighbours(limits.runLength) },
    { weight: 2, arbitrary: scattered(device, mapping, channels) },
  );
  return fc
    .record({
      segments: fc.array(segment, { minLength: 1, maxLength: limits.runs }),
      pauses: fc.oneof(
        { weight: 3, arbitrary: fc.constant(null) },
        {
          weight: limits.isDense ? 0 : 1,
          arbitrary: fc.array(fc.constantFrom(0, 0, 1, 5, 300), { minLength: 1, maxLength: 12 }),
        },
      ),
    })
    .map(({ segments, pauses }) => {
      const list = requestList(segments.flat());
      return pauses === null ? list : { ...list, cycles: cyclesOf(pauses, list.length) };
    });
}

/** Cycles that never go down, with pauses over and over. */
function cyclesOf(pauses: readonly number[], length: number): Float64Array {
  let cycle = 0;
  return Float64Array.from({ length }, (_, i) => {
    cycle += pauses[i % pauses.length];
    return cycle;
  });
}

/** Requests for one row: blocks that rise, or the same block again and again. */
function hits(device: DramDevice, mapping: AddressMapping, channels: number, most: number) {
  return fc
    .record({
      place: places(device),
      channel: fc.nat({ max: channels - 1 }),
      count: fc.integer({ min: 1, max: most }),
      step: fc.constantFrom(1, 1, 1, 0),
    })
    .map(({ place: { write, bank, row, column }, channel, count, step }) =>
      Array.from({ length: count }, (_, i) => {
        const at = (column + i * step) % device.bursts;
        return { write, block: mapping.encode(channel, bank, row, at) };
      }),
    );
}

/** Blocks one after another, through rows, banks and channels as the mapping has them. */
function neighbours(most: number): fc.Arbitrary<BlockRequest[]> {
  return fc
    .record({
      write: fc.boolean(),
      start: fc.nat({ max: 5000 }),
      count: fc.integer({ min: 1, max: most }),
    })
    .map(({ write, start, count }) => Array.from({ length: count }, (_, i) => ({ write, block: start + i })));
}

/** Requests for places that have nothing to do with each other, of which some come again. */
function scattered(device: DramDevice, mapping: AddressMapping, channels: number) {
  const request = fc
    .tuple(places(device), fc.nat({ max: channels - 1 }))
    .map(([{ write, bank, row, column }, channel]) => ({ write, block: mapping.encode(channel, bank, row, column) }));
  return fc.array(request, { minLength: 1, maxLength: 40 });
}
