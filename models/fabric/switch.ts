/** A switch: packets of an input go to the output that leads where their flow goes. */

import { kindCount } from './packets.ts';
import type { Input, Receiver, Wire } from './wire.ts';

export class Switch implements Receiver {
  readonly #latency: number;
  /** Weights by the wires that packets come over. */
  readonly #weights = new Map<Wire, number>();
  /** By wires that packets come over, then flow: wires that lead on. */
  readonly #routes = new Map<Wire, Wire[]>();
  /** By wires in and wires out: an input for each kind, as one kind may pass another. */
  readonly #inputs = new Map<Wire, Map<Wire, Input[]>>();

  constructor(latency: number) {
    this.#latency = latency;
  }

  /** Packets of an input have so many in a turn. */
  weigh(from: Wire, weight: number): void {
    this.#weights.set(from, weight);
  }

  route(flow: number, from: Wire, to: Wire): void {
    const routes = this.#routes.get(from) ?? [];
    routes[flow] = to;
    this.#routes.set(from, routes);
    const outputs = this.#inputs.get(from) ?? new Map<Wire, Input[]>();
    if (!outputs.has(to)) {
      const weight = this.#weights.get(from) ?? 1;
      outputs.set(
        to,
        Array.from({ length: kindCount }, () => to.input(weight, from)),
      );
    }
    this.#inputs.set(from, outputs);
  }

  receive(now: number, wire: Wire, flow: number, kind: number, bytes: number, tag: number): void {
    const to = this.#routes.get(wire)?.[flow];
    const input = to && this.#inputs.get(wire)?.get(to)?.[kind];
    if (!input) throw new Error(`flow ${flow} has no way on from ${wire.name}`);
    input.push(now + this.#latency, flow, kind, bytes, tag);
  }
}
