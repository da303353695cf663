/**
 * Runs processes that keep local time. A process runs ahead until it must wait for a token or a slot (see channel.ts);
 * what several processes share is used in global time order: `at(time)` parks a process until no other process can still
 * act before `time`. That holds once every process waits, since whatever a parked process does next makes others act
 * strictly later: every channel has a latency of at least one cycle.
 */
import type { Channel } from './channel.ts';
import type { Clock } from './clock.ts';

/** Why a process that has not finished stands still. */
export interface Wait {
  readonly process: string;
  /** Cycle of the process's clock, and the same in picoseconds, rounded down. */
  readonly cycle: number;
  readonly ps: number;
  readonly channel: string;
  readonly for: 'token' | 'slot';
  /** The process at the other end. */
  readonly on: string;
}

/** No process can go on and some have not finished. */
export class DeadlockError extends Error {
  readonly waits: readonly Wait[];

  constructor(waits: readonly Wait[]) {
    const lines = waits.map(
      (w) => `  ${w.process} waits for a ${w.for} of ${w.channel} from ${w.on} since cycle ${w.cycle} (${w.ps} ps)`,
    );
    super(`deadlock: no part can go on\n${lines.join('\n')}`);
    this.name = 'DeadlockError';
    this.waits = waits;
  }
}

/** Something with a clock and a local time that waits and acts. */
export abstract class Process {
  readonly name: string;
  readonly clock: Clock;
  /** Position among the kernel's processes: the order of those that act at the same time. */
  readonly id: number;
  /** Local time in cycles of the clock. */
  time = 0;
  protected readonly kernel: Kernel;
  #waitsOn: Channel | null = null;
  #waitsFor: 'token' | 'slot' = 'token';

  constructor(kernel: Kernel, name: string, clock: Clock) {
    this.kernel = kernel;
    this.name = name;
    this.clock = clock;
    this.id = kernel.add(this);
  }

  /** Goes on until it must wait, then returns. It is called again when what it waits for has come. */
  abstract run(): void;

  /** Whether it has nothing left to do. */
  abstract get finished(): boolean;

  /** Called by the channel that it waits on. */
  wake(): void {
    this.#waitsOn = null;
    this.kernel.ready(this);
  }

  /** Remembers what `run` returned for, should it never come. */
  protected waitOn(channel: Channel, what: 'token' | 'slot'): void {
    this.#waitsOn = channel;
    this.#waitsFor = what;
  }

  /** What it waits on; null unless it is blocked on a channel. */
  get wait(): Wait | null {
    const channel = this.#waitsOn;
    if (channel === null) return null;
    const other = this.#waitsFor === 'token' ? channel.sender : channel.receiver;
    const ps = this.clock.picoseconds(this.time);
    return { process: this.name, cycle: this.time, ps, channel: channel.name, for: this.#waitsFor, on: other.name };
  }
}

/** What passes over a part of what repeats. It must know of all processes. */
export interface Skipping {
  /** Whether a loop has moved on, and there is something to look at. */
  readonly hasMoved: boolean;
  /**
   * To be called when no process is ready; `now` is the earliest time at which one will act. Returns by how much time
   * that is later then, mostly 0.
   */
  look(now: number): number;
  /** The run has ended. */
  finish(): void;
}

const turnsPerReport = 2 ** 16;

export class Kernel {
  readonly #processes: Process[] = [];
  /** A stack, each process at most once: a chain's last stage goes first and frees slots for the others. */
  readonly #ready: Process[] = [];
  /** Binary heap of parked processes by (time, id). */
  readonly #parked = new TimeHeap();

  /** Registers a process, which then runs from time 0. Returns its id. */
  add(process: Process): number {
    this.#ready.push(process);
    return this.#processes.push(process) - 1;
  }

  ready(process: Process): void {
    this.#ready.push(process);
  }

  /**
   * Parks a process until nothing can happen before `time` any more; it must return from `run` after this, and then
   * neither publish nor release at a time before that.
   */
  at(time: number, process: Process): void {
    this.#parked.push(time, process.id);
  }

  /** Parks a process, or moves one that is parked until later: somebody has given it something to do at `time`. */
  atLatest(time: number, process: Process): void {
    this.#parked.pushOrLower(time, process.id);
  }

  /** For a process that was parked and now runs: no other one acts before this. Infinity when none can until it does. */
  get horizon(): number {
    return this.#parked.first;
  }

  /**
   * Runs until every process has finished; `onProgress` is called now and then meanwhile. What repeats may be left to
   * `skipping`.
   * @throws DeadlockError when that cannot be.
   */
  run(onProgress?: () => void, skipping: Skipping | null = null): void {
    for (let turns = 1; ; turns++) {
      for (let next = this.takeReady(); next !== undefined; next = this.takeReady()) next.run();
      if (this.#parked.size === 0) break;
      if (skipping?.hasMoved) {
        const skipped = skipping.look(this.#parked.first);
        if (skipped > 0) this.#parked.postpone(skipped);
      }
      this.#processes[this.#parked.pop()]!.run();
      if (onProgress && turns % turnsPerReport === 0) onProgress();
    }
    skipping?.finish();
    const stuck = this.#processes.filter((process) => !process.finished);
    if (stuck.length > 0) throw new DeadlockError(stuck.flatMap((process) => process.wait ?? []));
  }

  /** The next process that can go on. Any order gives the same result; tests override this to show it. */
  protected takeReady(): Process | undefined {
    return this.#ready.pop();
  }
}

/** A binary min-heap of (time, process id) in flat arrays. */
class TimeHeap {
  #times = new Float64Array(64);
  #ids = new Int32Array(64);
  size = 0;

  /** The earliest time. */
  get first(): number {
    return this.size > 0 ? this.#times[0]! : Number.POSITIVE_INFINITY;
  }

  /** Adds to all times. */
  postpone(by: number): void {
    for (let i = 0; i < this.size; i++) this.#times[i]! += by;
  }

  /** Puts an id in, or lowers the time of one that is in; a walk through the whole heap. */
  pushOrLower(time: number, id: number): void {
    const at = this.#ids.subarray(0, this.size).indexOf(id);
    if (at < 0) this.push(time, id);
    else if (time < this.#times[at]!) this.#rise(at, time, id);
  }

  push(time: number, id: number): void {
    if (this.size === this.#times.length) this.#grow();
    this.#rise(this.size++, time, id);
  }

  /** Puts an entry at a position or above it. */
  #rise(from: number, time: number, id: number): void {
    const times = this.#times;
    const ids = this.#ids;
    let i = from;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (times[parent]! < time || (times[parent]! === time && ids[parent]! < id)) break;
      times[i] = times[parent]!;
      ids[i] = ids[parent]!;
      i = parent;
    }
    times[i] = time;
    ids[i] = id;
  }

  /** Removes the earliest entry and returns its process id. */
  pop(): number {
    const times = this.#times;
    const ids = this.#ids;
    const top = ids[0]!;
    const size = --this.size;
    const time = times[size]!;
    const id = ids[size]!;
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      const right = child + 1;
      if (
        right < size &&
        (times[right]! < times[child]! || (times[right]! === times[child]! && ids[right]! < ids[child]!))
      ) {
        child = right;
      }
      if (time < times[child]! || (time === times[child]! && id < ids[child]!)) break;
      times[i] = times[child]!;
      ids[i] = ids[child]!;
      i = child;
    }
    times[i] = time;
    ids[i] = id;
    return top;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length);
    const ids = new Int32Array(2 * this.#ids.length);
    times.set(this.#times);
    ids.set(this.#ids);
    this.#times = times;
    this.#ids = ids;
  }
}
