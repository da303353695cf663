/** Which commands open and close the rows that another one needs, part by part, in each row buffer. */
import { type DramCommand, type DramDevice, needsRow } from '../../../arch/language/dram/device.ts';
import { Scope } from './scope.ts';

const none = -1;

/** A command, and by bank the first banks of the parts of a target that it is sent to one by one. */
export interface Parts {
  /** -1: there is none. */
  readonly command: number;
  readonly first: readonly Int32Array[];
  /** By bank of the device: the banks of the part that it lies in. */
  readonly banks: readonly Int32Array[];
}

/** Banks that a command names, and what opens and closes rows in them. */
export class Target {
  readonly scope: Scope;
  /** The row buffer that it means. */
  readonly buffer: number;
  readonly opens: Parts;
  /** By row buffer. */
  readonly closes: readonly Parts[];

  constructor(device: DramDevice, command: DramCommand, scopes: readonly Scope[]) {
    this.buffer = command.rowBuffer ?? 0;
    this.scope = new Scope(device, command);
    const buffers = 1 + (device.rowBuffers?.length ?? 0);
    const parts = (which: (command: DramCommand) => boolean): Parts => partsOf(device, this.scope, scopes, which);
    this.opens = parts(({ banks, rowBuffer = 0 }) => banks === 'opens' && rowBuffer === this.buffer);
    this.closes = Array.from({ length: buffers }, (_, buffer) =>
      parts(({ banks, access, rowBuffer = 0 }) => banks === 'closes' && access === 'none' && rowBuffer === buffer),
    );
  }
}

/** The target of every command. @throws Error when a command needs rows that nothing opens or closes */
export function targetsOf(device: DramDevice): readonly Target[] {
  const scopes = device.commands.map((command) => new Scope(device, command));
  const targets = device.commands.map((command) => new Target(device, command, scopes));
  device.commands.forEach((command, index) => {
    const { opens, closes, buffer } = targets[index]!;
    if (!needsRow(command) || (opens.command !== none && closes[buffer]!.command !== none)) return;
    throw new Error(`${device.name} has no commands that open and close the rows that ${command.name} needs`);
  });
  return targets;
}

/** Of the commands that name no bank outside of a target, the one that names the most; the first of several. */
function partsOf(
  device: DramDevice,
  whole: Scope,
  scopes: readonly Scope[],
  which: (command: DramCommand) => boolean,
): Parts {
  let command = none;
  device.commands.forEach((candidate, index) => {
    if (!which(candidate) || !isWithin(scopes[index]!, whole)) return;
    if (command === none || scopes[index]!.banks(0).length > scopes[command]!.banks(0).length) command = index;
  });
  if (command === none) return { command, first: [], banks: [] };
  const part = scopes[command]!;
  const firsts = new Map<string, Int32Array>();
  const first = Array.from({ length: whole.size }, (_, bank) => {
    const banks = whole.banks(bank);
    const key = banks.join();
    const known = firsts.get(key) ?? banks.filter((one) => part.banks(one)[0] === one);
    firsts.set(key, known);
    return known;
  });
  return { command, first, banks: first.map((_, bank) => part.banks(bank)) };
}

function isWithin(part: Scope, whole: Scope): boolean {
  for (let bank = 0; bank < whole.size; bank++) {
    const banks = new Set(whole.banks(bank));
    if (![...banks].every((one) => part.banks(one).every((inside) => banks.has(inside)))) return false;
  }
  return true;
}
