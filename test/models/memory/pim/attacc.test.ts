import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runPim } from '../../../../models/memory/pim/run.ts';
import { type AttAccAttention, attaccAttention } from '../../../../workloads/pim/attacc.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { dialect, sentBy } from './runs.ts';

const file = new URL('../../../fixtures/pim/attacc.csv', import.meta.url);
const recorded = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [units, limit, ...numbers] = line.split(',');
    const [dhead, dbyte, heads, length, cycles, mac, softmax, mvgb, mvsb, wrgb] = numbers.map(Number) as number[];
    const shape = { units, dhead, dbyte, heads, length, sharesValues: true } as AttAccAttention;
    return { line, limit, shape, mac: mac!, expected: { cycles, mac, softmax, mvgb, mvsb, wrgb } };
  });

const devices = {
  '1': dialect('attacc-hbm3-ramulator'),
  '0': dialect('attacc-hbm3-ramulator', 'HBM3_5200Mbps_unlimited'),
};

/** Rows of several heads with more multiplications take longer and show nothing else; the study `attacc` can run them. */
const most = 7000;

describe("with its tool's tables, attention on AttAcc takes the cycles and commands recorded with that tool:", () => {
  it.each(recorded.filter(({ mac, shape }) => mac < most || shape.heads === 1))(
    '$line',
    ({ limit, shape, expected }) => {
      const { cycles, commands } = runPim(devices[limit as '0' | '1'], attaccAttention(shape), { channels: 16 });
      const { MACAB = 0, MACSB = 0, MACPB = 0, SFM, MVGB, MVSB, WRGB } = commands;
      expect({ cycles, mac: MACAB + MACSB + MACPB, softmax: SFM, mvgb: MVGB, mvsb: MVSB, wrgb: WRGB }).toEqual(
        expected,
      );
    },
  );
});

describe.each(['attacc-hbm3', 'attacc-hbm3-ramulator'])('on %s', (name) => {
  it.each(['bank', 'bg', 'buffer'] as const)(
    'no command of units at the %s breaks a rule, refreshes included',
    (units) => {
      const device = dialect(name);
      // Refreshes come often, so that a short run has some.
      const often = {
        ...device,
        refresh: { ...device.refresh, allBank: { ...device.refresh.allBank!, interval: 1300 } },
      };
      const program = attaccAttention({
        units,
        heads: 17,
        length: { bank: 512, bg: 128, buffer: 64 }[units],
        dhead: 64,
        dbyte: 2,
      });
      const [sent, { commands }] = sentBy(often, program, { channels: 16 });
      expect(commands.REFab).toBeGreaterThan(0);
      expect(checkCommands(often, sent)).toEqual([]);
    },
  );
});

it('the second head of a pair reads its own values, where the tool reads those of the first again', () => {
  const shape: AttAccAttention = { units: 'bank', heads: 17, length: 256, dhead: 128, dbyte: 2 };
  const run = (sharesValues: boolean) =>
    runPim(devices['1'], attaccAttention({ ...shape, sharesValues }), { channels: 16 }).commands.MACAB;
  // One head of 64 multiplications in a channel, and 16 that the tool sends for nothing.
  expect(run(false)).toBe(17 * 64 + 16);
  expect(run(true)).toBe(17 * 64 + 16 + 15 * 32);
});
