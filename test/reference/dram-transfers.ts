/**
 * A slow model of transfers on a memory of DRAM, to compare models/memory/dram/memory.ts with. It writes every access of every
 * transfer out as a list, and visits every tick: in each, those who ask for something do so, every channel takes an access of
 * one transfer at most, and every controller executes that one tick.
 */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import type { AddressMapping } from '../../arch/language/dram/mapping.ts';
import { controllerFor } from '../../models/memory/dram/channel.ts';
import type { Controller } from '../../models/memory/dram/controller.ts';
import type { ControllerPolicy } from '../../models/memory/dram/policy.ts';

/** One transfer of a client's: what it does before it asks for the next one. */
export interface Wish {
  readonly write: boolean;
  /** Where each run of bytes begins, and bytes of all of them. */
  readonly starts: readonly number[];
  readonly width: number;
  /** For the data of this read, not only until all of it is taken. */
  readonly waits: boolean;
  /** Cycles of the client's clock from then until it asks. */
  readonly pause: number;
}

export interface Client {
  /** Picoseconds per cycle. */
  readonly period: number;
  readonly wishes: readonly Wish[];
}

/** Ticks of a transfer: when its first access was taken, when it was known that all were, when its data had come. */
export type Outcome = readonly [first: number, taken: number, arrived: number];

export interface Hardware {
  readonly device: DramDevice;
  readonly policy: ControllerPolicy;
  readonly mapping: AddressMapping;
  readonly channels: number;
}

interface Access {
  readonly block: number;
  readonly bank: number;
  readonly row: number;
  readonly column: number;
}

interface Job {
  readonly wish: Wish;
  readonly client: number;
  /** Position among the client's wishes. */
  readonly index: number;
  readonly left: Access[][];
  first: number;
  taken: number;
  arrived: number;
  /** Reads taken and not done. */
  waiting: number;
  isOver: boolean;
}

export class TickingMemory {
  readonly controllers: readonly Controller[];
  readonly outcomes: Outcome[][];
  readonly #hardware: Hardware;
  readonly #clients: readonly Client[];
  /** Jobs that each channel still takes accesses of, in the order in which they came, and whose turn it is. */
  readonly #queues: Job[][];
  readonly #turns: number[];
  readonly #jobs: Job[] = [];
  /** Picoseconds at which each client asks for its next transfer; infinite while it waits. */
  readonly #asks: number[];
  readonly #next: number[];

  constructor(hardware: Hardware, clients: readonly Client[]) {
    const { device, policy, channels } = hardware;
    this.#hardware = hardware;
    this.#clients = clients;
    const completions = {
      readDone: (tag: number, tick: number) => {
        const job = this.#jobs[tag]!;
        job.waiting--;
        job.arrived = Math.max(job.arrived, tick);
      },
      writeDone: () => undefined,
    };
    this.controllers = Array.from({ length: channels }, () =>
      controllerFor(device, policy, { completions, skipsIdle: false }),
    );
    this.outcomes = clients.map(() => []);
    this.#queues = this.controllers.map(() => []);
    this.#turns = this.controllers.map(() => 0);
    this.#asks = clients.map(({ wishes, period }) => (wishes[0] ? wishes[0].pause * period : Infinity));
    this.#next = clients.map(() => 0);
  }

  /** Plays all clients to their ends. */
  run(): void {
    for (let tick = 0; !this.#isDone; tick++) {
      this.#ask(tick);
      this.#queues.forEach((queue, channel) => {
        this.#take(queue, channel, tick);
      });
      for (const controller of this.controllers) controller.step(tick + 1);
      this.#tell(tick + 1);
    }
  }

  get #isDone(): boolean {
    const asked = this.#clients.every(({ wishes }, i) => this.#next[i] === wishes.length);
    return asked && this.#jobs.every((job) => job.isOver);
  }

  #edge(tick: number): number {
    const { clockPs, ticksPerClock } = this.#hardware.device;
    return Math.floor((tick * clockPs) / ticksPerClock);
  }

  /** Requests that have come by this tick, in order of time. */
  #ask(tick: number): void {
    const now = this.#edge(tick);
    const ready = this.#asks.flatMap((ps, client) => (ps <= now ? [{ ps, client }] : []));
    ready.sort((a, b) => a.ps - b.ps || a.client - b.client);
    for (const { client } of ready) {
      const index = this.#next[client]!++;
      const wish = this.#clients[client]!.wishes[index]!;
      this.#asks[client] = Infinity;
      const left = this.controllers.map((): Access[] => []);
      for (const start of wish.starts) this.#write(start, wish.width, left);
      const job = { wish, client, index, left, first: -1, taken: -1, arrived: 0, waiting: 0, isOver: false };
      this.#jobs.push(job);
      left.forEach((list, channel) => {
        if (list.length > 0) this.#queues[channel]!.push(job);
      });
    }
  }

  /** Writes out a run of bytes: the accesses that cover it, but for one that its channel has just had. */
  #write(start: number, width: number, left: Access[][]): void {
    const { mapping, device } = this.#hardware;
    for (let block = Math.floor(start / device.burstBytes); block * device.burstBytes < start + width; block++) {
      mapping.decode(block);
      const { channel, bank, row, column } = mapping;
      const list = left[channel]!;
      if (list.at(-1)?.block !== block) list.push({ block, bank, row, column });
    }
  }

  #take(queue: Job[], channel: number, tick: number): void {
    const turn = this.#turns[channel]!;
    for (let i = 0; i < queue.length; i++) {
      const at = (turn + i) % queue.length;
      const job = queue[at]!;
      const list = job.left[channel]!;
      const { block, bank, row, column } = list[0]!;
      const { write } = job.wish;
      if (!write) job.waiting++;
      if (this.controllers[channel]!.send(write, bank, row, column, block, this.#jobs.indexOf(job))) {
        if (job.first < 0) job.first = tick;
        list.shift();
        this.#turns[channel] = list.length > 0 ? at + 1 : at;
        if (list.length === 0) queue.splice(at, 1);
        return;
      }
      if (!write) job.waiting--;
    }
  }

  /** What is known after a tick. */
  #tell(tick: number): void {
    for (const job of this.#jobs) {
      const { write, waits } = job.wish;
      const isTaken = job.taken < 0 && job.left.every((list) => list.length === 0);
      if (isTaken) job.taken = tick;
      if (isTaken && (write || !waits)) this.#goOn(job, tick);
      if (job.isOver || job.taken < 0 || job.waiting > 0) continue;
      job.isOver = true;
      if (waits && !write) this.#goOn(job, job.arrived);
      this.outcomes[job.client]![job.index] = [job.first, job.taken, job.arrived];
    }
  }

  #goOn({ client }: Job, tick: number): void {
    const { wishes, period } = this.#clients[client]!;
    const wish = wishes[this.#next[client]!];
    if (wish) this.#asks[client] = (Math.ceil(this.#edge(tick) / period) + wish.pause) * period;
  }
}
