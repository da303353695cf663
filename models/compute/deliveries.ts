/**
 * Executions of a DMA whose tokens wait for data from DRAM. The engine goes on with its next operation once the memory has
 * taken all accesses; tokens follow in order of the executions, each when its data have come.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Moved, Requester } from '../memory/dram/transfers.ts';
import type { EngineProcess } from './engine.ts';
import type { Wire } from './running-op.ts';

/** A memory whose transfers are told in ticks of its clock. */
interface Ticking {
  readonly clock: Clock;
}

/** One execution's transfers and tokens. */
export class Delivery implements Requester {
  readonly #engine: EngineProcess;
  readonly #queue: Deliveries;
  readonly transfers: { readonly transfer: Moved; readonly memory: Ticking; readonly access: number }[] = [];
  #untaken = 0;
  #waiting = 0;
  /** Cycle of the engine's clock in which the last data have come. */
  #arrived = 0;
  /** Null until the execution ends. */
  #tokens: { readonly end: number; readonly latency: number; readonly gives: readonly Wire[] } | null = null;

  constructor(engine: EngineProcess, queue: Deliveries) {
    this.#engine = engine;
    this.#queue = queue;
  }

  /** Whether the memory has taken all accesses. */
  get isTaken(): boolean {
    return this.#untaken === 0;
  }

  /** Waits for a transfer, of the operation's access of that position. */
  add(transfer: Moved, memory: Ticking, access: number): void {
    this.transfers.push({ transfer, memory, access });
    this.#untaken++;
    if (!transfer.write) this.#waiting++;
  }

  taken(): void {
    this.#untaken--;
    if (this.#untaken === 0) this.#engine.wake();
  }

  arrived(transfer: Moved): void {
    const { memory } = this.transfers.find((own) => own.transfer === transfer)!;
    this.#waiting--;
    this.#arrived = Math.max(this.#arrived, this.#engine.clock.cycleAtOrAfter(memory.clock.edge(transfer.arrived)));
    this.#queue.publish();
  }

  /** The execution has ended in cycle `end`: its tokens are given `latency` after that, or after its data have come. */
  finish(end: number, latency: number, gives: readonly Wire[]): void {
    this.#tokens = { end, latency, gives };
    this.#queue.publish();
  }

  /** Cycle from which on its tokens may be given; null while that is not known. */
  get ready(): number | null {
    if (this.#tokens === null || this.#waiting > 0) return null;
    return Math.max(this.#tokens.end, this.#arrived) + this.#tokens.latency;
  }

  get gives(): readonly Wire[] {
    return this.#tokens?.gives ?? [];
  }
}

/** An engine's executions that have not given their tokens. */
export class Deliveries {
  readonly #engine: EngineProcess;
  readonly #queue: Delivery[] = [];
  #latest = 0;

  constructor(engine: EngineProcess) {
    this.#engine = engine;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  begin(): Delivery {
    const delivery = new Delivery(this.#engine, this);
    this.#queue.push(delivery);
    return delivery;
  }

  /** Gives the tokens of those whose time is known and that none before them holds up. */
  publish(): void {
    for (let ready = this.#queue[0]?.ready ?? null; ready !== null; ready = this.#queue[0]?.ready ?? null) {
      const { gives } = this.#queue.shift()!;
      this.#latest = Math.max(this.#latest, ready);
      for (const { channel, delay } of gives) channel.publish(this.#latest + delay);
    }
  }
}
