/**
 * Traces of AiM's simulator: `AiM MAC_ABK 64 0xffffffff 5`, `W CFR 2 1`, `R MEM 3 0 8`, words apart by blanks or commas, `#`
 * before a comment. The last instruction is EOC.
 */
import { InputError, suggest } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimProgram, PimStep } from '../../language/pim-program.ts';
import {
  type AimField,
  type AimOpcode,
  aim,
  aimChannels,
  aimChannelsOf,
  aimHostOnly,
  aimInstructions,
  aimSync,
} from '../../pim/aim.ts';
import { type Mistake, stepsOf } from './text.ts';

/** Names of fields in messages, what they may be at most, and at least. */
const limits: { readonly [F in AimField]: readonly [name: string, least: number, most: number] } = {
  columns: ['columns', 1, 64],
  register: ['register', 0, Number.MAX_SAFE_INTEGER],
  channels: ['channel mask', 1, 2 ** aimChannels - 1],
  bank: ['bank', 0, 15],
  row: ['row', 0, 16383],
};

/** Configuration registers: 0 whether to multiply by the next bank, 1 the bank groups of EWMUL, 2 the table of AF. */
const tables = [0, 7] as const;

/**
 * The program of a trace, for `aim-gddr6` with 32 channels in order.
 * @throws InputError when the file cannot be read, with its wrong lines, or when it has no EOC or goes on behind it; and with
 * lines that ask a `device` for commands that it does not have, where one is given
 */
export function readAimTrace(file: string, device?: DramDevice): PimProgram {
  const reader = new Reader(device);
  const program = stepsOf(file, (line) => reader.stepOf(line));
  if (reader.hasEnded) return program;
  throw new InputError({ message: `${file} has no EOC`, hint: 'end it with "AiM EOC"' });
}

class Reader {
  hasEnded = false;
  readonly #device: DramDevice | undefined;
  #table = 0;

  constructor(device: DramDevice | undefined) {
    this.#device = device;
  }

  stepOf(line: string): PimStep | Mistake | null {
    const words = line.split(/[\s,]+/).filter((word) => word !== '');
    const [kind = '#', what = '', ...values] = words;
    if (kind.startsWith('#')) return null;
    if (this.hasEnded) return { at: kind, message: 'nothing is run behind EOC', hint: 'remove it' };
    if (kind === 'AiM') return this.#instruction(what, values, kind);
    if (kind === 'R' || kind === 'W') return this.#access(kind, what, values);
    return { at: kind, message: `"${kind}" is neither an instruction nor an access`, hint: 'AiM, R or W' };
  }

  #instruction(word: string, values: readonly string[], kind: string): PimStep | Mistake {
    const opcode = word.replace(/^ISR_/, '');
    if (opcode === 'SYNC' || opcode === 'EOC') {
      this.hasEnded = opcode === 'EOC';
      return wrongCount(opcode, [], values, word) ?? aimSync;
    }
    if (!isOpcode(opcode)) {
      const hint = opcode === 'WR_AFLUT' ? 'its own tool does not run it either' : suggest(opcode, names);
      return { at: word || kind, message: `there is no instruction "${word}"`, hint };
    }
    const { fields } = aimInstructions[opcode];
    const wrong = wrongCount(opcode, fields, values, word) ?? wrongValue(fields, values) ?? this.#unknown(opcode, word);
    if (wrong) return wrong;
    const numbers = Object.fromEntries(fields.map((field, i) => [field, Number(values[i])]));
    const { channels = 0, columns, bank, row } = numbers;
    return aim(opcode, {
      channels: aimChannelsOf(channels),
      table: this.#table,
      ...(columns !== undefined && { columns }),
      ...(bank !== undefined && { bank }),
      ...(row !== undefined && { row }),
    });
  }

  #access(kind: 'R' | 'W', region: string, values: readonly string[]): PimStep | Mistake {
    if (region === 'GPR')
      return wrongCount(`${kind} GPR`, ['register'], values, region) ?? wrongValue(['register'], values) ?? aimHostOnly;
    if (region === 'CFR') {
      const wrong =
        wrongCount(`${kind} CFR`, ['register', 'register'], values, region) ?? this.#configure(kind, values);
      return wrong ?? aimHostOnly;
    }
    if (region !== 'MEM') {
      return {
        at: region || kind,
        message: `there is no "${region}" to access`,
        hint: suggest(region, ['MEM', 'GPR', 'CFR']),
      };
    }
    const [channel = '', ...place] = values;
    const opcode = kind === 'W' ? 'WR_SBK' : 'RD_SBK';
    const wrong =
      wrongCount(`${kind} MEM`, ['channels', 'bank', 'row'], values, region) ??
      wrongValue(['bank', 'row'], place) ??
      this.#unknown(opcode, region);
    if (wrong) return wrong;
    if (!isWithin(channel, 0, aimChannels - 1)) return outOf(channel, 'channel', 0, aimChannels - 1);
    const [bank, row] = place.map(Number);
    return aim(opcode, { channels: [Number(channel)], bank: bank ?? 0, row: row ?? 0 });
  }

  /** That the device does not have what an instruction sends. */
  #unknown(opcode: AimOpcode, at: string): Mistake | undefined {
    const { command } = aimInstructions[opcode];
    if (!this.#device || command === '' || this.#device.commands.some(({ name }) => name === command)) return undefined;
    const message = `${this.#device.standard} has no command "${command}"`;
    return { at, message, hint: 'such traces are for aim-gddr6' };
  }

  #configure(kind: 'R' | 'W', [register = '', value = '']: readonly string[]): Mistake | undefined {
    if (!isWithin(register, 0, 2)) return outOf(register, 'configuration register', 0, 2);
    if (!isWithin(value, 0, 65535)) return outOf(value, 'value', 0, 65535);
    if (kind === 'R' || Number(register) !== 2) return undefined;
    if (!isWithin(value, ...tables)) return outOf(value, 'table', ...tables);
    this.#table = Number(value);
    return undefined;
  }
}

const names = Object.keys(aimInstructions).filter(isOpcode);

function isOpcode(name: string): name is AimOpcode {
  return Object.hasOwn(aimInstructions, name);
}

function wrongCount(
  name: string,
  fields: readonly AimField[],
  values: readonly string[],
  at: string,
): Mistake | undefined {
  if (fields.length === values.length) return undefined;
  const needed = fields.map((field) => limits[field][0]).join(', ') || 'nothing';
  return { at, message: `${name} takes ${fields.length} numbers, not ${values.length}`, hint: `they are: ${needed}` };
}

function wrongValue(fields: readonly AimField[], values: readonly string[]): Mistake | undefined {
  for (const [i, field] of fields.entries()) {
    const value = values[i] ?? '';
    if (!isWithin(value, limits[field][1], limits[field][2])) return outOf(value, ...limits[field]);
  }
  return undefined;
}

function isWithin(value: string, least: number, most: number): boolean {
  return /^(0x[\da-f]+|\d+)$/i.test(value) && Number(value) >= least && Number(value) <= most;
}

function outOf(at: string, name: string, least: number, most: number): Mistake {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  return {
    at,
    message: `"${at}" is no ${name}`,
    hint: `a number ${range}, such as ${least} or 0x${least.toString(16)}`,
  };
}
