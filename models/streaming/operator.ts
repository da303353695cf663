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

/** How a channel hangs on an operator. */
export interface Port {
  readonly channel: Channel;
  readonly pace: Pace;
  /** Whether its slots hold nobody back. */
  readonly isUnbounded: boolean;
}

/** Steps that had to wait for a token since waits were forgotten. */
interface InputPort extends Port {
  waits: number;
}

export class StreamOperator extends Process {
  readonly spec: OperatorSpec;
  readonly #rows: number;
  /** Waits for its row to be released: what no input paces. */
  #isSource = true;
  /** Inputs of a row's first step, and of its others. */
  readonly #firstInputs: InputPort[] = [];
  readonly #inputs: InputPort[] = [];
  /** Outputs of a row's last step, and of its others. */
  readonly #lastOutputs: Port[] = [];
  readonly #outputs: Port[] = [];
  row = 0;
  #element = 0;
  /** Whether the step has its tokens, and how many of its ports are done with: outputs if it has. */
  #hasTaken = false;
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
    const input = { ...port, waits: 0 };
    this.#firstInputs.push(input);
    if (port.pace === 'element') this.#inputs.push(input);
  }

  write(port: Port): void {
    this.#lastOutputs.push(port);
    if (port.pace === 'element') this.#outputs.push(port);
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
    return this.#firstInputs.every((port) => port.channel !== channel || port.waits === 0);
  }

  forgetWaits(): void {
    for (const input of this.#firstInputs) input.waits = 0;
  }

  /** Goes on to a later row, that much later. */
  skip(rows: number, cycles: number): void {
    this.row += rows;
    this.time += cycles;
    this.#taken += cycles;
  }

  run(): void {
    const { elements, interval, latency } = this.spec;
    while (this.row < this.#rows) {
      if (this.#isSource && !this.#isReleased) {
        // Rows are released one after another, whatever their times, once nothing else can go on.
        this.#isReleased = true;
        this.kernel.at(this.row, this);
        return;
      }
      for (; this.#element < elements; this.#element++) {
        const isLast = this.#element === elements - 1;
        const outputs = isLast ? this.#lastOutputs : this.#outputs;
        if (!this.#hasTaken && !this.#take(this.#element === 0 ? this.#firstInputs : this.#inputs)) return;
        if (!this.#reserve(outputs)) return;
        // Seen a cycle later, as every channel's latency is one cycle.
        const at = Math.max(this.time, this.#taken + latency - 1);
        for (let i = 0; i < outputs.length; i++) outputs[i]!.channel.publish(at);
        this.#hasTaken = false;
        this.#port = 0;
        this.time += interval;
      }
      this.#element = 0;
      this.#isReleased = false;
      this.row++;
    }
  }

  /** Waits for a step's inputs; false when it must wait for a token that does not exist yet. */
  #take(inputs: readonly InputPort[]): boolean {
    for (; this.#port < inputs.length; this.#port++) {
      const input = inputs[this.#port]!;
      const visible = input.channel.acquire(this.time);
      if (visible === blocked) {
        this.waitOn(input.channel, 'token');
        return false;
      }
      if (visible > this.time) {
        input.waits++;
        this.time = visible;
      }
    }
    for (let i = 0; i < inputs.length; i++) {
      const { channel, isUnbounded } = inputs[i]!;
      channel.release(isUnbounded ? -1 : this.time);
    }
    this.#taken = this.time;
    this.#hasTaken = true;
    this.#port = 0;
    return true;
  }

  /** Waits for room; false when there is none yet. */
  #reserve(outputs: readonly Port[]): boolean {
    for (; this.#port < outputs.length; this.#port++) {
      const { channel } = outputs[this.#port]!;
      const free = channel.reserve(this.time);
      if (free === blocked) {
        this.waitOn(channel, 'slot');
        return false;
      }
      this.time = free;
    }
    return true;
  }
}
