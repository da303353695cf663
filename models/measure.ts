/** A finished run as a Result. */

import type { Arch } from '../arch/language/arch.ts';
import { costOf } from '../arch/language/operations.ts';
import { bitsOf } from '../arch/language/units.ts';
import { einsumText } from '../workloads/language/describe.ts';
import { operatorsPerPoint } from '../workloads/language/shapes.ts';
import { sparsityText } from '../workloads/language/sparsity.ts';
import { accessesOf, type Einsum, einsumsOf, type Workload } from '../workloads/language/workload.ts';
import { workloadOf } from './binding/cores.ts';
import { matricesOf } from './binding/matrices.ts';
import { elementBytes } from './binding/plan.ts';
import { type Folds, foldsOf, type Program } from './binding/program.ts';
import { type EngineSite, readName, Topology } from './binding/topology.ts';
import { bottleneckOf, type Mover } from './bottleneck.ts';
import { activities, busy, waitInput, waitMemory, waitOutput } from './compute/account.ts';
import { ComputingMemory } from './computing-memory.ts';
import { halfWidth, type Spread, together } from './kernel/estimate.ts';
import type { EngineRecord, OpRecord, RunRecord } from './machine.ts';
import { describedArch } from './measure-arch.ts';
import {
  addVectors,
  computingBandwidth,
  computingFigures,
  lossesOf,
  memoryClocks,
  peakOpsOf,
} from './measure-computing.ts';
import { dramBandwidth, dramFigures, dramResult } from './measure-dram.ts';
import { type RegisterWords, registerWords, summedWords } from './measure-registers.ts';
import { Dram } from './memory/dram/memory.ts';
import { Port } from './memory/port.ts';
import { areaOf } from './physical/area.ts';
import { type Activity, energyOf, type MemoryActivity, operationActions } from './physical/energy.ts';
import {
  type EinsumResult,
  type EngineResult,
  type EngineTimeline,
  type FastForwardResult,
  type FoldsResult,
  type MemoryResult,
  type Result,
  resultSchema,
  type SectionResult,
  type Series,
} from './result.ts';

export interface RunSubject {
  readonly arch: Arch;
  readonly workload: Workload;
  readonly program: Program;
  /** `--set` options that made the arch. */
  readonly overrides: readonly string[];
  /** Program version. */
  readonly version: string;
}

export function measure(subject: RunSubject, record: RunRecord): Result {
  return new Measurement(subject, record).result();
}

class Measurement {
  readonly #subject: RunSubject;
  readonly #record: RunRecord;
  readonly #topology: Topology;
  /** With the einsums that binding has made. */
  readonly #workload: Workload;
  readonly #einsums: ReadonlyMap<string, Einsum>;
  readonly #seconds: number;

  constructor(subject: RunSubject, record: RunRecord) {
    this.#subject = subject;
    this.#record = record;
    this.#topology = new Topology(subject.arch);
    const sections = subject.program.phases.flatMap((phase) => phase.sections);
    this.#workload = workloadOf(subject.workload, sections);
    this.#einsums = new Map(einsumsOf(this.#workload).map((einsum) => [einsum.name, einsum]));
    this.#seconds = record.length / record.unitsPerSecond;
  }

  #secondsAt(time: number): number {
    return time / this.#record.unitsPerSecond;
  }

  result(): Result {
    const { arch, workload, program, overrides, version } = this.#subject;
    const engines = this.#record.engines.map((engine) => this.#engine(engine));
    const memories = this.#ports.flatMap(({ name }) => this.#memory(name) ?? []);
    const einsums = this.#computing().map((op) => this.#einsum(op));
    const energy = energyOf(arch, this.#activity());
    const area = areaOf(arch);
    const machine = describedArch(arch, overrides);
    const main = this.#main;
    return {
      schema: resultSchema,
      version,
      arch: { ...machine, clocks: { ...machine.clocks, ...memoryClocks(this.#record) } },
      workload: {
        name: workload.name,
        about: workload.about,
        source: workload.source,
        dtype: workload.dtype,
        ranks: workload.ranks.toObject(),
      },
      mapping: { name: program.mapping, sections: this.#sections() },
      cycles: main.clock.cycleAtOrAfter(this.#record.length),
      clock: main.clock.name,
      seconds: this.#seconds,
      engines,
      memories,
      einsums,
      energy: { total: energy.total, by: energy.by },
      area: { total: area.total, by: area.by },
      bottleneck: bottleneckOf(engines, this.#movers(), einsums),
      timelines: { engines: this.#record.engines.map((e) => this.#timeline(e)), bandwidth: this.#bandwidth() },
      fastForward: this.#fastForward(),
      notes: [
        ...new Set([
          ...this.#narrowEngines(),
          ...this.#denseArrays(),
          ...lossesOf(this.#record),
          ...energy.notes,
          ...area.notes,
        ]),
      ],
    };
  }

  /** The engine whose clock the run is told in. */
  get #main(): EngineRecord {
    return this.#record.engines.find((e) => e.kind === 'array') ?? this.#record.engines[0]!;
  }

  #fastForward(): FastForwardResult {
    const { unskipped, sections, unitsPerSecond, isSampled } = this.#record;
    const seconds = (spread: Spread): number => halfWidth(spread) / unitsPerSecond;
    const all = seconds(together(sections.map(({ spread }) => spread)));
    return {
      ...(unskipped && { off: unskipped }),
      sections: sections.map(({ rounds, skipped, spread }) => ({
        rounds,
        run: rounds - skipped,
        ...(isSampled && skipped > 0
          ? { used: 'sampled' as const, seconds: seconds(spread) }
          : { used: 'exact' as const }),
      })),
      ...(isSampled &&
        sections.some(({ skipped }) => skipped > 0) && {
          interval: { cycles: Math.ceil(all * this.#main.clock.hertz), seconds: all },
        }),
    };
  }

  /** Without those of a group's cores where it works in lockstep, and the other way round. */
  get #ports(): (Port | Dram | ComputingMemory)[] {
    const groupOf = (name: string) => this.#topology.groupOf(readName(name).path);
    const split = new Set(this.#record.engines.filter(({ name }) => isOnCore(name)).map(({ name }) => groupOf(name)));
    return [...this.#record.ports.values()].filter(({ name, reads, writes }) => {
      return reads + writes > 0 || !groupOf(name) || split.has(groupOf(name)) === isOnCore(name);
    });
  }

  /** The machine as a part of this name sees it: one core of its group, or everything. */
  #topologyOf(name: string): Topology {
    const group = this.#topology.groupOf(readName(name).path);
    return group && isOnCore(name) ? this.#topology.core(group.path) : this.#topology;
  }

  #site(engine: string): EngineSite | undefined {
    return this.#topologyOf(engine).engine(readName(engine).path);
  }

  /** Engines whose words are narrower than the workload's, which Clockwright does not widen. */
  #narrowEngines(): string[] {
    const { dtype } = this.#subject.workload;
    return this.#topology.engines.flatMap(({ path, part }) => {
      const word = part.registers?.dtype ?? dtype;
      if (bitsOf(word) >= bitsOf(dtype) || !this.#computing().some((op) => readName(op.engine.name).path === path))
        return [];
      return [
        `${path} computes ${word}, the workload is ${dtype}: cycles and energy are those of ${word}, bytes those of ${dtype}`,
      ];
    });
  }

  /** Arrays that compute the zeros of sparse tensors. */
  #denseArrays(): string[] {
    const { tensors } = this.#subject.workload;
    return this.#computing().flatMap(({ engine, name }) => {
      const { path } = readName(engine.name);
      const part = this.#topology.engine(path)?.part;
      if (part?.kind !== 'array' || part.sparsity === 'structured') return [];
      return accessesOf(this.#einsums.get(name)!.expression).flatMap(({ tensor }) => {
        const sparsity = tensors.get(tensor)?.sparsity;
        if (!sparsity) return [];
        const pattern = sparsityText(sparsity);
        return [
          `${path} computes all of ${tensor}, which is ${pattern}: "sparsity: structured" would pass over its zeros`,
        ];
      });
    });
  }

  #computing(): OpRecord[] {
    return this.#record.ops.filter((op) => op.engine.kind !== 'dma');
  }

  /** Those of engines with registers and units of their own. */
  #onEngines(): OpRecord[] {
    return this.#computing().filter((op) => op.engine.kind !== 'pim');
  }

  #operators(record: OpRecord): Map<string, number> {
    const perPoint = operatorsPerPoint(this.#einsums.get(record.name)!);
    return new Map([...perPoint].map(([operator, count]) => [operator, count * record.points]));
  }

  #registerWords(record: OpRecord): RegisterWords {
    return registerWords(this.#record, record, this.#einsums.get(record.name)!, this.#workload);
  }

  #engine(record: EngineRecord): EngineResult {
    const cycles = record.clock.cycleAtOrAfter(this.#record.length);
    const totals = record.account.totals;
    const spent = totals.reduce((sum, n) => sum + n, 0);
    const own = this.#computing().filter((op) => op.engine === record);
    const site = this.#site(record.name);
    return {
      name: record.name,
      kind: record.kind,
      clock: record.clock.name,
      cycles,
      busy: totals[busy]!,
      waitInput: totals[waitInput]!,
      waitOutput: totals[waitOutput]!,
      waitMemory: totals[waitMemory]!,
      idle: cycles - spent,
      utilization: cycles > 0 ? totals[busy]! / cycles : 0,
      ops: own.reduce((sum, op) => [...this.#operators(op).values()].reduce((n, count) => n + count, sum), 0),
      peakOps: site ? peakOps(site) : peakOpsOf(this.#record.ports.get(record.name)),
      waits: [...record.waits.values()]
        .sort((a, b) => b.cycles - a.cycles || (a.tensor < b.tensor ? -1 : 1))
        .map(({ activity, tensor, part, cycles: waited }) => ({
          reason: reasons[activity]!,
          tensor,
          part,
          cycles: waited,
        })),
      ...(record.kind !== 'dma' &&
        record.kind !== 'pim' && {
          registers: Object.fromEntries(summedWords(own.map((op) => this.#registerWords(op)))),
        }),
    };
  }

  #movers(): Mover[] {
    return this.#ports.map((port) => {
      const { name, bytesRead, bytesWritten, bytesPerSecond } = port;
      const tensors = new Map<string, number>();
      for (const op of this.#record.ops) {
        for (const [key, bytes] of op.moved.get(name) ?? []) {
          const [tensor] = key.split(' ') as [string];
          tensors.set(tensor, (tensors.get(tensor) ?? 0) + bytes);
        }
      }
      if (!(port instanceof Port)) {
        const used = this.#record.length > 0 ? port.busy / this.#record.length : 0;
        return { name, used, does: 'serves requests', tensors };
      }
      const used = this.#seconds > 0 ? (bytesRead + bytesWritten) / bytesPerSecond / this.#seconds : 0;
      return { name, used, does: 'moves data', tensors };
    });
  }

  /** Null for the ports of dmas and links, whose traffic is the memories'. */
  #memory(name: string): MemoryResult | null {
    const memory = this.#topology.memory(name);
    const pad = this.#topologyOf(name).pad(readName(name).path);
    if (!memory && !pad) return null;
    const port = this.#record.ports.get(name)!;
    const tensors: MemoryResult['tensors'] = {};
    for (const op of this.#record.ops) {
      for (const [key, bytes] of op.moved.get(name) ?? []) {
        const [tensor, direction] = key.split(' ') as [string, 'read' | 'written'];
        tensors[tensor] ??= { read: 0, written: 0 };
        tensors[tensor][direction] += bytes;
      }
    }
    if (port instanceof ComputingMemory) addVectors(port, tensors);
    return {
      name,
      kind: memory ? 'memory' : 'scratchpad',
      model: memory ? memory.part.model : 'scratchpad',
      capacity: memory ? memory.part.capacity * memory.part.count : pad!.part.capacity * pad!.part.count,
      peakBytes: memory ? this.#residentBytes() : this.#bufferedBytes(name),
      bytesRead: port.bytesRead,
      bytesWritten: port.bytesWritten,
      bandwidth: this.#seconds > 0 ? (port.bytesRead + port.bytesWritten) / this.#seconds : 0,
      peakBandwidth: port.bytesPerSecond,
      ...this.#figures(port),
      tensors,
      ...(port instanceof Dram && memory?.part.dram ? { dram: dramResult(port, memory.part.dram, this.#seconds) } : {}),
    };
  }

  #figures(port: Port | Dram | ComputingMemory) {
    if (port instanceof Dram) return dramFigures(port);
    return port instanceof Port ? portFigures(port, this.#record.unitsPerSecond) : computingFigures(port);
  }

  /** Tensors that live in main memory: inputs, outputs, and what passes from one section to another. */
  #residentBytes(): number {
    const bytesOf = elementBytes(this.#workload, bitsOf);
    const moved = new Set([
      ...this.#record.ops.filter((op) => op.engine.kind === 'dma').map((op) => op.name),
      ...matricesOf(this.#subject.program),
    ]);
    return this.#workload.tensors
      .valueSeq()
      .filter((tensor) => moved.has(tensor.name))
      .reduce(
        (sum, tensor) =>
          sum + bytesOf(tensor.name) * tensor.instances * tensor.shape.reduce((n, extent) => n * extent, 1),
        0,
      );
  }

  #bufferedBytes(pad: string): number {
    const perSection = this.#record.sections.map(({ section }) =>
      section.buffers.filter((buffer) => buffer.memory === pad).reduce((sum, buffer) => sum + buffer.bytes, 0),
    );
    return Math.max(0, ...perSection);
  }

  #einsum(record: OpRecord): EinsumResult {
    const operators = this.#operators(record);
    const { clock } = record.engine;
    return {
      name: record.name,
      text: einsumText(this.#einsums.get(record.name)!),
      engine: record.engine.name,
      start: this.#secondsAt(clock.edge(record.start)),
      end: this.#secondsAt(clock.edge(record.end)),
      busy: record.busyCycles,
      operations: [...operators.values()].reduce((sum, count) => sum + count, 0),
      operators: Object.fromEntries(operators),
      section: record.section,
    };
  }

  #sections(): SectionResult[] {
    return this.#record.sections.map(({ section, repeat, start, end }) => ({
      name: section.name,
      repeat,
      start: this.#secondsAt(start),
      end: this.#secondsAt(end),
      einsums: section.einsums.toArray(),
      loops: section.loops.toArray().map((loop) => ({
        rank: loop.name,
        trips: loop.trips,
        tile: section.tiles.get(loop.variable)!.tile,
      })),
      interleave: section.interleave,
      buffers: section.buffers.toArray().map(({ memory, tensor, bytes, tiles }) => ({ memory, tensor, bytes, tiles })),
      ...foldsResult(foldsOf(section)),
    }));
  }

  #activity(): Activity {
    const units = new Map<string, Map<string, number>>();
    const registers = new Map<string, { reads: number; writes: number }>();
    for (const record of this.#onEngines()) {
      const { path } = readName(record.engine.name);
      const einsum = this.#einsums.get(record.name)!;
      const { points } = record;
      const counts = units.get(path) ?? new Map<string, number>();
      units.set(path, counts);
      const actions = operationActions(this.#topology.engine(path)!.part.operations, operatorsPerPoint(einsum));
      for (const [action, perPoint] of actions) counts.set(action, (counts.get(action) ?? 0) + perPoint * points);
      const words = registers.get(path) ?? { reads: 0, writes: 0 };
      for (const { read, written } of this.#registerWords(record).values()) {
        words.reads += read;
        words.writes += written;
      }
      registers.set(path, words);
    }
    const memories = new Map<string, MemoryActivity>();
    for (const port of this.#record.ports.values()) {
      const { path } = readName(port.name);
      const moved = memories.get(path) ?? { bytesRead: 0, bytesWritten: 0 };
      const bytesRead = moved.bytesRead + port.bytesRead;
      const bytesWritten = moved.bytesWritten + port.bytesWritten;
      memories.set(path, { bytesRead, bytesWritten, ...dramActivity(port) });
    }
    return { units, registers, memories };
  }

  #timeline(record: EngineRecord): EngineTimeline {
    const { bins } = record.account;
    const end = record.clock.cycleAtOrAfter(this.#record.length);
    const series = activities.map((_, kind) => bins.series(kind, end).map((cycles) => cycles / bins.width));
    const idle = series[busy]!.map((_, i) => {
      const covered = Math.min(1, end / bins.width - i);
      return Math.max(0, covered - series.reduce((sum, values) => sum + values[i]!, 0));
    });
    return {
      engine: record.name,
      bin: bins.width / record.clock.hertz,
      busy: series[busy]!,
      waitInput: series[waitInput]!,
      waitOutput: series[waitOutput]!,
      waitMemory: series[waitMemory]!,
      idle,
    };
  }

  #bandwidth(): Series[] {
    return this.#ports.map((port) => {
      if (port instanceof Dram) return dramBandwidth(port, this.#seconds);
      if (port instanceof ComputingMemory) return computingBandwidth(port);
      const { name, timeline } = port;
      const bin = this.#secondsAt(timeline.width);
      return {
        name,
        unit: 'B/s',
        bin,
        values: timeline.series(0, this.#record.length).map((bytes) => bytes / bin),
      };
    });
  }
}

function dramActivity(port: Port | Dram | ComputingMemory): Pick<MemoryActivity, 'dram'> {
  if (port instanceof Port) return {};
  return { dram: port instanceof Dram ? port : port.memory };
}

function portFigures({ reads, writes, readLatencySum }: Port, unitsPerSecond: number) {
  return {
    commands: { read: reads, write: writes },
    rowHits: 0,
    rowMisses: 0,
    rowConflicts: 0,
    averageReadLatency: reads > 0 ? readLatencySum / reads / unitsPerSecond : 0,
  };
}

function foldsResult(folds: Folds | null): { folds?: FoldsResult } {
  if (folds === null) return {};
  const { sides: _, block: __, ...figures } = folds.toObject();
  return { folds: figures };
}

const reasons: { readonly [activity: number]: 'input' | 'output' | 'memory' } = {
  [waitInput]: 'input',
  [waitOutput]: 'output',
  [waitMemory]: 'memory',
};

/** Whether it is a core's own among several. */
function isOnCore(name: string): boolean {
  return readName(name).core !== null;
}

/** Operations per second of an engine at the cheapest operation that it has. */
function peakOps({ part, hertz }: EngineSite): number {
  const units = (part.kind === 'array' ? part.rows * part.columns : part.lanes) * part.count;
  const fastest = Math.min(...part.operations.keySeq().map((name) => costOf(part.operations, name)!.cycles));
  return Number.isFinite(fastest) ? (units * hertz) / fastest : 0;
}
