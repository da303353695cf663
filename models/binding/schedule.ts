/**
 * Software pipelining: when in a steady state each operation of a loop nest runs, as a round (stage) and a place in that
 * round. After Rau, "Iterative Modulo Scheduling", MICRO 1994, with operations that may be split in the reservation table:
 * the result only orders the loop programs, whose clocked run decides the time.
 */

export interface ScheduledOp {
  readonly engine: string;
  /** Cycles of one execution, and cycles that it takes of the engine per round on average. */
  readonly cycles: number;
  readonly load: number;
  /** Cycles from its end to its result. */
  readonly latency: number;
}

/** `to` of `distance` rounds later needs the result of `from`, which takes `latency` cycles more to reach it. */
export interface Dependency {
  readonly from: number;
  readonly to: number;
  readonly latency: number;
  readonly distance: number;
}

export interface Schedule {
  /** Rounds that an operation runs behind the first. */
  readonly stages: readonly number[];
  /** Place in the order of its engine's operations in a round. */
  readonly places: readonly number[];
  /** Rounds in flight. */
  readonly depth: number;
  /** Cycles from round to round. */
  readonly interval: number;
}

/**
 * Schedules operations given in an order in which every dependency of distance 0 points forward. At most `rounds` rounds
 * are in flight.
 */
export function schedule(ops: readonly ScheduledOp[], dependencies: readonly Dependency[], rounds: number): Schedule {
  const serial = ops.reduce((sum, op) => sum + op.cycles + op.latency, 0);
  const longest = serial + dependencies.reduce((sum, d) => sum + d.latency, 0) + 1;
  const loads = new Map<string, number>();
  for (const op of ops) loads.set(op.engine, (loads.get(op.engine) ?? 0) + op.load);
  const shortest = Math.max(1, ...loads.values());
  for (let interval = shortest; interval < longest; interval *= 1.02) {
    const starts = rounds === 1 ? null : place(ops, dependencies, interval);
    if (starts === null) continue;
    const stages = starts.map((start) => Math.floor(start / interval));
    const depth = Math.max(...stages) + 1;
    if (depth > rounds) continue;
    const slots = starts.map((start) => start % interval);
    return { stages, places: spread(ops, dependencies, stages, slots), depth, interval };
  }
  return { stages: ops.map(() => 0), places: ops.map((_, i) => i), depth: 1, interval: makespan(ops, dependencies) };
}

/**
 * Places of the operations within their engines' rounds, by slot; but one that would follow right behind an operation on
 * whose late result it waits lets others of the round go first.
 */
function spread(
  ops: readonly ScheduledOp[],
  dependencies: readonly Dependency[],
  stages: readonly number[],
  slots: readonly number[],
): number[] {
  /** Rounds between two dependent executions; 0 in the same round. */
  const apart = ({ from, to, distance }: Dependency): number => stages[to]! + distance - stages[from]!;
  const sameRound = dependencies.filter((d) => apart(d) === 0);
  const engines = [...new Set(ops.map((op) => op.engine))];
  const orders = new Map(
    engines.map((engine) => {
      const mine = ops.map((_, i) => i).filter((i) => ops[i]!.engine === engine);
      return [engine, mine.sort((a, b) => slots[a]! - slots[b]! || a - b)];
    }),
  );
  /** Whether `to` waits for `from` within a round, be it behind others of the same engine. */
  const leadsTo = (from: number, to: number, seen = new Set<number>()): boolean => {
    if (from === to || seen.has(from)) return from === to;
    seen.add(from);
    const order = orders.get(ops[from]!.engine)!;
    const behind = order[order.indexOf(from) + 1];
    return feeds(from, to, seen) || (behind !== undefined && leadsTo(behind, to, seen));
  };
  const feeds = (from: number, to: number, seen = new Set<number>()): boolean =>
    sameRound.some((d) => d.from === from && leadsTo(d.to, to, seen));
  for (const order of orders.values()) {
    for (const op of [...order]) {
      const at = order.indexOf(op);
      const before = order[(at + order.length - 1) % order.length]!;
      const waits = dependencies.filter((d) => d.from === before && d.to === op && apart(d) === (at === 0 ? 1 : 0));
      const wait = Math.max(0, ...waits.map((d) => ops[before]!.latency + d.latency));
      let to = at;
      let covered = 0;
      while (covered < wait && to + 1 < order.length && !feeds(op, order[to + 1]!))
        covered += ops[order[++to]!]!.cycles;
      if (covered < wait) continue;
      order.splice(at, 1);
      order.splice(to, 0, op);
    }
  }
  return ops.map((op, i) => orders.get(op.engine)!.indexOf(i));
}

/** Cycles of one round by itself. */
function makespan(ops: readonly ScheduledOp[], dependencies: readonly Dependency[]): number {
  const free = new Map<string, number>();
  const ends: number[] = [];
  for (const [i, op] of ops.entries()) {
    const inputs = dependencies.filter((d) => d.to === i && d.distance === 0);
    const ready = inputs.map((d) => ends[d.from]! + ops[d.from]!.latency + d.latency);
    ends.push(Math.max(free.get(op.engine) ?? 0, ...ready) + op.load);
    free.set(op.engine, ends[i]!);
  }
  return Math.max(1, ...ends);
}

/** Start cycles at one initiation interval, or null when a resource or a recurrence does not allow it. */
function place(ops: readonly ScheduledOp[], dependencies: readonly Dependency[], interval: number): number[] | null {
  const tables = new Map<string, Reservations>();
  const starts: number[] = [];
  const ends: number[] = [];
  for (const [i, op] of ops.entries()) {
    let earliest = 0;
    for (const d of dependencies) {
      if (d.to === i && d.distance === 0)
        earliest = Math.max(earliest, ends[d.from]! + ops[d.from]!.latency + d.latency);
    }
    let table = tables.get(op.engine);
    if (!table) {
      table = new Reservations(interval);
      tables.set(op.engine, table);
    }
    const span = table.reserve(earliest, op.load);
    if (!span) return null;
    starts.push(span.start);
    ends.push(Math.max(span.end, span.start + op.cycles));
  }
  const holds = dependencies.every(
    (d) =>
      d.distance === 0 || starts[d.to]! + d.distance * interval >= ends[d.from]! + ops[d.from]!.latency + d.latency,
  );
  return holds ? starts : null;
}

/** Time of one engine that is taken in every round, modulo the interval. */
class Reservations {
  readonly #interval: number;
  /** Taken spans of [0, interval), in order and disjoint. */
  #taken: { from: number; to: number }[] = [];

  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Takes the first `amount` of free time from `earliest` on, in pieces if need be; null when less is free. */
  reserve(earliest: number, amount: number): { start: number; end: number } | null {
    const tolerance = 1e-9 * this.#interval;
    let left = amount;
    let start: number | null = null;
    let end = earliest;
    const base = Math.floor(earliest / this.#interval) * this.#interval;
    const pieces: { from: number; to: number }[] = [];
    for (const gap of this.#gapsFrom(earliest - base)) {
      start ??= base + gap.from;
      const piece = Math.min(left, gap.to - gap.from);
      pieces.push({ from: gap.from % this.#interval, to: (gap.from % this.#interval) + piece });
      end = base + gap.from + piece;
      left -= piece;
      if (left <= tolerance) {
        this.#taken = [...this.#taken, ...pieces].sort((a, b) => a.from - b.from);
        return { start, end };
      }
    }
    return null;
  }

  /** Free spans of one period that begins at `offset`, in order; spans past the interval belong to the next round. */
  *#gapsFrom(offset: number): Generator<{ from: number; to: number }> {
    const tolerance = 1e-9 * this.#interval;
    for (const round of [0, this.#interval]) {
      let free = 0;
      for (const { from, to } of [...this.#taken, { from: this.#interval, to: this.#interval }]) {
        const low = round === 0 ? Math.max(free, offset) : free;
        const high = round === 0 ? from : Math.min(from, offset);
        if (high - low > tolerance) yield { from: low + round, to: high + round };
        free = to;
      }
    }
  }
}
