/** The root complex of a host: between devices, the host's memories and those behind links. */
import type { Copier } from './copier.ts';
import { data, done, read, write } from './packets.ts';
import type { Store } from './store.ts';
import type { Input, Receiver, Sender, Wire } from './wire.ts';

/** Bytes of a line, what processors and links to memory move at a time. */
export const lineBytes = 64;

/** A memory of the host, by itself or behind a link. */
export interface Target {
  readonly store: Store;
  /** Wires from the host to it; null: it is the host's own. */
  readonly down: Wire | null;
}

/** What cores wait for. */
export interface Loads {
  /** A line has come. */
  arrive(now: number, tag: number): void;
  /** A line has been written. */
  land(now: number, bytes: number): void;
}

/** What the host does for one flow of a device. */
class Service {
  readonly copier: Copier;
  /** Data to the device, by the memory that they come from; writes by memory behind a link, then wires that they came over. */
  readonly up: readonly Input[];
  readonly requests: readonly (Input | null)[];
  /** Wires over which the device's packets come. */
  readonly from: Wire;
  /** Most bytes of data in a packet to the device. */
  readonly most: number;
  /** Bytes of its copy that have been asked for, or come. */
  position = 0;

  constructor(copier: Copier, up: readonly Input[], requests: readonly (Input | null)[], from: Wire) {
    this.copier = copier;
    this.up = up;
    this.requests = requests;
    this.from = from;
    this.most = from.part.messages.get('data')?.payload ?? lineBytes;
  }
}

export class Root implements Receiver, Sender {
  readonly #targets: readonly Target[];
  /** Picoseconds through it. */
  readonly #latency: number;
  readonly #services: (Service | null)[] = [];
  readonly #loads: (Loads | null)[] = [];
  /** Memories by the wires that come from them. */
  readonly #ports = new Map<Wire, number>();

  constructor(targets: readonly Target[], latency: number) {
    this.#targets = targets;
    this.#latency = latency;
  }

  /** The wires that come from a memory behind a link. */
  attach(up: Wire, target: number): void {
    this.#ports.set(up, target);
  }

  /** A device's copy; `down` are the wires towards it, `from` those that its packets come over. */
  serve(copier: Copier, down: Wire, from: Wire): void {
    const up = this.#targets.map(() => down.input());
    const { isWrite } = copier.copy;
    const requests = this.#targets.map(({ down: wire }) => wire?.input(1, null, isWrite ? this : null) ?? null);
    this.#services[copier.flow] = new Service(copier, up, requests, from);
  }

  /** Lines that cores ask for over links to memory are told to `loads`. */
  tell(flow: number, loads: Loads): void {
    this.#loads[flow] = loads;
  }

  receive(now: number, wire: Wire, flow: number, kind: number, bytes: number, tag: number): void {
    const service = this.#services[flow];
    if (service) {
      if (kind === read) this.#read(now, wire, service, flow, bytes);
      else if (kind === write) this.#write(now, wire, service, flow, bytes);
      else if (kind === data) this.#forward(now, wire, service, flow, bytes, tag);
      else this.#written(now, wire, service, bytes);
      return;
    }
    wire.release(now, kind, bytes);
    if (kind === data) this.#loads[flow]?.arrive(now + this.#latency, tag);
    else if (kind === done) this.#loads[flow]?.land(now, bytes);
  }

  /** The last line of a packet that is written is on its way to the memory: the packet's room is free. */
  sent(_now: number, end: number, flow: number, kind: number, tag: number): void {
    const service = this.#services[flow];
    if (service && tag > 0) service.from.release(end, kind, tag);
  }

  #read(now: number, wire: Wire, service: Service, flow: number, bytes: number): void {
    wire.release(now, read, bytes);
    const { copier, up, requests, most } = service;
    const target = copier.copy.layout.targetOf(service.position);
    service.position += bytes;
    const behind = requests[target];
    if (behind) {
      for (let at = 0; at < bytes; at += lineBytes) {
        const size = Math.min(lineBytes, bytes - at);
        behind.push(now + this.#latency, flow, read, size, tagOf(at + size, bytes, most));
      }
      return;
    }
    const { store } = this.#targets[target]!;
    for (let at = 0; at < bytes; at += most) {
      const size = Math.min(most, bytes - at);
      const end = store.serve(now, size, false);
      up[target]!.push(end + store.latency + 2 * this.#latency, flow, data, size, at + size === bytes ? 1 : 0);
    }
  }

  #write(now: number, wire: Wire, service: Service, flow: number, bytes: number): void {
    const { copier, requests } = service;
    const { layout, kept } = copier.copy;
    const at = service.position;
    service.position += bytes;
    if (at < kept) {
      wire.release(now, write, bytes);
      copier.land(now + this.#latency, bytes);
      return;
    }
    const target = layout.targetOf(at);
    const behind = requests[target];
    if (!behind) {
      const end = this.#targets[target]!.store.serve(now, bytes, true);
      wire.release(end, write, bytes);
      copier.land(end + this.#latency, bytes);
      return;
    }
    for (let line = 0; line < bytes; line += lineBytes) {
      const size = Math.min(lineBytes, bytes - line);
      behind.push(now + this.#latency, flow, write, size, line + size === bytes ? bytes : 0);
    }
  }

  /** A line has come from a memory behind a link; the last of a packet for the device sends it on. */
  #forward(now: number, wire: Wire, service: Service, flow: number, bytes: number, tag: number): void {
    wire.release(now, data, bytes);
    if (tag === 0) return;
    service.up[this.#ports.get(wire)!]!.push(now + this.#latency, flow, data, tag >> 1, tag & 1);
  }

  #written(now: number, wire: Wire, { copier }: Service, bytes: number): void {
    wire.release(now, done, bytes);
    copier.land(now, bytes);
  }

  save(_now: number, into: number[]): void {
    for (const service of this.#services) {
      if (!service) continue;
      const { issued, copy } = service.copier;
      into.push(service.position % copy.layout.cycle, service.position - issued, Number(service.position < copy.kept));
    }
  }

  count(into: number[]): void {
    for (const service of this.#services) if (service) into.push(service.position);
  }

  shift(_by: number): void {}

  skip(since: readonly number[], at: number, times: number): number {
    let next = at;
    for (const service of this.#services) if (service) service.position += times * (service.position - since[next++]!);
    return next;
  }

  /** Bytes that flow may ask for, or write, before its position passes where the cache's part ends. */
  keptLeft(flow: number): number {
    const service = this.#services[flow];
    if (!service) return Number.POSITIVE_INFINITY;
    const { kept } = service.copier.copy;
    return service.position < kept ? kept - service.position : Number.POSITIVE_INFINITY;
  }
}

/** Of the line that ends at `end` of a request: 0 inside a packet for the device; else its bytes, twice, and 1 if it is the last. */
function tagOf(end: number, bytes: number, most: number): number {
  const isLast = end === bytes;
  if (!isLast && end % most !== 0) return 0;
  const size = end % most === 0 ? most : end % most;
  return 2 * size + Number(isLast);
}
