import { join } from 'node:path';
import { is } from 'immutable';
import { afterAll, describe, expect, it } from 'vitest';
import { MemoryPart } from '../../../arch/language/arch.ts';
import { describeArch } from '../../../arch/language/describe.ts';
import { memoryDevice } from '../../../arch/language/dram/memory.ts';
import { pageText, timeoutTicks } from '../../../arch/language/dram/page.ts';
import { standardJsonSchema } from '../../../arch/language/json-schema.ts';
import { libraryNames, packageRoot } from '../../../arch/language/library.ts';
import { loadArch, parseArch } from '../../../arch/language/load.ts';
import { checkPartFile } from '../../../arch/language/part-file.ts';
import { clockwright } from '../../cli/command.ts';
import { changed, Folder, small } from './sample.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const machine = (memory: string) => `machine: chip
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, ${memory} }
  buffer: { kind: scratchpad, capacity: 1 MiB, width: 64 B }
links:
  - hbm <-> buffer via dma
`;

function read(memory: string, ...set: string[]) {
  return parseArch(machine(memory), 'chip.yaml', { set });
}

function part(memory: string, ...set: string[]): MemoryPart {
  const found = read(memory, ...set).parts.get('hbm');
  if (!(found instanceof MemoryPart)) throw new Error('there is no memory');
  return found;
}

function dram(memory: string, ...set: string[]) {
  const found = part(memory, ...set).dram;
  if (!found) throw new Error('the memory is not DRAM');
  return found;
}

function mistakes(memory: string, ...set: string[]): string {
  return folder.mistakes(() => read(memory, ...set));
}

describe('a memory that uses a standard', () => {
  it('is DRAM, with capacity and bandwidth by the standard', () => {
    const hbm = part('use: dram/hbm2, organisation: HBM2_8Gb, speed: HBM2_2000Mbps, channels: 8');
    expect(hbm.model).toBe('dram');
    expect([hbm.bandwidth, hbm.capacity, hbm.latency.amount]).toEqual([256e9, 16 * 2 ** 30, 0]);
    expect(memoryDevice(dram('use: dram/hbm2')).standard).toBe('HBM2');
  });

  it('has the usual choices where it says none', () => {
    const memory = dram('use: dram/ddr4');
    expect(memoryDevice(memory).name).toBe('DDR4/DDR4_8Gb_x8/DDR4_2400R');
    const { channels, ranks, mapping, scheduler, page, refreshes, queues } = memory;
    expect({ channels, ranks, mapping, scheduler, page: pageText(page), refreshes, queues: queues.toObject() }).toEqual(
      {
        channels: 1,
        ranks: 1,
        mapping: 'interleaved',
        scheduler: 'frfcfs',
        page: 'open',
        refreshes: 'all-bank',
        queues: { reads: 32, writes: 32, low: 0.2, high: 0.8 },
      },
    );
  });

  it('has its own choices', () => {
    const memory = dram(
      'use: dram/ddr4, ranks: 2, scheduler: frfcfs-row-hit, page: capped 4, refreshes: none, queues: { reads: 64 }',
    );
    expect([memory.ranks, memory.scheduler, memory.refreshes]).toEqual([2, 'frfcfs-row-hit', 'none']);
    expect([pageText(memory.page), memory.queues.reads, memory.queues.writes]).toEqual(['capped 4', 64, 32]);
    expect(memoryDevice(memory).counts).toEqual([1, 2, 4, 4]);
    expect(part('use: dram/ddr4, ranks: 2').capacity).toBe(16 * 2 ** 30);
  });

  it.each([
    ['timeout 200 ns', 241],
    ['timeout 100 CK', 100],
  ])('closes a row after a %s of %i ticks', (page, ticks) => {
    const memory = dram(`use: dram/ddr4, page: ${page}`);
    expect(pageText(memory.page)).toBe(page);
    expect(timeoutTicks(memory.page, memoryDevice(memory))).toBe(ticks);
  });

  it('can be overridden like every part, and deep in the standard', () => {
    const memory = dram('use: dram/ddr4', 'hbm.speed=DDR4_3200AA', 'hbm.speeds.DDR4_3200AA.nRCD=30');
    expect([memoryDevice(memory).speed, memoryDevice(memory).timings.get('nRCD')]).toEqual(['DDR4_3200AA', 30]);
  });

  it('is equal to another with the same choices', () => {
    const [a, b, c] = ['channels: 2', 'channels: 2', 'channels: 4'].map((text) => part(`use: dram/ddr4, ${text}`));
    expect([is(a, b), is(a, c)]).toEqual([true, false]);
  });

  it('shows what it is', () => {
    expect(describeArch(read('use: dram/ddr4, channels: 2, page: closed'))).toContain(
      'DDR4, DDR4_8Gb_x8 at DDR4_2400R, 2 channels x 1 rank, closed page, 16 GiB, 38.4 GB/s, latency 0 s',
    );
  });

  it('may use a standard beside the machine, which extends one beside it', () => {
    folder.write('parts/dram/small.yaml', small);
    folder.write('parts/dram/mine.yaml', 'extends: small\nstandard: MINE\nwidth: 32\n');
    const file = folder.write('chip.yaml', machine('use: dram/mine'));
    const hbm = loadArch(file).parts.get('hbm');
    expect(hbm?.kind === 'memory' && hbm.dram?.standard.name).toBe('MINE');
    const itself = folder.write('own.yaml', machine('extends: mine, standard: OWN'));
    const own = loadArch(itself).parts.get('hbm');
    expect(own?.kind === 'memory' && own.dram?.standard.name).toBe('OWN');
  });

  it('leaves an ideal memory as it is', () => {
    const ideal = part('bandwidth: 400 GB/s, latency: 100 ns, capacity: 16 GiB');
    expect([ideal.model, ideal.dram, ideal.bandwidth]).toEqual(['ideal', null, 400e9]);
  });
});

describe('a mistake in a memory of DRAM shows its place:', () => {
  it('a speed that the standard does not have', () => {
    expect(mistakes('use: dram/hbm2, speed: HBM2_2000')).toBe(`chip.yaml:4:47  HBM2 has no speed "HBM2_2000"
   4 |   hbm: { kind: memory, use: dram/hbm2, speed: HBM2_2000 }
     |                                               ^^^^^^^^^ did you mean "HBM2_2000Mbps"?`);
  });

  it.each([
    ['an organisation', 'use: dram/ddr4, organisation: DDR4_8Gb', '4:54  DDR4 has no organisation "DDR4_8Gb"'],
    ['ranks', 'use: dram/hbm2, ranks: 2', '4:47  HBM2 has no ranks'],
    ['a refresh', 'use: dram/ddr4, refreshes: per-bank', '4:51  DDR4 has no per-bank refresh'],
    ['a refresh policy', 'use: dram/ddr4, refreshes: often', '4:51  "often" is no refreshes'],
    ['a scheduler', 'use: dram/ddr4, scheduler: fcfs', '4:51  "fcfs" is no scheduler'],
    ['a page policy', 'use: dram/ddr4, page: clsed', '4:46  there is no page policy "clsed"'],
    ['a cap', 'use: dram/ddr4, page: capped 0', '4:46  "0" is no number of accesses'],
    ['a timeout', 'use: dram/ddr4, page: timeout 5 s', '4:46  "5 s" is no number of ticks, ns or CK'],
    ['no channels', 'use: dram/ddr4, channels: 0', '4:50  0 is zero, but channels cannot be'],
    ['queues', 'use: dram/ddr4, queues: { low: 0.9 }', '4:40  writing ends at a level'],
    ['a key', 'use: dram/ddr4, bandwidth: 400 GB/s', '4:40  unknown key "bandwidth"'],
    ['no standard', 'model: dram', '4:3  "standard" is missing'],
    ['a standard', 'use: dram/dd4', '4:29  there is no part "dram/dd4"'],
  ])('%s', (_, memory, message) => expect(mistakes(memory)).toContain(`chip.yaml:${message}`));

  it('one in the used standard, in its file', () => {
    folder.write('parts/dram/broken.yaml', changed(small, ['nRCD\n', 'nRCX\n']));
    const file = folder.write('broken.yaml', machine('use: dram/broken'));
    expect(folder.mistakes(() => loadArch(file))).toContain('parts/dram/broken.yaml:21:28  there is no timing');
  });

  it('one on the command line', () => {
    expect(mistakes('use: dram/ddr4', 'hbm.speed=DDR4_2400X')).toBe(
      '--set hbm.speed=DDR4_2400X: DDR4 has no speed "DDR4_2400X"; did you mean "DDR4_2400R"?',
    );
  });
});

describe('files', () => {
  it('a part file may choose from a standard', () => {
    const text = 'kind: memory\nuse: dram/ddr4\nchannels: 4\n';
    expect(checkPartFile(folder.write('parts/memory/four.yaml', text))).toBe('memory');
    const wrong = folder.write('parts/memory/wrong.yaml', changed(text, ['channels: 4', 'speed: FAST']));
    expect(folder.mistakes(() => checkPartFile(wrong))).toContain('wrong.yaml:3:8  DDR4 has no speed "FAST"');
  });

  it('clockwright check takes the file of a standard, or its name', async () => {
    expect(await clockwright('check', 'arch/parts/dram/ddr4.yaml', 'hbm3-ramulator')).toEqual({
      code: 0,
      stdout: [
        'arch/parts/dram/ddr4.yaml: DRAM standard DDR4, no mistakes',
        'arch/parts/dram/hbm3-ramulator.yaml: DRAM standard HBM3-ramulator, no mistakes\n',
      ].join('\n'),
      stderr: '',
    });
  });

  it('editors get a schema with a description of every key', () => {
    const { properties } = standardJsonSchema() as { properties: { [key: string]: { description?: string } } };
    const undescribed = Object.entries(properties).filter(([, { description }]) => !description);
    expect(undescribed.map(([key]) => key)).toEqual([]);
    expect(Object.keys(properties)).toContain('data clock');
  });
});

it.each(libraryNames(join(packageRoot, 'arch/parts/dram')))(
  '%s of the library is one that machines can use',
  (name) => {
    const { bandwidth, capacity } = part(`use: dram/${name}`);
    expect([bandwidth > 5e9, capacity >= 2 ** 27]).toEqual([true, true]);
  },
);
