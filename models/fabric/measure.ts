/** A run of copies and loops as a Result. */
import type { Arch } from '../../arch/language/arch.ts';
import { version } from '../../arch/language/library.ts';
import type { Placement } from '../../workloads/language/placement.ts';
import type { StreamWorkload } from '../../workloads/language/streaming.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';
import { describedArch } from '../measure-arch.ts';
import { areaOf } from '../physical/area.ts';
import {
  type Bottleneck,
  type EinsumResult,
  type EngineResult,
  type LinkResult,
  type MemoryResult,
  type Result,
  resultSchema,
} from '../result.ts';
import type { StreamRun } from './simulate.ts';

export interface StreamSubject {
  readonly arch: Arch;
  readonly workload: StreamWorkload;
  readonly placement: Placement;
  readonly overrides: readonly string[];
}

const seconds = (ps: number): number => ps / picosecondsPerSecond;

export function measureStreams(subject: StreamSubject, run: StreamRun): Result {
  const { arch, workload, placement, overrides } = subject;
  const length = run.steps.reduce((sum, step) => sum + step.length, 0);
  const [clock = '', hertz = 1] = arch.clocks.entrySeq().first() ?? [];
  const cyclesOf = (ps: number): number => Math.ceil(seconds(ps) * hertz);
  const starts = run.steps.map((_, i) => run.steps.slice(0, i).reduce((sum, step) => sum + step.length, 0));
  const memories = memoriesOf(run, length);
  const links = linksOf(run, length);
  return {
    schema: resultSchema,
    version,
    arch: describedArch(arch, overrides),
    workload: {
      ...{ name: workload.name, about: workload.about, source: workload.source, dtype: '' },
      ranks: workload.elements > 0 ? { elements: workload.elements } : {},
    },
    mapping: {
      name: placement.name,
      sections: run.steps.map(({ step, length: own }, i) => section(step.name, starts[i] ?? 0, own)),
    },
    ...{ cycles: cyclesOf(length), clock, seconds: seconds(length) },
    engines: enginesOf(run, clock, cyclesOf, length),
    memories,
    einsums: run.steps.flatMap(({ step, streams }, i) =>
      streams.map((stream): EinsumResult => {
        const start = seconds(starts[i] ?? 0);
        const operators =
          step.kind === 'loop' ? step.operations.map((times) => times * workload.elements).toObject() : {};
        return {
          ...{ name: step.name, text: step.name, engine: stream.by, start, end: start + seconds(stream.end) },
          ...{ busy: cyclesOf(stream.busy), operations: stream.operations, operators, section: i },
        };
      }),
    ),
    energy: { total: 0, by: {} },
    area: areaOf(arch),
    bottleneck: bottleneckOf(memories, links),
    timelines: { engines: [], bandwidth: [] },
    links,
    streams: run.steps.flatMap(({ step, streams }) =>
      streams.map(({ by, bytes, end }) => ({
        ...{ step: step.name, by, bytes, seconds: seconds(end) },
        bandwidth: end > 0 ? bytes / seconds(end) : 0,
      })),
    ),
    notes: ['no energies are known of hosts and links'],
  };
}

function section(name: string, start: number, length: number): Result['mapping']['sections'][number] {
  return {
    ...{ name, repeat: 1, start: seconds(start), end: seconds(start + length), einsums: [name] },
    ...{ loops: [], interleave: 1, buffers: [] },
  };
}

/** Of each engine in all steps: computing or copying, waiting for memory, and after its end. */
function enginesOf(run: StreamRun, clock: string, cyclesOf: (ps: number) => number, length: number): EngineResult[] {
  const names = [...new Set(run.steps.flatMap(({ streams }) => streams.map(({ by }) => by)))];
  return names.map((name) => {
    const own = run.steps.flatMap(({ streams }) => streams.filter(({ by }) => by === name));
    const isCores = name === run.topology.name;
    const cycles = cyclesOf(length);
    const busy = Math.min(cycles, cyclesOf(own.reduce((sum, stream) => sum + stream.busy, 0)));
    const under = Math.min(cycles, cyclesOf(own.reduce((sum, stream) => sum + stream.end, 0)));
    const waitMemory = Math.max(0, under - busy);
    return {
      ...{ name, kind: isCores ? ('vector' as const) : ('dma' as const), clock, cycles, busy },
      ...{ waitInput: 0, waitOutput: 0, waitMemory, idle: cycles - busy - waitMemory },
      utilization: cycles > 0 ? busy / cycles : 0,
      ...{ ops: own.reduce((sum, stream) => sum + stream.operations, 0), peakOps: 0 },
      waits:
        waitMemory > 0 ? [{ reason: 'memory' as const, tensor: 'operands', part: 'memory', cycles: waitMemory }] : [],
    };
  });
}

function memoriesOf({ topology, moved, held }: StreamRun, length: number): MemoryResult[] {
  return topology.memories.map(({ name, part }) => {
    const { read, written, reads } = moved.stores.get(name) ?? { read: 0, written: 0, reads: 0 };
    return {
      ...{ name, kind: 'memory' as const, model: 'ideal', capacity: part.capacity, peakBytes: held.get(name) ?? 0 },
      ...{ bytesRead: read, bytesWritten: written, peakBandwidth: part.bandwidth },
      bandwidth: length > 0 ? (read + written) / seconds(length) : 0,
      ...{
        commands: { accesses: reads },
        rowHits: 0,
        rowMisses: 0,
        rowConflicts: 0,
        averageReadLatency: 0,
        tensors: {},
      },
    };
  });
}

function linksOf({ moved }: StreamRun, length: number): LinkResult[] {
  return [...moved.wires].map(([name, { packets, payload, wire, rate, busy }]) => ({
    ...{ name, packets, payloadBytes: payload, wireBytes: wire, wireBandwidth: rate },
    bandwidth: length > 0 ? payload / seconds(length) : 0,
    utilization: length > 0 ? busy / length : 0,
  }));
}

/** The busiest memory or direction of a link. */
function bottleneckOf(memories: readonly MemoryResult[], links: readonly LinkResult[]): Bottleneck {
  const parts = [
    ...memories.map(({ name, bandwidth, peakBandwidth }) => ({ name, share: bandwidth / peakBandwidth })),
    ...links.map(({ name, utilization }) => ({ name, share: utilization })),
  ].sort((a, b) => b.share - a.share);
  const { name: part, share: utilization } = parts[0] ?? { name: '', share: 0 };
  const percent = (100 * utilization).toFixed(1);
  const isBusy = utilization >= 0.9;
  const reason = isBusy
    ? `${part} is in use ${percent} % of the time`
    : `no memory or link is in use all the time, ${part} most: ${percent} %; requests under way, credits or the cache bound the run`;
  return { part, kind: isBusy ? 'memory' : 'dependencies', utilization, shares: [], reason };
}
