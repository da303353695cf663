/**
 * Study of HBM-PIM: kernels in the memory, and the same work as reads and writes of a host, on 64 pseudo-channels. The
 * benchmarks of its simulator are gemv 4096 x 4096, mul of 2 Mi elements, relu of 4 Mi and add of 1 Mi.
 */
import {
  deviceOf,
  findStandard,
  type HbmPimElementwise,
  type HbmPimGemv,
  hbmPimElementwise,
  hbmPimGemv,
  type PimRunOptions,
  runPhases,
  study,
  withoutPim,
} from '../../index.ts';

interface Kernel {
  readonly kernel: 'gemv' | HbmPimElementwise['kernel'];
  /** Outputs of gemv; of others 1, or as many as there are elements. */
  readonly m: number;
  /** Inputs of gemv; of others the elements. */
  readonly n: number;
}

interface Cycles {
  readonly pim_cycles: number;
  readonly non_pim_cycles: number;
}

/** Queues of 64, to which one command or access goes in a cycle. */
const options: PimRunOptions = {
  channels: 64,
  handsOut: 'by channel',
  intake: 1,
  queue: 64,
  scheduler: 'hits-first',
};

/** On a dialect; as its simulator has it, refreshes are put off and parts of tiles left out. */
function run(dialect: string, { kernel, m, n }: Kernel, asTool: boolean): Cycles {
  const device = deviceOf(findStandard(dialect).standard);
  const shape: HbmPimGemv | HbmPimElementwise = kernel === 'gemv' ? { m, n } : { kernel, n, leavesRest: asTool };
  const program = 'kernel' in shape ? hbmPimElementwise(shape) : hbmPimGemv(shape);
  const own = { ...options, postpones: asTool };
  return {
    pim_cycles: runPhases(device, [program], own).finished,
    non_pim_cycles: runPhases(device, withoutPim(shape), own).finished,
  };
}

type Row = Kernel & Cycles;

/** What the simulator gives. */
const recorded = [
  { kernel: 'gemv', m: 4096, n: 4096, pim_cycles: 13166, non_pim_cycles: 36082 },
  { kernel: 'mul', m: 1, n: 2 ** 21, pim_cycles: 5926, non_pim_cycles: 13255 },
  { kernel: 'relu', m: 1, n: 2 ** 22, pim_cycles: 7665, non_pim_cycles: 17504 },
  { kernel: 'add', m: 1, n: 2 ** 20, pim_cycles: 3349, non_pim_cycles: 6651 },
] as const;

export default study({
  name: 'hbm-pim',
  about: 'Matrix-vector products and elementwise kernels on HBM-PIM, and the same work without PIM',
  parameters: {
    kernel: ['gemv', 'add', 'mul', 'relu'],
    m: [1, 1024, 4096],
    n: [1024, 4096, 2 ** 20, 2 ** 21, 2 ** 22],
  },
  skip: ({ kernel, m, n }) => (kernel === 'gemv' ? m === 1 || n >= 2 ** 20 : (m !== 1 && m !== n) || n <= 4096),
  inputs: (point): Kernel => point,
  run: (kernel: Kernel) => ({
    tool: run('hbm-pim-pimsimulator', kernel, true),
    corrected: run('hbm-pim', kernel, false),
  }),
  metrics: ({ tool, corrected }: { readonly tool: Cycles; readonly corrected: Cycles }) => ({
    ...tool,
    speedup: tool.non_pim_cycles / tool.pim_cycles,
    corrected_pim_cycles: corrected.pim_cycles,
    corrected_non_pim_cycles: corrected.non_pim_cycles,
  }),
  units: { pim_cycles: 'CK', non_pim_cycles: 'CK', corrected_pim_cycles: 'CK', corrected_non_pim_cycles: 'CK' },
  claims: recorded.flatMap((point) =>
    (['pim_cycles', 'non_pim_cycles'] as const).map((metric) => ({
      text: `Cycles of ${point.kernel}, m ${point.m}, n ${point.n}, ${metric === 'pim_cycles' ? 'with' : 'without'} PIM`,
      source: 'SAITPublic/PIMSimulator commit b464dde, PIMBenchTestCases',
      target: point[metric],
      within: 0,
      measured: (rows: readonly Row[]) =>
        rows.find(({ kernel, m, n }) => kernel === point.kernel && m === point.m && n === point.n)?.[metric] ?? null,
    })),
  ),
  charts: [{ kind: 'curve', x: 'n', y: 'speedup', by: 'kernel', panel: 'm', log: 'x' }],
});
