/** An SSD as text: its geometry, and what it can do at best. */
import { format } from 'd3-format';
import { bytes, counted, table } from '../describe.ts';
import { logicalPages, planesOf, type SsdPart, ssdCapacity, ssdPeaks } from './part.ts';

/** What `clockwright show` prints. */
export function describeSsd(name: string, part: SsdPart): string {
  const { count, stripe, link, queues, cache, translation, flash, bus, collection } = part;
  const peaks = ssdPeaks(part);
  const planes = planesOf(flash);
  const units = flash.busy === 'chip' ? flash.chips : flash.chips * flash.dies;
  const rows = [
    [name, count > 1 ? `${counted(count, 'SSD')}, ${bytes(stripe)} on each in turn` : 'NVMe SSD'],
    ['capacity', `${bytes(ssdCapacity(part))}: ${logicalPages(part)} pages of ${bytes(flash.page)} each`],
    [
      'flash',
      `${counted(flash.channels, 'channel')} x ${counted(flash.chips, 'chip')} x ${counted(flash.dies, 'die')} x ${counted(flash.planes, 'plane')} = ${planes} planes`,
    ],
    ['planes', `${counted(flash.blocks, 'block')} of ${counted(flash.pages, 'page')}`],
    ['times', `read ${times(flash.read)}, program ${times(flash.program)}, erase ${time(flash.erase)}`],
    ['commands', `one at a time on each of ${units * flash.channels} ${flash.busy}s`],
    [
      'translation',
      `${translation.allocation}, ${translation.table} table${translation.table === 'cached' ? ` in ${bytes(translation.cache)}` : ''}`,
    ],
    ['cache', `${bytes(cache.capacity)}, ${bytes(cache.bandwidth)}/s`],
    [
      'queues',
      `${counted(queues.depth, 'entry').replace(/entrys$/, 'entries')}, ${queues.fetch} commands in the controller`,
    ],
    [
      'collection',
      `${collection.policy}, below ${format('.3~p')(collection.threshold)} free blocks, ${collection.reserve} in reserve`,
    ],
    [
      'link',
      `${counted(link.lanes, 'lane')} of ${bytes(link.lane)}/s, packets of ${bytes(link.payload)} and ${bytes(link.overhead)}`,
    ],
    ['bus', `${bytes(bus.width)} a transfer, ${time(bus.cycle / 2)} each`],
  ];
  // Pages of all planes in the time of one.
  const arrays = (ps: number): number => (count * planes * flash.page * 1e12) / ps;
  const best = [
    ['link', `${bytes(peaks.link)}/s`],
    ['buses', `${bytes(peaks.buses)}/s`],
    [
      'arrays',
      `${bytes(arrays(mean(flash.read) + flash.ready))}/s read, ${bytes(arrays(mean(flash.program)))}/s programmed`,
    ],
  ];
  return `${[...table(rows), '', 'peak', ...table(best).map((line) => `  ${line}`)].join('\n')}\n`;
}

const mean = (all: Iterable<number>): number => {
  const list = [...all];
  return list.reduce((sum, value) => sum + value, 0) / list.length;
};

const time = (ps: number): string =>
  `${format('.4~s')(ps * 1e-12)
    .replace('µ', 'u')
    .replace(/([a-z])?$/, ' $1')}s`;

const times = (all: Iterable<number>): string => [...all].map(time).join(' / ');
