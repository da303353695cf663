/** The words of the einsum language. */

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  /** Position of the first character, and of the one after the last. */
  readonly start: number;
  readonly end: number;
}

/** A text that is not of the language; `offset` and `length` say which part of it. */
export class SyntaxMistake extends Error {
  readonly offset: number;
  readonly length: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, length: number, hint?: string) {
    super(message);
    this.name = 'SyntaxMistake';
    this.offset = offset;
    this.length = length;
    this.hint = hint;
  }
}

// A tensor of a graph has its step's name in front: `attention.QK`.
const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s+|#[^\n]*)/y],
  ['name', /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/y],
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['symbol', /[[\](),=+\-*/:]/y],
];

/** Words up to the end token, which stands behind the last of them. @throws SyntaxMistake on a character that begins none. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
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
    if (kind === undefined) throw new SyntaxMistake(`"${text[start]}" has no meaning here`, start, 1, 'remove it');
    if (kind === 'space') continue;
    tokens.push({ kind, text: text.slice(start, position), start, end: position });
    end = position;
  }
  tokens.push({ kind: 'end', text: '', start: end, end: end + 1 });
  return tokens;
}
