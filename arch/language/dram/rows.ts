/** The rows of a standard's tables, a line each; empty lines and `#` comments are skipped. */
import { List, OrderedMap } from 'immutable';
import { type Diagnostic, suggest } from '../diagnostics.ts';
import { beginsExpression, type Expression, expressionOf, wholeExpression } from './expression.ts';
import type { RowText } from './extend.ts';
import { appliesOf, computesOf, executesOf, movesOf, multipliesOf, targetOf } from './pim.ts';
import { CommandRow, ConstraintRow } from './standard.ts';
import { countNames } from './timings.ts';
import { attempt, type Locate, TextMistake, type Word, type Words } from './words.ts';

/** A row that was read, and where it stands. */
export interface Placed<Row> {
  readonly row: Row;
  readonly locate: Locate;
  /** Characters of its line, without the comment. */
  readonly length: number;
}

export interface PlacedCommand extends Placed<CommandRow> {
  /** Whether it stands for the one of its name that an extending file takes over. */
  readonly isInstead: boolean;
  /** How long it takes; undefined where that is not said. */
  readonly takes: Expression | undefined;
}

export interface PlacedConstraint extends Placed<ConstraintRow> {
  readonly latency: Expression;
}

/** `P_HEADER nFAW * opens + nRCDRD`. */
export interface PlacedEstimate {
  readonly command: string;
  readonly text: string;
  readonly expression: Expression;
  readonly locate: Locate;
}

/** Rows of a table: what `read` makes of each of its lines. */
function linesOf<T>({ text, locate }: RowText, read: (line: string, locate: Locate) => T | undefined): T[] {
  let start = 0;
  return text.split('\n').flatMap((line) => {
    const base = start;
    start += line.length + 1;
    if (line.replace(/#.*/, '').trim() === '') return [];
    const row = read(line, (offset, length) => locate(base + offset, length));
    return row === undefined ? [] : [row];
  });
}

/** A row without its comment, in single spaces. */
function plain(line: string): string {
  return line.replace(/#.*/, '').trim().replace(/\s+/g, ' ');
}

/** Commands; `levels` from the channel to the bank. */
export function parseCommands(table: RowText, levels: readonly string[], mistakes: Diagnostic[]): PlacedCommand[] {
  return linesOf(table, (line, here) => {
    const read = attempt(line, here, mistakes, (words) => commandOf(words, levels, line));
    return read && { ...read, locate: here, length: line.replace(/#.*/, '').trimEnd().length };
  });
}

const buses: readonly string[] = ['row', 'column', 'both'] satisfies CommandRow['bus'][];

function commandOf(words: Words, levels: readonly string[], line: string): Omit<PlacedCommand, 'locate' | 'length'> {
  const name = words.expect('name', 'the name of a command');
  const bus = words.expect('name', 'a bus', 'row, column or both');
  if (!isBus(bus.text)) throw new TextMistake(`"${bus.text}" is no bus`, bus, suggest(bus.text, buses));
  const cycles = cyclesOf(words);
  let row = new CommandRow({ name: name.text, bus: bus.text, cycles });
  if (words.peek().kind === 'end') {
    throw new TextMistake(`"${name.text}" does nothing`, name, 'such as "opens bank", "reads" or "closes rank"');
  }
  let takes: Expression | undefined;
  do {
    if (words.takeIf('takes')) {
      const { start } = words.peek();
      takes = expressionOf(words);
      row = row.set('takes', plain(line.slice(start, words.end)));
      continue;
    }
    const effect = effectOf(words, levels);
    row = row.merge(row.pim && effect.pim ? { ...effect, pim: row.pim, second: effect.pim } : effect);
  } while (words.takeIf(','));
  const isInstead = words.takeIf('instead');
  if (words.peek().kind !== 'end') words.fail('a comma', 'between two effects');
  return { row, isInstead, takes };
}

function isBus(name: string): name is CommandRow['bus'] {
  return buses.includes(name);
}

function cyclesOf(words: Words): number {
  if (words.peek().kind !== 'number') return 1;
  const number = words.take();
  words.expectText('CK', `write "${number.text} CK"`);
  if (Number(number.text) > 0) return Number(number.text);
  throw new TextMistake('a command takes some time on its bus', number);
}

type Effect = Partial<Omit<EffectOfRow, 'second'>>;
type EffectOfRow = Pick<
  CommandRow,
  | 'level'
  | 'each'
  | 'together'
  | 'rowBuffer'
  | 'banks'
  | 'access'
  | 'refreshes'
  | 'manages'
  | 'syncs'
  | 'pim'
  | 'second'
  | 'most'
  | 'prepares'
>;

const synced: ReadonlyMap<string, CommandRow['syncs']> = new Map([
  ['reads', 'read'],
  ['writes', 'write'],
  ['accesses', 'any'],
]);

type ReadEffect = (words: Words, levels: readonly string[]) => Effect;

/** What commands do, by verb. */
const effects: ReadonlyMap<string, ReadEffect> = new Map<string, ReadEffect>([
  ['opens', (words, levels) => ({ banks: 'opens', ...targetOf(words, levels), together: words.takeIf('together') })],
  ['activates', (words) => ({ banks: 'activates', level: bankOf(words) })],
  ['closes', (words, levels) => ({ banks: 'closes', ...closedOf(words, levels) })],
  ['reads', () => ({ access: 'read' })],
  ['writes', () => ({ access: 'write' })],
  ['refreshes', (words, levels) => ({ refreshes: true, level: levelOf(words, levels) })],
  ['manages', (words, levels) => ({ manages: true, level: levelOf(words, levels) })],
  ['syncs', (words) => ({ syncs: syncsOf(words) })],
  ['starts', (words) => clockOf(words)],
  ['stops', (words) => clockOf(words)],
  ['multiplies', (words, levels) => multipliesOf(words, levels)],
  ['executes', (words, levels) => executesOf(words, levels)],
  ['prepares', (words, levels) => ({ prepares: true, ...targetOf(words, levels) })],
  ['moves', (words, levels) => movesOf(words, levels)],
  ['applies', (words) => appliesOf(words)],
  ['computes', (words, levels) => computesOf(words, levels)],
  ['changes', (words) => modeOf(words)],
]);

function effectOf(words: Words, levels: readonly string[]): Effect {
  const verb = words.expect('name', 'what the command does', `one of ${[...effects.keys()].join(', ')}`);
  const effect = effects.get(verb.text);
  if (effect) return effect(words, levels);
  throw new TextMistake(`no command "${verb.text}" anything`, verb, suggest(verb.text, effects.keys()));
}

/** `closes rank`, or a bank, which may be that of each node of some levels; perhaps `in` a row buffer. */
function closedOf(words: Words, levels: readonly string[]): Pick<CommandRow, 'level' | 'each' | 'rowBuffer'> {
  if (words.peek().text === 'bank') return targetOf(words, levels);
  const level = levelOf(words, levels);
  return { level, each: List(), rowBuffer: words.takeIf('in') ? words.expect('name', 'a row buffer').text : '' };
}

/** The level that a command names a node of. */
export function levelOf(words: Words, levels: readonly string[]): string {
  const word = words.expect('name', 'a level', `one of ${levels.join(', ')}`);
  if (levels.includes(word.text)) return word.text;
  throw new TextMistake(`there is no level "${word.text}"`, word, suggest(word.text, levels));
}

function bankOf(words: Words): string {
  words.expectText('bank', 'a row is opened in one bank');
  return 'bank';
}

function syncsOf(words: Words): CommandRow['syncs'] {
  const word = words.expect('name', 'what is synchronised', `one of ${[...synced.keys()].join(', ')}`);
  const syncs = synced.get(word.text);
  if (syncs) return syncs;
  throw new TextMistake(`nothing syncs "${word.text}"`, word, suggest(word.text, synced.keys()));
}

/** `starts clock`: of a clock that the controller leaves running, so that the command only takes its time. */
function clockOf(words: Words): Effect {
  words.expectText('clock', 'only a clock is started or stopped');
  return { level: 'channel' };
}

/** How long the work takes that commands begin. */
export function parseEstimates(table: RowText, commands: readonly string[], mistakes: Diagnostic[]): PlacedEstimate[] {
  return linesOf(table, (line, locate) =>
    attempt(line, locate, mistakes, (words) => {
      const command = words.expect('name', 'a command', `one of ${commands.join(', ')}`);
      if (!commands.includes(command.text)) {
        throw new TextMistake(`there is no command "${command.text}"`, command, suggest(command.text, commands));
      }
      const { start } = words.peek();
      const expression = wholeExpression(words);
      return { command: command.text, text: plain(line.slice(start)), expression, locate };
    }),
  );
}

/** `changes mode`: which one, the table of modes says. */
function modeOf(words: Words): Effect {
  words.expectText('mode', 'only the mode is changed');
  return { level: 'channel' };
}

/** Constraints between the named commands. */
export function parseConstraints(
  table: RowText,
  levels: readonly string[],
  commands: readonly string[],
  mistakes: Diagnostic[],
): PlacedConstraint[] {
  return linesOf(table, (line, here) =>
    attempt(line, here, mistakes, (words) => constraintOf(words, levels, commands, line, here)),
  );
}

function constraintOf(
  words: Words,
  levels: readonly string[],
  commands: readonly string[],
  line: string,
  locate: Locate,
): PlacedConstraint {
  const counts = countNames(levels);
  const isLatency = (word: Word): boolean => beginsExpression(word) || counts.includes(word.text);
  const level = levelOf(words, levels);
  const after = commandsOf(words, commands, isLatency);
  words.expectText('->', 'it stands between what comes before and what waits');
  const before = commandsOf(words, commands, isLatency);
  const { start } = words.peek();
  if (!isLatency(words.peek())) words.fail('how long they wait at least', 'such as "nRCD"');
  const latency = expressionOf(words);
  const row = new ConstraintRow({
    level,
    after: List(after),
    before: List(before),
    latency: plain(line.slice(start, words.end)),
    text: plain(line),
    ...scopeOf(words, level, levels),
  });
  return { row, latency, locate, length: line.replace(/#.*/, '').trimEnd().length };
}

/** Commands up to the first word that is none. */
function commandsOf(words: Words, commands: readonly string[], isLatency: (word: Word) => boolean): string[] {
  const names: string[] = [];
  do {
    const word = words.expect('name', 'a command', `one of ${commands.join(', ')}`);
    if (!commands.includes(word.text)) {
      throw new TextMistake(`there is no command "${word.text}"`, word, suggest(word.text, commands));
    }
    names.push(word.text);
  } while (words.peek().kind === 'name' && !isLatency(words.peek()));
  return names;
}

function scopeOf(
  words: Words,
  level: string,
  levels: readonly string[],
): Pick<ConstraintRow, 'window' | 'sibling' | 'at'> {
  let window = 1;
  let sibling = false;
  let at = OrderedMap<string, string | number>();
  while (words.peek().kind !== 'end') {
    const word = words.take();
    if (word.text === 'window') window = windowOf(words);
    else if (word.text === 'at' && level === 'bank') at = at.set(...indexOf(words, levels));
    else if (word.text !== 'sibling') {
      throw new TextMistake(`"${word.text}" does not go on`, word, 'an operator, "window 4" or "sibling" may follow');
    } else if (level === levels[0]) {
      throw new TextMistake(`a ${level} has no siblings`, word);
    } else sibling = true;
  }
  return { window, sibling, at };
}

/** `bankGroup 0`, or `bankGroup rank`: the index at a level, or the level above whose index it is. */
function indexOf(words: Words, levels: readonly string[]): [string, string | number] {
  const level = levelOf(words, levels);
  return [level, words.peek().kind === 'number' ? Number(words.take().text) : levelOf(words, levels)];
}

function windowOf(words: Words): number {
  const word = words.take();
  const window = Number(word.text);
  if (word.kind === 'number' && Number.isInteger(window) && window > 0) return window;
  throw new TextMistake('a window is a whole number of commands, at least 1', word, 'such as "window 4"');
}
