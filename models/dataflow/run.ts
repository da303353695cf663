/** Runs dataflow graphs on an RDU: section by section, each launched and run to its end before the next begins. */
import { Map } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import type { DataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import { cyclesOfPs, type RduDevice, rduDevice } from './device.ts';
import type { DataflowGraph } from './graph.ts';
import { runPipeline } from './pipeline.ts';
import type { PipelineRun } from './pipeline-spec.ts';
import { assign, type PlacedSection, place } from './place.ts';
import { checkNames, cut, type Section } from './section.ts';

/** Bytes of a tensor that went through memory. */
export interface Traffic {
  readonly read: number;
  readonly written: number;
}

export interface SectionRun {
  readonly placed: PlacedSection;
  readonly pipeline: PipelineRun;
  /** By tensor. */
  readonly traffic: ReadonlyMap<string, Traffic>;
}

/** A section in the order of the graph; `repeat` times, one after another with the other sections of its block. */
export interface GraphStep {
  readonly block: string;
  /** Position of its block in the graph. */
  readonly blockIndex: number;
  readonly repeat: number;
  readonly run: SectionRun;
}

export interface GraphRun {
  readonly device: RduDevice;
  readonly steps: readonly GraphStep[];
  /** Launches included. */
  readonly cycles: number;
  readonly seconds: number;
  /** Kernels launched, and cycles of it in which they were. */
  readonly kernels: number;
  readonly launchCycles: number;
  /** Bytes that went through memory. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;
}

/**
 * Runs sections from rest, one after another. Sections that are equal values are run once: each begins with an empty
 * pipeline and memory at rest, so that they take the same cycles.
 */
export class GraphRunner {
  readonly device: RduDevice;
  readonly mapping: DataflowMapping;
  #runs = Map<Section, SectionRun>();

  /** @throws InputError when the machine has no RDU with a memory */
  constructor(arch: Arch, mapping: DataflowMapping) {
    this.device = rduDevice(arch);
    this.mapping = mapping;
  }

  /** @throws InputError when a section does not fit; DeadlockError when one comes to a stop */
  run(graph: DataflowGraph): GraphRun {
    checkNames(graph.blocks, this.mapping);
    const steps = graph.blocks.toArray().flatMap((block, blockIndex) =>
      cut(block, this.mapping, (section) => this.#misfit(section))
        .toArray()
        .map(
          (section): GraphStep => ({ block: block.name, blockIndex, repeat: block.repeat, run: this.section(section) }),
        ),
    );
    return this.#total(graph, steps);
  }

  /** Places and runs one section, if no equal one has been. */
  section(section: Section): SectionRun {
    const known = this.#runs.get(section);
    if (known) return known;
    const placed = place(section, this.device, this.mapping);
    const run = { placed, pipeline: runPipeline(placed.spec, this.device.hertz), traffic: trafficOf(section) };
    this.#runs = this.#runs.set(section, run);
    return run;
  }

  #misfit(section: Section): InputError | null {
    if (this.#runs.has(section)) return null;
    try {
      assign(section, this.device, this.mapping.buffers);
      return null;
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
  }

  #total(graph: DataflowGraph, steps: readonly GraphStep[]): GraphRun {
    const { part, hertz } = this.device;
    const launch = cyclesOfPs(hertz, part[this.mapping.launch].total);
    const sum = (of: (step: GraphStep) => number): number =>
      steps.reduce((all, step) => all + step.repeat * of(step), 0);
    const kernels = sum(() => 1);
    const launchCycles = kernels * launch;
    const cycles = launchCycles + sum(({ run }) => run.pipeline.cycles);
    const moved = (of: (traffic: Traffic) => number): number =>
      sum(({ run }) => [...run.traffic.values()].reduce((all, traffic) => all + of(traffic), 0));
    return {
      device: this.device,
      steps,
      cycles,
      seconds: cycles / hertz,
      kernels,
      launchCycles,
      bytesRead: moved(({ read }) => read),
      bytesWritten: moved(({ written }) => written),
      flops: graph.flops,
    };
  }
}

/** @throws InputError as `GraphRunner` does */
export function runGraph(arch: Arch, graph: DataflowGraph, mapping: DataflowMapping): GraphRun {
  return new GraphRunner(arch, mapping).run(graph);
}

function trafficOf(section: Section): ReadonlyMap<string, Traffic> {
  return new globalThis.Map(
    [...section.tensors].flatMap(([name, { tensor, load, store }]) => {
      return load || store
        ? [[name, { read: load ? tensor.bytes : 0, written: store ? tensor.bytes : 0 }] as const]
        : [];
    }),
  );
}
