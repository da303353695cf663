/** The cores of a host as one vector unit that goes over tensors once: loads lines, computes, and writes lines back. */
import type { Ratio } from '../kernel/clock.ts';
import type { Agenda, Alarm } from './agenda.ts';
import type { Layout } from './layout.ts';
import { Packets, read, write } from './packets.ts';
import { type Loads, lineBytes, type Target } from './root.ts';
import { Server } from './server.ts';
import type { Store } from './store.ts';
import type { Input, Sender } from './wire.ts';

/** One tensor of a loop, element by element. */
export interface Operand {
  readonly layout: Layout;
  /** Lines of it in a step of the loop. */
  readonly lines: number;
  readonly isRead: boolean;
  readonly isWritten: boolean;
}

/** A loop over elements, cut into steps of whole lines of every operand. */
export interface Loop {
  readonly steps: number;
  readonly operands: readonly Operand[];
  /** Picoseconds that the cores compute for a step. */
  readonly compute: Ratio;
  /** Steps at the start whose lines the cache has and keeps. */
  readonly kept: number;
  /** Steps under way at most. */
  readonly window: number;
}

export class Cores implements Loads, Sender {
  readonly flow: number;
  readonly loop: Loop;
  /** Steps begun, and those that are over. */
  issued = 0;
  retired = 0;
  /** When the last line was written. */
  end = 0;
  readonly unit: Server;
  readonly #agenda: Agenda;
  readonly #alarm: Alarm;
  readonly #targets: readonly Target[];
  readonly #cache: Store | null;
  /** Requests and writes to memories behind links. */
  readonly #requests: readonly (Input | null)[];
  readonly #writes: readonly (Input | null)[];
  /** Lines that come, by memory, then from the cache, then over links: `bytes` counts them, the tag is the step's slot. */
  readonly #coming: readonly Packets[];
  readonly #computed = new Packets();
  /** What a slot's step still waits for: lines to come; lines to leave, and one more until they are known. */
  readonly #toCome: Int32Array;
  readonly #toLeave: Int32Array;
  readonly #readLines: number;
  readonly #writtenLines: number;
  /** Lines on their way to memories behind links. */
  #unwritten = 0;

  constructor(agenda: Agenda, flow: number, loop: Loop, targets: readonly Target[], cache: Store | null) {
    this.#agenda = agenda;
    this.flow = flow;
    this.loop = loop;
    this.unit = new Server(loop.compute);
    this.#targets = targets;
    this.#cache = cache;
    this.#requests = targets.map(({ down }) => down?.input() ?? null);
    this.#writes = targets.map(({ down }) => down?.input(1, null, this) ?? null);
    this.#coming = Array.from({ length: targets.length + 2 }, () => new Packets());
    this.#toCome = new Int32Array(loop.window);
    this.#toLeave = new Int32Array(loop.window);
    const linesOf = (chosen: (operand: Operand) => boolean): number =>
      loop.operands.filter(chosen).reduce((sum, { lines }) => sum + lines, 0);
    this.#readLines = linesOf(({ isRead }) => isRead);
    this.#writtenLines = linesOf(({ isWritten }) => isWritten);
    this.#alarm = agenda.alarm({ act: (now) => this.#act(now) }, 0);
  }

  begin(): void {
    this.#alarm.set(0);
  }

  get finished(): boolean {
    return this.retired === this.loop.steps && this.#unwritten === 0;
  }

  /** Steps that can be begun before anything changes but the progress. */
  get left(): number {
    const { steps, kept } = this.loop;
    return (this.issued < kept ? kept : steps) - this.issued;
  }

  arrive(time: number, tag: number): void {
    const coming = this.#coming[this.#targets.length + 1]!;
    coming.push(time, 0, 0, 1, tag);
    this.#alarm.lower(coming.time);
  }

  land(now: number, _bytes: number): void {
    this.#unwritten--;
    this.end = Math.max(this.end, now);
  }

  /** A line has left for a memory behind a link. */
  sent(now: number, _end: number, _flow: number, _kind: number, tag: number): void {
    if (--this.#toLeave[tag]! === 0) this.#alarm.lower(now);
  }

  #act(now: number): void {
    for (const coming of this.#coming) {
      for (; coming.time <= now; coming.pop()) this.#come(now, coming.tag, coming.bytes);
    }
    for (; this.#computed.time <= now; this.#computed.pop()) this.#store(now, this.#computed.tag);
    this.#retire();
    this.#issue(now);
    let next = this.#computed.time;
    for (const coming of this.#coming) if (coming.time < next) next = coming.time;
    if (next < Number.POSITIVE_INFINITY) this.#alarm.lower(Math.max(now, next));
  }

  #come(now: number, slot: number, lines: number): void {
    this.#toCome[slot]! -= lines;
    if (this.#toCome[slot] === 0) this.#computed.push(this.unit.serve(now, 1), 0, 0, 0, slot);
  }

  /** Writes the results of a slot's step. Where the cache has them there is nothing left to do. */
  #store(now: number, slot: number): void {
    const step = this.#stepOf(slot);
    this.end = Math.max(this.end, now);
    if (step >= this.loop.kept) {
      for (const { layout, lines, isWritten } of this.loop.operands) {
        for (let line = 0; isWritten && line < lines; line++)
          this.#write(now, layout.targetOf((step * lines + line) * lineBytes), slot);
      }
    }
    this.#toLeave[slot]!--;
  }

  #write(now: number, target: number, slot: number): void {
    const behind = this.#writes[target];
    if (behind) {
      this.#toLeave[slot]!++;
      this.#unwritten++;
      behind.push(now, this.flow, write, lineBytes, slot);
    } else this.end = Math.max(this.end, this.#targets[target]!.store.serve(now, lineBytes, true));
  }

  #stepOf(slot: number): number {
    const { window } = this.loop;
    return this.retired + ((slot - (this.retired % window) + window) % window);
  }

  /** Slots are used in turn: one is free when it waits for nothing more. */
  #retire(): void {
    const { window } = this.loop;
    while (this.retired < this.issued) {
      if (this.#toLeave[this.retired % window] !== 0) return;
      this.retired++;
    }
  }

  #issue(now: number): void {
    const { steps, window } = this.loop;
    while (this.issued < steps && this.issued - this.retired < window) {
      const step = this.issued++;
      this.#load(now, step, step % window);
      if (this.issued % window === 0) this.#agenda.marked = true;
    }
  }

  #load(now: number, step: number, slot: number): void {
    this.#toCome[slot] = this.#readLines;
    this.#toLeave[slot] = 1;
    if (step < this.loop.kept && this.#cache) {
      const end = this.#cache.serve(now, lineBytes * (this.#readLines + this.#writtenLines), false);
      this.#coming[this.#targets.length]!.push(end + this.#cache.latency, 0, 0, this.#readLines, slot);
      return;
    }
    for (const { layout, lines, isRead } of this.loop.operands) {
      for (let line = 0; isRead && line < lines; line++) {
        const target = layout.targetOf((step * lines + line) * lineBytes);
        const behind = this.#requests[target];
        if (behind) behind.push(now, this.flow, read, lineBytes, slot);
        else {
          const { store } = this.#targets[target]!;
          this.#coming[target]!.push(store.serve(now, lineBytes, false) + store.latency, 0, 0, 1, slot);
        }
      }
    }
  }

  save(now: number, into: number[]): void {
    const { window, operands, kept } = this.loop;
    this.unit.save(now, into);
    for (const coming of this.#coming) coming.save(now, into);
    this.#computed.save(now, into);
    into.push(this.issued % window, this.issued - this.retired, this.#unwritten, Number(this.finished));
    // While some steps under way are of the kept ones and others are not, nothing repeats.
    into.push(this.issued < kept ? -1 : Math.max(0, kept - this.retired));
    into.push(...this.#toCome, ...this.#toLeave);
    for (const { layout, lines } of operands) into.push((this.issued * lines * lineBytes) % layout.cycle);
  }

  shift(by: number): void {
    this.unit.shift(by);
    for (const coming of this.#coming) coming.shift(by);
    this.#computed.shift(by);
  }

  count(into: number[]): void {
    this.unit.count(into);
    into.push(this.issued, this.retired, this.end);
  }

  skip(since: readonly number[], at: number, times: number): number {
    const next = this.unit.skip(since, at, times);
    this.issued += times * (this.issued - since[next]!);
    this.retired += times * (this.retired - since[next + 1]!);
    this.end += times * (this.end - since[next + 2]!);
    return next + 3;
  }
}
