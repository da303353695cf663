import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

async function shown(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await clockwright('show', ...args);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/[^\n]\n$/);
  return stdout;
}

/** The words of the line that begins with a label. */
function line(text: string, label: string): string {
  const lines = text.split('\n').map((l) => l.trim().replace(/\s+/g, ' '));
  return lines.find((l) => l.startsWith(`${label} `))!;
}

describe('show of a machine', () => {
  const machine = `machine: chip
clocks: { core: 1 GHz, io: 500 MHz }
technology: aladdin-45nm
parts:
  dram: { kind: memory, bandwidth: 100 GB/s, latency: 50 ns, capacity: 1 GiB, technology: HBM2 }
  buffer: { kind: scratchpad, clock: core, capacity: 1 MiB, banks: 8, ports: 2, width: 64 B }
  array:
    { kind: array, clock: io, count: 4, rows: 16, columns: 32, operations: { mac: 1, exp: 6 mac }, input: 32 B/cycle, output: 64 B/cycle }
  vector: { kind: vector, clock: core, lanes: 64, operations: { mac: 2, add: 1 } }
links:
  - dram <-> buffer via dma
  - buffer <-> array  64 B/cycle
  - array -> vector
`;

  it('tells peaks and bandwidths that follow from the file', async () => {
    const text = await shown(scratch.write('chip.yaml', machine));
    // 4 x 16 x 32 PEs at 500 MHz, and 64 lanes every second cycle of 1 GHz.
    expect(text).toContain('mac     1.056 Top/s  array 1.024 Top/s + vector 32 Gop/s');
    expect(text).toMatch(/exp {5}170\.7 Gop\/s {2}array\n/);
    expect(text).toMatch(/memory {2}100 GB\/s\n/);
    expect(line(text, 'buffer')).toContain('8 banks x 2 ports x 64 B, 1.024 TB/s');
    expect(line(text, 'dram <-> buffer')).toBe('dram <-> buffer via dma 100 GB/s');
    expect(line(text, 'array 4 x')).toContain('16 x 32 PEs');
  });

  it('tells both directions of a link where they differ', async () => {
    const text = await shown(scratch.write('chip.yaml', machine));
    expect(line(text, 'buffer <-> array')).toBe('buffer <-> array 64 B/cycle 4 x 16 GB/s, back 4 x 32 GB/s');
  });

  it('sums the areas of its parts', async () => {
    const text = await shown('fusemax');
    const areas = [...text.matchAll(/ ([\d.]+) mm2$/gm)].map(([, area]) => Number(area));
    const total = Number(/([\d.]+) mm2 in all/.exec(text)![1]);
    expect(areas).toHaveLength(3);
    expect(total).toBeCloseTo(
      areas.reduce((a, b) => a + b),
      -1,
    );
  });

  it.each([
    ['none', 'folds do not overlap'],
    ['preload', 'folds are preloaded'],
    ['drain', 'only drains overlap'],
  ])('tells what limits the overlap of folds: %s', async (overlap, words) => {
    expect(await shown('systolic', '--set', `array.overlap=${overlap}`)).toContain(`systolic feed, ${words}, `);
  });

  it('follows --set', async () => {
    expect(await shown('fusemax', '--set', 'array.rows=128')).toContain('128 x 256 PEs');
  });
});

describe('show of a workload', () => {
  it('tells ranks, passes with their reasons, and operations', async () => {
    const text = await shown('attention-3-pass');
    expect(text).toContain('  B 64   H 12   E 64   F 64   P 1,024   M 1,024\n');
    expect(text).toContain(`passes
  1 over B, H, E, F, P
  3 over M
    SN opens pass 2 over M: it needs GM, complete only after pass 1
    A opens pass 3 over M: it needs SD, complete only after pass 2
`);
    const points = 64 * 12 * 64 * 1024 * 1024;
    expect(text).toContain(`\n  mac ${(2 * points).toLocaleString('en-US')}, max `);
  });

  it('tells one pass where there is one', async () => {
    expect(await shown('attention-1-pass')).toContain('passes\n  1 over B, H, E, F, P, M\n');
  });

  it('follows --shape', async () => {
    expect(await shown('gemm', '--shape', 'M=8', '--shape', 'N=8', '--shape', 'K=8')).toMatch(/in all\n {2}mac 512\n/);
  });
});

describe('show of a mapping', () => {
  it('tells its tiles, loops, places and buffers', async () => {
    const mapping = `mapping: mine
about: For a test
workload: attention-1-pass
partition: { P: [P1, P0 256] }
loops: [b, h, p1, m1]
place:
  array: { einsums: [QK, LM], rows: m0, columns: p0, keep: QK }
hold: { buffer: [Q, K] }
stream: { V: 3 }
interleave: 4
`;
    expect(await shown(scratch.write('mine.yaml', mapping))).toBe(`mine   For a test
  lays attention-1-pass on any machine

one section of all einsums
  rank P      P1 x P0 256
  loops       b > h > p1 > m1, outer to inner
  on array    QK LM, m0 over rows, p0 over columns, keeps QK in registers
  hold        Q, K in buffer
  stream      V 3 tiles
  interleave  4 rounds
`);
  });

  it('tells its sections one by one', async () => {
    const mapping = 'mapping: mine\nsections:\n  - { einsums: [QK, GM], interleave: 1 }\n  - einsums: SN\n';
    expect(await shown(scratch.write('mine.yaml', mapping))).toBe(`mine
  lays any workload on any machine

section QK GM
  loops       chosen
  interleave  none

section SN
  loops       chosen
  interleave  chosen
`);
  });
});

describe('show of a mapping with its workload and machine', () => {
  const shape = ['--shape', 'B=1', '--shape', 'H=2', '--shape', 'P=512', '--shape', 'M=1024'];

  it('tells sections, tiles, buffers, and what engines do for three tiles', async () => {
    const text = await shown('fusemax-binding', ...shape);
    const section = text.slice(text.indexOf('section QK LM'));
    expect(line(section, 'loops')).toBe('loops h 2 > m1 4 > p1 2, outer to inner');
    expect(line(section, 'tile')).toBe('tile e 64, f 64, m0 256, p 256 of 512');
    expect(line(section, 'on array')).toBe('on array QK LM SLN SLD SLNV');
    expect(line(section, 'in buffer')).toMatch(/^in buffer \d+ KiB of 16 MiB: RNV \d x 32 KiB, /);
    expect(section).toContain('3 tiles beside each other of 16; a column is ');
    expect(section).toMatch(/\n {2}QK .*1+ .*2+ .*3+/);
    expect(section).toMatch(/\na tile takes \d+ cycles, the next one ends \d+ later, up to \d are under way at a time/);
  });

  it('draws the same as a page', async () => {
    const page = scratch.path('waterfall.html');
    await shown('fusemax-binding', ...shape, '--html', page);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('<h1>fusemax-binding</h1><p>attention-1-pass on fusemax</p>');
    expect(html).toMatch(/<title>QK, tile \d+\ncycles [\d,]+ to [\d,]+<\/title>/);
  });

  it('says so when nothing is named that --shape could change', async () => {
    const { code, stderr } = await clockwright('show', 'unfused', '--shape', 'P=1');
    expect([code, stderr]).toEqual([
      2,
      'unfused names no machine and workload to be tried on; begin it with "workload: NAME" and "machine: NAME"\n',
    ]);
  });

  it('tells what does not go together', async () => {
    const mapping = 'mapping: mine\nworkload: softmax\nmachine: flat\nloops: [m]\n';
    const { code, stdout, stderr } = await clockwright('show', scratch.write('mine.yaml', mapping));
    expect([code, stdout.startsWith('mine\n')]).toEqual([2, true]);
    expect(stderr).toContain('mine.yaml:4:1  SN needs another pass over m: GM is complete only when m has ended');
  });
});

describe('show of a mapping of a dataflow machine', () => {
  it('tells what is fused, who launches it, and what is streamed', async () => {
    const text = await shown('sn40l-monarch');
    expect(text).toContain('\n  lays monarch-fft on sn40l\n');
    expect(line(text, 'sections')).toBe('sections as many operators as fit');
    expect(line(text, 'launch')).toBe('launch by the unit itself');
    expect(line(text, 'stream')).toBe('stream B, in tiles of 16 points');
    expect(line(text, 'buffers')).toBe('buffers 2 tiles between neighbouring stages');
  });

  it('lists sections that it names', async () => {
    const file = scratch.write('listed.yaml', 'mapping: listed\nlaunch: software\nfuse: [[a, b], [c]]\n');
    const text = await shown(file);
    expect(line(text, 'section 1')).toBe('section 1 a b');
    expect(line(text, 'section 2')).toBe('section 2 c');
    expect(line(text, 'sections')).toBe('sections one of each other operator');
    expect(line(text, 'launch')).toBe('launch by the host');
  });
});

describe('show of a DRAM standard', () => {
  it('tells what it is made of, and the capacity and peak of a channel', async () => {
    const text = await shown('ddr4');
    expect(line(text, 'levels')).toBe('levels channel > rank > bankGroup > bank');
    expect(line(text, 'access')).toBe('access 64 B: 8 columns of 64 bits');
    expect(line(text, 'refresh')).toBe('refresh all-bank every nREFI');
    expect(line(text, 'currents')).toBe('currents known for the rates below');
    expect(line(text, 'RDA')).toBe('RDA column 1 CK reads, closes bank');
    // Eight chips of 1 GiB, and 2,400 million transfers of 8 bytes.
    expect(line(text, 'DDR4_8Gb_x8')).toBe(
      'DDR4_8Gb_x8 x8 4 bankGroups x 4 banks 65,536 rows of 1,024 columns 8 GiB currents at 1866, 2133, 2400, 2666, 2933, 3200 MT/s',
    );
    expect(line(text, 'DDR4_2Gb_x4')).toMatch(/ 4 GiB$/);
    expect(line(text, 'DDR4_2400R')).toBe('DDR4_2400R 2400 MT/s CK 833 ps 19.2 GB/s');
  });

  it('tells two buses, half cycles, and banks that are refreshed together', async () => {
    const text = await shown('dram/hbm3');
    expect(line(text, 'command bus')).toBe(
      'command bus one of rows, one of columns, precharges on either edge of the clock',
    );
    expect(line(text, 'refresh')).toBe(
      'refresh all-bank every nREFI; per-bank every nREFIpb, of every pseudoChannel together',
    );
    expect(line(text, 'ACT')).toBe('ACT row 1.5 CK opens bank');
    expect(line(text, 'currents')).toBe('currents unknown: no energy of commands');
    expect(line(text, 'HBM3_6400Mbps')).toMatch(/ 51\.2 GB\/s$/);
  });

  it('counts the rows of the tables, which Ramulator has fewer of', async () => {
    const rows = async (name: string) => Number(/constraints +(\d+) rows/.exec(await shown(name))![1]);
    expect((await rows('ddr4')) - (await rows('ddr4-ramulator'))).toBe(5);
  });

  it.each([
    ['ddr3', 'DDR3_4Gb_x8', 'DDR3_1600K'],
    ['ddr4', 'DDR4_8Gb_x8', 'DDR4_2400R'],
    ['ddr5', 'DDR5_16Gb_x8', 'DDR5_4800AN'],
    ['gddr6', 'GDDR6_8Gb_x16', 'GDDR6_14000_1350mV_quad'],
    ['hbm2', 'HBM2_8Gb', 'HBM2_2000Mbps'],
    ['hbm3', 'HBM3_16Gb_8hi', 'HBM3_6400Mbps'],
    ['lpddr5', 'LPDDR5_8Gb_x16', 'LPDDR5_6400'],
  ])('%s is %s at %s by default, as in Ramulator too', async (name, organisation, speed) => {
    for (const file of [name, `${name}-ramulator`]) {
      const text = await shown(file);
      expect(text).toMatch(new RegExp(`\norganisations.*\n  ${organisation} `));
      expect(text).toMatch(new RegExp(`\nspeeds.*\n  ${speed} `));
    }
  });
});

describe('show refuses', () => {
  it.each([
    [['gemm', '--set', 'a=1'], '--set changes a machine, but workloads/gemm.yaml describes a workload\n'],
    [['ddr4', '--set', 'a=1'], '--set changes a machine, but arch/parts/dram/ddr4.yaml describes a standard\n'],
    [['fusemax', '--shape', 'P=1'], '--shape changes a workload, but arch/fusemax.yaml describes a machine\n'],
    [
      ['aladdin-45nm'],
      'machines, workloads, mappings, DRAM standards and SSDs can be shown, but arch/parts/technology/aladdin-45nm.yaml describes a technology\n',
    ],
    [
      ['fusemaxx'],
      'there is no file fusemaxx, and no file of that name comes with Clockwright; did you mean "fusemax"?\n',
    ],
  ])('%j', async (args, expected) => {
    expect(await clockwright('show', ...args)).toEqual({ code: 2, stdout: '', stderr: expected });
  });
});

describe('show of a serving workload', () => {
  it('tells the model, what a device holds, and the operators with their operations and bytes', async () => {
    const text = await shown('gpt3-7b-sharegpt');
    expect(line(text, '32 layers')).toBe('32 layers of 4,096, 32 heads of 128');
    expect(text).toContain('\n  6.66 billion parameters\n');
    expect(text).toContain('memory of one of 4 devices (tensor 4)');
    // A quarter of 12 x 4096 x 4096 weights, and of K and V 2 x 1024 elements for each token.
    expect(line(text, 'weights')).toBe('weights 96.1 MiB of 1 of 32 layers');
    expect(line(text, 'cache')).toBe('cache 594 MiB 4 KiB for each of 151967 tokens');
    expect(line(text, 'qkv')).toBe('qkv 512 x 4096 x 3072 12,884,901,888 31 MiB 396');
    expect(line(text, 'scores, decode')).toContain(
      '8 heads of keys, 1 of queries each, of 128 311,228,416 300 MiB 0.989',
    );
    expect(text).not.toContain('lm-head');
  });

  it('tells layers with experts apart, and what stands before and after the layers', async () => {
    const text = await shown('mixtral-serving');
    expect(text).toContain('layer with experts, 32 of them: 64 requests, 64 tokens');
    expect(line(text, 'expert-up')).toMatch(/^expert-up \(\d+ \d+\) x 4096 x 14336 /);
    expect(line(text, 'lm-head')).toBe('lm-head 64 x 4096 x 8000 4,194,304,000 64 MiB 62.5');
  });
});
