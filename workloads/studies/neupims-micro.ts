/**
 * One generated token's attention on NeuPIMs and on its baseline with single row buffers, the NPU otherwise idle: cycles of
 * their simulator, which has a branch for each.
 */
import { deviceOf, findStandard, study } from '../../index.ts';
import { attentionCycles } from './neupims/attention.ts';

interface Point {
  readonly branch: 'main' | 'npu+pim';
  /** One in each channel, round and round. */
  readonly requests: number;
  readonly seq_len: number;
}

function cyclesOf(dialect: string, { branch, requests, seq_len: length }: Point): number {
  const all = Array.from({ length: requests }, (_, i) => ({ channel: i % 32, length }));
  const isMain = branch === 'main';
  const options = { mode: isMain ? 'concurrent' : 'blocked', atOnce: isMain } as const;
  const end = attentionCycles(deviceOf(findStandard(dialect).standard), all, options);
  // Figures of main are of the stage, which ends a cycle after its last operation; those of npu+pim are of the operations.
  return isMain ? end + 1 : end;
}

type Row = Point & { readonly cycles: number };

const recorded: readonly (readonly [Point['branch'], requests: number, seq_len: number, cycles: number])[] = [
  ['main', 1, 32, 7242],
  ['main', 1, 512, 16013],
  ['main', 1, 2048, 63485],
  ['main', 32, 512, 16299],
  ['npu+pim', 1, 128, 10337],
  ['npu+pim', 32, 512, 90383],
];

export default study({
  name: 'neupims-micro',
  about: 'Attention of one token on NeuPIMs (dual row buffers) and with single row buffers, beside an idle NPU',
  parameters: { branch: ['main', 'npu+pim'], requests: [1, 32], seq_len: [32, 128, 512, 2048] },
  inputs: (point): Point => point,
  run: (point: Point) => ({
    cycles: cyclesOf(point.branch === 'main' ? 'neupims-hbm2' : 'newton-hbm2', point),
    corrected: point.branch === 'main' ? cyclesOf('neupims-hbm2-corrected', point) : null,
  }),
  metrics: ({ cycles, corrected }: { cycles: number; corrected: number | null }) => ({
    cycles,
    ...(corrected !== null && { corrected_cycles: corrected }),
  }),
  units: { cycles: 'CK', corrected_cycles: 'CK' },
  claims: recorded.map(([branch, requests, seq_len, cycles]) => ({
    text: `Cycles of ${branch} for ${requests} requests of ${seq_len} tokens`,
    source: 'casys-kaist/NeuPIMs, stage B alone',
    target: cycles,
    within: 0.01,
    measured: (rows: readonly Row[]) =>
      rows.find((row) => row.branch === branch && row.requests === requests && row.seq_len === seq_len)?.cycles ?? null,
  })),
  charts: [{ kind: 'curve', x: 'seq_len', y: 'cycles', by: 'branch', panel: 'requests', log: 'xy' }],
});
