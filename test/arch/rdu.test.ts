import { describe, expect, it } from 'vitest';
import { describeArch } from '../../arch/language/describe.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { loadArch, parseArch } from '../../arch/language/load.ts';
import { rduOf, rduPeak } from '../../arch/language/parts.ts';
import { tierBandwidth, tierCapacity } from '../../arch/language/tiers.ts';

const text = (tiers: string, links = '- hbm <-> rdu\n  - ddr <-> hbm  125 GB/s') => `machine: chip
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, bandwidth: 1 TB/s, latency: 100 ns, capacity: 64 GB }
  ddr: { kind: memory, bandwidth: 100 GB/s, latency: 100 ns, capacity: 1 TB }
  wires: { kind: link }
  rdu: { use: rdu/sn40l, launch: { software: { program: 1 us, arguments: 1 us, execute: 1 us }, hardware: { program: 1 ns, arguments: 1 ns, execute: 1 ns } } }
links:
  ${links}
tiers: ${tiers}
`;

function mistakes(tiers: string, links?: string): string {
  try {
    parseArch(text(tiers, links), 'chip.yaml');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('an RDU', () => {
  it('has the units and the peak that the SN40L is said to have', () => {
    const arch = loadArch('sn40l');
    const rdu = rduOf(arch)!.part;
    expect([rdu.pcus, rdu.pmus, rdu.capacity]).toEqual([1040, 1040, 520 * 2 ** 20]);
    expect((2 * rduPeak(arch, rdu)) / 638e12).toBeCloseTo(1, 2);
    expect([rdu.software.total, rdu.hardware.total]).toEqual([40e6, 2e6]);
  });

  it('is shown with its units, its network and its launches', () => {
    const shown = describeArch(loadArch('sn40l'));
    expect(shown).toContain('1040 PCUs of 32 lanes x 6 stages, systolic');
    expect(shown).toContain('launch 40 us by software, 2 us by hardware');
    expect(shown).toContain('tiers, near to far\n  rdu  520 MiB\n  hbm  64 GB\n  ddr  1.5 TB\n');
    expect(shown).toContain('mac     319.5 Top/s  rdu');
  });

  it('is the same in a node of eight sockets', () => {
    const [socket, node] = [loadArch('sn40l'), loadArch('sn40l-node')];
    expect(node.parts.equals(socket.parts)).toBe(true);
    expect([socket.devices, node.devices]).toEqual([1, 8]);
  });
});

describe('tiers', () => {
  it('are parts with a capacity, joined from near to far', () => {
    const arch = parseArch(text('[rdu, hbm, ddr]'), 'chip.yaml');
    expect(arch.tiers.toArray()).toEqual(['rdu', 'hbm', 'ddr']);
    expect(tierCapacity(arch, 'hbm')).toBe(64e9);
    expect(tierBandwidth(arch, 'ddr', 'hbm')).toBe(100e9);
    expect(tierBandwidth(arch, 'rdu', 'ddr')).toBeUndefined();
  });

  it.each([
    ['[rdu, hbn]', undefined, 'chip.yaml:11:14  there is no part "hbn"'],
    ['[rdu, wires]', undefined, '"wires" is of kind link, which holds no tensors'],
    ['[rdu, hbm, rdu]', undefined, '"rdu" is a tier already'],
    ['[rdu, ddr]', undefined, 'no link joins the tiers rdu and ddr'],
  ])('%s', (tiers, links, message) => expect(mistakes(tiers, links)).toContain(message));
});
