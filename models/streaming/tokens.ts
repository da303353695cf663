/** Tokens on their way to the tiles of experts, and from them to the results. */
import { blocked, type Channel } from '../kernel/channel.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';
import type { Asking, OffChip } from './off-chip.ts';

/** Reads one row after another, and gives tiles their start as soon as their last row is there. */
export class RowReader extends Process implements Asking {
  readonly #memory: OffChip;
  readonly #requests: number;
  readonly #starts: readonly (readonly Channel[])[];
  #row = 0;
  #phase: 'park' | 'ask' | 'wait' | 'give' = 'park';

  /** `starts[row]`: the channels of the tiles that are whole with this row. They must have room for all. */
  constructor(
    kernel: Kernel,
    clock: Clock,
    memory: OffChip,
    requests: number,
    starts: readonly (readonly Channel[])[],
  ) {
    super(kernel, 'row reader', clock);
    this.#memory = memory;
    this.#requests = requests;
    this.#starts = starts;
  }

  get finished(): boolean {
    return this.#row === this.#starts.length;
  }

  answered(at: number): void {
    this.time = at;
    this.#phase = 'give';
  }

  run(): void {
    if (this.#phase === 'give') {
      for (const channel of this.#starts[this.#row++]!) {
        channel.reserve(this.time);
        channel.publish(this.time);
      }
      this.#phase = 'park';
    }
    if (this.#phase === 'park' && !this.finished) {
      this.#phase = 'ask';
      this.kernel.at(this.clock.edge(this.time), this);
    } else if (this.#phase === 'ask') {
      this.#phase = 'wait';
      this.#memory.ask(this, this.#requests, this.time);
    }
  }
}

/** Where one of a row's results comes from: the n-th tile of a region. */
export interface ResultTile {
  readonly region: number;
  readonly position: number;
}

/** Adds up the results of each row in turn, once all are there, and writes it. */
export class RowWriter extends Process implements Asking {
  readonly #memory: OffChip;
  readonly #requests: number;
  readonly #cyclesPerResult: number;
  readonly #results: Channel[] = [];
  readonly #rows: readonly (readonly ResultTile[])[];
  /** When the tiles of each region came, as far as they have been waited for. */
  readonly #came: number[][] = [];
  #row = 0;
  #phase: 'collect' | 'ask' | 'wait' = 'collect';

  constructor(
    kernel: Kernel,
    clock: Clock,
    memory: OffChip,
    work: { readonly requests: number; readonly cyclesPerResult: number },
    rows: readonly (readonly ResultTile[])[],
  ) {
    super(kernel, 'row writer', clock);
    this.#memory = memory;
    this.#requests = work.requests;
    this.#cyclesPerResult = work.cyclesPerResult;
    this.#rows = rows;
  }

  get finished(): boolean {
    return this.#row === this.#rows.length;
  }

  answered(at: number): void {
    this.time = at;
    this.#row++;
    this.#phase = 'collect';
  }

  /** The channel on which the next region gives its tiles. */
  connect(channel: Channel): void {
    this.#results.push(channel);
    this.#came.push([]);
  }

  run(): void {
    if (this.#phase === 'collect' && !this.finished && this.#collect()) {
      this.#phase = 'ask';
      this.kernel.at(this.clock.edge(this.time), this);
    } else if (this.#phase === 'ask') {
      this.#phase = 'wait';
      this.#memory.ask(this, this.#requests, this.time);
    }
  }

  #collect(): boolean {
    const tiles = this.#rows[this.#row]!;
    let ready = this.time;
    for (const { region, position } of tiles) {
      const came = this.#came[region]!;
      while (came.length <= position) {
        const channel = this.#results[region]!;
        const visible = channel.acquire(0);
        if (visible === blocked) {
          this.waitOn(channel, 'token');
          return false;
        }
        channel.release(visible);
        came.push(visible);
      }
      ready = Math.max(ready, came[position]!);
    }
    this.time = ready + tiles.length * this.#cyclesPerResult;
    return true;
  }
}
