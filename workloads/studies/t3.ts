/**
 * Sub-layers of tensor-parallel models whose products end in a reduce-scatter and an all-gather: one after the other, and with
 * the reduce-scatter fused into the product tile by tile (track and trigger). A device has the output projection (OP) and the
 * second fully connected layer (FC-2) in the forward pass, the first one (FC-1) and the input projection (IP) in the backward pass.
 *
 * Times are of product, reduce-scatter and all-gather, of which the first two overlap; that the ideal is then at most 50 % is why
 * the paper's figures are taken to be of all three. Traffic of the reduce-scatter follows from what each step reads and writes, and is the
 * paper's. What is the paper's own simulator's and not here: misses of its caches (it reads 1.56 times as much for a product
 * when results go through the L2, here 1.09 times), and rows, banks and near-memory additions of its DRAM. So with in-turn
 * arbitration, its T3 without MCA, communication holds products back less than there.
 *
 * `--points` takes other widths, tokens and devices: columns hidden, tokens, tp, layer, arbitration.
 */
import {
  geometricMean,
  loadArch,
  type RingMachine,
  ringMachine,
  runSubLayer,
  type SubLayer,
  study,
} from '../../index.ts';

const arch = loadArch('t3');
const source = 'T3 (Pati et al., ASPLOS 2024), figures second-hand';

/** Width of each published model and tokens of its input. */
const published = new Map([
  [3072, 16384], // Mega-GPT-2
  [4256, 8192], // T-NLG
]);
/** Inner dimension of each product over the width, before it is shared out. */
const inner = { OP: 1, 'FC-2': 4, 'FC-1': 4, IP: 3 } as const;

interface Inputs {
  readonly machine: RingMachine;
  readonly shape: { readonly m: number; readonly n: number; readonly k: number; readonly bytesPerElement: number };
  readonly arbitration: 'compute-first' | 'in-turn';
}

interface Row {
  readonly hidden: number;
  readonly tokens: number;
  readonly arbitration: 'compute-first' | 'in-turn';
  readonly tp: number;
  readonly ideal_percent: number;
  readonly faster_percent: number;
  readonly dram_ratio: number;
  readonly writes_ratio: number;
  readonly rs_reads_ratio: number;
  readonly gemm_reads_ratio: number;
}

function total({ traffic }: SubLayer['gemm']): number {
  return traffic.gemmReads + traffic.reads + traffic.writes;
}

export default study({
  name: 't3',
  about: 'Products fused with their reduce-scatter on a ring of devices, against one after the other',
  parameters: {
    hidden: [...published.keys()],
    tokens: [...published.values()],
    tp: [8, 16],
    layer: ['OP', 'FC-2', 'FC-1', 'IP'],
    arbitration: ['compute-first', 'in-turn'],
  },
  skip: ({ hidden, tokens }) =>
    [...published.values()].includes(tokens) && (published.get(hidden) ?? tokens) !== tokens,
  inputs: ({ hidden, tokens, tp, layer, arbitration }): Inputs => ({
    machine: { ...ringMachine(arch), devices: tp },
    shape: { m: tokens, n: hidden, k: Math.ceil((inner[layer] * hidden) / tp), bytesPerElement: 2 },
    arbitration,
  }),
  run: ({ machine, shape, arbitration }: Inputs) => runSubLayer(machine, shape, arbitration),
  metrics: ({ gemm, reduceScatter, allGather, fused, idealSpeedup, speedup }: SubLayer) => ({
    gemm_us: gemm.time / 1e6,
    reduce_scatter_us: reduceScatter.time / 1e6,
    all_gather_us: allGather.time / 1e6,
    fused_us: fused.time / 1e6,
    ideal_overlap: Math.max(gemm.time, reduceScatter.time) / (gemm.time + reduceScatter.time),
    overlap: fused.time / (gemm.time + reduceScatter.time),
    ideal_percent: 100 * (idealSpeedup - 1),
    faster_percent: 100 * (speedup - 1),
    dram_ratio: (total(fused) + total(allGather)) / (total(gemm) + total(reduceScatter) + total(allGather)),
    writes_ratio: fused.traffic.writes / (gemm.traffic.writes + reduceScatter.traffic.writes),
    rs_reads_ratio: reduceScatter.traffic.reads / fused.traffic.reads,
    gemm_reads_ratio: gemm.traffic.gemmReads / fused.traffic.gemmReads,
  }),
  units: { gemm_us: 'us', reduce_scatter_us: 'us', all_gather_us: 'us', fused_us: 'us' },
  claims: [
    claimed('Ideal overlap makes sub-layers so many percent faster, geometric mean', 35, 'ideal_percent', meanPercent),
    claimed('Ideal overlap makes sub-layers at most so many percent faster', 50, 'ideal_percent', most),
    claimed('T3 with MCA makes sub-layers so many percent faster, geometric mean', 30, 'faster_percent', meanPercent),
    claimed('T3 with MCA makes sub-layers at most so many percent faster', 47, 'faster_percent', most),
    claimed('T3 makes sub-layers so many percent faster, geometric mean', 20, 'faster_percent', meanPercent, 'in-turn'),
    claimed('T3 makes sub-layers at most so many percent faster', 39, 'faster_percent', most, 'in-turn'),
    claimed('Bytes of DRAM over those of the serial order, geometric mean', 0.78, 'dram_ratio', geometricMean),
    claimed('Bytes of DRAM over those of the serial order, at least', 0.64, 'dram_ratio', least),
    claimed('Bytes written over those of the serial order', 0.9, 'writes_ratio', geometricMean),
    claimed('Reads of the reduce-scatter over those of T3', 2.4, 'rs_reads_ratio', geometricMean),
    claimed(
      'Reads of the reduce-scatter over those of T3, 8 devices',
      2.5,
      'rs_reads_ratio',
      geometricMean,
      'compute-first',
      8,
    ),
    claimed(
      'Reads of the reduce-scatter over those of T3, 16 devices',
      2.2,
      'rs_reads_ratio',
      geometricMean,
      'compute-first',
      16,
    ),
    claimed('Reads of products over those of T3', 1.56, 'gemm_reads_ratio', geometricMean),
  ],
  charts: [{ kind: 'curve', x: 'tp', y: 'faster_percent', by: 'layer', panel: 'hidden' }],
});

type Figure = Exclude<keyof Row, 'hidden' | 'tokens' | 'arbitration' | 'tp'>;

/** A claim about a figure of all published sub-layers. */
function claimed(
  text: string,
  target: number,
  figure: Figure,
  of: (values: readonly number[]) => number | null,
  arbitration = 'compute-first',
  tp?: number,
) {
  const measured = (rows: readonly Row[]): number | null => {
    const wanted = rows.filter(
      (row) =>
        published.get(row.hidden) === row.tokens &&
        row.arbitration === arbitration &&
        (tp === undefined ? [8, 16].includes(row.tp) : row.tp === tp),
    );
    return wanted.length > 0 ? of(wanted.map((row) => row[figure])) : null;
  };
  return { text, source, target, measured };
}

function meanPercent(values: readonly number[]): number | null {
  const mean = geometricMean(values.map((value) => 1 + value / 100));
  return mean === null ? null : 100 * (mean - 1);
}

function most(values: readonly number[]): number {
  return Math.max(...values);
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}
