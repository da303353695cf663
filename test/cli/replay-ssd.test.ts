import { afterAll, describe, expect, it } from 'vitest';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const three = scratch.write('three.txt', 'R 0 4096\nR 8KiB 4096\nW 16KiB 8KiB\n');

async function json(...args: string[]): Promise<{ readonly [key: string]: unknown }> {
  const { code, stdout, stderr } = await clockwright('replay', ...args, '--json', '-');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** Time of a 4 KiB read alone, and between two, on MQSim's default SSD: ns. */
const read = 8 + 8 + 25 + 290 + 75_020 + 12_288 + 1248 + 11;

describe('replay on an SSD', () => {
  it('sends a trace, one request after the other', async () => {
    const result = await json('ssd/mqsim-ideal', three);
    expect(result).toMatchObject({ ssd: 'ssd/mqsim-ideal', count: 1, depth: 1, requests: 3, reads: 2, writes: 1 });
    expect((result.readLatency as { min: number }).min).toBeCloseTo(read * 1e-9, 12);
    expect((result.readLatency as { max: number }).max).toBeCloseTo((read + 8) * 1e-9, 12);
    expect(result.counters).toMatchObject({
      commands: { read: 2, program: 1 },
      lookups: 3,
      mappingMisses: 0,
      userPages: 1,
    });
  });

  it('sends several at a time, which are on channels of their own', async () => {
    const alone = await json('mqsim-ideal', three);
    const together = await json('mqsim-ideal', three, '--depth', '3');
    expect((together.seconds as number) / (alone.seconds as number)).toBeLessThan(0.6);
  });

  it('generates requests, the same for a seed', async () => {
    const args = ['ssd/mqsim-default', '--random', '4KiB', '--depth', '16', '--requests', '500'];
    const one = await json(...args, '--seed', '3');
    expect(await json(...args, '--seed', '3')).toEqual(one);
    expect(await json(...args, '--seed', '4')).not.toEqual(one);
    expect(one).toMatchObject({ requests: 500, reads: 500, work: 'random 4KiB reads' });
    const mixed = await json(...args, '--writes', '0.5');
    expect(mixed.reads as number).toBeGreaterThan(200);
    expect(mixed.writes as number).toBeGreaterThan(200);
    expect(mixed.reads as number).toBe(500 - (mixed.writes as number));
  });

  it('prints a summary', async () => {
    const args = ['--sequential', '64KiB', '--depth', '8', '--requests', '200', '--devices', '2'];
    const { code, stdout } = await clockwright('replay', 'ssd/mqsim-default', ...args);
    expect(code).toBe(0);
    expect(stdout).toContain('sequential 64KiB reads on 2 x ssd/mqsim-default');
    expect(stdout.split('\n').map((line) => line.split(/\s/)[0])).toEqual([
      ...['sequential', 'requests', 'iops', 'latency', 'bandwidth', 'commands', 'mapping', ''],
    ]);
  });

  it('tells what is wrong', async () => {
    const fails = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await clockwright('replay', ...args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await fails('ssd/mqsim', three)).toContain('there is no SSD "ssd/mqsim"');
    expect(await fails('ssd/p5510')).toContain('there is nothing to send');
    expect(await fails('ssd/p5510', three, '--random', '4KiB')).toContain('--random takes the place of a trace');
    expect(await fails('ssd/p5510', '--random', '100 B')).toContain('no size of a request');
    expect(await fails('ssd/p5510', '--random', 'much')).toContain('--random: "much" is no quantity');
    expect(await fails('ssd/p5510', three, '--ranks', '2')).toContain('--ranks goes with DRAM');
    expect(await fails('ddr4', three, '--depth', '2')).toContain('--depth goes with SSDs');
    expect(await fails('ddr4')).toContain('a trace is missing');
    expect(await fails('ssd/p5510', '--random', '4KiB', '--writes', '2')).toContain('no share from 0 to 1');
    const wrong = scratch.write('wrong.txt', 'R 0 4096\nR 4TB 4096\n');
    expect(await fails('ssd/p5510', wrong)).toMatch(
      /wrong\.txt:2:3 {2}bytes 4000000000000 to 4000000004096 of a device/,
    );
  });
});

describe('other commands', () => {
  it('show an SSD, and check one', async () => {
    const { stdout } = await clockwright('show', 'ssd/p5510');
    expect(stdout).toContain('16 channels x 2 chips x 2 dies x 4 planes = 256 planes');
    const checked = await clockwright('check', 'ssd/p5510');
    expect(checked.stdout).toContain('part of kind ssd, no mistakes');
  });
});
