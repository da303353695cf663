import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const ddr4 = 'DDR4/DDR4_8Gb_x8/DDR4_2400R';

/** Alternating rows of one bank, 64 requests a pair: `pingpong` of the traces that the recorded commands are of. */
const pingpong = (requests: number): string =>
  Array.from({ length: requests }, (_, i) => `R ${(2 * (i >> 6) + (i & 1)) % 4096} ${(i >> 1) % 32}\n`).join('');

const three = scratch.write('three.txt', 'R 0\nR 1\nW 0x800\n');

async function json(...args: string[]): Promise<{ readonly [key: string]: unknown }> {
  const { code, stdout, stderr } = await clockwright('replay', ...args, '--json', '-');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe('replay', () => {
  it('prints the result as JSON and nothing else', async () => {
    const result = await json(ddr4, three);
    // ACT at 1, RD at 17 and nCCDL later at 23, data nCL + nBL behind; PREpb, ACT and WR as tRAS, nRP and nRCD allow
    expect(result).toEqual({
      standard: 'DDR4-ramulator',
      organisation: 'DDR4_8Gb_x8',
      speed: 'DDR4_2400R',
      channels: 1,
      scheduler: 'frfcfs',
      page: 'open',
      refresh: 'all-bank',
      mapping: 'RoBaRaCoCh',
      ticks: 1 + 39 + 16 + 16,
      tickNs: 0.833,
      requests: 3,
      reads: 2,
      writes: 1,
      // The second arrives a tick later.
      latencySumTicks: 17 + 20 + (23 + 20 - 1),
      averageReadLatencyTicks: 39.5,
      rowHits: 1,
      rowMisses: 1,
      rowConflicts: 1,
      commands: { ACT: 2, PREpb: 1, PREab: 0, RD: 2, WR: 1, RDA: 0, WRA: 0, REFab: 0 },
      bandwidth: (3 * 64) / (72 * 0.833e-9),
      energy: { total: expect.any(Number), by: expect.any(Object), notes: [] },
    });
    expect(Object.keys(result).slice(8)).toEqual([
      ...['ticks', 'tickNs', 'requests', 'reads', 'writes', 'latencySumTicks', 'averageReadLatencyTicks'],
      ...['rowHits', 'rowMisses', 'rowConflicts', 'commands', 'bandwidth', 'energy'],
    ]);
  });

  it('writes the commands as Ramulator does', async () => {
    const trace = scratch.write('pingpong.txt', pingpong(1000));
    const options = ['--page', 'capped', '4', '--commands', '-'];
    const { code, stdout } = await clockwright('replay', ddr4, trace, ...options);
    const recorded = join(packageRoot, 'test/fixtures/dram/commands/DDR4_2400R_closedcap4_pingpong.csv.gz');
    const lines = gunzipSync(readFileSync(recorded)).toString().trimEnd().split('\n');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual(lines.map((line) => line.split(',').slice(0, 8).join(',')));
  });

  it('names the place of a refresh down to its level', async () => {
    const commands = scratch.path('refreshes.csv');
    const trace = scratch.write('slow.txt', 'R 0\nR 16384\n');
    const options = ['--gap', '12600', '--commands', commands];
    await clockwright('replay', 'HBM3/HBM3_16Gb_8hi/HBM3_6400Mbps', trace, ...options);
    const lines = scratch.read('refreshes.csv').split('\n');
    expect(lines[0]).toBe('clock,command,Channel,PseudoChannel,Sid,BankGroup,Bank,Row,Column');
    const refreshes = lines.filter((line) => line.includes('REFab')).map((line) => line.replace(/^\d+,/, ''));
    expect(refreshes).toEqual(['REFab,0,0,-1,-1,-1,-1,-1', 'REFab,0,1,-1,-1,-1,-1,-1']);
  });

  it('spreads blocks over channels, and puts their commands in order of time', async () => {
    const trace = scratch.write('blocks.txt', Array.from({ length: 400 }, (_, i) => `R ${i * 977}\n`).join(''));
    const commands = scratch.path('channels.csv');
    const result = await json(ddr4, trace, '--channels', '4', '--commands', commands);
    const sent = scratch
      .read('channels.csv')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const reads = sent.filter(([, name]) => name === 'RD');
    expect([0, 1, 2, 3].map((channel) => reads.filter((line) => line[2] === String(channel)).length)).toEqual(
      Array(4).fill(100),
    );
    expect(result).toMatchObject({ channels: 4, requests: 400, reads: 400, commands: { RD: 400 } });
    const clocks = sent.map(([clock]) => Number(clock));
    expect(clocks).toEqual(clocks.toSorted((a, b) => a - b));
  });

  it('takes byte addresses, and waits for the cycles of a trace', async () => {
    const bytes = scratch.write('bytes.txt', 'LD 0x0\nLD 0x7f\nST 0x20000\n');
    const [blocks, ofBytes] = [await json(ddr4, three), await json(ddr4, bytes)];
    expect(ofBytes).toEqual(blocks);
    const late = scratch.write('late.txt', '0x0 READ 100\n');
    const soon = scratch.write('soon.txt', 'R 0\n');
    // Ticks of HBM3 are half a clock cycle.
    for (const [standard, ticks] of [
      [ddr4, 100],
      ['hbm3', 200],
    ] as const) {
      const [a, b] = [await json(standard, late, '--refresh', 'none'), await json(standard, soon, '--refresh', 'none')];
      expect(Number(a.ticks) - Number(b.ticks)).toBe(ticks);
      expect(a.latencySumTicks).toBe(b.latencySumTicks);
    }
  });

  it('takes policies, ranks, a limit, gaps and a window of requests', async () => {
    const trace = scratch.write('policies.txt', pingpong(200));
    const usual = await json(ddr4, trace);
    const closed = await json(ddr4, trace, '--page', 'closed', '--scheduler', 'frfcfs-row-hit');
    expect(closed).toMatchObject({ page: 'closed', scheduler: 'frfcfs-row-hit', rowConflicts: expect.any(Number) });
    expect(closed.commands).not.toEqual(usual.commands);
    const timeout = await json(ddr4, trace, '--page', 'timeout 100 ns', '--gap', '400', '--limit', '10');
    expect(timeout).toMatchObject({ requests: 10, rowMisses: 10, rowConflicts: 0 });
    const one = await json(ddr4, trace, '--outstanding', '1', '--limit', '50');
    expect(Number(one.averageReadLatencyTicks)).toBeLessThan(100);
    const grouped = await json(ddr4, trace, '--ranks', '2', '--mapping', 'row-rank-bank-column-bankGroup');
    expect(grouped.mapping).toBe('row-rank-bank-column-bankGroup');
    expect(Number(grouped.ticks)).toBeLessThan(Number(usual.ticks));
  });

  it('prints a summary for people', async () => {
    const { code, stdout } = await clockwright('replay', ddr4, three);
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "three.txt on DDR4-ramulator/DDR4_8Gb_x8/DDR4_2400R   72 ticks of 833.0 ps   59.98 ns
      memory     1 channel   frfcfs   open page   refresh all-bank   RoBaRaCoCh
      requests   3: 2 reads, 1 write
      bandwidth  3.2 of 19.2 GB/s   17 %
      latency    32.90 ns per read   39.5 ticks
      rows       hits 33 %   misses 33 %   conflicts 33 %
      commands   ACT 2   RD 2   PREpb 1   WR 1
      energy     38.7 nJ   background active 49 %   activate 17 %   read 15 %   background precharged 12 %
                 write 7 %
      "
    `);
  });

  it('says that an energy without currents is not known, and nothing of a latency without reads', async () => {
    const writes = scratch.write('writes.txt', 'W 1\nW 2\n');
    const { stdout } = await clockwright('replay', 'hbm3', writes);
    expect(stdout).toContain('energy     not known: there are no currents of HBM3_');
    expect(stdout).not.toMatch(/latency/);
    expect(await json('hbm3', writes)).toMatchObject({ energy: null, averageReadLatencyTicks: 0 });
  });
});

describe('what is wrong with a replay', () => {
  const wrong = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await clockwright('replay', ...args);
    expect([code, stdout]).toEqual([2, '']);
    return scratch.relative(stderr);
  };

  it('is told of the standard, the trace and the outputs at once', async () => {
    const folder = scratch.folder;
    expect(await wrong('DDR44', scratch.path('none.txt'), '--json', folder)).toBe(
      [
        'there is no DRAM standard "DDR44"; did you mean "ddr4"?',
        'cannot read none.txt: there is no such file or folder',
        `--json ${folder}: it is a folder, not a file`,
        '3 mistakes\n',
      ].join('\n'),
    );
  });

  it('is told of all options at once', async () => {
    expect(await wrong(ddr4, three, '--page', 'capd 4', '--mapping', 'row-bnak', '--refresh', 'per-bank')).toBe(
      [
        '--page: there is no page policy "capd 4"; did you mean "capped 4"?',
        '--mapping: there is no field "bnak" in an address; did you mean "bank"?',
        '--refresh: DDR4-ramulator/DDR4_8Gb_x8/DDR4_2400R has no per-bank refresh; it has all-bank and none',
        '3 mistakes\n',
      ].join('\n'),
    );
  });

  it.each([
    [['--gap', '-1'], 'whole number of 0 or more'],
    [['--outstanding', '0'], 'whole number of 1 or more'],
    [['--channels', '2.5'], 'whole number of 1 or more'],
    [['--scheduler', 'fcfs'], 'Allowed choices are frfcfs, frfcfs-row-hit'],
    [['--channels', '3', '--mapping', 'ChRaBaRoCo'], '--mapping: 3 channels cannot be addressed by bits; 2 or 4 can'],
    [['--speed', 'DDR4_2400Q'], 'did you mean "DDR4_2400'],
    [['--commands', '-', '--json', '-'], '--commands -: --json goes there already'],
  ])('%j', async (options, message) => {
    expect(await wrong(ddr4, three, ...options)).toContain(message);
  });

  it('keeps the trace that an output names', async () => {
    const trace = scratch.write('kept.txt', 'R 1\n');
    const message = await wrong(ddr4, trace, '--json', trace, '--commands', join(scratch.folder, '.', 'kept.txt'));
    expect(message).toContain('--json kept.txt: this file is read; name another file');
    expect(scratch.read('kept.txt')).toBe('R 1\n');
  });

  it('is told with the place in the trace', async () => {
    const trace = scratch.write('wrong.txt', 'R 1\nRD 2\n');
    expect(await wrong(ddr4, trace)).toContain('wrong.txt:2:1  "RD" is no request');
  });
});
