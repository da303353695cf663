/**
 * Operators of a streaming graph. Each walks the same loop, `elements` steps in each of its graph's rows. A step takes a
 * token from each of its inputs at the cycle at which all have come, waits until every output has room, and gives its
 * tokens `latency` cycles after it took its own; the next step begins `interval` cycles after that. A full output holds a
 * step back while its tokens come down the pipeline, so that a late slot costs only what the pipeline does not hide:
 *
 *   taken   = max(time, visible of every input)
 *   given   = max(taken, freed of every output)
 *   visible = max(taken + latency, given + 1),  time = given + interval
 *
 * This is how contexts of the Dataflow Abstract Machine (Zhang et al., ISCA 2024) stamp what they give.
 */
import { blocked, type Channel } from '../kernel/channel.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';

export interface OperatorSpec {
  readonly name: string;
  /** Steps in a row. */
  readonly elements: number;
  /** Cycles from one step to the next, at least 1. */
  readonly interval: number;
  /** Cycles from a step's inputs to what it gives, at least 1. */
  readonly latency: number;
}

/** How a channel hangs on an operator: a token in each step, or one in each row (its first step, or for outputs its last). */
export type Pace = 'element' | 'row';

interface Port {
  readonly channel: Channel;
  readonly pace: Pace;
  /** Whether its slots hold nobody back. */
  readonly isUnbounded: boolean;
}

export class StreamOperator extends Process {
  readonly spec: OperatorSpec;
  readonly #rows: number;
  /** Waits for its row to be released: what no input paces. */
  #isSource = true;
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  /** Steps that had to wait for an input since `forgetWaits`, by input. */
  readonly #waited: number[] = [];
  row = 0;
  #element = 0;
  /** Ports of the step that are done with: inputs, then outputs. */
  #port = 0;
  #taken = 0;
  #isReleased = false;

  constructor(kernel: Kernel, clock: Clock, spec: OperatorSpec, rows: number) {
    super(kernel, spec.name, clock);
    this.spec = spec;
    this.#rows = rows;
  }

  read(port: Port): void {
    this.#isSource = false;
    this.#waited.push(0);
    this.#inputs.push(port);
  }

  write(port: Port): void {
    this.#outputs.push(port);
  }

  get isSource(): boolean {
    return this.#isSource;
  }

  get finished(): boolean {
    return this.row === this.#rows;
  }

  /** The cycle at which it took the tokens of its last step. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether a channel's tokens have come in time for every step since the last `forgetWaits`. */
  isAheadOf(channel: Channel): boolean {
    return this.#waited[this.#inputs.findIndex((port) => port.channel === channel)] === 0;
  }

  forgetWaits(): void {
    this.#waited.fill(0);
  }

  /** Goes on to a later row, that much later. */
  skip(rows: number, cycles: number): void {
    this.row += rows;
    this.time += cycles;
    this.#taken += cycles;
  }

  run(): void {
    const { elements, interval } = this.spec;
    while (this.row < this.#rows) {
      if (this.#isSource && !this.#isReleased) {
        // Rows are released one after another, whatever their times, once nothing else can go on.
        this.#isReleased = true;
        this.kernel.at(this.row, this);
        return;
      }
      for (; this.#element < elements; this.#element++) {
        if (!this.#take() || !this.#reserve()) return;
        this.#give();
        this.#port = 0;
        this.time += interval;
      }
      this.#element = 0;
      this.#isReleased = false;
      this.row++;
    }
  }

  /** Waits for the step's inputs; false when it must wait for a token that does not exist yet. */
  #take(): boolean {
    const inputs = this.#inputs;
    if (this.#port > inputs.length) return true;
    const isFirst = this.#element === 0;
    for (; this.#port < inputs.length; this.#port++) {
      const { channel, pace } = inputs[this.#port]!;
      if (pace === 'row' && !isFirst) continue;
      const visible = channel.acquire(this.time);
      if (visible === blocked) {
        this.waitOn(channel, 'token');
        return false;
      }
      if (visible > this.time) {
        this.#waited[this.#port]!++;
        this.time = visible;
      }
    }
    for (const { channel, pace, isUnbounded } of inputs) {
      if (pace === 'element' || isFirst) channel.release(isUnbounded ? -1 : this.time);
    }
    this.#taken = this.time;
    this.#port = inputs.length + 1;
    return true;
  }

  /** Waits for room; false when there is none yet. */
  #reserve(): boolean {
    const outputs = this.#outputs;
    const done = this.#inputs.length + 1;
    const isLast = this.#element === this.spec.elements - 1;
    for (let i = this.#port - done; i < outputs.length; i++, this.#port++) {
      const { channel, pace } = outputs[i]!;
      if (pace === 'row' && !isLast) continue;
      const free = channel.reserve(this.time);
      if (free === blocked) {
        this.waitOn(channel, 'slot');
        return false;
      }
      this.time = free;
    }
    return true;
  }

  #give(): void {
    const isLast = this.#element === this.spec.elements - 1;
    // Seen a cycle later, as every channel's latency is one cycle.
    const at = Math.max(this.time, this.#taken + this.spec.latency - 1);
    for (const { channel, pace } of this.#outputs) {
      if (pace === 'element' || isLast) channel.publish(at);
    }
  }
}
