/** Serves a language model on a machine, iteration by iteration. */
import { List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { fits } from '../../workloads/language/serving-check.ts';
import type { ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { Batch } from '../../workloads/llm/batch.ts';
import { ChannelAssignment, subBatches } from '../../workloads/llm/channels.ts';
import { embeddingOperators, layerOperators, lmHeadOperators, stageSend } from '../../workloads/llm/operators.ts';
import { type Served, type ServingStatistics, servingStatistics } from '../../workloads/llm/schedule.ts';
import { cacheBytesPerToken, weightBytesOf } from '../../workloads/llm/share.ts';
import { batches, type ServingWorkload, schedule, stageLayers } from '../../workloads/llm/workload.ts';
import { Device } from './device.ts';
import { Executor } from './executor.ts';

/** One pass of a batch through the layers. Times in picoseconds. */
export interface IterationRecord {
  readonly start: number;
  end: number;
  readonly prefill: number;
  readonly decode: number;
  /** Tokens that it adds: one for each request, in prefill all of the prompt. */
  readonly tokens: number;
}

export interface ServeOptions {
  /** Told the fraction that is done. */
  readonly onProgress?: (fraction: number) => void;
}

/** Everything that a run leaves behind for reports. */
export interface ServingRecord {
  readonly device: Device;
  readonly executor: Executor;
  readonly iterations: readonly IterationRecord[];
  readonly served: readonly Served[];
  readonly statistics: ServingStatistics | null;
  /** Bytes on the device: weights, and most of keys and values at any time. */
  readonly footprint: { readonly weights: number; readonly cache: number };
  readonly notes: readonly string[];
}

/**
 * Runs a workload on one device, of which all others of its group do the same.
 * @throws InputError when it cannot run there
 */
export function serve(
  arch: Arch,
  workload: ServingWorkload,
  mapping: ServingMapping,
  options: ServeOptions = {},
): ServingRecord {
  const device = new Device(arch, isAlike(mapping));
  const executor = new Executor(device, mapping);
  const runner = new Runner(device, executor, workload, mapping);
  const iterations: IterationRecord[] = [];
  const run = (batch: Batch, now: number): IterationRecord => {
    const iteration = runner.run(batch, now);
    iterations.push(iteration);
    return iteration;
  };
  const served = workload.phase === 'serve' ? serveArrivals(workload, run, options) : null;
  if (served === null) {
    let done = 0;
    for (const batch of batches(workload)) {
      run(batch, device.now);
      options.onProgress?.(++done / (workload.phase === 'prefill' ? 1 : workload.generate));
    }
  }
  device.finish(iterations.at(-1)?.end ?? 0);
  return {
    device,
    executor,
    iterations,
    served: served ?? [],
    statistics: served && servingStatistics(served),
    footprint: runner.footprint,
    notes: notesOf(arch, workload),
  };
}

function serveArrivals(
  workload: ServingWorkload,
  run: (batch: Batch, now: number) => IterationRecord,
  { onProgress }: ServeOptions,
): readonly Served[] {
  const plan = schedule(workload);
  for (let now = 0; !plan.isDone; ) {
    const batch = plan.next(now);
    if (batch === null) {
      now = plan.nextArrival ?? now;
      continue;
    }
    now = run(batch, now).end;
    plan.finish(batch, now);
    onProgress?.(plan.served.length / workload.arrivals.size);
  }
  return plan.served;
}

/** What a reader of the result should know. */
function notesOf({ name, link }: Arch, { share, layers, model }: ServingWorkload): string[] {
  return [
    ...(share.tensor * share.data > 1 && link === null
      ? [`${name} says nothing of links between devices: what they send to each other takes no time`]
      : []),
    ...(layers < model.layers ? [`${layers} of ${model.layers} layers, without embeddings and the last product`] : []),
  ];
}

/** Whether every channel of the memory does the same: nothing that computes there is laid on channels one by one. */
function isAlike({ layout }: ServingMapping): boolean {
  const own = ['request', 'head'] as const;
  return (['keys', 'values'] as const).every((tensor) =>
    own.every((index) => !layout.get(tensor)?.get(index)?.includes('channel')),
  );
}

class Runner {
  readonly #device: Device;
  readonly #executor: Executor;
  readonly #workload: ServingWorkload;
  readonly #mapping: ServingMapping;
  readonly #channels: ChannelAssignment;

  constructor(device: Device, executor: Executor, workload: ServingWorkload, mapping: ServingMapping) {
    this.#device = device;
    this.#executor = executor;
    this.#workload = workload;
    this.#mapping = mapping;
    this.#channels = new ChannelAssignment(device.channels, mapping.channels);
    // Of the first iteration, the first layer: embeddings come before it.
    executor.watched = workload.isWhole ? 1 : 0;
  }

  footprint = { weights: 0, cache: 0 };

  /** All layers of the device, for all sub-batches; in a pipeline, those of every stage, one after another. */
  run(batch: Batch, start: number): IterationRecord {
    const { layers, pipeline, model, share, isWhole } = this.#workload;
    this.#checkRoom(batch);
    const parts = this.#parts(batch);
    let end = start;
    parts.forEach((part, subBatch) => {
      const lists = Array.from({ length: pipeline }, (_, stage) => {
        const [first, last] = stageLayers(layers, pipeline, stage);
        const own = Array.from({ length: last - first }, (_, i) => layerOperators(model, first + i, share, part));
        return stage < pipeline - 1 ? [...own, List([stageSend(model, share, part)])] : own;
      }).flat();
      const all = isWhole
        ? [embeddingOperators(model, share, part), ...lists, lmHeadOperators(model, share, part)]
        : lists;
      const next = (index: number, ps: number): void => {
        const operators = all[index];
        if (operators === undefined) end = Math.max(end, ps);
        else this.#executor.run(operators, index, subBatch, ps, (at) => next(index + 1, at));
      };
      this.#device.events.at(start, () => next(0, start));
    });
    this.#device.run();
    this.#executor.watched = null;
    const tokens = batch.decode.length + batch.prefill.reduce((sum, { queries }) => sum + queries, 0);
    return { start, end, prefill: batch.prefill.length, decode: batch.decode.length, tokens };
  }

  /** Checks that keys and values have room beside the weights, which are shared out over the stages of a pipeline. */
  #checkRoom(batch: Batch): void {
    const { model, share, layers, pipeline, isWhole } = this.#workload;
    const own = Math.ceil(layers / pipeline);
    const perToken = cacheBytesPerToken(model, share, own);
    const contexts = [...batch.prefill, ...batch.decode].reduce((sum, { context }) => sum + context, 0);
    this.footprint = {
      weights: weightBytesOf(model, share, own, isWhole),
      cache: Math.max(this.footprint.cache, perToken * contexts),
    };
    const mistakes = fits(this.footprint, this.#mapping, this.#device.arch);
    if (mistakes.length > 0) throw new InputError(mistakes);
  }

  #parts(batch: Batch): Batch[] {
    const { subBatches: count } = this.#mapping;
    const placed = this.#channels.place([...batch.decode, ...batch.prefill]);
    const decode = placed.slice(0, batch.decode.length);
    const prefill = placed.slice(batch.decode.length);
    if (count === 1) return [{ ...batch, prefill, decode }];
    const [prompts, tokens] = [prefill, decode].map((requests) =>
      subBatches(requests, count, ({ channel = 0 }) => channel),
    );
    return Array.from({ length: count }, (_, i) => ({ ...batch, prefill: prompts![i]!, decode: tokens![i]! })).filter(
      (part) => part.prefill.length + part.decode.length > 0,
    );
  }
}
