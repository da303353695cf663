/**
 * What fusing operators, and launching kernels by the unit itself, is worth on SN40L: an iteration of language models on a node of
 * eight sockets (llama-3.1-8B on 16) with one request, and a Fourier convolution on one socket. Launch times and the latency of the
 * links between sockets are fitted, once, in the machine's file. The paper's ranges are of several models and told in words, its
 * figures of single ones cannot be read.
 */
import {
  batchAt,
  cascadeGraph,
  type DataflowGraph,
  DataflowMapping,
  languageGraph,
  loadArch,
  loadWorkload,
  parseServing,
  study,
} from '../../index.ts';
import { type Inputs, type Measured, measure } from './sn40l/measured.ts';

const source = 'SN40L (Prabhakar et al., MICRO 2024, arXiv 2405.07518), section VI, figures 10 and 11';

interface Benchmark {
  readonly model: string;
  readonly sockets: number;
  readonly phase: 'prefill' | 'decode';
  readonly context: number;
}

const benchmarks = {
  'llama2-7b-prefill': { model: 'llama-2-7b', sockets: 8, phase: 'prefill', context: 4096 },
  'llama2-7b-decode': { model: 'llama-2-7b', sockets: 8, phase: 'decode', context: 4096 },
  'mistral-7b-prefill': { model: 'mistral-7b', sockets: 8, phase: 'prefill', context: 4096 },
  'mistral-7b-decode': { model: 'mistral-7b', sockets: 8, phase: 'decode', context: 4096 },
  'llama2-70b-decode': { model: 'llama-2-70b', sockets: 8, phase: 'decode', context: 4096 },
  'llama3.1-8b-decode': { model: 'llama-3.1-8b', sockets: 16, phase: 'decode', context: 8192 },
} as const satisfies { readonly [name: string]: Benchmark };

const convolution = 'flash-fft-conv';
type Name = keyof typeof benchmarks | typeof convolution;
const names: readonly Name[] = [...(Object.keys(benchmarks) as (keyof typeof benchmarks)[]), convolution];

const configurations = {
  unfused: { fuse: 'none', launch: 'software' },
  fused: { fuse: 'all', launch: 'software' },
  'fused-hardware': { fuse: 'all', launch: 'hardware' },
} as const;

function language({ model, sockets, phase, context }: Benchmark): DataflowGraph {
  const text = `workload: ${model}
model: ${model}
dtype: bf16
parallel: { tensor: ${sockets} }
phase: ${phase}
batch: { requests: 1, context: ${context} }
`;
  const { workload } = parseServing(text, `${model}.yaml`);
  return languageGraph(workload, batchAt(workload, 0));
}

interface Row {
  readonly benchmark: string;
  readonly configuration: string;
  readonly latency: number;
  readonly kernels: number;
  readonly hbm: number;
}

type Figure = 'latency' | 'kernels' | 'hbm';

const figure = (rows: readonly Row[], name: Name, configuration: keyof typeof configurations, what: Figure) =>
  rows.find((row) => row.benchmark === name && row.configuration === configuration)?.[what] ?? null;

/** How many times of one configuration another one has. */
function ratio(
  name: Name,
  [over, under]: readonly [keyof typeof configurations, keyof typeof configurations],
  what: Figure = 'latency',
) {
  return (rows: readonly Row[]): number | null => {
    const [a, b] = [figure(rows, name, over, what), figure(rows, name, under, what)];
    return a === null || b === null ? null : a / b;
  };
}

/** A range as a claim: its middle, and half of its width. */
const range = (least: number, most: number) => ({
  target: (least + most) / 2,
  within: (most - least) / (most + least),
});

const fusing = ['unfused', 'fused'] as const;
const launching = ['fused', 'fused-hardware'] as const;

export default study({
  name: 'sn40l-fusion',
  about: 'Fused over unfused, and launches by hardware over those by software, on SN40L',
  parameters: { benchmark: names, configuration: ['unfused', 'fused', 'fused-hardware'] },
  inputs: ({ benchmark, configuration }): Inputs => {
    const mapping = configurations[configuration];
    if (benchmark === convolution) {
      const graph = cascadeGraph(loadWorkload(convolution), 'B');
      return { arch: loadArch('sn40l'), graph, mapping: new DataflowMapping({ ...mapping, tile: 1 }) };
    }
    const arch = loadArch('sn40l-node', { set: [`devices=${benchmarks[benchmark].sockets}`] });
    return { arch, graph: language(benchmarks[benchmark]), mapping: new DataflowMapping({ ...mapping, tile: 96 }) };
  },
  run: measure,
  metrics: ({ seconds, kernels, flops, bytes, peak }: Measured) => ({
    latency: seconds,
    kernels,
    hbm: bytes / seconds / peak,
    teraflops: flops / seconds / 1e12,
  }),
  units: { latency: 's', teraflops: 'TFLOP/s' },
  claims: [
    {
      text: 'Fusing makes llama2-7B prefill 1.5 to 3 times as fast',
      source,
      ...range(1.5, 3),
      measured: ratio('llama2-7b-prefill', fusing),
    },
    {
      text: 'Fusing makes mistral-7B prefill 1.5 to 3 times as fast',
      source,
      ...range(1.5, 3),
      measured: ratio('mistral-7b-prefill', fusing),
    },
    {
      text: 'Fusing makes llama2-7B decode 1 to 13 times as fast',
      source,
      ...range(1, 13),
      measured: ratio('llama2-7b-decode', fusing),
    },
    {
      text: 'Fusing makes mistral-7B decode 1 to 13 times as fast',
      source,
      ...range(1, 13),
      measured: ratio('mistral-7b-decode', fusing),
    },
    { text: 'Fusing makes FlashFFTConv 13 times as fast', source, target: 13, measured: ratio(convolution, fusing) },
    {
      text: 'Hardware launches make llama2-7B decode 1.4 to 8 times as fast',
      source,
      ...range(1.4, 8),
      measured: ratio('llama2-7b-decode', launching),
    },
    {
      text: 'Hardware launches make mistral-7B decode 1.4 to 8 times as fast',
      source,
      ...range(1.4, 8),
      measured: ratio('mistral-7b-decode', launching),
    },
    {
      text: 'Hardware launches make llama2-70B decode 1.4 to 8 times as fast',
      source,
      ...range(1.4, 8),
      measured: ratio('llama2-70b-decode', launching),
    },
    {
      text: 'Hardware launches make llama2-7B prefill at most 1.1 times as fast',
      source,
      ...range(1, 1.1),
      measured: ratio('llama2-7b-prefill', launching),
    },
    {
      text: 'Hardware launches do nothing for FlashFFTConv',
      source,
      target: 1,
      measured: ratio(convolution, launching),
    },
    {
      text: 'Kernels of llama2-7B prefill, unfused over fused',
      source,
      target: 11,
      measured: ratio('llama2-7b-prefill', fusing, 'kernels'),
    },
    {
      text: 'Share of the HBM bandwidth in decode of llama2-7B',
      source,
      target: 0.85,
      measured: (rows: readonly Row[]) => figure(rows, 'llama2-7b-decode', 'fused-hardware', 'hbm'),
    },
    {
      text: 'llama-3.1-8B on 16 sockets: tokens a second for one user',
      source: 'SN40L (MICRO 2024), table IV; the latency of links between sockets is fitted to it',
      target: 1042,
      measured: (rows: readonly Row[]) => {
        const latency = figure(rows, 'llama3.1-8b-decode', 'fused-hardware', 'latency');
        return latency === null ? null : 1 / latency;
      },
    },
  ],
});
