/** Runs a composition of experts on a machine. */
import { loadArch } from '../arch/language/load.ts';
import { simulateComposition } from '../models/composition/simulate.ts';
import type { Result } from '../models/result.ts';
import { type LoadedDataflowMapping, loadDataflowMapping } from '../workloads/language/dataflow-mapping.ts';
import { type LoadedServingMapping, loadServingMapping } from '../workloads/language/serving-mapping.ts';
import { loadComposition } from '../workloads/llm/composition-load.ts';
import { together } from './failure.ts';
import { find, findAny } from './files.ts';
import { checkOutputs, writeOutputs } from './outputs.ts';
import { progress } from './progress.ts';
import type { RunOptions } from './run.ts';
import { checkServingOptions } from './run-serving.ts';

/** @throws InputError */
export async function runComposition(archName: string, workloadName: string, options: RunOptions): Promise<void> {
  const { set = [] } = options;
  const [arch, composition, mapping] = together(
    () => loadArch(find(archName, 'machine'), { set }),
    () => loadComposition(find(workloadName, 'composition of experts')),
    () => (options.mapping === undefined ? undefined : loadMapping(options.mapping)),
    () => checkServingOptions(options),
    () => checkOutputs(options),
  );
  const bar = progress();
  let result: Result;
  try {
    result = simulateComposition({ arch, composition, mapping, overrides: set, onProgress: bar.update });
  } finally {
    bar.stop();
  }
  await writeOutputs(result, options);
}

/** Of whatever kind the file is. */
function loadMapping(name: string): LoadedServingMapping | LoadedDataflowMapping {
  const { kind, file } = findAny(name);
  return kind === 'dataflow mapping' ? loadDataflowMapping(file) : loadServingMapping(find(name, 'serving mapping'));
}
