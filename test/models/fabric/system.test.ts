import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Arch,
  InputError,
  loadArch,
  loadPlacement,
  loadStream,
  parseArch,
  parsePlacement,
  parseStream,
  simulateStreams,
} from '../../../index.ts';
import { Layout } from '../../../models/fabric/layout.ts';
import { System } from '../../../models/fabric/system.ts';
import { hostTopology } from '../../../models/fabric/topology.ts';

const host = loadArch('cxl-host');
const adam = `elements: 65536
tensors: { p: 4 B per element, g: 2 B per element, m: 4 B per element }
steps:
  - { loop: adam, reads: [p, g, m], writes: [p, m], operations: { mac: 2 } }
`;

function run(arch: Arch, workload: string, rule: string, options: { devices?: number; fastForward?: boolean } = {}) {
  const { devices, fastForward = true } = options;
  const count = devices === undefined ? '' : `devices: ${devices}\n`;
  return simulateStreams({
    arch,
    workload: parseStream(`workload: w\n${workload}`, 'w.yaml'),
    mapping: parsePlacement(`mapping: m\n${count}place:\n  - "${rule}"\n`, 'm.yaml'),
    fastForward,
  });
}

const copy = (size: string, direction = 'to device') =>
  `tensors: { data: ${size} }\nsteps:\n  - { copy: data, direction: ${direction} }\n`;

function mistakeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('no mistake');
}

describe('what is passed over', () => {
  it('changes nothing, whatever is copied from wherever', () => {
    const property = fc.property(
      fc.constantFrom('dram', 'cxl', 'dram+cxl:interleave(1,1)', 'dram+cxl:interleave(2,1)'),
      fc.constantFrom('to device', 'to host'),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 2 }),
      fc.constantFrom(8, 49, 128),
      (rule, direction, pages, devices, credits) => {
        const path = ['parts', 'cxl-link', 'messages', 'write', 'credits'];
        const arch = host.setIn(path, credits).setIn(['parts', 'host', 'cache', 'io'], 2 ** 20);
        const text = copy(`${pages * 4096 + 100} B`, direction);
        const where = `data -> ${rule}`;
        const fast = run(arch, text, where, { devices });
        expect(run(arch, text, where, { devices, fastForward: false })).toEqual(fast);
      },
    );
    fc.assert(property, { seed: 8, numRuns: 25 });
  });

  it('changes nothing in loops, with and without a cache', () => {
    for (const capacity of [2 ** 18, 2 ** 16]) {
      for (const rule of ['* -> dram', '* -> cxl', '* -> dram+cxl:interleave(1,2)']) {
        const arch = host.setIn(['parts', 'host', 'cache', 'capacity'], capacity);
        expect(run(arch, adam, rule, { fastForward: false })).toEqual(run(arch, adam, rule));
      }
    }
  });
});

describe('a long copy', () => {
  it('is mostly passed over', () => {
    const layout = new Layout(4096, [{ target: 1, pages: 1 }]);
    const copies = ['gpu[0]', 'gpu[1]'].map((device) => ({
      device,
      copy: { isWrite: false, bytes: 2 ** 31, layout, kept: 0 },
    }));
    const system = new System(hostTopology(host), copies);
    const end = system.run();
    expect(system.skipped).toBeGreaterThan(1000);
    // Both at the rate of the card's flits: eight lines of data in nine of 68 bytes.
    const lines = (2 * 2 ** 31) / 64;
    expect(end / (((lines * 9) / 8) * 68 * 15.625 * (341 / 340))).toBeCloseTo(1, 3);
  });
});

describe('copies', () => {
  it('move every byte once, over every link on the way', () => {
    for (const direction of ['to device', 'to host']) {
      const arch = host.setIn(['parts', 'host', 'cache', 'io'], 0);
      const { memories, links = [] } = run(arch, copy('1000100 B', direction), 'data -> dram+cxl:interleave(1,3)', {
        devices: 2,
      });
      expect(memories.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0)).toBe(2000200);
      const payload = (name: string) =>
        links.filter((link) => link.name.startsWith(name)).reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
      expect(payload('pcie')).toBe(2000200);
      expect(payload('cxl-link')).toBe(
        memories.find(({ name }) => name === 'cxl')!.bytesRead +
          memories.find(({ name }) => name === 'cxl')!.bytesWritten,
      );
    }
  });

  it('take the setup, a request, the memory and the data of one page after the other', () => {
    // A request of 24 bytes, 512 bytes of data in two packets of 276: each at 15.869140625 ps x 376 / 375 a byte.
    const byte = (15.869140625 * 376) / 375;
    const { seconds } = run(host, copy('512 B'), 'data -> dram', { devices: 1 });
    const memory = (512 / 276e9) * 1e12;
    const ps = 4.9e6 + 24 * byte + 150e3 + memory / 2 + 90e3 + 60e3 + 276 * byte + 276 * byte + 150e3;
    expect(Math.abs(seconds * 1e12 - ps)).toBeLessThan(memory / 2);
  });

  it('of two devices behind a switch share its link, by weight if it has some', () => {
    const machine = (weights: string) =>
      parseArch(
        `machine: m
clocks: { core: 1 GHz }
parts:
  host: { kind: host, lanes: 1, operations: { add: 1 }, outstanding: 64, latency: 30 ns }
  dram: { kind: memory, bandwidth: 1 TB/s, latency: 90 ns, capacity: 1 GiB }
  pcie: { use: link/pcie-5-x16 }
  fork: { kind: switch, latency: 100 ns${weights} }
  gpu: { kind: device, count: 2 }
links: ["host <-> dram", "host <-> fork via pcie", "fork <-> gpu via pcie"]
`,
        'm.yaml',
      );
    const rates = (weights: string) =>
      run(machine(weights), copy('4 MiB', 'to host'), 'data -> dram').streams!.map((one) => one.bandwidth / 1e9);
    const [a = 0, b = 0] = rates('');
    expect(a / b).toBeCloseTo(1, 1);
    expect(a + b).toBeGreaterThan(54);
    expect(a + b).toBeLessThan(57.5);
    const [light = 0, heavy = 0] = rates(', weights: { "gpu[1]": 3 }');
    // As long as both go on the heavier one has three quarters; then the other has all.
    expect(heavy / light).toBeGreaterThan(1.4);
  });
});

describe('CPU Adam', () => {
  it('is bound by its memory, and the sooner done the more the cache keeps', () => {
    const of = (elements: number, mapping: string) =>
      simulateStreams({
        arch: host,
        workload: loadStream('cpu-adam', { shape: [`elements=${elements}`] }),
        mapping: loadPlacement(mapping),
      });
    const times = [2 ** 22, 2 ** 24].map(
      (elements) => of(elements, 'host-cxl').seconds / of(elements, 'host-local').seconds,
    );
    expect(times[0]).toBeCloseTo(1, 1);
    expect(times[1]).toBeGreaterThan(1.2);
    const large = of(2 ** 25, 'host-local');
    const dram = large.memories.find(({ name }) => name === 'dram')!;
    const kept = ((208 * 2 ** 20) / 16) * 28;
    expect(dram.bytesRead + dram.bytesWritten).toBe(28 * 2 ** 25 - kept);
    for (const { busy, waitInput, waitOutput, waitMemory, idle, cycles } of large.engines)
      expect(busy + waitInput + waitOutput + waitMemory + idle).toBe(cycles);
  });
});

describe('mistakes', () => {
  it('name the card that does not exist, the rule without a tensor, and the memory that is too small', () => {
    const at = (rule: string, text = copy('1 MiB'), arch = host) => mistakeOf(() => run(arch, text, rule));
    expect(at('data -> cxl:interleave(1,1)')).toContain('2 weights for one memory: cxl');
    expect(at('data -> cxl[1]')).toContain('there is no cxl[1]: of cxl there is one');
    expect(at('data -> nvme')).toContain('the host has no memory "nvme"');
    expect(at('dta -> cxl')).toMatch(/m\.yaml:3:5 {2}"dta" matches no tensor/);
    expect(at('dta -> cxl')).toContain('no rule places tensor "data"');
    expect(at('data -> dram', copy('100 GiB'))).toContain(
      `tensor data needs ${200 * 2 ** 30} B in dram, which has room for ${128 * 2 ** 30}`,
    );
    expect(at('data -> cxl:interleave(0)')).toContain('all weights are 0');
    expect(at('data = cxl')).toContain('is no rule');
  });

  it('let several cards be interleaved', () => {
    const cards = host.setIn(['parts', 'cxl', 'count'], 2);
    const { memories } = run(cards, copy('96 KiB'), 'data -> cxl:interleave(1,2)', { devices: 1 });
    expect(memories.map(({ name, bytesRead }) => [name, bytesRead])).toEqual([
      ['dram', 0],
      ['cxl[0]', 32768],
      ['cxl[1]', 65536],
    ]);
  });

  it('name what a workload gets wrong', () => {
    expect(
      mistakeOf(() => parseStream('workload: w\ntensors: { a: 1 MiB }\nsteps: [{ copy: b }]\n', 'w.yaml')),
    ).toMatch(/w\.yaml:3:17 {2}there is no tensor "b"/);
    expect(
      mistakeOf(() => parseStream('workload: w\ntensors: { a: 4 B per element }\nsteps: [{ copy: a }]\n', 'w.yaml')),
    ).toContain('nothing says how many elements');
    expect(mistakeOf(() => run(loadArch('fusemax'), copy('1 MiB'), 'data -> hbm'))).toContain(
      'machine fusemax has no host',
    );
  });
});
