/** Arch x streaming workload x placement -> Result, in one call. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError, suggest } from '../../arch/language/diagnostics.ts';
import { linkRate } from '../../arch/language/fabric.ts';
import type { LoadedPlacement } from '../../workloads/language/placement.ts';
import type { LoadedStream, LoopStep, StreamStep, StreamWorkload } from '../../workloads/language/streaming.ts';
import { picosecondsPerSecond, Ratio } from '../kernel/clock.ts';
import type { Result } from '../result.ts';
import type { Operand } from './cores.ts';
import { measureStreams } from './measure.ts';
import { bytesIn, type PlacedTensor, placeTensors } from './placing.ts';
import { lineBytes } from './root.ts';
import { type Stream, System } from './system.ts';
import { type HostTopology, hostTopology } from './topology.ts';

export interface StreamOptions {
  readonly arch: Arch;
  readonly workload: LoadedStream;
  readonly mapping: LoadedPlacement;
  /** Whether what repeats is passed over, which changes no figure; true by default. */
  readonly fastForward?: boolean;
  /** The `--set` options that made the arch, for the report. */
  readonly overrides?: readonly string[];
}

/** What one stream of a step did. Times in picoseconds from the step's start. */
export interface StreamRecord {
  readonly by: string;
  readonly bytes: number;
  readonly end: number;
  /** Picoseconds in which the cores computed; of a device, in which it had not ended its copy. */
  readonly busy: number;
  readonly operations: number;
}

export interface StepRecord {
  readonly step: StreamStep;
  readonly length: number;
  readonly streams: readonly StreamRecord[];
}

/** By name, all steps together. */
export interface MovedRecord {
  readonly stores: Map<string, { read: number; written: number; busy: number; reads: number }>;
  readonly wires: Map<string, { packets: number; payload: number; wire: number; rate: number; busy: number }>;
}

export interface StreamRun {
  readonly topology: HostTopology;
  readonly steps: readonly StepRecord[];
  readonly moved: MovedRecord;
  /** Bytes of tensors by memory. */
  readonly held: ReadonlyMap<string, number>;
}

/**
 * Each step begins when the one before has ended, with nothing under way.
 * @throws InputError when the workload cannot run there
 */
export function simulateStreams(options: StreamOptions): Result {
  const { arch, mapping, overrides = [] } = options;
  const { workload } = options.workload;
  const topology = hostTopology(arch);
  const devices = devicesOf(topology, options.workload, mapping);
  const placed = placeTensors(workload, mapping, topology, devices);
  const moved: MovedRecord = { stores: new Map(), wires: new Map() };
  const steps = workload.steps.toArray().map((step) => {
    const streams = streamsOf(step, workload, { arch, topology, devices, placed });
    const system = new System(topology, streams);
    const length = system.run({ fastForward: options.fastForward ?? true });
    gather(system, moved);
    return {
      step,
      length,
      streams: streams.map((stream, i) => recordOf(system, stream, i, topology.name, step, workload.elements)),
    };
  });
  const held = new Map(topology.memories.map(({ name }, i) => [name, bytesIn(placed.values(), i)]));
  return measureStreams({ arch, workload, placement: mapping.placement, overrides }, { topology, steps, moved, held });
}

function devicesOf({ devices }: HostTopology, { workload, place }: LoadedStream, mapping: LoadedPlacement): number {
  const asked = mapping.placement.devices;
  if (asked !== null && asked > devices.length) {
    const message = `the machine has ${devices.length} devices, not ${asked}`;
    throw new InputError({ message, place: mapping.place(['devices']), hint: 'name as many as there are, or fewer' });
  }
  const copies = workload.steps.findIndex(({ kind }) => kind === 'copy');
  if (devices.length === 0 && copies >= 0) {
    const message = 'the machine has no device to copy anything';
    throw new InputError({ message, place: place(['steps', copies]), hint: 'such as "gpu: { kind: device }"' });
  }
  return asked ?? devices.length;
}

interface Setting {
  readonly arch: Arch;
  readonly topology: HostTopology;
  readonly devices: number;
  readonly placed: ReadonlyMap<string, PlacedTensor>;
}

function streamsOf(step: StreamStep, workload: StreamWorkload, setting: Setting): Stream[] {
  if (step.kind === 'loop') return [{ device: null, loop: loopOf(step, workload, setting) }];
  const { topology, devices, placed } = setting;
  const tensor = placed.get(step.tensor);
  if (!tensor) throw new Error(`tensor ${step.tensor} is not placed`);
  const { bytes, layout } = tensor;
  const { page, cache } = topology.host;
  // What devices write again and again stays in the cache as far as there is room, the same share of each.
  const share = Math.floor((cache?.io ?? 0) / devices / page) * page;
  const copy = { isWrite: step.toHost, bytes, layout, kept: step.toHost ? Math.min(bytes, share) : 0 };
  return topology.devices.slice(0, devices).map(({ name }) => ({ device: name, copy }));
}

function loopOf(step: LoopStep, { tensors, elements }: StreamWorkload, { arch, topology, placed }: Setting) {
  const { host } = topology;
  const names = [...new Set([...step.reads, ...step.writes])];
  const used = names.flatMap((name) => tensors.filter((tensor) => tensor.name === name).toArray());
  const least = Math.min(...used.map(({ element }) => element ?? lineBytes));
  const perStep = lineBytes / least;
  const operands = used.map(({ name, element }): Operand => {
    const layout = placed.get(name)?.layout;
    if (!layout) throw new Error(`tensor ${name} is not placed`);
    const lines = (element ?? lineBytes) / least;
    return { layout, lines, isRead: step.reads.includes(name), isWritten: step.writes.includes(name) };
  });
  const cycles = [...step.operations].reduce((sum, [name, times]) => {
    const cost = host.operations.get(name);
    if (cost) return sum + times * cost.cycles;
    const hint = suggest(name, host.operations.keys());
    throw new InputError({ message: `host ${topology.name} cannot compute "${name}" of loop ${step.name}`, hint });
  }, 0);
  const hertz = arch.clocks.get(host.clock) ?? 1;
  // Of a step: elements x cycles over lanes, at least a picosecond.
  const compute = new Ratio(
    Math.max(1, Math.round((picosecondsPerSecond * perStep * cycles) / host.lanes)),
    Math.round(hertz),
  );
  const linesOf = (chosen: readonly Operand[]): number => chosen.reduce((sum, { lines }) => sum + lines, 0);
  const steps = Math.ceil(elements / perStep);
  const kept = Math.min(steps, Math.floor((host.cache?.capacity ?? 0) / (linesOf(operands) * lineBytes)));
  const window = Math.max(1, Math.floor(host.outstanding / linesOf(operands.filter(({ isRead }) => isRead))));
  return { steps, operands, compute, kept, window };
}

function recordOf(
  system: System,
  stream: Stream,
  i: number,
  name: string,
  step: StreamStep,
  elements: number,
): StreamRecord {
  const work = system.work[i];
  const end = work?.end ?? 0;
  if (stream.device !== null) return { by: stream.device, bytes: stream.copy.bytes, end, busy: end, operations: 0 };
  const { operands, steps } = stream.loop;
  const lines = operands.reduce((sum, one) => sum + one.lines * (Number(one.isRead) + Number(one.isWritten)), 0);
  const busy = work && 'unit' in work ? work.unit.busy : 0;
  const perElement = step.kind === 'loop' ? step.operations.valueSeq().reduce((sum, times) => sum + times, 0) : 0;
  return { by: name, bytes: steps * lines * lineBytes, end, busy, operations: elements * perElement };
}

function gather(system: System, { stores, wires }: MovedRecord): void {
  for (const { name, bytesRead, bytesWritten, server } of system.stores) {
    const all = stores.get(name) ?? { read: 0, written: 0, busy: 0, reads: 0 };
    all.read += bytesRead;
    all.written += bytesWritten;
    all.busy += server.busy;
    all.reads += server.pieces;
    stores.set(name, all);
  }
  for (const { name, part, received, payload, server } of system.wires) {
    const all = wires.get(name) ?? { packets: 0, payload: 0, wire: 0, rate: linkRate(part), busy: 0 };
    all.packets += received;
    all.payload += payload;
    all.wire += server.bytes;
    all.busy += server.busy;
    wires.set(name, all);
  }
}
