/** Arch x workload x dataflow mapping -> Result, in one call. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import type { LoadedDataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import type { LoadedWorkload } from '../../workloads/language/workload.ts';
import type { LoadedServing } from '../../workloads/llm/load.ts';
import { batchAt } from '../../workloads/llm/workload.ts';
import type { Result } from '../result.ts';
import { cascadeGraph } from './cascade-graph.ts';
import type { DataflowGraph } from './graph.ts';
import { languageGraph } from './language-graph.ts';
import { measureDataflow } from './measure.ts';
import { runGraph } from './run.ts';

export interface SimulateDataflowOptions {
  readonly arch: Arch;
  readonly workload: LoadedWorkload | LoadedServing;
  readonly mapping: LoadedDataflowMapping;
  /** The `--set` options that made the arch, for the report. */
  readonly overrides?: readonly string[];
}

/** Of a language model, its first iteration. @throws InputError when a section does not fit the machine */
export function simulateDataflow({ arch, workload, mapping, overrides = [] }: SimulateDataflowOptions): Result {
  const { mapping: laid } = mapping;
  const { graph, head } = graphOf(workload, laid.stream, arch);
  const result = measureDataflow({ workload: head, mapping: laid, overrides }, runGraph(arch, graph, laid));
  for (const [what, named, actual] of [
    ['machine', laid.machine, arch.name],
    ['workload', laid.workload, head.name],
  ] as const) {
    if (named !== '' && named !== actual) {
      result.notes.push(`mapping ${laid.name} was written for the ${what} ${named}, not ${actual}`);
    }
  }
  return result;
}

function graphOf(
  loaded: LoadedWorkload | LoadedServing,
  stream: string,
  arch: Arch,
): { readonly graph: DataflowGraph; readonly head: Result['workload'] } {
  const { workload } = loaded;
  const { name, about, source } = workload;
  if ('places' in loaded) {
    const { dtype, ranks } = loaded.workload;
    return { graph: cascadeGraph(loaded, stream), head: { name, about, source, dtype, ranks: ranks.toObject() } };
  }
  const serving = loaded.workload;
  if (serving.phase === 'serve') {
    throw new InputError({
      message: `${name} serves requests over time, which a dataflow graph cannot`,
      hint: 'use phase: prefill or phase: decode',
    });
  }
  const { tensor, activations } = serving.share;
  if (tensor > arch.devices) {
    throw new InputError({
      message: `${name} shares a model over ${tensor} devices, but ${arch.name} has ${arch.devices}`,
      hint: `--set devices=${tensor}, and a link between them`,
    });
  }
  return {
    graph: languageGraph(serving, batchAt(serving, 0)),
    head: { name, about, source, dtype: `${8 * activations} bit`, ranks: {} },
  };
}
