import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { runPim } from '../../models/memory/pim/run.ts';
import { readAimTrace } from '../../workloads/import/pim/aim-trace.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import { aimChannelsOf } from '../../workloads/pim/aim.ts';
import { dialect } from '../models/memory/pim/runs.ts';

const folder = mkdtempSync(join(tmpdir(), 'clockwright-aim-'));
afterAll(() => rmSync(folder, { recursive: true }));
const device = dialect('aim-gddr6');

function traced(...lines: readonly string[]): PimProgram {
  const file = join(folder, 'a.trace');
  writeFileSync(file, lines.join('\n'));
  return readAimTrace(file);
}

const cycles = (...lines: readonly string[]) =>
  runPim(device, traced(...lines), { channels: 32, scheduler: 'in-order', refresh: 'none' }).cycles;

const every = '0xffffffff';
const times = (count: number, line: (n: number) => readonly string[]) =>
  Array.from({ length: count }, (_, n) => line(n)).flat();

describe('traces take the cycles that the tool counts:', () => {
  it.each<[string, number, readonly string[]]>([
    ['multiplications of 1,024 rows', 231383, times(1024, (n) => [`AiM MAC_ABK 64 ${every} ${n}`])],
    ['reads of sums', 3106, times(1024, () => [`AiM RD_MAC 8 ${every}`])],
    ['writes of sums, in CSV', 2083, times(1024, () => [`,AiM,ISR_WR_BIAS,4,${every}`])],
    ['writes to all banks of a channel', 103393, times(1024, (n) => [`AiM WR_ABK 4 0x80000000 ${n}`])],
    [
      'layers with an activation',
      424960,
      times(1024, () => [
        `AiM WR_BIAS 4 ${every}`,
        `AiM MAC_ABK 64 ${every} 0`,
        `AiM AF ${every}`,
        `AiM RD_AF 4 ${every}`,
      ]),
    ],
    [
      'products of two rows',
      576482,
      times(1024, () => [
        `AiM WR_BIAS 4 ${every}`,
        `AiM MAC_ABK 64 ${every} 0`,
        `AiM RD_MAC 4 ${every}`,
        `AiM MAC_ABK 64 ${every} 1`,
      ]),
    ],
  ])('%s', (_, expected, lines) => expect(cycles(...lines, 'AiM EOC')).toBe(expected));
});

it('every instruction sends its command', () => {
  const program = traced(
    '# all of them',
    'W GPR 0',
    'W CFR 2 1',
    'W MEM 3 2 8',
    'R MEM 3 2 8',
    'AiM WR_SBK 0 1 5 0',
    'AiM RD_SBK 0 0x80000001 5 0',
    'AiM WR_ABK 4 1 5',
    `AiM WR_GB 64 0 ${every}`,
    `AiM WR_BIAS 4 ${every}`,
    'AiM SYNC',
    `AiM MAC_SBK 2 ${every} 3 1`,
    `AiM MAC_ABK 3 ${every} 1`,
    `AiM AF ${every}`,
    `AiM RD_MAC 4 ${every}`,
    `AiM RD_AF 4 ${every}`,
    `AiM EWMUL 4 ${every} 1`,
    'AiM EWADD 4 8 12',
    `AiM COPY_BKGB 5 ${every} 0 0`,
    `AiM COPY_GBBK 6 ${every} 0 0`,
    'AiM EOC',
  );
  const { commands } = runPim(device, program, { channels: 32, scheduler: 'in-order' });
  const per = Object.fromEntries(Object.entries(commands).map(([name, count]) => [name, count / 32]));
  expect(per).toMatchObject({ WRGB: 64, WRMAC16: 1, MAC: 2, MAC16: 3, AF16: 1, RDMAC16: 1, RDAF16: 1, EWMUL16: 4 });
  expect(per).toMatchObject({ RDCP: 5, WRCP: 6 });
  expect([commands.WR, commands.RD, commands.WRA16]).toEqual([2, 3, 1]);
});

it('the lowest bit of a mask is the last channel', () => {
  expect(aimChannelsOf(1)).toEqual([31]);
  expect(aimChannelsOf(0x80000003)).toEqual([0, 30, 31]);
});

describe('a wrong line is shown with its place:', () => {
  it.each([
    ['AiM MAC_BAK 1 1 0', '1:5  there is no instruction "MAC_BAK"'],
    ['AiM WR_AFLUT 1', '1:5  there is no instruction "WR_AFLUT"'],
    ['AiM MAC_ABK 64 1', '1:5  MAC_ABK takes 3 numbers, not 2'],
    ['AiM MAC_ABK 65 1 0', '1:13  "65" is no columns'],
    ['AiM MAC_ABK 64 0 0', '1:16  "0" is no channel mask'],
    ['AiM MAC_SBK 64 1 16 0', '1:18  "16" is no bank'],
    ['AiM MAC_ABK 64 1 x', '1:18  "x" is no row'],
    ['AIM SYNC', '1:1  "AIM" is neither'],
    ['W MEM 32 0 0', '1:7  "32" is no channel'],
    ['W REG 0', '1:3  there is no "REG"'],
    ['W CFR 2 8', '1:9  "8" is no table'],
    ['AiM SYNC 1', '1:5  SYNC takes 0 numbers'],
    ['AiM EOC\nAiM SYNC', '2:1  nothing is run behind EOC'],
  ])('%s', (lines, message) => {
    const read = () => traced(lines, ...(lines.includes('EOC') ? [] : ['AiM EOC']));
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  it('a trace without an end', () => expect(() => traced('AiM SYNC')).toThrow(/has no EOC/));
});
