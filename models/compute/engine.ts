/**
 * A clocked engine that executes a loop program (binding/program.ts): counters, not a list. An operation starts when its
 * tokens and free slots are there, takes the engine for its cycles or until the memories it uses have served it, and
 * gives its tokens when its result has passed the engine's pipeline.
 */
import type { EngineProgram, Loop } from '../binding/program.ts';
import { blocked } from '../kernel/channel.ts';
import type { Clock } from '../kernel/clock.ts';
import { apportion } from '../kernel/estimate.ts';
import type { Looping, Period } from '../kernel/fast-forward.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';
import type { Passage, SampledLoops } from '../kernel/sampling.ts';
import { type Account, activities, busy, waitMemory, waitOutput } from './account.ts';
import { Deliveries, type Delivery } from './deliveries.ts';
import { type Balance, Iteration } from './iteration.ts';
import { RunningOp, type Surroundings, type Wire } from './running-op.ts';

/**
 * Told of every execution: the operation's position in its program, the iteration of every loop, and the cycles of the
 * engine's clock from and up to which it takes the engine.
 */
export type Observer = (op: number, digits: Int32Array, start: number, end: number) => void;

// Where an engine goes on when it is woken.
const next = 0;
const take = 1;
const give = 2;
const serve = 3;
const accept = 4;
const compute = 5;
const answer = 6;

export class EngineProcess extends Process implements Looping, SampledLoops {
  readonly size: number;
  readonly ops: readonly RunningOp[];
  readonly #isDma: boolean;
  /** Iterations of the nest. */
  readonly iterations: number;
  readonly #rounds: number;
  readonly #account: Account;
  readonly #observer: Observer | null;
  readonly #trips: Int32Array;
  /** Of the section's loops its own position of each; -1 where it has none. And whether it has no others. */
  readonly #places: readonly number[];
  readonly #isAligned: boolean;
  /** What its operations do in an iteration that is about to be passed over. */
  #iterations: readonly Iteration[] = [];
  #round = 0;
  /** Position of the operation in hand; -1 before the first. */
  #op = -1;
  #step = next;
  #item = 0;
  #servedBy = 0;
  /** For DRAM: executions that have not given their tokens, and when the one in hand has been served. */
  readonly #deliveries = new Deliveries(this);
  #delivery: Delivery | null = null;
  #served = 0;
  /** For a memory that computes: when it begins and ends to; -1 while that is not known. */
  #begins = 0;
  #ends = -1;
  /** Which of its operands came last. */
  #lastOperand = 0;

  /** The engine starts at cycle `start`, and must be connected before the kernel runs. */
  constructor(
    kernel: Kernel,
    clock: Clock,
    program: EngineProgram,
    options: {
      readonly start: number;
      readonly around: Surroundings;
      readonly account: Account;
      readonly observer: Observer | null;
      /** Of the section's longest nest. */
      readonly loops: EngineProgram['loops'];
    },
  ) {
    super(kernel, program.engine, clock);
    this.time = options.start;
    this.#isDma = program.kind === 'dma';
    this.#account = options.account;
    this.#observer = options.observer;
    this.#trips = Int32Array.from(program.loops.map((loop) => loop.trips));
    this.#isAligned = program.loops.every((own) => options.loops.some((loop) => isSame(own, loop)));
    this.#places = options.loops.toArray().map((loop) => program.loops.findIndex((own) => isSame(own, loop)));
    this.ops = program.ops.toArray().map((op) => new RunningOp(op, program.loops.toArray(), options.around));
    const iterations = this.#trips.reduce((product, trips) => product * trips, 1);
    this.#rounds = iterations + Math.max(0, ...this.ops.map((op) => op.stage));
    for (const op of this.ops) op.remaining = iterations;
    this.iterations = iterations;
    this.size = this.ops.reduce((sum, op) => sum + op.size, 5 + this.#account.size);
  }

  /** Gives every operation its channels; `wires` are the section's by index. */
  connect(wires: readonly Wire[]): void {
    for (const op of this.ops) op.connect(wires);
  }

  get finished(): boolean {
    return this.#round === this.#rounds && this.#deliveries.isEmpty;
  }

  /** Loops of the nest. */
  get depth(): number {
    return this.#trips.length;
  }

  get trips(): readonly number[] {
    return [...this.#trips];
  }

  /** The operation that is furthest behind. */
  get last(): RunningOp {
    return this.ops.reduce((last, op) => (op.stage >= last.stage ? op : last));
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
      if (op.usesDram && !this.#isTaken(op)) return;
      if (op.compute !== null && !this.#isComputed(op)) return;
      this.#execute(op);
      this.#step = next;
    }
  }

  save(into: Float64Array, at: number): void {
    into[at] = this.time;
    into[at + 1] = this.#round;
    into[at + 2] = this.#op;
    into[at + 3] = this.#step;
    into[at + 4] = this.#item;
    this.#account.save(into, at + 5);
    let next = at + 5 + this.#account.size;
    for (const op of this.ops) {
      op.save(into, next);
      next += op.size;
    }
  }

  repeats(since: Float64Array, at: number, { start, end }: Period): boolean {
    const later = this.clock.cyclesIn(end - start);
    const before = since[at]!;
    const rounds = this.#round - since[at + 1]!;
    if (rounds > 0 && this.time !== before + later) return false;
    if (this.#op !== since[at + 2] || this.#step !== since[at + 3] || this.#item !== since[at + 4]) return false;
    if (rounds === 0) {
      // It has not moved. When it goes on, that is not before the period's start, whatever its own time is.
      const isPast = this.time <= this.clock.cycleAtOrAfter(start);
      if (this.time !== before || !(this.finished || isPast)) return false;
    }
    let next = at + 5 + this.#account.size;
    for (const op of this.ops) {
      if (!op.hasRepeated(since, next, rounds)) return false;
      next += op.size;
    }
    return true;
  }

  repetitions(since: Float64Array, at: number): number {
    let least = Number.POSITIVE_INFINITY;
    let next = at + 5 + this.#account.size;
    for (const op of this.ops) {
      least = Math.min(least, op.repetitions(since, next));
      next += op.size;
    }
    return least;
  }

  skip(since: Float64Array, at: number, { start, end }: Period, times: number): void {
    const rounds = this.#round - since[at + 1]!;
    if (rounds === 0) return;
    const later = this.clock.cyclesIn(end - start);
    this.time += times * later;
    this.#round += times * rounds;
    this.#account.repeat(since, at + 5, later, times);
    let next = at + 5 + this.#account.size;
    for (const op of this.ops) {
      op.skip(since, next, later, times);
      next += op.size;
    }
  }

  room(loop: number, digits: Int32Array): number {
    const place = this.#places[loop]!;
    if (!this.#isAligned) return 0;
    if (place < 0) return Number.POSITIVE_INFINITY;
    const isWith = (op: RunningOp): boolean =>
      this.#places.every((own, outer) => outer >= loop || own < 0 || op.digits[own] === digits[outer]);
    return this.ops.reduce((least, op) => (isWith(op) ? Math.min(least, op.room(place)) : 0), Number.POSITIVE_INFINITY);
  }

  prepare(loop: number): number {
    const place = this.#places[loop]!;
    const rounds = this.#trips.subarray(place + 1).reduce((product, trips) => product * trips, 1);
    this.#iterations = place < 0 ? [] : this.ops.map((op) => new Iteration(op, place, rounds));
    const { numerator, denominator } = this.clock.period;
    return (this.#busyCycles * numerator) / denominator;
  }

  /** Of an iteration that is about to be passed over. */
  addTo(balance: Balance): void {
    for (const iteration of this.#iterations) iteration.addTo(balance);
  }

  /** Cycles in an iteration that is about to be passed over. */
  get #busyCycles(): number {
    return this.#iterations.reduce((sum, iteration) => sum + iteration.busy, 0);
  }

  pass(since: Float64Array, at: number, { iterations, after }: Passage): void {
    const account = this.#account;
    const shift = this.clock.period.floorInto(after);
    const cycles = shift - account.bins.shift;
    const computing = this.#isDma ? 0 : iterations * this.#busyCycles;
    const spent = this.#passWaits(since, at + 5 + account.size, Math.max(0, cycles - computing));
    if (!this.#isDma) spent[busy] = computing;
    this.#iterations.forEach((iteration, i) => {
      const op = this.ops[i]!;
      if (!this.#isDma) op.busyCycles += iterations * iteration.busy;
      iteration.pass(iterations);
    });
    this.#round += iterations * (this.#iterations[0]?.rounds ?? 0);
    account.pass(this.time, shift, spent);
  }

  /**
   * Of cycles that are passed over, gives each operation what is its share of waits, and of a DMA's work, since they were
   * saved. Returns all of that by activity.
   */
  #passWaits(since: Float64Array, at: number, cycles: number): Float64Array {
    const spent = new Float64Array(activities.length);
    const gained: number[] = [];
    let from = at;
    for (const op of this.ops) {
      gained.push(...op.gainedWaits(since, from, this.#isDma));
      from += op.size;
    }
    const shares = apportion(cycles, gained);
    let next = 0;
    for (const op of this.ops) next = op.addWaits(shares, next, this.#isDma, spent);
    return spent;
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
      const isServed = op.usesDram || op.compute !== null;
      const served = isServed ? this.#served : this.#serveAll(op, variant);
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
      if (op.compute !== null) {
        busyFrom = this.clock.cycleAtOrAfter(this.#begins);
        busyTo = this.clock.cycleAtOrAfter(this.#ends);
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
    const { shift } = account.bins;
    op.executed(variant, start + shift, end + shift, busyTo - busyFrom);
    this.#observer?.(this.#op, op.digits, start, end);
    for (let i = 0; i < op.takes.length; i++) {
      if (op.holds(op.release, i)) op.takes[i]!.channel.release(end);
    }
    if (op.usesDram || !this.#deliveries.isEmpty) {
      const delivery = this.#delivery ?? this.#deliveries.begin();
      const gives = op.gives.filter((_, i) => op.holds(op.publish, i));
      delivery.finish(end, op.latency[variant]!, gives);
      this.#delivery = null;
    } else {
      const ready = end + op.latency[variant]!;
      for (let i = 0; i < op.gives.length; i++) {
        if (op.holds(op.publish, i)) op.gives[i]!.channel.publish(ready + op.gives[i]!.delay);
      }
    }
    this.time = end;
  }

  /** Asks the memories for an operation's bytes, then waits until those of DRAM have taken all of it. */
  #isTaken(op: RunningOp): boolean {
    if (this.#step === serve) {
      this.#step = accept;
      this.#delivery = this.#deliveries.begin();
      this.#served = this.#serveAll(op, op.variant());
    }
    const { isTaken, transfers } = this.#delivery!;
    if (!isTaken) return false;
    for (const { transfer, memory, access } of transfers) {
      const start = memory.clock.edge(transfer.firstTaken);
      const taken = memory.clock.edge(transfer.taken);
      if (start > op.lastStart) {
        op.lastStart = start;
        op.lastPort = access;
      }
      if (taken > this.#served) {
        this.#served = taken;
        this.#servedBy = access;
      }
    }
    return true;
  }

  /** Brings a memory what it multiplies, waits until it has done so, and takes what it makes. */
  #isComputed(op: RunningOp): boolean {
    switch (this.#step) {
      case serve:
        this.#begins = this.#serveAccesses(op, op.variant(), this.clock.edge(this.time), 0, op.operands);
        this.#lastOperand = op.lastPort;
        this.#step = compute;
        this.kernel.at(this.#begins, this);
        return false;
      case compute:
        this.#ends = -1;
        this.#step = answer;
        op.compute?.(this.#begins, op.digits, (ps) => {
          this.#ends = ps;
          this.wake();
        });
        return false;
      case answer:
        this.#step = accept;
        this.kernel.at(this.#ends, this);
        return false;
      default:
        this.#served = this.#serveAccesses(op, op.variant(), this.#ends, op.operands, op.accesses.length);
        op.lastPort = this.#lastOperand;
        return true;
    }
  }

  #serveAll(op: RunningOp, variant: number): number {
    return this.#serveAccesses(op, variant, this.clock.edge(this.time), 0, op.accesses.length);
  }

  /** Asks the memories of some accesses for their bytes at once, at `now`; returns when the last has been served. */
  #serveAccesses(op: RunningOp, variant: number, now: number, from: number, to: number): number {
    let latest = now;
    op.lastStart = now;
    op.lastPort = from;
    for (let i = from; i < to; i++) {
      const access = op.accesses[i]!;
      if (!op.holds(op.accessGuards, i)) continue;
      const bytes = access.bytes[variant]!;
      access.moved += bytes;
      if (access.port === null) {
        this.#submit(op, i, now, bytes);
        continue;
      }
      const served = access.port.serve(now, bytes, access.write);
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

  #submit(op: RunningOp, access: number, now: number, bytes: number): void {
    const { dram, write } = op.accesses[access]!;
    const delivery = this.#delivery;
    if (dram === null || delivery === null || bytes === 0) return;
    const { memory, runs } = dram;
    const transfer = memory.submit(now, runs(op.digits, bytes), bytes, write, delivery);
    delivery.add(transfer, memory, access);
  }
}

function isSame(a: Loop, b: Loop): boolean {
  return a.name === b.name && a.variable === b.variable && a.stride === b.stride;
}
