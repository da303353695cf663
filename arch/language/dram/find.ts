/** DRAM standards as people name them. */
import { existsSync, statSync } from 'node:fs';
import { type Diagnostic, InputError, suggest } from '../diagnostics.ts';
import { standardFile } from './extend.ts';
import { loadStandard } from './load.ts';
import type { DramStandard } from './standard.ts';

/** A standard, and what its name says of the device; undefined where it leaves that open. */
interface FoundStandard {
  readonly standard: DramStandard;
  readonly organisation: string | undefined;
  readonly speed: string | undefined;
}

/**
 * The standard of a name: a file, one of the library (`ddr4`, `dram/ddr4`), or a preset of Ramulator's,
 * `DDR4/DDR4_8Gb_x8/DDR4_2400R` or less of it, which means that program's own tables where the library's differ.
 * @throws InputError when there is none, or with the mistakes in its file.
 */
export function findStandard(name: string): FoundStandard {
  if (existsSync(name) && statSync(name).isFile()) return whole(loadStandard(name));
  const [family, ...choices] = name.split('/');
  if (/^[A-Z]+\d/.test(family) && choices.length <= 2) return preset(family.toLowerCase(), choices, name);
  const found = standardFile(name);
  if ('hint' in found) throw new InputError(unknown(name, found.hint));
  return whole(loadStandard(found.file));
}

function whole(standard: DramStandard): FoundStandard {
  return { standard, organisation: undefined, speed: undefined };
}

function preset(family: string, choices: readonly string[], name: string): FoundStandard {
  const [own, usual] = [standardFile(`${family}-ramulator`), standardFile(family)];
  const found = 'file' in own ? own : usual;
  if ('hint' in found) throw new InputError(unknown(name, found.hint));
  const standard = loadStandard(found.file);
  const chosen: { organisation?: string; speed?: string } = {};
  for (const choice of choices) {
    const kind = standard.organisations.has(choice)
      ? 'organisation'
      : standard.speeds.has(choice)
        ? 'speed'
        : undefined;
    if (kind === undefined || chosen[kind] !== undefined) {
      const names = [...standard.organisations.keys(), ...standard.speeds.keys()];
      const message = `${standard.name} has no ${chosen.organisation === undefined ? 'organisation' : 'speed'} "${choice}"`;
      throw new InputError({ message, hint: suggest(choice, names) });
    }
    chosen[kind] = choice;
  }
  return { standard, organisation: chosen.organisation, speed: chosen.speed };
}

function unknown(name: string, hint: string): Diagnostic {
  return { message: `there is no DRAM standard "${name}"`, hint };
}
