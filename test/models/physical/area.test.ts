import { Map as ImmutableMap, List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { Registers } from '../../../arch/language/arch.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { AreaRow, SramAreaRow, Technology } from '../../../arch/language/technology.ts';
import { areaOf } from '../../../models/physical/area.ts';
import { energyOf } from '../../../models/physical/energy.ts';
import { array, buffer, cost, dma, group, hbm, machine, technology, vector } from './machines.ts';

const KiB = 1024;
const shipped = (name: string) => loadArch(new URL(`../../../arch/${name}.yaml`, import.meta.url).pathname);

describe('area of an engine', () => {
  it('is its units and registers for every PE; a multiple of another operation adds no unit', () => {
    expect(areaOf(machine({ array }))).toEqual({ total: 8 * 49, by: { array: 8 * (30 + 10 + 9) }, notes: [] });
  });

  it('is that of all copies, groups included', () => {
    const arch = machine({ core: group(4, { vector: vector.set('count', 2) }) });
    expect(areaOf(arch).by).toEqual({ 'core.vector': 8 * 30 * 2 * 4 });
  });

  it('scales linearly to the words of its registers', () => {
    const wide = array.set('registers', new Registers({ words: 16, dtype: 'fp32' }));
    expect(areaOf(machine({ array: wide })).by).toEqual({ array: 8 * 2 * 49 });
  });

  it('counts what has no row as nothing, and names it', () => {
    const odd = array.setIn(['operations', 'exp'], cost('exp'));
    const { by, notes } = areaOf(machine({ array: odd }, technology.set('registers', List())));
    expect(by).toEqual({ array: 8 * 40 });
    expect(notes).toEqual([
      "array: round gives no area of exp, registers, counted as 0 mm²; add rows to the technology's file",
    ]);
  });

  it('is left out when nothing of it is known', () => {
    const unknown = vector.set('operations', ImmutableMap({ exp: cost('exp') }));
    expect(areaOf(machine({ vector: unknown })).by).toEqual({});
  });
});

describe('area of a scratchpad', () => {
  it('is that of its row, for every copy', () => {
    expect(areaOf(machine({ buffer: buffer.set('count', 3) }))).toEqual({
      total: 1200,
      by: { buffer: 1200 },
      notes: [],
    });
  });

  it('lies on the power law over capacity, and does not scale with width', () => {
    expect(areaOf(machine({ buffer: buffer.merge({ capacity: 8 * KiB, width: 16 }) })).total).toBeCloseTo(200, 9);
  });

  it('says how it was found in the words that its energy has', () => {
    const arch = machine({ buffer: buffer.set('capacity', 8 * KiB) });
    const memories = new Map([['buffer', { bytesRead: 8, bytesWritten: 8 }]]);
    const { notes } = areaOf(arch);
    expect(notes).toHaveLength(1);
    expect(notes).toEqual(energyOf(arch, { units: new Map(), registers: new Map(), memories }).notes);
  });

  it('comes from capacity alone where the technology has no access energies', () => {
    const areas = new Technology({
      name: 'areas',
      areas: ImmutableMap({ mac: new AreaRow({ area: 7 }) }),
      sramAreas: List([
        new SramAreaRow({ capacity: 4 * KiB, area: 1 }),
        new SramAreaRow({ capacity: 16 * KiB, area: 4 }),
      ]),
    });
    expect(areaOf(machine({ vector, buffer }, areas))).toEqual({
      total: 60,
      by: { vector: 56, buffer: 4 },
      notes: [],
    });
    const between = areaOf(machine({ buffer: buffer.set('capacity', 8 * KiB) }, areas));
    expect(between.total).toBeCloseTo(2, 9);
    expect(between.notes).toEqual([
      'buffer: areas has no SRAM of 8 KiB; taken from a power law through 4 KiB and 16 KiB',
    ]);
  });

  it('is nothing, with a note, without rows', () => {
    const { by, notes } = areaOf(machine({ buffer }, technology.set('sram', List())));
    expect(by).toEqual({});
    expect(notes).toEqual([
      "buffer: round gives no area of an SRAM, counted as 0 mm²; add rows to the technology's file",
    ]);
  });
});

describe('area of a machine', () => {
  it('leaves out main memories and dmas', () => {
    expect(areaOf(machine({ hbm, dma }))).toEqual({ total: 0, by: {}, notes: [] });
  });

  it('is nothing without a technology, for the reason that its energy has', () => {
    const arch = machine({ array }, null);
    const idle = { units: new Map(), registers: new Map(), memories: new Map() };
    expect(areaOf(arch)).toEqual({ total: 0, by: {}, notes: energyOf(arch, idle).notes });
  });

  it('is the sum of the published components of FuseMax', () => {
    const { by, notes, total } = areaOf(shipped('fusemax'));
    expect(notes).toEqual([]);
    expect(by.array).toBeCloseTo(256 * 256 * (1545 + 1030 + 49.28944 + 13143.79) * 1e-6, 6);
    expect(by.vector).toBeCloseTo(256 * (1545 + 1030 + 49.28944 + 23740.9375 + 13154.9775) * 1e-6, 6);
    expect(by.buffer).toBeCloseTo(84.2013678125, 6);
    expect(total).toBeCloseTo(by.array! + by.vector! + by.buffer!, 6);
  });

  it('gives a FLAT vector the exponential unit that FuseMax does without', () => {
    const exp = areaOf(shipped('flat')).by.vector! - areaOf(shipped('fusemax')).by.vector!;
    expect(exp).toBeCloseTo(256 * (8240 + 13143.79 - 13154.9775) * 1e-6, 6);
  });

  it.each(['tpu-v4', 'gemmini', 'flat'])('is known for every engine and scratchpad of %s', (name) => {
    const arch = shipped(name);
    const { by, total } = areaOf(arch);
    const onChip = arch.parts.filter(({ kind }) => ['array', 'vector', 'scratchpad'].includes(kind));
    expect(Object.keys(by)).toEqual([...onChip.keys()]);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThan(2000);
  });
});
