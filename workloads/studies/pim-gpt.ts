/**
 * Study of PIM-GPT: GPT-2 and GPT-3 models that write 1,024 tokens for one request, beside a T4 and a Xeon.
 *
 * Of the 1,024 tokens eight are simulated, each with all layers, and stand for those around them (serving/generation.ts). The
 * T4 is simulated for the token in the middle, as its time is affine in the context; what a framework adds to every kernel,
 * the CPU, and all powers are data (pim-gpt/baselines.ts), none of which is fitted.
 *
 * Most of the paper's ratios are not met, for which there are reasons on both sides:
 * - Its measurements of the T4 and the Xeon are not at hand. The ratios over the CPU are those of a CPU that reads about 10 GB/s,
 *   which is what one core gets; here it reads 128 GB/s. With the energies of the two versions, which differ by a factor of
 *   about 3, neither power is known. DRAM here has no background and no pins (arch/parts/dram/pim-gpt-gddr6.yaml).
 * - In the memory, 64 multiplications to a row are followed by 27 cycles in which it is closed and the next one opened: in
 *   98 % of multiplications the row is open, but for a third of the time none is. Refreshes take 7 %, and new values, each
 *   element of which lies in another row, 4 to 7 %.
 * - What the chip's functions are made of is assumed (arch/parts/vector/pim-gpt.yaml), and an operator begins when those before
 *   it have ended, so that GELU does not begin with the first outputs. Both show in the part of the time that is no product,
 *   with the chip at 100 MHz, and with many channels.
 */
import { loadArch, loadServing, loadServingMapping, study } from '../../index.ts';
import { cpu, cpuSeconds, frameworkSeconds, gpu } from './pim-gpt/baselines.ts';
import { type Generated, type Generation, generated } from './serving/generation.ts';

const models = [
  ...(['gpt2-small', 'gpt2-medium', 'gpt2-large', 'gpt2-xl'] as const),
  ...(['gpt3-small', 'gpt3-medium', 'gpt3-large', 'gpt3-xl'] as const),
];

interface Point {
  readonly model: (typeof models)[number];
  readonly channels: number;
  readonly asic_mhz: number;
}

interface Inputs {
  readonly pim: Generation;
  /** Null where nothing is compared with the GPU. */
  readonly gpu: Generation | null;
}

interface Outputs {
  readonly pim: Generated;
  readonly gpu: Generated | null;
  readonly layers: number;
  readonly parameters: number;
}

/** Whether it is the machine of the paper. */
const isOriginal = ({ channels, asic_mhz }: Point): boolean => channels === 8 && asic_mhz === 1000;

function inputsOf(point: Point): Inputs {
  const { workload } = loadServing(`${point.model}-generate`);
  const set = [`parts.gddr.channels=${point.channels}`, `clocks.asic=${point.asic_mhz} MHz`];
  const mappingOf = (name: string) => loadServingMapping(name).mapping;
  return {
    pim: { arch: loadArch('pim-gpt', { set }), workload, mapping: mappingOf('pim-gpt') },
    gpu: isOriginal(point) ? { arch: loadArch('t4'), workload, mapping: mappingOf('gpu-only') } : null,
  };
}

function run({ pim, gpu }: Inputs): Outputs {
  const { model } = pim.workload;
  return {
    pim: generated(pim, 128),
    gpu: gpu && generated(gpu, gpu.workload.generate),
    layers: model.layers,
    parameters: model.parameters(),
  };
}

function figures({ pim, gpu: simulated, layers, parameters }: Outputs) {
  const seconds = pim.seconds / pim.tokens;
  const joules = pim.joules / pim.tokens;
  const { MAC16: multiplied = 0, ACT16: opened = 0 } = pim.commands;
  const gpuSeconds = simulated && simulated.seconds / simulated.tokens + frameworkSeconds(layers);
  const cpuTime = simulated && cpuSeconds(layers, parameters);
  return {
    tokens_per_s: 1 / seconds,
    ms_per_token: 1e3 * seconds,
    mJ_per_token: 1e3 * joules,
    row_hit_rate: 1 - opened / multiplied,
    non_matrix: pim.vector / pim.seconds,
    gpu_ms_per_token: gpuSeconds && 1e3 * gpuSeconds,
    cpu_ms_per_token: cpuTime && 1e3 * cpuTime,
    gpu_speedup: gpuSeconds && gpuSeconds / seconds,
    cpu_speedup: cpuTime && cpuTime / seconds,
    gpu_energy: gpuSeconds && (gpuSeconds * gpu.watts) / joules,
    cpu_energy: cpuTime && (cpuTime * cpu.watts) / joules,
  };
}

type Row = Point & ReturnType<typeof figures>;
type Ratio = 'gpu_speedup' | 'cpu_speedup' | 'gpu_energy' | 'cpu_energy';

const firstVersion = 'PIM-GPT, arXiv 2310.09385v1, abstract';
const published = 'PIM-GPT, npj Unconventional Computing 2024, abstract';

/** Least and most of a ratio over the models. */
function range(text: string, source: string, ratio: Ratio, targets: readonly [least: number, most: number]) {
  return targets.map((target, i) => ({
    text: `${i === 0 ? 'Least' : 'Most'} ${text}`,
    source,
    target,
    measured: (rows: readonly Row[]) => {
      const all = rows.flatMap((row) => row[ratio] ?? []);
      if (all.length < models.length) return null;
      return i === 0 ? Math.min(...all) : Math.max(...all);
    },
  }));
}

function rowOf(rows: readonly Row[], model: Point['model'], channels = 8, asic = 1000): Row | undefined {
  return rows.find((row) => row.model === model && row.channels === channels && row.asic_mhz === asic);
}

/** How much longer a token takes with the chip at 100 MHz, by model. */
function slowdowns(rows: readonly Row[]): number[] {
  return rows.flatMap((slow) => {
    const fast = slow.asic_mhz === 100 ? rowOf(rows, slow.model, slow.channels) : undefined;
    return fast ? [slow.ms_per_token / fast.ms_per_token - 1] : [];
  });
}

export default study({
  name: 'pim-gpt',
  about:
    'GPT-2 and GPT-3 models writing 1,024 tokens on PIM-GPT, beside a T4 and a Xeon whose framework and powers are assumed',
  parameters: {
    model: [...models],
    channels: [8, 4, 16],
    asic_mhz: [1000, 100],
  },
  skip: ({ model, channels, asic_mhz }) => channels !== 8 && (model !== 'gpt3-xl' || asic_mhz !== 1000),
  inputs: inputsOf,
  run,
  metrics: figures,
  units: {
    tokens_per_s: '1/s',
    ms_per_token: 'ms',
    mJ_per_token: 'mJ',
    gpu_ms_per_token: 'ms',
    cpu_ms_per_token: 'ms',
  },
  claims: [
    ...range('speed-up over the GPU', published, 'gpu_speedup', [41, 137]),
    ...range('speed-up over the CPU', published, 'cpu_speedup', [631, 1074]),
    ...range('energy of the GPU, first version', firstVersion, 'gpu_energy', [339, 1085]),
    ...range('energy of the CPU, first version', firstVersion, 'cpu_energy', [890, 1632]),
    ...range('energy of the GPU, published', published, 'gpu_energy', [123, 383]),
    ...range('energy of the CPU, published', published, 'cpu_energy', [320, 602]),
    {
      text: 'Part of multiplications that find their row open, mean of the models',
      source: 'PIM-GPT, npj Unconventional Computing 2024',
      target: 0.98,
      within: 0.01,
      measured: (rows) => {
        const all = rows.filter((row) => row.gpu_speedup !== null).map((row) => row.row_hit_rate);
        return all.length < models.length ? null : all.reduce((sum, rate) => sum + rate, 0) / all.length;
      },
    },
    {
      text: 'Part of the time of GPT3-XL that is no product',
      source: 'PIM-GPT, npj Unconventional Computing 2024',
      target: 0.0116,
      measured: (rows) => rowOf(rows, 'gpt3-xl')?.non_matrix ?? null,
    },
    {
      text: 'Models that are more than 20 % slower with the chip at 100 MHz',
      source: 'PIM-GPT, npj Unconventional Computing 2024',
      target: 0,
      within: 0,
      measured: (rows) => {
        const all = slowdowns(rows);
        return all.length < models.length ? null : all.filter((slowdown) => slowdown > 0.2).length;
      },
    },
    {
      text: 'GPT3-XL with 16 channels over that with 4: nearly linear',
      source: 'PIM-GPT, npj Unconventional Computing 2024',
      target: 4,
      within: 0.1,
      measured: (rows) => {
        const [few, many] = [rowOf(rows, 'gpt3-xl', 4), rowOf(rows, 'gpt3-xl', 16)];
        return few && many ? few.ms_per_token / many.ms_per_token : null;
      },
    },
  ],
  charts: [
    { kind: 'curve', x: 'asic_mhz', y: 'ms_per_token', by: 'model', log: 'xy' },
    { kind: 'curve', x: 'channels', y: 'tokens_per_s', by: 'model', log: 'xy' },
  ],
});
