/** FuseMax against FLAT and unfused attention, alone and with the linear layers around it. */
import { geometricMean, mean, powersOf, study } from '../../index.ts';
import {
  artifactEnergy,
  attentionMetrics,
  attentionRun,
  configs,
  energyBesideRegisters,
  linearRun,
  type Model,
  models,
  trafficOf,
} from './fusemax/points.ts';

interface Row {
  readonly config: string;
  readonly model: string;
  readonly seq: number;
  readonly [metric: string]: string | number | null;
}

const paper = 'FuseMax, MICRO 2024 (arXiv 2406.10491), abstract';
const tables = 'FuseMax artifact f543beb, its tables';

/** Mean over models and lengths of a metric of one configuration over that of another; null unless all are there. */
function ratio(rows: readonly Row[], metric: string, over: string, under: string): number | null {
  const ratios = rows
    .filter(({ config }) => config === over)
    .map((row) => {
      const other = rows.find(({ config, model, seq }) => config === under && model === row.model && seq === row.seq);
      const [a, b] = [row[metric], other?.[metric]];
      return typeof a === 'number' && typeof b === 'number' ? a / b : null;
    });
  return mean(ratios);
}

const ofBinding = (rows: readonly Row[], metric: string): (number | null)[] =>
  rows.filter(({ config }) => config === 'binding').map((row) => row[metric] as number | null);

export default study({
  name: 'fusemax',
  about: 'Attention unfused, on FLAT, and with the cascade, the architecture and the binding of FuseMax; batch 64',
  parameters: {
    config: [...configs],
    model: Object.keys(models) as Model[],
    seq: powersOf(4, '1 Ki', '1 Mi'),
  },
  point: (p) => ({ attention: attentionRun(p), linear: linearRun(p) }),
  metrics: ({ attention, linear }, p) => ({
    ...attentionMetrics(attention, p.config),
    e2e_latency_s: attention.seconds + linear.seconds,
    e2e_traffic_bytes: trafficOf(attention) + trafficOf(linear),
    e2e_energy_pJ: (artifactEnergy(attention, p.config) + energyBesideRegisters(linear)) * 1e12,
    e2e_energy_full_pJ: (attention.energy.total + linear.energy.total) * 1e12,
  }),
  units: {
    latency_s: 's',
    e2e_latency_s: 's',
    traffic_bytes: 'B',
    e2e_traffic_bytes: 'B',
    buffer_bytes: 'B',
    energy_pJ: 'pJ',
    energy_full_pJ: 'pJ',
    e2e_energy_pJ: 'pJ',
    e2e_energy_full_pJ: 'pJ',
  },
  claims: [
    {
      text: 'attention is 6.7 times as fast as FLAT',
      source: paper,
      target: 6.7,
      within: 0.02,
      measured: (rows) => ratio(rows, 'latency_s', 'flat', 'binding'),
    },
    {
      text: 'attention is 10 times as fast as unfused',
      source: paper,
      target: 10.05,
      within: 0.02,
      measured: (rows) => ratio(rows, 'latency_s', 'unfused', 'binding'),
    },
    {
      text: 'a layer is 5.3 times as fast as on FLAT',
      source: paper,
      target: 5.3,
      within: 0.02,
      measured: (rows) => ratio(rows, 'e2e_latency_s', 'flat', 'binding'),
    },
    {
      text: 'attention takes 79 % of the energy of FLAT, in the artifact’s accounting',
      source: paper,
      target: 0.79,
      within: 0.02,
      measured: (rows) => ratio(rows, 'energy_pJ', 'binding', 'flat'),
    },
    {
      text: 'the same, with the registers of all PEs, every exp and every access of the buffer counted, which is right',
      source: 'FuseMax artifact f543beb, the register files of BERT at 1K counted in full',
      target: 0.7049,
      within: 0.1,
      measured: (rows) => ratio(rows, 'energy_full_pJ', 'binding', 'flat'),
    },
    {
      text: 'a layer takes 83 % of the energy of FLAT, in the artifact’s accounting',
      source: paper,
      target: 0.83,
      within: 0.02,
      measured: (rows) => ratio(rows, 'e2e_energy_pJ', 'binding', 'flat'),
    },
    {
      text: 'the 2-D array is busy 97 % of the time',
      source: tables,
      target: 0.97,
      within: 0.01,
      measured: (rows) => mean(ofBinding(rows, 'util_2d')),
    },
    {
      text: 'the 1-D array is always busy',
      source: tables,
      target: 1,
      within: 0.01,
      measured: (rows) => mean(ofBinding(rows, 'util_1d')),
    },
    {
      text: '+Cascade on the PEs of FLAT is 0.90 times as fast as FLAT',
      source: tables,
      target: 0.9037,
      within: 0.01,
      measured: (rows) => {
        const flat = rows.filter(({ config }) => config === 'flat');
        return geometricMean(
          flat.map((row) =>
            ratio(
              [row, ...rows.filter((r) => r.config === 'cascade' && r.model === row.model && r.seq === row.seq)],
              'latency_s',
              'flat',
              'cascade',
            ),
          ),
        );
      },
    },
    {
      text: '+Architecture is 2.2 times as fast as FLAT',
      source: tables,
      target: 2.183,
      within: 0.02,
      measured: (rows) => ratio(rows, 'latency_s', 'flat', 'arch'),
    },
    {
      text: 'the buffer holds no more at 1M tokens than at 256K',
      source: 'FuseMax, MICRO 2024, section 4: on-chip space independent of the length of the sequence',
      target: 1,
      within: 1e-9,
      measured: (rows) => {
        const bytes = (length: number): number | null =>
          mean(
            ofBinding(
              rows.filter(({ seq }) => seq === length),
              'buffer_bytes',
            ),
          );
        const [long, short] = [bytes(2 ** 20), bytes(2 ** 18)];
        return long === null || short === null ? null : long / short;
      },
    },
  ],
  charts: [
    { kind: 'curve', x: 'seq', y: 'latency_s', by: 'config', panel: 'model', log: 'xy' },
    { kind: 'curve', x: 'seq', y: 'e2e_latency_s', by: 'config', panel: 'model', log: 'xy' },
    { kind: 'curve', x: 'seq', y: 'energy_full_pJ', by: 'config', panel: 'model', log: 'xy' },
    { kind: 'heat', x: 'seq', y: 'config', value: 'util_2d', panel: 'model' },
    { kind: 'heat', x: 'seq', y: 'config', value: 'util_1d', panel: 'model' },
    { kind: 'curve', x: 'seq', y: 'buffer_bytes', by: 'config', panel: 'model', log: 'x' },
  ],
});
