import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../arch/language/library.ts';
import { loadArch, loadMapping, loadWorkload, simulate } from '../../index.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

/** BERT attention as the 1-pass cascade on FuseMax: 12,288 tiles of 12 einsums. */
function rows(): Row[] {
  const arch = loadArch(join(packageRoot, 'arch/fusemax.yaml'));
  const workload = loadWorkload(join(packageRoot, 'workloads/attention-1-pass.yaml'));
  const mapping = loadMapping(join(packageRoot, 'workloads/mappings/fusemax-binding.yaml'));
  const { cycles } = simulate({ arch, workload, mapping });
  const seconds = cpuSeconds(() => () => simulate({ arch, workload, mapping }));
  const long = loadWorkload(join(packageRoot, 'workloads/attention-1-pass.yaml'), { shape: ['P=1Mi', 'M=1Mi'] });
  const longSeconds = cpuSeconds(() => () => simulate({ arch, workload: long, mapping }), 3);
  return [
    { name: 'bind, run and measure', figure: seconds, unit: 'CPU s', peer: 'the artifact: 150 to 280 s' },
    { name: 'the same with 1M tokens, 12.9 billion rounds', figure: longSeconds, unit: 'CPU s', target: { atMost: 5 } },
    { name: 'simulated cycles per CPU second', figure: cycles / seconds / 1e6, unit: 'M cycles/s' },
    { name: 'peak memory of this process', figure: peakMegabytes(), unit: 'MB' },
  ];
}

/** Most memory that this process has held so far. Linux alone tells. */
function peakMegabytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1e3;
}

export const section: Section = { title: 'Main job', rows };
