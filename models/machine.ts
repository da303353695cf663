/** Builds the clocked machine of an Arch and runs a Program on it. */
import { List } from 'immutable';
import type { Arch, MemoryPart, ScratchpadPart } from '../arch/language/arch.ts';
import type { Workload } from '../workloads/language/workload.ts';
import { workloadOf } from './binding/cores.ts';
import { withoutMatrices } from './binding/matrices.ts';
import type { EngineProgram, Program, Section } from './binding/program.ts';
import {
  type CoreGroup,
  type EngineSite,
  memoryBandwidth,
  padBandwidth,
  readName,
  type Site,
  Topology,
} from './binding/topology.ts';
import { Account, waitInput, waitMemory, waitOutput } from './compute/account.ts';
import { EngineProcess, type Observer } from './compute/engine.ts';
import { isSteady } from './compute/iteration.ts';
import type { Addresses, RunningOp, Wire } from './compute/running-op.ts';
import { type ComputingMemory, computingMemories } from './computing-memory.ts';
import { Channel } from './kernel/channel.ts';
import { Clock, picosecondsPerSecond, Ratio, unitsPerSecond } from './kernel/clock.ts';
import { certain, type Spread, together } from './kernel/estimate.ts';
import { FastForward } from './kernel/fast-forward.ts';
import { Kernel } from './kernel/kernel.ts';
import { Sampling } from './kernel/sampling.ts';
import { buildDram } from './memory/dram/build.ts';
import { Dram } from './memory/dram/memory.ts';
import { Placement } from './memory/dram/placement.ts';
import { Port } from './memory/port.ts';
import { boxOf, movedRegions } from './regions.ts';

/** What an engine did over the whole run, in cycles of its clock. */
export interface EngineRecord {
  readonly name: string;
  readonly kind: EngineProgram['kind'];
  readonly clock: Clock;
  readonly account: Account;
  /** Cycles waited, by activity, tensor and part. */
  readonly waits: Map<string, { activity: number; tensor: string; part: string; cycles: number }>;
}

/** What an engine's operations of one name did in one section, all repeats together. */
export interface OpRecord {
  readonly engine: EngineRecord;
  readonly name: string;
  readonly section: number;
  /** Points of the iteration space. */
  points: number;
  busyCycles: number;
  /** Cycles of the engine's clock. */
  start: number;
  end: number;
  /** Words of operands that have come into registers, by tensor. */
  readonly arrived: Map<string, number>;
  /** Bytes by memory, then by tensor and direction: "K read". */
  readonly moved: Map<string, Map<string, number>>;
}

export interface SectionRecord {
  readonly section: Section;
  readonly repeat: number;
  /** Iterations of its nest in all repeats, and those of them that were skipped. */
  rounds: number;
  skipped: number;
  /** Of the time that the skipped ones are estimated to take; certain where it is exact. */
  spread: Spread;
  start: number;
  end: number;
}

/** Everything that a run leaves behind for reports. Times are in units of the machine. */
export interface RunRecord {
  readonly unitsPerSecond: number;
  /** Length of the run. */
  readonly length: number;
  readonly engines: readonly EngineRecord[];
  readonly ports: ReadonlyMap<string, Port | Dram | ComputingMemory>;
  readonly sections: readonly SectionRecord[];
  readonly ops: readonly OpRecord[];
  /** Why nothing was skipped of what repeats; null where it was allowed. */
  readonly unskipped: 'dram' | 'values' | 'every-cycle' | null;
  /** Whether sampling was asked for and allowed; false on machines where nothing has to be estimated. */
  readonly isSampled: boolean;
}

/** Watches one section's run: gives each engine an observer. */
export type Watch = (section: Section) => (engine: number) => Observer;

export interface RunOptions {
  readonly watch?: Watch;
  /** What the program was made of: memories of DRAM must know where tensors lie. */
  readonly workload?: Workload;
  /** Whether what repeats may be skipped, which changes no figure; true by default. */
  readonly fastForward?: boolean;
  /** Whether what repeats may be estimated where a memory remembers; false by default. */
  readonly sample?: boolean;
  /** Told the fraction that is done. */
  readonly onProgress?: (fraction: number) => void;
}

export class Machine {
  readonly #topology: Topology;
  readonly #unitsPerSecond: number;
  readonly #newKernel: () => Kernel;
  readonly #clocks: Map<string, Clock>;
  readonly #ports: Map<string, Port | Dram | ComputingMemory>;
  readonly #engines = new Map<string, EngineRecord>();
  readonly #sections: SectionRecord[] = [];
  readonly #ops: OpRecord[] = [];
  /** Memories of DRAM, and which of them compute. */
  #drams: readonly (Dram | ComputingMemory)[];
  #computing: readonly ComputingMemory[] = [];
  /** Time run so far, and passed over. */
  #now = 0;
  #passed = 0;

  /** Each section runs on a kernel of its own; one that visits processes in another order gives the same result. */
  constructor(arch: Arch, newKernel = () => new Kernel()) {
    this.#newKernel = newKernel;
    this.#topology = new Topology(arch);
    // A controller's clock is known by its picoseconds per cycle.
    const hasDram = this.#topology.memories.some(({ part }) => part.dram !== null);
    const units = hasDram ? picosecondsPerSecond : unitsPerSecond([...arch.clocks.values()]);
    this.#unitsPerSecond = units;
    this.#clocks = new Map([...arch.clocks].map(([name, hertz]) => [name, new Clock(name, hertz, units)]));
    this.#ports = portsOf(this.#topology, units);
    this.#drams = [...this.#ports.values()].filter(isDram);
  }

  /**
   * Runs a program from time 0.
   * @throws DeadlockError when the program cannot go on.
   */
  run(program: Program, options: RunOptions = {}): RunRecord {
    const tensors = options.workload ? tensorsOf(options.workload, program) : null;
    for (const { name, part, clock } of enginesOf(this.#topology, program)) this.#engineRecord(name, part.kind, clock);
    if (tensors !== null) this.#compute(computingMemories(this.#topology, program, tensors.workload));
    const total = program.phases.reduce((sum, phase) => sum + phase.repeat * phase.sections.size, 0);
    let done = 0;
    for (const phase of program.phases) {
      const first = this.#sections.length;
      for (let time = 0; time < phase.repeat; time++) {
        phase.sections.forEach((section, i) => {
          const record = this.#sectionRecord(first + i, section, phase.repeat);
          this.#runSection(section, record, tensors, options, (fraction) =>
            options.onProgress?.((done + fraction) / total),
          );
          record.end = this.#now + this.#passed;
          options.onProgress?.(++done / total);
        });
      }
    }
    const engines = [...this.#engines.values()];
    const length = this.#now + this.#passed;
    for (const engine of engines) engine.account.bins.cover(engine.clock.cycleAtOrAfter(length));
    for (const port of this.#ports.values()) {
      if (port instanceof Port) port.timeline.cover(length);
      else port.finish(this.#now);
    }
    return {
      unitsPerSecond: this.#unitsPerSecond,
      length,
      engines,
      ports: this.#ports,
      sections: this.#sections,
      ops: this.#ops,
      unskipped: this.#unskipped(options),
      isSampled: this.#isSampled(options),
    };
  }

  /** Has memories run command by command in which a program multiplies. */
  #compute(memories: readonly ComputingMemory[]): void {
    for (const memory of memories) {
      this.#ports.set(memory.name, memory);
      this.#clocks.set(memory.name, memory.clock);
      this.#engineRecord(memory.name, 'pim', memory.name);
    }
    this.#drams = [...this.#ports.values()].filter(isDram);
    this.#computing = memories;
  }

  #sectionRecord(index: number, section: Section, repeat: number): SectionRecord {
    const known = this.#sections[index];
    if (known) return known;
    const now = this.#now + this.#passed;
    const record = { section, repeat, rounds: 0, skipped: 0, spread: certain, start: now, end: now };
    this.#sections.push(record);
    return record;
  }

  /** One section after another: the next one's first tile is fetched when the last one's results are in memory. */
  #runSection(
    section: Section,
    sectionRecord: SectionRecord,
    tensors: Tensors | null,
    options: RunOptions,
    onProgress: (fraction: number) => void,
  ): void {
    const kernel = this.#newKernel();
    const observe = options.watch?.(section);
    const loops = longestLoops(section);
    const engines = section.engines.toArray().map((program, i) => {
      const record = this.#engineRecord(program.engine, program.kind, program.clock);
      return new EngineProcess(kernel, record.clock, program, {
        start: record.clock.cycleAtOrAfter(this.#now),
        around: {
          memories: this.#ports,
          addresses: addressesIn(section, program, tensors),
          tiles: (digits) => boxOf(digits, program, section),
        },
        account: record.account,
        observer: observe?.(i) ?? null,
        loops,
      });
    });
    const wires = section.channels.toArray().map((spec): Wire => {
      const sender = engines[spec.from]!;
      const channel = new Channel(spec.name, sender, engines[spec.to]!, { capacity: spec.capacity });
      const isTransfer = section.engines.get(spec.from)!.kind === 'dma';
      return { channel, delay: spec.latency - 1, cause: isTransfer ? waitMemory : waitInput };
    });
    for (const engine of engines) engine.connect(wires);
    for (const dram of this.#drams) dram.attach(kernel);
    const progress = () => onProgress(Math.min(...engines.map((engine) => engine.progress)));
    const longest = longestNest(engines);
    const skipping = longest && this.#skipping(longest, engines, wires, options);
    kernel.run(progress, skipping);
    sectionRecord.rounds += longest?.iterations ?? 0;
    sectionRecord.skipped += skipping?.skipped ?? 0;
    if (skipping instanceof Sampling) {
      sectionRecord.spread = together([sectionRecord.spread, skipping.spread]);
      this.#passed = skipping.passed;
    }
    let end = this.#now;
    engines.forEach((engine, i) => {
      const record = this.#engineRecord(section.engines.get(i)!.engine, 'dma', '');
      for (const op of engine.ops) {
        this.#recordOp(op, record, this.#sections.indexOf(sectionRecord));
        collectWaits(op, record);
        if (op.lastEnd > 0) end = Math.max(end, engine.clock.edge(Math.max(0, op.lastEnd - record.account.bins.shift)));
      }
    });
    this.#now = this.#drams.reduce((last, dram) => Math.max(last, dram.drain()), end);
  }

  #unskipped({ fastForward = true, sample = false, watch }: RunOptions): RunRecord['unskipped'] {
    if (this.#computing.length > 0 || (this.#drams.length > 0 && !sample)) return 'dram';
    if (!fastForward) return 'every-cycle';
    return watch === undefined ? null : 'values';
  }

  #isSampled(options: RunOptions): boolean {
    return this.#drams.length > 0 && this.#unskipped(options) === null;
  }

  /** What need not be run of a section, exactly or by sampling. */
  #skipping(
    longest: EngineProcess,
    engines: readonly EngineProcess[],
    wires: readonly Wire[],
    options: RunOptions,
  ): FastForward | Sampling | null {
    if (this.#unskipped(options) !== null) return null;
    return this.#isSampled(options) ? this.#sampling(longest, engines) : this.#fastForward(longest, engines, wires);
  }

  #sampling(longest: EngineProcess, engines: readonly EngineProcess[]): Sampling {
    for (const { account, clock } of this.#engines.values()) {
      account.bins.shiftTo(clock.period.floorInto(this.#passed));
    }
    const others = [...this.#ports.values()].filter((port) => port instanceof Port || port instanceof Dram);
    const drams = others.filter((port) => port instanceof Dram);
    return new Sampling({
      progress: longest.last,
      trips: longest.trips,
      loops: engines,
      others,
      interval: Math.max(...drams.map(({ refreshInterval }) => refreshInterval)),
      start: this.#now,
      passed: this.#passed,
      isSteady: () => isSteady(engines),
    });
  }

  #fastForward(longest: EngineProcess, engines: readonly EngineProcess[], wires: readonly Wire[]): FastForward {
    const ports = [...this.#ports.values()].filter((port) => port instanceof Port);
    return new FastForward({
      progress: longest.last,
      depth: longest.depth,
      loops: engines,
      others: [...ports, ...wires.map(({ channel }) => channel)],
      clocks: [...new Set(engines.map(({ clock }) => clock))],
      timelines: [...[...this.#engines.values()].map(({ account }) => account.bins), ...ports.map((p) => p.timeline)],
    });
  }

  #recordOp(op: RunningOp, engine: EngineRecord, section: number): void {
    let record = this.#ops.find((o) => o.section === section && o.engine === engine && o.name === op.name);
    if (!record) {
      const moved = new Map<string, Map<string, number>>();
      record = {
        engine,
        name: op.name,
        section,
        points: 0,
        busyCycles: 0,
        start: -1,
        end: 0,
        arrived: new Map(),
        moved,
      };
      this.#ops.push(record);
    }
    op.executions.forEach((count, variant) => {
      record.points += count * op.points[variant]!;
    });
    for (const [tensor, words] of op.arrived) record.arrived.set(tensor, (record.arrived.get(tensor) ?? 0) + words);
    record.busyCycles += op.busyCycles;
    if (record.start < 0) record.start = op.firstStart;
    record.end = Math.max(record.end, op.lastEnd);
    for (const access of op.accesses) {
      const moved = record.moved.get(access.memory) ?? new Map<string, number>();
      const key = `${access.tensor} ${access.write ? 'written' : 'read'}`;
      record.moved.set(access.memory, moved.set(key, (moved.get(key) ?? 0) + access.moved));
    }
  }

  #engineRecord(name: string, kind: EngineProgram['kind'], clock: string): EngineRecord {
    let record = this.#engines.get(name);
    if (!record) {
      record = { name, kind, clock: this.#clocks.get(clock)!, account: new Account(), waits: new Map() };
      this.#engines.set(name, record);
    }
    return record;
  }
}

/** The loops of the program with the most iterations. */
function longestLoops({ engines }: Section): EngineProgram['loops'] {
  const iterations = (loops: EngineProgram['loops']) => loops.reduce((product, { trips }) => product * trips, 1);
  return engines.map(({ loops }) => loops).maxBy(iterations) ?? List();
}

/** The engine with the most iterations. */
function longestNest(engines: readonly EngineProcess[]): EngineProcess | null {
  return engines.reduce<EngineProcess | null>(
    (longest, engine) => (engine.iterations > (longest?.iterations ?? 0) ? engine : longest),
    null,
  );
}

function collectWaits(op: RunningOp, { waits }: EngineRecord): void {
  const add = (activity: number, tensor: string, part: string, cycles: number): void => {
    if (cycles === 0) return;
    const key = `${activity} ${tensor} ${part}`;
    const known = waits.get(key);
    if (known) known.cycles += cycles;
    else waits.set(key, { activity, tensor, part, cycles });
  };
  op.takes.forEach(({ channel, cause }, i) => {
    add(cause, channel.name, channel.sender.name, op.tokenWaits[i]!);
  });
  op.gives.forEach(({ channel }, i) => {
    add(waitOutput, channel.name, channel.receiver.name, op.slotWaits[i]!);
  });
  op.accesses.forEach(({ tensor, memory }, i) => {
    add(waitMemory, tensor, memory, op.memoryWaits[i]!);
  });
  add(waitMemory, op.name, op.link, op.memoryWaits[op.accesses.length]!);
}

/** In whole units of time. */
function latencyOf({ part, hertz }: Site<MemoryPart> | Site<ScratchpadPart>, units: number): number {
  const { amount, unit } = part.latency;
  const { numerator, denominator } = new Ratio(units, unit === 'cycles' ? hertz : picosecondsPerSecond);
  return Math.ceil((amount * numerator) / denominator);
}

function padPort(name: string, pad: Site<ScratchpadPart>, units: number): Port {
  return new Port(name, padBandwidth(pad), latencyOf(pad, units), units);
}

/** A workload's tensors, those of a program's cores among them, and where they lie in memory. */
interface Tensors {
  readonly workload: Workload;
  readonly placement: Placement;
}

function tensorsOf(workload: Workload, program: Program): Tensors {
  const all = workloadOf(
    workload,
    program.phases.flatMap(({ sections }) => sections),
  );
  return { workload: all, placement: new Placement(withoutMatrices(all, program)) };
}

/** Where an engine's accesses go in memories of DRAM. */
function addressesIn(section: Section, program: EngineProgram, tensors: Tensors | null): Addresses {
  return (op, { memory, tensor }) => {
    if (tensors === null) throw new Error(`${memory} is DRAM: its run needs the workload`);
    const { workload, placement } = tensors;
    const regions = movedRegions(op, program, section, workload);
    return (digits, bytes) => placement.runs(op.name, regions(digits), bytes, tensor !== op.name);
  };
}

function isDram(port: Port | Dram | ComputingMemory): port is Dram | ComputingMemory {
  return !(port instanceof Port);
}

function portsOf(topology: Topology, units: number): Map<string, Port | Dram> {
  const ports: (Port | Dram)[] = [];
  for (const memory of topology.memories) {
    const { path, part } = memory;
    const bandwidth = memoryBandwidth(memory);
    if (part.dram) ports.push(buildDram(path, part, part.dram, bandwidth));
    else ports.push(new Port(path, bandwidth, latencyOf(memory, units), units));
  }
  for (const pad of topology.pads) ports.push(padPort(pad.path, pad, units));
  for (const { port } of topology.routes) {
    if (port && !ports.some((p) => p.name === port.name))
      ports.push(new Port(port.name, port.bytesPerSecond, 0, units));
  }
  const all = new Map(ports.map((port): [string, Port | Dram] => [port.name, port]));
  for (const group of topology.groups) {
    for (const port of ownPorts(topology.core(group.path), group, units)) all.set(port.name, port);
  }
  return all;
}

/** What every core of a group has for itself: its scratchpads, and its ways to memory. */
function ownPorts(core: Topology, { path, count }: CoreGroup, units: number): Port[] {
  const ways = core.routes.flatMap(({ port, wires }) => [port, wires].filter((way) => way !== null));
  const pads = core.pads.filter((pad) => pad.path.startsWith(`${path}.`));
  return Array.from({ length: count }, (_, i) => [
    ...pads.map((pad) => padPort(core.nameOn(i, pad.path), pad, units)),
    ...ways
      .filter(({ name }) => core.nameOn(i, name) !== name)
      .map(({ name, bytesPerSecond }) => new Port(core.nameOn(i, name), bytesPerSecond, 0, units)),
  ]).flat();
}

/** Engines of a machine as a program names them: those of a group once for each core, where the program splits work so. */
function enginesOf(topology: Topology, program: Program): (EngineSite & { readonly name: string })[] {
  const split = splitGroups(topology, program);
  const outside = topology.engines.filter(({ path }) => !split.includes(topology.groupOf(path)!));
  const inside = split.flatMap((group) => {
    const core = topology.core(group.path);
    const own = core.engines.filter(({ path }) => path.startsWith(`${group.path}.`));
    return Array.from({ length: group.count }, (_, i) =>
      own.map((site) => ({ ...site, name: core.nameOn(i, site.path) })),
    ).flat();
  });
  return [...inside, ...outside.map((site) => ({ ...site, name: site.path }))];
}

function splitGroups(topology: Topology, program: Program): CoreGroup[] {
  const names = program.phases.flatMap(({ sections }) =>
    sections.flatMap(({ engines }) => engines.map(({ engine }) => engine)),
  );
  const cores = names.map(readName).filter(({ core }) => core !== null);
  return topology.groups.filter((group) => cores.some(({ path }) => topology.groupOf(path) === group));
}
