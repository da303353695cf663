/** Requests on the channels of a memory, and in sub-batches. */
import { InputError } from '../../arch/language/diagnostics.ts';
import type { Attended } from './operator.ts';

/**
 * `round-robin`: one after another. `balanced`: by falling cost, each to the channel with the least total so far; of equal
 * costs the first request, of equal totals the first channel. `given`: as the trace has it.
 */
export const channelPolicies = ['round-robin', 'balanced', 'given'] as const;
export type ChannelPolicy = (typeof channelPolicies)[number];

/** Which channel each request is on, from the iteration in which it begins to its last one: keys and values do not move. */
export class ChannelAssignment {
  readonly #channels: number;
  readonly #policy: ChannelPolicy;
  #of = new Map<number, number>();
  #turn = 0;

  constructor(channels: number, policy: ChannelPolicy) {
    this.#channels = channels;
    this.#policy = policy;
  }

  /**
   * Requests of an iteration with their channels. Those that were not in the one before get one, by their contexts, beside
   * those that stay; who is not there any more has none.
   * @throws InputError when it is to be given, and a request has none, or one that there is not
   */
  place(requests: readonly Attended[]): Attended[] {
    const before = this.#of;
    const stay = requests.filter(({ request }) => before.has(request));
    const begin = requests.filter(({ request }) => !before.has(request));
    const found = this.#placeBeside(stay, begin);
    this.#of = new Map(stay.map(({ request }) => [request, before.get(request)!]));
    begin.forEach(({ request }, i) => {
      this.#of.set(request, found[i]!);
    });
    return requests.map((one) => ({ ...one, channel: this.#of.get(one.request) }));
  }

  #placeBeside(stay: readonly Attended[], begin: readonly Attended[]): number[] {
    switch (this.#policy) {
      case 'round-robin':
        return begin.map(() => this.#turn++ % this.#channels);
      case 'balanced': {
        const totals = new Array<number>(this.#channels).fill(0);
        for (const { request, context } of stay) totals[this.#of.get(request)!]! += context;
        return balanced(
          totals,
          begin.map(({ context }) => context),
        );
      }
      case 'given':
        return begin.map((request) => givenChannel(request, this.#channels));
    }
  }
}

/** By falling cost, each to the channel with the least total so far, which it adds to. */
function balanced(totals: number[], costs: readonly number[]): number[] {
  const found = new Array<number>(costs.length).fill(0);
  const order = costs.map((_, index) => index).sort((a, b) => costs[b]! - costs[a]! || a - b);
  for (const index of order) {
    const channel = totals.indexOf(Math.min(...totals));
    found[index] = channel;
    totals[channel]! += costs[index]!;
  }
  return found;
}

function givenChannel({ request, channel }: Attended, channels: number): number {
  if (channel === undefined) {
    const hint = 'add the column ch_idx to the trace, or have the channels balanced';
    throw new InputError({ message: `request ${request} has no channel`, hint });
  }
  if (channel < channels) return channel;
  throw new InputError({ message: `request ${request} is on channel ${channel}, but there are ${channels} channels` });
}

/**
 * Requests cut into `count` sub-batches that work in turn, as NeuPIMs does it for two (group_sub_batches of its Scheduler.cc,
 * commit 1092220): channel by channel, the requests of each cut into runs that are as long as can be equal. Those that are
 * one longer take turns over all channels: of an odd number, the first half is longer, at the next one the second.
 */
export function subBatches<R>(requests: readonly R[], count: number, channelOf: (request: R) => number): R[][] {
  const byChannel = new Map<number, R[]>();
  for (const request of requests) {
    const channel = channelOf(request);
    const others = byChannel.get(channel);
    if (others) others.push(request);
    else byChannel.set(channel, [request]);
  }
  const batches = Array.from({ length: count }, (): R[] => []);
  let turn = 0;
  for (const channel of [...byChannel.keys()].sort((a, b) => a - b)) {
    const all = byChannel.get(channel)!;
    const more = all.length % count;
    let from = 0;
    batches.forEach((batch, index) => {
      const isLonger = (index - turn + count) % count < more;
      const to = from + Math.floor(all.length / count) + (isLonger ? 1 : 0);
      batch.push(...all.slice(from, to));
      from = to;
    });
    turn = (turn + more) % count;
  }
  return batches;
}
