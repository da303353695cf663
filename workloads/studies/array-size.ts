/** What a square array gains from its size: one GEMM on FuseMax's machine with 32 to 512 rows and columns. */

import { packageRoot } from '../../arch/language/library.ts';
import { loadArch, loadWorkload, simulate } from '../../index.ts';

const arch = loadArch(`${packageRoot}/arch/fusemax.yaml`);
const workload = loadWorkload(`${packageRoot}/workloads/gemm.yaml`, { shape: ['M=4096', 'N=4096', 'K=4096'] });

console.log('size     cycles   array busy   hbm used   energy');
for (const size of [32, 64, 128, 256, 512]) {
  const variant = arch.setIn(['parts', 'array', 'rows'], size).setIn(['parts', 'array', 'columns'], size);
  const { cycles, engines, memories, energy } = simulate({ arch: variant, workload });
  const busy = engines.find((engine) => engine.name === 'array')!.utilization;
  const used = memories.find((memory) => memory.name === 'hbm')!;
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
  console.log(
    [
      String(size).padStart(4),
      cycles.toLocaleString('en').padStart(10),
      percent(busy).padStart(10),
      percent(used.bandwidth / used.peakBandwidth).padStart(10),
      `${energy.total.toFixed(2)} J`.padStart(9),
    ].join('  '),
  );
}
