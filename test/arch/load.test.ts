import { is, List, Map } from 'immutable';
import { describe, expect, it } from 'vitest';
import {
  ArrayPart,
  GroupPart,
  Link,
  MemoryPart,
  OperationCost,
  Rate,
  Span,
  type VectorPart,
} from '../../arch/language/arch.ts';
import { loadArch, parseArch } from '../../arch/language/load.ts';
import { clockOf, expandParts, linkBandwidth, partAt, peakOperations } from '../../arch/language/parts.ts';

const chip = `machine: chip
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, bandwidth: 400 GB/s, latency: 100 ns, capacity: 16 GiB }
  buffer: { kind: scratchpad, capacity: 1 MiB, width: 64 B, banks: 4, ports: 2, latency: 2 cycles }
  array: { kind: array, rows: 16, columns: 8, operations: { mac: 1, exp: 6 mac } }
links:
  - hbm <-> buffer via dma
  - buffer -> array  64 B/cycle
`;

const nested = `machine: cores
clocks: { core: 1 GHz, memory: 500 MHz }
parts:
  hbm: { kind: memory, bandwidth: 400 GB/s, latency: 100 ns, capacity: 16 GiB }
  cluster:
    count: 2
    parts:
      shared: { kind: scratchpad, clock: core, capacity: 4 MiB, width: 64 B }
      core:
        count: 4
        parts:
          buffer: { kind: scratchpad, clock: core, capacity: 1 MiB, width: 64 B }
          array: { kind: array, clock: core, count: 2, rows: 16, columns: 16, operations: { mac: 1 } }
        links:
          - buffer -> array  64 B/cycle
          - shared -> buffer
links:
  - hbm <-> cluster.shared via dma
  - cluster.shared -> cluster.core.array 1 GB/s
`;

const read = (text: string, ...set: string[]) => parseArch(text, 'chip.yaml', { set });

describe('a machine file', () => {
  it('becomes a value with units resolved and defaults filled in', () => {
    const arch = read(chip);
    expect(
      is(
        partAt(arch, 'hbm'),
        new MemoryPart({
          bandwidth: 400e9,
          latency: new Span({ amount: 100_000, unit: 'ps' }),
          capacity: 16 * 2 ** 30,
        }),
      ),
    ).toBe(true);
    const operations = Map({
      mac: new OperationCost({ cycles: 1, depth: 1, action: 'mac', actions: 1 }),
      exp: new OperationCost({ cycles: 6, depth: 6, action: 'mac', actions: 6 }),
    });
    expect(is(partAt(arch, 'array'), new ArrayPart({ clock: 'core', rows: 16, columns: 8, operations }))).toBe(true);
    expect(
      is(
        arch.links,
        List([
          new Link({ from: 'hbm', to: 'buffer', both: true, via: 'dma' }),
          new Link({ from: 'buffer', to: 'array', bandwidth: new Rate({ bytes: 64, per: 'cycle' }) }),
        ]),
      ),
    ).toBe(true);
  });

  it('gives equal values when it says the same in other words', () => {
    const same = chip.replace('1 MiB', '1024 KiB').replace('rows: 16, columns: 8', 'columns: 8, clock: core, rows: 16');
    expect(is(read(same), read(chip))).toBe(true);
    expect(is(read(same.replace('columns: 8', 'columns: 9')), read(chip))).toBe(false);
  });

  it('gives values whose variants equal what the changed file would give', () => {
    const variant = read(chip).setIn(['parts', 'array', 'rows'], 128);
    expect(is(variant, read(chip.replace('rows: 16', 'rows: 128')))).toBe(true);
    expect(variant.hashCode()).toBe(read(chip.replace('rows: 16', 'rows: 128')).hashCode());
    expect(is(variant, read(chip))).toBe(false);
  });

  it('counts an operation in others, and these in others again', () => {
    const costs = '{ mac: { cycles: 2, depth: 5 }, exp: 6 mac, sigmoid: 2 exp }';
    const array = partAt(read(chip.replace('{ mac: 1, exp: 6 mac }', costs)), 'array') as ArrayPart;
    const expected = new OperationCost({ cycles: 24, depth: 60, action: 'mac', actions: 12 });
    expect(is(array.operations.get('sigmoid'), expected)).toBe(true);
  });

  it("gives a vector's operations its pipeline depth, unless they have their own", () => {
    const vector =
      '  v: { kind: vector, lanes: 4, depth: 4 cycles, operations: { mac: 1, exp: 2 mac, divide: { cycles: 9 }, add: { cycles: 1, depth: 2 } } }\nlinks:';
    const { operations } = partAt(read(chip.replace('links:', vector)), 'v') as VectorPart;
    expect(operations.map((cost) => cost.depth).toObject()).toEqual({ mac: 4, exp: 8, divide: 9, add: 2 });
  });
});

describe('groups', () => {
  it('multiply the counts of what is in them', () => {
    const counts = expandParts(read(nested)).map(({ path, count }) => `${count} ${path}`);
    expect(counts).toEqual(['1 hbm', '2 cluster.shared', '8 cluster.core.buffer', '16 cluster.core.array']);
  });

  it('have links of their own that name their parts, or those around them, without the path', () => {
    expect(
      read(nested)
        .links.map(({ from, to }) => `${from} ${to}`)
        .toArray(),
    ).toEqual([
      'cluster.core.buffer cluster.core.array',
      'cluster.shared cluster.core.buffer',
      'hbm cluster.shared',
      'cluster.shared cluster.core.array',
    ]);
  });

  it('are parts with paths, and no part is found where there is none', () => {
    const arch = read(nested);
    expect(partAt(arch, 'cluster.core')).toBeInstanceOf(GroupPart);
    expect(partAt(arch, 'cluster.core.array.rows')).toBeUndefined();
    expect(partAt(arch, 'core')).toBeUndefined();
  });

  it('cannot be linked as a whole', () => {
    expect(() => read(nested.replace('<-> cluster.shared', '<-> cluster'))).toThrow('"cluster" is a group of parts');
  });
});

describe('a machine at its best', () => {
  it('does count x PEs x clock / cycles operations in a second', () => {
    const arch = read(nested);
    expect(peakOperations(arch, partAt(arch, 'cluster.core.array') as ArrayPart, 16).get('mac')).toBe(16 * 256 * 1e9);
    expect(clockOf(arch, partAt(arch, 'cluster.core.array') as ArrayPart)).toEqual({ name: 'core', hertz: 1e9 });
  });

  it('moves as much over a link as the slowest of the link and its ends', () => {
    const rates = (text: string) =>
      read(text)
        .links.map((link) => linkBandwidth(read(text), link))
        .toArray();
    expect(rates(chip)).toEqual([400e9, 64e9]);
    expect(rates(chip.replace('rows: 16', 'input: 16 B/cycle, rows: 16'))).toEqual([400e9, 16e9]);
    expect(rates(chip.replace('links:', '  dma: { kind: dma, bandwidth: 8 B/cycle }\nlinks:'))).toEqual([8e9, 64e9]);
    expect(rates(chip.replace('400 GB/s', '900 GB/s'))).toEqual([4 * 2 * 64e9, 64e9]);
  });
});

describe('--set', () => {
  const rows = (...set: string[]) => (partAt(read(chip, ...set), 'array') as ArrayPart).rows;

  it('changes a value by its path, from the parts or from the top', () => {
    expect([rows('array.rows=128'), rows('parts.array.rows=1 Ki')]).toEqual([128, 1024]);
    expect(read(chip, 'clocks.core=2 GHz').clocks.get('core')).toBe(2e9);
    expect(read(chip, 'technology=aladdin-45nm').technology?.name).toBe('aladdin-45nm');
    expect(partAt(read(nested, 'cluster.core.array.rows=3'), 'cluster.core.array')?.get('rows', 0)).toBe(3);
  });

  it('adds keys that the file leaves out', () => {
    const array = partAt(
      read(chip, 'array.dataflow=weight-stationary', 'array.operations.divide=4'),
      'array',
    ) as ArrayPart;
    expect(array.dataflow).toBe('weight-stationary');
    expect(array.operations.get('divide')?.cycles).toBe(4);
  });

  it('replaces whole parts and lists', () => {
    const arch = read(
      chip,
      'hbm={ kind: memory, bandwidth: 1 GB/s, latency: 0 ns, capacity: 1 GiB }',
      'links=[hbm -> buffer]',
    );
    expect(partAt(arch, 'hbm')?.get('bandwidth', 0)).toBe(1e9);
    expect(arch.links.size).toBe(1);
  });

  it('says the same as the changed file', () => {
    expect(is(read(chip, 'array.rows=128'), read(chip.replace('rows: 16', 'rows: 128')))).toBe(true);
  });

  it('wins when a path is set twice', () => expect(rows('array.rows=1', 'array.rows=2')).toBe(2));
});

describe('use', () => {
  const used = chip.replace(/array: \{.*\}/, 'array: { use: array/tpu-v4-mxu, count: 4, columns: 64 }');

  it("takes a file's keys, and the part's own in their place", () => {
    const array = partAt(read(used), 'array') as ArrayPart;
    expect([array.count, array.rows, array.columns, array.dataflow]).toEqual([4, 128, 64, 'weight-stationary']);
  });

  it('gives the same value as writing the keys out', () => {
    const tpu = loadArch('arch/tpu-v4.yaml');
    const array = partAt(tpu, 'array') as ArrayPart;
    expect(is(array, new ArrayPart({ ...array.toObject() }))).toBe(true);
  });

  it('can be set, and what it gives can be set', () => {
    expect((partAt(read(used, 'array.use=array/gemmini-16x16'), 'array') as ArrayPart).rows).toBe(16);
    expect((partAt(read(used, 'array.rows=2'), 'array') as ArrayPart).rows).toBe(2);
  });
});
