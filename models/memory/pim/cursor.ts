/** A PIM program, expanded one command at a time, or one run of commands to a row. */

import { InputError, suggest } from '../../../arch/language/diagnostics.ts';
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimCommands, PimInstruction, PimProgram, PimStep } from '../../../workloads/language/pim-program.ts';

/** Command indices that stand for a barrier, a sync, and an instruction, whose commands are in `steps`. */
export const barrierCommand = -1;
export const syncCommand = -2;
export const instructionCommand = -3;

/** Where the values of a field go: a number of `Address`, and by how much one step of the field moves it. */
interface Axis {
  readonly count: number;
  readonly register: number;
  readonly stride: number;
}

const registers: readonly string[] = ['channel', 'bank', 'row', 'column', 'entry', 'sum'];
const [bankRegister, rowRegister, columnRegister, entryRegister, sumRegister] = [1, 2, 3, 4, 5];

interface Place {
  column: number;
  entry: number;
  sum: number;
}

/** Addresses of a step's commands by number. */
export interface RunStep {
  /** Whether a number's command is to another row than the one before. */
  startsRun(number: number): boolean;
  /** Writes where command `number` of a step that began with `first` is in its row and in buffers. */
  locate(number: number, first: number, into: Place): void;
}

/** A step of a program, ready to be expanded. */
export class Prepared implements RunStep {
  readonly step: PimStep;
  /** Of `commands`: index of the command; what stands for one of a barrier, a sync and an instruction. */
  readonly command: number;
  readonly #axes: readonly Axis[];
  readonly #beside: readonly Axis[];
  /** Where the first address is, by register. */
  readonly #at: Float64Array;
  /** Commands to one row, one after another. */
  readonly #run: number;
  /** Of `repeat` and of an instruction. */
  readonly steps: readonly Prepared[];
  readonly #address = new Float64Array(registers.length);
  /** Columns that each command multiplies, or that the work has which it begins, and results of that. */
  readonly multiplications: number = 1;
  readonly results: number = 1;

  /** @throws InputError when the step names commands, levels or banks that the device does not have. */
  constructor(step: PimStep, device: DramDevice) {
    this.step = step;
    this.steps =
      step.kind === 'repeat' || step.kind === 'instruction' ? step.steps.map((one) => new Prepared(one, device)) : [];
    this.command = {
      barrier: barrierCommand,
      sync: syncCommand,
      instruction: instructionCommand,
      repeat: 0,
      commands: 0,
    }[step.kind];
    this.#axes = [];
    this.#beside = [];
    this.#at = new Float64Array(registers.length);
    this.#run = 1;
    if (step.kind === 'barrier') {
      this.#at = startOf({ channel: step.first ?? 0 }, device);
      this.#axes = axesOf([['channel', step.channels]], device);
    }
    if (step.kind !== 'commands') return;
    this.command = commandOf(step.command, device);
    this.multiplications = multiplicationsOf(step, device);
    this.results = step.results ?? 1;
    this.#at = startOf(step.at ?? {}, device);
    this.#axes = axesOf(step.order, device);
    this.#beside = axesOf(step.beside ?? [], device);
    const moves = this.#axes.findIndex(({ register }) => register < columnRegister);
    const inRow = moves < 0 ? Number.POSITIVE_INFINITY : sizeOf(this.#axes.slice(0, moves));
    const { access, pim } = device.commands[this.command]!;
    // What answers is waited for one by one.
    const isPlain = access === 'none' && pim?.to !== 'host';
    if (isPlain && this.#beside.every(({ register }) => register >= columnRegister)) this.#run = inRow;
  }

  startsRun(number: number): boolean {
    return this.#run === 1 || (number % this.#run === 0 && this.#run !== Number.POSITIVE_INFINITY);
  }

  /** Commands from a number on that are to its row, itself included, of those before `to`. */
  runAt(number: number, to: number): number {
    const left = this.#run === Number.POSITIVE_INFINITY ? to : this.#run - (number % this.#run);
    return Math.min(left, to - number);
  }

  /** The address of a command, by register; valid until asked again. */
  addressOf(number: number, first: number): Float64Array {
    this.#address.set(this.#at);
    this.#count(this.#axes, number);
    this.#count(this.#beside, number - first);
    return this.#address;
  }

  locate(number: number, first: number, into: Place): void {
    const address = this.addressOf(number, first);
    into.column = address[columnRegister]!;
    into.entry = address[entryRegister]!;
    into.sum = address[sumRegister]!;
  }

  /** Adds the values that some fields have at a number. */
  #count(axes: readonly Axis[], number: number): void {
    let rest = number;
    for (let i = 0; i < axes.length; i++) {
      const { count, register, stride } = axes[i]!;
      this.#address[register]! += (rest % count) * stride;
      rest = Math.floor(rest / count);
    }
  }
}

function sizeOf(axes: readonly Axis[]): number {
  return axes.reduce((all, { count }) => all * count, 1);
}

/** A repeat that is under way, or the program itself. */
interface Frame {
  readonly steps: readonly Prepared[];
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
  /** Iterations of the innermost repeat around that are done. */
  iteration = 0;
  readonly #frames: Frame[] = [];
  /** Of the step in hand: the number of the next command, and the one to stop before. */
  #from = 0;
  #to = 0;

  /** @throws InputError when the program names commands, levels or banks that the device does not have. */
  constructor(program: PimProgram, device: DramDevice) {
    this.begin(
      program.map((step) => new Prepared(step, device)),
      0,
    );
  }

  /** Begins with other steps, as in an iteration of a repeat. */
  begin(program: readonly Prepared[], iteration: number): void {
    this.#frames.length = 0;
    this.#frames.push({ steps: program, times: 1, iteration, at: 0 });
    this.#from = this.#to = 0;
  }

  /** Goes on to the next command; false after the last. */
  next(): boolean {
    while (this.#from >= this.#to) if (!this.#nextStep()) return false;
    const number = this.#from++;
    this.#come(number);
    return true;
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
    const address = step.addressOf(number, this.first);
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
          this.#frames.push({ steps: prepared.steps, times: step.times, iteration: 0, at: 0 });
        }
        continue;
      }
      this.step = prepared;
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

/** What a step hands out: its commands; a barrier for each channel; a sync and an instruction as one. */
function lengthOf(step: PimStep): number {
  if (step.kind === 'commands') return step.count;
  return step.kind === 'barrier' ? step.channels : 1;
}

/** The address that a step begins at, by register. */
function startOf(at: { readonly [field: string]: number }, device: DramDevice): Float64Array {
  const start = new Float64Array(registers.length);
  for (const [field, value] of Object.entries(at)) {
    const level = device.levels.indexOf(field);
    const most = level < 1 ? Number.POSITIVE_INFINITY : device.counts[level]!;
    if (value >= most)
      throw new InputError({
        message: `${device.name} has ${most} ${field}s, counted from 0, but no ${field} ${value}`,
      });
    const [axis] = axesOf([[field, 1]], device);
    if (axis) start[axis.register]! += value * axis.stride;
  }
  return start;
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

function commandOf(name: string, device: DramDevice): number {
  const index = device.commands.findIndex((command) => command.name === name);
  if (index >= 0) return index;
  const hint = suggest(
    name,
    device.commands.map((command) => command.name),
  );
  throw new InputError({ message: `${device.name} has no command "${name}"`, hint });
}

/** @throws InputError when one command does not multiply so many columns. */
function multiplicationsOf({ command, multiplications = 1 }: PimCommands, device: DramDevice): number {
  const { most = 1, prepares } = device.commands[commandOf(command, device)]!;
  if (multiplications <= most || prepares) return multiplications;
  throw new InputError({ message: `${command} of ${device.name} multiplies ${most} columns, not ${multiplications}` });
}

function axesOf(order: PimCommands['order'], device: DramDevice): Axis[] {
  return order.map(([field, count, stride = 1]) => {
    const level = device.levels.indexOf(field);
    if (level < 1) return { count, register: registerOf(field, device), stride };
    const last = (count - 1) * stride + 1;
    if (last <= device.counts[level]!) return { count, register: 1, stride: stride * banksBelow(device, level) };
    throw new InputError({ message: `${device.name} has ${device.counts[level]} ${field}s, not ${last}` });
  });
}

function registerOf(field: string, device: DramDevice): number {
  const fields = [...registers.filter((name) => name !== 'bank'), ...device.levels.slice(1)];
  const register = registers.indexOf(field);
  if (register >= 0 && field !== 'bank') return register;
  throw new InputError({
    message: `there is no field "${field}" in an address of ${device.name}`,
    hint: suggest(field, fields),
  });
}

/** Banks below one node of a level. */
function banksBelow(device: DramDevice, level: number): number {
  const above = device.counts.slice(0, level + 1).reduce((all, nodes) => all * nodes, 1);
  return banksOf(device) / above;
}
