import { InputError } from '../arch/language/diagnostics.ts';
import { libraryFile } from '../arch/language/library.ts';
import { findAny } from './files.ts';
import type { Kind } from './kind.ts';
import { checkFiles } from './outputs.ts';

export interface ShowOptions {
  readonly set?: readonly string[];
  readonly shape?: readonly string[];
  readonly html?: string;
}

/** @throws InputError */
export async function show(name: string, { set, shape, html }: ShowOptions): Promise<void> {
  const { file, kind } = findAny(name);
  if (kind === 'mapping') {
    checkFiles({ html });
    const { showMapping } = await import('./show-mapping.ts');
    showMapping(file, { set: set ?? [], shape: shape ?? [], ...(html !== undefined && { html }) });
    return;
  }
  if (set && kind !== 'machine') throw notFor('--set changes a machine', file, kind);
  if (shape && kind !== 'workload' && kind !== 'streaming workload')
    throw notFor('--shape changes a workload', file, kind);
  if (html !== undefined) throw notFor('--html draws a mapping', file, kind);
  process.stdout.write(await describe(file, kind, set ?? [], shape ?? []));
}

async function describe(file: string, kind: Kind, set: readonly string[], shape: readonly string[]): Promise<string> {
  switch (kind) {
    case 'machine': {
      const arch = (await import('../arch/language/load.ts')).loadArch(file, { set });
      const areas = new Map(Object.entries((await import('../models/physical/area.ts')).areaOf(arch).by));
      return (await import('../arch/language/describe.ts')).describeArch(arch, areas);
    }
    case 'workload': {
      const workload = (await import('../workloads/language/load.ts')).loadWorkload(file, { shape });
      return (await import('../workloads/language/describe.ts')).describeWorkload(workload);
    }
    case 'serving workload': {
      const { workload } = (await import('../workloads/llm/load.ts')).loadServing(file);
      return (await import('../workloads/llm/describe.ts')).describeServing(workload);
    }
    case 'streaming workload': {
      const { workload } = (await import('../workloads/language/streaming.ts')).loadStream(file, { shape });
      return (await import('../workloads/language/describe-streaming.ts')).describeStream(workload);
    }
    case 'serving mapping': {
      const { mapping } = (await import('../workloads/language/serving-mapping.ts')).loadServingMapping(file);
      const { loadArch } = await import('../arch/language/load.ts');
      const found = libraryFile('arch', mapping.machine);
      const arch = 'file' in found ? loadArch(found.file) : null;
      return (await import('../workloads/language/describe-serving-mapping.ts')).describeServingMapping(mapping, arch);
    }
    case 'standard': {
      const standard = (await import('../arch/language/dram/load.ts')).loadStandard(file);
      return (await import('../arch/language/dram/describe.ts')).describeStandard(standard);
    }
    default:
      throw notFor('machines, workloads, mappings and DRAM standards can be shown', file, kind);
  }
}

function notFor(what: string, file: string, kind: Kind): InputError {
  return new InputError({ message: `${what}, but ${file} describes a ${kind}` });
}
