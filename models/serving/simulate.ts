/** Arch x serving workload x serving mapping -> Result, in one call. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { checkServing } from '../../workloads/language/serving-check.ts';
import type { LoadedServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { LoadedServing } from '../../workloads/llm/load.ts';
import type { Result } from '../result.ts';
import { measureServing } from './measure.ts';
import { serve } from './serve.ts';

export interface SimulateServingOptions {
  readonly arch: Arch;
  readonly workload: LoadedServing;
  readonly mapping: LoadedServingMapping;
  /** Told the fraction that is done, now and then. */
  readonly onProgress?: (fraction: number) => void;
  /** The `--set` options that made the arch, for the report. */
  readonly overrides?: readonly string[];
}

/** @throws InputError when the machine cannot do what the mapping says, or the model does not fit */
export function simulateServing(options: SimulateServingOptions): Result {
  const { arch, workload, mapping, overrides = [], onProgress } = options;
  const mistakes = checkServing(mapping, arch);
  if (mistakes.length > 0) throw new InputError(mistakes);
  const record = serve(arch, workload.workload, mapping.mapping, onProgress ? { onProgress } : {});
  const result = measureServing({ arch, workload: workload.workload, mapping: mapping.mapping, overrides }, record);
  const { machine, name } = mapping.mapping;
  if (machine && machine !== arch.name) {
    result.notes.push(`mapping ${name} was written for the machine ${machine}, not ${arch.name}`);
  }
  return result;
}
