/** An operation of a loop program with the counters of its own iteration. */

import type { Box } from '../../workloads/language/region.ts';
import type { Access, Guard, Loop, Op, Product } from '../binding/program.ts';
import { ComputingMemory } from '../computing-memory.ts';
import type { Channel } from '../kernel/channel.ts';
import type { Dram } from '../memory/dram/memory.ts';
import type { Runs } from '../memory/dram/stream.ts';
import { Port } from '../memory/port.ts';
import { addAgain, busy, type waitInput, waitMemory, waitOutput } from './account.ts';

/** A channel as the machine built it. */
export interface Wire {
  readonly channel: Channel;
  /** Cycles from the end of an operation to its `publish`, on top of the operation's own latency. */
  readonly delay: number;
  /** What a wait for its token counts as. */
  readonly cause: typeof waitInput | typeof waitMemory;
}

/** Where in a memory of DRAM an access goes, by the digits of its operation's loops. */
export type Addresses = (op: Op, access: Access) => (digits: Int32Array, bytes: number) => readonly Runs[];

/** What an engine can reach: memories by name, and the addresses of what lies in those of DRAM. */
export interface Surroundings {
  readonly memories: ReadonlyMap<string, Port | Dram | ComputingMemory>;
  readonly addresses: Addresses;
  /** The part of the iteration space that an iteration of the program's loops works on. */
  readonly tiles: (digits: Int32Array) => Box;
}

/** One memory's part in an operation. */
interface RunningAccess {
  readonly memory: string;
  /** One of the two is null. */
  readonly port: Port | null;
  readonly dram: { readonly memory: Dram | ComputingMemory; readonly runs: ReturnType<Addresses> } | null;
  readonly tensor: string;
  readonly write: boolean;
  readonly bytes: Float64Array;
  moved: number;
}

/** Four numbers per guard: first, last, notFirst, notLast. */
type Guards = Int32Array;

/** An operation with the counters of its own iteration. */
export class RunningOp {
  readonly name: string;
  /** The slowest of the links that it uses. */
  readonly link: string;
  readonly stage: number;
  readonly guard: Guards;
  takes: readonly Wire[] = [];
  readonly acquire: Guards;
  readonly release: Guards;
  gives: readonly Wire[] = [];
  readonly reserve: Guards;
  readonly publish: Guards;
  readonly accesses: readonly RunningAccess[];
  readonly usesDram: boolean;
  /** Of a memory that computes: begins the work of an iteration at a time, and is told of its end. Null on other engines. */
  readonly compute: ((ps: number, digits: Int32Array, done: (ps: number) => void) => void) | null;
  /** Accesses that come before that; the others come after. */
  readonly operands: number;
  readonly accessGuards: Guards;
  readonly busy: Float64Array;
  readonly cycles: Float64Array;
  readonly latency: Float64Array;
  readonly points: Float64Array;
  /** Iteration of every loop of the nest, then that of the operation's own loop. */
  readonly digits: Int32Array;
  /** Executions per variant. */
  readonly executions: Float64Array;
  /** Cycles waited per take, per give, and per access; the last of these counts cycles that a link held it up. */
  readonly tokenWaits: Float64Array;
  readonly slotWaits: Float64Array;
  readonly memoryWaits: Float64Array;
  /** Iterations still to come, this one included. */
  remaining = 0;
  busyCycles = 0;
  firstStart = -1;
  lastEnd = 0;
  /** When the last port to begin serving the latest execution began, and which access it was. */
  lastStart = 0;
  lastPort = 0;
  readonly #ragged: Int32Array;
  readonly #trips: readonly number[];
  readonly #inner: number;
  readonly #innerBit: number;
  #atFirst: number;
  #atLast = 0;

  /** Loops whose first or last iterations are not like others. */
  readonly #guarded: number;

  readonly #op: Op;

  constructor(op: Op, loops: readonly Loop[], around: Surroundings) {
    this.#op = op;
    this.name = op.name;
    this.link = op.link;
    this.stage = op.stage;
    this.guard = guards([op.guard]);
    const takes = op.takes.toArray();
    this.acquire = guards(takes.map((t) => t.acquire));
    this.release = guards(takes.map((t) => t.release));
    const gives = op.gives.toArray();
    this.reserve = guards(gives.map((g) => g.reserve));
    this.publish = guards(gives.map((g) => g.publish));
    const accesses = op.accesses.toArray();
    this.accesses = accesses.map((access) => runningAccess(op, access, around));
    this.usesDram = this.accesses.some(({ dram }) => dram !== null);
    this.compute = op.product && computeOf(op, op.product, around);
    this.operands = op.product?.operands ?? 0;
    this.tokenWaits = new Float64Array(takes.length);
    this.slotWaits = new Float64Array(gives.length);
    this.memoryWaits = new Float64Array(accesses.length + 1);
    this.accessGuards = guards(accesses.map((a) => a.guard));
    this.busy = Float64Array.from(op.busy);
    this.cycles = Float64Array.from(op.cycles);
    this.latency = Float64Array.from(op.latency);
    this.points = Float64Array.from(op.points);
    this.executions = new Float64Array(this.cycles.length);
    this.digits = new Int32Array(loops.length + 1);
    this.#ragged = Int32Array.from(op.ragged);
    const all = [this.guard, this.acquire, this.release, this.reserve, this.publish, this.accessGuards, this.#ragged];
    this.#guarded = all.reduce((mask, list) => list.reduce((bits, more) => bits | more, mask), 0);
    this.#trips = loops.map((loop) => loop.trips);
    this.#inner = op.inner;
    this.#innerBit = 1 << loops.length;
    this.#atFirst = 2 ** (loops.length + 1) - 1;
    [...loops.map((loop) => loop.trips), op.inner].forEach((trips, i) => {
      if (trips === 1) this.#atLast |= 1 << i;
    });
  }

  /** Words that have come into registers, by tensor. */
  get arrived(): Map<string, number> {
    const arrived = new Map<string, number>();
    for (const { tensor, words } of this.#op.arrivals) {
      const all = this.executions.reduce((sum, count, variant) => sum + count * words.get(variant)!, 0);
      arrived.set(tensor, (arrived.get(tensor) ?? 0) + all);
    }
    return arrived;
  }

  connect(wires: readonly Wire[]): void {
    this.takes = this.#op.takes.toArray().map((take) => wires[take.channel]!);
    this.gives = this.#op.gives.toArray().map((give) => wires[give.channel]!);
  }

  /** Whether guard `index` of a list holds in this iteration. */
  holds(list: Guards, index: number): boolean {
    const base = index * 4;
    const notAtFirst = ~this.#atFirst;
    const notAtLast = ~this.#atLast;
    return (
      (list[base]! & notAtFirst) === 0 &&
      (list[base + 1]! & notAtLast) === 0 &&
      (list[base + 2] === 0 || (list[base + 2]! & notAtFirst) !== 0) &&
      (list[base + 3] === 0 || (list[base + 3]! & notAtLast) !== 0)
    );
  }

  /** Moves to the next iteration of its own loop; false, and back to the first, after the last. */
  repeats(): boolean {
    if (this.#inner === 1) return false;
    const at = this.digits.length - 1;
    const digit = this.digits[at]! + 1;
    if (digit < this.#inner) {
      this.digits[at] = digit;
      this.#atFirst &= ~this.#innerBit;
      if (digit === this.#inner - 1) this.#atLast |= this.#innerBit;
      return true;
    }
    this.digits[at] = 0;
    this.#atFirst |= this.#innerBit;
    this.#atLast &= ~this.#innerBit;
    return false;
  }

  /** Moves to the next iteration of the nest. */
  step(trips: Int32Array): void {
    this.remaining--;
    for (let i = trips.length - 1; i >= 0; i--) {
      const bit = 1 << i;
      const digit = this.digits[i]! + 1;
      if (digit < trips[i]!) {
        this.digits[i] = digit;
        this.#atFirst &= ~bit;
        if (digit === trips[i]! - 1) this.#atLast |= bit;
        return;
      }
      this.digits[i] = 0;
      this.#atFirst |= bit;
      if (trips[i] !== 1) this.#atLast &= ~bit;
    }
  }

  /** Which tiles are smaller ones in this iteration. */
  variant(): number {
    let variant = 0;
    for (let i = 0; i < this.#ragged.length; i++) {
      if ((this.#ragged[i]! & ~this.#atLast) === 0) variant |= 1 << i;
    }
    return variant;
  }

  executed(variant: number, start: number, end: number, busyCycles: number): void {
    this.executions[variant]!++;
    this.busyCycles += busyCycles;
    if (this.firstStart < 0) this.firstStart = start;
    this.lastEnd = end;
  }

  /** Numbers that `save` writes. */
  get size(): number {
    const waits = this.tokenWaits.length + this.slotWaits.length + this.memoryWaits.length;
    return 3 + this.digits.length + this.executions.length + waits + this.accesses.length;
  }

  save(into: Float64Array, at: number): void {
    into[at] = this.remaining;
    into[at + 1] = this.busyCycles;
    into[at + 2] = this.lastEnd;
    into.set(this.digits, at + 3);
    let next = at + 3 + this.digits.length;
    for (const counters of this.#counters) {
      into.set(counters, next);
      next += counters.length;
    }
    for (let i = 0; i < this.accesses.length; i++) into[next + i] = this.accesses[i]!.moved;
  }

  /** Whether it has moved on by so many iterations since `save`, all of them in one loop and alike; or has finished. */
  hasRepeated(since: Float64Array, at: number, iterations: number): boolean {
    const own = this.digits.length - 1;
    if (this.digits[own] !== since[at + 3 + own]) return false;
    const moved = since[at]! - this.remaining;
    if (moved !== iterations) return moved === 0 && this.remaining === 0;
    if (moved === 0 || this.remaining === 0) return moved === 0;
    const loop = this.#movedLoop(since, at);
    for (let i = loop + 1; i < own; i++) if (this.digits[i] !== since[at + 3 + i]) return false;
    return since[at + 3 + loop]! >= this.#first(loop) && this.digits[loop]! <= this.#last(loop);
  }

  /** How many more times it can move on like that. */
  repetitions(since: Float64Array, at: number): number {
    if (since[at] === this.remaining) return Number.POSITIVE_INFINITY;
    const loop = this.#movedLoop(since, at);
    const digit = this.digits[loop]!;
    return Math.floor((this.#last(loop) - digit) / (digit - since[at + 3 + loop]!));
  }

  skip(since: Float64Array, at: number, cycles: number, times: number): void {
    if (since[at] === this.remaining) return;
    const loop = this.#movedLoop(since, at);
    this.#moveTo(loop, this.digits[loop]! + times * (this.digits[loop]! - since[at + 3 + loop]!));
    this.remaining -= times * (since[at]! - this.remaining);
    this.busyCycles += times * (this.busyCycles - since[at + 1]!);
    if (this.lastEnd !== since[at + 2]) this.lastEnd += times * cycles;
    let next = at + 3 + this.digits.length;
    for (const counters of this.#counters) {
      addAgain(counters, since, next, times);
      next += counters.length;
    }
    this.accesses.forEach((access, i) => {
      access.moved += times * (access.moved - since[next + i]!);
    });
  }

  /** Iterations of a loop from the present one to the last that is like it; 0 where the present one is not like others. */
  room(loop: number): number {
    const digit = this.digits[loop]!;
    return this.remaining === 0 || digit < this.#first(loop) ? 0 : Math.max(0, this.#last(loop) - digit);
  }

  /** Moves on by iterations of a loop, of so many rounds each. */
  passOver(loop: number, iterations: number, rounds: number): void {
    this.#moveTo(loop, this.digits[loop]! + iterations);
    this.remaining -= iterations * rounds;
  }

  /**
   * Visits each kind of execution in an iteration of a loop like the present one, with how many there are; guards meanwhile
   * hold as they do in it.
   */
  forIteration(loop: number, visit: (times: number, variant: number) => void): void {
    const [atFirst, atLast] = [this.#atFirst, this.#atLast];
    this.#forLoops(loop + 1, 1, visit);
    this.#atFirst = atFirst;
    this.#atLast = atLast;
  }

  #forLoops(loop: number, times: number, visit: (times: number, variant: number) => void): void {
    const own = this.digits.length - 1;
    if (loop > own) {
      visit(times, this.variant());
      return;
    }
    const bit = 1 << loop;
    const trips = loop === own ? this.#inner : this.#trips[loop]!;
    // The operation's own guard is looked at once, before its own loop.
    this.#atFirst |= bit;
    this.#atLast = trips === 1 ? this.#atLast | bit : this.#atLast & ~bit;
    if (loop === own && !this.holds(this.guard, 0)) return;
    this.#forLoops(loop + 1, times, visit);
    if (trips === 1) return;
    this.#atFirst &= ~bit;
    if (trips > 2) this.#forLoops(loop + 1, times * (trips - 2), visit);
    this.#atFirst &= ~bit;
    this.#atLast |= bit;
    this.#forLoops(loop + 1, times, visit);
  }

  /** Cycles that have come to its waits since `save`, and before them to its work where `withBusy`. */
  gainedWaits(since: Float64Array, at: number, withBusy: boolean): number[] {
    const gained = withBusy ? [this.busyCycles - since[at + 1]!] : [];
    let from = at + 3 + this.digits.length + this.executions.length;
    for (const waits of [this.tokenWaits, this.slotWaits, this.memoryWaits]) {
      const start = from;
      gained.push(...Array.from(waits, (cycles, i) => cycles - since[start + i]!));
      from += waits.length;
    }
    return gained;
  }

  /** Adds to the same `shares` from one position on, and to `spent` by activity; returns the position after them. */
  addWaits(shares: Float64Array, from: number, withBusy: boolean, spent: Float64Array): number {
    let next = from;
    if (withBusy) {
      spent[busy]! += shares[next]!;
      this.busyCycles += shares[next++]!;
    }
    const add = (waits: Float64Array, activityOf: (item: number) => number): void => {
      for (let i = 0; i < waits.length; i++) {
        waits[i]! += shares[next]!;
        spent[activityOf(i)]! += shares[next++]!;
      }
    };
    add(this.tokenWaits, (i) => this.takes[i]!.cause);
    add(this.slotWaits, () => waitOutput);
    add(this.memoryWaits, () => waitMemory);
    return next;
  }

  get #counters(): readonly Float64Array[] {
    return [this.executions, this.tokenWaits, this.slotWaits, this.memoryWaits];
  }

  /** The outermost loop that has moved on. */
  #movedLoop(since: Float64Array, at: number): number {
    let loop = 0;
    while (this.digits[loop] === since[at + 3 + loop]) loop++;
    return loop;
  }

  /** The first and the last iteration of a loop that are like those between. */
  #first(loop: number): number {
    return this.#guarded & (1 << loop) ? 1 : 0;
  }

  #last(loop: number): number {
    return this.#trips[loop]! - 1 - this.#first(loop);
  }

  #moveTo(loop: number, digit: number): void {
    const bit = 1 << loop;
    this.digits[loop] = digit;
    this.#atFirst = digit === 0 ? this.#atFirst | bit : this.#atFirst & ~bit;
    this.#atLast = digit === this.#trips[loop]! - 1 ? this.#atLast | bit : this.#atLast & ~bit;
  }
}

function runningAccess(op: Op, access: Access, { memories, addresses }: Surroundings): RunningAccess {
  const memory = memories.get(access.memory);
  if (!memory) throw new Error(`no memory "${access.memory}" in this machine`);
  const [port, dram] =
    memory instanceof Port ? [memory, null] : ([null, { memory, runs: addresses(op, access) }] as const);
  const { tensor, write } = access;
  return { memory: access.memory, port, dram, tensor, write, bytes: Float64Array.from(access.bytes), moved: 0 };
}

function computeOf({ name }: Op, { memory }: Product, { memories, tiles }: Surroundings): RunningOp['compute'] {
  const there = memories.get(memory);
  if (!(there instanceof ComputingMemory)) throw new Error(`${memory} computes nothing in this machine`);
  return (ps, digits, done) => there.compute(ps, name, tiles(digits), done);
}

function guards(list: readonly Guard[]): Guards {
  return Int32Array.from(list.flatMap((g) => [g.first, g.last, g.notFirst, g.notLast]));
}
