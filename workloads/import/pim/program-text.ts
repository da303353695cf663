/**
 * PIM programs as text, a step on a line:
 *
 *     WRGB 8 over entry 8                                # eight commands, entries 0 to 7
 *     barrier                                            # of channel 0; `barrier 16`: of the first sixteen
 *     repeat 4
 *       MACAB 64 over column 32, row 16 at row 5 step 64
 *     end
 *     RD 16 over column 16 at bank 3, row 7              # an ordinary access, in the queue of requests
 *
 * A step is a command and how often it is sent, once where nothing is said. `over`, `beside`, `at`, `first`, `step` and `of`
 * are those of `PimCommands`.
 */
import { type Diagnostic, InputError, suggest } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { attempt, TextMistake, type Word, type Words } from '../../../arch/language/dram/words.ts';
import type { PimCommands, PimProgram, PimStep } from '../../language/pim-program.ts';
import { mostMistakes, textOf } from './text.ts';

/** What PIM commands are sent, and what ordinary accesses beside them. */
export interface PimPrograms {
  readonly program: PimProgram;
  readonly accesses: PimProgram;
}

/** @throws InputError when the file cannot be read, or with its wrong lines */
export function readPimProgram(file: string, device: DramDevice): PimPrograms {
  const reader = new Reader(device, file);
  for (const [index, line] of textOf(file).split('\n').entries()) reader.line(line, index + 1);
  const steps = reader.end();
  const isAccess = (name: string): boolean =>
    device.commands.some((command) => command.name === name && command.access !== 'none');
  return { program: part(steps, (name) => !isAccess(name)), accesses: part(steps, isAccess) };
}

/** The steps that send commands of one kind; barriers are for PIM commands. */
function part(steps: PimProgram, belongs: (command: string) => boolean): PimProgram {
  return steps.flatMap((step): PimStep[] => {
    if (step.kind === 'commands') return belongs(step.command) ? [step] : [];
    if (step.kind !== 'repeat') return belongs('') ? [step] : [];
    const inside = part(step.steps, belongs);
    return inside.length > 0 ? [{ ...step, steps: inside }] : [];
  });
}

interface Open {
  readonly times: number;
  readonly steps: PimStep[];
  /** Where its `repeat` stands; null of the program itself. */
  readonly opened: Diagnostic['place'] | null;
}

const clauses = ['over', 'beside', 'at', 'first', 'step', 'of'] as const;
type Numbers = { readonly [clause in 'first' | 'step' | 'of']?: number };

class Reader {
  readonly #device: DramDevice;
  readonly #file: string;
  readonly #names: readonly string[];
  readonly #fields: readonly string[];
  readonly #mistakes: Diagnostic[] = [];
  readonly #open: Open[] = [{ times: 1, steps: [], opened: null }];

  constructor(device: DramDevice, file: string) {
    this.#device = device;
    this.#file = file;
    this.#names = device.commands.map(({ name }) => name);
    this.#fields = [...device.levels, 'row', 'column', 'entry', 'sum'];
  }

  line(text: string, line: number): void {
    const locate = (offset: number, length: number) => ({ file: this.#file, line, column: offset + 1, length, text });
    attempt(text, locate, this.#mistakes, (words) => {
      if (words.peek().kind === 'end') return;
      this.#step(words, locate(words.peek().start, words.peek().text.length));
      if (words.peek().kind !== 'end') words.fail('the end of the step', `one of ${clauses.join(', ')} may follow`);
    });
  }

  /** @throws InputError with all mistakes */
  end(): PimProgram {
    const { opened, steps } = this.#open.at(-1)!;
    if (opened) this.#mistakes.push({ message: 'this "repeat" has no end', place: opened, hint: 'write "end"' });
    if (this.#mistakes.length > 0) throw new InputError(this.#mistakes.slice(0, mostMistakes));
    return steps;
  }

  #step(words: Words, place: Diagnostic['place']): void {
    const { steps } = this.#open.at(-1)!;
    const word = words.expect('name', 'a command, "repeat", "end" or "barrier"');
    if (word.text === 'repeat') {
      this.#open.push({ times: countOf(words, 'how often'), steps: [], opened: place ?? null });
    } else if (word.text === 'end') this.#close(word);
    else if (word.text === 'barrier') {
      const channels = words.peek().kind === 'number' ? countOf(words, 'channels') : 1;
      const first = words.takeIf('first') ? countOf(words, 'the first channel') : 0;
      steps.push({ kind: 'barrier', channels, first });
    } else steps.push(this.#commands(word, words));
  }

  #close(word: Word): void {
    if (this.#open.length === 1) throw new TextMistake('no "repeat" is open here', word, 'remove it');
    const { times, steps } = this.#open.pop()!;
    this.#open.at(-1)!.steps.push({ kind: 'repeat', times, steps });
  }

  #commands(word: Word, words: Words): PimCommands {
    const command = word.text;
    if (!this.#names.includes(command)) {
      throw new TextMistake(
        `${this.#device.standard} has no command "${command}"`,
        word,
        suggest(command, this.#names),
      );
    }
    const count = words.peek().kind === 'number' ? countOf(words, 'how often') : 1;
    let order: PimCommands['order'] = [];
    let beside: PimCommands['order'] = [];
    let at: { readonly [field: string]: number } = {};
    let numbers: Numbers = {};
    while (words.peek().kind !== 'end') {
      const clause = words.expect('name', `one of ${clauses.join(', ')}`);
      if (clause.text === 'over') order = this.#values(words, 0);
      else if (clause.text === 'beside') beside = this.#values(words, 0);
      else if (clause.text === 'at') at = Object.fromEntries(this.#values(words, 1));
      else if (isNumbered(clause.text)) numbers = { ...numbers, [clause.text]: countOf(words, 'a number') };
      else throw new TextMistake(`"${clause.text}" means nothing here`, clause, suggest(clause.text, clauses));
    }
    return { kind: 'commands', command, order, beside, at, count, ...numbers };
  }

  /** `column 32, row 16`: fields and numbers, which with `above` are less than there are, else no more. */
  #values(words: Words, above: 0 | 1): [string, number][] {
    const values: [string, number][] = [];
    do {
      const field = words.expect('name', 'a field', `one of ${this.#fields.join(', ')}`);
      if (!this.#fields.includes(field.text)) {
        throw new TextMistake(`there is no field "${field.text}"`, field, suggest(field.text, this.#fields));
      }
      const number = words.peek();
      const value = countOf(words, 'a number');
      const most = this.#sizeOf(field.text) - above;
      if (value > most) {
        const hint = above === 1 ? `from 0 to ${most}` : `there are ${most}`;
        throw new TextMistake(`${this.#device.name} has no ${field.text} ${value}`, number, hint);
      }
      values.push([field.text, value]);
    } while (words.takeIf(','));
    return values;
  }

  /** How many of a field there are. */
  #sizeOf(field: string): number {
    const { levels, counts, rows, bursts } = this.#device;
    const level = levels.indexOf(field);
    if (level > 0) return counts[level]!;
    return { row: rows, column: bursts }[field] ?? Number.POSITIVE_INFINITY;
  }
}

function isNumbered(clause: string): clause is keyof Numbers {
  return clause === 'first' || clause === 'step' || clause === 'of';
}

function countOf(words: Words, what: string): number {
  const word = words.expect('number', what);
  if (Number.isInteger(Number(word.text))) return Number(word.text);
  throw new TextMistake(`${word.text} is not whole`, word);
}
