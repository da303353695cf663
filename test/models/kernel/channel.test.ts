import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocked, Channel } from '../../../models/kernel/channel.ts';
import { Clock } from '../../../models/kernel/clock.ts';
import { Kernel, Process } from '../../../models/kernel/kernel.ts';
import { type Graph, simulate } from '../../reference/channel-oracle.ts';
import { graphs, run, ShuffledKernel } from './graph.ts';

const terahertz = [1e12];

describe('a graph of channels', () => {
  it('does every step in the cycle in which the ticked oracle does it, or stands still where it does', () => {
    let finished = 0;
    let stuck = 0;
    fc.assert(
      fc.property(graphs(terahertz), (graph) => {
        const expected = simulate(graph);
        expect(run(graph)).toEqual(expected);
        if (expected.waits.length === 0) finished++;
        else stuck++;
      }),
      { numRuns: 1200 },
    );
    // Neither outcome is rare enough to be untested.
    expect(Math.min(finished, stuck)).toBeGreaterThan(200);
  });

  it('gives the same whatever the order in which its processes are visited', () => {
    fc.assert(
      fc.property(graphs(terahertz), fc.nat(), (graph, seed) => {
        expect(run(graph, new ShuffledKernel(seed))).toEqual(run(graph));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a channel between two clocks', () => {
  // In the second family edges are rounded to whole picoseconds, some of them far.
  const families = { 'of 940 MHz and 1.5 GHz': [940e6, 1.5e9], 'of a few picoseconds': [1e12, 7e11, 333_333_333_333] };
  for (const [name, hertz] of Object.entries(families)) {
    it(`does every step in the cycle in which the ticked oracle does it, with clocks ${name}`, () => {
      fc.assert(
        fc.property(graphs(hertz), (graph) => {
          expect(run(graph)).toEqual(simulate(graph));
        }),
        { numRuns: 200 },
      );
    });
  }

  it('shows a token at the first edge of the receiver at or after the edge at which it has arrived', () => {
    const [slow, fast] = [940_000_000n, 1_500_000_000n];
    const edge = (k: bigint, hertz: bigint) => (k * 10n ** 12n) / hertz;
    const { channel } = aChannel({ capacity: 1, sendLatency: 2, sender: 940e6, receiver: 1.5e9 });
    let first = 0n;
    for (let k = 0n; k < 3000n; k++) {
      while (edge(first, fast) < edge(k + 2n, slow)) first++;
      channel.reserve(0);
      channel.publish(Number(k));
      expect(channel.acquire(0)).toBe(Number(first));
      channel.release(0);
    }
  });

  it('counts the latency of each end in cycles of that end', () => {
    const options = { capacity: 1, sendLatency: 3, replyLatency: 2, sender: 1e9, receiver: 4e9 };
    const { channel } = aChannel(options);
    channel.reserve(0);
    channel.publish(10);
    expect(channel.acquire(0)).toBe((10 + 3) * 4);
    channel.release(53);
    expect(channel.reserve(0)).toBe(Math.ceil((53 + 2) / 4));
  });
});

describe('the capacity of a channel', () => {
  // The sender fills a buffer in 5 cycles, the receiver uses it in 7; each end sees the other's act one cycle later.
  const pair = (capacity: number): Graph => ({
    clocks: terahertz,
    actors: [
      {
        clock: 0,
        iterations: 4,
        steps: [
          { do: 'reserve', channel: 0 },
          { do: 'work', cycles: 5 },
          { do: 'publish', channel: 0, delay: 0 },
        ],
      },
      {
        clock: 0,
        iterations: 4,
        steps: [
          { do: 'acquire', channel: 0 },
          { do: 'work', cycles: 7 },
          { do: 'release', channel: 0, delay: 0 },
        ],
      },
    ],
    channels: [{ from: 0, to: 1, capacity, sendLatency: 1, replyLatency: 1, initial: 0 }],
    servers: [],
  });
  const releases = (capacity: number) => run(pair(capacity)).times[1]!.filter((_, i) => i % 3 === 2);

  it('of one makes the two ends take turns', () => {
    expect(releases(1)).toEqual([13, 27, 41, 55]);
  });

  it('of two is double buffering: the slower end sets the pace', () => {
    expect(releases(2)).toEqual([13, 20, 27, 34]);
  });
});

describe('a channel', () => {
  it('refuses a capacity, a latency or initial tokens that cannot be', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) expect(() => aChannel({ capacity })).toThrow(/capacity/);
    for (const latency of [0, 0.5, 1.5, Number.NaN]) {
      expect(() => aChannel({ capacity: 1, sendLatency: latency })).toThrow(/latencies/);
      expect(() => aChannel({ capacity: 1, replyLatency: latency })).toThrow(/latencies/);
    }
    for (const initial of [3, -1, 0.5]) expect(() => aChannel({ capacity: 2, initial })).toThrow(/initial tokens/);
  });

  it('holds its initial tokens from the start and counts what it holds', () => {
    const { channel } = aChannel({ capacity: 3, initial: 2 });
    expect(channel.occupancy).toBe(2);
    expect(channel.reserve(4)).toBe(4);
    expect(channel.reserve(4)).toBe(blocked);
    expect(channel.acquire(0)).toBe(0);
    channel.release(6);
    expect(channel.occupancy).toBe(1);
    expect(channel.reserve(4)).toBe(7);
    channel.publish(8);
    expect(channel.occupancy).toBe(2);
  });
});

interface Ends {
  capacity: number;
  sendLatency?: number;
  replyLatency?: number;
  initial?: number;
  sender?: number;
  receiver?: number;
}

function aChannel({ sender = 1e9, receiver = sender, ...options }: Ends) {
  class Idle extends Process {
    readonly finished = true;
    run(): void {}
  }
  const kernel = new Kernel();
  const clock = new Clock('sender', sender);
  const from = new Idle(kernel, 'from', clock);
  const to = new Idle(kernel, 'to', receiver === sender ? clock : new Clock('receiver', receiver));
  return { channel: new Channel('c', from, to, options) };
}
