/** A served model as a Result. */
import type { Arch } from '../../arch/language/arch.ts';
import { version } from '../../arch/language/library.ts';
import { costOf } from '../../arch/language/operations.ts';
import type { ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { Served } from '../../workloads/llm/schedule.ts';
import type { ServingWorkload } from '../../workloads/llm/workload.ts';
import type { EngineSite } from '../binding/topology.ts';
import { bottleneckOf, type Mover } from '../bottleneck.ts';
import { activities, busy, waitInput, waitMemory, waitOutput } from '../compute/account.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';
import { describedArch } from '../measure-arch.ts';
import { dramBandwidth, dramFigures, dramResult } from '../measure-dram.ts';
import { areaOf } from '../physical/area.ts';
import { type Activity, energyOf, type MemoryActivity, operationActions } from '../physical/energy.ts';
import {
  type EinsumResult,
  type EngineResult,
  type EngineTimeline,
  type MemoryResult,
  type Result,
  resultSchema,
  type Series,
  type ServingResult,
} from '../result.ts';
import type { Device } from './device.ts';
import type { OperatorRecord } from './executor.ts';
import { pimActivityOf, pimBandwidth } from './pim-activity.ts';
import type { ServingRecord } from './serve.ts';
import type { Unit } from './unit.ts';

export interface ServingSubject {
  readonly arch: Arch;
  readonly workload: ServingWorkload;
  readonly mapping: ServingMapping;
  /** `--set` options that made the arch. */
  readonly overrides: readonly string[];
}

export function measureServing(subject: ServingSubject, record: ServingRecord): Result {
  return new Measurement(subject, record).result();
}

class Measurement {
  readonly #subject: ServingSubject;
  readonly #record: ServingRecord;
  /** Picoseconds. */
  readonly #length: number;
  readonly #seconds: number;
  readonly #operators: readonly OperatorRecord[];

  constructor(subject: ServingSubject, record: ServingRecord) {
    this.#subject = subject;
    this.#record = record;
    this.#length = record.iterations.at(-1)?.end ?? 0;
    this.#seconds = this.#length / picosecondsPerSecond;
    this.#operators = [...record.executor.records.values()];
  }

  result(): Result {
    const { arch, workload, mapping, overrides } = this.#subject;
    const { device } = this.#record;
    const units = [device.array, device.vector].filter((unit) => unit !== null);
    const engines = units.map((unit) => this.#engine(unit));
    const einsums = this.#operators.map((operator) => this.#einsum(operator));
    const energy = energyOf(arch, this.#activity());
    const area = areaOf(arch);
    const clock = units[0]?.clock ?? device.memoryClock;
    return {
      schema: resultSchema,
      version,
      arch: describedArch(arch, overrides),
      workload: {
        name: workload.name,
        about: workload.about,
        source: workload.source,
        dtype: `${8 * workload.share.activations} bit`,
        ranks: {},
      },
      mapping: {
        name: mapping.name,
        sections: [
          {
            name: 'layers',
            repeat: 1,
            start: 0,
            end: this.#seconds,
            einsums: einsums.map(({ name }) => name),
            loops: [],
            interleave: mapping.subBatches,
            buffers: [],
          },
        ],
      },
      cycles: clock.cycleAtOrAfter(this.#length),
      clock: clock.name,
      seconds: this.#seconds,
      engines,
      memories: [this.#memory()],
      einsums,
      energy: { total: energy.total, by: energy.by },
      area: { total: area.total, by: area.by },
      bottleneck: bottleneckOf(engines, [this.#mover()], einsums),
      timelines: { engines: units.map((unit) => this.#timeline(unit)), bandwidth: this.#bandwidth() },
      serving: this.#serving(),
      notes: [...new Set([...this.#record.notes, ...energy.notes, ...area.notes])],
    };
  }

  #of(place: string): OperatorRecord[] {
    return this.#operators.filter((operator) => operator.place === place);
  }

  #engine(unit: Unit): EngineResult {
    const { totals } = unit.account;
    const cycles = unit.clock.cycleAtOrAfter(this.#length);
    const spent = totals.reduce((sum, n) => sum + n, 0);
    const site = this.#record.device.parts[unit.kind === 'array' ? 'array' : 'vector'];
    return {
      name: unit.name,
      kind: unit.kind === 'array' ? 'array' : 'vector',
      clock: unit.clock.name,
      cycles,
      busy: totals[busy]!,
      waitInput: totals[waitInput]!,
      waitOutput: totals[waitOutput]!,
      waitMemory: totals[waitMemory]!,
      idle: cycles - spent,
      utilization: cycles > 0 ? totals[busy]! / cycles : 0,
      ops: this.#of(unit.kind).reduce((sum, { operations }) => sum + total(operations), 0),
      peakOps: site ? peakOps(site) : 0,
      waits: [],
    };
  }

  #einsum({ name, place, start, end, operations, busy: cycles }: OperatorRecord): EinsumResult {
    const { device } = this.#record;
    const engine = { array: device.array?.name, vector: device.vector?.name, pim: device.memoryName, link: 'link' }[
      place
    ];
    return {
      name,
      text: name,
      engine: engine ?? place,
      start: start / picosecondsPerSecond,
      end: end / picosecondsPerSecond,
      busy: cycles,
      operations: total(operations),
      operators: Object.fromEntries(operations),
      section: 0,
    };
  }

  #memory(): MemoryResult {
    const { device } = this.#record;
    const { part } = device.parts.memory;
    const { bytesRead, bytesWritten } = device.traffic;
    return {
      name: device.memoryName,
      kind: 'memory',
      model: part.model,
      capacity: part.capacity * part.count,
      peakBytes: this.#record.footprint.weights + this.#record.footprint.cache,
      bytesRead,
      bytesWritten,
      bandwidth: this.#seconds > 0 ? (bytesRead + bytesWritten) / this.#seconds : 0,
      peakBandwidth: device.bytesPerSecond,
      ...memoryFigures(device, this.#seconds),
      tensors: {},
    };
  }

  #bandwidth(): Series[] {
    const { dram, pim, memoryName } = this.#record.device;
    if (dram) return [dramBandwidth(dram, this.#seconds)];
    return pim ? [pimBandwidth(memoryName, pim)] : [];
  }

  #mover(): Mover {
    const { device } = this.#record;
    const used = this.#length > 0 ? (device.dram ?? device.pim)!.busy / this.#length : 0;
    return { name: device.memoryName, used, does: 'serves requests', tensors: new Map() };
  }

  #activity(): Activity {
    const { device } = this.#record;
    const units = new Map<string, Map<string, number>>();
    for (const { place, operations } of this.#operators) {
      const site = place === 'array' || place === 'vector' ? device.parts[place] : null;
      if (!site) continue;
      const counts = units.get(site.path) ?? new Map<string, number>();
      units.set(site.path, counts);
      for (const [action, count] of operationActions(site.part.operations, operations)) {
        counts.set(action, (counts.get(action) ?? 0) + count);
      }
    }
    const memory: MemoryActivity = { ...device.traffic, dram: (device.dram ?? device.pim)! };
    return { units, registers: new Map(), memories: new Map([[device.memoryName, memory]]) };
  }

  #timeline(unit: Unit): EngineTimeline {
    const { bins } = unit.account;
    const end = unit.clock.cycleAtOrAfter(this.#length);
    const series = activities.map((_, kind) => bins.series(kind, end).map((cycles) => cycles / bins.width));
    const [busyPart = [], input = [], output = [], memory = []] = series;
    return {
      engine: unit.name,
      bin: bins.width / unit.clock.hertz,
      busy: busyPart,
      waitInput: input,
      waitOutput: output,
      waitMemory: memory,
      idle: busyPart.map((_, i) => {
        const covered = Math.min(1, end / bins.width - i);
        return Math.max(0, covered - series.reduce((sum, values) => sum + values[i]!, 0));
      }),
    };
  }

  #serving(): ServingResult {
    const { workload, mapping } = this.#subject;
    const { iterations, statistics, footprint, served, executor } = this.#record;
    const waiting =
      statistics &&
      waitingAt(
        iterations.map(({ start }) => start),
        served,
      );
    const { model, phase, share, layers, pipeline } = workload;
    const tokens =
      phase === 'serve'
        ? served.reduce((sum, { output }) => sum + output, 0)
        : iterations.reduce((sum, one) => sum + one.tokens, 0);
    return {
      model: model.name,
      phase,
      layers,
      modelLayers: model.layers,
      tensor: share.tensor,
      pipeline,
      data: share.data,
      subBatches: mapping.subBatches,
      weightBytes: footprint.weights,
      cacheBytes: footprint.cache,
      iterations: iterations.map(({ start, end, prefill, decode }, i) => ({
        start: start / picosecondsPerSecond,
        seconds: (end - start) / picosecondsPerSecond,
        prefill,
        decode,
        ...(waiting && { waiting: waiting[i]! }),
      })),
      tokens,
      tokensPerSecond: this.#seconds > 0 ? tokens / this.#seconds : 0,
      operators: this.#operators.map(({ name, kind, place, runs, time, waited, flops, bytes }) => ({
        name,
        kind,
        on: place,
        runs,
        seconds: time / picosecondsPerSecond,
        waited: waited / picosecondsPerSecond,
        flops,
        bytes,
      })),
      firstLayer: executor.runs.map(({ name, place, subBatch, start, end }) => ({
        name,
        on: place,
        subBatch,
        start: start / picosecondsPerSecond,
        end: end / picosecondsPerSecond,
      })),
      ...(statistics && {
        requests: {
          count: statistics.requests,
          queue: statistics.queue,
          firstToken: statistics.firstToken,
          betweenTokens: statistics.betweenTokens,
          endToEnd: statistics.endToEnd,
        },
      }),
    };
  }
}

/** At each of some times, in their order: requests that had arrived by then, and begin later. */
function waitingAt(times: readonly number[], served: readonly Served[]): number[] {
  const sorted = (of: (one: Served) => number): number[] => served.map(of).toSorted((a, b) => a - b);
  const [arrived, started] = [sorted(({ at }) => at), sorted((one) => one.started)];
  let [came, began] = [0, 0];
  return times.map((time) => {
    while (came < arrived.length && arrived[came]! <= time) came++;
    while (began < started.length && started[began]! <= time) began++;
    return came - began;
  });
}

function memoryFigures({ dram, pim, parts }: Device, seconds: number) {
  if (dram) return { ...dramFigures(dram), dram: dramResult(dram, parts.dram, seconds) };
  const { names, commands } = pim!;
  return {
    pim: pimActivityOf(pim!),
    commands: Object.fromEntries(names.map((name, i) => [name, commands[i]!])),
    rowHits: 0,
    rowMisses: 0,
    rowConflicts: 0,
    averageReadLatency: 0,
  };
}

function total(operations: ReadonlyMap<string, number>): number {
  return [...operations.values()].reduce((sum, count) => sum + count, 0);
}

/** Operations per second of an engine at the cheapest operation that it has. */
function peakOps({ part, hertz }: EngineSite): number {
  const units = (part.kind === 'array' ? part.rows * part.columns : part.lanes) * part.count;
  const cycles = [...part.operations.keys()].map((name) => costOf(part.operations, name)?.cycles ?? Number.NaN);
  return cycles.length > 0 ? (units * hertz) / Math.min(...cycles) : 0;
}
