import type { Arch, Engine } from '../../arch/language/arch.ts';
import type { Technology } from '../../arch/language/technology.ts';
import { bitsOf } from '../../arch/language/units.ts';

/**
 * What rows of units are multiplied by, energy and area alike: the bits of the engine's words over those that the rows
 * were measured for. An engine's words are those of its registers; one that names none has the table's.
 */
export function wordScale(technology: Technology, engine: Engine): number {
  return engine.registers ? bitsOf(engine.registers.dtype) / technology.word : 1;
}

export function wordScaleNote(technology: Technology, path: string, engine: Engine): string {
  const { word, name } = technology;
  return `${path}: units of ${name} are of ${word} bits; scaled linearly to the ${engine.registers?.dtype} of its registers`;
}

/** What is missing for a part, what that means, and what to do. */
export function missingNote(path: string, technology: Technology, what: string, quantity: 'energy' | 'area'): string {
  const zero = quantity === 'energy' ? '0 J' : '0 mm²';
  return `${path}: ${technology.name} gives no ${quantity} of ${what}, counted as ${zero}; add rows to the technology's file`;
}

export function noTechnologyNote(arch: Arch): string {
  return `${arch.name} names no technology, so it has no energy and no area; add one, such as "technology: aladdin-45nm"`;
}
