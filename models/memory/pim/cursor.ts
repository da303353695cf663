/** A PIM program, expanded one command at a time. */

import { InputError, suggest } from '../../../arch/language/diagnostics.ts';
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import type { PimCommands, PimProgram, PimStep } from '../../../workloads/language/pim-program.ts';

/** A command index that stands for a barrier. */
export const barrierCommand = -1;

/** Where the values of a field go: a number of `Address`, and by how much one step of the field moves it. */
interface Axis {
  readonly count: number;
  readonly register: number;
  readonly stride: number;
}

const registers: readonly string[] = ['channel', 'bank', 'row', 'column', 'entry', 'sum'];

interface Prepared {
  readonly step: PimStep;
  /** Of `commands`: index of the command, and the fields. */
  readonly command: number;
  readonly axes: readonly Axis[];
  readonly beside: readonly Axis[];
  readonly multiplications: number;
  readonly results: number;
  /** Where the first address is, by register. */
  readonly at: Float64Array;
  /** Of `repeat`. */
  readonly steps: readonly Prepared[];
}

/** A repeat that is under way, or the program itself. */
interface Frame {
  readonly steps: readonly Prepared[];
  readonly times: number;
  iteration: number;
  at: number;
}

export class ProgramCursor {
  /** The command that `next` has come to: its index in the device, or `barrierCommand`. */
  command = 0;
  channel = 0;
  /** First bank that it names. */
  bank = 0;
  row = 0;
  column = 0;
  entry = 0;
  sum = 0;
  multiplications = 1;
  results = 1;
  readonly #frames: Frame[];
  /** Of the step in hand: the number of its first command, of the next one, and the one to stop before. */
  #first = 0;
  #from = 0;
  #to = 0;
  #step: Prepared | null = null;
  readonly #address = new Float64Array(registers.length);

  /** @throws InputError when the program names commands, levels or banks that the device does not have. */
  constructor(program: PimProgram, device: DramDevice) {
    this.#frames = [{ steps: program.map((step) => prepare(step, device)), times: 1, iteration: 0, at: 0 }];
  }

  /** Goes on to the next command; false after the last. */
  next(): boolean {
    while (this.#from >= this.#to) if (!this.#nextStep()) return false;
    const { command, axes, beside, at } = this.#step!;
    const number = this.#from++;
    this.command = command;
    const address = this.#address;
    address.set(at);
    this.#count(axes, number);
    this.#count(beside, number - this.#first);
    this.channel = address[0]!;
    this.bank = address[1]!;
    this.row = address[2]!;
    this.column = address[3]!;
    this.entry = address[4]!;
    this.sum = address[5]!;
    return true;
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
      this.#step = prepared;
      this.multiplications = prepared.multiplications;
      this.results = prepared.results;
      const first = step.kind === 'commands' ? (step.first ?? 0) + (step.step ?? 0) * frame.iteration : 0;
      const end =
        step.kind === 'commands' ? Math.min(first + step.count, step.of ?? Number.MAX_SAFE_INTEGER) : step.channels;
      this.#first = first;
      this.#from = Math.max(0, first);
      this.#to = end;
      return true;
    }
  }
}

function prepare(step: PimStep, device: DramDevice): Prepared {
  const none = {
    step,
    command: barrierCommand,
    axes: [],
    beside: [],
    multiplications: 1,
    results: 1,
    at: new Float64Array(registers.length),
    steps: [],
  };
  if (step.kind === 'repeat') return { ...none, steps: step.steps.map((inside) => prepare(inside, device)) };
  if (step.kind === 'barrier') {
    const at = startOf({ channel: step.first ?? 0 }, device);
    return { ...none, axes: axesOf([['channel', step.channels]], device), at };
  }
  return {
    ...none,
    command: commandOf(step.command, device),
    axes: axesOf(step.order, device),
    beside: axesOf(step.beside ?? [], device),
    multiplications: multiplicationsOf(step, device),
    results: step.results ?? 1,
    at: startOf(step.at ?? {}, device),
  };
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
    if (step.kind === 'repeat') for (const command of commandsIn(step.steps, device)) found.add(command);
  }
  return found;
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
