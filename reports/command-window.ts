/** Some of the commands that a channel was sent, for a picture of them one by one: those from a cycle on, up to a number. */
import { banksOf, type DramDevice, needsRow } from '../arch/language/dram/device.ts';

/** Commands that are kept at most: what one looks at closely is less, and a page with them stays small. */
const usual = 4000;

/** What a command is for: it has a colour in the picture. */
export const roles = ['opens', 'closes', 'reads', 'writes', 'multiplies', 'moves', 'refreshes'] as const;
type Role = (typeof roles)[number];

export interface WindowCommand {
  readonly name: string;
  readonly role: Role;
  /** Cycles for which it holds its banks. */
  readonly cycles: number;
  /** It acts on the banks at these distances from the first that it names; none: on no bank. */
  readonly banks: readonly number[];
}

export class CommandWindow {
  readonly device: DramDevice;
  /** Of the first command kept, or where it would be. */
  readonly from: number;
  /** In cycles; then the index of the command, the first bank that it names and the row. */
  readonly cycle: number[] = [];
  readonly command: number[] = [];
  readonly bank: number[] = [];
  readonly row: number[] = [];
  /** Whether there was more than could be kept. */
  isCut = false;
  /** By bank: whether a row was open before the first cycle. */
  readonly open: number[];
  readonly commands: readonly WindowCommand[];
  readonly #most: number;
  readonly #align: readonly (readonly [size: number, strides: readonly (readonly [count: number, stride: number])[]])[];

  constructor(device: DramDevice, from: number, most = usual) {
    this.#most = most;
    this.device = device;
    this.from = from;
    const below = device.counts.map((_, at) => device.counts.slice(at + 1).reduce((all, count) => all * count, 1));
    this.#align = device.commands.map(({ level, each = [] }) => [
      below[level]!,
      each.map((at) => [device.counts[at]!, below[at]!] as const),
    ]);
    this.commands = this.#described();
    this.open = new Array<number>(banksOf(device)).fill(0);
  }

  /** Takes a command up, in order of time. */
  add(tick: number, command: number, { bank, row }: { readonly bank: number; readonly row: number }): void {
    const cycle = Math.floor(tick / this.device.ticksPerClock);
    if (this.cycle.length === this.#most) {
      this.isCut = true;
      return;
    }
    const [size, strides] = this.#align[command]!;
    // The first of the banks that it names, so that all of them are at the same distances from it.
    let first = bank - (bank % size);
    for (const [count, stride] of strides) first -= (Math.floor(first / stride) % count) * stride;
    if (cycle < this.from) {
      const { banks: effect } = this.device.commands[command]!;
      if (effect === 'none') return;
      for (const distance of this.commands[command]!.banks) this.open[first + distance] = effect === 'opens' ? 1 : 0;
      return;
    }
    this.cycle.push(cycle);
    this.command.push(command);
    this.bank.push(first);
    this.row.push(
      needsRow(this.device.commands[command]!) || this.device.commands[command]!.banks === 'opens' ? row : -1,
    );
  }

  /** What is to be known of every command of the device. */
  #described(): WindowCommand[] {
    const { device } = this;
    const banks = banksOf(device);
    return device.commands.map((command, index) => {
      const [size, strides] = this.#align[index]!;
      const nodes = strides.reduce<number[]>(
        (all, [count, stride]) => all.flatMap((node) => Array.from({ length: count }, (_, i) => node + i * stride)),
        [0],
      );
      const role = roleOf(device, index);
      const acts = role !== 'moves' || needsRow(command);
      return {
        name: command.name,
        role,
        cycles: heldCycles(device, index, role),
        banks: acts ? nodes.flatMap((node) => Array.from({ length: Math.min(size, banks) }, (_, i) => node + i)) : [],
      };
    });
  }
}

function roleOf({ commands }: DramDevice, index: number): Role {
  const { banks, access, refreshes, pim } = commands[index]!;
  if (access !== 'none') return access === 'read' ? 'reads' : 'writes';
  if (pim) return pim.kind === 'multiplies' ? 'multiplies' : 'moves';
  if (refreshes) return 'refreshes';
  return banks === 'closes' ? 'closes' : 'opens';
}

/**
 * Cycles for which a command holds its banks: an opening until the first command that needs the row may follow, a closing and
 * a refresh until the first opening may, others until the same may follow. At least the cycles that it takes on its bus.
 */
function heldCycles(device: DramDevice, index: number, role: Role): number {
  const { commands, constraints, ticksPerClock } = device;
  const next = commands.flatMap((command, other) => {
    if (role === 'opens') return needsRow(command) ? [other] : [];
    if (role === 'closes' || role === 'refreshes') return command.banks === 'opens' ? [other] : [];
    return other === index ? [other] : [];
  });
  const waits = next
    .map((other) =>
      constraints
        .filter(
          ({ after, before, sibling, window }) =>
            !sibling && window === 1 && after.includes(index) && before.includes(other),
        )
        .reduce((longest, { latency }) => Math.max(longest, latency), 0),
    )
    .filter((latency) => latency > commands[index]!.ticks);
  const least = waits.length > 0 ? Math.min(...waits) : commands[index]!.ticks;
  return Math.ceil(least / ticksPerClock);
}
