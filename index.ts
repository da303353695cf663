/** Clockwright as a library: describe a machine and a workload, run one on the other, report. */
export * from './arch/language/arch.ts';
export { type Diagnostic, InputError, type Place } from './arch/language/diagnostics.ts';
export { version } from './arch/language/library.ts';
export { loadArch, parseArch } from './arch/language/load.ts';
export { bind } from './models/binding/bind.ts';
export { Program } from './models/binding/program.ts';
export { DeadlockError } from './models/kernel/kernel.ts';
export type { Result } from './models/result.ts';
export { type SimulateOptions, simulate } from './models/simulate.ts';
export { htmlReport } from './reports/html.ts';
export { toJson } from './reports/json.ts';
export { summary } from './reports/terminal.ts';
export { perfettoTrace } from './reports/trace.ts';
export { evaluate, randomInputs } from './workloads/language/evaluate.ts';
export { loadWorkload, parseWorkload } from './workloads/language/load.ts';
export { type LoadedMapping, loadMapping, Mapping, parseMapping } from './workloads/language/mapping.ts';
export { type LoadedWorkload, Workload } from './workloads/language/workload.ts';
