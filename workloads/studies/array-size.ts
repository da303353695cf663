/** What a square array gains from its size: one GEMM on FuseMax's machine with 32 to 512 rows and columns. */
import { loadArch, loadWorkload, powersOf, study } from '../../index.ts';

const arch = loadArch('fusemax');
const workload = loadWorkload('gemm', { shape: ['M=4096', 'N=4096', 'K=4096'] });

export default study({
  name: 'array-size',
  about: 'One GEMM on FuseMax, whose array has 32 to 512 rows and columns',
  parameters: { size: powersOf(2, 32, 512) },
  point: ({ size }) => ({
    arch: arch.setIn(['parts', 'array', 'rows'], size).setIn(['parts', 'array', 'columns'], size),
    workload,
  }),
  metrics: ({ cycles, seconds, engines, memories, energy, area }) => {
    const hbm = memories.find(({ name }) => name === 'hbm');
    return {
      cycles,
      latency: seconds,
      array_busy: engines.find(({ name }) => name === 'array')?.utilization ?? null,
      hbm_used: hbm ? hbm.bandwidth / hbm.peakBandwidth : null,
      energy: energy.total,
      area: area.total,
    };
  },
  units: { latency: 's', energy: 'J', area: 'mm²' },
  charts: [
    { kind: 'curve', x: 'size', y: 'latency', log: 'xy' },
    { kind: 'pareto', x: 'area', y: 'latency', label: 'size', log: 'xy' },
  ],
});
