import { InputError } from '../arch/language/diagnostics.ts';
import { loadStandard } from '../arch/language/dram/load.ts';
import { libraryFile } from '../arch/language/library.ts';
import { loadArch } from '../arch/language/load.ts';
import { checkPartFile } from '../arch/language/part-file.ts';
import { loadTechnologyFile } from '../arch/language/technology-file.ts';
import { bind } from '../models/binding/bind.ts';
import { loadDataflowMapping } from '../workloads/language/dataflow-mapping.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { loadMapping } from '../workloads/language/mapping.ts';
import { loadPlacement } from '../workloads/language/placement.ts';
import { checkServing } from '../workloads/language/serving-check.ts';
import { loadServingMapping } from '../workloads/language/serving-mapping.ts';
import { loadStream } from '../workloads/language/streaming.ts';
import { loadComposition } from '../workloads/llm/composition-load.ts';
import { loadServing } from '../workloads/llm/load.ts';
import { loadModels } from '../workloads/llm/models.ts';
import { together } from './failure.ts';
import { findAny } from './files.ts';
import { type Kind, kindOf } from './kind.ts';

/** Checks every file, and only then fails. @throws InputError with all mistakes of all files. */
export function check(names: readonly string[]): void {
  together(
    ...names.map((name) => () => {
      const { file, kind } = findAny(name);
      process.stdout.write(`${file}: ${checkers[kind](file, names)}\n`);
    }),
  );
}

const checkers: { readonly [kind in Kind]: (file: string, given: readonly string[]) => string } = {
  machine: (file) => `machine ${loadArch(file).name}, no mistakes`,
  workload: (file) => `workload ${loadWorkload(file).workload.name}, no mistakes`,
  'serving workload': (file) => `serving workload ${loadServing(file).workload.name}, no mistakes`,
  'composition of experts': (file) => `composition of experts ${loadComposition(file).workload.name}, no mistakes`,
  'streaming workload': (file) => `streaming workload ${loadStream(file).workload.name}, no mistakes`,
  'model table': (file) => `table of ${loadModels(file).size} models, no mistakes`,
  technology: (file) => `technology ${loadTechnologyFile(file).name}, no mistakes`,
  standard: (file) => `DRAM standard ${loadStandard(file).name}, no mistakes`,
  part: (file) => `part of kind ${checkPartFile(file)}, no mistakes`,
  mapping: checkMappingFile,
  'serving mapping': checkServingFile,
  'dataflow mapping': (file) => `dataflow mapping ${loadDataflowMapping(file).mapping.name}, no mistakes`,
  placement: (file) => `placement ${loadPlacement(file).placement.name} of tensors in memories, no mistakes`,
};

/** Tries the mapping on the machine and workload that it names, where they are among the given files or the library's. */
function checkMappingFile(file: string, given: readonly string[]): string {
  const loaded = loadMapping(file);
  const { name, machine, workload, each } = loaded.mapping;
  // It names no part of either.
  if (each && machine === '' && workload === '') return `mapping ${name} is for any workload and machine, no mistakes`;
  const arch = named('machine', 'arch', machine, given, loadArch, (found) => found.name);
  const cascade = named('workload', 'workloads', workload, given, loadWorkload, (found) => found.workload.name);
  if (arch && cascade) {
    bind(arch, cascade, loaded);
    return `mapping ${name} lays ${workload} on ${machine}, no mistakes`;
  }
  if (machine === '' || workload === '') return `mapping ${name}, no mistakes by itself; it names nothing to try it on`;
  const missing = [...(arch ? [] : [`machine ${machine}`]), ...(cascade ? [] : [`workload ${workload}`])];
  return `mapping ${name}, no mistakes by itself; to try it, check the file of ${missing.join(' and of ')} as well`;
}

/** Tries a serving mapping on the machine that it names, where that is among the given files or the library's. */
function checkServingFile(file: string, given: readonly string[]): string {
  const loaded = loadServingMapping(file);
  const { name, machine } = loaded.mapping;
  const arch = named('machine', 'arch', machine, given, loadArch, (found) => found.name);
  if (arch) {
    const mistakes = checkServing(loaded, arch);
    if (mistakes.length > 0) throw new InputError(mistakes);
    return `mapping ${name} serves language models on ${machine}, no mistakes`;
  }
  if (machine === '') return `mapping ${name} is for language models on any machine, no mistakes`;
  return `mapping ${name} for language models, no mistakes by itself; to try it, check the file of machine ${machine} as well`;
}

/** What a mapping calls by name; null when it is not to be found, or has mistakes of its own that are told elsewhere. */
function named<T>(
  kind: Kind,
  shelf: string,
  name: string,
  given: readonly string[],
  load: (file: string) => T,
  nameOf: (value: T) => string,
): T | null {
  const found = libraryFile(shelf, name);
  for (const file of [...given, ...('file' in found ? [found.file] : [])]) {
    try {
      if (kindOf(file) !== kind) continue;
      const value = load(file);
      if (nameOf(value) === name) return value;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  return null;
}
