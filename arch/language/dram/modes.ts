/** Modes of a dialect: which commands go in which of them, and what leads from one to another. */
import { List, Record } from 'immutable';
import { type Diagnostic, suggest } from '../diagnostics.ts';
import type { RowText } from './extend.ts';
import type { Placed } from './rows.ts';
import { attempt, type Locate, TextMistake, type Word, type Words } from './words.ts';

/** `HAB  ACT PREpb at banks 0 1`: commands that go in a mode; without banks, at all of them. */
export class ModeRow extends Record<{ mode: string; commands: List<string>; banks: List<number> }>(
  { mode: '', commands: List(), banks: List() },
  'ModeRow',
) {}

/**
 * `SB -> HAB  ACT of row 6143 at banks 0 1`: any of the commands, to that row (null: any) at each of the banks (none: any
 * one), in any order. The row of a command that closes one is that which it closes.
 */
export class ModeChange extends Record<{
  from: string;
  to: string;
  commands: List<string>;
  row: number | null;
  banks: List<number>;
}>({ from: '', to: '', commands: List(), row: null, banks: List() }, 'ModeChange') {}

/** Rows of both kinds. */
export function parseModes(
  { text, locate }: RowText,
  commands: readonly string[],
  mistakes: Diagnostic[],
): Placed<ModeRow | ModeChange>[] {
  let start = 0;
  const rows = text.split('\n').flatMap((line) => {
    const base = start;
    start += line.length + 1;
    const { length } = line.replace(/#.*/, '').trimEnd();
    if (length === 0) return [];
    const here: Locate = (offset, size) => locate(base + offset, size);
    const row = attempt(line, here, mistakes, (words) => modeOf(words, commands));
    return row ? [{ row, locate: here, length }] : [];
  });
  if (mistakes.length === 0) checkModes(rows, mistakes);
  return rows;
}

function modeOf(words: Words, commands: readonly string[]): ModeRow | ModeChange {
  const from = words.expect('name', 'the name of a mode').text;
  if (!words.takeIf('->')) {
    const row = new ModeRow({ mode: from, commands: commandsOf(words, commands), banks: banksOf(words) });
    return end(words, row, '"at banks 0 1" may follow');
  }
  const to = words.expect('name', 'the mode that it leads to').text;
  const named = commandsOf(words, commands);
  const row = words.takeIf('of') ? rowOf(words) : null;
  const change = new ModeChange({ from, to, commands: named, row, banks: banksOf(words) });
  return end(words, change, '"of row 17" and "at banks 0 1" may follow');
}

function end<T>(words: Words, row: T, hint: string): T {
  const word = words.peek();
  if (word.kind !== 'end') throw new TextMistake(`"${word.text}" does not go on`, word, hint);
  return row;
}

function commandsOf(words: Words, known: readonly string[]): List<string> {
  const names: string[] = [];
  do {
    const word = words.expect('name', 'a command', `one of ${known.join(', ')}`);
    if (!known.includes(word.text)) {
      throw new TextMistake(`there is no command "${word.text}"`, word, suggest(word.text, known));
    }
    names.push(word.text);
  } while (words.peek().kind === 'name' && !['at', 'of'].includes(words.peek().text));
  return List(names);
}

function rowOf(words: Words): number {
  words.expectText('row', 'such as "of row 17"');
  return wholeOf(words.expect('number', 'the number of a row'));
}

function banksOf(words: Words): List<number> {
  if (!words.takeIf('at')) return List();
  words.expectText('banks', 'such as "at banks 0 1"');
  const banks = [wholeOf(words.expect('number', 'a bank, counted through the channel'))];
  while (words.peek().kind === 'number') banks.push(wholeOf(words.take()));
  return List(banks);
}

function wholeOf(word: Word): number {
  if (Number.isInteger(Number(word.text))) return Number(word.text);
  throw new TextMistake('this is no whole number', word);
}

/** That changes are between modes in which something goes, of which the first is that at the start. */
function checkModes(rows: readonly Placed<ModeRow | ModeChange>[], mistakes: Diagnostic[]): void {
  const known = new Set(rows.flatMap(({ row }) => (row instanceof ModeRow ? [row.mode] : [])));
  for (const { row, locate, length } of rows) {
    for (const mode of row instanceof ModeChange ? [row.from, row.to] : []) {
      if (known.has(mode)) continue;
      mistakes.push({
        message: `no row says what goes in the mode "${mode}"`,
        place: locate(0, length),
        hint: suggest(mode, known),
      });
    }
  }
}
