/** PIM traces and programs, and how they are told from traces of memory requests: by their first word. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { readAttAccTrace } from './attacc-trace.ts';
import { type PimPrograms, readPimProgram } from './program-text.ts';
import { headOf } from './text.ts';

interface Format {
  readonly name: string;
  /** Whether a file that begins with a word is of it. */
  readonly begins: (word: string, device: DramDevice) => boolean;
  readonly read: (file: string, device: DramDevice) => PimPrograms;
}

const formats: readonly Format[] = [
  {
    name: "AttAcc's trace",
    begins: (word) => word.startsWith('PIM_'),
    read: (file, device) => ({ program: readAttAccTrace(file, device), accesses: [] }),
  },
  {
    name: 'PIM program',
    begins: (word, { commands }) =>
      commands.some(({ pim }) => pim !== undefined) && word !== '' && !/^(R|W|LD|ST|\d\w*)$/.test(word),
    read: readPimProgram,
  },
];

/**
 * How a file of PIM commands for a device is read; null when it is none, or a pipe, which is not looked into.
 * @throws InputError when it cannot be read
 */
export function pimFormatOf(file: string, device: DramDevice): Format | null {
  const first = /^\s*(?:#[^\n]*\n\s*)*(\w+)/.exec(headOf(file))?.[1] ?? '';
  return formats.find(({ begins }) => begins(first, device)) ?? null;
}
