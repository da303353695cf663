import { join } from 'node:path';
import { packageRoot } from '../../arch/language/library.ts';
import { loadArch, loadComposition, simulateComposition } from '../../index.ts';
import type { Row, Section } from './harness.ts';

/** 150 experts on eight sockets, 200 tokens for each of 256 requests. Times of models are kept, so that only the first run counts. */
function rows(): Row[] {
  const arch = loadArch(join(packageRoot, 'arch/sn40l-node.yaml'));
  const { workload } = loadComposition(join(packageRoot, 'workloads/coe-150.yaml'));
  const composition = { workload: workload.set('output', 200) };
  const before = process.cpuUsage();
  simulateComposition({ arch, composition });
  const { user, system } = process.cpuUsage(before);
  const figure = (user + system) / 1e6;
  return [
    { name: '150 experts, 256 requests of 200 tokens on 8 sockets', figure, unit: 'CPU s', target: { atMost: 10 } },
  ];
}

export const section: Section = { title: 'Composition of experts', rows };
