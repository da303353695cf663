/** PIM traces and programs, and how they are told from traces of memory requests: by their first words. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { readAimTrace } from './aim-trace.ts';
import { readAttAccTrace } from './attacc-trace.ts';
import { type PimPrograms, readPimProgram } from './program-text.ts';
import { headOf } from './text.ts';

interface Format {
  readonly name: string;
  /** Whether a file that begins with two words is of it; the second one is empty where its line ends before. */
  readonly begins: (word: string, second: string, device: DramDevice) => boolean;
  /** Whether commands are sent in the order of the file, whatever else could be. */
  readonly isInOrder: boolean;
  readonly read: (file: string, device: DramDevice) => PimPrograms;
}

const formats: readonly Format[] = [
  {
    name: "AttAcc's trace",
    begins: (word) => word.startsWith('PIM_'),
    isInOrder: false,
    read: (file, device) => ({ program: readAttAccTrace(file, device), accesses: [] }),
  },
  {
    name: "AiM's trace",
    begins: (word, second) => word === 'AiM' || (/^[RW]$/.test(word) && /^(MEM|GPR|CFR)$/.test(second)),
    isInOrder: true,
    read: (file, device) => ({ program: readAimTrace(file, device), accesses: [] }),
  },
  {
    name: 'PIM program',
    begins: (word, _, { commands }) =>
      commands.some(({ pim }) => pim !== undefined) && word !== '' && !/^(R|W|LD|ST|\d\w*)$/.test(word),
    isInOrder: false,
    read: readPimProgram,
  },
];

/**
 * How a file of PIM commands for a device is read; null when it is none, or a pipe, which is not looked into.
 * @throws InputError when it cannot be read
 */
export function pimFormatOf(file: string, device: DramDevice): Format | null {
  const begin = /^[\s,]*(?:#[^\n]*\n[\s,]*)*(\w+)(?:[ \t,]+(\w+))?/.exec(headOf(file));
  const [, first = '', second = ''] = begin ?? [];
  return formats.find(({ begins }) => begins(first, second, device)) ?? null;
}
