/** Copies between tiers, over the memories at both ends and the links between them. */
import { Bins, timelineBins } from '../kernel/bins.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';
import { Port } from '../memory/port.ts';

/** What bytes go through: bytes per second, and picoseconds from the first byte in until it is out. */
export interface Way {
  readonly name: string;
  readonly bandwidth: number;
  readonly latency: number;
}

/** From a memory through links to another; of both memories the bandwidth, read and written together. */
export interface Path {
  readonly from: Way;
  readonly links: readonly Way[];
  readonly to: Way;
}

/**
 * Memories and links, each of which serves copies first come, first served. A copy streams: all that it goes through work on
 * it at a time, so that the slowest of them bounds it, and latencies add up once.
 */
export class Copies {
  readonly #ports = new Map<string, Port>();
  readonly #timelines = new Map<string, Bins>();
  /** Bytes of all copies. */
  bytes = 0;

  /** Copies bytes, from a time in picoseconds that no later copy may come before; returns when the last has arrived. */
  copy(ps: number, bytes: number, { from, links, to }: Path): number {
    let [start, last] = [ps, ps];
    for (const way of [from, ...links, to]) {
      const port = this.#port(way);
      const end = port.serve(ps, bytes, way === to);
      if (end > last) [start, last] = [port.start, end];
    }
    if (bytes > 0) this.#timeline(from.name).add(0, start, last, bytes);
    this.bytes += bytes;
    return last + [from, ...links, to].reduce((sum, { latency }) => sum + latency, 0);
  }

  /** Traffic of a memory or link by its name; undefined before its first copy. */
  port(name: string): Port | undefined {
    return this.#ports.get(name);
  }

  /** Bytes over time that left a memory, as fast as what they went through; undefined before its first copy. */
  timeline(name: string): Bins | undefined {
    return this.#timelines.get(name);
  }

  #timeline(name: string): Bins {
    const known = this.#timelines.get(name) ?? new Bins(1, timelineBins, 1);
    this.#timelines.set(name, known);
    return known;
  }

  #port({ name, bandwidth, latency }: Way): Port {
    const known = this.#ports.get(name);
    if (known) return known;
    const made = new Port(name, bandwidth, latency, picosecondsPerSecond);
    this.#ports.set(name, made);
    return made;
  }
}
