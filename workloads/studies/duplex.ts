/**
 * Duplex: a GPU whose HBM has units on its logic dies (Logic-PIM), which run experts and the attention of decoding, alone or
 * together with the GPU (co-processing), beside the GPU alone and units at the banks (Bank-PIM). Tokens in the middle of their
 * generation, Lin + Lout / 2 tokens seen; uniform routing. The grid is the short end of the paper's, so that it takes minutes;
 * batches of 128 and lengths up to 4,096, which the simulator's runs have too, are asked for with --points.
 *
 * What differs from the claims, and why: the paper and its simulator have rooflines with a factor for DRAM. Here a product in
 * the memory opens every row, receives its vectors and returns its sums, for ceil(tokens / 8) passes over the weights (about
 * half of its peak; at the banks a third, as a quarter of a matrix leaves some of them idle and every vector is sent anew), and
 * ordinary accesses and products of the two sides disturb each other's rows: bundles of banks are not kept apart. Energy is that of
 * the memories only, as the technology gives none of tensor cores: passes that read weights again count, the GPU's arithmetic,
 * which the paper's savings are partly of, does not.
 */
import { mean, study } from '../../index.ts';
import { type Row, recordedClaims, speedups } from './duplex/claims.ts';
import {
  deviceRun,
  hasExperts,
  hasRoom,
  type IterationFigures,
  iterationFigures,
  modelNames,
  systems,
} from './duplex/decode.ts';

const source = 'Duplex (Yun et al., MICRO 2024, arXiv 2409.01141)';

export default study({
  name: 'duplex',
  about: 'Decoding on Duplex, on units at the banks and on a GPU; times of one layer of each kind, for all layers',
  parameters: {
    model: modelNames,
    system: systems,
    expert_tp: [1, 4],
    batch: [32, 64],
    Lin: [256],
    Lout: [256],
  },
  skip: (point) => {
    const { model, system, expert_tp, Lin, Lout } = point;
    if (!hasExperts(model) && system === 'co-processing') return true;
    if (expert_tp !== 1 && system !== 'co-processing') return true;
    return !hasRoom({ ...point, phase: 'decode', context: Lin + Lout });
  },
  inputs: ({ Lin, Lout, ...point }) => deviceRun({ ...point, phase: 'decode', context: Lin + Math.floor(Lout / 2) }),
  run: iterationFigures,
  metrics: ({ seconds, joules }: IterationFigures, { batch }: { readonly batch: number }) => ({
    tbt_ms: seconds * 1e3,
    tokens_per_s: batch / seconds,
    energy_mJ: (joules / batch) * 1e3,
  }),
  units: { tbt_ms: 'ms', tokens_per_s: 'token/s', energy_mJ: 'mJ' },
  claims: [
    {
      text: 'Duplex generates at most so many times the tokens of the GPU',
      source,
      target: 2.67,
      measured: (rows: readonly Row[]) => most(speedups(rows, 'gpu', 'co-processing', 'tokens_per_s')),
    },
    {
      text: 'Duplex generates on average so many times the tokens of the GPU',
      source,
      target: 2.07,
      measured: (rows: readonly Row[]) => average(speedups(rows, 'gpu', 'co-processing', 'tokens_per_s')),
    },
    {
      text: 'Energy of a token on Duplex, on average, over that on the GPU',
      source,
      target: 1 - 0.2819,
      measured: (rows: readonly Row[]) => average(speedups(rows, 'gpu', 'co-processing', 'energy_mJ')),
    },
    {
      text: 'Energy of a token on Duplex, at least, over that on the GPU (of GLaM)',
      source,
      target: 1 - 0.4203,
      measured: (rows: readonly Row[]) => least(speedups(rows, 'gpu', 'co-processing', 'energy_mJ')),
    },
    {
      text: 'Duplex generates on average so many times the tokens of Bank-PIM on Mixtral',
      source,
      target: 1.49,
      measured: (rows: readonly Row[]) =>
        average(speedups(rows.filter(isOf('mixtral-8x7b')), 'bank-pim', 'co-processing', 'tokens_per_s')),
    },
    {
      text: 'Points of OPT (multi-head attention) at which Bank-PIM is ahead of Logic-PIM, as a part of all',
      source,
      target: 1,
      measured: (rows: readonly Row[]) =>
        average(speedups(rows.filter(isOf('opt-66b')), 'logic-pim', 'bank-pim', 'tokens_per_s').map(isMore)),
    },
    {
      text: 'Points of Mixtral at which Bank-PIM is ahead of Logic-PIM, as a part of all',
      source,
      target: 0,
      measured: (rows: readonly Row[]) =>
        average(speedups(rows.filter(isOf('mixtral-8x7b')), 'logic-pim', 'bank-pim', 'tokens_per_s').map(isMore)),
    },
    ...recordedClaims,
  ],
  charts: [
    { kind: 'curve', x: 'batch', y: 'tokens_per_s', by: 'system', panel: 'model', log: 'xy' },
    { kind: 'curve', x: 'batch', y: 'energy_mJ', by: 'system', panel: 'model', log: 'x' },
  ],
});

const isOf = (model: string) => (row: Row) => row.model === model;
const isMore = (ratio: number): number => (ratio > 1 ? 1 : 0);
const average = (values: readonly number[]): number | null => (values.length > 0 ? mean(values) : null);
const most = (values: readonly number[]): number | null => (values.length > 0 ? Math.max(...values) : null);
const least = (values: readonly number[]): number | null => (values.length > 0 ? Math.min(...values) : null);
