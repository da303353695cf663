/** Where logical pages, and the pages of the mapping table itself, are in flash. */
import type { SsdFlash, SsdTranslation } from '../../../arch/language/ssd/part.ts';
import { PageTable } from './page-table.ts';

/** Pages are counted on: behind the logical ones come those of the table. */
export class PageMap {
  readonly logical: number;
  /** Of every page: its physical page, from 1, and the sectors that were ever written, a bit for each. */
  readonly #forward: PageTable;
  /** Page on every physical page, from 1. */
  readonly #reverse: PageTable;
  readonly #plane: (page: number) => number;

  constructor(logical: number, table: number, physical: number, plane: (page: number) => number) {
    this.logical = logical;
    this.#forward = new PageTable(logical + table, 2);
    this.#reverse = new PageTable(physical);
    this.#plane = plane;
  }

  /** Physical page; -1 where there is none. */
  placeOf(page: number): number {
    return this.#forward.get(page) - 1;
  }

  /** The page that was put on a physical page last; -1 where none was. */
  pageAt(place: number): number {
    return this.#reverse.get(place) - 1;
  }

  /** Notes what a physical page is programmed with. */
  fill(place: number, page: number): void {
    this.#reverse.set(place, page + 1);
  }

  /** The page is found at a physical page from now on. */
  move(page: number, place: number): void {
    this.#forward.set(page, place + 1);
  }

  /** Sectors of a page that were ever written. */
  writtenOf(page: number): number {
    return this.#forward.get(page, 1);
  }

  setWritten(page: number, sectors: number): void {
    this.#forward.set(page, sectors, 1);
  }

  /** Whether what is on a physical page is needed. */
  isCurrent(place: number): boolean {
    const page = this.pageAt(place);
    return page >= 0 && this.placeOf(page) === place;
  }

  /** Plane that a page is laid on; pages of the table go round the planes as logical ones do. */
  planeOf(page: number): number {
    return this.#plane(page < this.logical ? page : page - this.logical);
  }
}

/**
 * Plane of a logical page: each letter of the allocation takes what the ones before it left of the page's number, as
 * MQSim's schemes do. Planes are counted channel by channel, chip by chip, die by die.
 */
export function planeAllocation({ channels, chips, dies, planes }: SsdFlash, { allocation }: SsdTranslation) {
  const counts = { C: channels, W: chips, D: dies, P: planes };
  const weights = { C: chips * dies * planes, W: dies * planes, D: planes, P: 1 };
  const letters = [...allocation] as (keyof typeof counts)[];
  const total = channels * chips * dies * planes;
  // The plane depends on the rest of the page's number alone.
  const all = Int32Array.from({ length: total }, (_, page) => {
    let rest = page;
    let plane = 0;
    for (const letter of letters) {
      plane += (rest % counts[letter]) * weights[letter];
      rest = Math.floor(rest / counts[letter]);
    }
    return plane;
  });
  return (page: number): number => all[page % total]!;
}
