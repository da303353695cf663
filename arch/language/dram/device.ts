/**
 * A DRAM device in numbers: one organisation of a standard at one speed. What models run, and checkers check. Every time
 * is in ticks: the finest step at which a command can start, a clock cycle or half of one.
 */

import type { Expression } from './expression.ts';

/** What a command leaves of the banks it names: `activates` half-opens a row that a second command opens. */
export type BankEffect = 'none' | 'activates' | 'opens' | 'closes';

export interface DramCommand {
  readonly name: string;
  /** The command bus that it takes, or both of them; with a single bus, all commands share it whatever stands here. */
  readonly bus: 'row' | 'column' | 'both';
  /** Ticks that it takes on its bus. */
  readonly ticks: number;
  /** Index of the level it names a node of: the bank's for `ACT`, the rank's for `PREab`, which acts on all banks below. */
  readonly level: number;
  readonly banks: BankEffect;
  readonly access: 'none' | 'read' | 'write';
  readonly refreshes: boolean;
  /** Levels above `level` where it acts on the same index of every node; absent: on one node only. */
  readonly each?: readonly number[];
  /** Of one that opens rows in several banks: that they can only be closed together. */
  readonly together?: true;
  /** What processing in memory it does; absent for ordinary commands. */
  readonly pim?: DramPimEffect;
  /** What it does after that. */
  readonly second?: DramPimEffect;
  /** Columns that it multiplies at most, one after the other; absent: 1. */
  readonly most?: number;
  /** The row buffer whose rows it opens, closes or needs; absent: 0, the ordinary one. */
  readonly rowBuffer?: number;
  /**
   * It begins work on a row: before it, other rows are closed in its row buffer and banks, and that row in other row
   * buffers; requests to that row wait until the work is done.
   */
  readonly prepares?: true;
  /** How long the work that it begins takes at most, in ticks; it is not begun when a refresh falls due before. */
  readonly estimate?: DramEstimate;
  /** Synchronises the data clock for an access that follows in the next tick. */
  readonly syncs: 'none' | 'read' | 'write' | 'any';
  /** Ticks until what it does is done: data have come, or are written; absent: a tick, or those of a read or a write. */
  readonly takes?: number;
}

/**
 * What a command of a dialect does with numbers. `multiplies`: the column of an open row, in every bank that it names, by
 * an entry of the buffer `from`, added to the buffer `to`, in the units of a level. `moves`: an entry of `from` to `to`,
 * of which one may be the `host` and one the open `row`; in all units below what it names. `applies`: the function `from` to
 * the buffer `to`. `executes`: the next of the instructions in the buffer `from`, in every unit, on the column of the open
 * rows. `computes`: something with open rows and with buffers that is not told here.
 */
export interface DramPimEffect {
  readonly kind: 'multiplies' | 'moves' | 'applies' | 'executes' | 'computes';
  readonly from: string;
  readonly to: string;
  /** Index of the level each node of which has a unit; of `multiplies` and `executes` only, -1 otherwise. */
  readonly unit: number;
  /** Of `moves`: all columns of the row. */
  readonly whole?: true;
}

/** An expression whose timing parameters are ticks; it may name `closes`, `opens`, `multiplications` and `results`. */
export type DramEstimate = Expression;

/**
 * What computes: the type of its operands and of its sums, whether the products of a column are added up, and by how many
 * vectors a column is multiplied at once. An entry of operands is a column of each vector, a sum is one for each.
 */
export interface DramUnits {
  readonly type: string;
  readonly sums: string;
  readonly adds: 'tree' | 'lanes';
  /** Numbers that a command multiplies in each bank; absent: as many as an access has. */
  readonly lanes?: number;
  readonly vectors: number;
}

/** A buffer: one in every unit or at every node of a level, of so many entries of a column each. */
export interface DramBuffer {
  readonly name: string;
  /** Index of its level; -1: at the units. */
  readonly level: number;
  readonly entries: number;
  /** Of registers: the column at which the first entry is. */
  readonly column?: number;
}

/** What goes in which mode, and what leads from one to another. Banks are counted through the channel. */
export interface DramModes {
  /** That of the start first. */
  readonly names: readonly string[];
  /** By mode and command: whether it goes at any bank (true), at none (false), or the banks at which it goes. */
  readonly goes: readonly (readonly (boolean | readonly number[])[])[];
  /** Any of the commands, to `row` (-1: any) at each of `banks` (none: any one). What closes a row counts for that row. */
  readonly changes: readonly {
    readonly from: number;
    readonly to: number;
    readonly commands: readonly number[];
    readonly row: number;
    readonly banks: readonly number[];
  }[];
}

/**
 * After the `window`-th most recent of any one of the commands `after` at a node of `level`, none of `before` may start
 * at the same node (or, for `sibling`, at the other nodes below the same parent) for `latency` ticks. Already corrected
 * for commands of several ticks, and with the rows that keep a bus free for as long as a command takes.
 */
export interface DramConstraint {
  readonly level: number;
  /** Indices of commands. */
  readonly after: readonly number[];
  readonly before: readonly number[];
  /** May be negative, which constrains nothing. */
  readonly latency: number;
  readonly window: number;
  readonly sibling: boolean;
  /** Where the latency depends on how many columns the earlier command multiplies: by that number, which counts from 1. */
  readonly byMultiplications?: readonly number[];
  /**
   * Of some rows of the bank: the bank that waits is not that of the earlier command but the one with another `index` at
   * some levels, or with the index that the earlier one has at the level `like`.
   */
  readonly at?: readonly { readonly level: number; readonly index: number; readonly like: number }[];
  /** The row as the file has it: `rank  ACT -> ACT  nFAW  window 4`. */
  readonly text: string;
}

/** Volts and milliamperes of one chip, as data sheets name them. Absent ones are unknown. */
export interface DramCurrents {
  readonly VDD: number;
  readonly IDD0: number;
  readonly IDD2N: number;
  readonly IDD3N: number;
  readonly IDD4R: number;
  readonly IDD4W: number;
  readonly IDD5AB: number;
  readonly IDD5PB?: number;
  readonly IDD2P?: number;
  readonly IDD3P?: number;
  readonly IDD6?: number;
}

/**
 * Energy of a command as its file gives it: joules; more for each column, of a command that may multiply several; and so many
 * times those of other commands, by index, that the currents of the device give.
 */
export interface DramCommandEnergy {
  readonly joules: number;
  readonly perColumn?: number;
  readonly times: readonly (readonly [command: number, factor: number])[];
}

/** Watts of what an all-bank refresh acts on, a rank mostly: with some row open, and with none. */
export interface DramBackground {
  readonly active: number;
  readonly precharged: number;
}

export interface DramDevice {
  /** `DDR4/DDR4_8Gb_x8/DDR4_2400R`. */
  readonly name: string;
  readonly standard: string;
  readonly organisation: string;
  readonly speed: string;
  /** From the channel to the bank; level 0 is the channel. */
  readonly levels: readonly string[];
  /** Nodes of each level below one of the level above; the channel's is 1. */
  readonly counts: readonly number[];
  readonly rows: number;
  /** Columns of a row in units of one access: columns / prefetch. */
  readonly bursts: number;
  /** Bits of a channel's (or pseudo-channel's) data bus. */
  readonly width: number;
  /** Data pins of one chip: width / dq chips answer together. */
  readonly dq: number;
  /** Bytes of one access. */
  readonly burstBytes: number;
  /** Picoseconds of a clock cycle, and ticks in one. */
  readonly clockPs: number;
  readonly ticksPerClock: number;
  readonly commands: readonly DramCommand[];
  readonly constraints: readonly DramConstraint[];
  /** Ticks from a read command until its last data have come, and from a write command until its last data are sent. */
  readonly readLatency: number;
  readonly writeLatency: number;
  /**
   * Ticks from a command that moves something to the host until that is there, by the columns that it multiplies, which
   * count from 1; absent: as of a read.
   */
  readonly resultLatency?: readonly number[];
  /** Whether row and column commands have a bus each. */
  readonly dualBus: boolean;
  /**
   * Whether a tick is half a cycle: column and most row commands start on rising edges (odd ticks), precharges on either.
   */
  readonly halfCycle: boolean;
  /** For two-step activation: ticks within which the second command must follow the first. 0 otherwise. */
  readonly activationDeadline: number;
  /** For a data clock that stops: how long it goes on after an access starts, and what a sync needs before a deadline. */
  readonly dataClock: { readonly read: number; readonly write: number; readonly guard: number } | null;
  /** Of refresh commands by what they name: the level refreshed as a whole, or one bank. Null where the standard has none. */
  readonly refresh: {
    readonly allBank: {
      readonly command: number;
      readonly interval: number;
      /** That nodes have their turns spread over the interval; absent where all are refreshed at its end. */
      readonly staggered?: true;
    } | null;
    readonly perBank: {
      readonly command: number;
      readonly interval: number;
      /** Whether the same bank of every pseudo-channel is refreshed together, and a whole set before the next. */
      readonly lockstep: boolean;
      /** Ticks after a whole set until the next set may begin; 0 unless `lockstep`. */
      readonly setGap: number;
    } | null;
  };
  /** Every timing parameter of the file, in ticks (those that end in `_ps` as they are). */
  readonly timings: ReadonlyMap<string, number>;
  readonly currents: DramCurrents | null;
  /** By command; null for those that the file gives none. Absent where it gives none at all. Before what currents say. */
  readonly energies?: readonly (DramCommandEnergy | null)[];
  readonly background?: DramBackground;
  /** What computes in the memory; absent where nothing does. */
  readonly units?: DramUnits;
  readonly buffers?: readonly DramBuffer[];
  /** Absent where every command goes at any time. */
  readonly modes?: DramModes;
  /** Row buffers of a bank besides the ordinary one; a row may be open in one at a time. Absent: none. */
  readonly rowBuffers?: readonly string[];
}

/** Banks of a channel. */
export function banksOf(device: DramDevice): number {
  return device.counts.reduce((all, count) => all * count, 1);
}

/** Banks that a command names. */
export function banksNamed(
  { counts }: Pick<DramDevice, 'counts'>,
  { level, each = [] }: Pick<DramCommand, 'level' | 'each'>,
): number {
  return counts.reduce((all, count, at) => (at > level || each.includes(at) ? all * count : all), 1);
}

/** Picoseconds of a tick; half a cycle may be a fraction. */
export function tickPs(device: DramDevice): number {
  return device.clockPs / device.ticksPerClock;
}

/** Whether a command needs an open row: an access, or one that computes with a row or moves it. */
export function needsRow({ access, pim, second }: Pick<DramCommand, 'access' | 'pim' | 'second'>): boolean {
  const uses = (effect: DramPimEffect | undefined): boolean =>
    (effect !== undefined && ['multiplies', 'executes', 'computes'].includes(effect.kind)) ||
    effect?.from === 'row' ||
    effect?.to === 'row';
  return access !== 'none' || uses(pim) || uses(second);
}
