import { describeArch } from '../arch/language/describe.ts';
import { loadArch } from '../arch/language/load.ts';
import { areaOf } from '../models/physical/area.ts';
import { describeWorkload } from '../workloads/language/describe.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { kindOf } from './kind.ts';

export function show(name: string, { set, shape }: { set: string[]; shape: string[] }): void {
  const { kind, file } = kindOf(name);
  if (kind === 'machine') {
    const arch = loadArch(file, { set });
    process.stdout.write(describeArch(arch, new Map(Object.entries(areaOf(arch).by))));
  } else {
    process.stdout.write(describeWorkload(loadWorkload(file, { shape })));
  }
}
