/** The words of the lines in a DRAM standard's tables: `rank  RD RDA -> WR WRA  nCL + nBL + 2 - nCWL`. */
import type { Diagnostic, Place } from '../diagnostics.ts';
import { parseDuration } from '../units.ts';

export interface Word {
  readonly kind: 'name' | 'number' | 'time' | 'symbol' | 'end';
  readonly text: string;
  /** Position of the first character, and of the one after the last. */
  readonly start: number;
  readonly end: number;
}

/** A text that is not of the language; `offset` and `length` say which part of it. */
export class TextMistake extends Error {
  readonly offset: number;
  readonly length: number;
  readonly hint: string | undefined;

  constructor(message: string, { start, end }: Pick<Word, 'start' | 'end'>, hint?: string) {
    super(message);
    this.name = 'TextMistake';
    this.offset = start;
    this.length = end - start;
    this.hint = hint;
  }
}

/** Where part of a text stands in its file. */
export type Locate = (offset: number, length: number) => Place;

/** What `parse` makes of a text; undefined, and the mistake noted, when it cannot. */
export function attempt<T>(
  text: string,
  locate: Locate,
  mistakes: Diagnostic[],
  parse: (words: Words) => T,
): T | undefined {
  try {
    return parse(new Words(text));
  } catch (error) {
    if (!(error instanceof TextMistake)) throw error;
    mistakes.push({ message: error.message, place: locate(error.offset, error.length), hint: error.hint });
    return undefined;
  }
}

const patterns: readonly (readonly [Word['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s+|#.*)/y],
  ['time', /(?:\d+\.?\d*|\.\d+)\s*(?:ps|ns|us|ms)\b/y],
  ['number', /(?:\d+\.?\d*|\.\d+)/y],
  ['name', /[A-Za-z_]\w*/y],
  ['symbol', /->|[()+\-*/,]/y],
];

/** A text read word by word. */
export class Words {
  readonly #words: readonly Word[];
  #next = 0;

  /** @throws TextMistake on a character that begins no word. */
  constructor(text: string) {
    this.#words = split(text);
  }

  peek(): Word {
    return this.#words[this.#next];
  }

  /** Position after the last word taken. */
  get end(): number {
    return this.#words[this.#next - 1]?.end ?? 0;
  }

  take(): Word {
    const word = this.peek();
    if (word.kind !== 'end') this.#next += 1;
    return word;
  }

  /** Takes the next word when it is this one. */
  takeIf(text: string): boolean {
    if (this.peek().text !== text) return false;
    this.take();
    return true;
  }

  /** @throws TextMistake when the next word is of another kind; `what` says what should stand here. */
  expect(kind: Word['kind'], what: string, hint?: string): Word {
    const word = this.peek();
    if (word.kind !== kind) this.fail(what, hint);
    return this.take();
  }

  /** @throws TextMistake */
  expectText(text: string, hint?: string): void {
    if (!this.takeIf(text)) this.fail(`"${text}"`, hint);
  }

  /** @throws TextMistake */
  fail(what: string, hint?: string): never {
    const word = this.peek();
    const message = word.kind === 'end' ? `the line ends where ${what} should follow` : `"${word.text}" is not ${what}`;
    throw new TextMistake(message, word, hint);
  }
}

function split(text: string): Word[] {
  const words: Word[] = [];
  let position = 0;
  let end = 0;
  while (position < text.length) {
    const start = position;
    const kind = patterns.find(([, pattern]) => {
      pattern.lastIndex = start;
      const found = pattern.test(text);
      if (found) position = pattern.lastIndex;
      return found;
    })?.[0];
    if (kind === undefined) {
      throw new TextMistake(`"${text[start]}" has no meaning here`, { start, end: start + 1 }, 'remove it');
    }
    if (kind === 'space') continue;
    words.push({ kind, text: text.slice(start, position), start, end: position });
    end = position;
  }
  words.push({ kind: 'end', text: '', start: end, end: end + 1 });
  return words;
}

/** Picoseconds of a word such as `7.8 us`. */
export function picosecondsOf(word: Word): number {
  return parseDuration(word.text);
}
