/** Flows of a placed section over the grid: between operators, buffers and the edge, with what each takes. */
import { type PlacedBuffer, readsOf } from './buffers.ts';
import type { RduDevice } from './device.ts';
import { Grid } from './grid.ts';
import type { PlacedOperator } from './place.ts';

/** Tokens of a tensor on their way to a buffer, or from it. */
export interface Flow {
  readonly tensor: string;
  /** The operator at the other end; null: memory. */
  readonly operator: string | null;
  readonly into: boolean;
  /** Bytes in one run of the section. */
  readonly bytes: number;
  /** Most switches that a packet crosses. */
  readonly hops: number;
  /** Cycles that all of its bytes take, beside what else is on its way. */
  readonly cycles: number;
}

export interface Routes {
  readonly flows: readonly Flow[];
  readonly hop: number;
  /** Bytes over each link of a site, to the east, west, south and north, in one run of the section. */
  readonly linkBytes: Float64Array;
}

export function routesOf(
  operators: readonly PlacedOperator[],
  buffers: readonly PlacedBuffer[],
  device: RduDevice,
): Routes {
  const router = new Router(operators, buffers, device);
  return router.routes();
}

class Router {
  readonly #operators: readonly PlacedOperator[];
  readonly #buffers: readonly PlacedBuffer[];
  readonly #device: RduDevice;
  readonly #grid: Grid;
  readonly #flows: Omit<Flow, 'cycles'>[] = [];

  constructor(operators: readonly PlacedOperator[], buffers: readonly PlacedBuffer[], device: RduDevice) {
    this.#operators = operators;
    this.#buffers = buffers;
    this.#device = device;
    this.#grid = new Grid(device);
    for (const { shared } of buffers) for (const pmu of shared) this.#grid.conflict(pmu);
  }

  routes(): Routes {
    for (const buffer of this.#buffers) {
      const { name, tensor } = buffer;
      if (tensor.load) this.#flow(buffer, null, true, 1);
      if (tensor.store) this.#flow(buffer, null, false, 1);
      for (const placed of this.#operators) {
        if (placed.operator.results.includes(name)) this.#flow(buffer, placed, true, 1);
        const at = placed.operator.operands.findIndex((one) => one.tensor === name);
        if (at >= 0) this.#flow(buffer, placed, false, at);
      }
    }
    // The memory serves one request at a time: what comes from it or goes to it is never in its own way.
    const times = this.#grid.times(this.#flows.map(({ operator }) => operator === null));
    const flows = this.#flows.map((flow, i) => ({ ...flow, cycles: times[i]! }));
    return { flows, hop: this.#grid.hop, linkBytes: this.#grid.linkBytes() };
  }

  #flow(buffer: PlacedBuffer, placed: PlacedOperator | null, into: boolean, operand: number): void {
    const { name, tokens, tokenBytes, pmus } = buffer;
    const flow = this.#flows.length;
    const ends = this.#endsOf(placed);
    const isRead = !into && placed !== null;
    const times = isRead ? readsOf(placed, operand) : 1;
    // An operator that works tile by tile reads what is one piece for each of them.
    const firings = isRead ? Math.max(tokens, placed.firings) : tokens;
    const bytes = firings * tokenBytes * times;
    const sites = pmus.map((pmu) => this.#grid.pmuSite(pmu));
    for (const pmu of pmus) this.#grid.port(flow, bytes / pmus.length, pmu, into ? 'write' : 'read');
    const isShared = isRead && operand === 0 && placed.operator.kind === 'product';
    const ways = isShared
      ? sharedWays(sites, ends, placed.work.operands(placed.pcus).groups)
      : placed === null
        ? sites.map((site) => ({ site, others: [this.#grid.edgeOf(site)] }))
        : laneWays(sites, ends);
    let hops = 0;
    for (const { site, others } of ways) {
      if (into) for (const other of others) this.#grid.carry(flow, bytes / ways.length, other, [site]);
      else this.#grid.carry(flow, bytes / ways.length, site, others);
      for (const other of others) hops = Math.max(hops, this.#grid.hops(site, other));
    }
    this.#flows.push({ tensor: name, operator: placed?.operator.name ?? null, into, bytes, hops });
  }

  /** Sites of an operator's PCUs; of what needs none, a transpose or what goes to memory or other devices, those of AGCUs. */
  #endsOf(placed: PlacedOperator | null): number[] {
    const { pcus = 0, first = 0 } = placed ?? {};
    if (pcus > 0) return Array.from({ length: pcus }, (_, i) => this.#grid.pcuSite(first + i));
    if (placed?.operator.kind === 'transpose') {
      const [tensor] = placed.operator.results;
      const pmus = this.#buffers.find(({ name }) => name === tensor)?.pmus ?? [];
      return pmus.map((pmu) => this.#grid.pmuSite(pmu));
    }
    return Array.from({ length: this.#device.part.agcu.count }, (_, i) => this.#grid.agcuSite(i));
  }
}

/** A site of a buffer, and the sites that its part of the bytes goes to or comes from. */
interface Way {
  readonly site: number;
  readonly others: readonly number[];
}

/** Each site has bytes of its own for one at the other end: which one is free, and those of a row are for each other. */
function laneWays(sites: readonly number[], ends: readonly number[]): Way[] {
  const lanes = Math.max(ends.length, sites.length);
  // Sites are numbered along rows.
  const [from, to] = [sites, ends].map((all) => [...all].sort((a, b) => a - b)) as [number[], number[]];
  return Array.from({ length: lanes }, (_, lane) => {
    const site = from[Math.floor((lane * from.length) / lanes)]!;
    return { site, others: [to[Math.floor((lane * to.length) / lanes)]!] };
  });
}

/** Each site has bytes for a whole group at the other end; of fewer sites than groups, each has them for several. */
function sharedWays(sites: readonly number[], ends: readonly number[], groups: number): Way[] {
  const lanes = Math.max(groups, sites.length);
  const bound = (group: number): number => Math.floor((group * ends.length) / groups);
  return Array.from({ length: lanes }, (_, lane) => {
    const group = Math.floor((lane * groups) / lanes);
    return {
      site: sites[Math.floor((lane * sites.length) / lanes)]!,
      others: ends.slice(bound(group), bound(group + 1)),
    };
  });
}
