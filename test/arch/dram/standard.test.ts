import { is } from 'immutable';
import { afterAll, describe, expect, it } from 'vitest';
import { banksOf, type DramConstraint, type DramDevice } from '../../../arch/language/dram/device.ts';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { type DeviceChoice, deviceOf } from '../../../arch/language/dram/resolve.ts';
import { changed, Folder, small } from './sample.ts';

const folder = new Folder();
afterAll(() => folder.remove());

function device(text: string, choice: DeviceChoice = {}): DramDevice {
  return deviceOf(loadStandard(folder.write('small.yaml', text)), choice);
}

/** The constraints whose rows say this, without their texts. */
function rows(of: DramDevice, text: string): Omit<DramConstraint, 'text'>[] {
  return of.constraints.filter((row) => row.text === text).map(({ text: _, ...row }) => row);
}

describe('a standard', () => {
  it('is a device of its first organisation and speed where none is named', () => {
    const { name, levels, counts, rows, bursts, burstBytes, clockPs } = device(small);
    expect(name).toBe('SMALL/FOUR/FAST');
    expect(levels).toEqual(['channel', 'rank', 'bank']);
    expect(counts).toEqual([1, 1, 8]);
    expect({ rows, bursts, burstBytes, clockPs }).toEqual({ rows: 65536, bursts: 128, burstBytes: 64, clockPs: 1000 });
  });

  it('takes parameters by density and by the width of a chip', () => {
    const eight = device(small, { organisation: 'EIGHT' });
    expect([eight.timings.get('nRFC'), eight.timings.get('nFAW')]).toEqual([160, 28]);
  });

  it('rounds times up to whole clock cycles', () => {
    const text = changed(small, ['tCK: 2 ns', 'tCK: 2100 ps']);
    expect(device(text, { speed: 'SLOW' }).timings.get('nREFI')).toBe(Math.ceil(7_800_000 / 2100));
  });

  it('has as many ranks as are asked for', () => {
    const four = device(small, { ranks: 4 });
    expect([four.counts, banksOf(four)]).toEqual([[1, 4, 8], 32]);
  });

  it('computes latencies, times among them', () => {
    expect(device(small).readLatency).toBe(14);
    expect(rows(device(small), 'rank REFab -> ACT max(nRFC, 20 ns)')[0].latency).toBe(20);
    expect(rows(device(small, { speed: 'SLOW' }), 'rank REFab -> ACT max(nRFC, 20 ns)')[0].latency).toBe(10);
  });

  it.each([
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['10 - 4 - 3', 3],
    ['nBL - nRCD', -6],
    ['-nBL + 1', -3],
    ['min(nBL, nRCD, 7)', 4],
    ['banks * ranks', 8],
  ])('computes %s as %i', (expression, cycles) => {
    const text = changed(small, ['-> RD   nRCD', `-> RD   ${expression}`]);
    expect(rows(device(text), `bank ACT -> RD ${expression}`)[0].latency).toBe(cycles);
  });

  it('rounds a quotient of timings up', () => {
    const text = changed(small, ['nBL: 4', 'nBL: 4\n  nREFIpb: nREFI / (banks - 1)']);
    expect(device(text).timings.get('nREFIpb')).toBe(Math.ceil(7800 / 7));
  });

  it('lengthens what follows a command of several ticks, shortens what precedes one, and keeps its bus free', () => {
    const two = device(changed(small, ['ACT    row     opens', 'ACT    row 3 CK  opens']));
    expect(rows(two, 'bank ACT -> RD nRCD')[0].latency).toBe(12);
    expect(rows(two, 'rank REFab -> ACT max(nRFC, 20 ns)')[0].latency).toBe(18);
    expect(two.constraints[0]).toMatchObject({ level: 0, after: [0], before: [0, 1, 2, 3, 4, 5, 6], latency: 3 });
    const dual = device(
      changed(small, ['ACT    row     opens', 'ACT    row 3 CK  opens'], ['prefetch: 8', 'prefetch: 8\nbuses: 2']),
    );
    expect(dual.constraints[0].before).toEqual([0, 1, 2, 6]);
  });

  it('splits a row whose commands differ in length', () => {
    const text = changed(small, ['RDA    column ', 'RDA    column 2 CK '], ['RD RDA  -> RD ', 'RD RDA  -> RD RDA ']);
    const latencies = rows(device(text), 'channel RD RDA -> RD RDA nBL').map(
      ({ after, before, latency }) => [after, before, latency] as const,
    );
    expect(latencies).toEqual([
      [[3], [3], 4],
      [[3], [5], 3],
      [[5], [3], 5],
      [[5], [5], 4],
    ]);
  });

  it('counts in half cycles where commands start on either edge', () => {
    const half = device(
      changed(small, ['prefetch: 8', 'prefetch: 8\nticks: 2'], ['PREpb  row ', 'PREpb  row 0.5 CK ']),
    );
    expect([half.ticksPerClock, half.clockPs, half.readLatency]).toEqual([2, 1000, 28]);
    expect(half.timings.get('nRCD')).toBe(20);
    expect(half.commands.map(({ ticks }) => ticks)).toEqual([2, 1, 2, 2, 2, 2, 2]);
  });

  it('knows what its commands do', () => {
    const [act, pre, preab, rd, wr, rda, ref] = device(small).commands;
    expect(act).toMatchObject({ bus: 'row', level: 2, banks: 'opens', access: 'none', refreshes: false });
    expect(pre).toMatchObject({ level: 2, banks: 'closes' });
    expect(preab).toMatchObject({ level: 1, banks: 'closes' });
    expect([rd, wr]).toMatchObject([{ access: 'read' }, { bus: 'column', access: 'write' }]);
    expect(rda).toMatchObject({ access: 'read', banks: 'closes', level: 2 });
    expect(ref).toMatchObject({ refreshes: true, level: 1 });
  });

  it('has currents by organisation and rate, and none where none are known', () => {
    const currents = { VDD: 1.2, IDD0: 48, IDD2N: 34, IDD3N: 43, IDD4R: 135, IDD4W: 123, IDD5AB: 250, IDD6: 30 };
    const text = `${small}currents:\n  FOUR 2000: ${JSON.stringify(currents)}\n`;
    expect(device(text).currents).toEqual(currents);
    expect(device(text, { speed: 'SLOW' }).currents).toBeNull();
  });

  it('is equal to another with the same contents', () => {
    const [a, b] = ['a.yaml', 'b.yaml'].map((name) => loadStandard(folder.write(name, small)));
    const other = loadStandard(folder.write('c.yaml', changed(small, ['nCL: 10', 'nCL: 11'])));
    expect([is(a, b), is(a, other)]).toEqual([true, false]);
  });
});

describe('a standard that extends another', () => {
  folder.write('small.yaml', small);

  it('adds a speed, a constraint and a command, without code', () => {
    const file = folder.write(
      'mine.yaml',
      `standard: MINE
extends: small
commands: |
  COPY  row  2 CK  closes bank   # of one row to another
constraints: |
  bank  COPY  -> ACT  nCOPY
timings: { nCOPY: 55 ns }
speeds:
  FASTER: { rate: 4000, tCK: 500 ps, nCL: 20, nCWL: 16, nRCD: 20 }
`,
    );
    const mine = deviceOf(loadStandard(file), { speed: 'FASTER' });
    expect(mine.name).toBe('MINE/FOUR/FASTER');
    expect(mine.commands.at(-1)).toMatchObject({ name: 'COPY', ticks: 2, banks: 'closes' });
    expect(rows(mine, 'bank COPY -> ACT nCOPY')[0].latency).toBe(111);
    expect(rows(mine, 'bank ACT -> RD nRCD')[0].latency).toBe(20);
    expect(mine.timings.get('nREFI')).toBe(15600);
    // Its own speed comes first, then those it takes over.
    expect([...loadStandard(file).speeds.keys()]).toEqual(['FASTER', 'FAST', 'SLOW']);
  });

  it('goes without rows of the other one, whatever their spaces', () => {
    const file = folder.write('without.yaml', 'extends: small\nwithout: |\n  bank ACT -> RD  nRCD   # none\n');
    const [all, fewer] = ['small.yaml', 'without.yaml'].map((name) => loadStandard(`${folder.path}/${name}`));
    expect(fewer.constraints.size).toBe(all.constraints.size - 1);
    expect(loadStandard(file).name).toBe('SMALL');
  });

  it('changes one parameter of a speed or of a table', () => {
    const file = folder.write(
      'other.yaml',
      'extends: small\nspeeds: { FAST: { nRCD: 12 } }\ntimings: { nRFC: { 8Gb: 200 ns } }\n',
    );
    const other = deviceOf(loadStandard(file), { speed: 'FAST', organisation: 'EIGHT' });
    expect(['nRCD', 'nCL', 'nRFC'].map((name) => other.timings.get(name))).toEqual([12, 10, 200]);
  });

  it('extends one that extends another', () => {
    folder.write('first.yaml', 'extends: small\ntimings: { nBL: 2 }\n');
    const file = folder.write('second.yaml', 'extends: first\nwidth: 32\n');
    expect(deviceOf(loadStandard(file))).toMatchObject({ width: 32, burstBytes: 32, readLatency: 12 });
  });

  it('extends one of the library', () => {
    const file = folder.write('ddr4-slow.yaml', 'standard: SLOW4\nextends: dram/ddr4\ntimings: { nCS: 3 }\n');
    expect(deviceOf(loadStandard(file)).name).toBe('SLOW4/DDR4_8Gb_x8/DDR4_2400R');
  });
});

describe('a standard by name', () => {
  it.each(['ddr4', 'dram/ddr4', 'arch/parts/dram/ddr4.yaml'])('%s is the library’s', (name) => {
    const found = findStandard(name);
    expect(found.standard.constraints.map(({ text }) => text)).toContain('rank RDA -> PREab nRTP');
    expect([found.organisation, found.speed]).toEqual([undefined, undefined]);
  });

  it.each([
    ['DDR4', undefined, undefined],
    ['DDR4/DDR4_4Gb_x8', 'DDR4_4Gb_x8', undefined],
    ['DDR4/DDR4_3200AA', undefined, 'DDR4_3200AA'],
    ['DDR4/DDR4_4Gb_x8/DDR4_3200AA', 'DDR4_4Gb_x8', 'DDR4_3200AA'],
  ])('%s is a preset of Ramulator’s', (name, organisation, speed) => {
    const found = findStandard(name);
    expect(found.standard.constraints.map(({ text }) => text)).not.toContain('rank RDA -> PREab nRTP');
    expect([found.organisation, found.speed]).toEqual([organisation, speed]);
  });

  it.each([
    ['dd4', 'there is no DRAM standard "dd4"; did you mean "ddr4"?'],
    ['DDR4/DDR4_8Gb_x7', 'DDR4-ramulator has no organisation "DDR4_8Gb_x7"; did you mean "DDR4_8Gb_x8"?'],
    ['DDR4/DDR4_8Gb_x8/DDR4_2400Q', 'DDR4-ramulator has no speed "DDR4_2400Q"; did you mean "DDR4_2400R"?'],
  ])('%s is none', (name, message) => expect(folder.mistakes(() => findStandard(name))).toBe(message));
});
