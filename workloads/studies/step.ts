/**
 * Experts of Qwen3-30B-A3B that share regions of a spatial machine in turn, with tiles of 32 tokens and with dynamic ones. Bytes
 * and tiles are the artifact's; which experts the trace gives tokens to is inferred (workloads/traces/SOURCE.md), from the
 * published cycles among others, so that those of 4, 8, 16 and 32 regions with static tiles say little by themselves.
 * `--only trace=NAME` runs a trace of your own, NAME.experts.csv in the working directory, whose name begins with its model's.
 */
import { loadArch, type MoeLayer, type MoeRun, type MoeTiling, runMoeLayer, stepMachine, study } from '../../index.ts';
import { drawnTraces, fileTraces, layerOf } from './step/traces.ts';

const machine = stepMachine(loadArch('step'));
const source = 'STeP (Sohn et al., ASPLOS 2026); gina7484/step_artifact commit 6072c60, timeshare_mem_bound/figure';
const shipped = 'qwen3-30b-a3b-b64';

interface Row {
  readonly trace: string;
  readonly tile: number | 'dynamic';
  readonly regions: number;
  readonly kcycles: number;
  readonly off_chip: number;
}

interface Inputs {
  readonly layer: MoeLayer;
  readonly tiling: MoeTiling;
}

const regions = [128, 64, 32, 16, 8, 4];
/** Cycles and off-chip bytes of the artifact's tables. */
const tables = [
  { tile: 32, bytes: 576455680, cycles: [789895, 715519, 796725, 839090, 1004877, 1888072] },
  { tile: 'dynamic', bytes: 567018496, cycles: [713539, 704732, 754098, 769760, 796622, 1280865] },
] as const;
const peak = (machine.memory.channels * machine.memory.requestBytes) / machine.memory.interval;

function rowOf(rows: readonly Row[], tile: number | 'dynamic', count: number): Row | undefined {
  return rows.find((row) => row.trace === shipped && row.tile === tile && row.regions === count);
}

export default study({
  name: 'step',
  about: 'A layer of experts on regions that they share in turn: cycles and off-chip bandwidth',
  parameters: { trace: [...fileTraces, ...drawnTraces], tile: [32, 'dynamic'], regions, hidden_tile: [48] },
  skip: ({ trace, regions, hidden_tile }) => {
    const { tokens, hidden } = layerOf(trace);
    return tokens.length % regions !== 0 || hidden % hidden_tile !== 0;
  },
  inputs: ({ trace, tile, regions, hidden_tile }): Inputs => {
    return { layer: layerOf(trace), tiling: { tile, hiddenTile: hidden_tile, regions } };
  },
  run: ({ layer, tiling }: Inputs) => runMoeLayer(machine, layer, tiling),
  metrics: ({ cycles, tiles, offChipBytes, offChipUtilization, unitUtilization }: MoeRun) => ({
    kcycles: cycles / 1e3,
    tiles,
    off_chip_bytes: offChipBytes,
    off_chip: offChipUtilization,
    units: unitUtilization,
  }),
  claims: tables.flatMap(({ tile, bytes, cycles }) =>
    regions.flatMap((count, i) => [
      {
        text: `Thousand cycles with ${tile === 'dynamic' ? 'dynamic tiles' : `tiles of ${tile}`} in ${count} regions`,
        source,
        target: (cycles[i] as number) / 1e3,
        measured: (rows: readonly Row[]) => rowOf(rows, tile, count)?.kcycles ?? null,
      },
      {
        text: `Off-chip bandwidth of the peak with ${tile === 'dynamic' ? 'dynamic tiles' : `tiles of ${tile}`} in ${count} regions`,
        source,
        target: bytes / (cycles[i] as number) / peak,
        measured: (rows: readonly Row[]) => rowOf(rows, tile, count)?.off_chip ?? null,
      },
    ]),
  ),
  charts: [{ kind: 'curve', x: 'regions', y: 'kcycles', by: 'tile', panel: 'trace', log: 'xy' }],
});
