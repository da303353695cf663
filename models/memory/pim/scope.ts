/** Whom commands act on, and which of them open and close the rows of whom. */
import { InputError } from '../../../arch/language/diagnostics.ts';
import { banksOf, type DramCommand, type DramDevice, needsRow } from '../../../arch/language/dram/device.ts';
import type { Refresh } from '../dram/policy.ts';

const none = -1;

/** Banks that commands of one target name: a node of a level, or the same one below each node of some levels above. */
export class Scope {
  /** The level of the nodes. */
  readonly level: number;
  /** Command that opens a row in just these banks, and one that closes their rows; -1 where there is none. */
  opens = none;
  closes = none;
  /** By bank: the first bank of each node that a command at this bank names, and all banks below them. */
  readonly #nodes: readonly Int32Array[];
  readonly #banks: readonly Int32Array[];

  constructor(device: DramDevice, { level, each = [] }: Pick<DramCommand, 'level' | 'each'>) {
    this.level = level;
    const below = device.counts.map((_, at) => device.counts.slice(at + 1).reduce((all, count) => all * count, 1));
    const size = below[level]!;
    const nodesAt = (bank: number): number[] =>
      each.reduce(
        (nodes, at) => {
          const { [at]: count = 1 } = device.counts;
          const { [at]: stride = 1 } = below;
          return nodes.flatMap((node) => {
            const first = node - (Math.floor(node / stride) % count) * stride;
            return Array.from({ length: count }, (_, i) => first + i * stride);
          });
        },
        [bank - (bank % size)],
      );
    const banks = Array.from({ length: banksOf(device) }, (_, bank) => bank);
    this.#nodes = banks.map((bank) => Int32Array.from(nodesAt(bank)).sort());
    this.#banks = this.#nodes.map((nodes) =>
      Int32Array.from([...nodes].flatMap((node) => Array.from({ length: size }, (_, i) => node + i))),
    );
  }

  /** Banks of the device. */
  get size(): number {
    return this.#banks.length;
  }

  nodes(bank: number): Int32Array {
    return this.#nodes[bank]!;
  }

  banks(bank: number): Int32Array {
    return this.#banks[bank]!;
  }
}

/** The scope of every command of a device. */
export function scopesOf(device: DramDevice): readonly Scope[] {
  const known = new Map<string, Scope>();
  const scopes = device.commands.map((command) => {
    const key = [command.level, ...(command.each ?? [])].join(' ');
    const scope = known.get(key) ?? new Scope(device, command);
    known.set(key, scope);
    return scope;
  });
  device.commands.forEach(({ banks, access }, index) => {
    const scope = scopes[index]!;
    if (banks === 'opens' && scope.opens === none) scope.opens = index;
    if (banks === 'closes' && access === 'none' && scope.closes === none) scope.closes = index;
  });
  device.commands.forEach((command, index) => {
    const { opens, closes } = scopes[index]!;
    if (!needsRow(command) || (opens !== none && closes !== none)) return;
    const message = `${device.name} has no commands that open and close, by themselves, the rows that ${command.name} needs`;
    throw new InputError({
      message,
      hint: 'machines run such a dialect: they name the rows that work needs before it begins',
    });
  });
  return scopes;
}

/** The command that closes the most rows at once: what goes before a refresh of all banks. */
export function widestPrecharge(device: DramDevice): number {
  return device.commands.reduce((widest, { banks, access, level }, index) => {
    if (banks !== 'closes' || access !== 'none') return widest;
    return widest === none || level < device.commands[widest]!.level ? index : widest;
  }, none);
}

/** Of every command whether it may be sent: those named, what opens and closes rows for them, and what refreshes need. */
export function sentFor(
  device: DramDevice,
  scopes: readonly Scope[],
  named: Iterable<number>,
  refresh: Refresh,
): boolean[] {
  const sent = new Set<number>();
  const refreshes = { 'all-bank': device.refresh.allBank, 'per-bank': device.refresh.perBank, none: null }[refresh];
  for (const command of [...named, ...(refreshes ? [refreshes.command] : [])]) {
    const { opens, closes } = scopes[command]!;
    sent.add(command).add(opens).add(closes);
  }
  if (refreshes) sent.add(widestPrecharge(device));
  for (const { commands } of device.modes?.changes ?? []) for (const command of commands) sent.add(command);
  return device.commands.map((_, command) => sent.has(command));
}
