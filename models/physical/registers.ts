import type { Registers } from '../../arch/language/arch.ts';
import type { RegisterRow, Technology } from '../../arch/language/technology.ts';
import { bitsOf } from '../../arch/language/units.ts';
import { bracket, nearestTo, onLine } from './interpolate.ts';

/** One register file: joules per word, mm2. */
export interface RegisterFile {
  readonly read: number;
  readonly write: number;
  readonly area: number;
  /** How the table's rows were stretched to it; null where one fits. */
  readonly note: string | null;
}

const words = (row: RegisterRow): number => row.words;

/**
 * The registers of one PE or lane of an engine: the row of as many words, else a straight line over words through the
 * two nearest rows, beyond the table too. Rows of the nearest word width are used, and scaled linearly in it.
 * Null when the technology knows no registers.
 */
export function registerFile(technology: Technology, path: string, registers: Registers): RegisterFile | null {
  if (technology.registers.isEmpty()) return null;
  const bits = bitsOf(registers.dtype);
  const nearest = nearestTo(
    bits,
    technology.registers.map((row) => row.bits),
  );
  const rows = bracket(
    technology.registers.filter((row) => row.bits === nearest),
    words,
    registers.words,
  );
  const [low, high] = rows;
  const scale = bits / nearest;
  const at = (quantity: (row: RegisterRow) => number): number => scale * onLine(rows, words, quantity, registers.words);
  const fits = low.words === registers.words && scale === 1;
  const origin = low === high ? `${low.words}` : `the line through ${low.words} and ${high.words}`;
  return {
    read: at((row) => row.read),
    write: at((row) => row.write),
    area: at((row) => row.area),
    note: fits
      ? null
      : `${path}: ${technology.name} has no registers of ${registers.words} x ${bits} bits; ` +
        `taken from ${origin} x ${nearest} bits${scale === 1 ? '' : ', scaled linearly in bits'}`,
  };
}
