/** SSDs small enough for tests. */
import { List } from 'immutable';
import {
  SsdBus,
  SsdCache,
  SsdCollection,
  SsdFlash,
  SsdLink,
  SsdPart,
  SsdQueues,
  SsdTranslation,
} from '../../../../arch/language/ssd/part.ts';

const ns = 1000;
const us = 1e6;

interface Changes {
  readonly queues?: Partial<{ depth: number; fetch: number }>;
  readonly cache?: Partial<{ capacity: number }>;
  readonly translation?: Partial<{
    table: 'ideal' | 'cached';
    cache: number;
    allocation: string;
    overprovisioning: number;
  }>;
  readonly flash?: Partial<{
    channels: number;
    chips: number;
    dies: number;
    planes: number;
    blocks: number;
    pages: number;
    read: List<number>;
    program: List<number>;
    erase: number;
    busy: 'chip' | 'die';
  }>;
  readonly collection?: Partial<{ policy: 'greedy' | 'random-greedy'; threshold: number; reserve: number }>;
}

/** Two channels of two chips of two dies of two planes, of 32 blocks of 8 pages of 4 KiB, a quarter of them spare. */
export function smallSsd({ queues, cache, translation, flash, collection }: Changes = {}): SsdPart {
  return new SsdPart({
    link: new SsdLink({ lanes: 4, lane: 1e9, payload: 128, overhead: 28 }),
    queues: new SsdQueues({ depth: 64, fetch: 16, command: 64, completion: 16, ...queues }),
    cache: new SsdCache({ capacity: 65536, bandwidth: 1e9, row: 8192, latency: 26 * ns, precharge: 13 * ns, ...cache }),
    translation: new SsdTranslation({ table: 'ideal', allocation: 'CWDP', overprovisioning: 0.25, ...translation }),
    flash: new SsdFlash({
      channels: 2,
      chips: 2,
      dies: 2,
      planes: 2,
      blocks: 32,
      pages: 8,
      page: 4096,
      read: List([40 * us]),
      program: List([300 * us]),
      erase: 2000 * us,
      ready: 20 * ns,
      busy: 'chip',
      ...flash,
    }),
    bus: new SsdBus({
      width: 1,
      cycle: 4 * ns,
      tCS: 20 * ns,
      tWC: 25 * ns,
      tWB: 100 * ns,
      tRR: 20 * ns,
      tDBSY: 500 * ns,
      tADL: 70 * ns,
      tCALS: 15 * ns,
      tWPST: 6 * ns,
      tWPSTH: 15 * ns,
      tRPRE: 15 * ns,
      tDQSRE: 15 * ns,
    }),
    collection: new SsdCollection({ policy: 'greedy', threshold: 0.15, reserve: 3, ...collection }),
  });
}
