/** What a Result says of the machine that it is of. */
import type { Arch } from '../arch/language/arch.ts';
import type { Result } from './result.ts';

/** `overrides`: the `--set` options that made the arch. */
export function describedArch(arch: Arch, overrides: readonly string[]): Result['arch'] {
  const { name, about, source, clocks } = arch;
  return { name, about, source, clocks: clocks.toObject(), overrides: [...overrides] };
}
