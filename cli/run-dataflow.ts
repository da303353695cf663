/** Runs a cascade or a language model as a dataflow graph. */
import { InputError } from '../arch/language/diagnostics.ts';
import { loadArch } from '../arch/language/load.ts';
import { simulateDataflow } from '../models/dataflow/simulate.ts';
import { loadDataflowMapping } from '../workloads/language/dataflow-mapping.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { loadServing } from '../workloads/llm/load.ts';
import { together } from './failure.ts';
import { find, findAny } from './files.ts';
import { checkOutputs, writeOutputs } from './outputs.ts';
import type { RunOptions } from './run.ts';

/** @throws InputError */
export async function runDataflow(
  archName: string,
  workloadName: string,
  mappingName: string,
  options: RunOptions,
): Promise<void> {
  const { set = [], shape = [] } = options;
  const isServing = findAny(workloadName).kind === 'serving workload';
  const [arch, workload, mapping] = together(
    () => loadArch(find(archName, 'machine'), { set }),
    () =>
      isServing
        ? loadServing(find(workloadName, 'serving workload'))
        : loadWorkload(find(workloadName, 'workload'), { shape }),
    () => loadDataflowMapping(find(mappingName, 'dataflow mapping')),
    () => checkOptions(options, isServing),
    () => checkOutputs(options),
  );
  await writeOutputs(simulateDataflow({ arch, workload, mapping, overrides: set }), options);
}

/** What only loop programs can do. */
function checkOptions(
  { shape, values, everyCycle, sample, map, mapOut, objective, seed, candidates, budget }: RunOptions,
  isServing: boolean,
): void {
  const search = { map, 'map-out': mapOut, objective, seed, candidates, budget };
  const given = {
    values,
    'every-cycle': everyCycle,
    sample,
    ...search,
    ...(isServing && { shape: shape?.length || undefined }),
  };
  const mistakes = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([option]) => ({ message: `--${option} does not go with a mapping of a dataflow machine` }));
  if (mistakes.length > 0) throw new InputError(mistakes);
}
