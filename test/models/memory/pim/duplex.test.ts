import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findStandard } from '../../../../arch/language/dram/find.ts';
import { peakBandwidth } from '../../../../arch/language/dram/memory.ts';
import { loadArch } from '../../../../arch/language/load.ts';
import { pimMemory } from '../../../../arch/language/parts.ts';
import { gemv } from '../../../../workloads/pim/gemv.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { dialect, sentBy } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);

/** Duplex's memories: the command that multiplies, the bandwidth relative to the bus, operations for each byte. */
describe.each([
  ['logic-pim-hbm3', 'MACBU', 4, 8, 'duplex'],
  ['bank-pim-hbm3', 'MACAB', 16, 1, 'duplex-bank-pim'],
] as const)('%s', (name, mac, times, intensity, machine) => {
  const device = dialect(name);
  const { standard } = findStandard(name);
  const command = device.commands.findIndex((one) => one.name === mac);

  const { level, each = [] } = device.commands[command];
  const banks = device.counts.reduce((all, n, at) => (at > level || each.includes(at) ? all * n : all), 1);

  it('reads as many times its bandwidth as the paper says, and multiplies as often', () => {
    const again = device.constraints.filter(({ after, before }) => after.includes(command) && before.includes(command));
    const interval = Math.max(...again.map(({ latency }) => latency)) / device.ticksPerClock;
    const bytes = (banks * device.burstBytes) / interval;
    const bus = (2 * device.burstBytes) / (device.timings.get('nCCDS')! / device.ticksPerClock);
    expect(bytes / bus).toBe(times);
    // A multiply-add of 2 B for each vector.
    expect((2 * (device.units?.vectors ?? 0)) / 2).toBe(intensity);
  });

  it('comes near that in a large product: openings of rows and refreshes take the rest', () => {
    const shape = { rows: 512, columns: 4096, lanes: 16 };
    const [, { cycles, commands }] = sentBy(device, gemv(device, mac, shape).program);
    const rate = (shape.rows * shape.columns * 2) / (cycles * device.clockPs * 1e-12);
    expect(rate / peakBandwidth(standard, device, 1)).toBeGreaterThan(0.6 * times);
    expect(rate / peakBandwidth(standard, device, 1)).toBeLessThan(times);
    expect(commands[mac]).toBe((shape.rows * shape.columns) / 16 / banks);
  });

  it('keeps all rows whatever the shape', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 1500 }), (rows, columns) => {
        const [sent] = sentBy(device, gemv(device, mac, { rows, columns, lanes: 16 }).program);
        expect(checkCommands(device, sent)).toEqual([]);
      }),
      { seed, numRuns: 6 },
    );
  });

  it('is the memory of a machine', () => {
    const memory = pimMemory(loadArch(machine));
    expect(memory?.part.dram?.standard.equals(standard)).toBe(true);
  });
});
