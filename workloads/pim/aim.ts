/**
 * Instructions that a host gives AiM's DMA, by the names of arkhadem/aim_simulator (commit 0f28a07), as steps of a program for
 * `aim-gddr6`. Each is decoded in a cycle of its own and goes to all channels of a mask at once.
 */
import { commands, type PimCommands, type PimInstruction, type PimSync } from '../language/pim-program.ts';

export const aimChannels = 32;
const rows = 16384;
const banksOfGroup = 4;

/** What instructions name; `register` is the host's own, of which a channel knows nothing. */
export type AimField = 'columns' | 'register' | 'channels' | 'bank' | 'row';

interface AimInstruction {
  /** Command that it sends, one for each column; empty: it is the host's own affair. */
  readonly command: string;
  /** In the order of traces. */
  readonly fields: readonly AimField[];
  /** What counts up with the columns. */
  readonly counts?: 'column' | 'entry';
  readonly waits?: boolean;
}

/** All but SYNC and EOC. */
export const aimInstructions = {
  WR_SBK: { command: 'WR', fields: ['register', 'channels', 'bank', 'row'] },
  WR_ABK: { command: 'WRA16', fields: ['register', 'channels', 'row'] },
  WR_GB: { command: 'WRGB', fields: ['columns', 'register', 'channels'], counts: 'entry' },
  WR_BIAS: { command: 'WRMAC16', fields: ['register', 'channels'] },
  RD_MAC: { command: 'RDMAC16', fields: ['register', 'channels'], waits: true },
  RD_AF: { command: 'RDAF16', fields: ['register', 'channels'], waits: true },
  RD_SBK: { command: 'RD', fields: ['register', 'channels', 'bank', 'row'] },
  COPY_BKGB: { command: 'RDCP', fields: ['columns', 'channels', 'bank', 'row'], counts: 'column' },
  COPY_GBBK: { command: 'WRCP', fields: ['columns', 'channels', 'bank', 'row'], counts: 'column' },
  MAC_SBK: { command: 'MAC', fields: ['columns', 'channels', 'bank', 'row'], counts: 'column' },
  MAC_ABK: { command: 'MAC16', fields: ['columns', 'channels', 'row'], counts: 'column' },
  AF: { command: 'AF16', fields: ['channels'] },
  EWMUL: { command: 'EWMUL16', fields: ['columns', 'channels', 'row'], counts: 'column' },
  EWADD: { command: '', fields: ['columns', 'register', 'register'] },
} as const satisfies { readonly [opcode: string]: AimInstruction };

export type AimOpcode = keyof typeof aimInstructions;

export interface AimOperands {
  readonly columns?: number;
  readonly channels?: readonly number[];
  readonly bank?: number;
  readonly row?: number;
  /** Of AF: which table, 0 to 7; they lie in rows behind those of data. */
  readonly table?: number;
  /** In iteration n of the innermost repeat around, row `row + n`. */
  readonly nextRow?: boolean;
}

/** An instruction; without channels it is for all of them. */
export function aim(opcode: AimOpcode, operands: AimOperands = {}): PimInstruction {
  const instruction: AimInstruction = aimInstructions[opcode];
  const { columns = 1, bank = 0, row = 0, table = 0, nextRow = false } = operands;
  const { channels = aimEveryChannel } = operands;
  const { command, counts, waits = false } = instruction;
  if (command === '') return { kind: 'instruction', channels: [], steps: [] };
  const count = counts === undefined ? 1 : columns;
  const order: PimCommands['order'] = [
    ...(counts ? [[counts, count] as const] : []),
    ...(nextRow ? [['row', rows] as const] : []),
  ];
  const place = {
    ...(instruction.fields.includes('bank') && {
      bankGroup: Math.floor(bank / banksOfGroup),
      bank: bank % banksOfGroup,
    }),
    ...(instruction.fields.includes('row') && { row }),
    ...(opcode === 'AF' && { row: rows + table }),
  };
  const steps = [commands(command, order, { at: place, count, ...(nextRow && { step: count }) })];
  return { kind: 'instruction', channels, steps, waits };
}

/** SYNC, and EOC, which ends a program. */
export const aimSync: PimSync = { kind: 'sync' };

/** What the host decodes without a word to the channels: writes of its own registers. */
export const aimHostOnly: PimInstruction = { kind: 'instruction', channels: [], steps: [] };

export const aimEveryChannel: readonly number[] = Array.from({ length: aimChannels }, (_, channel) => channel);

/** Channels of a mask; its lowest bit is the last channel. */
export function aimChannelsOf(mask: number): number[] {
  return aimEveryChannel.filter((channel) => Math.floor(mask / 2 ** (aimChannels - 1 - channel)) % 2 === 1);
}
