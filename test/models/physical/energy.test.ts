import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { Registers } from '../../../arch/language/arch.ts';
import { type Activity, energyOf, operationActions } from '../../../models/physical/energy.ts';
import { array, buffer, cost, dma, group, hbm, machine, technology, vector } from './machines.ts';

const KiB = 1024;

const units = (engines: Record<string, Record<string, number>>): Activity => ({
  units: new Map(Object.entries(engines).map(([path, actions]) => [path, new Map(Object.entries(actions))])),
  registers: new Map(),
  memories: new Map(),
});
const registers = (path: string, reads: number, writes: number): Activity => ({
  ...units({}),
  registers: new Map([[path, { reads, writes }]]),
});
const bytes = (path: string, bytesRead: number, bytesWritten: number): Activity => ({
  ...units({}),
  memories: new Map([[path, { bytesRead, bytesWritten }]]),
});

describe('operations as unit actions', () => {
  const { operations } = array;

  it('counts a multiple of another operation as that many of its actions', () => {
    expect(operationActions(operations, new Map([['exp', 2]]))).toEqual(new Map([['mac', 12]]));
  });

  it('adds up operators that share a unit, stand-ins included', () => {
    const perPoint = new Map([
      ['sub', 1],
      ['exp', 1],
      ['mul', 1],
    ]);
    expect(operationActions(operations, perPoint)).toEqual(
      new Map([
        ['add', 1],
        ['mac', 7],
      ]),
    );
  });

  it('refuses an operator that the engine cannot do', () => {
    expect(() => operationActions(operations, new Map([['divide', 1]]))).toThrow('no operation "divide"');
  });
});

describe('energy of units', () => {
  it('is the row of the action times its count, by engine and action', () => {
    const energy = energyOf(machine({ array, vector }), units({ array: { mac: 5, add: 7 }, vector: { mac: 2 } }));
    expect(energy).toEqual({ total: 28, by: { array: { mac: 15, add: 7 }, vector: { mac: 6 } }, notes: [] });
  });

  it('finds engines inside of groups by their paths, and does not multiply by their number', () => {
    const arch = machine({ core: group(4, { array: array.set('count', 2) }) });
    expect(energyOf(arch, units({ 'core.array': { mac: 5 } })).by).toEqual({ 'core.array': { mac: 15 } });
  });

  it('scales linearly to the words of the engine, and says so once', () => {
    const wide = array.set('registers', new Registers({ words: 16, dtype: 'fp32' }));
    const { by, notes } = energyOf(machine({ array: wide }), units({ array: { mac: 5, add: 1 } }));
    expect(by).toEqual({ array: { mac: 30, add: 2 } });
    expect(notes).toEqual(['array: units of round are of 16 bits; scaled linearly to the fp32 of its registers']);
  });

  it('counts actions without a row as nothing, and names part, actions and what to add', () => {
    const odd = vector.set('operations', vector.operations.set('exp', cost('exp')).set('log', cost('log')));
    const { total, by, notes } = energyOf(machine({ vector: odd }), units({ vector: { mac: 1, exp: 4, log: 1 } }));
    expect(total).toBe(3);
    expect(by).toEqual({ vector: { mac: 3, exp: 0, log: 0 } });
    expect(notes).toEqual([
      "vector: round gives no energy of exp, log, counted as 0 J; add rows to the technology's file",
    ]);
  });

  it('says nothing of rows that are missing for actions that did not happen', () => {
    const { by, notes } = energyOf(machine({ vector }), units({ vector: { exp: 0, mac: 0 } }));
    expect([by, notes]).toEqual([{}, []]);
  });

  it('refuses actions of an engine that is not there', () => {
    expect(() => energyOf(machine({ array }), units({ aray: { mac: 1 } }))).toThrow('chip has no engine "aray"');
  });
});

describe('energy of registers', () => {
  const withWords = (words: number, dtype = 'bf16') =>
    machine({ array: array.set('registers', new Registers({ words, dtype })) });

  it('takes the row of as many words', () => {
    const energy = energyOf(withWords(16), registers('array', 10, 3));
    expect(energy).toEqual({ total: 32, by: { array: { 'register read': 20, 'register write': 12 } }, notes: [] });
  });

  it.each([
    ['between its rows', 12, 1.5],
    ['above them', 24, 3],
    ['below them', 4, 0.5],
  ])('lies on the line through the nearest rows %s', (_, words, read) => {
    const { by, notes } = energyOf(withWords(words), registers('array', 1, 1));
    expect(by.array).toEqual({ 'register read': read, 'register write': 2 * read });
    const line = 'taken from the line through 8 and 16 x 16 bits';
    expect(notes).toEqual([`array: round has no registers of ${words} x 16 bits; ${line}`]);
  });

  it('scales linearly in the bits of a word', () => {
    const { by, notes } = energyOf(withWords(16, 'int8'), registers('array', 1, 1));
    expect(by.array).toEqual({ 'register read': 1, 'register write': 2 });
    expect(notes).toEqual([
      'array: round has no registers of 16 x 8 bits; taken from 16 x 16 bits, scaled linearly in bits',
    ]);
  });

  it('never falls below zero', () => {
    const steep = technology.setIn(['registers', 0, 'read'], 0.1).setIn(['registers', 1, 'read'], 9);
    const arch = withWords(1).set('technology', steep);
    expect(energyOf(arch, registers('array', 1, 0)).by.array!['register read']).toBe(0);
  });

  it('is nothing without rows, or for an engine that names none', () => {
    const bare = energyOf(
      withWords(16).set('technology', technology.set('registers', List())),
      registers('array', 1, 1),
    );
    expect(bare.total).toBe(0);
    expect(bare.notes).toEqual([
      "array: round gives no energy of registers, counted as 0 J; add rows to the technology's file",
    ]);
    const unnamed = energyOf(machine({ vector }), registers('vector', 1, 1));
    expect(unnamed.total).toBe(0);
    expect(unnamed.notes[0]).toContain('vector: names no registers');
  });
});

describe('energy of a scratchpad', () => {
  const of = (changes: Partial<{ capacity: number; width: number; banks: number; ports: number }>) =>
    energyOf(machine({ buffer: buffer.merge(changes) }), bytes('buffer', 64, 32));

  it('is an access for every `width` bytes', () => {
    expect(of({})).toEqual({ total: 320, by: { buffer: { read: 8 * 20, write: 4 * 40 } }, notes: [] });
  });

  it('takes the row that has its banks and ports', () => {
    expect(of({ width: 32, banks: 4, ports: 2 })).toEqual({
      total: 220,
      by: { buffer: { read: 140, write: 80 } },
      notes: [],
    });
  });

  it('takes the row of its capacity and width whatever its banks and ports', () => {
    const { by, notes } = of({ banks: 8 });
    expect(by.buffer).toEqual({ read: 160, write: 160 });
    expect(notes).toEqual([
      'buffer: round has no SRAM of 16 KiB x 8 B with 8 banks of 1 port; taken from 16 KiB x 8 B, ' +
        'banks and ports not considered',
    ]);
  });

  it.each([
    ['between', 8, Math.SQRT2 * 10],
    ['above', 64, 40],
    ['below', 1, 5],
  ])('lies on the power law through the nearest capacities, %s them too', (_, capacity, read) => {
    const { by, notes } = of({ capacity: capacity * KiB });
    expect(by.buffer!.read).toBeCloseTo(8 * read, 9);
    expect(by.buffer!.write).toBeCloseTo(4 * 2 * read, 9);
    expect(notes).toEqual([
      `buffer: round has no SRAM of ${capacity} KiB x 8 B with 1 bank of 1 port; ` +
        'taken from a power law through 4 KiB x 8 B and 16 KiB x 8 B',
    ]);
  });

  it('scales the rows of the nearest width linearly', () => {
    const { by, notes } = of({ width: 16 });
    expect(by.buffer).toEqual({ read: 4 * 40, write: 2 * 80 });
    expect(notes).toEqual([
      'buffer: round has no SRAM of 16 KiB x 16 B with 1 bank of 1 port; taken from 16 KiB x 8 B, ' +
        'energy scaled linearly in width',
    ]);
  });

  it('is nothing without rows', () => {
    const arch = machine({ buffer }, technology.set('sram', List()));
    const { total, notes } = energyOf(arch, bytes('buffer', 64, 64));
    expect(total).toBe(0);
    expect(notes).toEqual([
      "buffer: round gives no energy of an SRAM access, counted as 0 J; add rows to the technology's file",
    ]);
  });
});

describe('energy of a memory', () => {
  it('is bits times the energy per bit of the row that it names', () => {
    const energy = energyOf(machine({ hbm }), bytes('hbm', 100, 50));
    expect(energy).toEqual({ total: 600, by: { hbm: { read: 400, write: 200 } }, notes: [] });
  });

  it('is nothing, with a note, when it names no row or one that is not there', () => {
    const unnamed = energyOf(machine({ hbm: hbm.set('technology', null) }), bytes('hbm', 1, 0));
    expect(unnamed.total).toBe(0);
    expect(unnamed.notes).toEqual([
      'hbm: names no row of energy per bit, counted as 0 J; add one, such as "technology: HBM2"',
    ]);
    const unknown = energyOf(machine({ hbm: hbm.set('technology', 'HBM9') }), bytes('hbm', 1, 0));
    expect(unknown.total).toBe(0);
    expect(unknown.notes).toEqual([
      "hbm: round gives no energy of a bit of HBM9, counted as 0 J; add rows to the technology's file",
    ]);
  });

  it('passes over the bytes of dmas and links, which the memories count', () => {
    const energy = energyOf(machine({ hbm, dma }), {
      ...units({}),
      memories: new Map([
        ['dma', { bytesRead: 9, bytesWritten: 9 }],
        ['hbm-buffer', { bytesRead: 9, bytesWritten: 9 }],
      ]),
    });
    expect(energy).toEqual({ total: 0, by: {}, notes: [] });
  });
});

describe('a machine without a technology', () => {
  it('has no energy, and one note for everything', () => {
    const { total, by, notes } = energyOf(machine({ array, hbm }, null), {
      ...bytes('hbm', 1, 1),
      units: new Map([['array', new Map([['mac', 1]])]]),
    });
    expect([total, by]).toEqual([0, {}]);
    expect(notes).toEqual([
      'chip names no technology, so it has no energy and no area; add one, such as "technology: aladdin-45nm"',
    ]);
  });
});
