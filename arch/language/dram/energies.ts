/**
 * Energies of commands: `ACT: 828 pJ`, `COMP: 4 RD`, `MACAB: cell + 0.32 pJ/multiplication`. An entry that is no command's is
 * part of others; where it is per bit, those are the bits of the command that names it.
 */
import { type Diagnostic, suggest } from '../diagnostics.ts';
import type { Layers } from '../layers.ts';
import type { Path } from '../source.ts';
import { bitsOf, parseEnergy } from '../units.ts';
import { banksNamed, type DramCommand, type DramCommandEnergy, type DramDevice, needsRow } from './device.ts';
import type { CommandRow, DramStandard } from './standard.ts';
import { attempt, type Locate, type Words, Words as WordsOf } from './words.ts';

/** A summand: joules for each command, bit or multiplication, or so many times another entry. */
interface Term {
  readonly amount: number;
  readonly per: 'command' | 'bit' | 'multiplication' | 'entry';
  /** The entry; empty otherwise. */
  readonly entry: string;
  /** Where the entry, or the unit, stands. */
  readonly start: number;
  readonly end: number;
}

const units = ['fJ', 'pJ', 'nJ', 'uJ', 'mJ', 'J'];
const shares = ['bit', 'multiplication'] as const;

/** Whole text of an entry. @throws TextMistake */
function sumOf(words: Words): Term[] {
  const terms = [termOf(words)];
  while (words.takeIf('+')) terms.push(termOf(words));
  if (words.peek().kind !== 'end') words.fail('a "+"', 'such as "828 pJ", "4 RD" or "cell + 1 pJ/bit"');
  return terms;
}

function termOf(words: Words): Term {
  const number = words.peek().kind === 'number' ? words.take().text : undefined;
  const word = words.expect('name', number === undefined ? 'an energy' : 'a unit', 'such as "828 pJ" or "4 RD"');
  if (number === undefined || !units.includes(word.text)) {
    return { amount: Number(number ?? 1), per: 'entry', entry: word.text, start: word.start, end: word.end };
  }
  const amount = parseEnergy(`${number} ${word.text}`);
  if (!words.takeIf('/')) return { amount, per: 'command', entry: '', start: word.start, end: word.end };
  const per = shares.find((share) => words.takeIf(share)) ?? words.fail(shares.join(' or '));
  return { amount, per, entry: '', start: word.start, end: word.end };
}

/** What a command does that has bits, or multiplications, to give an energy for each. */
function counts({ banks, access, pim }: Pick<CommandRow, 'banks' | 'access' | 'pim'>, per: Term['per']): boolean {
  if (per === 'multiplication') return pim?.kind === 'multiplies';
  return per !== 'bit' || access !== 'none' || banks === 'opens' || (pim !== null && pim.kind !== 'applies');
}

/** Whether currents say something of a command. */
export function hasCurrents({
  banks,
  access,
  refreshes,
  pim,
}: Pick<CommandRow, 'banks' | 'access' | 'refreshes'> & { readonly pim?: unknown }): boolean {
  return !pim && (access !== 'none' || refreshes || banks === 'opens');
}

/** Adds what is wrong with the energies of a standard that stands at a path. */
export function checkEnergies(standard: DramStandard, layers: Layers, at: Path, mistakes: Diagnostic[]): void {
  const checker = new Checker(standard, layers, [...at, 'energies'], mistakes);
  // Each makes sense only where there was nothing to say before.
  for (const check of [checker.names, checker.circles, checker.units]) if (mistakes.length === 0) check();
}

class Checker {
  readonly #standard: DramStandard;
  readonly #layers: Layers;
  readonly #at: Path;
  readonly #mistakes: Diagnostic[];
  readonly #commands: ReadonlyMap<string, CommandRow>;
  readonly #entries = new Map<string, readonly Term[]>();

  constructor(standard: DramStandard, layers: Layers, at: Path, mistakes: Diagnostic[]) {
    this.#standard = standard;
    this.#layers = layers;
    this.#at = at;
    this.#mistakes = mistakes;
    this.#commands = new Map(standard.commands.map((row) => [row.name, row]));
    for (const [name, text] of standard.energies) {
      const locate: Locate = (offset, length) => layers.placeIn([...at, name], offset, length);
      const terms = attempt(text, locate, mistakes, sumOf);
      if (terms) this.#entries.set(name, terms);
    }
  }

  /** Every name means something, and every entry is a command's or part of one. */
  readonly names = (): void => {
    const used = new Set<string>();
    for (const [name, terms] of this.#entries) {
      for (const term of terms.filter(({ per }) => per === 'entry')) {
        used.add(term.entry);
        this.#checkName(name, term);
      }
    }
    for (const name of this.#entries.keys()) {
      if (this.#commands.has(name) || used.has(name)) continue;
      const place = this.#layers.placeOfKey([...this.#at, name]);
      const message = `"${name}" is no command, and no energy names it`;
      this.#mistakes.push({ message, place, hint: suggest(name, this.#commands.keys()) });
    }
  };

  #checkName(name: string, { entry, start, end }: Term): void {
    const { energies, currents } = this.#standard;
    const row = this.#commands.get(entry);
    if (energies.has(entry) || (row && currents.size > 0 && hasCurrents(row))) return;
    const place = this.#layers.placeIn([...this.#at, name], start, end - start);
    const known = new Set([...energies.keys(), ...this.#commands.keys()]);
    const message = row ? `${entry} has no energy` : `there is no command or energy "${entry}"`;
    const hint = row ? `give it one, such as "${entry}: 828 pJ"` : suggest(entry, known);
    this.#mistakes.push({ message, place, hint });
  }

  readonly circles = (): void => {
    for (const name of this.#entries.keys()) {
      const circle = circleFrom(name, this.#entries, []);
      if (circle !== null) this.#mistake(name, `${circle.join(' needs ')}: a circle`);
    }
  };

  /** What is per bit or multiplication belongs to a command that has some. */
  readonly units = (): void => {
    for (const [name, row] of this.#commands) {
      const terms = flat(this.#entries.get(name) ?? [], this.#entries, this.#commands);
      const unfit = terms.find(({ per }) => !counts(row, per));
      if (unfit === undefined) continue;
      const what = unfit.per === 'bit' ? 'moves no bits' : 'does not multiply';
      this.#mistake(name, `${name} ${what}, but its energy is per ${unfit.per}`);
    }
  };

  #mistake(name: string, message: string): void {
    this.#mistakes.push({ message, place: this.#layers.placeOf([...this.#at, name]) });
  }
}

/** The way from an entry back to itself; null where there is none. */
function circleFrom(
  name: string,
  entries: ReadonlyMap<string, readonly Term[]>,
  way: readonly string[],
): readonly string[] | null {
  if (way.includes(name)) return way[0] === name ? [...way, name] : null;
  for (const { entry } of entries.get(name) ?? []) {
    const circle = entry === '' ? null : circleFrom(entry, entries, [...way, name]);
    if (circle !== null) return circle;
  }
  return null;
}

/** The terms with those of the parts that they name in their place; commands stay. */
function flat(
  terms: readonly Term[],
  entries: ReadonlyMap<string, readonly Term[]>,
  commands: { readonly has: (name: string) => boolean },
): Term[] {
  return terms.flatMap((term) => {
    if (term.per !== 'entry' || commands.has(term.entry)) return [term];
    const parts = flat(entries.get(term.entry) ?? [], entries, commands);
    return parts.map((part) => ({ ...part, amount: part.amount * term.amount }));
  });
}

/** The energies of a device's commands, by index; null for those that the standard gives none. */
export function energiesOf(
  { energies, units }: DramStandard,
  device: Pick<DramDevice, 'commands' | 'counts' | 'bursts' | 'burstBytes'>,
): (DramCommandEnergy | null)[] {
  const entries = new Map([...energies].map(([name, text]) => [name, sumOf(new WordsOf(text))] as const));
  const indices = new Map(device.commands.map(({ name }, index) => [name, index]));
  const energyOf = (name: string): DramCommandEnergy => {
    const index = indices.get(name) ?? 0;
    const terms = entries.get(name);
    if (!terms) return { joules: 0, times: [[index, 1]] };
    const bits = bitsMoved(device, device.commands[index]!);
    const each = {
      command: 1,
      bit: bits,
      multiplication: units === null ? 0 : (bits / bitsOf(units.type)) * units.vectors,
    };
    const all = flat(terms, entries, indices).map(({ amount, per, entry }): DramCommandEnergy => {
      if (per !== 'entry') return { joules: amount * each[per], times: [] };
      const { joules, times } = energyOf(entry);
      return { joules: amount * joules, times: times.map(([command, factor]) => [command, amount * factor]) };
    });
    return {
      joules: all.reduce((sum, { joules }) => sum + joules, 0),
      times: all.flatMap(({ times }) => times),
    };
  };
  return device.commands.map(({ name }) => (entries.has(name) ? energyOf(name) : null));
}

/** A column of every bank that a command works on, or the rows that it opens. */
function bitsMoved(
  device: Pick<DramDevice, 'counts' | 'bursts' | 'burstBytes'>,
  command: Pick<DramCommand, 'banks' | 'level' | 'each' | 'access' | 'pim'>,
): number {
  const column = 8 * device.burstBytes;
  if (command.access !== 'none') return column;
  const banks = banksNamed(device, command);
  if (command.banks === 'opens') return banks * column * device.bursts;
  return needsRow(command) ? banks * column : column;
}
