/**
 * Operations for each byte of HBM of the Monarch chain on an SN40L socket, by what is fused. The paper gives no sizes; those of the
 * workload follow from two of its three figures. With intermediate tensors of one size, nothing fused has a tenth of what all
 * fused has, and the paper's third figure is a little less than that.
 */
import { List } from 'immutable';
import { cascadeGraph, DataflowMapping, loadArch, loadWorkload, study } from '../../index.ts';
import { type Inputs, type Measured, measure } from './sn40l/measured.ts';

const source = 'SN40L (Prabhakar et al., MICRO 2024, arXiv 2405.07518), table I';
const fusions = {
  none: 'none',
  partial: List([List(['Gemm0', 'Mul', 'Transpose'])]),
  full: 'all',
} as const;

interface Row {
  readonly fusion: string;
  readonly intensity: number;
}

const of = (fusion: keyof typeof fusions) => (rows: readonly Row[]) =>
  rows.find((row) => row.fusion === fusion)?.intensity ?? null;

export default study({
  name: 'sn40l-intensity',
  about:
    'The Monarch chain Gemm0, Mul, Transpose, Gemm1 on an SN40L socket: operations per byte of HBM by what is fused',
  parameters: { fusion: ['none', 'partial', 'full'] },
  inputs: ({ fusion }): Inputs => ({
    arch: loadArch('sn40l'),
    graph: cascadeGraph(loadWorkload('monarch-fft'), 'B'),
    mapping: new DataflowMapping({ fuse: fusions[fusion], launch: 'software', tile: 16 }),
  }),
  run: measure,
  metrics: ({ flops, bytes, seconds, kernels, peak }: Measured) => ({
    intensity: flops / bytes,
    bytes,
    latency: seconds,
    kernels,
    hbm: bytes / seconds / peak,
  }),
  units: { intensity: 'FLOP/B', bytes: 'B', latency: 's' },
  claims: [
    { text: 'Nothing fused: FLOP/byte', source, target: 39.5, measured: of('none') },
    { text: 'Gemm0, Mul and Transpose fused: FLOP/byte', source, target: 102.6, measured: of('partial') },
    { text: 'All fused: FLOP/byte', source, target: 410.4, measured: of('full') },
  ],
});
