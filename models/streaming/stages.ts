/**
 * Stages of an expert region that work on tiles: loaders of weights and units. A unit's step takes a token from each of
 * its inputs, works, waits for room, gives its result and only then frees what it took; a pair of slots between two stages is
 * double buffering.
 */
import { blocked, type Channel } from '../kernel/channel.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Kernel, Process } from '../kernel/kernel.ts';
import type { Asking, OffChip } from './off-chip.ts';

/** Loads the tiles of a weight, all of them again for each tile of tokens. */
export class WeightLoader extends Process implements Asking {
  readonly #memory: OffChip;
  #start: Channel | null = null;
  #out: Channel | null = null;
  readonly #tiles: number;
  readonly #steps: number;
  readonly #requests: number;
  #tile = 0;
  #step = 0;
  #phase: 'start' | 'ask' | 'wait' | 'give' = 'start';

  /** `tiles` of tokens, each of which needs `steps` tiles of weights of so many requests. */
  constructor(
    kernel: Kernel,
    clock: Clock,
    name: string,
    memory: OffChip,
    work: { readonly tiles: number; readonly steps: number; readonly requests: number },
  ) {
    super(kernel, name, clock);
    this.#memory = memory;
    this.#tiles = work.tiles;
    this.#steps = work.steps;
    this.#requests = work.requests;
  }

  /** `start` has a token for each tile of tokens; weights go to `out`. */
  connect(start: Channel, out: Channel): void {
    this.#start = start;
    this.#out = out;
  }

  get finished(): boolean {
    return this.#tile === this.#tiles;
  }

  answered(at: number): void {
    this.time = at;
    this.#phase = 'give';
  }

  run(): void {
    const [start, out] = [this.#start, this.#out];
    if (start !== null && out !== null) while (!this.finished && this.#go(start, out));
  }

  /** Whether it can go on. */
  #go(start: Channel, out: Channel): boolean {
    switch (this.#phase) {
      case 'start': {
        const visible = start.acquire(this.time);
        if (visible === blocked) return this.#waitFor(start, 'token');
        this.time = visible;
        start.release(visible);
        return this.#park();
      }
      case 'ask':
        this.#phase = 'wait';
        this.#memory.ask(this, this.#requests, this.time);
        return false;
      case 'wait':
        return false;
      case 'give': {
        const free = out.reserve(this.time);
        if (free === blocked) return this.#waitFor(out, 'slot');
        this.time = free;
        out.publish(free);
        if (++this.#step < this.#steps) return this.#park();
        this.#step = 0;
        this.#tile++;
        this.#phase = 'start';
        return true;
      }
    }
  }

  #waitFor(channel: Channel, what: 'token' | 'slot'): false {
    this.waitOn(channel, what);
    return false;
  }

  #park(): false {
    this.#phase = 'ask';
    this.kernel.at(this.clock.edge(this.time), this);
    return false;
  }
}

/** An input or output of a unit: one token in each step, or for each tile in its first step or last. */
export interface UnitPort {
  readonly channel: Channel;
  readonly every: 'step' | 'tile';
}

/** A unit that does `steps` for each tile; `cycles` says how long each of a tile's steps takes. */
export class TileUnit extends Process {
  readonly inputs: UnitPort[] = [];
  readonly outputs: UnitPort[] = [];
  readonly #steps: number;
  readonly #cycles: readonly number[];
  #tile = 0;
  #step = 0;
  #port = 0;
  #isWorking = false;
  /** Cycles in which it worked. */
  busy = 0;

  constructor(kernel: Kernel, clock: Clock, name: string, steps: number, cycles: readonly number[]) {
    super(kernel, name, clock);
    this.#steps = steps;
    this.#cycles = cycles;
  }

  get finished(): boolean {
    return this.#tile === this.#cycles.length;
  }

  run(): void {
    while (!this.finished) {
      if (!this.#isWorking && !this.#take()) return;
      if (!this.#give()) return;
      this.#next();
    }
  }

  #concerns({ every }: UnitPort, end: number): boolean {
    return every === 'step' || this.#step === end;
  }

  #take(): boolean {
    for (; this.#port < this.inputs.length; this.#port++) {
      const port = this.inputs[this.#port]!;
      if (!this.#concerns(port, 0)) continue;
      const visible = port.channel.acquire(this.time);
      if (visible === blocked) {
        this.waitOn(port.channel, 'token');
        return false;
      }
      this.time = visible;
    }
    const cycles = this.#cycles[this.#tile]!;
    this.time += cycles;
    this.busy += cycles;
    this.#isWorking = true;
    this.#port = 0;
    return true;
  }

  #give(): boolean {
    for (; this.#port < this.outputs.length; this.#port++) {
      const port = this.outputs[this.#port]!;
      if (!this.#concerns(port, this.#steps - 1)) continue;
      const free = port.channel.reserve(this.time);
      if (free === blocked) {
        this.waitOn(port.channel, 'slot');
        return false;
      }
      this.time = free;
      port.channel.publish(free);
    }
    for (const port of this.inputs) if (this.#concerns(port, 0)) port.channel.release(this.time);
    return true;
  }

  #next(): void {
    this.#isWorking = false;
    this.#port = 0;
    if (++this.#step < this.#steps) return;
    this.#step = 0;
    this.#tile++;
  }
}
