/** What an operation does in one iteration of a loop, and its passing over many. */
import type { Channel } from '../kernel/channel.ts';
import { Dram } from '../memory/dram/memory.ts';
import type { RunningOp } from './running-op.ts';

/** Tokens that an iteration of a loop leaves in a channel, and slots that it takes from it. */
export type Balance = Map<Channel, { tokens: number; slots: number }>;

export class Iteration {
  readonly #op: RunningOp;
  readonly #loop: number;
  /** Rounds of the nest. */
  readonly rounds: number;
  /** Executions per variant. */
  readonly #executions: Float64Array;
  /** Executions per access and variant. */
  readonly #accesses: readonly Float64Array[];
  readonly #taken: Float64Array;
  readonly #released: Float64Array;
  readonly #reserved: Float64Array;
  readonly #given: Float64Array;
  /** Cycles that the engine computes. */
  readonly busy: number;

  /** Of a loop whose present iteration is like others. */
  constructor(op: RunningOp, loop: number, rounds: number) {
    this.#op = op;
    this.#loop = loop;
    this.rounds = rounds;
    const { takes, gives } = op;
    this.#executions = new Float64Array(op.executions.length);
    this.#accesses = op.accesses.map(() => new Float64Array(op.executions.length));
    this.#taken = new Float64Array(takes.length);
    this.#released = new Float64Array(takes.length);
    this.#reserved = new Float64Array(gives.length);
    this.#given = new Float64Array(gives.length);
    op.forIteration(loop, (times, variant) => this.#add(times, variant));
    this.busy = this.#executions.reduce((sum, count, variant) => sum + count * op.busy[variant]!, 0);
  }

  #add(times: number, variant: number): void {
    const op = this.#op;
    this.#executions[variant]! += times;
    this.#accesses.forEach((counts, i) => {
      if (op.holds(op.accessGuards, i)) counts[variant]! += times;
    });
    op.takes.forEach((_, i) => {
      if (op.holds(op.acquire, i)) this.#taken[i]! += times;
      if (op.holds(op.release, i)) this.#released[i]! += times;
    });
    op.gives.forEach((_, i) => {
      if (op.holds(op.reserve, i)) this.#reserved[i]! += times;
      if (op.holds(op.publish, i)) this.#given[i]! += times;
    });
  }

  addTo(balance: Balance): void {
    const add = (channel: Channel, tokens: number, slots: number): void => {
      const known = balance.get(channel) ?? { tokens: 0, slots: 0 };
      balance.set(channel, { tokens: known.tokens + tokens, slots: known.slots + slots });
    };
    const { takes, gives } = this.#op;
    takes.forEach(({ channel }, i) => {
      add(channel, -this.#taken[i]!, -this.#released[i]!);
    });
    gives.forEach(({ channel }, i) => {
      add(channel, this.#given[i]!, this.#reserved[i]!);
    });
  }

  /** Moves the operation on, and counts its work: that is what running the iterations would count. */
  pass(iterations: number): void {
    const op = this.#op;
    op.passOver(this.#loop, iterations, this.rounds);
    this.#executions.forEach((count, variant) => {
      op.executions[variant]! += iterations * count;
    });
    this.#accesses.forEach((counts, i) => {
      const { port, dram, bytes, write } = op.accesses[i]!;
      counts.forEach((count, variant) => {
        const each = bytes[variant]!;
        op.accesses[i]!.moved += iterations * count * each;
        port?.count(iterations * count, each, write);
        const memory = dram?.memory;
        if (each > 0 && memory instanceof Dram) memory.count(iterations * count, each, write);
      });
    });
  }
}

/** Whether an iteration that is about to be passed over gives each channel as many tokens and slots as it takes. */
export function isSteady(engines: readonly { addTo(balance: Balance): void }[]): boolean {
  const balance: Balance = new Map();
  for (const engine of engines) engine.addTo(balance);
  return [...balance.values()].every(({ tokens, slots }) => tokens === 0 && slots === 0);
}
