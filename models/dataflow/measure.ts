/** A graph that ran on an RDU as a Result. */
import { version } from '../../arch/language/library.ts';
import type { DataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import { bottleneckOf } from '../bottleneck.ts';
import { describedArch } from '../measure-arch.ts';
import { areaOf } from '../physical/area.ts';
import { energyOf } from '../physical/energy.ts';
import {
  type DataflowResult,
  type EinsumResult,
  type EngineResult,
  type MemoryResult,
  type PipelineResult,
  type Result,
  resultSchema,
  type SectionResult,
} from '../result.ts';
import type { FlowOperator } from './graph.ts';
import { Grid } from './grid.ts';
import type { GraphRun, GraphStep } from './run.ts';

export interface DataflowSubject {
  readonly workload: Result['workload'];
  readonly mapping: DataflowMapping;
  readonly overrides: readonly string[];
}

export function measureDataflow(subject: DataflowSubject, run: GraphRun): Result {
  return new Measurement(subject, run).result();
}

class Measurement {
  readonly #subject: DataflowSubject;
  readonly #run: GraphRun;
  readonly #grid: Grid;
  /** Cycles at which the first repetition of each step begins, and from one repetition to the next. */
  readonly #starts: { readonly first: number; readonly period: number }[];

  constructor(subject: DataflowSubject, run: GraphRun) {
    this.#subject = subject;
    this.#run = run;
    this.#grid = new Grid(run.device);
    this.#starts = startsOf(run);
  }

  result(): Result {
    const { workload, mapping, overrides } = this.#subject;
    const { device, cycles, seconds } = this.#run;
    const { arch, path } = device;
    const engines = this.#engines();
    const einsums = this.#einsums();
    const memories = [this.#memory(), this.#pmus()];
    const activity = memories.map(({ name, bytesRead, bytesWritten }) => [name, { bytesRead, bytesWritten }] as const);
    const energy = energyOf(arch, { units: new Map(), registers: new Map(), memories: new Map(activity) });
    const area = areaOf(arch);
    return {
      schema: resultSchema,
      version,
      arch: describedArch(arch, overrides),
      workload,
      mapping: { name: mapping.name, sections: this.#sections() },
      cycles,
      clock: device.clock,
      seconds,
      engines,
      memories,
      einsums,
      energy: { total: energy.total, by: energy.by },
      area: { total: area.total, by: area.by },
      bottleneck: bottleneckOf(engines, [this.#mover()], einsums),
      timelines: { engines: [], bandwidth: [] },
      dataflow: this.#dataflow(),
      notes: [...energy.notes, ...area.notes, `energy and area of ${path} are not counted`],
    };
  }

  /** A stage of the same name in several sections is one engine; it is idle in all others, and while kernels are launched. */
  #engines(): EngineResult[] {
    const engines = new Map<string, EngineResult>();
    const { cycles, device, steps } = this.#run;
    for (const { repeat, run } of steps) {
      run.placed.spec.stages.forEach(({ name }, i) => {
        const account = run.pipeline.stages[i];
        if (account === undefined) throw new Error(`${name} has no account`);
        const operator = run.placed.operators.find((placed) => placed.operator.name === name);
        const known = engines.get(name);
        const engine = known ?? emptyEngine(name, kindOf(operator?.operator), device.clock, cycles);
        engine.busy += repeat * account.busy;
        engine.waitInput += repeat * account.waitInput;
        engine.waitOutput += repeat * account.waitOutput;
        engine.waitMemory += repeat * account.waitMemory;
        engine.ops += operator ? repeat * operator.operator.flops : 0;
        engine.peakOps = Math.max(engine.peakOps, (operator?.pcus ?? 0) * this.#pcuRate());
        for (const wait of waitsOf(run, i)) addWait(engine, { ...wait, cycles: repeat * wait.cycles });
        engines.set(name, engine);
      });
    }
    for (const engine of engines.values()) {
      engine.idle = cycles - engine.busy - engine.waitInput - engine.waitOutput - engine.waitMemory;
      engine.utilization = cycles > 0 ? engine.busy / cycles : 0;
      engine.waits.sort((a, b) => b.cycles - a.cycles);
    }
    return [...engines.values()];
  }

  /** Operations of a PCU in a second, a multiply-add as two. */
  #pcuRate(): number {
    const { lanes, stages } = this.#run.device.part.pcu;
    return 2 * lanes * stages * this.#run.device.hertz;
  }

  #einsums(): EinsumResult[] {
    const { hertz } = this.#run.device;
    return this.#run.steps.flatMap(({ run, repeat }, step) =>
      run.placed.operators.map(({ operator }): EinsumResult => {
        const stage = run.placed.spec.stages.findIndex(({ name }) => name === operator.name);
        const account = run.pipeline.stages[stage];
        const first = this.#starts[step]?.first ?? 0;
        return {
          name: operator.name,
          text: `${operator.operands.map(({ tensor }) => tensor).join(', ')} -> ${operator.results.join(', ')}`,
          engine: operator.name,
          start: (first + (account?.start ?? 0)) / hertz,
          end: (first + (account?.end ?? 0)) / hertz,
          busy: repeat * (account?.busy ?? 0),
          operations: repeat * operator.flops,
          operators: operatorsOf(operator, repeat),
          section: step,
        };
      }),
    );
  }

  #sections(): SectionResult[] {
    const { hertz, path } = this.#run.device;
    return this.#run.steps.map(({ run, repeat, block }, i): SectionResult => {
      const { first, period } = this.#starts[i] ?? { first: 0, period: 0 };
      const { section, buffers } = run.placed;
      return {
        name: `${block}: ${section.title}`,
        repeat,
        start: first / hertz,
        end: (first + (repeat - 1) * period + run.pipeline.cycles) / hertz,
        einsums: section.operators.toArray().map(({ name }) => name),
        loops: [{ rank: 'tiles', trips: section.tiles, tile: this.#subject.mapping.tile }],
        interleave: this.#subject.mapping.buffers,
        buffers: buffers.map(({ name, credits, tokenBytes }) => {
          return { memory: `${path}.pmus`, tensor: name, bytes: credits * tokenBytes, tiles: credits };
        }),
      };
    });
  }

  #memory(): MemoryResult {
    const { device, steps, seconds, bytesRead, bytesWritten } = this.#run;
    const { path, part, bandwidth } = device.memory;
    const tensors = new Map<string, { read: number; written: number }>();
    for (const { run, repeat } of steps) {
      for (const [name, { read, written }] of run.traffic) {
        const known = tensors.get(name) ?? { read: 0, written: 0 };
        tensors.set(name, { read: known.read + repeat * read, written: known.written + repeat * written });
      }
    }
    return {
      ...emptyMemory(path, 'memory', part.model, part.capacity),
      bytesRead,
      bytesWritten,
      bandwidth: seconds > 0 ? (bytesRead + bytesWritten) / seconds : 0,
      peakBandwidth: bandwidth,
      tensors: Object.fromEntries(tensors),
    };
  }

  /** All PMUs together. */
  #pmus(): MemoryResult {
    const { device, steps, seconds } = this.#run;
    const { part, path, hertz } = device;
    const moved = { read: 0, written: 0 };
    let peakBytes = 0;
    for (const { run, repeat } of steps) {
      const { flows } = run.placed.routes;
      for (const { into, bytes } of flows) moved[into ? 'written' : 'read'] += repeat * Math.round(bytes);
      const held = run.placed.buffers.reduce((sum, { credits, tokenBytes }) => sum + credits * tokenBytes, 0);
      peakBytes = Math.max(peakBytes, held);
    }
    const port = part.pmu.read.per === 'cycle' ? part.pmu.read.bytes * hertz : part.pmu.read.bytes;
    return {
      ...emptyMemory(`${path}.pmus`, 'scratchpad', 'pmus', part.capacity),
      peakBytes,
      bytesRead: moved.read,
      bytesWritten: moved.written,
      bandwidth: seconds > 0 ? (moved.read + moved.written) / seconds : 0,
      peakBandwidth: 2 * part.pmus * port,
    };
  }

  #mover(): Parameters<typeof bottleneckOf>[1][number] {
    const { device, seconds, bytesRead, bytesWritten } = this.#run;
    const tensors = Object.entries(this.#memory().tensors).map(
      ([name, { read, written }]) => [name, read + written] as const,
    );
    const used = seconds > 0 ? (bytesRead + bytesWritten) / (device.memory.bandwidth * seconds) : 0;
    return { name: device.memory.path, used, does: 'moves data', tensors: new Map(tensors) };
  }

  #dataflow(): DataflowResult {
    const { device, kernels, launchCycles, flops, bytesRead, bytesWritten, steps } = this.#run;
    const { rows, columns } = device.part.grid;
    return {
      rows,
      columns,
      launch: this.#subject.mapping.launch,
      kernels,
      launchSeconds: launchCycles / device.hertz,
      flops,
      intensity: flops / Math.max(1, bytesRead + bytesWritten),
      sections: steps.map((step) => this.#pipeline(step)),
    };
  }

  #pipeline({ block, repeat, run }: GraphStep): PipelineResult {
    const { placed, pipeline } = run;
    const stages = placed.spec.stages.map((stage, i): PipelineResult['stages'][number] => {
      const { busy, waitInput, waitOutput, waitMemory, idle } = pipeline.stages[i]!;
      const found = placed.operators.find(({ operator }) => operator.name === stage.name);
      const sites = Array.from({ length: found?.pcus ?? 0 }, (_, pcu) => this.#grid.pcuSite((found?.first ?? 0) + pcu));
      const kind = found?.operator.kind ?? (stage.name.startsWith('load ') ? 'load' : 'store');
      const account = { busy, waitInput, waitOutput, waitMemory, idle };
      return { name: stage.name, kind, sites, tiles: stage.firings, interval: stage.interval, ...account };
    });
    const busiest = stages.reduce((most, stage) => (stage.busy > most.busy ? stage : most));
    const most = this.#grid.linkRate * Math.max(1, pipeline.cycles);
    return {
      name: `${block}: ${placed.section.title}`,
      repeat,
      cycles: pipeline.cycles,
      tiles: placed.section.tiles,
      bottleneck: busiest.name,
      stages,
      links: Array.from(placed.routes.linkBytes, (bytes) => bytes / most),
    };
  }
}

/** Sections of a block follow one another, then the block is repeated; each is launched before it runs. */
function startsOf({ steps, launchCycles, kernels }: GraphRun): { first: number; period: number }[] {
  const launch = kernels > 0 ? launchCycles / kernels : 0;
  const starts: { first: number; period: number }[] = [];
  let now = 0;
  for (let i = 0; i < steps.length; ) {
    const begin = i;
    const first = now;
    const block = steps[i]!;
    while (i < steps.length && steps[i]!.blockIndex === block.blockIndex) {
      starts.push({ first: now + launch, period: 0 });
      now += launch + steps[i]!.run.pipeline.cycles;
      i++;
    }
    const period = now - first;
    for (let s = begin; s < i; s++) starts[s] = { first: starts[s]!.first, period };
    now = first + block.repeat * period;
  }
  return starts;
}

function kindOf(operator: FlowOperator | undefined): EngineResult['kind'] {
  if (operator === undefined || operator.kind === 'exchange') return 'dma';
  return operator.kind === 'product' ? 'array' : 'vector';
}

function waitsOf(run: GraphStep['run'], stage: number): EngineResult['waits'] {
  const { stages, channels } = run.placed.spec;
  return channels.flatMap(({ name, from, to }, c): EngineResult['waits'] => {
    const { token = 0, room = 0 } = run.pipeline.waits[c] ?? {};
    const isLoad = stages[from]!.name.startsWith('load ');
    const tokens = {
      reason: isLoad ? 'memory' : 'input',
      tensor: name,
      part: stages[from]!.name,
      cycles: token,
    } as const;
    const rooms = { reason: 'output', tensor: name, part: stages[to]!.name, cycles: room } as const;
    return [...(to === stage && token > 0 ? [tokens] : []), ...(from === stage && room > 0 ? [rooms] : [])];
  });
}

function addWait(engine: EngineResult, wait: EngineResult['waits'][number]): void {
  const { reason, tensor, part, cycles } = wait;
  const known = engine.waits.find((one) => one.reason === reason && one.tensor === tensor && one.part === part);
  if (known) known.cycles += cycles;
  else engine.waits.push(wait);
}

function operatorsOf({ product, operations }: FlowOperator, repeat: number): { [operator: string]: number } {
  if (product) return { mac: repeat * product.batch * product.m * product.n * product.k };
  return Object.fromEntries([...operations].map(([name, times]) => [name, repeat * times]));
}

function emptyEngine(name: string, kind: EngineResult['kind'], clock: string, cycles: number): EngineResult {
  const account = { busy: 0, waitInput: 0, waitOutput: 0, waitMemory: 0, idle: 0, utilization: 0 };
  return { name, kind, clock, cycles, ...account, ops: 0, peakOps: 0, waits: [] };
}

function emptyMemory(name: string, kind: MemoryResult['kind'], model: string, capacity: number): MemoryResult {
  const rows = { rowHits: 0, rowMisses: 0, rowConflicts: 0, averageReadLatency: 0 };
  const traffic = { bytesRead: 0, bytesWritten: 0, bandwidth: 0, peakBandwidth: 0 };
  return { name, kind, model, capacity, peakBytes: 0, ...traffic, commands: {}, ...rows, tensors: {} };
}
