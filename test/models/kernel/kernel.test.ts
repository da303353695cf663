import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocked, Channel } from '../../../models/kernel/channel.ts';
import { Clock } from '../../../models/kernel/clock.ts';
import { Kernel, Process } from '../../../models/kernel/kernel.ts';
import { simulate } from '../../reference/channel-oracle.ts';
import { deadlockOf, graphs, run, ShuffledKernel } from './graph.ts';

const gigahertz = new Clock('core', 1e9);

/** Takes a token from every input, works, and gives one to every output, `tokens` times. */
class Stage extends Process {
  inputs: Channel[] = [];
  outputs: Channel[] = [];
  readonly #tokens: number;
  readonly #cycles: number;
  #done = 0;
  #port = 0;

  constructor(kernel: Kernel, name: string, tokens: number, cycles = 1) {
    super(kernel, name, gigahertz);
    this.#tokens = tokens;
    this.#cycles = cycles;
  }

  get finished(): boolean {
    return this.#done === this.#tokens;
  }

  run(): void {
    const { inputs, outputs } = this;
    for (; !this.finished; this.#done++, this.#port = 0) {
      for (; this.#port < inputs.length; this.#port++) {
        const channel = inputs[this.#port]!;
        const t = channel.acquire(this.time);
        if (t === blocked) {
          this.waitOn(channel, 'token');
          return;
        }
        this.time = t;
        channel.release(t);
        if (this.#port === inputs.length - 1) this.time += this.#cycles;
      }
      for (; this.#port < inputs.length + outputs.length; this.#port++) {
        const channel = outputs[this.#port - inputs.length]!;
        const t = channel.reserve(this.time);
        if (t === blocked) {
          this.waitOn(channel, 'slot');
          return;
        }
        this.time = t;
        channel.publish(t);
      }
    }
  }
}

function join(name: string, from: Stage, to: Stage, capacity: number, initial = 0): void {
  const channel = new Channel(name, from, to, { capacity, initial });
  from.outputs.push(channel);
  to.inputs.push(channel);
}

describe('a deadlock', () => {
  it('is reported with who waits for what, on whom, since when', () => {
    const kernel = new Kernel();
    const [load, mac, store] = ['load', 'mac', 'store'].map((name) => new Stage(kernel, name, 8, 5)) as [
      Stage,
      Stage,
      Stage,
    ];
    join('weights', load, mac, 2);
    join('sums', mac, store, 1);
    join('credits', store, mac, 1);
    const deadlock = deadlockOf(kernel)!;
    expect(deadlock.waits).toEqual([
      { process: 'load', cycle: 2, ps: 2000, channel: 'weights', for: 'slot', on: 'mac' },
      { process: 'mac', cycle: 1, ps: 1000, channel: 'credits', for: 'token', on: 'store' },
      { process: 'store', cycle: 0, ps: 0, channel: 'sums', for: 'token', on: 'mac' },
    ]);
    expect(deadlock.message).toContain('load waits for a slot of weights from mac since cycle 2 (2000 ps)');
  });

  it('names only those that have not finished', () => {
    const kernel = new Kernel();
    const source = new Stage(kernel, 'source', 5);
    const sink = new Stage(kernel, 'sink', 3);
    join('c', source, sink, 1);
    expect(deadlockOf(kernel)!.waits).toMatchObject([{ process: 'source', for: 'slot', on: 'sink' }]);
  });

  it('does not come of a loop that has a token to start with', () => {
    const kernel = new Kernel();
    const [a, b] = [new Stage(kernel, 'a', 100, 3), new Stage(kernel, 'b', 100, 4)];
    join('there', a, b, 1);
    join('back', b, a, 1, 1);
    kernel.run();
    expect([a.time, b.time]).toEqual([100 * 3 + 99 * 6, 100 * 9 - 1]);
    expect([a.wait, b.wait]).toEqual([null, null]);
  });
});

describe('a server that several processes share', () => {
  const families = {
    'in one clock': [1e12],
    'in clocks of 940 MHz and 1.5 GHz': [940e6, 1.5e9],
    'in clocks of a few picoseconds': [1e12, 7e11, 333_333_333_333],
  };
  for (const [name, hertz] of Object.entries(families)) {
    it(`serves them in the order in which they come, whatever the order of visits, ${name}`, () => {
      fc.assert(
        fc.property(graphs(hertz, 2), fc.nat(), (graph, seed) => {
          const expected = simulate(graph);
          expect(run(graph)).toEqual(expected);
          expect(run(graph, new ShuffledKernel(seed))).toEqual(expected);
        }),
        { numRuns: 300 },
      );
    });
  }
});

describe('time-ordered access', () => {
  class Visitor extends Process {
    readonly #visits: number[];
    readonly #log: [number, number][];

    constructor(kernel: Kernel, clock: Clock, visits: number[], log: [number, number][]) {
      super(kernel, 'visitor', clock);
      this.#visits = visits;
      this.#log = log;
    }

    get finished(): boolean {
      return this.#visits.length === 0;
    }

    run(): void {
      if (this.time > 0) this.#log.push([this.clock.edge(this.time), this.id]);
      if (this.finished) return;
      this.time += this.#visits.pop()!;
      this.kernel.at(this.clock.edge(this.time), this);
    }
  }

  it('is granted by time, then by the position of the process', () => {
    const clocks = [940e6, 1.5e9, 1e12].map((hertz) => new Clock('c', hertz));
    const pauses = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), pauses), { maxLength: 200, size: 'max' }),
        fc.nat(),
        (visitors, seed) => {
          const log: [number, number][] = [];
          const kernel = new ShuffledKernel(seed);
          for (const [clock, visits] of visitors) new Visitor(kernel, clocks[clock]!, [...visits], log);
          kernel.run();
          expect(log).toHaveLength(visitors.reduce((sum, [, visits]) => sum + visits.length, 0));
          expect(log).toEqual([...log].sort(([t, a], [u, b]) => t - u || a - b));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a process that others give something to do', () => {
  /** Notes when it is called, and how far it may go. */
  class Idle extends Process {
    readonly calls: [ps: number, horizon: number][] = [];
    due = 0;
    readonly finished = true;

    run(): void {
      if (this.due > 0) this.calls.push([this.due, this.kernel.horizon]);
      this.due = 0;
    }

    /** Called by another process: wants to be called at `ps`, or before. */
    give(ps: number): void {
      this.due = this.due === 0 ? ps : Math.min(this.due, ps);
      this.kernel.atLatest(ps, this);
    }
  }

  class Giver extends Process {
    readonly #gifts: { readonly at: number; readonly due: number }[];
    readonly #idle: Idle;

    constructor(kernel: Kernel, idle: Idle, gifts: { at: number; due: number }[]) {
      super(kernel, 'giver', new Clock('ps', 1e12));
      this.#gifts = gifts;
      this.#idle = idle;
    }

    get finished(): boolean {
      return this.#gifts.length === 0;
    }

    run(): void {
      if (this.time > 0) this.#idle.give(this.#gifts.shift()!.due);
      const next = this.#gifts[0];
      if (!next) return;
      this.time = next.at;
      this.kernel.at(next.at, this);
    }
  }

  it('is called at the earliest time that was asked for, and told until when nobody acts', () => {
    const kernel = new Kernel();
    const idle = new Idle(kernel, 'idle', new Clock('ps', 1e12));
    new Giver(kernel, idle, [
      { at: 10, due: 100 },
      { at: 20, due: 50 },
      { at: 30, due: 70 },
      { at: 60, due: 65 },
    ]);
    kernel.run();
    expect(idle.calls).toEqual([
      [50, 60],
      [65, Number.POSITIVE_INFINITY],
    ]);
  });
});

describe('memory', () => {
  it('does not grow with the number of tokens', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const held = (tokens: number) => {
      const kernel = new Kernel();
      const stages = Array.from({ length: 8 }, (_, i) => new Stage(kernel, `s${i}`, tokens));
      for (let i = 1; i < stages.length; i++) join(`c${i}`, stages[i - 1]!, stages[i]!, i);
      kernel.run();
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      // The stages are still in use here, so nothing that they hold has been collected.
      expect(stages.every((stage) => stage.finished)).toBe(true);
      return heapUsed + arrayBuffers;
    };
    held(1000);
    const few = held(10_000);
    // A byte per token kept anywhere would be 3 MB.
    expect(held(400_000) - few).toBeLessThan(1e6);
  });
});
