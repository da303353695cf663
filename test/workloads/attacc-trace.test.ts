import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { barrierCommand, ProgramCursor } from '../../models/memory/pim/cursor.ts';
import { runPim } from '../../models/memory/pim/run.ts';
import { readAttAccTrace } from '../../workloads/import/pim/attacc-trace.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import { attaccAttention } from '../../workloads/pim/attacc.ts';
import { dialect } from '../models/memory/pim/runs.ts';

const folder = mkdtempSync(join(tmpdir(), 'clockwright-attacc-'));
afterAll(() => rmSync(folder, { recursive: true }));
const device = dialect('attacc-hbm3-ramulator');

const words: { readonly [command: string]: string } = {
  MACAB: 'PIM_MAC_AB',
  MACSB: 'PIM_MAC_SB',
  MACPB: 'PIM_MAC_PB',
  WRGB: 'PIM_WR_GB',
  MVSB: 'PIM_MV_SB',
  MVGB: 'PIM_MV_GB',
  SFM: 'PIM_SFM',
};

/** A program in the words and byte addresses of AttAcc's tool. */
function traceOf(program: PimProgram): string {
  const cursor = new ProgramCursor(program, device);
  const lines: string[] = [];
  while (cursor.next()) {
    const { command, channel, bank, row, column } = cursor;
    const word = command === barrierCommand ? 'PIM_BARRIER' : words[device.commands[command]!.name]!;
    const place = command === barrierCommand ? 0 : (bank * 16384 + row) * 32 + column;
    lines.push(`${word} 0x${((channel * 64 * 16384 * 32 + place) * 32).toString(16).padStart(8, '0')}`);
  }
  return `${lines.join('\n')}\n`;
}

function file(text: string): string {
  const path = join(folder, 'a.trace');
  writeFileSync(path, text);
  return path;
}

it.each(['bank', 'bg', 'buffer'] as const)('a trace with units at the %s runs as its program does', (units) => {
  const program = attaccAttention({ units, heads: 17, length: 64, dhead: 64, dbyte: 2, sharesValues: true });
  const traced = readAttAccTrace(file(traceOf(program)));
  expect(runPim(device, traced, { channels: 16 })).toEqual(runPim(device, program, { channels: 16 }));
});

it('wrong lines are shown with their places', () => {
  const read = () => readAttAccTrace(file('PIM_MAC_AB 0x0\n\nPIM_MAC_AP 0x20\nPIM_SFM 12q\n'));
  expect(read).toThrow(InputError);
  expect(read).toThrow(/a\.trace:3:1 {2}there is no request "PIM_MAC_AP"/);
  expect(read).toThrow(/a\.trace:4:9 {2}"12q" is no address/);
});

it('a file that is not there is said to be so', () => {
  expect(() => readAttAccTrace(join(folder, 'none'))).toThrow(/cannot read/);
});

it.each([
  [[{ kind: 'commands', command: 'MACBA', order: [], count: 1 }], 'no command "MACBA"'],
  [[{ kind: 'commands', command: 'WRGB', order: [['bnak', 2]], count: 1 }], 'no field "bnak"'],
  [[{ kind: 'commands', command: 'WRGB', order: [['bank', 5]], count: 1 }], 'has 4 banks, not 5'],
  [[{ kind: 'commands', command: 'WRGB', order: [], at: { bank: 4 }, count: 1 }], 'no bank 4'],
  [[{ kind: 'commands', command: 'WRGB', order: [['channel', 2]], count: 2 }], 'to channel 1'],
] satisfies [PimProgram, string][])('a program that cannot run says why: %#', (program, message) => {
  expect(() => runPim(device, program as PimProgram)).toThrow(message);
});
