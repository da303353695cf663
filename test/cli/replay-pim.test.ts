import { afterAll, describe, expect, it } from 'vitest';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const program = scratch.write(
  'two.pim',
  'WRGB 8 over channel 2, entry 4\nbarrier 2\nMACAB 64 over channel 2, column 32\nRD 16 over column 16 at bank 3, row 7\n',
);
const trace = scratch.write('one.trace', 'PIM_WR_GB 0x0\nPIM_BARRIER 0x0\nPIM_MAC_AB 0x0\nPIM_MAC_AB 0x20\n');

async function json(...args: string[]) {
  const { code, stdout, stderr } = await clockwright('replay', ...args, '--json', '-');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe('replay of PIM commands', () => {
  it('runs a program on as many channels as it names, with requests beside it', async () => {
    const result = await json('attacc-hbm3', program);
    expect(result).toMatchObject({ standard: 'AttAcc-HBM3', mode: 'concurrent', refresh: 'all-bank', clockNs: 0.769 });
    expect(result.commands).toMatchObject({ WRGB: 8, MACAB: 64, RD: 16, ACTAB: 2 });
    expect(result.channels).toHaveLength(2);
    expect(result.averageReadLatencyCycles).toBeGreaterThan(19);
    expect(result.energy.by.MACAB).toBeCloseTo(64 * 9338.88e-12, 15);
    expect(result.seconds).toBeCloseTo(result.cycles * 0.769e-9, 15);
  });

  it('runs a trace of AttAcc’s simulator', async () => {
    const result = await json('attacc-hbm3-ramulator', trace, '--refresh', 'none');
    // The opening waits for nothing; the buffer is filled meanwhile, and the second multiplication follows in six cycles.
    expect(result).toMatchObject({ refresh: 'none', cycles: 1 + 19 + 6 });
    expect(result.commands).toMatchObject({ WRGB: 1, ACTAB: 1, MACAB: 2 });
  });

  it('runs a trace of AiM’s simulator, in its order, on the channels of its masks', async () => {
    const lines = ['W CFR 2 1', 'AiM WR_GB 4 0 0xe0000000', 'AiM MAC_ABK 64 0xe0000000 0', 'AiM RD_MAC 4 0x80000000'];
    const aim = scratch.write('aim.trace', [...lines, 'AiM EOC', ''].join('\n'));
    const result = await json('aim-gddr6', aim, '--refresh', 'none');
    expect(result.channels).toHaveLength(3);
    expect(result.commands).toMatchObject({ WRGB: 12, ACT16: 3, MAC16: 192, RDMAC16: 1, TMOD: 7 });
    // Channel 0 changes its mode for the buffer, back for the row, and once more for the sums.
    expect(result.channels[0].commands).toMatchObject({ TMOD: 3, RDMAC16: 1 });
    const rows = scratch.write('rows.trace', 'AiM MAC_ABK 64 0xffffffff 0\nAiM MAC_ABK 64 0xffffffff 1\nAiM EOC\n');
    const two = await json('aim-gddr6', rows, '--refresh', 'none');
    expect(two.channels).toHaveLength(32);
    // Its tool counts 231,383 cycles for 1,024 rows, 226 for each after the first.
    expect(two.cycles).toBe(231383 - 1022 * 226);
  });

  it('takes channels and a mode', async () => {
    const blocked = await json('attacc-hbm3', program, '--mode', 'blocked', '--channels', '4');
    expect(blocked.mode).toBe('blocked');
    expect(blocked.channels).toHaveLength(4);
    expect(blocked.waits.pim.turn + blocked.waits.ordinary.turn).toBeGreaterThan(0);
  });

  it('prints a summary, writes a page and the commands', async () => {
    const [html, commands] = [scratch.path('two.html'), scratch.path('two.csv')];
    const { code, stdout } = await clockwright(
      'replay',
      'attacc-hbm3',
      program,
      '--html',
      html,
      '--commands',
      commands,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^two\.pim on AttAcc-HBM3\//);
    expect(stdout).toContain(`report     ${html}`);
    expect(scratch.read('two.html')).toContain('<title>two.pim on AttAcc-HBM3</title>');
    const lines = scratch.read('two.csv').trimEnd().split('\n');
    expect(lines[0]).toBe('clock,command,Channel,PseudoChannel,Sid,BankGroup,Bank,Row,Column');
    expect(lines.filter((line) => line.includes(',MACAB,'))).toHaveLength(64);
  });
});

describe('what is wrong with a replay of PIM commands', () => {
  const wrong = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await clockwright('replay', ...args);
    expect([code, stdout]).toEqual([2, '']);
    return scratch.relative(stderr);
  };

  it('is told with its place', async () => {
    const broken = scratch.write('broken.pim', 'MACAB 4\nMACSBB 2\n');
    expect(await wrong('attacc-hbm3', broken)).toContain(
      'broken.pim:2:1  AttAcc-HBM3 has no command "MACSBB"\n   2 | MACSBB 2\n     | ^^^^^^ did you mean "MACSB"?',
    );
    expect(await wrong('hbm3', trace)).toContain('one.trace:1:1  HBM3 has no command "WRGB"');
    const aim = scratch.write('aim-wrong.trace', 'W MEM 0 0 0\nAiM MAC_ABK 1 1 0\nAiM EOC\n');
    expect(await wrong('hbm3', aim)).toContain('aim-wrong.trace:2:5  HBM3 has no command "MAC16"');
    const far = scratch.write('far.trace', 'PIM_MAC_AB 0x0 \nPIM_MAC_AB 0q\n');
    expect(await wrong('attacc-hbm3', far)).toContain('far.trace:2:12  "0q" is no address');
  });

  it.each([
    [['--channels', '1'], 'the program sends commands to channel 1; there are 1, counted from 0'],
    [['--gap', '4'], '--gap goes with requests, and this is a PIM program'],
    [['--mode', 'both'], 'Allowed choices are concurrent, blocked'],
    [['--refresh', 'none', '--json', '-', '--html', '-'], '--html -: --json goes there already'],
  ])('%j', async (options, message) => {
    expect(await wrong('attacc-hbm3', program, ...options)).toContain(message);
  });

  it('a dialect whose rows are opened by other commands says so', async () => {
    const rows = scratch.write('rows.pim', 'COMP 4 over column 4\n');
    expect(await wrong('newton-hbm2', rows)).toContain('by themselves, the rows that COMP needs');
  });

  it('options of PIM programs do not go with requests', async () => {
    const requests = scratch.write('requests.txt', 'R 0\n');
    const message = await wrong('attacc-hbm3', requests, '--mode', 'blocked', '--html', scratch.path('no.html'));
    expect(message).toContain('--mode goes with PIM programs, and this is none');
    expect(message).toContain('--html goes with PIM programs, and this is none');
  });
});
