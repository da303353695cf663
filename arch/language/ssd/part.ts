/** An SSD as an immutable value: bytes, picoseconds, counts. */
import { List, Record } from 'immutable';

/** PCIe: every direction sends packets one after the other, their bytes side by side on the lanes. */
export class SsdLink extends Record<{
  lanes: number;
  /** Bytes per second of one lane, in each direction. */
  lane: number;
  /** Most bytes of data in a packet. */
  payload: number;
  /** Bytes of headers, sequence number, checksum and framing around the data of a packet. */
  overhead: number;
}>({ lanes: 4, lane: 1e9, payload: 128, overhead: 28 }, 'SsdLink') {}

/** The NVMe queues. */
export class SsdQueues extends Record<{
  /** Entries of the submission queue: requests that the device may know of. */
  depth: number;
  /** Commands that are in the controller at a time. */
  fetch: number;
  /** Bytes of an entry of the submission queue, and of one of the completion queue. */
  command: number;
  completion: number;
}>({ depth: 1024, fetch: 512, command: 64, completion: 16 }, 'SsdQueues') {}

/** The DRAM that holds written data until they are in flash; one access at a time. */
export class SsdCache extends Record<{
  capacity: number;
  /** Bytes per second. */
  bandwidth: number;
  /** Bytes of a row; every row of an access costs `latency`, and the closing of the one before `precharge`. */
  row: number;
  /** From the beginning of an access to its first byte, ps. */
  latency: number;
  precharge: number;
}>({ capacity: 0, bandwidth: 0, row: 8192, latency: 0, precharge: 0 }, 'SsdCache') {}

/** From logical to physical pages. */
export class SsdTranslation extends Record<{
  /** `ideal`: always known. `cached`: `cache` bytes of entries, the others are read from flash. */
  table: 'ideal' | 'cached';
  cache: number;
  /** What successive logical pages go round first, second, ...: channels (C), chips or ways (W), dies (D), planes (P). */
  allocation: string;
  /** Share of the pages that hold no logical page. */
  overprovisioning: number;
}>({ table: 'ideal', cache: 0, allocation: 'CWDP', overprovisioning: 0.07 }, 'SsdTranslation') {}

/** The chips. */
export class SsdFlash extends Record<{
  channels: number;
  /** On each channel. */
  chips: number;
  dies: number;
  planes: number;
  /** In each plane. */
  blocks: number;
  /** In each block. */
  pages: number;
  /** Bytes. */
  page: number;
  /** Of the pages of a block in turn, ps: one time, or one for each bit of a cell. */
  read: List<number>;
  program: List<number>;
  erase: number;
  /** From the end of a read in the array until the controller knows of it, ps. */
  ready: number;
  /** What runs one command at a time: the dies of a chip share one ready signal, or have one each. */
  busy: 'chip' | 'die';
}>(
  {
    channels: 1,
    chips: 1,
    dies: 1,
    planes: 1,
    blocks: 1,
    pages: 1,
    page: 4096,
    read: List(),
    program: List(),
    erase: 0,
    ready: 0,
    busy: 'chip',
  },
  'SsdFlash',
) {}

/** The bus of a channel, with the times of ONFI's NV-DDR2, ps. */
export class SsdBus extends Record<{
  /** Bytes that a transfer moves; two transfers in a cycle. */
  width: number;
  cycle: number;
  tCS: number;
  tWC: number;
  tWB: number;
  tRR: number;
  tDBSY: number;
  tADL: number;
  tCALS: number;
  tWPST: number;
  tWPSTH: number;
  tRPRE: number;
  tDQSRE: number;
}>(
  {
    width: 1,
    cycle: 0,
    tCS: 0,
    tWC: 0,
    tWB: 0,
    tRR: 0,
    tDBSY: 0,
    tADL: 0,
    tCALS: 0,
    tWPST: 0,
    tWPSTH: 0,
    tRPRE: 0,
    tDQSRE: 0,
  },
  'SsdBus',
) {}

/** Garbage collection, plane by plane. */
export class SsdCollection extends Record<{
  /** The block with the fewest valid pages, of all or of log2(blocks) drawn at random. */
  policy: 'greedy' | 'random-greedy';
  /** Share of the blocks below which free ones are made. */
  threshold: number;
  /** Free blocks that user writes leave alone; as many but two are collected at a time. */
  reserve: number;
}>({ policy: 'greedy', threshold: 0.05, reserve: 10 }, 'SsdCollection') {}

/** An NVMe SSD, or `count` of them with data striped over them (RAID-0). */
export class SsdPart extends Record<{
  kind: 'ssd';
  count: number;
  /** Bytes on one SSD before the next has its turn. */
  stripe: number;
  link: SsdLink;
  queues: SsdQueues;
  cache: SsdCache;
  translation: SsdTranslation;
  flash: SsdFlash;
  bus: SsdBus;
  collection: SsdCollection;
}>(
  {
    kind: 'ssd',
    count: 1,
    stripe: 131072,
    link: new SsdLink(),
    queues: new SsdQueues(),
    cache: new SsdCache(),
    translation: new SsdTranslation(),
    flash: new SsdFlash(),
    bus: new SsdBus(),
    collection: new SsdCollection(),
  },
  'SsdPart',
) {}

/** Planes of one SSD. */
export function planesOf({ channels, chips, dies, planes }: SsdFlash): number {
  return channels * chips * dies * planes;
}

/** Smallest unit of an address. */
export const sectorBytes = 512;

/** Logical pages of one SSD: in every plane a whole number of sectors is left over. */
export function logicalPages({ flash, translation }: SsdPart): number {
  const sectors = flash.page / sectorBytes;
  const inPlane = Math.floor(flash.blocks * flash.pages * sectors * (1 - translation.overprovisioning));
  return Math.floor((inPlane * planesOf(flash)) / sectors);
}

/** Bytes that all SSDs of a part hold for their user. */
export function ssdCapacity(part: SsdPart): number {
  return part.count * logicalPages(part) * part.flash.page;
}

/** Bytes per second that all SSDs of a part can move at best: the link's in packets of full payload, and all buses'. */
export function ssdPeaks({ count, link, flash, bus }: SsdPart): { readonly link: number; readonly buses: number } {
  const efficiency = link.payload / (link.payload + link.overhead);
  return {
    link: count * link.lanes * link.lane * efficiency,
    buses: (count * flash.channels * 2 * bus.width * 1e12) / bus.cycle,
  };
}
