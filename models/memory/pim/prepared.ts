/** The steps of a PIM program, made ready to be expanded: which commands, and where the fields of their addresses go. */

import { InputError, suggest } from '../../../arch/language/diagnostics.ts';
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimCommands, PimProgram, PimStep } from '../../../workloads/language/pim-program.ts';

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
export const [bankRegister, rowRegister, columnRegister, entryRegister, sumRegister] = [1, 2, 3, 4, 5] as const;

const origin = registers.map(() => 0);

interface Place {
  column: number;
  entry: number;
  sum: number;
}

/**
 * An iteration of a repeat that begins with a command that prepares, and all of whose commands are to its row, in every
 * iteration the same but for the row. Those of one shape are alike.
 */
export interface Tile {
  readonly shape: number;
  readonly commands: number;
  /** What its last step sends, and how many of that. */
  readonly last: number;
  readonly lasts: number;
}

const shapes = new Map<string, number>();

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
  readonly #at: readonly number[];
  /** Commands to one row, one after another. */
  readonly #run: number;
  /** Whether its rows count from that which a job begins with. What is copied from a row lies in the same one for all jobs. */
  readonly #isBased: boolean = false;
  #span: number | null = null;
  /** Of `repeat`: what it repeats; null where that is no tile. */
  readonly tile: Tile | null;
  /** Of `repeat` and of an instruction. */
  readonly steps: readonly Prepared[];
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
    this.tile = step.kind === 'repeat' ? tileOf(step.times, this.steps, device) : null;
    this.#axes = [];
    this.#beside = [];
    this.#at = origin;
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
    this.#isBased = pim?.kind !== 'moves' || pim.from !== 'row';
    if (isPlain && this.#beside.every(({ register }) => register >= columnRegister)) this.#run = inRow;
  }

  /** Cycles at least from its first command to its last; the same for all, as one device is what it was made ready for. */
  spanBy(apart: (command: number, multiplications: number) => number): number {
    this.#span ??= this.#spanOf(apart);
    return this.#span;
  }

  #spanOf(apart: (command: number, multiplications: number) => number): number {
    const { step } = this;
    if (step.kind === 'repeat') return step.times * this.steps.reduce((all, one) => all + one.spanBy(apart), 0);
    // What begins before the first or ends behind the last in some iteration may send nothing in that.
    if (step.kind !== 'commands' || (step.first ?? 0) < 0 || (step.step ?? 0) < 0 || step.of !== undefined) return 0;
    return Math.max(0, step.count - 1) * apart(this.command, this.multiplications);
  }

  startsRun(number: number): boolean {
    return this.#run === 1 || (number % this.#run === 0 && this.#run !== Number.POSITIVE_INFINITY);
  }

  /** Commands from a number on that are to its row, itself included, of those before `to`. */
  runAt(number: number, to: number): number {
    const left = this.#run === Number.POSITIVE_INFINITY ? to : this.#run - (number % this.#run);
    return Math.min(left, to - number);
  }

  /** The address of a command of a job that begins with a row, by register; valid until asked again. */
  addressOf(number: number, first: number, row = 0): readonly number[] {
    for (let i = 0; i < address.length; i++) address[i] = this.#at[i]!;
    if (this.#isBased) address[rowRegister]! += row;
    count(this.#axes, number);
    count(this.#beside, number - first);
    return address;
  }

  /** Of `commands`: whether those of each iteration, of so many, are to a row of their own in one bank, the next one each. */
  hasRowEach(times: number): boolean {
    const { step } = this;
    if (step.kind !== 'commands' || step.of !== undefined || (step.first ?? 0) !== 0) return false;
    const moves = this.#axes.findIndex(({ register }) => register < columnRegister);
    const rows = this.#axes[moves];
    if (rows === undefined || moves !== this.#axes.length - 1 || rows.register !== rowRegister) return false;
    const isPlain = this.#beside.every(({ register }) => register >= columnRegister);
    return (
      isPlain &&
      rows.stride === 1 &&
      rows.count >= times &&
      step.count === sizeOf(this.#axes.slice(0, moves)) &&
      (times === 1 || step.step === step.count)
    );
  }

  /** Whether it begins in the row that another one begins in. */
  hasRowsOf(other: Prepared): boolean {
    return this.#at[rowRegister] === other.#at[rowRegister];
  }

  /** Of `commands`: the first bank. */
  get bank(): number {
    return this.#at[bankRegister]!;
  }

  locate(number: number, first: number, into: Place): void {
    const address = this.addressOf(number, first);
    into.column = address[columnRegister]!;
    into.entry = address[entryRegister]!;
    into.sum = address[sumRegister]!;
  }
}

/** What `addressOf` returns. */
const address = registers.map(() => 0);

/** Adds to the address the values that some fields have at a number. */
function count(axes: readonly Axis[], number: number): void {
  let rest = number;
  for (let i = 0; i < axes.length; i++) {
    const { count, register, stride } = axes[i]!;
    address[register]! += (rest % count) * stride;
    rest = Math.floor(rest / count);
  }
}

function sizeOf(axes: readonly Axis[]): number {
  return axes.reduce((all, { count }) => all * count, 1);
}

function tileOf(times: number, steps: readonly Prepared[], device: DramDevice): Tile | null {
  const [first, ...rest] = steps;
  const last = rest.at(-1);
  if (!first || !last || !device.commands[first.command]?.prepares || lengthOf(first.step) !== 1) return null;
  const begins = ({ command }: Prepared): boolean => {
    const { prepares = false, estimate } = device.commands[command]!;
    return prepares || estimate !== undefined;
  };
  let name = '';
  let commands = 0;
  for (const prepared of steps) {
    const { step, command, multiplications, results, bank } = prepared;
    if (!prepared.hasRowEach(times) || !prepared.hasRowsOf(first)) return null;
    name += `${command} ${multiplications} ${results} ${bank} ${lengthOf(step)};`;
    commands += lengthOf(step);
  }
  if (rest.some(begins)) return null;
  const shape = shapes.get(name) ?? shapes.size;
  shapes.set(name, shape);
  return { shape, commands, last: last.command, lasts: lengthOf(last.step) };
}

const known = new WeakMap<DramDevice, WeakMap<PimProgram, readonly Prepared[]>>();

/** The steps of a program, made ready once for all channels that get it. */
export function preparedOf(program: PimProgram, device: DramDevice): readonly Prepared[] {
  const own = known.get(device) ?? new WeakMap<PimProgram, readonly Prepared[]>();
  known.set(device, own);
  const prepared = own.get(program) ?? program.map((step) => new Prepared(step, device));
  own.set(program, prepared);
  return prepared;
}

/** What a step hands out: its commands; a barrier for each channel; a sync and an instruction as one. */
export function lengthOf(step: PimStep): number {
  if (step.kind === 'commands') return step.count;
  return step.kind === 'barrier' ? step.channels : 1;
}

/** The address that a step begins at, by register. */
function startOf(at: { readonly [field: string]: number }, device: DramDevice): readonly number[] {
  const start = registers.map(() => 0);
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

export function commandOf(name: string, device: DramDevice): number {
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
