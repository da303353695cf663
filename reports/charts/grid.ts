import { scaleLinear } from 'd3-scale';
import { percent, share } from '../format.ts';
import { type Markup, markup, type Part } from '../markup.ts';
import { type Colour, heatSteps } from '../palette.ts';
import { chart, chartWidth, legend, textWidth } from './frame.ts';

/** Sites of a grid that belong together. */
export interface GridArea {
  /** Written on it. */
  number: string;
  name: string;
  colour: Colour;
  /** A row after the other, from the upper left; twice where it has two units at a site. At least one. */
  sites: readonly number[];
  /** Has an outline. */
  isMarked: boolean;
  /** Read on hover. */
  title: string;
}

export interface GridData {
  label: string;
  rows: number;
  columns: number;
  areas: readonly GridArea[];
  /** Fraction in use of each site's links to the east, west, south and north. */
  links: readonly number[];
}

/** From one site to the next at most, in pixels; the square takes a part of it, links the rest. */
const mostPitch = 22;
const square = 0.6;
/** Links of both directions lie beside each other, so far from the middle, and are so wide at most: parts of the pitch. */
const apart = 0.13;
const widest = 0.22;
/** Areas named above the grid; others have their numbers. */
const named = 24;
const lineHeight = 20;

type Direction = readonly [dx: number, dy: number];
const directions: readonly Direction[] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];

/** Where sites are. */
class Sites {
  readonly #data: GridData;
  readonly #top: number;
  readonly #left: number;
  readonly pitch: number;

  constructor(data: GridData, top: number) {
    this.#data = data;
    this.#top = top;
    this.pitch = Math.min(mostPitch, chartWidth / data.columns);
    this.#left = (chartWidth - data.columns * this.pitch) / 2;
  }

  get bottom(): number {
    return this.#top + this.#data.rows * this.pitch;
  }

  /** The middle of a site. */
  at(site: number): { x: number; y: number } {
    const { columns } = this.#data;
    return {
      x: this.#left + ((site % columns) + 0.5) * this.pitch,
      y: this.#top + (Math.floor(site / columns) + 0.5) * this.pitch,
    };
  }

  /** Outline of the square of a site, or of one of equal parts of it beside each other. */
  outline(site: number, part = 0, parts = 1): Markup {
    const { x, y } = this.at(site);
    const side = square * this.pitch;
    const width = side / parts;
    return markup`M${x - side / 2 + part * width} ${y - side / 2}h${width}v${side}h${-width}z`;
  }

  /** A link from the edge of a site's square to that of the next; each direction keeps to one side. */
  link(site: number, [dx, dy]: Direction): Markup {
    const { x, y } = this.at(site);
    const from = (square / 2) * this.pitch;
    const length = (1 - square) * this.pitch;
    const aside = apart * this.pitch;
    const start = markup`M${x + dx * from + Math.abs(dy) * dy * aside} ${y + dy * from - Math.abs(dx) * dx * aside}`;
    return dx === 0 ? markup`${start}v${dy * length}` : markup`${start}h${dx * length}`;
  }
}

/** Squares for the sites of a grid, coloured and numbered by area, with the loads of the links between them. */
export function gridChart(data: GridData): Markup {
  const names = legendRows(data.areas);
  const loads = new Loads(data.links);
  const top = (names.length + (loads.count > 0 ? 1 : 0)) * lineHeight + 10;
  const sites = new Sites(data, top);
  return chart(sites.bottom + 6, data.label, [
    ...names.map((row, index) => legend(row, 4, 4 + index * lineHeight)),
    ...loads.legend(sites.pitch, 4 + names.length * lineHeight),
    ...loads.paths(sites),
    unused(data, sites),
    ...squares(data.areas, sites),
    ...data.areas.map((area) => number(area, sites)),
  ]);
}

/** Names of areas in as many lines as they take. */
function legendRows(areas: readonly GridArea[]): { name: string; colour: Colour }[][] {
  const entries = areas.slice(0, named).map(({ number, name, colour }) => ({ name: `${number} ${name}`, colour }));
  if (areas.length > named) entries.push({ name: `${areas.length - named} others, by number`, colour: 'others' });
  const rows: (typeof entries)[] = [[]];
  let used = 0;
  for (const entry of entries) {
    const width = 34 + textWidth(entry.name);
    if (used > 0 && used + width > chartWidth) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)?.push(entry);
    used += width;
  }
  return rows;
}

/** Links in steps of equal width, from 0 to the highest load. */
class Loads {
  readonly #links: readonly number[];
  readonly #step: number;
  /** Steps; none where nothing passed over any link. */
  readonly count: number;

  constructor(links: readonly number[]) {
    this.#links = links;
    const highest = links.reduce((most, load) => Math.max(most, load), 0);
    const ticks = scaleLinear([0, highest], [0, 1]).ticks(5);
    this.#step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
    this.count = highest > 0 ? Math.ceil(highest / this.#step - 1e-9) : 0;
  }

  paths(sites: Sites): Markup[] {
    const steps = Array.from({ length: this.count }, (): Markup[] => []);
    this.#links.forEach((load, link) => {
      const direction = directions[link % directions.length];
      if (!(load > 0) || direction === undefined) return;
      steps[this.#stepOf(load)]?.push(sites.link(Math.floor(link / directions.length), direction));
    });
    return steps.flatMap((links, step) =>
      links.length === 0
        ? []
        : markup`<path class="${this.#colour(step)}" stroke-width="${this.#width(step, sites.pitch)}" d="${links}"><title>${links.length === 1 ? '1 link' : `${links.length} links`} ${this.#range(step)} in use</title></path>`,
    );
  }

  legend(pitch: number, top: number): Part[] {
    let x = 4;
    return Array.from({ length: this.count }, (_, step) => {
      const text = `${this.#range(step)}${step === this.count - 1 ? ' of a link in use' : ''}`;
      const entry = markup`<path class="${this.#colour(step)}" stroke-width="${this.#width(step, pitch)}" d="M${x} ${top + 6}h16"/><text x="${x + 22}" y="${top + 10}">${text}</text>`;
      x += 22 + textWidth(text) + 18;
      return entry;
    });
  }

  #stepOf(load: number): number {
    return Math.min(this.count - 1, Math.max(0, Math.ceil(load / this.#step - 1e-9) - 1));
  }

  /** The first colours are too pale for thin lines. */
  #colour(step: number): string {
    return `heat${heatSteps - Math.round(((this.count - step) * (heatSteps - 2)) / Math.max(1, this.count))}`;
  }

  #width(step: number, pitch: number): number {
    return (widest * pitch * (step + 1)) / this.count;
  }

  #range(step: number): string {
    const write = this.#step < 0.01 ? percent : share;
    const end = (step + 1) * this.#step;
    return step === 0 ? `up to ${write(end)}` : `${write(step * this.#step).replace(' %', '')} to ${write(end)}`;
  }
}

function unused({ rows, columns, areas }: GridData, sites: Sites): Markup | undefined {
  const used = new Set(areas.flatMap((area) => area.sites));
  const free = Array.from({ length: rows * columns }, (_, site) => site).filter((site) => !used.has(site));
  if (free.length === 0) return undefined;
  return markup`<path class="f-idle" d="${free.map((site) => sites.outline(site))}"><title>${free.length === 1 ? '1 site' : `${free.length} sites`} without a stage</title></path>`;
}

/** The square of a site that areas share is parted between them. Marked areas come last, over the others. */
function squares(areas: readonly GridArea[], sites: Sites): Markup[] {
  const owners = new Map<number, Set<GridArea>>();
  for (const area of areas) {
    for (const site of area.sites) owners.set(site, (owners.get(site) ?? new Set()).add(area));
  }
  return areas
    .toSorted((a, b) => Number(a.isMarked) - Number(b.isMarked))
    .map((area) => {
      const outlines = [...new Set(area.sites)].map((site) => {
        const all = [...(owners.get(site) ?? [])];
        return sites.outline(site, all.indexOf(area), all.length);
      });
      return markup`<path class="f-${area.colour}${area.isMarked ? ' marked' : ''}" d="${outlines}"><title>${area.title}</title></path>`;
    });
}

/** An area's number on that of its squares which is nearest to its middle. */
function number(area: GridArea, sites: Sites): Markup {
  const places = area.sites.map((site) => sites.at(site));
  const mean = (of: 'x' | 'y') => places.reduce((sum, place) => sum + place[of], 0) / places.length;
  const [x, y] = [mean('x'), mean('y')];
  const nearest = places.reduce((best, place) =>
    Math.hypot(place.x - x, place.y - y) < Math.hypot(best.x - x, best.y - y) - 1e-9 ? place : best,
  );
  return markup`<text class="strong halo" x="${nearest.x}" y="${nearest.y + 4}" text-anchor="middle" pointer-events="none">${area.number}</text>`;
}
