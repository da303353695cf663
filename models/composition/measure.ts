/** A composition of experts that has run, as a Result. */
import type { Arch } from '../../arch/language/arch.ts';
import { version } from '../../arch/language/library.ts';
import type { ExpertComposition } from '../../workloads/llm/composition.ts';
import { Clock, picosecondsPerSecond } from '../kernel/clock.ts';
import { describedArch } from '../measure-arch.ts';
import { areaOf } from '../physical/area.ts';
import {
  type Bottleneck,
  type EngineResult,
  type ExpertsResult,
  type ExpertTier,
  type MemoryResult,
  type Result,
  resultSchema,
  type Series,
} from '../result.ts';
import type { MachineTiers, MemoryTier } from './machine.ts';
import { type ExpertPlacement, sections } from './placement.ts';
import type { CompositionRecord } from './run.ts';

export interface CompositionSubject {
  readonly arch: Arch;
  readonly composition: ExpertComposition;
  readonly machine: MachineTiers;
  readonly placement: ExpertPlacement;
  /** Of the mapping that its models run by. */
  readonly mapping: string;
  /** `--set` options that made the arch. */
  readonly overrides: readonly string[];
  readonly notes: readonly string[];
}

const inSeconds = (ps: number): number => ps / picosecondsPerSecond;

export function measureComposition(subject: CompositionSubject, record: CompositionRecord): Result {
  const { arch, composition, mapping, overrides, notes } = subject;
  const { name, about, source, share } = composition;
  const clock = clockOf(arch);
  const experts = expertsResult(subject, record);
  const engines = linkEngines(subject, record, clock);
  const area = areaOf(arch);
  return {
    schema: resultSchema,
    version,
    arch: describedArch(arch, overrides),
    workload: { name, about, source, dtype: `${8 * share.activations} bit`, ranks: {} },
    mapping: { name: mapping, sections: [] },
    cycles: clock.cycleAtOrAfter(record.end),
    clock: clock.name,
    seconds: inSeconds(record.end),
    engines,
    memories: memoriesOf(subject, record, experts),
    einsums: [],
    energy: { total: 0, by: {} },
    area: { total: area.total, by: area.by },
    bottleneck: bottleneckOf(subject, record, experts),
    timelines: { engines: [], bandwidth: bandwidths(subject, record) },
    experts,
    notes: [...new Set([...notes, ...area.notes])],
  };
}

/** The first clock of the machine; the seconds of one that has none are counted in picoseconds. */
function clockOf({ clocks }: Arch): Clock {
  const [first] = clocks;
  return first ? new Clock(first[0], first[1]) : new Clock('picoseconds', picosecondsPerSecond);
}

function expertsResult({ composition, placement }: CompositionSubject, record: CompositionRecord): ExpertsResult {
  const { experts, expert, router, share, prompt, output, choice, replacement } = composition;
  const total = (of: (batch: CompositionRecord['batches'][number]) => number): number =>
    record.batches.reduce((sum, batch) => sum + of(batch), 0);
  return {
    experts,
    expertBytes: placement.expertBytes,
    rooms: placement.rooms,
    model: expert.name,
    router: router.name,
    devices: share.tensor,
    prompt,
    output,
    routing: choice.kind === 'zipf' ? `zipf(${choice.exponent})` : choice.kind,
    replacement,
    seconds: {
      router: inSeconds(total((batch) => batch.router)),
      switching: inSeconds(total((batch) => batch.switching)),
      execution: inSeconds(total((batch) => batch.execution)),
    },
    hits: total((batch) => batch.hits),
    misses: total((batch) => batch.misses),
    bytesCopied: record.copied,
    batches: record.batches.map(({ start, requests, router: routing, switching, execution, misses }) => ({
      start: inSeconds(start),
      requests,
      router: inSeconds(routing),
      switching: inSeconds(switching),
      execution: inSeconds(execution),
      misses,
    })),
    sections: [...sections],
    tiers: placement.tiers.map((_, tier) => tierResult(placement, tier)),
  };
}

function tierResult({ tiers, homes, rooms, expertBytes }: ExpertPlacement, index: number): ExpertTier {
  const tier = tiers[index];
  const experts = index === 0 ? rooms : homes.filter((home) => home === index - 1).length;
  const { offsets = [], bytes = 0 } = tier?.allocation ?? {};
  return {
    name: tier?.name ?? '',
    capacity: tier?.capacity ?? 0,
    experts,
    expertBytes: experts * expertBytes,
    tensors: (tier?.tensors ?? []).map(({ name, bytes: own, first, last }, i) => {
      return { name, bytes: own, offset: offsets[i] ?? 0, first, last };
    }),
    tensorBytes: bytes,
    live: sections.map((_, section) => experts * expertBytes + (tier?.live[section] ?? 0)),
  };
}

function memoriesOf(
  { machine, placement }: CompositionSubject,
  { copies, work, copied, end }: CompositionRecord,
  { tiers }: ExpertsResult,
): MemoryResult[] {
  return [machine.near, ...machine.far].map(({ name, capacity, bandwidth, model }, i) => {
    const port = copies.port(name);
    const used = i === 0 ? [work.router, work.expert] : [];
    const bytesRead = used.reduce((sum, { read }) => sum + read, port?.bytesRead ?? 0);
    const bytesWritten = used.reduce((sum, { written }) => sum + written, port?.bytesWritten ?? 0);
    const tensors: MemoryResult['tensors'] = {};
    if (i === 0) {
      tensors.router = { read: work.router.read, written: work.router.written };
      tensors.experts = { read: work.expert.read, written: work.expert.written };
      tensors['experts that come'] = { read: 0, written: copied };
    } else if (port) tensors.experts = { read: port.bytesRead, written: port.bytesWritten };
    return {
      name,
      kind: 'memory',
      model,
      capacity,
      peakBytes: (tiers[i]?.expertBytes ?? 0) + (placement.tiers[i]?.allocation.bytes ?? 0),
      bytesRead,
      bytesWritten,
      bandwidth: end > 0 ? (bytesRead + bytesWritten) / inSeconds(end) : 0,
      peakBandwidth: bandwidth,
      commands: {},
      rowHits: 0,
      rowMisses: 0,
      rowConflicts: 0,
      averageReadLatency: port && port.reads > 0 ? inSeconds(port.readLatencySum / port.reads) : 0,
      tensors,
    };
  });
}

/** What the links between tiers did; models on the device have no accounts here. */
function linkEngines(
  { machine }: CompositionSubject,
  { copies, end }: CompositionRecord,
  clock: Clock,
): EngineResult[] {
  const cycles = clock.cycleAtOrAfter(end);
  const links = new Map(machine.paths.flatMap((path) => path.links).map((link) => [link.name, link]));
  return [...links.values()].map(({ name, bandwidth }) => {
    const bytes = copies.port(name)?.bytesRead ?? 0;
    const busy = Math.min(cycles, clock.cycleAtOrAfter(Math.ceil((bytes / bandwidth) * picosecondsPerSecond)));
    const waits = { waitInput: 0, waitOutput: 0, waitMemory: 0, idle: cycles - busy };
    const utilization = cycles > 0 ? busy / cycles : 0;
    return { name, kind: 'dma', clock: clock.name, cycles, busy, ...waits, utilization, ops: 0, peakOps: 0, waits: [] };
  });
}

/** A path that copies go over for most of the run, or the memory that models are computed from, or neither. */
function bottleneckOf(
  { machine }: CompositionSubject,
  { work, end }: CompositionRecord,
  { seconds }: ExpertsResult,
): Bottleneck {
  const shares = Object.entries(seconds)
    .map(([name, all]) => ({ name, share: end > 0 ? all / inSeconds(end) : 0 }))
    .sort((a, b) => b.share - a.share);
  const switching = shares.find(({ name }) => name === 'switching')?.share ?? 0;
  const slowest = machine.paths.map(slowestOf)[0];
  const { read, written } = {
    read: work.router.read + work.expert.read,
    written: work.router.written + work.expert.written,
  };
  const used = end > 0 ? (read + written) / machine.near.bandwidth / inSeconds(end) : 0;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  if (slowest && switching > 0.5) {
    const reason = `experts come over ${slowest} for ${percent(switching)} of the run`;
    return { part: slowest, kind: 'memory', utilization: switching, shares, reason };
  }
  const { name } = machine.near;
  if (used > 0.5) {
    const reason = `${name} moves data for ${percent(used)} of the run`;
    return { part: name, kind: 'memory', utilization: used, shares, reason };
  }
  const reason = `${name} moves data for ${percent(used)} of the run, and experts come for ${percent(switching)}`;
  return { part: name, kind: 'dependencies', utilization: used, shares, reason };
}

function slowestOf({ from, links, to }: MachineTiers['paths'][number]): string {
  return [...links, from, to].reduce((a, b) => (b.bandwidth < a.bandwidth ? b : a)).name;
}

/** Of copies, by far tier. */
function bandwidths({ machine }: CompositionSubject, { copies, end }: CompositionRecord): Series[] {
  return machine.far.flatMap(({ name }: MemoryTier) => {
    const timeline = copies.timeline(name);
    if (!timeline) return [];
    const bin = inSeconds(timeline.width);
    return [{ name, unit: 'B/s', bin, values: timeline.series(0, end).map((bytes) => bytes / bin) }];
  });
}
