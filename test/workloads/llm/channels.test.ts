import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChannelAssignment, type ChannelPolicy, subBatches } from '../../../workloads/llm/channels.ts';
import { loadServing } from '../../../workloads/llm/load.ts';
import type { Attended } from '../../../workloads/llm/operator.ts';
import { batchAt } from '../../../workloads/llm/workload.ts';

const requests = (contexts: readonly number[]): Attended[] =>
  contexts.map((context, request) => ({ request, queries: 1, context }));
const placed = (all: readonly Attended[], channels: number, policy: ChannelPolicy): number[] =>
  new ChannelAssignment(channels, policy).place(all).map(({ channel = -1 }) => channel);
const anyContexts = fc.array(fc.integer({ min: 1, max: 2048 }), { maxLength: 60 });
const anyChannels = fc.integer({ min: 1, max: 8 });

describe('channels of requests', () => {
  it('are taken in turn', () => {
    expect(placed(requests([9, 1, 1, 1, 1]), 3, 'round-robin')).toEqual([0, 1, 2, 0, 1]);
  });

  it('are balanced from the costliest request on', () => {
    // 7 to 0, 5 to 1, 4 to 1 (5 < 7), then 3 to 0, 2 to 1 (9 < 10), 2 to 0.
    expect(placed(requests([2, 3, 4, 5, 7, 2]), 2, 'balanced')).toEqual([1, 0, 1, 1, 0, 0]);
  });

  it('are balanced to within the least cost of a request on the fullest one', () => {
    fc.assert(
      fc.property(anyContexts, anyChannels, (contexts, channels) => {
        const found = placed(requests(contexts), channels, 'balanced');
        const totals = new Array<number>(channels).fill(0);
        found.forEach((channel, index) => {
          totals[channel]! += contexts[index]!;
        });
        const fullest = totals.indexOf(Math.max(...totals));
        const there = contexts.filter((_, index) => found[index] === fullest);
        if (there.length > 0) expect(totals[fullest]! - Math.min(...there)).toBeLessThanOrEqual(Math.min(...totals));
      }),
    );
  });

  it('are those of the trace, of 32 as NeuPIMs has them', () => {
    const { decode } = batchAt(loadServing('workloads/gpt3-7b-sharegpt-balanced.yaml').workload, 0);
    const given = placed(decode, 32, 'given');
    expect(given.slice(0, 6)).toEqual([26, 12, 6, 13, 31, 28]);
    expect(() => placed(decode, 16, 'given')).toThrow('request 0 is on channel 26, but there are 16 channels');
  });

  it('must be in the trace to be given', () => {
    expect(() => placed(requests([1]), 4, 'given')).toThrow(
      'request 0 has no channel; add the column ch_idx to the trace, or have the channels balanced',
    );
  });
});

describe('a request that goes on', () => {
  const at = (contexts: readonly (readonly [number, number])[]): Attended[] =>
    contexts.map(([request, context]) => ({ request, queries: 1, context }));

  it('keeps its channel, and new ones are balanced beside it', () => {
    const assignment = new ChannelAssignment(2, 'balanced');
    expect(
      assignment
        .place(
          at([
            [0, 10],
            [1, 4],
            [2, 3],
          ]),
        )
        .map(({ channel }) => channel),
    ).toEqual([0, 1, 1]);
    // The longest has become the shortest of its channel's load: it stays, and what begins goes to the emptier one.
    expect(
      assignment
        .place(
          at([
            [1, 5],
            [2, 4],
            [3, 7],
            [4, 1],
          ]),
        )
        .map(({ channel }) => channel),
    ).toEqual([1, 1, 0, 0]);
    expect(
      assignment
        .place(
          at([
            [2, 5],
            [4, 2],
            [0, 9],
          ]),
        )
        .map(({ channel }) => channel),
    ).toEqual([1, 0, 0]);
  });

  it('keeps it when they are taken in turn', () => {
    const assignment = new ChannelAssignment(3, 'round-robin');
    assignment.place(
      at([
        [0, 1],
        [1, 1],
      ]),
    );
    expect(
      assignment
        .place(
          at([
            [1, 2],
            [2, 1],
            [3, 1],
          ]),
        )
        .map(({ channel }) => channel),
    ).toEqual([1, 2, 0]);
  });
});

describe('sub-batches', () => {
  it('take turns in being longer by one, channel by channel', () => {
    // Channels 0, 1, 2 and 3 have 3, 1, 2 and 5 requests: longer are the first, the second, none, the first.
    const channels = [0, 0, 0, 1, 2, 2, 3, 3, 3, 3, 3];
    const [first, second] = subBatches(
      channels.map((_, index) => index),
      2,
      (index) => channels[index]!,
    );
    expect(first).toEqual([0, 1, 4, 6, 7, 8]);
    expect(second).toEqual([2, 3, 5, 9, 10]);
  });

  it('have every request once, and as many of each channel as each other, within one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 5 }), { maxLength: 50 }),
        fc.integer({ min: 1, max: 4 }),
        (channels, count) => {
          const found = subBatches(
            channels.map((_, index) => index),
            count,
            (index) => channels[index]!,
          );
          expect(found).toHaveLength(count);
          expect(found.flat().sort((a, b) => a - b)).toEqual(channels.map((_, index) => index));
          const spread = (sizes: number[]): number => Math.max(...sizes) - Math.min(...sizes);
          expect(spread(found.map((batch) => batch.length))).toBeLessThanOrEqual(1);
          for (const channel of new Set(channels)) {
            const sizes = found.map((batch) => batch.filter((index) => channels[index] === channel).length);
            expect(spread(sizes)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });
});
