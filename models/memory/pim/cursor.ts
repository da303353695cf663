/** A PIM program, expanded one command at a time, or one run of commands to a row. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimInstruction, PimProgram } from '../../../workloads/language/pim-program.ts';
import {
  bankRegister,
  columnRegister,
  commandOf,
  entryRegister,
  lengthOf,
  type Prepared,
  preparedOf,
  rowRegister,
  sumRegister,
  type Tile,
} from './prepared.ts';

export { barrierCommand, instructionCommand, syncCommand } from './prepared.ts';

/** A repeat that is under way, or the program itself. */
interface Frame {
  readonly steps: readonly Prepared[];
  readonly tile: Tile | null;
  readonly times: number;
  iteration: number;
  at: number;
}

export class ProgramCursor {
  /** The command that `next` has come to: its index in the device, or what stands for something else. */
  command = 0;
  channel = 0;
  /** First bank that it names. */
  bank = 0;
  row = 0;
  column = 0;
  entry = 0;
  sum = 0;
  /** The step that it belongs to, the number that this began with, its own, and those to its row that are left with it. */
  step: Prepared | null = null;
  first = 0;
  number = 0;
  count = 1;
  multiplications = 1;
  results = 1;
  /** The tile that the command in hand is the first one of; null where it is of none. */
  tile: Tile | null = null;
  /** Iterations of the innermost repeat around that are done. */
  iteration = 0;
  readonly #frames: Frame[] = [];
  /** That rows count from. */
  readonly #base: number;
  /** Of the step in hand: the number of the next command, and the one to stop before. */
  #from = 0;
  #to = 0;

  /**
   * `row`: that rows of the program count from, but for what is copied from a row.
   * @throws InputError when the program names commands, levels or banks that the device does not have.
   */
  constructor(program: PimProgram, device: DramDevice, row = 0) {
    this.#base = row;
    this.begin(preparedOf(program, device), 0);
  }

  /** Begins with other steps, as in an iteration of a repeat. */
  begin(program: readonly Prepared[], iteration: number): void {
    this.#frames.length = 0;
    this.#frames.push({ steps: program, tile: null, times: 1, iteration, at: 0 });
    this.#from = this.#to = 0;
  }

  /** Goes on to the next command; false after the last. */
  next(): boolean {
    while (this.#from >= this.#to) if (!this.#nextStep()) return false;
    const number = this.#from++;
    this.#come(number);
    return true;
  }

  /**
   * Cycles at least from the command in hand to the last one of the program, which are in order. `apart`: cycles at least
   * from a command that multiplies so many columns to the next of it.
   */
  toEnd(apart: (command: number, multiplications: number) => number): number {
    const step = this.step!;
    let cycles = step.command < 0 ? 0 : (this.#to - this.#from) * apart(step.command, step.multiplications);
    const frames = this.#frames;
    for (let depth = 0; depth < frames.length; depth++) cycles += toEndOf(frames[depth]!, frames[depth]!.at, apart);
    return cycles;
  }

  /** The same from the last command of the tile in hand on. */
  toEndAfterTile(apart: (command: number, multiplications: number) => number): number {
    const frames = this.#frames;
    let cycles = 0;
    for (let depth = 0; depth < frames.length; depth++) {
      const { steps, at } = frames[depth]!;
      cycles += toEndOf(frames[depth]!, depth === frames.length - 1 ? steps.length : at, apart);
    }
    return cycles;
  }

  /** The command that the program ends with; -1 where that is not known beforehand. */
  get last(): number {
    let [{ steps }] = this.#frames as [Frame];
    for (;;) {
      const end = steps.at(-1)?.step.kind === 'barrier' ? steps.at(-2) : steps.at(-1);
      if (!end) return -1;
      if (end.step.kind === 'commands') return end.step.of === undefined && end.step.count > 0 ? end.command : -1;
      if (end.step.kind !== 'repeat' || end.step.times < 1) return -1;
      steps = end.steps;
    }
  }

  /** Goes on by some commands of the run. */
  skip(commands: number): void {
    this.#from += commands;
  }

  #come(number: number): void {
    const step = this.step!;
    this.number = number;
    this.count = step.command < 0 ? 1 : step.runAt(number, this.#to);
    this.command = step.command;
    const address = step.addressOf(number, this.first, this.#base);
    this.channel = address[0]!;
    this.bank = address[bankRegister]!;
    this.row = address[rowRegister]!;
    this.column = address[columnRegister]!;
    this.entry = address[entryRegister]!;
    this.sum = address[sumRegister]!;
  }

  /** Comes to the next step that may send something; false when there is none. */
  #nextStep(): boolean {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (!frame) return false;
      if (frame.at === frame.steps.length) {
        frame.at = 0;
        if (++frame.iteration >= frame.times) this.#frames.pop();
        continue;
      }
      const prepared = frame.steps[frame.at++]!;
      const { step } = prepared;
      if (step.kind === 'repeat') {
        if (step.times > 0 && prepared.steps.length > 0) {
          const { steps, tile } = prepared;
          this.#frames.push({ steps, tile, times: step.times, iteration: 0, at: 0 });
        }
        continue;
      }
      this.step = prepared;
      this.tile = frame.at === 1 ? frame.tile : null;
      this.iteration = frame.iteration;
      this.multiplications = prepared.multiplications;
      this.results = prepared.results;
      this.first = step.kind === 'commands' ? (step.first ?? 0) + (step.step ?? 0) * frame.iteration : 0;
      this.#from = Math.max(0, this.first);
      this.#to = this.first + lengthOf(step);
      if (step.kind === 'commands') this.#to = Math.min(this.#to, step.of ?? Number.MAX_SAFE_INTEGER);
      return true;
    }
  }
}

/** Cycles at least that the steps of a frame take from one on, and those of its further iterations. */
function toEndOf(
  { steps, times, iteration }: Frame,
  from: number,
  apart: (command: number, multiplications: number) => number,
): number {
  let all = 0;
  let own = 0;
  for (let i = 0; i < steps.length; i++) {
    const span = steps[i]!.spanBy(apart);
    all += span;
    if (i >= from) own += span;
  }
  return own + (times - iteration - 1) * all;
}

/** Indices of the commands that a program may send. @throws InputError on one that the device does not have. */
export function commandsIn(program: PimProgram, device: DramDevice): Set<number> {
  const found = new Set<number>();
  for (const step of program) {
    if (step.kind === 'commands') found.add(commandOf(step.command, device));
    if ('steps' in step) for (const command of commandsIn(step.steps, device)) found.add(command);
  }
  return found;
}

/** The instructions of a program. */
export function instructionsIn(program: PimProgram): PimInstruction[] {
  return program.flatMap((step) => {
    if (step.kind === 'instruction') return [step];
    return step.kind === 'repeat' ? instructionsIn(step.steps) : [];
  });
}
