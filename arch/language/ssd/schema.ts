/** What a part file may say of an SSD. */
import { z } from 'zod';
import { bytesPerSecond, count, duration, parsed, size } from '../quantities.ts';
import { UnitError } from '../units.ts';
import { SsdCollection, SsdFlash, SsdLink, SsdPart, SsdQueues, SsdTranslation } from './part.ts';

const usual = {
  link: new SsdLink(),
  queues: new SsdQueues(),
  translation: new SsdTranslation(),
  flash: new SsdFlash(),
  collection: new SsdCollection(),
};

const time = (what: string) => duration.describe(what);

/** Picoseconds of the pages of a block in turn. */
const pageTimes = z
  .union([
    duration.transform((ps) => [ps]),
    z
      .array(duration)
      .min(1)
      .meta({ examples: ['[50 us, 70 us, 90 us]'] }),
  ])
  .meta({ examples: ['75 us'] });

function parseAllocation(text: string): string {
  if ([...text].sort().join('') === 'CDPW') return text;
  throw new UnitError(
    `"${text}" is no order of C, W, D and P`,
    undefined,
    'each of them once, such as CWDP: channel, way (chip), die, plane',
  );
}

const share = (what: string) => z.number().gt(0).lt(1).describe(what);

const link = z
  .strictObject({
    lanes: count.describe('Lanes that the bytes of a packet go over side by side'),
    lane: bytesPerSecond.describe('Bytes per second of a lane in each direction'),
    payload: size.describe('Most bytes of data in a packet'),
    overhead: size.describe('Bytes of headers, checksums and framing of a packet'),
  })
  .describe('PCIe between host and SSD');

const queues = z
  .strictObject({
    depth: count.default(usual.queues.depth).describe('Entries of the submission queue'),
    fetch: count.default(usual.queues.fetch).describe('Commands in the controller at a time'),
    command: size.prefault(`${usual.queues.command} B`).describe('An entry of the submission queue'),
    completion: size.prefault(`${usual.queues.completion} B`).describe('An entry of the completion queue'),
  })
  .describe('The NVMe queue pair');

const cache = z
  .strictObject({
    capacity: size.describe('Bytes of written data that it holds'),
    bandwidth: bytesPerSecond.describe('Bytes per second'),
    row: size.describe('Bytes of a row'),
    latency: time('From the beginning of an access, and of every row after the first, to its data'),
    precharge: time('Before every row after the first'),
  })
  .describe('DRAM for data on their way to flash');

const translation = z
  .strictObject({
    table: z
      .enum(['ideal', 'cached'])
      .default(usual.translation.table)
      .describe('Whether the table from logical to physical pages is at hand, or read from flash where not cached'),
    cache: size.optional().describe('Bytes of table entries that are cached'),
    allocation: parsed(z.string(), parseAllocation, ['CWDP'])
      .prefault(usual.translation.allocation)
      .describe('What successive pages go round first: channels C, chips (ways) W, dies D, planes P'),
    overprovisioning: share('Share of the pages that hold no logical page').default(usual.translation.overprovisioning),
  })
  .describe('From logical to physical pages');

const flash = z
  .strictObject({
    channels: count.describe('Channels, each with a bus'),
    chips: count.describe('Chips on a channel'),
    dies: count.describe('Dies of a chip'),
    planes: count.describe('Planes of a die'),
    blocks: count.describe('Blocks of a plane'),
    pages: count.describe('Pages of a block'),
    page: size.describe('Bytes of a page, a multiple of 512'),
    read: pageTimes.describe('To read a page into its register: one time, or one for each of the pages in turn'),
    program: pageTimes.describe('To program a page: one time, or one for each of the pages in turn'),
    erase: time('To erase a block'),
    ready: duration.prefault('0 ns').describe('Until the controller knows that a page was read'),
    busy: z
      .enum(['chip', 'die'])
      .default(usual.flash.busy)
      .describe('What runs one command at a time: a chip with all its dies, or each die'),
  })
  .describe('The flash chips');

const bus = z
  .strictObject({
    width: size.describe('Bytes of a transfer'),
    cycle: time('Two transfers: 1 / rate x 2'),
    tCS: time('Chip enable setup'),
    tWC: time('Cycle of a command or address byte'),
    tWB: time('Until the chip is busy'),
    tRR: time('Ready to data output'),
    tDBSY: time('Busy between the planes of a command'),
    tADL: time('Address to data loading'),
    tCALS: time('Setup of command and address latches'),
    tWPST: time('Write postamble'),
    tWPSTH: time('Write postamble hold'),
    tRPRE: duration.prefault('0 ns').describe('Read preamble, before data go out'),
    tDQSRE: duration.prefault('0 ns').describe('From read enable to data'),
  })
  .describe('The bus of a channel, with the times of ONFI NV-DDR2');

const collection = z
  .strictObject({
    policy: z
      .enum(['greedy', 'random-greedy'])
      .default(usual.collection.policy)
      .describe('The block with the fewest valid pages: of all, or of log2(blocks) drawn at random'),
    threshold: share('Share of the blocks of a plane below which free ones are made').default(
      usual.collection.threshold,
    ),
    reserve: count
      .default(usual.collection.reserve)
      .describe(
        'Free blocks of a plane that user writes leave alone, at least 3; as many but two are collected at a time',
      ),
  })
  .prefault({})
  .describe('Garbage collection');

/** Keys of an SSD besides those that all parts have. */
export const ssdShape = {
  kind: z.literal('ssd').describe('An NVMe SSD, or several with data striped over them'),
  stripe: size
    .prefault(`${new SsdPart().stripe} B`)
    .describe('Bytes on one SSD before the next one; of several (`count`)'),
  link,
  queues: queues.prefault({}),
  cache,
  translation: translation.prefault({}),
  flash,
  bus,
  collection,
};
