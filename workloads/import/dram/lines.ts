/** Lines of request traces, byte by byte: traces have millions of them. */
import type { Diagnostic } from '../../../arch/language/diagnostics.ts';

/** Kinds of lines, which no trace mixes. */
export type TraceFormat = 'block' | 'row' | 'loadStore' | 'dramsim3';

interface Mistake {
  readonly message: string;
  readonly hint: string;
}

export interface Request {
  readonly format: TraceFormat;
  readonly isWrite: boolean;
  readonly address: number;
  /** The column behind a row, or the cycle. */
  readonly second: number;
  /** What is wrong with the line; all else is of no meaning then. */
  readonly mistake: Mistake | null;
}

const [tab, newline, carriageReturn, space, hash, nought, nine] = [0x09, 0x0a, 0x0d, 0x20, 0x23, 0x30, 0x39];
const [upperA, upperF, lowerA, lowerF, lowerX, upperX] = [0x41, 0x46, 0x61, 0x66, 0x78, 0x58];

/** A word of up to 6 bytes as a number. */
const codeOf = (word: string): number => [...Buffer.from(word)].reduce((code, byte) => 256 * code + byte, 0);

const words = {
  R: codeOf('R'),
  W: codeOf('W'),
  LD: codeOf('LD'),
  ST: codeOf('ST'),
  READ: codeOf('READ'),
  WRITE: codeOf('WRITE'),
};

/** What a number is when there is none, or it is wrong. */
const noNumber = -1;

const example = 'such as "R 1234", "W 1234", "R 12 34" (row and column), "LD 0x1f40", "ST 0x1f40" or "0x1f40 READ 12"';

/** Reads line after line. The request that `next` gives is the same object every time. */
export class TraceLines {
  /** No trace of these bytes has more requests. */
  readonly most: number;
  readonly #bytes: Buffer;
  readonly #file: string;
  readonly #request: { -readonly [key in keyof Request]: Request[key] } = {
    format: 'block',
    isWrite: false,
    address: 0,
    second: 0,
    mistake: null,
  };
  #at = 0;
  #line = 0;
  #lineStart = 0;
  /** Where the last word or number began and ended. */
  #begin = 0;
  #wordEnd = 0;

  constructor(bytes: Buffer, file: string) {
    this.#bytes = bytes;
    this.#file = file;
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    if (hasMark) this.#at = 3;
    let lines = 1;
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === newline) lines++;
    this.most = lines;
  }

  /** The next line that is neither blank nor a comment; null at the end. */
  next(): Request | null {
    while (this.#at < this.#bytes.length) {
      this.#line++;
      this.#lineStart = this.#at;
      this.#skipSpace();
      const isBlank = this.#isEnd();
      if (!isBlank) this.#read();
      this.#skipLine();
      if (!isBlank) return this.#request;
    }
    return null;
  }

  /** A mistake with its place on the line read last. */
  diagnose({ message, hint }: Mistake): Diagnostic {
    const { text, column } = this.#position();
    const length = /^\S*/.exec(text.slice(column - 1))?.[0].length ?? 0;
    const place = { file: this.#file, line: this.#line, column, length: Math.max(1, length), text };
    return { message, place, hint };
  }

  /** The line read last, and the column from 1 of the word that was read last on it. */
  #position(): { readonly text: string; readonly column: number } {
    const bytes = this.#bytes;
    const next = bytes.indexOf(newline, this.#lineStart);
    const end = next < 0 ? bytes.length : next;
    const text = bytes.toString('utf8', this.#lineStart, end).replace(/\r$/, '');
    return { text, column: bytes.toString('utf8', this.#lineStart, this.#begin).length + 1 };
  }

  #read(): void {
    const request = this.#request;
    request.mistake = null;
    const byte = this.#bytes[this.#at]!;
    if (byte >= nought && byte <= nine) this.#readAddressFirst();
    else this.#readWordFirst();
    if (request.mistake === null && !this.#isEnd()) {
      this.#begin = this.#at;
      this.#fail('the line goes on behind its request', 'remove the rest, or put a # before it');
    }
  }

  /** `0x1f40 READ 12`. */
  #readAddressFirst(): void {
    const request = this.#request;
    request.format = 'dramsim3';
    request.address = this.#number('an address');
    if (request.address === noNumber) return;
    const word = this.#word();
    if (word !== words.READ && word !== words.WRITE) {
      this.#fail(word === 0 ? 'READ or WRITE is missing' : `"${this.#text()}" is neither READ nor WRITE`, example);
      return;
    }
    request.isWrite = word === words.WRITE;
    request.second = this.#number('a cycle');
  }

  /** `R 1234`, `R 12 34` or `LD 0x1f40`. */
  #readWordFirst(): void {
    const request = this.#request;
    const word = this.#word();
    const isLoadStore = word === words.LD || word === words.ST;
    if (!isLoadStore && word !== words.R && word !== words.W) {
      this.#fail(`"${this.#text()}" is no request`, example);
      return;
    }
    request.isWrite = word === words.W || word === words.ST;
    request.format = isLoadStore ? 'loadStore' : 'block';
    request.address = this.#number(isLoadStore ? 'an address' : 'a block or a row');
    if (isLoadStore || request.mistake !== null || this.#isEnd()) return;
    request.format = 'row';
    request.second = this.#number('a column');
  }

  /** Whether nothing but a comment is left on the line. */
  #isEnd(): boolean {
    const byte = this.#bytes[this.#at];
    return byte === undefined || byte === newline || byte === carriageReturn || byte === hash;
  }

  #isWordEnd(): boolean {
    const byte = this.#bytes[this.#at];
    return byte === space || byte === tab || this.#isEnd();
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    while (bytes[this.#at] === space || bytes[this.#at] === tab) this.#at++;
  }

  #skipLine(): void {
    const bytes = this.#bytes;
    while (this.#at < bytes.length && bytes[this.#at] !== newline) this.#at++;
    this.#at++;
  }

  /** The code of the text up to the next space. */
  #word(): number {
    this.#begin = this.#at;
    let code = 0;
    for (; !this.#isWordEnd(); this.#at++) code = 256 * code + this.#bytes[this.#at]!;
    this.#wordEnd = this.#at;
    this.#skipSpace();
    return code;
  }

  /** The last word or number. */
  #text(): string {
    return this.#bytes.toString('utf8', this.#begin, this.#wordEnd);
  }

  /** A whole number and the space behind it; `noNumber` after a mistake. */
  #number(what: string): number {
    this.#begin = this.#at;
    const bytes = this.#bytes;
    const isHex = bytes[this.#at] === nought && (bytes[this.#at + 1] === lowerX || bytes[this.#at + 1] === upperX);
    if (isHex) this.#at += 2;
    const digits = this.#at;
    const value = isHex ? this.#hexadecimal() : this.#decimal();
    const isNumber = this.#at > digits && this.#isWordEnd();
    while (!this.#isWordEnd()) this.#at++;
    this.#wordEnd = this.#at;
    if (!isNumber) return this.#wrongNumber(what);
    if (value > Number.MAX_SAFE_INTEGER) {
      this.#fail(`${this.#text()} has more than 53 bits`, 'no address or cycle is as large');
      return noNumber;
    }
    this.#skipSpace();
    return value;
  }

  #decimal(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (; ; this.#at++) {
      const byte = bytes[this.#at];
      if (byte === undefined || byte < nought || byte > nine) return value;
      value = 10 * value + (byte - nought);
    }
  }

  #hexadecimal(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (; ; this.#at++) {
      const byte = bytes[this.#at];
      if (byte === undefined) return value;
      if (byte >= nought && byte <= nine) value = 16 * value + (byte - nought);
      else if (byte >= lowerA && byte <= lowerF) value = 16 * value + (byte - lowerA + 10);
      else if (byte >= upperA && byte <= upperF) value = 16 * value + (byte - upperA + 10);
      else return value;
    }
  }

  #wrongNumber(what: string): number {
    const text = this.#text();
    if (text === '') this.#fail(`${what} is missing`, example);
    else this.#fail(`"${text}" is no whole number`, `write ${what} in decimal, or in hexadecimal behind 0x`);
    return noNumber;
  }

  #fail(message: string, hint: string): void {
    this.#request.mistake = { message, hint };
  }
}
