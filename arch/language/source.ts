/** YAML files read with the place of every key and value, and checked against a schema: all mistakes in one go. */
import { readFileSync } from 'node:fs';
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { z } from 'zod';
import { type Diagnostic, InputError, nearest, type Place, suggest } from './diagnostics.ts';
import { reasonOf } from './file-error.ts';
import { exampleOf, knownKeys, schemaAt } from './introspect.ts';
import { syntaxMistakes } from './syntax-mistakes.ts';
import { UnitError } from './units.ts';

export type Path = readonly (string | number)[];

/** Tells where values were written. */
export interface Places {
  /** Where a value stands; where its nearest existing parent does when the value is missing. */
  placeOf(path: Path): Place;
  /** Where the key of a path stands; for an item of a list, where the item does. */
  placeOfKey(path: Path): Place;
  /** The place of part of a text: `offset` and `length` count in the text as the program sees it. */
  placeIn(path: Path, offset: number, length?: number): Place;
}

/** One YAML file: its values, and where each of them was written. */
export class Source implements Places {
  readonly file: string;
  readonly text: string;
  readonly document: Document;
  readonly #counter = new LineCounter();
  readonly #lines: readonly string[];

  /** @throws InputError on text that is not YAML, or with a key written twice. */
  constructor(text: string, file: string) {
    this.file = file;
    this.text = text;
    this.#lines = text.split(/\r?\n/);
    this.document = parseDocument(text, {
      lineCounter: this.#counter,
      prettyErrors: false,
      uniqueKeys: true,
      logLevel: 'error',
    });
    if (this.document.errors.length > 0) {
      throw new InputError(syntaxMistakes(this.document.errors, text, (offset, length) => this.span(offset, length)));
    }
    const aliases = this.#brokenAliases();
    if (aliases.length > 0) throw new InputError(aliases);
    if (!isMap(this.document.contents)) {
      const empty = this.document.contents === null;
      const message = empty ? 'the file is empty' : 'a file begins with keys and values';
      throw new InputError({ message, place: this.span(0, 1), hint: 'such as "machine: my-chip"' });
    }
  }

  /** @throws InputError when the file cannot be read. */
  static read(file: string): Source {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
    }
    if (/[\0\uFFFD]/.test(text)) throw new InputError({ message: `${file} is not text`, hint: 'save it as UTF-8' });
    return new Source(text, file);
  }

  value(): unknown {
    return this.document.toJS();
  }

  /** Where a value stands; where its nearest existing parent does when the value is missing. */
  placeOf(path: Path): Place {
    for (let depth = path.length; depth > 0; depth--) {
      const node = this.document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) {
        // A missing key of a collection is best shown at the collection's own key.
        return isCollection(node) ? this.placeOfKey(path.slice(0, depth)) : this.#ofNode(node);
      }
    }
    return this.span(0, 1);
  }

  /** Where the key of a path stands; for an item of a list, where the item does. */
  placeOfKey(path: Path): Place {
    const parent = path.length > 1 ? this.document.getIn(path.slice(0, -1), true) : this.document.contents;
    const key = path[path.length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (isNode(pair?.key)) return this.#ofNode(pair.key);
    }
    const node = this.document.getIn(path, true);
    if (isNode(node) && node.range) return this.#ofNode(node);
    return path.length > 1 ? this.placeOfKey(path.slice(0, -1)) : this.span(0, 1);
  }

  /**
   * The place of part of a string value: `offset` and `length` count in the string as the program sees it.
   * Works for plain and quoted scalars and, line by line, for `|` blocks.
   */
  placeIn(path: Path, offset: number, length = 1): Place {
    const node = this.document.getIn(path, true);
    if (!isScalar(node) || !node.range || typeof node.value !== 'string') return this.placeOf(path);
    const start = node.range[0];
    if (node.type === 'BLOCK_LITERAL') {
      const before = node.value.slice(0, offset).split('\n');
      const first = this.#counter.linePos(start).line + 1;
      const line = first + before.length - 1;
      const text = this.#lines[line - 1] ?? '';
      const firstLine = this.#lines.slice(first - 1).find((l) => l.trim() !== '') ?? '';
      const indent = firstLine.length - firstLine.trimStart().length;
      return { file: this.file, line, column: indent + before[before.length - 1]!.length + 1, length, text };
    }
    const quote = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0;
    const written = this.text.slice(start, node.range[1]);
    if (!written.includes('\n')) return this.span(start + quote + offset, length);
    // Line breaks and indents of a folded text are one space each in its value: count what is not space.
    let before = quote + node.value.slice(0, offset).replace(/\s/g, '').length;
    const position = [...written.matchAll(/\S/g)].find(() => before-- === 0)?.index ?? written.length;
    return this.span(start + position, length);
  }

  /** Whether a text stands on several lines whose breaks are lost, as in all but `|` blocks. */
  runsTogether(path: Path): boolean {
    const node = this.document.getIn(path, true);
    if (!isScalar(node) || !node.range || node.type === 'BLOCK_LITERAL') return false;
    return this.text.slice(node.range[0], node.range[1]).trim().includes('\n');
  }

  /** Aliases that stand for nothing, or for something that they are part of. */
  #brokenAliases(): Diagnostic[] {
    const broken: Diagnostic[] = [];
    visit(this.document, {
      Alias: (_, alias, parents) => {
        const meant = alias.resolve(this.document);
        if (meant && !parents.includes(meant)) return;
        const message = meant
          ? `"*${alias.source}" is inside what it stands for`
          : `nothing is named "&${alias.source}"`;
        const hint = meant ? 'write it out' : 'put text that starts with * in quotes';
        broken.push({ message, place: this.#ofNode(alias), hint });
      },
    });
    return broken;
  }

  span(offset: number, length: number): Place {
    const { line, col } = this.#counter.linePos(offset);
    const at = Math.max(1, line);
    return { file: this.file, line: at, column: Math.max(1, col), length, text: this.#lines[at - 1] ?? '' };
  }

  #ofNode(node: Node): Place {
    const [start, end] = node.range!;
    const place = this.span(start, Math.max(1, end - start));
    const visible = place.text.trimEnd().length - place.column + 1;
    return { ...place, length: Math.max(1, Math.min(place.length, visible)) };
  }
}

/**
 * The parsed value of a schema.
 * @throws InputError with every mistake that the schema finds, each at its place in the source.
 */
export function check<T>(schema: z.ZodType<T>, value: unknown, places: Places, at: Path = []): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InputError(diagnose(result.error.issues, value, places, at, schema));
}

/**
 * Schema issues as diagnostics in the user's words. `at` is where `value` stands in the source; with the schema that
 * raised the issues, unknown keys get suggestions and missing ones an example.
 */
export function diagnose(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  places: Places,
  at: Path = [],
  schema?: z.core.$ZodType,
): Diagnostic[] {
  const misspelt = new Set(issues.flatMap((issue) => meantKeys(issue, value, schema)));
  // A key that is there, but misspelt, is one mistake.
  const distinct = issues.filter((issue) => !misspelt.has(JSON.stringify(issue.path)));
  return distinct.flatMap((issue) => describe(issue, value, places, at, schema));
}

/** Paths, as JSON, of the keys that unknown ones were meant to be. */
function meantKeys(issue: z.core.$ZodIssue, value: unknown, schema: z.core.$ZodType | undefined): string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const known = knownKeys(schemaAt(schema, path, value));
  const found = valueAt(value, path) as Record<string, unknown>;
  const meant = issue.keys.map((key) => nearest(key, known)).filter((key) => key !== undefined && !(key in found));
  return meant.map((key) => JSON.stringify([...path, key]));
}

/** The value at a path inside another, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((v, step) => (v as Record<string | number, unknown> | null | undefined)?.[step], value);
}

function describe(
  issue: z.core.$ZodIssue,
  value: unknown,
  places: Places,
  at: Path,
  schema: z.core.$ZodType | undefined,
): Diagnostic[] {
  const inner = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const path = [...at, ...inner];
  const found = valueAt(value, inner);
  const rule = schemaAt(schema, inner, value);
  const name = nameOf(path);
  const place = places.placeOf(path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(rule);
      const unused = known.filter((key) => (found as Record<string, unknown>)[key] === undefined);
      return issue.keys.map((key) => ({
        message: `unknown key "${key}"${path.length > 0 ? ` in ${name}` : ''}`,
        place: places.placeOfKey([...path, key]),
        hint: unknownKeyHint(key, known, unused),
      }));
    }
    case 'invalid_union': {
      const wrongType = ({ code, path: { length } }: z.core.$ZodIssue): boolean =>
        code === 'invalid_type' && length === 0;
      const branches = issue.errors.map((issues, i) => ({ issues, schema: optionOf(rule, i) }));
      // Show the branch that came closest: of the right type, then the one whose mistakes lie deepest, then the fewest.
      const close = branches.filter(({ issues }) => issues.length > 0 && !issues.some(wrongType));
      if (close.length === 0) {
        const expected = issue.errors.flat().map((i) => (i.code === 'invalid_type' ? i.expected : undefined));
        const nouns = [...new Set(expected.filter((e) => e !== undefined))].map(article).join(' or ');
        return [wrong(name, found, nouns || issue.message, rule, place)];
      }
      const depth = ({ issues }: { issues: z.core.$ZodIssue[] }): number =>
        Math.max(...issues.map((i) => i.path.length));
      const best = close.sort((a, b) => depth(b) - depth(a) || a.issues.length - b.issues.length)[0]!;
      return diagnose(best.issues, found, places, path, best.schema);
    }
    case 'invalid_type':
      if (typeof path.at(-1) === 'number') return [wrongItem(name, found, article(issue.expected), rule, place)];
      return [wrong(name, found, article(issue.expected), rule, place)];
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (found === undefined) return [{ message: `"${name}" is missing`, place, hint: `one of ${values.join(', ')}` }];
      return [{ message: `"${String(found)}" is no ${name}`, place, hint: suggest(String(found), values) }];
    }
    case 'custom': {
      const { hint, needs } = (issue.params ?? {}) as { hint?: string; needs?: string };
      return [{ message: new UnitError(issue.message, needs).about(name), place, hint }];
    }
    case 'too_small':
      return [{ message: tooFew(name, found, Number(issue.minimum)), place }];
    default:
      return [{ message: `"${name}": ${issue.message}`, place }];
  }
}

function tooFew(name: string, found: unknown, least: number): string {
  if (Array.isArray(found))
    return `"${name}" has ${found.length === 1 ? '1 item' : `${found.length} items`}, but needs at least ${least}`;
  return typeof found === 'string'
    ? `"${name}" is empty`
    : `${String(found)} is less than ${least}, but ${name} cannot be`;
}

function unknownKeyHint(key: string, known: readonly string[], unused: readonly string[]): string {
  if (nearest(key, known) !== undefined) return suggest(key, known);
  return unused.length > 0 ? suggest(key, unused) : 'remove it';
}

/** What messages call a value: its key, and of a list's item the list's. */
function nameOf(path: Path): string {
  return String(path.findLast((step) => typeof step === 'string') ?? 'the file');
}

/** A value of the wrong type, or none at all. */
function wrong(
  name: string,
  found: unknown,
  expected: string,
  rule: z.core.$ZodType | undefined,
  place: Place,
): Diagnostic {
  const example = exampleOf(rule);
  const such = example === undefined ? undefined : `such as "${name}: ${String(example)}"`;
  if (found === undefined) return { message: `"${name}" is missing`, place, hint: such ?? `expected ${expected}` };
  return { message: `"${name}" is not ${expected}`, place, hint: such };
}

/** An item of a list, of the wrong type. */
function wrongItem(
  name: string,
  found: unknown,
  expected: string,
  rule: z.core.$ZodType | undefined,
  place: Place,
): Diagnostic {
  const shown = typeof found === 'object' ? 'this' : `"${String(found)}"`;
  const example = exampleOf(rule);
  const hint = example === undefined ? undefined : `such as "${String(example)}"`;
  return { message: `${shown} in "${name}" is not ${expected}`, place, hint };
}

function optionOf(union: z.core.$ZodType | undefined, index: number): z.core.$ZodType | undefined {
  const def = (union as z.core.$ZodTypes | undefined)?._zod.def;
  if (def?.type === 'pipe') return optionOf(def.in, index);
  return def?.type === 'union' ? def.options[index] : undefined;
}

function article(noun: string): string {
  const word = noun === 'record' || noun === 'object' ? 'map of keys and values' : noun === 'array' ? 'list' : noun;
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`;
}
