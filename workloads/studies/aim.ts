/**
 * Instructions of AiM's host, as in the traces that come with its simulator: the cycles that this counts, which never
 * refreshes, and those with refreshes. A trace is named as its file is; the number in some names may be another one.
 */
import {
  aim,
  aimSync,
  deviceOf,
  findStandard,
  type PimProgram,
  type PimResult,
  pimRepeat,
  runPim,
  study,
} from '../../index.ts';

const columns = 64;
const everyRow = { columns, nextRow: true };

/** By the name of a trace, without the number of times. */
const traces: { readonly [name: string]: (times: number) => PimProgram } = {
  micro_macab_16banks: (times) => [pimRepeat(times, aim('MAC_ABK', everyRow))],
  micro_ewmul_16banks: (times) => [pimRepeat(times, aim('EWMUL', everyRow))],
  micro_rdmac_16banks: (times) => [pimRepeat(times, aim('RD_MAC'))],
  micro_wrbias_16banks: (times) => [pimRepeat(times, aim('WR_BIAS'))],
  micro_wrab_1bank: (times) => [pimRepeat(times, aim('WR_ABK', { channels: [0], nextRow: true }))],
  micro_wrbias_mac_af_rdaf_16banks: (times) => [
    pimRepeat(times, aim('WR_BIAS'), aim('MAC_ABK', { columns }), aim('AF'), aim('RD_AF')),
  ],
  micro_wrbias_mac_rdmac_mac_16banks: (times) => [
    pimRepeat(times, aim('WR_BIAS'), aim('MAC_ABK', { columns }), aim('RD_MAC'), aim('MAC_ABK', { columns, row: 1 })),
  ],
  micro_wrgb_gbbk_bggb_16banks: (times) => [
    pimRepeat(times, aim('WR_GB', { columns }), aim('COPY_GBBK', everyRow), aim('COPY_BKGB', { ...everyRow, bank: 8 })),
  ],
};

interface Runs {
  readonly tool: PimResult;
  readonly refreshed: PimResult;
}

function run(trace: string): Runs {
  const times = Number(/_(\d+)_/.exec(trace)?.[1] ?? 1024);
  const name = trace.replace(/_\d+_/, '_');
  const steps = traces[name];
  if (!steps) throw new Error(`there is no trace "${trace}": one of ${Object.keys(traces).join(', ')}`);
  const device = deviceOf(findStandard('aim-gddr6').standard);
  const program = [...steps(times), aimSync];
  const options = { channels: 32, scheduler: 'in-order' } as const;
  return {
    tool: runPim(device, program, { ...options, refresh: 'none' }),
    refreshed: runPim(device, program, options),
  };
}

const recorded = {
  micro_macab_1024_16banks: 231383,
  micro_rdmac_1024_16banks: 3106,
  micro_wrab_1024_1bank: 103393,
  micro_wrbias_1024_16banks: 2083,
  micro_wrbias_mac_af_rdaf_16banks: 424960,
  micro_wrbias_mac_rdmac_mac_16banks: 576482,
};

type Row = { readonly trace: string; readonly memory_system_cycles: number };

export default study({
  name: 'aim',
  about: "Instructions of AiM's host in GDDR6 that computes, 1,024 times over, without and with refreshes",
  parameters: {
    trace: [...Object.keys(recorded), 'micro_ewmul_16banks', 'micro_wrgb_gbbk_bggb_16banks'],
  },
  inputs: ({ trace }: { readonly trace: string }) => ({ trace }),
  run: ({ trace }: { readonly trace: string }): Runs => run(trace),
  metrics: ({ tool, refreshed }: Runs) => ({
    memory_system_cycles: tool.cycles,
    with_refresh_cycles: refreshed.cycles,
    refreshes: refreshed.commands.REFab ?? 0,
  }),
  units: { memory_system_cycles: 'CK', with_refresh_cycles: 'CK' },
  claims: Object.entries(recorded).map(([trace, target]) => ({
    text: `Cycles of ${trace} without refreshes`,
    source: 'arkhadem/aim_simulator commit 0f28a07',
    target,
    within: 0,
    measured: (rows: readonly Row[]) => rows.find((row) => row.trace === trace)?.memory_system_cycles ?? null,
  })),
});
