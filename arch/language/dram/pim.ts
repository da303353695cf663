/** What processing in memory adds to the language of standards: whom commands act on, and what they do with numbers. */
import { List, Record } from 'immutable';
import { suggest } from '../diagnostics.ts';
import type { DramPimEffect, DramUnits } from './device.ts';
import type { CommandRow } from './standard.ts';
import { TextMistake, type Words } from './words.ts';

/** As `DramPimEffect`, with the level of its units by name; empty where it has none. */
export class PimEffect extends Record<{ kind: DramPimEffect['kind']; from: string; to: string; unit: string }>(
  { kind: 'moves', from: '', to: '', unit: '' },
  'PimEffect',
) {}

/** As `DramUnits`. */
export class Units extends Record<{ type: string; sums: string; adds: DramUnits['adds']; vectors: number }>(
  { type: 'fp16', sums: 'fp32', adds: 'tree', vectors: 1 },
  'Units',
) {}

export class Buffer extends Record<{
  /** The level each node of which has one; `unit`: each unit. */
  of: string;
  /** Entries of a column each. */
  capacity: number;
}>({ of: 'unit', capacity: 1 }, 'Buffer') {}

/** Ends of a move besides buffers: what is outside of the memory, and the open row of the bank that is named. */
export const ends = ['host', 'row'] as const;

/** Functions that a command may apply to a buffer. */
const functions = ['softmax'] as const;

type Target = Pick<CommandRow, 'level' | 'each'>;

/** `bank`, `bank of each LEVEL ...` or `banks of LEVEL`. */
export function targetOf(words: Words, levels: readonly string[]): Target {
  if (words.takeIf('banks')) {
    words.expectText('of', 'such as "banks of channel"');
    return { level: oneOf(words, levels, 'level'), each: List() };
  }
  words.expectText('bank', 'a row is opened in one bank, in "bank of each channel" or in all "banks of" a level');
  if (!words.takeIf('of')) return { level: 'bank', each: List() };
  words.expectText('each', 'such as "bank of each bankGroup"');
  const above = levels.slice(1, -1);
  const each = [oneOf(words, above, 'level')];
  while (above.includes(words.peek().text)) each.push(words.take().text);
  return { level: 'bank', each: List(each) };
}

/** `multiplies banks of channel by operands into sums on bank`. */
export function multipliesOf(words: Words, levels: readonly string[]): Target & { pim: PimEffect } {
  const target = targetOf(words, levels);
  words.expectText('by', 'the buffer that it multiplies by');
  const from = words.expect('name', 'a buffer').text;
  words.expectText('into', 'the buffer that it adds to');
  const to = words.expect('name', 'a buffer').text;
  words.expectText('on', 'the level that has the units');
  return { ...target, pim: new PimEffect({ kind: 'multiplies', from, to, unit: oneOf(words, levels, 'level') }) };
}

/** `moves host to operands`, or `moves sums of banks of channel to host`. */
export function movesOf(words: Words, levels: readonly string[]): Partial<Target> & { pim: PimEffect } {
  const end = () => words.expect('name', 'a buffer, the host or the row').text;
  const from = end();
  const source = words.takeIf('of') ? targetOf(words, levels) : {};
  words.expectText('to', 'where it moves that');
  const to = end();
  const target = words.takeIf('of') ? targetOf(words, levels) : {};
  return { ...source, ...target, pim: new PimEffect({ kind: 'moves', from, to }) };
}

/** `computes banks of channel`: with their open rows. */
export function computesOf(words: Words, levels: readonly string[]): Target & { pim: PimEffect } {
  return { ...targetOf(words, levels), pim: new PimEffect({ kind: 'computes' }) };
}

/** `in registers`, `switches registers`: the name of a mode. */
export function modeOf(words: Words): string {
  return words.expect('name', 'the name of a mode').text;
}

/** `applies softmax to scores`. */
export function appliesOf(words: Words): { pim: PimEffect } {
  const from = oneOf(words, functions, 'function');
  words.expectText('to', 'what it applies that to');
  return { pim: new PimEffect({ kind: 'applies', from, to: words.expect('name', 'a buffer').text }) };
}

function oneOf(words: Words, names: readonly string[], what: string): string {
  const word = words.expect('name', `a ${what}`, `one of ${names.join(', ')}`);
  if (names.includes(word.text)) return word.text;
  throw new TextMistake(`there is no ${what} "${word.text}"`, word, suggest(word.text, names));
}
