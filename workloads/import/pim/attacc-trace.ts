/** Traces of AttAcc's simulator: `PIM_MAC_AB 0x00000000`, a request and a byte address on a line. */
import { suggest } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram, PimStep } from '../../language/pim-program.ts';
import { type Mistake, stepsOf } from './text.ts';

/** Commands of `attacc-hbm3` by the trace's word; empty for a barrier. */
const requests: ReadonlyMap<string, string> = new Map([
  ['PIM_MAC_AB', 'MACAB'],
  ['PIM_MAC_SB', 'MACSB'],
  ['PIM_MAC_PB', 'MACPB'],
  ['PIM_WR_GB', 'WRGB'],
  ['PIM_MV_SB', 'MVSB'],
  ['PIM_MV_GB', 'MVGB'],
  ['PIM_SFM', 'SFM'],
  ['PIM_BARRIER', ''],
]);

/** Fields of an address, from the lowest bits up, above the 5 bits of a byte in a column. */
const fields = [
  ['column', 5],
  ['row', 14],
  ['bank', 2],
  ['bankGroup', 2],
  ['stackId', 1],
  ['pseudoChannel', 1],
  ['channel', 4],
] as const;

/**
 * The program of a trace for HBM3_8Gb_2R with 16 channels. Blank lines are skipped.
 * @throws InputError when the file cannot be read, or with its wrong lines; and with those that ask a `device` for what it
 * does not have, where one is given
 */
export function readAttAccTrace(file: string, device?: DramDevice): PimProgram {
  return stepsOf(file, (line) => (line.trim() === '' ? null : stepOf(line, device)));
}

function stepOf(line: string, device: DramDevice | undefined): PimStep | Mistake {
  const [word = '', address = ''] = line.trim().split(/\s+/);
  const command = requests.get(word);
  if (command === undefined) {
    return { at: word, message: `there is no request "${word}"`, hint: suggest(word, requests.keys()) };
  }
  if (!/^(0x[\da-f]+|\d+)$/i.test(address)) {
    return { at: address || word, message: `"${address}" is no address`, hint: `such as "${word} 0x1f400"` };
  }
  if (device && command !== '' && !device.commands.some(({ name }) => name === command)) {
    const message = `${device.standard} has no command "${command}"`;
    return { at: word, message, hint: 'such traces are for attacc-hbm3' };
  }
  const at = fieldsOf(Number(address));
  const beyond = Object.entries(at).find(([field, value]) => device && value >= sizeOf(field, device));
  if (beyond)
    return {
      at: address,
      message: `${device?.name} has no ${beyond.join(' ')}`,
      hint: 'such traces are for attacc-hbm3',
    };
  if (command === '') return { kind: 'barrier', channels: 1, first: at.channel ?? 0 };
  return { kind: 'commands', command, order: [], at, count: 1 };
}

function fieldsOf(address: number): { [field: string]: number } {
  let rest = Math.floor(address / 32);
  return Object.fromEntries(
    fields.map(([name, bits]) => {
      const value = rest % 2 ** bits;
      rest = Math.floor(rest / 2 ** bits);
      return [name, value];
    }),
  );
}

/** How many of a field a device has; channels are as many as are asked for. */
function sizeOf(field: string, { levels, counts, rows, bursts }: DramDevice): number {
  const level = levels.indexOf(field);
  if (level >= 0) return level === 0 ? Number.POSITIVE_INFINITY : counts[level]!;
  return { row: rows, column: bursts }[field] ?? 0;
}
