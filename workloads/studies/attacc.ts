/**
 * Attention of one token on AttAcc's memory: the cycles of its simulator, and those without what that leaves out. The points
 * recorded with the simulator are the first six columns of test/fixtures/pim/attacc.csv.
 */
import { attaccAttention, deviceOf, findStandard, type PimResult, runPim, study } from '../../index.ts';

interface Attention {
  readonly pim_type: 'bank' | 'bg' | 'buffer';
  /** 1: what multiplications may draw keeps them apart. */
  readonly power_constraint: number;
  readonly dhead: number;
  readonly dbyte: number;
  readonly nhead: number;
  readonly L: number;
}

interface Runs {
  readonly tool: PimResult;
  readonly corrected: PimResult;
}

/** On all channels of a dialect; with `sharesValues` as the generators of the simulator have it. */
function run(dialect: string, attention: Attention, sharesValues: boolean): PimResult {
  const { pim_type: units, power_constraint, dhead, dbyte, nhead: heads, L: length } = attention;
  const speed = power_constraint === 1 ? 'HBM3_5200Mbps' : 'HBM3_5200Mbps_unlimited';
  const device = deviceOf(findStandard(dialect).standard, { speed });
  return runPim(device, attaccAttention({ units, heads, length, dhead, dbyte, sharesValues }), { channels: 16 });
}

type Row = Attention & { readonly cycles: number };

/** What the simulator gives for 16 heads of 1,024 tokens under the power constraint. */
const recorded = { bank: 1890, bg: 6719, buffer: 17981 } as const;

export default study({
  name: 'attacc',
  about: 'Attention of one token on AttAcc: units at the banks, at the bank groups and on the buffer die',
  parameters: {
    pim_type: ['bank', 'bg', 'buffer'],
    power_constraint: [1, 0],
    dhead: [128],
    dbyte: [2],
    nhead: [1, 16, 48],
    L: [128, 256, 512, 1024],
  },
  inputs: (point): Attention => point,
  run: (attention: Attention): Runs => ({
    tool: run('attacc-hbm3-ramulator', attention, true),
    corrected: run('attacc-hbm3', attention, false),
  }),
  metrics: ({ tool, corrected }: Runs) => {
    const { MACAB = 0, MACSB = 0, MACPB = 0, SFM = 0, MVGB = 0, MVSB = 0, WRGB = 0 } = tool.commands;
    return {
      cycles: tool.cycles,
      mac: MACAB + MACSB + MACPB,
      softmax: SFM,
      mvgb: MVGB,
      mvsb: MVSB,
      wrgb: WRGB,
      corrected_cycles: corrected.cycles,
    };
  },
  units: { cycles: 'CK', corrected_cycles: 'CK' },
  claims: (['bank', 'bg', 'buffer'] as const).map((units) => ({
    text: `Cycles for 16 heads of 1,024 tokens with units at the ${units}`,
    source: 'scale-snu/attacc_simulator commit c600051',
    target: recorded[units],
    within: 0,
    measured: (rows: readonly Row[]) =>
      rows.find(
        ({ pim_type, power_constraint, nhead, L }) =>
          pim_type === units && power_constraint === 1 && nhead === 16 && L === 1024,
      )?.cycles ?? null,
  })),
  charts: [{ kind: 'curve', x: 'L', y: 'cycles', by: 'pim_type', panel: 'nhead', log: 'xy' }],
});
