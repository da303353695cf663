import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runPipeline } from '../../../models/dataflow/pipeline.ts';
import type { ChannelSpec, PipelineSpec, StageSpec } from '../../../models/dataflow/pipeline-spec.ts';
import { DeadlockError } from '../../../models/kernel/kernel.ts';
import { tickPipeline } from '../../reference/rdu-pipeline.ts';

const compute = (name: string, firings: number, interval: number): StageSpec => {
  return { name, firings, interval, server: -1, bytes: 0, request: 0, latency: 0 };
};

const channel = (from: number, to: number, tokens: number, capacity: number): ChannelSpec => {
  return { name: `${from} to ${to}`, from, to, tokens, use: 'each', capacity, send: 1, reply: 1 };
};

describe('a pipeline', () => {
  it('is as fast as its slowest stage, and fills once', () => {
    const stages = [compute('a', 10, 2), compute('b', 10, 5), compute('c', 10, 3)];
    const spec = { stages, channels: [channel(0, 1, 10, 2), channel(1, 2, 10, 2)], servers: [] };
    // a's first tile, nine and one of b, the last of c, and a cycle over each channel.
    expect(runPipeline(spec).cycles).toBe(2 + 1 + 50 + 1 + 3);
  });

  it('holds a stage up when a buffer has room for one tile', () => {
    const stages = [compute('a', 10, 5), compute('b', 10, 5)];
    const fast = runPipeline({ stages, channels: [channel(0, 1, 10, 3)], servers: [] });
    const slow = runPipeline({ stages, channels: [channel(0, 1, 10, 1)], servers: [] });
    expect(fast.cycles).toBe(5 + 1 + 50);
    expect(slow.cycles).toBe(5 + 1 + 50 + 9 * (5 + 1 + 1));
    expect(slow.stages[0]!.waitOutput).toBeGreaterThan(fast.stages[0]!.waitOutput);
  });

  it('comes to a stop where a way around has too little room, and says who waits for whom', () => {
    const stages = [compute('a', 4, 1), { ...compute('sum', 1, 1) }, compute('b', 4, 1)];
    const whole: ChannelSpec = { ...channel(0, 1, 4, 4), use: 'all' };
    const last: ChannelSpec = { ...channel(1, 2, 1, 1), use: 'all' };
    const spec = { stages, channels: [whole, last, channel(0, 2, 4, 2)], servers: [] };
    expect(() => runPipeline(spec)).toThrow(DeadlockError);
    expect(() => runPipeline(spec)).toThrow('a waits for a slot of 0 to 2 from b');
  });

  it('refuses tokens that do not fit the firings of a stage', () => {
    const stages = [compute('a', 4, 1), compute('b', 3, 1)];
    expect(() => runPipeline({ stages, channels: [channel(0, 1, 4, 2)], servers: [] })).toThrow(
      '4 tokens for 3 firings',
    );
  });
});

const latency = fc.integer({ min: 1, max: 6 });

/** Pipelines of streams and stages, each with inputs of some of those before it, in all ways in which tokens are used. */
const pipelines: fc.Arbitrary<PipelineSpec> = fc
  .record({
    tiles: fc.integer({ min: 1, max: 7 }),
    count: fc.integer({ min: 2, max: 6 }),
    servers: fc.integer({ min: 1, max: 2 }),
  })
  .chain(({ tiles, count, servers }) =>
    fc.record({
      stages: fc.array(
        fc.record({
          firings: fc.constantFrom(1, tiles, tiles),
          interval: fc.integer({ min: 1, max: 9 }),
          server: fc.integer({ min: -2, max: servers - 1 }).map((n) => Math.max(-1, n)),
          bytes: fc.integer({ min: 1, max: 20 }),
          request: fc.integer({ min: 1, max: 8 }),
          latency: fc.integer({ min: 0, max: 5 }),
        }),
        { minLength: count, maxLength: count },
      ),
      ways: fc.array(
        fc.record({
          from: fc.nat(count - 2),
          step: fc.integer({ min: 1, max: count - 1 }),
          whole: fc.boolean(),
          use: fc.constantFrom('each', 'each', 'keep', 'all'),
          capacity: fc.integer({ min: 1, max: 4 }),
          send: latency,
          reply: latency,
        }),
        { minLength: count - 1, maxLength: 2 * count },
      ),
      servers: fc.array(
        fc.record({
          bytes: fc.integer({ min: 1, max: 5 }),
          cycles: fc.integer({ min: 1, max: 3 }),
          latency,
          window: fc.integer({ min: 1, max: 4 }),
        }),
        { minLength: servers, maxLength: servers },
      ),
    }),
  )
  .map(({ stages, ways, servers }) => ({
    stages: stages.map((stage, i) => ({ ...stage, name: `stage ${i}` })),
    channels: ways.map(({ from, step, whole, use, capacity, send, reply }, c): ChannelSpec => {
      const to = Math.min(stages.length - 1, from + step);
      const given = stages[from]!.firings;
      const tokens = whole ? 1 : given;
      const fits = tokens === stages[to]!.firings;
      const used = fits ? (use as ChannelSpec['use']) : 'all';
      return {
        name: `channel ${c}`,
        from,
        to,
        tokens,
        use: used,
        capacity: used === 'each' ? capacity : Math.max(capacity, tokens),
        send,
        reply,
      };
    }),
    servers: servers.map((server, s) => ({ ...server, name: `server ${s}` })),
  }));

describe('the pipeline and one that steps every cycle', () => {
  it('agree in every account, and come to a stop together', () => {
    let stops = 0;
    fc.assert(
      fc.property(pipelines, (spec) => {
        const ticked = tickPipeline(spec);
        if (ticked === null) {
          stops++;
          expect(() => runPipeline(spec)).toThrow(DeadlockError);
          return;
        }
        const { cycles, stages, moved } = runPipeline(spec);
        expect({ cycles, stages, moved }).toEqual(ticked);
      }),
      { numRuns: 400 },
    );
    expect(stops).toBeLessThan(200);
  });
});
