import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Arch } from '../../arch/language/arch.ts';
import { describeArch } from '../../arch/language/describe.ts';
import { archJsonSchema } from '../../arch/language/json-schema.ts';
import { libraryFile, libraryNames, packageRoot } from '../../arch/language/library.ts';
import { loadArch, parseArch } from '../../arch/language/load.ts';
import { costOf, operationNames } from '../../arch/language/operations.ts';
import {
  expandParts,
  mainMemory,
  memoriesOf,
  type PlacedMemory,
  partAt,
  peakOperations,
  pimMemory,
} from '../../arch/language/parts.ts';
import { Technology } from '../../arch/language/technology.ts';
import { loadTechnology } from '../../arch/language/technology-file.ts';

const folder = join(packageRoot, 'arch');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

interface Computing {
  readonly kind: string;
  readonly operations: Parameters<typeof costOf>[0];
}

function engines(arch: Arch): Computing[] {
  return expandParts(arch).flatMap(({ part }): Computing[] => {
    if (part.kind === 'rdu') return [{ kind: part.kind, operations: part.pcu.operations }];
    return part.kind === 'array' || part.kind === 'vector' ? [part] : [];
  });
}

function technology(name: string): Technology {
  const place = { file: 'chip.yaml', line: 1, column: 1, length: 1, text: '' };
  const loaded = loadTechnology(name, { file: 'chip.yaml', place });
  if (!(loaded instanceof Technology)) throw new Error(JSON.stringify(loaded));
  return loaded;
}

describe.each(files)('arch/%s', (name) => {
  const arch = loadArch(join(folder, name));
  // Hosts run copies and loops, no cascades; no energies are known of them.
  const isHost = expandParts(arch).some(({ part }) => part.kind === 'host');

  it('is named after its file and says where its numbers come from', () => {
    expect(arch.name).toBe(name.replace('.yaml', ''));
    expect(arch.about).not.toBe('');
    expect(arch.source).not.toBe('');
    if (!isHost) expect(arch.technology).not.toBeNull();
  });

  it.skipIf(isHost)('has an engine for every operation of a cascade', () => {
    const missing = operationNames.filter((operation) => engines(arch).every((e) => !costOf(e.operations, operation)));
    expect(missing).toEqual([]);
  });

  it.skipIf(isHost)(
    'lets data flow from memory through an RDU, or an array, where it has one, and a vector unit, and back',
    () => {
      const kind = (path: string) => partAt(arch, path)!.kind;
      const ways = arch.links
        .flatMap(({ from, to, both }) =>
          both
            ? [
                [from, to],
                [to, from],
              ]
            : [[from, to]],
        )
        .map(([from, to]) => `${kind(from!)} ${kind(to!)}`);
      if (engines(arch).some(({ kind }) => kind === 'rdu')) {
        for (const way of ['memory rdu', 'rdu memory']) expect(ways).toContain(way);
        return;
      }
      for (const way of ['memory scratchpad', 'scratchpad memory', 'scratchpad vector', 'vector scratchpad']) {
        expect(ways).toContain(way);
      }
      if (!engines(arch).some(({ kind }) => kind === 'array')) return;
      expect(ways).toContain('scratchpad array');
      expect(ways.includes('array scratchpad') || ways.includes('array vector')).toBe(true);
    },
  );

  it('fits the JSON Schema, and does not with a key misspelt', () => {
    const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(archJsonSchema())));
    const file = parse(readFileSync(join(folder, name), 'utf8'));
    expect(schema.safeParse(file).error?.issues ?? []).toEqual([]);
    expect(schema.safeParse({ ...file, technlogy: 'x' }).success).toBe(false);
    // What else a part may have that uses a file is for that file to say.
    const part = Object.keys(file.parts).find((one) => file.parts[one].use === undefined);
    const broken = { ...file, parts: { ...file.parts, [part!]: { ...file.parts[part!], capcity: '1 B' } } };
    expect(schema.safeParse(broken).success).toBe(false);
  });
});

describe('the numbers of the machines', () => {
  it('give a TPU v4 core half of the 275 TFLOPS of its chip', () => {
    const tpu = loadArch(join(folder, 'tpu-v4.yaml'));
    const array = partAt(tpu, 'array');
    if (array?.kind !== 'array') throw new Error('no array');
    expect(2 * peakOperations(tpu, array).get('mac')!).toBeCloseTo(137.6e12, -11);
  });

  it('are the FuseMax artifact’s', () => {
    const arch = loadArch(join(folder, 'fusemax.yaml'));
    expect(arch.clocks.get('core')).toBe(940e6);
    expect(partAt(arch, 'hbm')?.get('bandwidth', 0)).toBe(429496729600);
    expect(partAt(arch, 'buffer')?.get('capacity', 0)).toBe(16777216);
  });
});

/** TFLOPS of fp16 products in arrays, TFLOPS of vector units, GB/s and GiB of all memories, as published. */
describe.each([
  ['h100', 989.4, 133.8, 3352, 80],
  ['a100', 311.9, 78, 2039, 80],
  ['t4', 65.1, 16.3, 320, 16],
  ['duplex', 989.4, 133.8, 3352, 80],
  ['duplex-bank-pim', 989.4, 133.8, 3352, 80],
  // 3,352 GB/s of an A100a, and an AttAcc at 5.2 Gb/s a pin.
  ['attacc', 311.9, 78, 3352 + 3328, 160],
  ['hbm-pim', 184.6, 46.1, 1024, 16],
  // 8 arrays of 128 x 128 and 8 units of 128 lanes at 1 GHz, 32 channels of 32 GB/s and 1 GiB.
  ['neupims', 262.1, 2.05, 1024, 32],
  ['neupims-blocked', 262.1, 2.05, 1024, 32],
  ['neupims-npu-only', 262.1, 2.05, 1024, 32],
  // 128 multipliers at 1 GHz, 8 channels of 16 pins of 16 Gb/s and 1 GiB.
  ['pim-gpt', 0, 0.256, 256, 8],
] as const)('a device of %s', (name, products, vectors, bandwidth, capacity) => {
  const arch = loadArch(join(folder, `${name}.yaml`));
  const peak = (kind: string) =>
    expandParts(arch)
      .flatMap(({ part, count }) =>
        part.kind === kind && (part.kind === 'array' || part.kind === 'vector')
          ? [2 * peakOperations(arch, part, count).get('mac')!]
          : [],
      )
      .reduce((sum, flops) => sum + flops, 0);
  const all = (of: (memory: PlacedMemory) => number) => memoriesOf(arch).reduce((sum, one) => sum + of(one), 0);

  it('computes as fast as published', () => {
    expect(Math.abs(peak('array') / 1e12 - products)).toBeLessThan(0.06);
    expect(Math.abs(peak('vector') / 1e12 - vectors)).toBeLessThan(0.06);
  });

  it('moves and holds as much', () => {
    // Rates are whole megatransfers on a pin: 5,238 for 3,352 GB/s.
    expect(Math.abs(all(({ part, count }) => part.bandwidth * count) / 1e9 - bandwidth)).toBeLessThan(0.5);
    expect(all(({ part, count }) => part.capacity * count) / 2 ** 30).toBe(capacity);
  });
});

describe('the memories of a machine', () => {
  it('are told apart by whether they compute', () => {
    const paths = (name: string) => {
      const arch = loadArch(join(folder, `${name}.yaml`));
      return [mainMemory(arch)?.path, pimMemory(arch)?.path, mainMemory(arch)?.channels];
    };
    expect(paths('attacc')).toEqual(['hbm', 'attacc', 80]);
    expect(paths('duplex')).toEqual(['hbm', 'hbm', 80]);
    expect(paths('t4')).toEqual(['gddr', undefined, 16]);
  });
});

describe('show', () => {
  it('prints several devices, and how a memory computes', () => {
    const text = describeArch(loadArch(join(folder, 'duplex.yaml'), { set: ['nodes=2'] }));
    expect(text).toMatch(/^devices +4 in a node, 450 GB\/s each way, latency 800 ns$/m);
    expect(text).toMatch(/^nodes +2 in all, 50 GB\/s each way, latency 130 ns$/m);
    expect(text).toContain('80 channels, concurrent PIM');
  });

  it('prints what a machine is made of and what it can do', () => {
    const areas = new Map([
      ['array', 1033.5],
      ['buffer', 84.2],
    ]);
    expect(describeArch(loadArch(join(folder, 'fusemax.yaml')), areas)).toMatchSnapshot();
  });

  it('counts parts in groups, and names clocks where there are several', () => {
    const text = `machine: cores
clocks: { core: 1 GHz, slow: 500 MHz }
parts:
  core:
    count: 4
    parts:
      vector: { kind: vector, clock: slow, count: 2, lanes: 8, operations: { mac: 1 } }
      buffer: { kind: scratchpad, clock: core, capacity: 1 MiB, width: 64 B }
    links: [buffer <-> vector 16 B/cycle]
`;
    expect(describeArch(parseArch(text, 'cores.yaml'))).toMatchSnapshot();
  });
});

describe('the JSON Schema', () => {
  it('knows every kind of part and describes every key', () => {
    const text = JSON.stringify(archJsonSchema());
    for (const kind of ['array', 'vector', 'scratchpad', 'memory', 'dma', 'link', 'group']) {
      expect(text).toContain(`"const":"${kind}"`);
    }
    expect(undescribed(archJsonSchema(), '')).toEqual([]);
    expect(text).toContain('940 MHz');
  });

  /** Paths of properties without a description. */
  function undescribed(schema: unknown, path: string): string[] {
    if (typeof schema !== 'object' || schema === null) return [];
    return Object.entries(schema).flatMap(([key, value]) => {
      const own =
        key === 'properties' ? Object.entries(value as object).filter(([, v]) => !v.description && !v.$ref) : [];
      return [...own.map(([name]) => `${path}.${name}`), ...undescribed(value, `${path}.${key}`)];
    });
  }
});

describe('technologies', () => {
  it.each(libraryNames(join(folder, 'parts', 'technology')))('%s has a source for every row', (name) => {
    const { units, registers, sram, memory, areas, sramAreas } = technology(name);
    const rows = [...units.values(), ...registers, ...sram, ...memory.values(), ...areas.values(), ...sramAreas];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ source }) => source.length > 10)).toBe(true);
  });

  it('of FuseMax has its components and the rows it builds on', () => {
    const { units, sram, registers, memory, word } = technology('aladdin-45nm');
    expect(word).toBe(16);
    expect(units.get('mac')?.energy).toBe(17.1645e-12);
    expect(units.get('divide')?.area).toBe(0.0237409375);
    expect(registers.map(({ words }) => words).toArray()).toEqual([4, 12, 16, 32]);
    expect(memory.get('HBM2')!.perBit * 64).toBeCloseTo(249.6e-12, 20);
    const buffer = sram.find(({ capacity, banks }) => capacity === 2 ** 24 && banks === 32)!;
    expect([buffer.read, buffer.write, buffer.area]).toEqual([12512.798438e-12, 15751.498438e-12, 84.2013678125]);
    expect(sram.filter(({ banks }) => banks === 1).size).toBe(22);
  });

  it('keep areas without energies apart', () => {
    const { units, areas, sram, sramAreas } = technology('llmcompass-7nm');
    expect([units.size, sram.size]).toEqual([0, 0]);
    // 25344 transistors at 96.3 million per mm2; 48 MiB of SRAM are 113.7 mm2 in the source's own GA100.
    expect(areas.get('mac')?.area).toBeCloseTo(25344 / 96.3e6, 8);
    expect(3 * sramAreas.find(({ capacity }) => capacity === 2 ** 24)!.area).toBeCloseTo(113.706, 2);
  });
});

describe('operations', () => {
  const { operations } = engines(loadArch(join(folder, 'flat.yaml'))).find((e) => e.kind === 'vector')!;

  it('are done by a unit of their own, or by one that stands in', () => {
    expect(costOf(operations, 'exp')?.action).toBe('exp');
    expect(
      ['mul', 'square', 'sub', 'neg', 'min', 'relu', 'abs'].map((name) => costOf(operations, name)?.action),
    ).toEqual(['mac', 'mac', 'add', 'add', 'max', 'max', 'max']);
  });

  it('are not done by an engine that lacks both', () => {
    expect(costOf(operations.delete('max').delete('divide'), 'relu')).toBeUndefined();
    expect(costOf(operations.delete('divide'), 'divide')).toBeUndefined();
  });
});

describe('the library', () => {
  it('finds files by name, and names the nearest when there is none', () => {
    expect(libraryFile('arch/parts', 'array/tpu-v4-mxu')).toHaveProperty('file');
    expect(libraryFile('arch/parts', 'array/tpu-v4-mux')).toEqual({ hint: 'did you mean "array/tpu-v4-mxu"?' });
    expect(libraryFile('arch/parts', '../fusemax')).toHaveProperty('hint');
  });
});
