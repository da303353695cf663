/**
 * Continuous batching of Mixtral with prompts of 4,096 tokens and outputs of 512 on a GPU and on Duplex with co-processing: the rate
 * of requests from which on they queue. Iterations are not simulated one by one: those of some batches and contexts are, and of
 * a prompt, and the schedule is driven by what lies between. Time is taken to grow linearly with tokens seen, from batch to
 * batch, and beyond the largest as between the last two; prompts add their own time to an iteration, as many as join.
 */
import { type Arrival, type Batch, ServingSchedule, servingStatistics, study } from '../../index.ts';
import { type DeviceRun, deviceRun, iterationFigures, type System } from './duplex/decode.ts';
import { type Measured, secondsOf } from './duplex/interpolate.ts';

const [prompt, output] = [4096, 512];
const batches = [32, 128];
/** Requests that are worked on at a time, and those that arrive. */
const [most, requests] = [128, 400];

interface Times {
  readonly decode: readonly Measured[];
  readonly prompt: number;
}

function runs(
  system: System,
): readonly { readonly batch: number; readonly context: number; readonly run: DeviceRun }[] {
  const shape = { model: 'mixtral-8x7b', system, expert_tp: system === 'gpu' ? 1 : 4 } as const;
  return [
    ...batches.flatMap((batch) =>
      [prompt, prompt + output].map((context) => {
        return { batch, context, run: deviceRun({ ...shape, phase: 'decode', batch, context }) };
      }),
    ),
    { batch: 0, context: prompt, run: deviceRun({ ...shape, phase: 'prefill', batch: 1, context: prompt }) },
  ];
}

function measure(all: ReturnType<typeof runs>): Times {
  const timed = all.map(({ batch, context, run }) => ({ batch, context, seconds: iterationFigures(run).seconds }));
  return {
    decode: timed.filter(({ batch }) => batch > 0),
    prompt: timed.find(({ batch }) => batch === 0)?.seconds ?? Number.NaN,
  };
}

function iteration({ prefill, decode }: Batch, times: Times): number {
  const seen = decode.reduce((sum, { context }) => sum + context, 0);
  const generating = decode.length > 0 ? secondsOf(times.decode, decode.length, seen / decode.length) : 0;
  return prefill.length * times.prompt + generating;
}

/** Requests that arrive evenly. */
function served(rate: number, times: Times): ReturnType<typeof servingStatistics> {
  const arrivals = Array.from({ length: requests }, (_, request): Arrival => {
    return { request, at: Math.round((request / rate) * 1e12), prompt, output };
  });
  const plan = new ServingSchedule(arrivals, most);
  for (let now = 0; !plan.isDone; ) {
    const batch = plan.next(now);
    if (batch === null) now = plan.nextArrival ?? now;
    else {
      now += Math.round(iteration(batch, times) * 1e12);
      plan.finish(batch, now);
    }
  }
  return servingStatistics(plan.served);
}

interface Row {
  readonly system: 'gpu' | 'co-processing';
  readonly qps: number;
  readonly queue_p90_s: number;
}

/** The highest rate at which nine of ten requests begin within a second. */
function saturation(rows: readonly Row[], system: Row['system']): number | null {
  const rates = rows.filter((row) => row.system === system && row.queue_p90_s < 1).map(({ qps }) => qps);
  return rates.length > 0 ? Math.max(...rates) : null;
}

export default study({
  name: 'duplex-queue',
  about: 'Requests that queue for Mixtral on a GPU and on Duplex; iterations interpolated between simulated ones',
  parameters: { system: ['gpu', 'co-processing'], qps: Array.from({ length: 20 }, (_, i) => i + 1) },
  inputs: ({ system }) => runs(system),
  run: measure,
  metrics: (times: Times, { qps }: { readonly qps: number }) => {
    const { queue, firstToken, betweenTokens, endToEnd, tokensPerSecond } = served(qps, times);
    return {
      queue_p90_s: queue.p90,
      first_token_s: firstToken.p50,
      tbt_ms: betweenTokens.p50 * 1e3,
      end_to_end_s: endToEnd.p50,
      tokens_per_s: tokensPerSecond,
    };
  },
  units: { queue_p90_s: 's', first_token_s: 's', tbt_ms: 'ms', end_to_end_s: 's', tokens_per_s: 'token/s' },
  claims: [
    {
      text: 'Requests a second at which the GPU saturates',
      source: 'Duplex (Yun et al., MICRO 2024, arXiv 2409.01141), Mixtral, Lin 4096, Lout 512',
      target: 9,
      measured: (rows: readonly Row[]) => saturation(rows, 'gpu'),
    },
    {
      text: 'Requests a second at which Duplex saturates',
      source: 'Duplex (Yun et al., MICRO 2024, arXiv 2409.01141), Mixtral, Lin 4096, Lout 512',
      target: 14,
      measured: (rows: readonly Row[]) => saturation(rows, 'co-processing'),
    },
  ],
  charts: [{ kind: 'curve', x: 'qps', y: 'queue_p90_s', by: 'system' }],
});
