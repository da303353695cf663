import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeArch } from '../../../arch/language/describe.ts';
import { InputError } from '../../../arch/language/diagnostics.ts';
import { libraryNames, packageRoot } from '../../../arch/language/library.ts';
import { parseArch } from '../../../arch/language/load.ts';
import { describeSsd } from '../../../arch/language/ssd/describe.ts';
import { findSsd } from '../../../arch/language/ssd/find.ts';
import { type SsdPart, ssdCapacity, ssdPeaks } from '../../../arch/language/ssd/part.ts';
import { runSsd } from '../../../models/memory/ssd/run.ts';
import { Generator } from '../../../models/memory/ssd/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'clockwright-'));
afterAll(() => rmSync(folder, { recursive: true }));
const text = readFileSync(join(packageRoot, 'arch/parts/ssd/mqsim-default.yaml'), 'utf8');

/** What is wrong with a text, as `line:column message`. */
function mistakes(changed: string): string[] {
  const file = join(folder, 'ssd.yaml');
  writeFileSync(file, changed);
  try {
    findSsd(file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.diagnostics.map(({ place, message }) => `${place?.line}:${place?.column} ${message}`);
  }
  return [];
}

describe('SSDs of the library', () => {
  it.each(libraryNames(join(packageRoot, 'arch/parts/ssd')))('%s loads', (name) => {
    const part = findSsd(`ssd/${name}`);
    expect(ssdCapacity(part)).toBeGreaterThan(1e11);
    expect(part.equals(findSsd(name))).toBe(true);
    expect(describeSsd(name, part)).toContain('channels');
  });

  it('is what its file says', () => {
    const part = findSsd('mqsim-default');
    expect(part.flash.toJS()).toMatchObject({
      channels: 8,
      chips: 4,
      page: 8192,
      read: [75e6],
      erase: 3.8e9,
      busy: 'chip',
    });
    expect(part.translation.toJS()).toEqual({
      table: 'cached',
      cache: 2 ** 21,
      allocation: 'CWDP',
      overprovisioning: 0.07,
    });
    // 7,801,405 of 8,388,608 sectors of each of 128 planes.
    expect(ssdCapacity(part)).toBe(7_801_405 * 128 * 512);
    expect(ssdPeaks(part)).toEqual({ link: (4e9 * 128) / 156, buses: (8 * 2 * 1e12) / 6000 });
    expect(findSsd('mqsim-ideal').translation.table).toBe('ideal');
  });

  it('is part of a machine, several of them if told', () => {
    const machine = `machine: m\nclocks: { core: 1 GHz }\nparts:\n  disks: { use: ssd/p5510, count: 12 }\n`;
    const arch = parseArch(machine, 'm.yaml');
    expect((arch.parts.get('disks') as SsdPart).set('count', 1).equals(findSsd('p5510'))).toBe(true);
    expect(describeArch(arch)).toContain('16 channels x 2 chips x 2 dies x 4 planes');
  });
});

describe('mistakes in an SSD', () => {
  it('are told with their places', () => {
    expect(mistakes(text)).toEqual([]);
    expect(mistakes(text.replace('allocation: CWDP', 'allocation: CWD'))[0]).toMatch(/^\d+:15 "CWD" is no order/);
    expect(mistakes(text.replace('  lanes: 4', '  lames: 4')).join()).toMatch(/unknown key "lames"/);
    expect(mistakes(text.replace('page: 8 KiB', 'page: 8000 B')).join()).toMatch(/a page of 8000 bytes/);
    expect(mistakes(text.replace('  cache: 2 MiB\n', '')).join()).toMatch(/"cache" is missing in translation/);
    expect(mistakes(text.replace('table: cached', 'table: ideal')).join()).toMatch(/an ideal table has no cache/);
    expect(mistakes(text.replace('capacity: 256 MiB', 'capacity: 4 KiB')).join()).toMatch(/smaller than a page/);
    expect(mistakes(text.replace('blocks: 2048', 'blocks: 128')).join()).toMatch(
      /10 blocks are reserved and three are open/,
    );
    expect(mistakes(text.replace('planes: 2', 'planes: 31')).join()).toMatch(/a die of 31 planes/);
    expect(mistakes(text.replace('pages: 256', 'pages: 65536')).join()).toMatch(
      /a block of 65536 pages.*17179869184 pages in all/,
    );
    expect(mistakes(text.replace('reserve: 10', 'reserve: 2')).join()).toMatch(/a reserve of 2/);
    expect(mistakes(text.replace('kind: ssd', 'kind: sdd')).join()).toMatch(/describes no SSD/);
    expect(() => findSsd('no-such-ssd')).toThrow(/there is no SSD "no-such-ssd"/);
  });
});

describe('a part as fast as a P5510', () => {
  const part = findSsd('p5510');
  const run = (bytes: number, depth: number, reads: number, requests: number) => {
    const source = new Generator({
      pattern: 'sequential',
      bytes,
      reads,
      region: ssdCapacity(part),
      align: bytes,
      seed: 7,
    });
    return runSsd(part, source, { depth, requests }).bandwidth / 1e9;
  };

  it('reads 4 MiB at 4.46 GB/s one at a time, and at 6.9 to 7.0 GB/s from four on', () => {
    expect(run(2 ** 22, 1, 1, 50)).toBeCloseTo(4.46, 2);
    for (const depth of [4, 8]) {
      expect(run(2 ** 22, depth, 1, 200)).toBeGreaterThan(6.9);
      expect(run(2 ** 22, depth, 1, 200)).toBeLessThan(7);
    }
  });

  it('writes at 4.2 GB/s, within 3 %', () => {
    expect(run(2 ** 22, 4, 0, 1000) / 4.2).toBeCloseTo(1, 1);
    expect(Math.abs(run(131072, 32, 0, 30_000) / 4.2 - 1)).toBeLessThan(0.03);
  });
});
