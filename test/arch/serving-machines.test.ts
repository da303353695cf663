import { describe, expect, it } from 'vitest';
import { MemoryPart, PeerLink } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { parseArch } from '../../arch/language/load.ts';
import { parseIntensity, UnitError } from '../../arch/language/units.ts';

const text = (head: string, memory = 'use: dram/attacc-hbm3') => `machine: chip
${head}
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, ${memory} }
`;

function mistakes(head: string, memory?: string): string {
  try {
    parseArch(text(head, memory), 'chip.yaml');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('several devices', () => {
  const link = 'link: { bandwidth: 450 GB/s, latency: 0.8 us }';

  it('are joined by a link, and nodes of them by a network', () => {
    const arch = parseArch(
      text(`devices: 4\n${link}\nnodes: 2\nnetwork: { bandwidth: 50 GB/s, latency: 130 ns }`),
      'chip.yaml',
    );
    expect([arch.devices, arch.nodes]).toEqual([4, 2]);
    expect(arch.link?.equals(new PeerLink({ bandwidth: 450e9, latency: 800_000 }))).toBe(true);
    expect(arch.network?.equals(new PeerLink({ bandwidth: 50e9, latency: 130_000 }))).toBe(true);
  });

  it('are one when a file says nothing', () => {
    const arch = parseArch(text(''), 'chip.yaml');
    expect([arch.devices, arch.link, arch.nodes, arch.network]).toEqual([1, null, 1, null]);
  });

  it('can be set from outside', () => {
    const arch = parseArch(text(`devices: 4\n${link}`), 'chip.yaml', { set: ['devices=8', 'link.bandwidth=1 TB/s'] });
    expect([arch.devices, arch.link?.bandwidth]).toEqual([8, 1e12]);
  });

  it.each([
    ['devices: 4', 'chip.yaml:2:10  there are 4 devices, but no "link" joins them'],
    ['nodes: 2', 'chip.yaml:2:8  there are 2 nodes, but no "network" joins them'],
    ['devices: none', '"none" is no quantity, but devices needs a count'],
    ['link: { bandwidth: 450 GB, latency: 0.8 us }', '"450 GB" is a size, but bandwidth needs a rate'],
    ['link: { bandwidth: 450 GB/s, latency: 8 cycles }', '"8 cycles" is a number of cycles, but latency needs a time'],
    ['link: { bandwidth: 450 GB/s }', '"latency" is missing'],
    ['link: { bandwith: 450 GB/s, latency: 1 us }', 'unknown key "bandwith" in link'],
  ])('%s', (head, message) => expect(mistakes(head)).toContain(message));
});

describe('a memory that computes', () => {
  const mode = (memory: string) => {
    const part = parseArch(text('', memory), 'chip.yaml').parts.get('hbm');
    return part instanceof MemoryPart ? part.dram?.pim : undefined;
  };

  it('serves requests between commands that compute, unless it says otherwise', () => {
    expect(mode('use: dram/attacc-hbm3')).toBe('concurrent');
    expect(mode('use: dram/attacc-hbm3, pim: blocked')).toBe('blocked');
    expect(mode('use: dram/hbm3')).toBeNull();
  });

  it.each([
    ['use: dram/hbm3, pim: blocked', 'HBM3 computes nothing'],
    ['use: dram/attacc-hbm3, pim: blokced', '"blokced" is no pim'],
    ['bandwidth: 1 GB/s, latency: 1 ns, capacity: 1 GiB, pim: blocked', 'unknown key "pim" in hbm'],
  ])('%s', (memory, message) => expect(mistakes('', memory)).toContain(message));
});

describe('operational intensity', () => {
  it('is operations per byte', () => expect([parseIntensity('8 Op/B'), parseIntensity('0.5 Op/B')]).toEqual([8, 0.5]));

  it.each([
    ['8', '"8" has no unit, but this needs an operational intensity; write "8 Op/B"'],
    ['8 Op', '"8 Op" is a number of operations, but this needs an operational intensity; write "8 Op/B"'],
    ['8 GB/s', '"8 GB/s" is a rate, but this needs an operational intensity; such as "8 Op/B"'],
    ['0 Op/B', '"0 Op/B" is zero, but this cannot be'],
  ])('%s', (written, expected) => {
    const found = (): string => {
      try {
        return String(parseIntensity(written));
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
      }
    };
    expect(found()).toBe(expected);
  });
});
