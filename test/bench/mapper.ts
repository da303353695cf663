import { join } from 'node:path';
import { packageRoot } from '../../arch/language/library.ts';
import { loadArch, loadWorkload, searchMapping } from '../../index.ts';
import type { Row, Section } from './harness.ts';

/** The search for a mapping of BERT attention on FuseMax, once: it takes long. */
function rows(): Row[] {
  const arch = loadArch(join(packageRoot, 'arch/fusemax.yaml'));
  const workload = loadWorkload(join(packageRoot, 'workloads/attention-1-pass.yaml'));
  const before = process.cpuUsage();
  const { cycles } = searchMapping({ arch, workload }).result;
  const { user, system } = process.cpuUsage(before);
  return [
    { name: 'search for a mapping of attention', figure: (user + system) / 1e6, unit: 'CPU s' },
    { name: 'cycles of the mapping found', figure: cycles / 1e6, unit: 'M cycles', peer: '+Binding: 1.896' },
  ];
}

export const section: Section = { title: 'Mapper', rows };
