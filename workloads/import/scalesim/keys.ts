/** The keys of a SCALE-Sim configuration: which there are, their values as numbers and words, what is wrong with them. */
import { type Diagnostic, InputError, nearest, type Place, suggest } from '../../../arch/language/diagnostics.ts';
import { type IniEntry, type IniSection, readIni } from './ini.ts';
import { linesOf, mostWords, wholeNumber } from './lines.ts';

interface Keys {
  /** With a value that would do. */
  readonly read: { readonly [key: string]: string };
  /** SCALE-Sim knows them, and they change nothing here. */
  readonly unused?: readonly string[];
}

const operandLayout = (operand: string): Keys['read'] => ({
  [`${operand}CustomLayout`]: 'False',
  [`${operand}SRAMBankBandwidth`]: '10',
  [`${operand}SRAMBankNum`]: '10',
  [`${operand}SRAMBankPort`]: '2',
});

const required = {
  general: { read: { run_name: 'my_run' } },
  architecture_presets: {
    read: {
      ArrayHeight: '32',
      ArrayWidth: '32',
      IfmapSramSzkB: '64',
      FilterSramSzkB: '64',
      OfmapSramSzkB: '64',
      Bandwidth: '10',
      Dataflow: 'os',
    },
    unused: ['IfmapOffset', 'FilterOffset', 'OfmapOffset', 'MemoryBanks', 'ReadRequestBuffer', 'WriteRequestBuffer'],
  },
  run_presets: {
    read: { InterfaceBandwidth: 'CALC', UseRamulatorTrace: 'False' },
    unused: ['SRAM_row_size', 'SRAM_bank_size', 'DRAM_row_size', 'DRAM_bank_size'],
  },
} satisfies { readonly [section: string]: Keys };

const optional = {
  sparsity: {
    read: { SparsitySupport: 'false', SparseRep: 'ellpack_block', OptimizedMapping: 'false' },
    unused: ['BlockSize', 'RandomNumberGeneratorSeed'],
  },
  layout: { read: { ...operandLayout('Ifmap'), ...operandLayout('Filter') } },
  network_presets: { read: { TopologyCsvLoc: '"layers.csv"' } },
} satisfies { readonly [section: string]: Keys };

type SectionName = keyof typeof required | keyof typeof optional;
const known: { readonly [section in SectionName]: Keys } = { ...required, ...optional };
const isKnown = (name: string): name is SectionName => Object.hasOwn(known, name);

export class ConfigKeys {
  readonly mistakes: Diagnostic[] = [];
  readonly #sections: ReadonlyMap<string, IniSection>;

  /** @throws InputError on a text that is not an INI file */
  constructor(text: string, file: string) {
    const start = linesOf(text, file)[0]!.whole();
    if (!/^\s*\[/m.test(text)) {
      const hint = 'the configuration (.cfg) comes first, then the topology (.csv)';
      throw new InputError({ message: 'this is no configuration: it has no [section]', place: start, hint });
    }
    this.#sections = readIni(text, file);
    this.#checkSections(start);
  }

  hasSection(section: keyof typeof optional): boolean {
    return this.#sections.has(section);
  }

  /** The empty text in place of a mistake. */
  text(section: SectionName, key: string): string {
    return this.#required(section, key)?.value.text ?? '';
  }

  optionalText(section: SectionName, key: string): string | null {
    return this.#find(section, key)?.value.text ?? null;
  }

  /** From 1 to `most`; 1 in place of a mistake. */
  whole(section: SectionName, key: string, most = mostWords): number {
    const value = this.#numbers(section, key, (text) => [text])[0]!;
    if (value <= most) return value;
    const limit = most.toLocaleString('en-US');
    const hint = `write a whole number from 1 to ${limit}, such as ${known[section].read[key]}`;
    const { place } = this.#find(section, key)!.value;
    this.mistakes.push({ message: `${key} is more than ${limit}`, place, hint });
    return 1;
  }

  /** Numbers from 1 between commas, at least one; 1 in place of a mistake. */
  wholes(section: SectionName, key: string): number[] {
    return this.#numbers(section, key, (text) => text.split(',').map((part) => part.trim()));
  }

  /** The first of the words in place of a mistake. */
  choice<T extends string>(section: SectionName, key: string, words: readonly [T, ...T[]]): T {
    const entry = this.#required(section, key);
    const word = words.find((one) => one === entry?.value.text);
    if (entry && word === undefined) {
      const { text, place } = entry.value;
      this.mistakes.push({ message: `${key} cannot be "${text}"`, place, hint: suggest(text, words) });
    }
    return word ?? words[0];
  }

  /** False in place of a mistake. */
  flag(section: SectionName, key: string): boolean {
    const entry = this.#required(section, key);
    return entry !== undefined && this.#isTrue(entry);
  }

  /** False when the key is missing. */
  optionalFlag(section: SectionName, key: string): boolean {
    const entry = this.#find(section, key);
    return entry !== undefined && this.#isTrue(entry);
  }

  /** What the file says that is no part of SCALE-Sim's configuration: a sentence for each section. */
  unreadNotes(): string[] {
    return [...this.#sections].flatMap(([name, section]) => {
      if (!isKnown(name)) return [`The section [${name}] is not read.`];
      const unread = this.#unknownKeys(name, section).map(({ key }) => key.text);
      if (unread.length === 0) return [];
      return [`In [${name}], ${unread.join(', ')} ${unread.length === 1 ? 'is' : 'are'} not read.`];
    });
  }

  /** A section that looks like a misspelt one is a mistake; any other is let through, for tools that add their own. */
  #checkSections(start: Place): void {
    const missing = new Set<string>(Object.keys(known).filter((name) => !this.#sections.has(name)));
    for (const [name, section] of this.#sections) {
      const meant = isKnown(name) ? undefined : nearest(name, missing);
      if (meant === undefined) continue;
      missing.delete(meant);
      const hint = `did you mean "${meant}"?`;
      this.mistakes.push({ message: `SCALE-Sim has no section [${name}]`, place: section.name.place, hint });
    }
    for (const [name, { read }] of Object.entries<Keys>(required)) {
      if (!missing.has(name)) continue;
      const [key, value] = Object.entries(read)[0]!;
      const hint = `write "[${name}]" and under it keys such as "${key}: ${value}"`;
      this.mistakes.push({ message: `there is no section [${name}]`, place: start, hint });
    }
  }

  #find(section: SectionName, key: string): IniEntry | undefined {
    return this.#sections.get(section)?.entries.get(key.toLowerCase());
  }

  /** Undefined, and a mistake, when the key is missing or empty; of a missing section only the section is told. */
  #required(name: SectionName, key: string): IniEntry | undefined {
    const section = this.#sections.get(name);
    if (!section) return undefined;
    const entry = this.#find(name, key);
    const example = `${key}: ${known[name].read[key]}`;
    if (entry && entry.value.text !== '') return entry;
    if (entry) {
      this.mistakes.push({ message: `${key} has no value`, place: entry.key.place, hint: `such as "${example}"` });
      return undefined;
    }
    const unknown = this.#unknownKeys(name, section);
    const misspelt = nearest(
      key,
      unknown.map((other) => other.key.text),
    );
    const place = unknown.find((other) => other.key.text === misspelt)?.key.place ?? section.name.place;
    const hint = misspelt === undefined ? `add a line such as "${example}"` : `did you mean "${key}"?`;
    this.mistakes.push({ message: `there is no ${key} in [${name}]`, place, hint });
    return undefined;
  }

  #unknownKeys(name: SectionName, section: IniSection): IniEntry[] {
    const { read, unused = [] } = known[name];
    const names = new Set([...Object.keys(read), ...unused].map((key) => key.toLowerCase()));
    return [...section.entries].filter(([key]) => !names.has(key)).map(([, entry]) => entry);
  }

  #isTrue({ key, value }: IniEntry): boolean {
    const word = value.text.toLowerCase();
    if (word !== 'true' && word !== 'false') {
      const message = `${key.text} is neither true nor false: "${value.text}"`;
      this.mistakes.push({ message, place: value.place, hint: 'write True or False' });
    }
    return word === 'true';
  }

  #numbers(section: SectionName, key: string, split: (text: string) => string[]): number[] {
    const entry = this.#required(section, key);
    if (!entry) return [1];
    const { text, place } = entry.value;
    const parts = split(text);
    const wrong = parts.map(wholeNumber).find((value) => typeof value === 'string');
    if (wrong === undefined) return parts.map(Number);
    const example = `write a whole number from 1, such as ${known[section].read[key]}`;
    const hint = /[#;]/.test(text) ? 'a comment has a line of its own' : example;
    this.mistakes.push({ message: `${key} ${wrong}`, place, hint });
    return [1];
  }
}
