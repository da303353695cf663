import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadArch } from '../../../arch/language/load.ts';
import { energyOf } from '../../../models/physical/energy.ts';

interface Run {
  readonly shape: Readonly<Record<'B' | 'H' | 'E' | 'F' | 'M' | 'P', number>>;
  readonly trafficBytes: number;
  readonly energyPicojoules: Readonly<Record<string, number>>;
}

const fixture = new URL('../../fixtures/fusemax-energy.json', import.meta.url);
const { runs } = JSON.parse(readFileSync(fixture, 'utf8')) as { runs: Record<string, Run> };

/** The machine with the comparator of the artifact's run again; the shipped row is of its own tables. */
const machine = (name: string) => {
  const arch = loadArch(new URL(`../../../arch/${name}.yaml`, import.meta.url).pathname);
  return arch.setIn(['technology', 'units', 'max', 'energy'], 0.014735e-12);
};

const counts = (actions: Record<string, number>) => new Map(Object.entries(actions));
const words = (count: number) => count * 2;

const expectPicojoules = (joules: number | undefined, picojoules: number | undefined) =>
  expect((joules! * 1e12) / picojoules!).toBeCloseTo(1, 9);

describe('the energy of FuseMax', () => {
  it.each(['binding/BERT/1K', 'binding/XLM/1K'])('is that of its cost model for %s', (name) => {
    const { shape, trafficBytes, energyPicojoules: expected } = runs[name]!;
    const { B, H, E, F, M, P } = shape;
    const M1 = M / 256;
    const tiles = B * H * M1 * (P / 256);
    const scores = B * H * M * P;
    const rows = B * H * M1 * P;
    const { by, notes } = energyOf(machine('fusemax'), {
      units: new Map([
        ['array', counts({ mac: scores * (E + F + 6), max: scores, add: 2 * scores })],
        ['vector', counts({ mac: rows * (7 + F), max: rows, add: rows * (2 + F), divide: B * H * P * F })],
      ]),
      registers: new Map(),
      memories: new Map([
        ['hbm', { bytesRead: trafficBytes, bytesWritten: 0 }],
        [
          'buffer',
          {
            bytesRead: words(tiles * 256 * (2 * E + F) + rows * F + B * H * P * F + 2 * rows + B * H * P),
            bytesWritten: words(B * H * P * E + B * H * M * (E + F) + rows * (F + 2)),
          },
        ],
      ]),
    });
    expect(notes).toEqual([]);
    expectPicojoules(by.array!.mac, expected.mac_2d);
    expectPicojoules(by.array!.max, expected.max_2d);
    expectPicojoules(by.array!.add, expected.add_2d);
    expectPicojoules(by.vector!.mac, expected.mac_1d);
    expectPicojoules(by.vector!.max, expected.max_1d);
    expectPicojoules(by.vector!.add, expected.add_1d);
    expectPicojoules(by.vector!.divide, expected.divide_1d);
    expectPicojoules(by.buffer!.read! + by.buffer!.write!, expected.global_buffer_2d);
    expectPicojoules(by.hbm!.read, expected.DRAM_2d);
  });

  it('is that of its cost model for FLAT, whose exponentials are a unit of their own', () => {
    const { shape, trafficBytes, energyPicojoules: expected } = runs['flat/BERT/1K']!;
    const { B, H, E, F, M, P } = shape;
    const scores = B * H * M * P;
    const { by } = energyOf(machine('flat'), {
      units: new Map([
        ['array', counts({ mac: scores * (E + F) })],
        ['vector', counts({ max: scores, exp: scores, add: 2 * scores, divide: scores })],
      ]),
      registers: new Map(),
      memories: new Map([['hbm', { bytesRead: trafficBytes / 2, bytesWritten: trafficBytes / 2 }]]),
    });
    expectPicojoules(by.array!.mac, expected.mac_2d);
    expectPicojoules(by.vector!.max, expected.max_1d);
    expectPicojoules(by.vector!.exp, expected.exponentiatial_1d);
    expectPicojoules(by.vector!.add, expected.add_1d);
    expectPicojoules(by.vector!.divide, expected.divide_1d);
    expectPicojoules(by.hbm!.read! + by.hbm!.write!, expected.DRAM_2d);
  });
});
