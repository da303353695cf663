/** A large language model at work: which model, on how many devices, with which requests. Knows no machine. */
import { List, Record } from 'immutable';
import { mulberry32 } from '../language/evaluate.ts';
import type { Batch } from './batch.ts';
import { type Arriving, drawGap, drawLength, type Lengths } from './lengths.ts';
import { LlmModel } from './model.ts';
import type { Attended } from './operator.ts';
import { Routing } from './routing.ts';
import { type Arrival, ServingSchedule } from './schedule.ts';
import { DeviceShare } from './share.ts';

/** A request of a batch: the tokens that the first token to go through sees, or of a prompt. */
export class PlannedRequest extends Record<{ request: number; context: number; channel: number | undefined }>(
  { request: 0, context: 1, channel: undefined },
  'PlannedRequest',
) {}

/** As `Arrival` in schedule.ts. */
export class PlannedArrival extends Record<{ request: number; at: number; prompt: number; output: number }>(
  { request: 0, at: 0, prompt: 1, output: 1 },
  'PlannedArrival',
) {}

export class ServingWorkload extends Record<{
  name: string;
  about: string;
  source: string;
  model: LlmModel;
  /** Layers that are computed; with fewer than the model has, embeddings and the last product are left out. */
  layers: number;
  /** Of device 0. */
  share: DeviceShare;
  /** Stages that the layers are cut into. */
  pipeline: number;
  phase: 'prefill' | 'decode' | 'serve';
  /** In `decode`, tokens that each request generates. */
  generate: number;
  /** From one of these tokens to the next: with more than 1, those between them are left out. */
  stride: number;
  /** In `prefill` and `decode`. */
  requests: List<PlannedRequest>;
  /** In `serve`, by time; and requests that are worked on at a time. */
  arrivals: List<PlannedArrival>;
  most: number;
  routing: Routing;
}>(
  {
    name: '',
    about: '',
    source: '',
    model: new LlmModel(),
    layers: 1,
    share: new DeviceShare(),
    pipeline: 1,
    phase: 'decode',
    generate: 1,
    stride: 1,
    requests: List(),
    arrivals: List(),
    most: 1,
    routing: new Routing(),
  },
  'ServingWorkload',
) {
  /** Whether the whole model is computed, embeddings and the last product included. */
  get isWhole(): boolean {
    return this.layers === this.model.layers;
  }
}

/** The iterations of `prefill` (one) and `decode` (one for each token); none of `serve`, which depend on time. */
export function* batches(workload: ServingWorkload): Generator<Batch> {
  const count = { prefill: 1, decode: workload.generate, serve: 0 }[workload.phase];
  for (let iteration = 0; iteration < count; iteration++) yield batchAt(workload, iteration);
}

/** One of these iterations, counted from 0. */
export function batchAt({ phase, requests, routing, stride }: ServingWorkload, iteration: number): Batch {
  const all = requests.toArray();
  if (phase === 'prefill') {
    return { prefill: all.map((one) => attended(one, one.context, one.context)), decode: [], iteration, routing };
  }
  return {
    prefill: [],
    decode: all.map((one) => attended(one, 1, one.context + stride * iteration)),
    iteration,
    routing,
  };
}

function attended({ request, channel }: PlannedRequest, queries: number, context: number): Attended {
  return { request, queries, context, ...(channel !== undefined && { channel }) };
}

/** The schedule of a `serve`, at its beginning. */
export function schedule({ arrivals, most, routing }: ServingWorkload): ServingSchedule {
  const plain = arrivals.map(({ request, at, prompt, output }): Arrival => ({ request, at, prompt, output }));
  return new ServingSchedule(plain, most, routing);
}

/** Layers of a stage of a pipeline, from the first to the one before the end; the first stages have one more. */
export function stageLayers(layers: number, stages: number, stage: number): readonly [first: number, end: number] {
  const before = (index: number): number => Math.floor(layers / stages) * index + Math.min(index, layers % stages);
  return [before(stage), before(stage + 1)];
}

/** Requests with contexts that are drawn; the same for the same seed. */
export function drawRequests(count: number, context: Lengths, seed: number): List<PlannedRequest> {
  const random = mulberry32(seed);
  return List(
    Array.from({ length: count }, (_, request) => {
      return new PlannedRequest({ request, context: drawLength(context, random) });
    }),
  );
}

/** What is drawn of requests that arrive. */
export interface Traffic {
  /** All at the beginning when it is left out. */
  readonly arriving?: Arriving | undefined;
  readonly prompt: Lengths;
  readonly output: Lengths;
  /** How many there are, and until when they arrive, in seconds; whichever ends first. */
  readonly requests: number;
  readonly seconds: number;
}

/** Requests that arrive; the same for the same seed. Times and lengths are drawn apart, so that one changes without the other. */
export function drawArrivals(
  { arriving, prompt, output, requests, seconds }: Traffic,
  seed: number,
): List<PlannedArrival> {
  const [gaps, lengths] = [mulberry32(seed), mulberry32(~seed)];
  const arrivals: PlannedArrival[] = [];
  for (let time = 0; arrivals.length < requests; ) {
    if (arriving) time += drawGap(arriving, gaps);
    if (time >= seconds) break;
    arrivals.push(
      new PlannedArrival({
        request: arrivals.length,
        at: Math.round(time * 1e12),
        prompt: drawLength(prompt, lengths),
        output: drawLength(output, lengths),
      }),
    );
  }
  return List(arrivals);
}
