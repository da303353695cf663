import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { runPim } from '../../../models/memory/pim/run.ts';
import { dramEnergy } from '../../../models/physical/dram.ts';
import { attaccAttention } from '../../../workloads/pim/attacc.ts';
import { Folder, small } from '../../arch/dram/sample.ts';

const folder = new Folder();
afterAll(() => folder.remove());
folder.write('small.yaml', small);
const pJ = 1e-12;

const heir = (text: string) =>
  deviceOf(loadStandard(folder.write('heir.yaml', `standard: HEIR\nextends: small\n${text}`)));

describe("commands and energies of NeuPIMs' channel 0", () => {
  const file = new URL('../../fixtures/pim/neupims-energy.json', import.meta.url);
  const { counts, energy_pJ: recorded }: { [table: string]: { [name: string]: number } } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const device = heir(`
commands: |
  G_ACT    row     opens banks of rank
  G_PRE    row     closes rank
  COMP     column  multiplies banks of rank by xs into ys on bank
  GWRITE   column  moves row to xs
  READRES  column  moves ys to host
units: { type: fp16, sums: fp32, adds: tree }
buffers: { xs: { of: channel, entries: 16 }, ys: { entries: 1 } }
energies:
  ACT: 828 pJ
  RD: 804 pJ
  WR: 1068 pJ
  REFab: 60840 pJ
  G_ACT: 4 ACT
  COMP: 4 RD
  GWRITE: 16 RD
  READRES: RD
`);
  const names: { readonly [command: string]: readonly [counted: string, action: string] } = {
    ACT: ['act', 'activate'],
    RD: ['read', 'read'],
    WR: ['write', 'write'],
    REFab: ['ref', 'refresh'],
    G_ACT: ['gact', 'G_ACT'],
    COMP: ['comp', 'COMP'],
    GWRITE: ['gwrite', 'GWRITE'],
    READRES: ['readres', 'READRES'],
    PREpb: ['pre', ''],
    G_PRE: ['pim_precharge', ''],
  };
  const commands = device.commands.map(({ name }) => counts![names[name]?.[0] ?? ''] ?? 0);
  const energy = dramEnergy(device, { commands, ranks: [] });

  it.each(Object.values(names).filter(([, action]) => action !== ''))('%s', (counted, action) => {
    expect(energy!.by[action]! / pJ / recorded![counted]!).toBeCloseTo(1, 5);
  });

  it('are all that there is besides standby', () => {
    const { background = 0, ...others } = recorded!;
    expect(background).toBeGreaterThan(0);
    const sum = Object.values(others).reduce((all, one) => all + one, 0);
    expect(energy!.total / pJ / sum).toBeCloseTo(1, 5);
    expect(energy!.notes).toEqual([]);
  });
});

describe('energies that a file gives', () => {
  const currents = 'currents: { FOUR 2000: { VDD: 1, IDD0: 9, IDD2N: 1, IDD3N: 2, IDD4R: 12, IDD4W: 22, IDD5AB: 52 } }';
  const timed = 'timings: { nRAS: 3, nRP: 2 }';
  const sent = (device: ReturnType<typeof heir>, counts: { readonly [name: string]: number }) => ({
    commands: device.commands.map(({ name }) => counts[name] ?? 0),
    ranks: [{ activeTicks: 3, idleTicks: 4 }],
  });

  it('go before currents, which give the others and standby', () => {
    const device = heir(`${timed}\n${currents}\nenergies: { RD: 100 pJ, WR: 2 ACT }`);
    const { by, notes } = dramEnergy(device, sent(device, { ACT: 5, RD: 7, WR: 1, REFab: 1 }))!;
    // 8 chips of 1 V at a cycle of 1 ns: a milliampere is 8 pJ a cycle. An activation is 9 x 5 - 2 x 3 - 1 x 2 = 37 of that.
    const expected = { activate: 5 * 37 * 8, read: 700, write: 2 * 37 * 8, refresh: 50 * 10 * 8 };
    for (const [action, picojoules] of Object.entries(expected)) expect(by[action]! / pJ).toBeCloseTo(picojoules, 6);
    expect(by['background active'] / pJ).toBeCloseTo(3 * 2 * 8, 6);
    expect(notes).toEqual([]);
  });

  it('are missed where there are no currents either, and the note says which', () => {
    const device = heir('energies: { RD: 100 pJ }');
    const { total, notes } = dramEnergy(device, sent(device, { ACT: 5, RD: 7, WR: 1, PREpb: 5 }))!;
    expect(total / pJ).toBeCloseTo(700, 9);
    expect(notes).toEqual([
      'HEIR/FOUR/FAST: no energy of ACT, WR is given, counted as 0 J',
      'HEIR/FOUR/FAST: no background power is given, counted as 0 J',
    ]);
  });

  it('have a background power over the time with a row open and without', () => {
    const device = heir(`${timed}\n${currents}\nbackground: { active: 66 mW, precharged: 48 mW }`);
    const { by } = dramEnergy(device, sent(device, {}))!;
    expect([by['background active'] / pJ, by['background precharged'] / pJ]).toEqual([
      expect.closeTo(3 * 66, 9),
      expect.closeTo(4 * 48, 9),
    ]);
  });

  it('of currents count every bank that a command opens', () => {
    const device = heir(`${timed}\n${currents}\ncommands: |\n  ACTAB row opens banks of rank\n`);
    const { by } = dramEnergy(device, sent(device, { ACTAB: 1 }))!;
    expect(by.ACTAB! / pJ).toBeCloseTo(8 * 37 * 8, 6);
  });
});

it("AttAcc's attention: bits times the energies of its stages, and products", () => {
  const device = deviceOf(findStandard('attacc-hbm3-ramulator').standard);
  const shape = { units: 'bank', heads: 1, length: 1024, dhead: 128, dbyte: 2 } as const;
  const { commands } = runPim(device, attaccAttention(shape), { channels: 16 });
  const { by } = dramEnergy(device, { commands: device.commands.map(({ name }) => commands[name] ?? 0), ranks: [] })!;
  // Keys and values are read once; each of their numbers is multiplied once.
  const numbers = 2 * 1024 * 128;
  expect(by.MACAB! / pJ).toBeCloseTo(numbers * (16 * 0.55 + 0.32), 3);
  expect(by.WRGB! / pJ).toBeCloseTo(8 * 256 * (0.3 + 0.5 + 1.23 + 1.01), 6);
  expect((by.MVSB! + by.MVGB!) / pJ).toBeCloseTo((48 + 32) * 256 * (0.5 + 1.23 + 1.01), 6);
  expect(by.ACTAB).toBe(0);
});
