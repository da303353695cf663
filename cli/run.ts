import { InputError } from '../arch/language/diagnostics.ts';
import { loadArch } from '../arch/language/load.ts';
import type { Result } from '../models/result.ts';
import { simulate } from '../models/simulate.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { loadMapping } from '../workloads/language/mapping.ts';
import { RunFailure, together } from './failure.ts';
import { find, findAny } from './files.ts';
import type { Kind } from './kind.ts';
import { checkMapOptions, type MapOptions, mapBySearch } from './map.ts';
import { type Outputs, writeOutputs } from './outputs.ts';
import { progress } from './progress.ts';
import { runComposition } from './run-composition.ts';
import { runDataflow } from './run-dataflow.ts';
import { runServing } from './run-serving.ts';
import { runStreams } from './run-streams.ts';

export interface RunOptions extends Outputs, MapOptions {
  readonly mapping?: string;
  readonly set?: readonly string[];
  readonly shape?: readonly string[];
  readonly values?: boolean;
  readonly everyCycle?: boolean;
  readonly sample?: boolean;
}

/** Whether a name is that of a file of some kind. What cannot be found is for others to complain about. */
function isOf(name: string, kind: Kind): boolean {
  try {
    return findAny(name).kind === kind;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Largest error, relative to the largest value of an output, that rounding in another order of summation explains. */
const tolerance = 1e-9;

/** @throws InputError, DeadlockError, or RunFailure when the machine computed something else than the cascade says. */
export async function run(archName: string, workloadName: string, options: RunOptions): Promise<void> {
  if (isOf(workloadName, 'composition of experts')) return runComposition(archName, workloadName, options);
  if (isOf(workloadName, 'streaming workload')) return runStreams(archName, workloadName, options);
  if (options.mapping !== undefined && isOf(options.mapping, 'dataflow mapping')) {
    return runDataflow(archName, workloadName, options.mapping, options);
  }
  if (isOf(workloadName, 'serving workload')) return runServing(archName, workloadName, options);
  const { set = [], shape = [], values = false, everyCycle = false, sample = false } = options;
  const [arch, workload, mapping] = together(
    () => loadArch(find(archName, 'machine'), { set }),
    () => loadWorkload(find(workloadName, 'workload'), { shape }),
    () => (options.mapping === undefined ? null : loadMapping(find(options.mapping, 'mapping'))),
    () => checkMapOptions(options),
  );
  const found = options.map === undefined ? null : mapBySearch(arch, workload, options);
  const bar = progress();
  let result: Result;
  try {
    const fastForward = !everyCycle;
    result = simulate({
      arch,
      workload,
      mapping: found ?? mapping,
      values,
      fastForward,
      sample,
      overrides: set,
      onProgress: bar.update,
    });
  } finally {
    bar.stop();
  }
  await writeOutputs(result, options);
  const wrong = result.values?.outputs.filter((output) => !(output.maxAbsError <= tolerance * output.maxAbs)) ?? [];
  if (wrong.length > 0) {
    throw new RunFailure(
      `the machine computed another ${wrong.map((o) => o.tensor).join(', ')} than the cascade defines`,
    );
  }
}
