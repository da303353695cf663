/** The copy engine of a device: reads memory of the host with requests under way, or writes it. */
import type { Agenda, Alarm } from './agenda.ts';
import type { Layout } from './layout.ts';
import { data, read, write } from './packets.ts';
import type { Input, Receiver, Sender, Wire } from './wire.ts';

/** One copy; sizes in bytes. */
export interface Copy {
  readonly isWrite: boolean;
  readonly bytes: number;
  readonly layout: Layout;
  /** Of what is written, bytes at the start that the host's cache has and keeps. */
  readonly kept: number;
}

/** Bytes after which a copy is at a place where it may have been before, in all but its progress. */
const stride = 2 ** 16;
/** Packets of a write that wait for the wires: the next one is there when one has left. */
const ahead = 2;

export class Copier implements Receiver, Sender {
  readonly flow: number;
  readonly copy: Copy;
  /** Bytes asked for or sent, and those that have come to where they go. */
  issued = 0;
  arrived = 0;
  /** When the last byte came. */
  end = 0;
  readonly #agenda: Agenda;
  readonly #input: Input;
  readonly #start: Alarm;
  readonly #setup: number;
  readonly #tags: number;
  readonly #piece: number;
  /** Requests under way, or packets that wait. */
  #open = 0;

  /** `up` are the wires to the host; `setup` picoseconds pass before the first request. */
  constructor(agenda: Agenda, flow: number, copy: Copy, up: Wire, setup: number) {
    this.#agenda = agenda;
    this.flow = flow;
    this.copy = copy;
    this.#setup = setup;
    this.#input = up.input(1, null, copy.isWrite ? this : null);
    const { tags, request, messages } = up.part;
    this.#tags = copy.isWrite ? ahead : tags;
    const most = copy.isWrite ? (messages.get('write')?.payload ?? 0) : request;
    // No request or packet goes beyond its page.
    this.#piece = Math.min(most, copy.layout.page);
    this.#start = agenda.alarm({ act: (now) => this.#issue(now) }, 0);
  }

  begin(): void {
    this.#start.set(this.#setup);
  }

  get finished(): boolean {
    return this.arrived === this.copy.bytes;
  }

  /** Bytes that can be issued before anything changes but the progress. */
  get left(): number {
    return this.copy.bytes - this.issued;
  }

  /** Data have come, or have been written: the last of them at `time`. */
  land(time: number, bytes: number): void {
    this.arrived += bytes;
    this.end = Math.max(this.end, time);
  }

  receive(now: number, wire: Wire, _flow: number, kind: number, bytes: number, tag: number): void {
    wire.release(now, kind, bytes);
    if (kind !== data) return;
    this.land(now, bytes);
    // The last part of what a request asked for.
    if (tag === 1) {
      this.#open--;
      this.#issue(now);
    }
  }

  sent(now: number): void {
    this.#open--;
    this.#issue(now);
  }

  #issue(now: number): void {
    const { bytes, isWrite, layout } = this.copy;
    while (this.#open < this.#tags && this.issued < bytes) {
      const size = Math.min(this.#piece, bytes - this.issued, layout.page - (this.issued % layout.page));
      this.#open++;
      this.issued += size;
      this.#input.push(now, this.flow, isWrite ? write : read, size, 0);
      if (this.issued % stride === 0) this.#agenda.marked = true;
    }
  }

  save(_now: number, into: number[]): void {
    into.push(this.#open, this.issued % this.copy.layout.cycle, this.issued - this.arrived, Number(this.finished));
  }

  count(into: number[]): void {
    into.push(this.issued, this.arrived, this.end);
  }

  shift(_by: number): void {}

  skip(since: readonly number[], at: number, times: number): number {
    this.issued += times * (this.issued - since[at]!);
    this.arrived += times * (this.arrived - since[at + 1]!);
    this.end += times * (this.end - since[at + 2]!);
    return at + 3;
  }
}
