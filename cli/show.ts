import { basename } from 'node:path';
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

const shown = 'machines, workloads, mappings, DRAM standards and SSDs can be shown';

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
    case 'composition of experts': {
      const { workload } = (await import('../workloads/llm/composition-load.ts')).loadComposition(file);
      return (await import('../workloads/llm/composition-describe.ts')).describeComposition(workload);
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
    case 'dataflow mapping': {
      const { mapping } = (await import('../workloads/language/dataflow-mapping.ts')).loadDataflowMapping(file);
      return (await import('../workloads/language/describe-dataflow-mapping.ts')).describeDataflowMapping(mapping);
    }
    case 'standard': {
      const standard = (await import('../arch/language/dram/load.ts')).loadStandard(file);
      return (await import('../arch/language/dram/describe.ts')).describeStandard(standard);
    }
    case 'part':
      return describePart(file);
    default:
      throw notFor(shown, file, kind);
  }
}

/** @throws InputError on a part other than an SSD: those are shown with their machines */
async function describePart(file: string): Promise<string> {
  const { checkPartFile } = await import('../arch/language/part-file.ts');
  if (checkPartFile(file) !== 'ssd') throw notFor(shown, file, 'part');
  const { findSsd } = await import('../arch/language/ssd/find.ts');
  return (await import('../arch/language/ssd/describe.ts')).describeSsd(basename(file, '.yaml'), findSsd(file));
}

function notFor(what: string, file: string, kind: Kind): InputError {
  return new InputError({ message: `${what}, but ${file} describes a ${kind}` });
}
