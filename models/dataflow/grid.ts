/** The grid as a network: where units are, which links a route takes, and what passes over each of them. */
import { perCycle, type RduDevice } from './device.ts';

/** Bytes of a flow over one resource, all tokens together. */
interface Share {
  readonly flow: number;
  bytes: number;
}

const east = 0;
const west = 1;
const south = 2;
const north = 3;

/**
 * Links between switches, and the ports of PMUs. Routes go along the row first, then along the column. A link is shared as if all
 * flows over it were there at the same time, each with the same part of it until it is through: what is small is not held up for
 * long by what is large. Nothing else is ever in a flow's way, so that packets neither collide nor wait within the network.
 */
export class Grid {
  readonly #device: RduDevice;
  readonly #columns: number;
  readonly #sites: number;
  readonly #isMesh: boolean;
  /** Bytes per cycle by resource: four links of each site, then the ports of PMUs to read, then those to write. */
  readonly #rates: { readonly link: number; readonly read: number; readonly write: number };
  readonly #shares: Share[][];
  /** By link: the last packet that crossed it, so that copies are made where ways part. */
  readonly #stamps: Int32Array;
  #stamp = 0;
  /** PMUs in which two buffers share a bank: one port serves both directions. */
  readonly #conflicts = new Set<number>();

  constructor(device: RduDevice) {
    const { grid, network, pmu, pmus } = device.part;
    this.#device = device;
    this.#columns = grid.columns;
    this.#sites = grid.rows * grid.columns;
    this.#isMesh = network.topology === 'mesh';
    // A hop's room must last until it is known that a packet has left the next one.
    const credited = Math.min(1, network.credits / (2 * this.hop));
    const link = perCycle(device, network.width) * credited;
    this.#rates = { link, read: perCycle(device, pmu.read), write: perCycle(device, pmu.write) };
    this.#stamps = new Int32Array(4 * this.#sites);
    this.#shares = Array.from({ length: 4 * this.#sites + 2 * pmus }, () => []);
  }

  /** Cycles from one switch to the next, at least 1. */
  get hop(): number {
    const { hop } = this.#device.part.network;
    return Math.max(1, hop.unit === 'cycles' ? hop.amount : Math.ceil((hop.amount * this.#device.hertz) / 1e12));
  }

  /** Bytes per cycle over a link. */
  get linkRate(): number {
    return this.#rates.link;
  }

  /** The site of a PCU: they follow each other down one column and up the next, so that neighbours in number are neighbours. */
  pcuSite(pcu: number): number {
    return this.#snake(Math.floor(pcu / this.#device.part.grid.pcus));
  }

  pmuSite(pmu: number): number {
    return this.#snake(Math.floor(pmu / this.#device.part.grid.pmus));
  }

  /** AGCUs are spread over the rows, every second one on the right. */
  agcuSite(agcu: number): number {
    const { rows } = this.#device.part.grid;
    const { count } = this.#device.part.agcu;
    const row = Math.min(rows - 1, Math.floor(((Math.floor(agcu / 2) + 0.5) * rows) / Math.ceil(count / 2)));
    return row * this.#columns + (agcu % 2 === 0 ? 0 : this.#columns - 1);
  }

  /** The site of the AGCU that a site streams from and to: one of the nearest row, on the nearer side. */
  edgeOf(site: number): number {
    const { rows } = this.#device.part.grid;
    const { count } = this.#device.part.agcu;
    const pairs = Math.ceil(count / 2);
    const pair = Math.min(pairs - 1, Math.floor(((Math.floor(site / this.#columns) + 0.5) * pairs) / rows));
    const isRight = 2 * (site % this.#columns) >= this.#columns;
    return this.agcuSite(Math.min(count - 1, 2 * pair + (isRight ? 1 : 0)));
  }

  #snake(position: number): number {
    const { rows } = this.#device.part.grid;
    const column = Math.floor(position / rows);
    const along = position % rows;
    return (column % 2 === 0 ? along : rows - 1 - along) * this.#columns + column;
  }

  /** Switches that a packet crosses. */
  hops(from: number, to: number): number {
    if (!this.#isMesh) return 1;
    const down = Math.abs(Math.floor(from / this.#columns) - Math.floor(to / this.#columns));
    return 1 + down + Math.abs((from % this.#columns) - (to % this.#columns));
  }

  /** A flow's bytes from one site to each of some others; a link on several of the ways carries them once where switches copy. */
  carry(flow: number, bytes: number, from: number, to: readonly number[]): void {
    this.#stamp++;
    for (const site of to) this.#route(flow, bytes, from, site);
  }

  /** Along the row, then along the column. */
  #route(flow: number, bytes: number, from: number, to: number): void {
    if (from === to) return;
    if (!this.#isMesh) {
      this.#cross(4 * from + east, flow, bytes);
      this.#cross(4 * to + west, flow, bytes);
      return;
    }
    const columns = this.#columns;
    const column = to % columns;
    let at = from;
    for (let left = column - (from % columns); left !== 0; left -= Math.sign(left)) {
      this.#cross(4 * at + (left > 0 ? east : west), flow, bytes);
      at += Math.sign(left);
    }
    while (at !== to) {
      this.#cross(4 * at + (at < to ? south : north), flow, bytes);
      at += at < to ? columns : -columns;
    }
  }

  #cross(link: number, flow: number, bytes: number): void {
    if (this.#device.part.network.multicast && this.#stamps[link] === this.#stamp) return;
    this.#stamps[link] = this.#stamp;
    this.#add(link, flow, bytes);
  }

  /** A flow's bytes read from a PMU, or written to it. */
  port(flow: number, bytes: number, pmu: number, what: 'read' | 'write'): void {
    const isRead = what === 'read' || this.#conflicts.has(pmu);
    this.#add(4 * this.#sites + (isRead ? 0 : this.#device.part.pmus) + pmu, flow, bytes);
  }

  /** Says that two buffers of a PMU share a bank. */
  conflict(pmu: number): void {
    this.#conflicts.add(pmu);
  }

  /** Flows come one after another, so that a resource's last share is the flow's own if it has one. */
  #add(resource: number, flow: number, bytes: number): void {
    const shares = this.#shares[resource];
    if (shares === undefined) throw new Error(`there is no resource ${resource}`);
    const last = shares.at(-1);
    if (last?.flow === flow) last.bytes += bytes;
    else shares.push({ flow, bytes });
  }

  #rateOf(resource: number): number {
    if (resource < 4 * this.#sites) return this.#rates.link;
    return resource < 4 * this.#sites + this.#device.part.pmus ? this.#rates.read : this.#rates.write;
  }

  /**
   * By flow: cycles that all of its bytes take over the resource that is slowest for it. Flows that are `serial` are never
   * there at the same time as each other.
   */
  times(serial: readonly boolean[]): Float64Array {
    const times = new Float64Array(serial.length);
    this.#shares.forEach((shares, resource) => {
      const rate = this.#rateOf(resource);
      for (const { flow, bytes } of shares) {
        let passed = bytes;
        for (const other of shares) {
          if (other.flow !== flow && !(serial[flow] && serial[other.flow])) passed += Math.min(other.bytes, bytes);
        }
        times[flow] = Math.max(times[flow]!, passed / rate);
      }
    });
    return times;
  }

  /** Bytes over each link of a site to the east, west, south and north, all flows together. */
  linkBytes(): Float64Array {
    return Float64Array.from(this.#shares.slice(0, 4 * this.#sites), (shares) =>
      shares.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }
}
