/** Runs a large language model at work on a machine. */
import { InputError } from '../arch/language/diagnostics.ts';
import { loadArch } from '../arch/language/load.ts';
import type { Result } from '../models/result.ts';
import { simulateServing } from '../models/serving/simulate.ts';
import { loadServingMapping } from '../workloads/language/serving-mapping.ts';
import { loadServing } from '../workloads/llm/load.ts';
import { together } from './failure.ts';
import { find } from './files.ts';
import { checkOutputs, writeOutputs } from './outputs.ts';
import { progress } from './progress.ts';
import type { RunOptions } from './run.ts';

/** @throws InputError */
export async function runServing(archName: string, workloadName: string, options: RunOptions): Promise<void> {
  const { set = [] } = options;
  const [arch, workload, mapping] = together(
    () => loadArch(find(archName, 'machine'), { set }),
    () => loadServing(find(workloadName, 'serving workload')),
    () => loadServingMapping(find(mappingOf(options), 'serving mapping')),
    () => checkServingOptions(options),
    () => checkOutputs(options),
  );
  const bar = progress();
  let result: Result;
  try {
    result = simulateServing({ arch, workload, mapping, overrides: set, onProgress: bar.update });
  } finally {
    bar.stop();
  }
  await writeOutputs(result, options);
}

function mappingOf({ mapping }: RunOptions): string {
  if (mapping !== undefined) return mapping;
  const hint = 'such as "--mapping gpu-only", which needs an array and a vector unit';
  throw new InputError({ message: 'a language model needs a mapping that says what runs where', hint });
}

/** What only einsums can do. */
export function checkServingOptions(options: RunOptions): void {
  const { shape, values, everyCycle, sample, map, mapOut, objective, seed, candidates, budget } = options;
  const search = { map, 'map-out': mapOut, objective, seed, candidates, budget };
  const given = { shape: shape?.length || undefined, values, 'every-cycle': everyCycle, sample, ...search };
  const mistakes = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([option]) => ({ message: `--${option} is for cascades of einsums, not for language models` }));
  if (mistakes.length > 0) throw new InputError(mistakes);
}
