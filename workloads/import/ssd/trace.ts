/** Traces of requests to block devices. */
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { parseDuration, parseSize, UnitError } from '../../../arch/language/units.ts';
import { bytesOf } from '../dram/trace.ts';

export interface BlockTrace {
  readonly length: number;
  /** Bytes. */
  readonly offsets: Float64Array;
  readonly bytes: Float64Array;
  /** 1 of a write. */
  readonly writes: Uint8Array;
  /** ps, never less than before; null where no line has a time. */
  readonly times: Float64Array | null;
}

/** Wrong lines that are shown. */
const mostMistakes = 20;

const example = 'such as "R 0x1000 4096", "W 64KiB 4KiB", or with a time "R 0 4096 12.5us"';

/** A word of a line and where it begins, from 0. */
interface Word {
  readonly text: string;
  readonly at: number;
}

class LineMistake extends Error {
  readonly word: Word;
  readonly hint: string;

  constructor(message: string, word: Word, hint: string) {
    super(message);
    this.word = word;
    this.hint = hint;
  }
}

/**
 * Reads a trace, which may be packed by gzip: on every line `R` or `W`, an offset, a size and, on all lines or none, the
 * time at which it comes. Offsets and sizes are in bytes, also behind 0x, or have a unit ("4KiB"); times have one, or are
 * ns. Blank lines and what follows a `#` are skipped.
 * @param capacity bytes that there are
 * @throws InputError when the file cannot be read, has no request, or has wrong lines
 */
export function readBlockTrace(file: string, capacity: number): BlockTrace {
  const lines = bytesOf(file)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const builder = new Builder(lines.length, capacity);
  const mistakes: Diagnostic[] = [];
  let wrong = 0;
  lines.forEach((line, i) => {
    try {
      builder.add(wordsOf(line));
    } catch (error) {
      if (!(error instanceof LineMistake)) throw error;
      if (++wrong > mostMistakes) return;
      const { text, at } = error.word;
      const place = { file, line: i + 1, column: at + 1, length: Math.max(1, text.length), text: line.trimEnd() };
      mistakes.push({ message: error.message, place, hint: error.hint });
    }
  });
  if (wrong > mostMistakes) mistakes.push({ message: `${file} has ${wrong - mostMistakes} more wrong lines` });
  if (mistakes.length > 0) throw new InputError(mistakes);
  const trace = builder.build();
  if (trace.length === 0)
    throw new InputError({ message: `${file} has no requests`, hint: `write one on a line, ${example}` });
  return trace;
}

function wordsOf(line: string): Word[] {
  const text = line.replace(/#.*$/, '');
  return [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], at: match.index }));
}

class Builder {
  readonly #capacity: number;
  readonly #offsets: Float64Array;
  readonly #bytes: Float64Array;
  readonly #writes: Uint8Array;
  readonly #times: Float64Array;
  #length = 0;
  #hasTimes = false;

  constructor(most: number, capacity: number) {
    this.#capacity = capacity;
    this.#offsets = new Float64Array(most);
    this.#bytes = new Float64Array(most);
    this.#writes = new Uint8Array(most);
    this.#times = new Float64Array(most);
  }

  add(words: readonly Word[]): void {
    const [kind, offset, size, time, more] = words;
    if (kind === undefined) return;
    if (!/^[RW]$/i.test(kind.text)) throw new LineMistake(`"${kind.text}" is neither R nor W`, kind, example);
    const end = { text: '', at: words.at(-1)!.at + words.at(-1)!.text.length };
    if (offset === undefined || size === undefined) {
      throw new LineMistake(`${offset === undefined ? 'an offset' : 'a size'} is missing`, end, example);
    }
    if (more !== undefined)
      throw new LineMistake('the line goes on behind its request', more, 'remove the rest, or put a # before it');
    const from = bytesIn(offset, 'an offset');
    const bytes = bytesIn(size, 'a size');
    if (bytes === 0) throw new LineMistake('a request of no bytes', size, 'a size is 1 byte or more');
    if (from + bytes > this.#capacity) {
      const message = `bytes ${from} to ${from + bytes} of a device of ${this.#capacity} bytes`;
      throw new LineMistake(message, offset, 'a smaller offset, or a larger device');
    }
    if (this.#length > 0 && this.#hasTimes !== (time !== undefined)) {
      const first = this.#hasTimes
        ? 'the first request has a time, this one has none'
        : 'the first request has no time';
      throw new LineMistake(first, time ?? end, 'give all requests times, or none');
    }
    const at = time === undefined ? 0 : timeIn(time);
    if (time !== undefined && this.#length > 0 && at < this.#times[this.#length - 1]!) {
      throw new LineMistake('this time is before that of the request above', time, 'put requests in order of time');
    }
    this.#hasTimes = time !== undefined;
    this.#offsets[this.#length] = from;
    this.#bytes[this.#length] = bytes;
    this.#writes[this.#length] = kind.text.toUpperCase() === 'W' ? 1 : 0;
    this.#times[this.#length++] = at;
  }

  build(): BlockTrace {
    const length = this.#length;
    return {
      length,
      offsets: this.#offsets.subarray(0, length),
      bytes: this.#bytes.subarray(0, length),
      writes: this.#writes.subarray(0, length),
      times: this.#hasTimes ? this.#times.subarray(0, length) : null,
    };
  }
}

function bytesIn(word: Word, what: string): number {
  if (/^(\d+|0x[\da-f]+)$/i.test(word.text)) {
    const value = Number(word.text);
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    throw new LineMistake(`${word.text} has more than 53 bits`, word, 'no device is as large');
  }
  return quantity(word, what, parseSize);
}

function timeIn(word: Word): number {
  if (/^\d+(\.\d+)?$/.test(word.text)) return Math.round(Number(word.text) * 1000);
  return Math.round(quantity(word, 'a time', parseDuration));
}

function quantity(word: Word, what: string, parse: (text: string) => number): number {
  try {
    return parse(word.text);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new LineMistake(error.about(what), word, error.hint ?? example);
  }
}
