/** What processing in memory adds to the language of standards: whom commands act on, and what they do with numbers. */
import { List, Record } from 'immutable';
import { suggest } from '../diagnostics.ts';
import type { DramPimEffect, DramUnits } from './device.ts';
import type { CommandRow } from './standard.ts';
import { TextMistake, type Words } from './words.ts';

/** As `DramPimEffect`, with the level of its units by name; empty where it has none. */
export class PimEffect extends Record<{
  kind: DramPimEffect['kind'];
  from: string;
  to: string;
  unit: string;
  /** Of a move: all columns of the row. */
  whole: boolean;
}>({ kind: 'moves', from: '', to: '', unit: '', whole: false }, 'PimEffect') {}

/** As `DramUnits`; `lanes` null: as many as an access has. */
export class Units extends Record<{
  type: string;
  sums: string;
  adds: DramUnits['adds'];
  lanes: number | null;
  vectors: number;
}>({ type: 'fp16', sums: 'fp32', adds: 'tree', lanes: null, vectors: 1 }, 'Units') {}

export class Buffer extends Record<{
  /** The level each node of which has one; `unit`: each unit. */
  of: string;
  /** Entries of a column each. */
  capacity: number;
  /** Column of a row of registers at which the first entry is; null: commands say which entry they mean. */
  column: number | null;
}>({ of: 'unit', capacity: 1, column: null }, 'Buffer') {}

/** Ends of a move besides buffers: what is outside of the memory, and the open row of the bank that is named. */
export const ends = ['host', 'row'] as const;

/** Functions that a command may apply to a buffer. */
const functions = ['softmax', 'zero'] as const;

type Target = Pick<CommandRow, 'level' | 'each' | 'rowBuffer'>;

/** What the numbers of a command of several multiplications, and of work that is begun, are called in expressions. */
export const multiplications = 'multiplications';

/** What else estimates may name: rows to be closed, openings, and results up to the next estimate. */
export const estimated: readonly string[] = ['closes', 'opens', multiplications, 'results'];

/** `bank`, `bank of each LEVEL ...` or `banks of LEVEL`, and perhaps `in` a row buffer. */
export function targetOf(words: Words, levels: readonly string[]): Target {
  const target = banksOf(words, levels);
  const rowBuffer = words.takeIf('in') ? words.expect('name', 'a row buffer').text : '';
  return { ...target, rowBuffer };
}

function banksOf(words: Words, levels: readonly string[]): Pick<Target, 'level' | 'each'> {
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

/** `multiplies banks of channel by operands into sums on bank`, and perhaps `up to 32 columns` with one command. */
export function multipliesOf(words: Words, levels: readonly string[]): Target & { pim: PimEffect; most: number } {
  const target = targetOf(words, levels);
  words.expectText('by', 'the buffer that it multiplies by');
  const from = words.expect('name', 'a buffer').text;
  words.expectText('into', 'the buffer that it adds to');
  const to = words.expect('name', 'a buffer').text;
  words.expectText('on', 'the level that has the units');
  const unit = oneOf(words, levels, 'level');
  return { ...target, pim: new PimEffect({ kind: 'multiplies', from, to, unit }), most: mostOf(words) };
}

/** `computes banks of channel`: with their open rows. */
export function computesOf(words: Words, levels: readonly string[]): Target & { pim: PimEffect } {
  return { ...targetOf(words, levels), pim: new PimEffect({ kind: 'computes' }) };
}

/** `executes crf with bank of each bankGroup on block`. */
export function executesOf(words: Words, levels: readonly string[]): Target & { pim: PimEffect } {
  const from = words.expect('name', 'the buffer that holds the instructions').text;
  words.expectText('with', 'the banks whose columns the instructions work on');
  const target = targetOf(words, levels);
  words.expectText('on', 'the level that has the units');
  return { ...target, pim: new PimEffect({ kind: 'executes', from, unit: oneOf(words, levels, 'level') }) };
}

/** `up to 32 columns`. */
function mostOf(words: Words): number {
  if (!words.takeIf('up')) return 1;
  words.expectText('to', 'how many columns one command multiplies');
  const most = words.expect('number', 'a number of columns');
  words.expectText('columns', 'such as "up to 32 columns"');
  if (Number.isInteger(Number(most.text)) && Number(most.text) > 0) return Number(most.text);
  throw new TextMistake('a command multiplies a whole number of columns, at least 1', most);
}

/**
 * `moves host to operands`; `moves sums of channel to host` and `moves host to sums of channel`, those of all nodes below;
 * `moves whole row to operands`.
 */
export function movesOf(words: Words, levels: readonly string[]): { pim: PimEffect; level?: string } {
  const below = () => (words.takeIf('of') ? { level: oneOf(words, levels, 'level') } : {});
  const whole = words.takeIf('whole');
  const from = words.expect('name', 'a buffer, the host or the row').text;
  const source = below();
  words.expectText('to', 'where it moves that');
  const to = words.expect('name', 'a buffer, the host or the row').text;
  return { ...source, ...below(), pim: new PimEffect({ kind: 'moves', from, to, whole }) };
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
