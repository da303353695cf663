/** Arch x Workload x Mapping -> Result, in one call. */
import type { Arch } from '../arch/language/arch.ts';
import { version } from '../arch/language/library.ts';
import type { LoadedMapping } from '../workloads/language/mapping.ts';
import type { LoadedWorkload } from '../workloads/language/workload.ts';
import { bind } from './binding/bind.ts';
import { Machine } from './machine.ts';
import { measure } from './measure.ts';
import type { Result } from './result.ts';
import { ValueRun } from './values.ts';

export interface SimulateOptions {
  readonly arch: Arch;
  readonly workload: LoadedWorkload;
  /** What it leaves open, or all of it, is chosen by the default binding. */
  readonly mapping?: LoadedMapping | null;
  /** Move real numbers through the machine and compare its outputs with the evaluator's. */
  readonly values?: boolean;
  /** Folds of systolic arrays stream all of their time, as SCALE-Sim's do, whatever that costs the memory. */
  readonly wholeFolds?: boolean;
  /** Whether what repeats is skipped, which changes no figure but the time that it takes; true by default. */
  readonly fastForward?: boolean;
  /**
   * Whether a part of what repeats is estimated where a memory of DRAM remembers, which makes the length of the run an
   * interval; changes nothing where nothing has to be estimated. False by default.
   */
  readonly sample?: boolean;
  /** Told the fraction that is done, now and then. */
  readonly onProgress?: (fraction: number) => void;
  /** The `--set` options that made the arch, for the report. */
  readonly overrides?: readonly string[];
}

/**
 * Binds and runs a workload on a machine.
 * @throws InputError when it cannot run there; DeadlockError when the machine comes to a stop.
 */
export function simulate(options: SimulateOptions): Result {
  const { arch, workload, mapping = null, values = false, wholeFolds = false, fastForward = true } = options;
  const { onProgress, overrides = [], sample = false } = options;
  const valueRun = values ? new ValueRun(workload.workload) : null;
  const program = bind(arch, workload, mapping, { wholeFolds });
  const record = new Machine(arch).run(program, {
    workload: workload.workload,
    fastForward,
    sample,
    ...(valueRun && { watch: valueRun.watch }),
    ...(onProgress && { onProgress }),
  });
  const result = measure({ arch, workload: workload.workload, program, overrides, version }, record);
  if (mapping) result.notes.push(...mismatches(mapping, arch, workload));
  if (sample) result.notes.push(...unsampled(result));
  if (valueRun) result.values = valueRun.compare();
  return result;
}

/** Why nothing was sampled though it was asked for. */
function unsampled({ fastForward, memories }: Result): string[] {
  if (fastForward?.interval) return [];
  if (memories.some(({ pim }) => pim)) return ['nothing was sampled: a memory that computes is run command by command'];
  if (fastForward?.off)
    return ['nothing was sampled: all rounds were asked for, or values that must move in all of them'];
  return memories.some(({ dram }) => dram)
    ? ['nothing was sampled: no loop is long enough for it, so all rounds were run']
    : ['nothing had to be sampled: without DRAM, what repeats is added up exactly'];
}

/** Notes on a mapping that was written for something else: it may still be what the user wants. */
function mismatches({ mapping }: LoadedMapping, arch: Arch, { workload }: LoadedWorkload): string[] {
  return [
    ['machine', mapping.machine, arch.name],
    ['workload', mapping.workload, workload.name],
  ].flatMap(([what, named, actual]) =>
    named && named !== actual ? [`mapping ${mapping.name} was written for the ${what} ${named}, not ${actual}`] : [],
  );
}
