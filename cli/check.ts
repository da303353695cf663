import { type Diagnostic, InputError } from '../arch/language/diagnostics.ts';
import { libraryFile } from '../arch/language/library.ts';
import { loadArch } from '../arch/language/load.ts';
import { Source } from '../arch/language/source.ts';
import { loadTechnology } from '../arch/language/technology-file.ts';
import { bind } from '../models/binding/bind.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { loadMapping } from '../workloads/language/mapping.ts';
import { type Kind, kindOf } from './kind.ts';

/** Checks every file, and only then fails: all mistakes of all files in one go. */
export function check(names: readonly string[]): void {
  const mistakes: Diagnostic[] = [];
  for (const name of names) {
    try {
      const { kind, file } = kindOf(name);
      process.stdout.write(`${file}: ${checkers[kind](file)}\n`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      mistakes.push(...error.diagnostics);
    }
  }
  if (mistakes.length > 0) throw new InputError(mistakes);
}

const checkers: { readonly [kind in Kind]: (file: string) => string } = {
  machine: (file) => `machine ${loadArch(file).name}, no mistakes`,
  workload: (file) => `workload ${loadWorkload(file).workload.name}, no mistakes`,
  technology: (file) => {
    const loaded = loadTechnology(file, { file, place: Source.read(file).span(0, 1) });
    if (Array.isArray(loaded)) throw new InputError(loaded);
    return 'technology, no mistakes';
  },
  mapping: (file) => {
    const loaded = loadMapping(file);
    const { name, machine, workload } = loaded.mapping;
    const arch = namedIn('arch', machine, loadArch);
    const cascade = namedIn('workloads', workload, loadWorkload);
    if (arch && cascade) {
      bind(arch, cascade, loaded);
      return `mapping ${name}, lays ${workload} on ${machine}`;
    }
    return `mapping ${name}, no mistakes; its machine or workload is not in the library, so that it was not tried`;
  },
};

function namedIn<T>(shelf: string, name: string, load: (file: string) => T): T | null {
  const found = libraryFile(shelf, name);
  return 'file' in found ? load(found.file) : null;
}
