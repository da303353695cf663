/** FuseMax's array and vector unit from 16 to 512 wide, at 256K tokens: area against time. */
import { powersOf, study } from '../../index.ts';
import { type Model, models, sizedRun } from './fusemax/points.ts';

export default study({
  name: 'fusemax-array-size',
  about: 'Attention of 256K tokens on FuseMax with 16 to 512 rows, columns and lanes; batch 64',
  parameters: { model: Object.keys(models) as Model[], size: powersOf(2, 16, 512) },
  point: ({ model, size }) => sizedRun(model, size, 2 ** 18),
  metrics: ({ cycles, seconds, area }) => ({ cycles, latency_s: seconds, area_mm2: area.total }),
  units: { latency_s: 's', area_mm2: 'mm²' },
  claims: [
    {
      text: 'BERT takes 118 s on 256 x 256 PEs',
      source: 'FuseMax artifact f543beb, pareto.csv',
      target: 118.2793728,
      within: 0.001,
      measured: (rows) => rows.find(({ model, size }) => model === 'BERT' && size === 256)?.latency_s ?? null,
    },
    {
      text: 'BERT takes 30267 s on 16 x 16 PEs',
      source: 'FuseMax artifact f543beb, pareto.csv',
      target: 30266.668803268083,
      within: 0.01,
      measured: (rows) => rows.find(({ model, size }) => model === 'BERT' && size === 16)?.latency_s ?? null,
    },
  ],
  charts: [{ kind: 'pareto', x: 'area_mm2', y: 'latency_s', label: 'size', panel: 'model', log: 'xy' }],
});
