/**
 * Whole models that generate many tokens on NeuPIMs, on its NPU with a memory that computes in blocked mode, on the NPU alone, and
 * on an A100: four devices each that share heads. Requests see 376 tokens on average at the beginning, about those of ShareGPT, and
 * generate 256; of every 128 the one in the middle is simulated with all its layers, messages between devices included. Batches that
 * NeuPIMs' 32 GiB have no room for are left out.
 *
 * The paper's figures are means over models, batches and data sets of its own simulator, whose NPU alone puts attention through
 * its arrays request by request, and whose GPU is measured with kernels of its time. Here the NPU alone attends on its vector
 * units, and the GPU reads keys and values, as fast as memory allows: both are better than the paper's.
 */
import {
  type Arch,
  loadArch,
  loadServingMapping,
  mean,
  parseServing,
  type ServingMapping,
  type ServingWorkload,
  study,
} from '../../index.ts';
import { type Generated, type Generation, generated, hasRoom } from './serving/generation.ts';

const machines = {
  neupims: ['neupims', 'neupims'],
  blocked: ['neupims-blocked', 'neupims-blocked'],
  'npu-only': ['neupims-npu-only', 'neupims-npu-only'],
  a100: ['a100', 'gpu-only'],
} as const;

type System = keyof typeof machines;

interface Point {
  readonly model: string;
  readonly batch: number;
  readonly system: System;
}

const tokens = 256;
const stride = 128;

const loaded = new Map<System, { readonly arch: Arch; readonly mapping: ServingMapping }>();

function machineOf(system: System): { readonly arch: Arch; readonly mapping: ServingMapping } {
  const known = loaded.get(system);
  if (known) return known;
  const [machine, mapping] = machines[system];
  const found = { arch: loadArch(machine), mapping: loadServingMapping(mapping).mapping };
  loaded.set(system, found);
  return found;
}

function workloadOf({ model, batch }: Omit<Point, 'system'>): ServingWorkload {
  const text = `
workload: neupims-models
model: ${model}
parallel: { tensor: 4 }
phase: decode
batch: { requests: ${batch}, context: "lognormal(376, 0.8, ${2048 - tokens})" }
generate: ${tokens}
`;
  return parseServing(text, 'neupims-models').workload;
}

function inputs(point: Point): Generation {
  return { ...machineOf(point.system), workload: workloadOf(point) };
}

type Row = Point & { readonly tokens_per_s: number };

/** How many times the tokens of another system NeuPIMs generates, on average over models and batches; null without both. */
function gain(rows: readonly Row[], over: System): number | null {
  const ratios = rows.flatMap((row) => {
    if (row.system !== 'neupims') return [];
    const other = rows.find((one) => one.system === over && one.model === row.model && one.batch === row.batch);
    return other ? [row.tokens_per_s / other.tokens_per_s] : [];
  });
  return ratios.length > 0 ? mean(ratios) : null;
}

const source = 'NeuPIMs, ASPLOS 2024, abstract';

export default study({
  name: 'neupims-models',
  about:
    'GPT-3 of 6.7 and 13 B parameters generating 256 tokens on NeuPIMs, a blocked NPU+PIM, the NPU alone and an A100',
  parameters: {
    model: ['gpt3-7b', 'gpt3-13b'],
    batch: [64, 128, 256],
    system: Object.keys(machines) as System[],
  },
  skip: (point) => !hasRoom({ ...machineOf('neupims'), workload: workloadOf(point) }),
  inputs,
  run: (generation: Generation) => generated(generation, stride),
  metrics: ({ seconds, joules }: Generated, { batch }: Point) => ({
    tokens_per_s: (batch * tokens) / seconds,
    energy_mJ: (joules / (batch * tokens)) * 1e3,
  }),
  units: { tokens_per_s: 'token/s', energy_mJ: 'mJ' },
  claims: (
    [
      ['blocked NPU+PIM', 'blocked', 1.6],
      ['the NPU alone', 'npu-only', 2.4],
      ['an A100', 'a100', 3],
    ] as const
  ).map(([name, system, target]) => ({
    text: `NeuPIMs generates on average so many times the tokens of ${name}`,
    source,
    target,
    measured: (rows: readonly Row[]) => gain(rows, system),
  })),
  charts: [{ kind: 'curve', x: 'batch', y: 'tokens_per_s', by: 'system', panel: 'model', log: 'xy' }],
});
