/**
 * A slow model of one Section (models/binding/program.ts) on a machine, to compare models/compute/engine.ts,
 * models/memory/port.ts and models/machine.ts with. It writes every engine's loop program out as a list of executions,
 * by the definitions of nests, guards, stages and variants, and then visits every edge of every clock: on each, every
 * engine does what it can do and notes what it did in that cycle. Times and shares of bandwidth are exact fractions.
 */
import { type EngineProgram, type Guard, Loop, type Op, type Section } from '../../models/binding/program.ts';

export interface Hardware {
  /** Units of time, in which edges and served bytes are rounded. */
  readonly unitsPerSecond: number;
  /** Hertz by clock. */
  readonly clocks: ReadonlyMap<string, number>;
  /** Bytes per second by memory, whole numbers. */
  readonly memories: ReadonlyMap<string, number>;
}

export type Activity = 'busy' | 'waitInput' | 'waitOutput' | 'waitMemory';

export interface Execution {
  /** Position of the operation in its program, and the iteration of every loop. */
  readonly op: number;
  readonly digits: readonly number[];
  /** Cycles of the engine's clock. */
  start: number;
  end: number;
}

export interface EngineHistory {
  readonly executions: readonly Execution[];
  /** What it does in each cycle of its clock from `first` on, until it has finished. */
  readonly first: number;
  readonly activity: readonly Activity[];
  /** Cycles waited by "activity tensor part". */
  readonly waits: ReadonlyMap<string, number>;
}

/** An engine that never finishes, and since when it waits for what: as the kernel reports it. */
export interface Standstill {
  readonly process: string;
  readonly cycle: number;
  readonly ps: number;
  readonly channel: string;
  readonly for: 'token' | 'slot';
  readonly on: string;
}

export interface History {
  readonly engines: readonly EngineHistory[];
  /** When the last execution has ended. */
  readonly end: number;
  /** Empty unless there is a deadlock. */
  readonly standstill: readonly Standstill[];
}

/** Plays a section that begins at `start`, when no memory has anything left to do. */
export function play(section: Section, hardware: Hardware, start = 0): History {
  const { unitsPerSecond: units } = hardware;
  const clocks = new Map([...hardware.clocks].map(([name, hertz]) => [name, new Edges(hertz, units)]));
  const servers = new Map([...hardware.memories].map(([name, rate]) => [name, new ByteServer(name, rate, units)]));
  const programs = section.engines.toArray();
  const wires = section.channels.toArray().map((spec): Wire => {
    const [from, to] = [programs[spec.from]!, programs[spec.to]!];
    return new Wire(spec.name, from, to, spec.capacity, spec.latency);
  });
  const engines = programs.map((program) => new Engine(program, clocks.get(program.clock)!, wires, servers));
  for (const engine of engines) while (engine.edge < start) engine.skip();
  // What has arrived is seen at the next edge of a clock: when nothing happens between two edges of each, nothing will.
  const patience = 2 * Math.max(...[...clocks.values()].map((clock) => clock.edge(1)));
  let now = start;
  let lastSign = start;
  while (engines.some((engine) => !engine.finished) && now - lastSign <= patience) {
    now = Math.min(...engines.map((engine) => engine.edge));
    for (const engine of engines) if (engine.edge === now && engine.tick()) lastSign = now;
    if (engines.some((engine) => engine.isExecuting) || wires.some((wire) => wire.arrivesAfter(now))) lastSign = now;
  }
  const ends = engines.flatMap((engine) => engine.executions.map((execution) => engine.clock.edge(execution.end)));
  return {
    engines: engines.map(({ executions, first, activity, waits }) => ({ executions, first, activity, waits })),
    end: Math.max(start, ...ends),
    standstill: engines.flatMap((engine) => engine.standstill ?? []),
  };
}

/** Every iteration of a nest, the last loop's digit changing fastest. */
function iterationsOf(loops: readonly Loop[]): number[][] {
  let all: number[][] = [[]];
  for (const { trips } of loops) all = all.flatMap((outer) => Array.from({ length: trips }, (_, i) => [...outer, i]));
  return all;
}

function holds(guard: Guard, digits: readonly number[], loops: readonly Loop[]): boolean {
  const among = (mask: number): number[] => loops.map((_, loop) => loop).filter((loop) => mask & (1 << loop));
  const isFirst = (loop: number): boolean => digits[loop] === 0;
  const isLast = (loop: number): boolean => digits[loop] === loops[loop]!.trips - 1;
  return (
    among(guard.first).every(isFirst) &&
    among(guard.last).every(isLast) &&
    !(guard.notFirst !== 0 && among(guard.notFirst).every(isFirst)) &&
    !(guard.notLast !== 0 && among(guard.notLast).every(isLast))
  );
}

function variantOf(op: Op, digits: readonly number[], loops: readonly Loop[]): number {
  return op.ragged.reduce((variant, mask, bit) => {
    const inLast = loops.every((loop, i) => (mask & (1 << i)) === 0 || digits[i] === loop.trips - 1);
    return inLast ? variant | (1 << bit) : variant;
  }, 0);
}

/** The loops that an operation's guards see: those of the nest, then its own. */
function loopsOf({ loops }: EngineProgram, op: Op): readonly Loop[] {
  return [...loops, new Loop({ name: 'own', trips: op.inner })];
}

/** What an engine executes, in order: operation and iteration. */
export function unroll(program: EngineProgram): { op: number; digits: readonly number[] }[] {
  const { loops, ops } = program;
  const iterations = iterationsOf(loops.toArray());
  const deepest = Math.max(0, ...ops.map((op) => op.stage));
  const list: { op: number; digits: readonly number[] }[] = [];
  for (let round = 0; round < iterations.length + deepest; round++) {
    ops.forEach((op, position) => {
      const outer = iterations[round - op.stage];
      if (!outer || !holds(op.guard, [...outer, 0], loopsOf(program, op))) return;
      for (let i = 0; i < op.inner; i++) list.push({ op: position, digits: [...outer, i] });
    });
  }
  return list;
}

/** Cycle k of a clock begins at floor(k x units per second / hertz). */
class Edges {
  readonly #hertz: bigint;
  readonly #unitsPerSecond: bigint;

  constructor(hertz: number, unitsPerSecond: number) {
    this.#hertz = BigInt(hertz);
    this.#unitsPerSecond = BigInt(unitsPerSecond);
  }

  edge(cycle: number): number {
    return Number((BigInt(cycle) * this.#unitsPerSecond) / this.#hertz);
  }

  picoseconds(cycle: number): number {
    return Number((BigInt(cycle) * 1_000_000_000_000n) / this.#hertz);
  }
}

/** A channel: when tokens and free slots reach the other end, oldest first. */
class Wire {
  readonly name: string;
  readonly from: EngineProgram;
  readonly to: EngineProgram;
  readonly latency: number;
  readonly tokens: number[] = [];
  readonly slots: number[];

  constructor(name: string, from: EngineProgram, to: EngineProgram, capacity: number, latency: number) {
    this.name = name;
    this.from = from;
    this.to = to;
    this.latency = latency;
    this.slots = Array(capacity).fill(0);
  }

  arrivesAfter(now: number): boolean {
    return [...this.tokens, ...this.slots].some((arrival) => arrival > now);
  }
}

/** Serves bits one after another, in the order of asking. Its times are fractions of a unit with one denominator. */
class ByteServer {
  readonly name: string;
  readonly #bitsPerSecond: bigint;
  readonly #unitsPerSecond: bigint;
  /** When everything asked for is served. */
  #busyUntil = 0n;

  constructor(name: string, bytesPerSecond: number, unitsPerSecond: number) {
    this.name = name;
    this.#unitsPerSecond = BigInt(unitsPerSecond);
    this.#bitsPerSecond = BigInt(bytesPerSecond) * 8n;
  }

  /** From when to when it serves, each in the next whole unit. */
  serve(now: number, bytes: number): { from: number; to: number } {
    const asked = BigInt(now) * this.#bitsPerSecond;
    const from = asked > this.#busyUntil ? asked : this.#busyUntil;
    this.#busyUntil = from + BigInt(bytes * 8) * this.#unitsPerSecond;
    return { from: this.#wholeUnit(from), to: this.#wholeUnit(this.#busyUntil) };
  }

  #wholeUnit(time: bigint): number {
    return Number((time + this.#bitsPerSecond - 1n) / this.#bitsPerSecond);
  }
}

/** What an execution waits for before it starts, in order. */
interface Need {
  readonly wire: Wire;
  readonly for: 'token' | 'slot';
}

class Engine {
  readonly clock: Edges;
  readonly executions: Execution[] = [];
  readonly activity: Activity[] = [];
  readonly waits = new Map<string, number>();
  readonly #program: EngineProgram;
  readonly #wires: readonly Wire[];
  readonly #servers: ReadonlyMap<string, ByteServer>;
  readonly #list: { op: number; digits: readonly number[] }[];
  first = 0;
  #cycle = 0;
  #needs: Need[] | null = null;
  /** Cycle in which the need at hand was first looked at. */
  #since = 0;
  /** The execution in hand, and in which cycles of it the engine computes; it waits for `held` in all others. */
  #running: { end: number; busyFrom: number; busyTo: number; heldBefore: string; heldAfter: string } | null = null;

  constructor(program: EngineProgram, clock: Edges, wires: readonly Wire[], servers: ReadonlyMap<string, ByteServer>) {
    this.#program = program;
    this.clock = clock;
    this.#wires = wires;
    this.#servers = servers;
    this.#list = unroll(program);
  }

  /** The edge that it has not seen yet. */
  get edge(): number {
    return this.clock.edge(this.#cycle);
  }

  get isExecuting(): boolean {
    return this.#running !== null;
  }

  get finished(): boolean {
    return !this.isExecuting && this.executions.length === this.#list.length;
  }

  get standstill(): Standstill | null {
    const need = this.#needs?.[0];
    if (!need) return null;
    const { wire } = need;
    const on = need.for === 'token' ? wire.from.engine : wire.to.engine;
    const ps = this.clock.picoseconds(this.#since);
    return { process: this.#program.engine, cycle: this.#since, ps, channel: wire.name, for: need.for, on };
  }

  /** Lets an edge pass before the section begins. */
  skip(): void {
    this.#cycle++;
    this.first = this.#cycle;
  }

  /** One edge; whether anything happened. */
  tick(): boolean {
    let alive = false;
    if (this.#running?.end === this.#cycle) this.#running = null;
    while (!this.#running && this.executions.length < this.#list.length) {
      const { op: position, digits } = this.#list[this.executions.length]!;
      const op = this.#program.ops.get(position)!;
      if (this.#needs === null) {
        this.#needs = this.#needsOf(op, digits);
        this.#since = this.#cycle;
      }
      while (this.#needs.length > 0 && this.#meet(this.#needs[0]!)) {
        this.#needs.shift();
        this.#since = this.#cycle;
        alive = true;
      }
      if (this.#needs.length > 0) break;
      this.#needs = null;
      this.#execute(position, op, digits);
      alive = true;
    }
    this.#note();
    this.#cycle++;
    return alive;
  }

  #guarded(op: Op, guard: Guard, digits: readonly number[]): boolean {
    return holds(guard, digits, loopsOf(this.#program, op));
  }

  #needsOf(op: Op, digits: readonly number[]): Need[] {
    const takes = op.takes.filter(({ acquire }) => this.#guarded(op, acquire, digits));
    const gives = op.gives.filter(({ reserve }) => this.#guarded(op, reserve, digits));
    return [
      ...takes.map(({ channel }): Need => ({ wire: this.#wires[channel]!, for: 'token' })),
      ...gives.map(({ channel }): Need => ({ wire: this.#wires[channel]!, for: 'slot' })),
    ];
  }

  #meet({ wire, for: what }: Need): boolean {
    const arrivals = what === 'token' ? wire.tokens : wire.slots;
    if (arrivals.length === 0 || arrivals[0]! > this.edge) return false;
    arrivals.shift();
    return true;
  }

  #execute(position: number, op: Op, digits: readonly number[]): void {
    const variant = variantOf(op, digits, loopsOf(this.#program, op));
    const start = this.#cycle;
    const computed = start + op.busy.get(variant)!;
    const linked = start + op.cycles.get(variant)!;
    let end = linked;
    let heldAfter = `waitMemory ${op.name} ${op.link}`;
    // A DMA works when the last of its memories does; until then it waits for that one.
    let lastFrom = this.edge;
    let lastTo = 0;
    let heldBefore = '';
    for (const { memory, tensor, guard, bytes } of op.accesses) {
      if (!this.#guarded(op, guard, digits)) continue;
      const { from, to } = this.#servers.get(memory)!.serve(this.edge, bytes.get(variant)!);
      const label = `waitMemory ${tensor} ${memory}`;
      if (from > lastFrom) {
        lastFrom = from;
        heldBefore = label;
      }
      if (to > lastTo) {
        lastTo = to;
        if (this.#cycleFrom(to) > linked) heldAfter = label;
      }
    }
    end = Math.max(linked, this.#cycleFrom(lastTo));
    const moves = this.#program.kind === 'dma' && !op.accesses.isEmpty();
    const busyFrom = moves ? Math.min(end, this.#cycleFrom(lastFrom)) : start;
    const busyTo = moves ? end : computed;
    this.#running = end > start ? { end, busyFrom, busyTo, heldBefore, heldAfter } : null;
    this.executions.push({ op: position, digits, start, end });
    for (const { channel, release } of op.takes) {
      const wire = this.#wires[channel]!;
      if (this.#guarded(op, release, digits)) wire.slots.push(this.clock.edge(end + 1));
    }
    const ready = end + op.latency.get(variant)!;
    for (const { channel, publish } of op.gives) {
      const wire = this.#wires[channel]!;
      if (this.#guarded(op, publish, digits)) wire.tokens.push(this.clock.edge(ready + wire.latency));
    }
  }

  /** The first cycle from now on that begins at or after a time. */
  #cycleFrom(time: number): number {
    let cycle = this.#cycle;
    while (this.clock.edge(cycle) < time) cycle++;
    return cycle;
  }

  /** Notes what it does in the cycle that begins now. */
  #note(): void {
    if (this.#running) {
      const { busyFrom, busyTo, heldBefore, heldAfter } = this.#running;
      if (this.#cycle < busyFrom) this.#wait('waitMemory', heldBefore);
      else if (this.#cycle < busyTo) this.activity.push('busy');
      else this.#wait('waitMemory', heldAfter);
    } else if (this.#needs) {
      const { wire, for: what } = this.#needs[0]!;
      if (what === 'slot') this.#wait('waitOutput', `waitOutput ${wire.name} ${wire.to.engine}`);
      else {
        const activity = wire.from.kind === 'dma' ? 'waitMemory' : 'waitInput';
        this.#wait(activity, `${activity} ${wire.name} ${wire.from.engine}`);
      }
    }
  }

  #wait(activity: Activity, label: string): void {
    this.activity.push(activity);
    this.waits.set(label, (this.waits.get(label) ?? 0) + 1);
  }
}
