/** Memories of the host, and those behind a link with their controller. */
import { picosecondsPerSecond, Ratio } from '../kernel/clock.ts';
import { data, done, read } from './packets.ts';
import { Server } from './server.ts';
import type { Input, Receiver, Wire } from './wire.ts';

/** A memory that serves reads and writes in the order in which they come, at a fixed rate. */
export class Store {
  readonly name: string;
  readonly server: Server;
  /** Picoseconds from when a request is served until its data are there. */
  readonly latency: number;
  bytesRead = 0;
  bytesWritten = 0;

  constructor(name: string, bytesPerSecond: number, latency: number) {
    this.name = name;
    this.server = new Server(new Ratio(picosecondsPerSecond, Math.round(bytesPerSecond)));
    this.latency = latency;
  }

  /** Returns when the last byte has been served. */
  serve(now: number, bytes: number, isWrite: boolean): number {
    if (isWrite) this.bytesWritten += bytes;
    else this.bytesRead += bytes;
    return this.server.serve(now, bytes);
  }

  save(now: number, into: number[]): void {
    this.server.save(now, into);
  }

  shift(by: number): void {
    this.server.shift(by);
  }

  count(into: number[]): void {
    this.server.count(into);
    into.push(this.bytesRead, this.bytesWritten);
  }

  skip(since: readonly number[], at: number, times: number): number {
    const next = this.server.skip(since, at, times);
    this.bytesRead += times * (this.bytesRead - since[next]!);
    this.bytesWritten += times * (this.bytesWritten - since[next + 1]!);
    return next + 2;
  }
}

/** The far end of a link to memory: answers requests with data, and writes with an acknowledgement where the link has one. */
export class Card implements Receiver {
  readonly #store: Store;
  readonly #data: Input;
  readonly #done: Input | null;

  /** `up` are the wires to the host. */
  constructor(store: Store, up: Wire) {
    this.#store = store;
    this.#data = up.input();
    this.#done = up.part.messages.has('done') ? up.input() : null;
  }

  receive(now: number, wire: Wire, flow: number, kind: number, bytes: number, tag: number): void {
    const end = this.#store.serve(now, bytes, kind !== read);
    wire.release(end, kind, bytes);
    if (kind === read) this.#data.push(end + this.#store.latency, flow, data, bytes, tag);
    else this.#done?.push(end, flow, done, bytes, tag);
  }
}
