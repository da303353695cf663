/** A run of a PIM program beside ordinary accesses, as reports see it. */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import { pimActivity, pimDramActivity } from '../../models/measure-pim.ts';
import { runPim } from '../../models/memory/pim/run.ts';
import { dramEnergy } from '../../models/physical/dram.ts';
import { CommandWindow } from '../../reports/command-window.ts';
import type { PimReport } from '../../reports/pim.ts';
import { barrier, commands, type PimProgram, repeat } from '../../workloads/language/pim-program.ts';
import { dialect } from '../models/memory/pim/runs.ts';

export const device: DramDevice = dialect('attacc-hbm3');

const program: PimProgram = [
  commands('WRGB', [['channel', 2]], { count: 8 }),
  barrier(2),
  repeat(
    3,
    commands(
      'MACAB',
      [
        ['channel', 2],
        ['column', 16],
      ],
      { count: 32 },
    ),
    commands('MVSB', [['channel', 2]], { count: 4 }),
    barrier(2),
  ),
];
const accesses: PimProgram = [
  commands(
    'RD',
    [
      ['bank', 4],
      ['column', 16],
      ['row', 4],
    ],
    { count: 128, at: { row: 3 } },
  ),
];

export function pimSample(from = 0, most?: number): { report: PimReport; window: CommandWindow } {
  const window = new CommandWindow(device, from, most);
  const result = runPim(device, program, {
    channels: 2,
    accesses,
    watched: true,
    log: (channel) => (tick, command, address) => {
      if (channel === 0) window.add(tick, command, address);
    },
  });
  const report: PimReport = {
    trace: 'folder/sample.pim',
    device,
    refresh: 'all-bank',
    activity: pimActivity(device, 'concurrent', result),
    energy: dramEnergy(device, pimDramActivity(device, result)),
    readLatency: 40.5,
  };
  return { report, window };
}
