/**
 * A clocked engine that executes a loop program (binding/program.ts): counters, not a list. An operation starts when its
 * tokens and free slots are there, takes the engine for its cycles or until the memories it uses have served it, and
 * gives its tokens when its result has passed the engine's pipeline.
 */
import type { Access, EngineProgram, Guard, Loop, Op } from '../binding/program.ts';
import { blocked, type Channel } from '../kernel/channel.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';
import type { Port } from '../memory/port.ts';
import { type Account, busy, type waitInput, waitMemory, waitOutput } from './account.ts';

/** A channel as the machine built it. */
export interface Wire {
  readonly channel: Channel;
  /** Cycles from the end of an operation to its `publish`, on top of the operation's own latency. */
  readonly delay: number;
  /** What a wait for its token counts as. */
  readonly cause: typeof waitInput | typeof waitMemory;
}

/** Told of every execution: the operation's position in its program, and the iteration of every loop. */
export type Observer = (op: number, digits: Int32Array) => void;

// Where an engine goes on when it is woken.
const next = 0;
const take = 1;
const give = 2;
const serve = 3;

export class EngineProcess extends Process {
  readonly ops: readonly RunningOp[];
  readonly #isDma: boolean;
  readonly #rounds: number;
  readonly #account: Account;
  readonly #observer: Observer | null;
  readonly #trips: Int32Array;
  #round = 0;
  /** Position of the operation in hand; -1 before the first. */
  #op = -1;
  #step = next;
  #item = 0;
  #servedBy = 0;

  /**
   * `ports` are the memories by name. The engine starts at cycle `start`, and must be connected before the kernel runs.
   */
  constructor(
    kernel: Kernel,
    clock: Clock,
    program: EngineProgram,
    options: {
      readonly start: number;
      readonly ports: ReadonlyMap<string, Port>;
      readonly account: Account;
      readonly observer: Observer | null;
    },
  ) {
    super(kernel, program.engine, clock);
    this.time = options.start;
    this.#isDma = program.kind === 'dma';
    this.#account = options.account;
    this.#observer = options.observer;
    this.#trips = Int32Array.from(program.loops.map((loop) => loop.trips));
    this.ops = program.ops.toArray().map((op) => new RunningOp(op, program.loops.toArray(), options.ports));
    const iterations = this.#trips.reduce((product, trips) => product * trips, 1);
    this.#rounds = iterations + Math.max(0, ...this.ops.map((op) => op.stage));
    for (const op of this.ops) op.remaining = iterations;
  }

  /** Gives every operation its channels; `wires` are the section's by index. */
  connect(wires: readonly Wire[]): void {
    for (const op of this.ops) op.connect(wires);
  }

  get finished(): boolean {
    return this.#round === this.#rounds;
  }

  /** Rounds begun, as a fraction of all. */
  get progress(): number {
    return this.#round / this.#rounds;
  }

  run(): void {
    while (this.#step !== next || this.#advance()) {
      const op = this.ops[this.#op]!;
      if (this.#step === take) {
        if (!this.#takeTokens(op)) return;
        this.#step = give;
        this.#item = 0;
      }
      if (this.#step === give) {
        if (!this.#reserveSlots(op)) return;
        if (op.accesses.length > 0) {
          this.#step = serve;
          this.kernel.at(this.clock.edge(this.time), this);
          return;
        }
      }
      this.#execute(op);
      this.#step = next;
    }
  }

  /** Moves on to the next operation whose guard holds; false at the end of the program. */
  #advance(): boolean {
    if (this.#op >= 0) {
      const op = this.ops[this.#op]!;
      this.#step = take;
      this.#item = 0;
      if (op.repeats()) return true;
      op.step(this.#trips);
    }
    for (;;) {
      if (++this.#op === this.ops.length) {
        this.#op = 0;
        this.#round++;
      }
      if (this.#round >= this.#rounds) return false;
      const op = this.ops[this.#op]!;
      if (this.#round < op.stage || op.remaining === 0) continue;
      if (op.holds(op.guard, 0)) break;
      op.step(this.#trips);
    }
    this.#step = take;
    this.#item = 0;
    return true;
  }

  #takeTokens(op: RunningOp): boolean {
    for (; this.#item < op.takes.length; this.#item++) {
      if (!op.holds(op.acquire, this.#item)) continue;
      const wire = op.takes[this.#item]!;
      const t = wire.channel.acquire(this.time);
      if (t === blocked) {
        this.waitOn(wire.channel, 'token');
        return false;
      }
      if (t > this.time) this.#wait(wire.cause, op.tokenWaits, this.#item, t);
    }
    return true;
  }

  #reserveSlots(op: RunningOp): boolean {
    for (; this.#item < op.gives.length; this.#item++) {
      if (!op.holds(op.reserve, this.#item)) continue;
      const wire = op.gives[this.#item]!;
      const t = wire.channel.reserve(this.time);
      if (t === blocked) {
        this.waitOn(wire.channel, 'slot');
        return false;
      }
      if (t > this.time) this.#wait(waitOutput, op.slotWaits, this.#item, t);
    }
    return true;
  }

  #wait(activity: number, waits: Float64Array, item: number, until: number): void {
    this.#account.add(activity, this.time, until);
    waits[item]! += until - this.time;
    this.time = until;
  }

  #execute(op: RunningOp): void {
    const account = this.#account;
    const variant = op.variant();
    const start = this.time;
    let end = start + op.cycles[variant]!;
    let busyFrom = start;
    let busyTo = start + op.busy[variant]!;
    let holder = op.accesses.length;
    if (op.accesses.length > 0) {
      const served = this.#serveAccesses(op, variant);
      const cycle = this.clock.cycleAtOrAfter(served);
      if (cycle > end) {
        end = cycle;
        holder = this.#servedBy;
      }
      if (this.#isDma) {
        // A DMA works while its bytes move; before that it waits for the memory's other users.
        busyFrom = Math.min(end, Math.max(start, this.clock.cycleAtOrAfter(op.lastStart)));
        busyTo = end;
      }
    }
    if (busyFrom > start) {
      account.add(waitMemory, start, busyFrom);
      op.memoryWaits[op.lastPort]! += busyFrom - start;
    }
    account.add(busy, busyFrom, busyTo);
    if (end > busyTo) {
      account.add(waitMemory, busyTo, end);
      op.memoryWaits[holder]! += end - busyTo;
    }
    op.executed(variant, start, end, busyTo - busyFrom);
    this.#observer?.(this.#op, op.digits);
    for (let i = 0; i < op.takes.length; i++) {
      if (op.holds(op.release, i)) op.takes[i]!.channel.release(end);
    }
    const ready = end + op.latency[variant]!;
    for (let i = 0; i < op.gives.length; i++) {
      if (op.holds(op.publish, i)) op.gives[i]!.channel.publish(ready + op.gives[i]!.delay);
    }
    this.time = end;
  }

  /** Asks every memory for its bytes at once; returns when the last has been served, in picoseconds. */
  #serveAccesses(op: RunningOp, variant: number): number {
    const now = this.clock.edge(this.time);
    let latest = 0;
    op.lastStart = now;
    op.lastPort = 0;
    for (let i = 0; i < op.accesses.length; i++) {
      const access = op.accesses[i]!;
      if (!op.holds(op.accessGuards, i)) continue;
      const bytes = access.bytes[variant]!;
      const served = access.port.serve(now, bytes, access.write);
      access.moved += bytes;
      if (access.port.start > op.lastStart) {
        op.lastStart = access.port.start;
        op.lastPort = i;
      }
      if (served > latest) {
        latest = served;
        this.#servedBy = i;
      }
    }
    return latest;
  }
}

/** One memory's part in an operation. */
interface RunningAccess {
  readonly port: Port;
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
  readonly #inner: number;
  readonly #innerBit: number;
  #atFirst: number;
  #atLast = 0;

  readonly #op: Op;

  constructor(op: Op, loops: readonly Loop[], ports: ReadonlyMap<string, Port>) {
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
    this.accesses = accesses.map((access) => runningAccess(access, ports));
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
    this.#inner = op.inner;
    this.#innerBit = 1 << loops.length;
    this.#atFirst = 2 ** (loops.length + 1) - 1;
    [...loops.map((loop) => loop.trips), op.inner].forEach((trips, i) => {
      if (trips === 1) this.#atLast |= 1 << i;
    });
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
}

function runningAccess(access: Access, ports: ReadonlyMap<string, Port>): RunningAccess {
  const port = ports.get(access.memory);
  if (!port) throw new Error(`no memory "${access.memory}" in this machine`);
  return { port, tensor: access.tensor, write: access.write, bytes: Float64Array.from(access.bytes), moved: 0 };
}

function guards(list: readonly Guard[]): Guards {
  return Int32Array.from(list.flatMap((g) => [g.first, g.last, g.notFirst, g.notLast]));
}
