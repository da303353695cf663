/** Runs copies and loops on a host. */
import { InputError } from '../arch/language/diagnostics.ts';
import { loadArch } from '../arch/language/load.ts';
import { simulateStreams } from '../models/fabric/simulate.ts';
import { loadPlacement } from '../workloads/language/placement.ts';
import { loadStream } from '../workloads/language/streaming.ts';
import { together } from './failure.ts';
import { find } from './files.ts';
import { checkOutputs, writeOutputs } from './outputs.ts';
import type { RunOptions } from './run.ts';

/** @throws InputError */
export async function runStreams(archName: string, workloadName: string, options: RunOptions): Promise<void> {
  const { set = [], shape = [], everyCycle = false } = options;
  const [arch, workload, mapping] = together(
    () => loadArch(find(archName, 'machine'), { set }),
    () => loadStream(find(workloadName, 'streaming workload'), { shape }),
    () => loadPlacement(find(mappingOf(options), 'placement')),
    () => checkOptions(options),
    () => checkOutputs(options),
  );
  await writeOutputs(simulateStreams({ arch, workload, mapping, overrides: set, fastForward: !everyCycle }), options);
}

function mappingOf({ mapping }: RunOptions): string {
  if (mapping !== undefined) return mapping;
  const hint = 'such as "--mapping host-local"';
  throw new InputError({ message: 'copies and loops need a mapping that says where tensors are', hint });
}

/** What only einsums can do. */
function checkOptions({ values, sample, map, mapOut, objective, seed, candidates, budget }: RunOptions): void {
  const given = { values, sample, map, 'map-out': mapOut, objective, seed, candidates, budget };
  const mistakes = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([option]) => ({ message: `--${option} is for cascades of einsums, not for copies and loops` }));
  if (mistakes.length > 0) throw new InputError(mistakes);
}
