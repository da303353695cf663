import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../workloads/llm/batch.ts';
import { type Arrival, type Served, ServingSchedule, servingStatistics } from '../../../workloads/llm/schedule.ts';

/** Runs a schedule with iterations of the given length; what begins and ends when, in order. */
function run(schedule: ServingSchedule, lengthOf: (batch: Batch) => number): { at: number; batch: Batch }[] {
  const iterations: { at: number; batch: Batch }[] = [];
  let now = 0;
  while (!schedule.isDone) {
    const batch = schedule.next(now);
    if (!batch) {
      expect(schedule.nextArrival).toBeGreaterThan(now);
      now = schedule.nextArrival!;
      continue;
    }
    iterations.push({ at: now, batch });
    now += lengthOf(batch);
    schedule.finish(batch, now);
  }
  return iterations;
}

const anyArrivals: fc.Arbitrary<Arrival[]> = fc
  .array(
    fc.record({
      gap: fc.nat({ max: 30 }),
      prompt: fc.integer({ min: 1, max: 20 }),
      output: fc.integer({ min: 1, max: 6 }),
    }),
    { maxLength: 20 },
  )
  .map((all) => {
    let at = 0;
    return all.map(({ gap, ...rest }, request) => {
      at += gap;
      return { request, at, ...rest };
    });
  });

const anyRun = fc.tuple(anyArrivals, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }));

describe('continuous batching', () => {
  it('serves every request once, token by token, with a context that grows by one', () => {
    fc.assert(
      fc.property(anyRun, ([arrivals, most, length]) => {
        const schedule = new ServingSchedule(arrivals, most);
        const iterations = run(schedule, ({ prefill, decode }) => length + prefill.length + decode.length);
        expect(schedule.served.map(({ request }) => request).sort((a, b) => a - b)).toEqual(
          arrivals.map(({ request }) => request),
        );
        for (const { request, prompt, output } of arrivals) {
          const seen = iterations.flatMap(({ batch }, index) =>
            [...batch.prefill, ...batch.decode].flatMap((one) => (one.request === request ? [{ index, ...one }] : [])),
          );
          expect(seen.map(({ queries }) => queries)).toEqual([prompt, ...new Array(output - 1).fill(1)]);
          expect(seen.map(({ context }) => context)).toEqual(
            Array.from({ length: output }, (_, token) => prompt + token),
          );
          // In consecutive iterations: nothing is put off once it has begun.
          expect(seen.at(-1)!.index - seen[0]!.index).toBe(output - 1);
        }
      }),
    );
  });

  it('never has more than it may, begins nothing early, and leaves no room while one waits', () => {
    fc.assert(
      fc.property(anyRun, ([arrivals, most, length]) => {
        const schedule = new ServingSchedule(arrivals, most);
        const begun = new Set<number>();
        for (const { at, batch } of run(schedule, () => length)) {
          const size = batch.prefill.length + batch.decode.length;
          expect(size).toBeGreaterThan(0);
          expect(size).toBeLessThanOrEqual(most);
          for (const { request } of batch.prefill) begun.add(request);
          const late = arrivals.filter((one) => one.at <= at && !begun.has(one.request));
          if (late.length > 0) expect(size).toBe(most);
          // First come, first served.
          for (const { request } of batch.prefill)
            for (const other of late) expect(other.request).toBeGreaterThan(request);
        }
      }),
    );
  });

  it('numbers iterations, and tells how many wait', () => {
    const arrivals = [0, 0, 5].map((at, request) => ({ request, at, prompt: 4, output: 2 }));
    const schedule = new ServingSchedule(arrivals, 1);
    const first = schedule.next(0)!;
    expect(first).toMatchObject({ iteration: 0, prefill: [{ request: 0, queries: 4, context: 4 }], decode: [] });
    expect([schedule.waiting(0), schedule.waiting(5)]).toEqual([1, 2]);
    expect(() => schedule.next(0)).toThrow('an iteration is under way');
    expect(() => schedule.finish({ ...first }, 10)).toThrow('not under way');
    schedule.finish(first, 10);
    expect(schedule.next(10)).toMatchObject({
      iteration: 1,
      prefill: [],
      decode: [{ request: 0, queries: 1, context: 5 }],
    });
  });

  it('waits for the next arrival when nothing is there', () => {
    const schedule = new ServingSchedule([{ request: 0, at: 7, prompt: 1, output: 1 }], 4);
    expect([schedule.next(6), schedule.nextArrival]).toEqual([null, 7]);
    const only = schedule.next(7)!;
    schedule.finish(only, 9);
    expect([schedule.isDone, schedule.nextArrival, schedule.next(9)]).toEqual([true, null, null]);
    expect(schedule.served).toEqual([{ request: 0, at: 7, prompt: 1, output: 1, started: 7, first: 9, finished: 9 }]);
  });

  it('refuses requests without tokens or out of order, and no room at all', () => {
    const one = { request: 0, at: 5, prompt: 1, output: 1 };
    expect(() => new ServingSchedule([{ ...one, output: 0 }], 1)).toThrow('request 0 has no tokens');
    expect(() => new ServingSchedule([one, { ...one, request: 1, at: 4 }], 1)).toThrow('request 1 is out of order');
    expect(() => new ServingSchedule([one], 0)).toThrow('0 requests at a time');
  });
});

describe('statistics of a service', () => {
  const served = (
    request: number,
    at: number,
    started: number,
    first: number,
    finished: number,
    output: number,
  ): Served => {
    const [seconds] = [1e12];
    const times = { at, started, first, finished };
    const scaled = Object.fromEntries(
      Object.entries(times).map(([key, time]) => [key, time * seconds]),
    ) as typeof times;
    return { request, prompt: 1, output, ...scaled };
  };

  it('are in seconds, of requests and of tokens', () => {
    const statistics = servingStatistics([
      served(0, 0, 0, 2, 12, 6),
      served(1, 1, 2, 4, 4, 1),
      served(2, 2, 4, 8, 20, 5),
    ]);
    expect(statistics).toMatchObject({ requests: 3, tokens: 12, tokensPerSecond: 12 / 20 });
    expect(statistics.queue).toEqual({ mean: 1, p50: 1, p90: 2, p99: 2, most: 2 });
    expect(statistics.firstToken).toMatchObject({ mean: 11 / 3, p50: 3, most: 6 });
    expect(statistics.endToEnd).toMatchObject({ p50: 12, most: 18 });
    // Of the two requests with more than one token: 10 s for 5, 12 s for 4.
    expect(statistics.betweenTokens).toEqual({ mean: 2.5, p50: 2, p90: 3, p99: 3, most: 3 });
  });

  it('are nothing of nothing', () => {
    expect(servingStatistics([])).toMatchObject({ requests: 0, tokensPerSecond: 0, queue: { mean: 0, p99: 0 } });
  });
});
