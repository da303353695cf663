/** The slow twin of models/streaming/off-chip.ts: channels with queues of requests, ticked cycle by cycle. */

export interface Ask {
  /** The cycle at which it asks. */
  readonly at: number;
  readonly requests: number;
}

interface Channel {
  readonly queue: number[];
  /** Cycles until it can take another request. */
  busy: number;
}

/** For each of the asks, which are in order, the cycle at which all of its answers are there. */
export function tickOffChip(
  asks: readonly Ask[],
  options: { readonly channels: number; readonly interval: number; readonly latency: number },
): number[] {
  const channels = Array.from({ length: options.channels }, (): Channel => ({ queue: [], busy: 0 }));
  const sent = asks.map(() => 0);
  const answers = asks.map(() => 0);
  const done = asks.map(() => 0);
  let turn = 0;
  for (let cycle = 0; answers.some((count, i) => count < (asks[i]?.requests ?? 0)); cycle++) {
    asks.forEach(({ at, requests }, i) => {
      if (cycle <= at || sent[i] === requests) return;
      sent[i]!++;
      channels[turn++ % channels.length]!.queue.push(i);
    });
    for (const channel of channels) {
      if (channel.busy > 0) channel.busy--;
      if (channel.busy > 0 || channel.queue.length === 0) continue;
      const i = channel.queue.shift()!;
      answers[i]!++;
      done[i] = cycle + options.latency;
      channel.busy = options.interval;
    }
  }
  return done;
}
