/** INI files as Python's configparser reads them, with the place of every section, key and value. */
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { type Field, type Line, linesOf } from './lines.ts';

export interface IniEntry {
  /** As written; keys are the same in upper and lower case. */
  readonly key: Field;
  readonly value: Field;
}

export interface IniSection {
  readonly name: Field;
  /** By key in lower case. */
  readonly entries: ReadonlyMap<string, IniEntry>;
}

/**
 * Sections by name. Keys end at the first `=` or `:`; lines that begin with `#` or `;` are comments, the rest of a line is
 * not. Values on several lines are no part of any SCALE-Sim file, so that an indented line is a mistake.
 * @throws InputError with all mistakes of the format
 */
export function readIni(text: string, file: string): ReadonlyMap<string, IniSection> {
  const reader = new IniReader();
  for (const line of linesOf(text, file)) if (!line.isBlank && !/^\s*[#;]/.test(line.text)) reader.read(line);
  if (reader.mistakes.length > 0) throw new InputError(reader.mistakes);
  return reader.sections;
}

class IniReader {
  readonly sections = new Map<string, IniSection & { readonly entries: Map<string, IniEntry> }>();
  readonly mistakes: Diagnostic[] = [];
  #entries: Map<string, IniEntry> | null = null;
  #previous: { readonly key: string; readonly indent: number } | null = null;

  read(line: Line): void {
    if (this.#previous !== null && line.indent > this.#previous.indent) this.#continued(line, this.#previous.key);
    else if (line.text.trimStart().startsWith('[')) this.#section(line);
    else this.#entry(line);
  }

  #continued(line: Line, key: string): void {
    const message = `this line is indented, which makes it part of the value of ${key}`;
    this.mistakes.push({ message, place: line.whole(), hint: `begin it under ${key}` });
  }

  #section(line: Line): void {
    const close = line.text.indexOf(']');
    const from = line.indent + 1;
    const name = line.field(from, close < 0 ? line.text.length : close);
    if (close < 0 || name.text === '') {
      const message = close < 0 ? 'the name of a section ends with "]"' : 'a section has no name';
      this.mistakes.push({ message, place: line.whole(), hint: `write "[${name.text || 'general'}]"` });
    }
    const first = this.sections.get(name.text);
    if (first) {
      const hint = `the first is in line ${first.name.place.line}; put the keys of both under it`;
      this.mistakes.push({ message: `a second section [${name.text}]`, place: name.place, hint });
    }
    this.#entries = first?.entries ?? new Map();
    this.#previous = null;
    if (!first) this.sections.set(name.text, { name, entries: this.#entries });
  }

  #entry(line: Line): void {
    const delimiter = line.text.search(/[=:]/);
    if (delimiter < 0) {
      const hint = 'write a key, ":" and a value, such as "ArrayHeight: 32"';
      this.mistakes.push({ message: 'this line has no ":" or "="', place: line.whole(), hint });
      return;
    }
    const key = line.field(0, delimiter);
    const value = line.field(delimiter + 1, line.text.length);
    this.#previous = { key: key.text, indent: line.indent };
    if (this.#entries === null) {
      const hint = 'write a line such as "[general]" above it';
      this.mistakes.push({ message: `"${key.text}" is in no section`, place: key.place, hint });
      this.#entries = new Map();
    }
    this.#put(this.#entries, { key, value });
  }

  #put(entries: Map<string, IniEntry>, entry: IniEntry): void {
    const name = entry.key.text.toLowerCase();
    const first = entries.get(name);
    if (first) {
      const hint = `the first is in line ${first.key.place.line}; remove one of them`;
      this.mistakes.push({ message: `"${entry.key.text}" is written twice`, place: entry.key.place, hint });
    } else entries.set(name, entry);
  }
}
