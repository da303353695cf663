/** An SSD from what a file says, with what only all of it together can be wrong with. */
import { List } from 'immutable';
import type { z } from 'zod';
import type { Diagnostic } from '../diagnostics.ts';
import type { Path, Places } from '../source.ts';
import {
  planesOf,
  SsdBus,
  SsdCache,
  SsdCollection,
  SsdFlash,
  SsdLink,
  SsdPart,
  SsdQueues,
  SsdTranslation,
  sectorBytes,
} from './part.ts';
import type { ssdShape } from './schema.ts';

/** What the simulator's numbers have room for. */
const mostPlanes = 30;
const mostPages = 65535;
const mostInAll = 2 ** 32;

/** What the schema makes of the keys. */
export type SsdShape = { readonly [key in keyof typeof ssdShape]: z.output<(typeof ssdShape)[key]> } & {
  readonly count: number;
};

/** Adds what is wrong to the mistakes; the part is of no use then. */
export function buildSsd(shape: SsdShape, at: Path, places: Places, mistakes: Diagnostic[]): SsdPart {
  const { flash, translation, collection, cache } = shape;
  const wrong = (path: Path, message: string, hint: string): void => {
    mistakes.push({ message, place: places.placeOf([...at, ...path]), hint });
  };
  if (flash.page % sectorBytes !== 0 || flash.page > 32 * sectorBytes)
    wrong(['flash', 'page'], `a page of ${flash.page} bytes`, 'a multiple of 512 bytes up to 16 KiB');
  if (flash.planes > mostPlanes) wrong(['flash', 'planes'], `a die of ${flash.planes} planes`, `at most ${mostPlanes}`);
  if (flash.pages > mostPages) wrong(['flash', 'pages'], `a block of ${flash.pages} pages`, `at most ${mostPages}`);
  const pages = planesOf(new SsdFlash({ ...flash, read: List(), program: List() })) * flash.blocks * flash.pages;
  if (pages >= mostInAll)
    wrong(['flash'], `${pages} pages in all`, `less than ${mostInAll}: larger pages, or several SSDs`);
  if (translation.table === 'cached' && translation.cache === undefined)
    wrong(['translation'], '"cache" is missing in translation', 'the bytes of a cached table, such as "2 MiB"');
  if (translation.table === 'ideal' && translation.cache !== undefined)
    wrong(['translation', 'cache'], 'an ideal table has no cache', 'write "table: cached", or leave it out');
  if (cache.capacity < flash.page)
    wrong(['cache', 'capacity'], 'the cache is smaller than a page', 'make it at least as large');
  if (collection.reserve < 3)
    wrong(
      ['collection', 'reserve'],
      `a reserve of ${collection.reserve}`,
      'at least 3: for data, for the table, and to move pages',
    );
  // A block for data, one for the table, one for pages that are moved.
  const spare = Math.floor(flash.blocks * translation.overprovisioning);
  if (spare < collection.reserve + 3) {
    const message = `${collection.reserve} blocks are reserved and three are open, but only ${spare} of ${flash.blocks} hold no logical page`;
    wrong(['flash', 'blocks'], message, 'more blocks, more overprovisioning, or a smaller "collection: { reserve }"');
  }
  return new SsdPart({
    count: shape.count,
    stripe: shape.stripe,
    link: new SsdLink(shape.link),
    queues: new SsdQueues(shape.queues),
    cache: new SsdCache(cache),
    translation: new SsdTranslation({ ...translation, cache: translation.cache ?? 0 }),
    flash: new SsdFlash({ ...flash, read: List(flash.read), program: List(flash.program) }),
    bus: new SsdBus(shape.bus),
    collection: new SsdCollection(collection),
  });
}
