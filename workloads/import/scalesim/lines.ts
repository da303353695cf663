/** Lines of a text and the fields on them, each with its place. */
import type { Place } from '../../../arch/language/diagnostics.ts';

/** Part of a line without the space around it. */
export interface Field {
  readonly text: string;
  /** Where the text stands; of an empty field, where a text would. */
  readonly place: Place;
}

export class Line {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  readonly text: string;

  constructor(file: string, number: number, text: string) {
    this.file = file;
    this.number = number;
    this.text = text;
  }

  get isBlank(): boolean {
    return this.text.trim() === '';
  }

  /** Columns of the space before the first word. */
  get indent(): number {
    return this.text.length - this.text.trimStart().length;
  }

  place(from: number, length: number): Place {
    return { file: this.file, line: this.number, column: from + 1, length: Math.max(1, length), text: this.text };
  }

  /** The place of all that is written on the line. */
  whole(): Place {
    return this.place(this.indent, this.text.trim().length);
  }

  /** The place behind all that is written on the line. */
  end(): Place {
    return this.place(this.text.trimEnd().length, 1);
  }

  /** What stands between two columns, counted from 0; the second is not included. */
  field(from: number, to: number): Field {
    const written = this.text.slice(from, to);
    const text = written.trim();
    const space = text === '' ? 0 : written.length - written.trimStart().length;
    return { text, place: this.place(from + space, text.length) };
  }
}

/** Lines of a text with any kind of line break. Spreadsheets put a byte order mark in front, which is dropped. */
export function linesOf(text: string, file: string): Line[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line, i) => new Line(file, i + 1, line));
}

/** Largest number that a file may hold, and the most words of one operand: counts of bytes and of accesses stay exact. */
export const mostWords = 2 ** 40;

/** As `mostWords` is shown. */
export const mostWordsText = '2^40';

/** A number from 1 to `mostWords`, or why the text is none, as the end of a clause. */
export function wholeNumber(text: string): number | string {
  if (!/^\+?\d+$/.test(text)) return `is not a whole number: "${text}"`;
  const value = Number(text);
  if (value === 0) return 'is zero';
  if (value > mostWords) return `is more than ${mostWordsText}`;
  return value;
}
