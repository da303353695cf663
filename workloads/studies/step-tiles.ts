/**
 * Static tiles of 16 and 64 tokens, and dynamic ones, for experts of Qwen3-30B-A3B and Mixtral, each in a region of its own with
 * larger units (the artifact's are 4096 FLOP/cycle, for dynamic tiles 6400): a low tile has its expert's weights loaded again, a
 * high one is padded. Where tokens go is inferred (workloads/traces/SOURCE.md); bytes follow from the number of tiles, which is known.
 */
import {
  loadArch,
  type MoeLayer,
  type MoeRun,
  runMoeLayer,
  type StepMachine,
  stepMachine,
  study,
} from '../../index.ts';
import { layerOf } from './step/traces.ts';

const arch = loadArch('step');
const source = 'STeP (Sohn et al., ASPLOS 2026); gina7484/step_artifact commit c8c4070, dyn_tiling';
const traces = ['qwen3-30b-a3b-b64', 'mixtral-8x7b-b64'] as const;
type Tile = number | 'dynamic';
const tiles = [16, 64, 'dynamic'] as const;

interface Row {
  readonly trace: string;
  readonly tile: Tile;
  readonly kcycles: number;
  readonly off_chip_bytes: number;
}

interface Inputs {
  readonly machine: StepMachine;
  readonly layer: MoeLayer;
  readonly tiling: { readonly tile: Tile; readonly hiddenTile: number; readonly regions: number };
}

/** Cycles and off-chip bytes of the artifact, by tile. */
const recorded = {
  'qwen3-30b-a3b-b64': { cycles: [712164, 577007, 580999], bytes: [680264704, 567018496, 567018496], ratio: 1.2 },
  'mixtral-8x7b-b64': { cycles: [4644999, 2813010, 2782672], bytes: [4229431552, 2820145408, 2820145408], ratio: 1.5 },
};

const rowOf = (rows: readonly Row[], trace: string, tile: Tile): Row | undefined =>
  rows.find((row) => row.trace === trace && row.tile === tile);

/** Bytes of weights, which come once for each tile: without those of tokens and results, which always come once. */
function weights(row: Row | undefined): number | null {
  if (row === undefined) return null;
  const { batch, dim, activeExperts, bytesPerElement } = layerOf(row.trace);
  return row.off_chip_bytes - batch * (dim * (bytesPerElement + 4) + activeExperts * bytesPerElement);
}

export default study({
  name: 'step-tiles',
  about: 'Static and dynamic tiles for experts, each in a region of its own: cycles and off-chip traffic',
  parameters: { trace: traces, tile: tiles },
  inputs: ({ trace, tile }): Inputs => {
    const layer = layerOf(trace);
    const lanes = tile === 'dynamic' ? 3200 : 2048;
    const machine = stepMachine(arch.setIn(['parts', 'unit', 'lanes'], lanes));
    return { machine, layer, tiling: { tile, hiddenTile: 64, regions: layer.tokens.length } };
  },
  run: ({ machine, layer, tiling }: Inputs) => runMoeLayer(machine, layer, tiling),
  metrics: ({ cycles, tiles, offChipBytes, offChipUtilization, unitUtilization }: MoeRun) => ({
    kcycles: cycles / 1e3,
    tiles,
    off_chip_bytes: offChipBytes,
    off_chip: offChipUtilization,
    units: unitUtilization,
  }),
  claims: traces.flatMap((trace) => [
    {
      text: `Weights loaded with tiles of 16 over those with dynamic tiles, ${trace}`,
      source,
      target: recorded[trace].ratio,
      within: 0,
      measured: (rows: readonly Row[]) => {
        const [low, dynamic] = [weights(rowOf(rows, trace, 16)), weights(rowOf(rows, trace, 'dynamic'))];
        return low !== null && dynamic !== null ? low / dynamic : null;
      },
    },
    ...tiles.flatMap((tile, i) => [
      {
        text: `Off-chip bytes with ${named(tile)}, ${trace}`,
        source,
        target: recorded[trace].bytes[i] as number,
        within: 0,
        measured: (rows: readonly Row[]) => rowOf(rows, trace, tile)?.off_chip_bytes ?? null,
      },
      {
        text: `Thousand cycles with ${named(tile)}, ${trace}`,
        source,
        target: (recorded[trace].cycles[i] as number) / 1e3,
        measured: (rows: readonly Row[]) => rowOf(rows, trace, tile)?.kcycles ?? null,
      },
    ]),
  ]),
});

function named(tile: Tile): string {
  return tile === 'dynamic' ? 'dynamic tiles' : `tiles of ${tile}`;
}
