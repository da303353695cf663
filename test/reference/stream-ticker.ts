/**
 * The slow twin of models/streaming/graph.ts: every cycle, every operator does what it can, and tokens carry real numbers.
 * It has no law of times: a token comes down a pipeline cycle by cycle, and a slot is free the cycle after its token went.
 */
import type { StreamGraph } from '../../models/streaming/graph.ts';
import type { OperatorSpec, Pace } from '../../models/streaming/operator.ts';

/** What an operator gives for the tokens of a step, by channel; `element` counts the steps of its row. */
export type Compute = (inputs: ReadonlyMap<string, number>, row: number, element: number) => number;

export interface Ticked {
  /** The cycle at which the last token was taken. */
  readonly cycles: number;
  /** Whether it came to a standstill before its end. */
  readonly isStuck: boolean;
  /** What each operator took in each of its steps. */
  readonly taken: ReadonlyMap<string, readonly ReadonlyMap<string, number>[]>;
}

interface Token {
  readonly value: number;
  /** Cycles until it can be taken. */
  wait: number;
}

interface Queue {
  readonly name: string;
  readonly tokens: Token[];
  readonly given: Pace;
  readonly taken: Pace;
  free: number;
  /** Slots that are free from the next cycle on. */
  freed: number;
}

class Actor {
  readonly spec: OperatorSpec;
  readonly inputs: Queue[] = [];
  readonly outputs: Queue[] = [];
  readonly steps: ReadonlyMap<string, number>[] = [];
  readonly #total: number;
  readonly #compute: Compute;
  /** What it took for later steps of its row, too. */
  #held = new Map<string, number>();
  #idle = 0;
  /** Cycles since it took the step's tokens; -1 before. */
  #age = -1;

  constructor(spec: OperatorSpec, rows: number, compute: Compute) {
    this.spec = spec;
    this.#total = rows * spec.elements;
    this.#compute = compute;
  }

  /** Positive while it does nothing of its own accord. */
  get idle(): number {
    return this.#idle;
  }

  #step = 0;

  get finished(): boolean {
    return this.#step === this.#total;
  }

  /** Does what can be done in this cycle; whether it took something. */
  tick(): boolean {
    if (this.finished || this.#idle > 0) return false;
    const took = this.#age < 0 && this.#take();
    if (this.#age >= 0) this.#give();
    return took;
  }

  endOfCycle(): void {
    if (this.#idle > 0) this.#idle--;
    if (this.#age >= 0) this.#age++;
  }

  get #element(): number {
    return this.#step % this.spec.elements;
  }

  #take(): boolean {
    const wanted = this.inputs.filter(({ taken }) => taken === 'element' || this.#element === 0);
    if (wanted.some(({ tokens }) => tokens.length === 0 || tokens[0]!.wait > 0)) return false;
    for (const queue of wanted) {
      this.#held.set(queue.name, queue.tokens.shift()!.value);
      queue.freed++;
    }
    this.steps.push(new Map(this.#held));
    this.#age = 0;
    return true;
  }

  #give(): void {
    const isLast = this.#element === this.spec.elements - 1;
    const wanted = this.outputs.filter(({ given }) => given === 'element' || isLast);
    if (wanted.some(({ free }) => free === 0)) return;
    const value = this.#compute(this.#held, Math.floor(this.#step / this.spec.elements), this.#element);
    for (const queue of wanted) {
      queue.free--;
      queue.tokens.push({ value, wait: Math.max(this.spec.latency - this.#age, 1) });
    }
    this.#age = -1;
    this.#idle = this.spec.interval;
    this.#step++;
  }
}

/** Ticks a graph until all is done or nothing can happen any more. */
export function tickStream(graph: StreamGraph, compute: (operator: string) => Compute = () => () => 0): Ticked {
  const actors = graph.operators.map((spec) => new Actor(spec, graph.rows, compute(spec.name)));
  const queues = graph.channels.map(({ name, from, to, depth, given = 'element', taken = 'element' }) => {
    const queue: Queue = { name, tokens: [], given, taken, free: depth, freed: 0 };
    actors.find(({ spec }) => spec.name === from)?.outputs.push(queue);
    actors.find(({ spec }) => spec.name === to)?.inputs.push(queue);
    return queue;
  });
  let last = 0;
  let quiet = 0;
  const patience = Math.max(...graph.operators.map(({ latency, interval }) => latency + interval)) + 2;
  for (let cycle = 0; quiet < patience && actors.some(({ finished }) => !finished); cycle++) {
    const took = actors.map((actor) => actor.tick()).includes(true);
    if (took) last = cycle;
    quiet = took || actors.some(({ idle }) => idle > 0) ? 0 : quiet + 1;
    for (const actor of actors) actor.endOfCycle();
    for (const queue of queues) {
      queue.free += queue.freed;
      queue.freed = 0;
      for (const token of queue.tokens) if (token.wait > 0) token.wait--;
    }
  }
  const isStuck = actors.some(({ finished }) => !finished);
  return { cycles: last, isStuck, taken: new Map(actors.map(({ spec, steps }) => [spec.name, steps])) };
}
