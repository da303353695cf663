/** Serves a language model on a machine, iteration by iteration. */
import { List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import type { ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { Batch } from '../../workloads/llm/batch.ts';
import { assignChannels, subBatches } from '../../workloads/llm/channels.ts';
import type { Attended } from '../../workloads/llm/operator.ts';
import { embeddingOperators, layerOperators, lmHeadOperators, stageSend } from '../../workloads/llm/operators.ts';
import { type Served, type ServingStatistics, servingStatistics } from '../../workloads/llm/schedule.ts';
import { batches, schedule, type ServingWorkload, stageLayers } from '../../workloads/llm/workload.ts';
import { Device } from './device.ts';
import { Executor } from './executor.ts';

/** One pass of a batch through the layers. Times in picoseconds. */
export interface IterationRecord {
  readonly start: number;
  end: number;
  readonly prefill: number;
  readonly decode: number;
}

/** Everything that a run leaves behind for reports. */
export interface ServingRecord {
  readonly device: Device;
  readonly executor: Executor;
  readonly iterations: readonly IterationRecord[];
  readonly served: readonly Served[];
  readonly statistics: ServingStatistics | null;
}

/** Runs a workload on one device, of which all others of its group do the same. @throws InputError when it cannot run there */
export function serve(arch: Arch, workload: ServingWorkload, mapping: ServingMapping): ServingRecord {
  const device = new Device(arch, isAlike(mapping));
  const executor = new Executor(device, mapping);
  const iterations: IterationRecord[] = [];
  const runner = new Runner(device, executor, workload, mapping);
  if (workload.phase !== 'serve') {
    for (const batch of batches(workload)) iterations.push(runner.run(batch, device.now));
    return { device, executor, iterations, served: [], statistics: null };
  }
  const plan = schedule(workload);
  for (let now = 0; !plan.isDone; ) {
    const batch = plan.next(now);
    if (batch === null) {
      now = plan.nextArrival ?? now;
      continue;
    }
    const iteration = runner.run(batch, now);
    iterations.push(iteration);
    now = iteration.end;
    plan.finish(batch, now);
  }
  return { device, executor, iterations, served: plan.served, statistics: servingStatistics(plan.served) };
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

  constructor(device: Device, executor: Executor, workload: ServingWorkload, mapping: ServingMapping) {
    this.#device = device;
    this.#executor = executor;
    this.#workload = workload;
    this.#mapping = mapping;
  }

  /** All layers of the device, for all sub-batches; in a pipeline, those of every stage, one after another. */
  run(batch: Batch, start: number): IterationRecord {
    const { layers, pipeline, model, share, isWhole } = this.#workload;
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
    return { start, end, prefill: batch.prefill.length, decode: batch.decode.length };
  }

  #parts(batch: Batch): Batch[] {
    const { subBatches: count, channels } = this.#mapping;
    const placed = assignChannels(batch.decode, this.#device.channels, channels, ({ context }) => context);
    const decode = batch.decode.map((one, i): Attended => ({ ...one, channel: placed[i] }));
    if (count === 1) return [{ ...batch, decode }];
    const [prompts, tokens] = [batch.prefill, decode].map((requests) =>
      subBatches(requests, count, ({ channel = 0 }) => channel),
    );
    return Array.from({ length: count }, (_, i) => ({ ...batch, prefill: prompts![i]!, decode: tokens![i]! })).filter(
      ({ prefill, decode: own }) => prefill.length + own.length > 0,
    );
  }
}
