/** A DRAM standard as immutable values: what its file says, before an organisation and a speed are chosen. */
import { List, OrderedMap, Record } from 'immutable';
import type { BankEffect, DramCommand, DramCurrents } from './device.ts';
import type { ModeChange, ModeRow } from './modes.ts';
import type { Buffer, PimEffect, Units } from './pim.ts';

/** A command: `ACT  row  2 CK  opens bank`. */
export class CommandRow extends Record<{
  name: string;
  bus: 'row' | 'column' | 'both';
  /** Clock cycles that it takes on its bus; halves where commands may start on either edge. */
  cycles: number;
  /** The level that it names a node of. */
  level: string;
  /** Levels above it where it acts on the same index of every node; empty: on one node. */
  each: List<string>;
  /** Whether the rows that it opens can only be closed together. */
  together: boolean;
  /** What processing in memory it does; null for ordinary commands. */
  pim: PimEffect | null;
  /** What it does after that. */
  second: PimEffect | null;
  /** Columns that it multiplies at most. */
  most: number;
  /** The row buffer whose rows it opens, closes or needs; empty: the ordinary one. */
  rowBuffer: string;
  /** Whether it begins work on a row, for which it has others closed. */
  prepares: boolean;
  banks: BankEffect;
  access: DramCommand['access'];
  refreshes: boolean;
  /** Refresh management, which takes the time of a refresh. */
  manages: boolean;
  syncs: DramCommand['syncs'];
  /** Clock cycles until what it does is done, as an expression; null where that is not said. */
  takes: string | null;
}>(
  {
    name: '',
    bus: 'row',
    cycles: 1,
    level: 'bank',
    each: List(),
    together: false,
    pim: null,
    second: null,
    most: 1,
    rowBuffer: '',
    prepares: false,
    banks: 'none',
    access: 'none',
    refreshes: false,
    manages: false,
    syncs: 'none',
    takes: null,
  },
  'CommandRow',
) {}

/** A constraint: `rank  ACT -> ACT  nFAW  window 4`. Its latency is an expression in clock cycles. */
export class ConstraintRow extends Record<{
  level: string;
  after: List<string>;
  before: List<string>;
  latency: string;
  window: number;
  sibling: boolean;
  /** Levels at which the bank that waits is another one, and its index there, or the level whose index that is. */
  at: OrderedMap<string, string | number>;
  /** The row as written, in single spaces. */
  text: string;
}>(
  { level: '', after: List(), before: List(), latency: '0', window: 1, sibling: false, at: OrderedMap(), text: '' },
  'ConstraintRow',
) {}

/**
 * A timing parameter: an expression in clock cycles, times and other parameters; or expressions by organisation,
 * density (`8Gb`), data pins of a chip (`x8`) or data rate, of which the first that fits holds.
 */
export type Timing = string | TimingTable;
export type TimingTable = OrderedMap<string, Timing>;

export class Organisation extends Record<{
  name: string;
  /** `8Gb`: of one chip, as its data sheet has it. */
  density: string;
  /** Data pins of one chip. */
  dq: number;
  /** Bits of a data bus; null: as the standard has it. */
  width: number | null;
  /** Nodes of each level below one of the level above, from below the channel to the bank. */
  counts: OrderedMap<string, number>;
  rows: number;
  columns: number;
}>({ name: '', density: '', dq: 0, width: null, counts: OrderedMap(), rows: 0, columns: 0 }, 'Organisation') {}

export class Speed extends Record<{
  name: string;
  /** Millions of transfers on a data pin in a second. */
  rate: number;
  /** Picoseconds of a clock cycle. */
  clockPs: number;
  timings: OrderedMap<string, Timing>;
}>({ name: '', rate: 0, clockPs: 0, timings: OrderedMap() }, 'Speed') {}

/** How often banks are refreshed: intervals as expressions, null where the standard has no such refresh. */
export class RefreshRow extends Record<{
  allBank: string | null;
  /** Whether nodes that are refreshed as a whole have their turns spread over the interval. */
  staggered: boolean;
  perBank: string | null;
  /** Level whose nodes refresh the same bank together. */
  lockstep: string | null;
  /** Between two sets of banks in lockstep. */
  gap: string;
}>({ allBank: null, staggered: false, perBank: null, lockstep: null, gap: '0' }, 'RefreshRow') {}

/** A data clock that stops: how long it goes on after an access starts, and the ticks kept free before a deadline. */
export class DataClock extends Record<{ reads: string; writes: string; guard: number }>(
  { reads: '0', writes: '0', guard: 1 },
  'DataClock',
) {}

/** mA of one chip, and V; null where unknown. */
export class Currents extends Record<{ [K in keyof DramCurrents]-?: number | (K extends Optional ? null : never) }>(
  {
    VDD: 0,
    IDD0: 0,
    IDD2N: 0,
    IDD3N: 0,
    IDD4R: 0,
    IDD4W: 0,
    IDD5AB: 0,
    IDD5PB: null,
    IDD2P: null,
    IDD3P: null,
    IDD6: null,
  },
  'Currents',
) {}

/** Watts of what an all-bank refresh acts on, with a row open and with none. */
export class Background extends Record<{ active: number; precharged: number }>(
  { active: 0, precharged: 0 },
  'Background',
) {}

type Optional = 'IDD5PB' | 'IDD2P' | 'IDD3P' | 'IDD6';

export class DramStandard extends Record<{
  name: string;
  about: string;
  source: string;
  /** From the channel to the bank. */
  levels: List<string>;
  /** Columns of one access. */
  prefetch: number;
  /** Bits of the data bus of a channel, or of a pseudo-channel where there are any. */
  width: number;
  /** Bytes of one access; null: prefetch x width. */
  payload: number | null;
  /** Command buses: one for all, or one for rows and one for columns. */
  buses: 1 | 2;
  /** Ticks of a clock cycle: 2 where commands may start on either edge. */
  ticks: 1 | 2;
  commands: List<CommandRow>;
  constraints: List<ConstraintRow>;
  /** From a read command to the end of its data, and from a write command. */
  readLatency: string;
  writeLatency: string;
  /** From a command that moves something to the host until that is there; null: as of a read. */
  resultLatency: string | null;
  refresh: RefreshRow;
  /** Within which the second of two activating commands follows the first; null where one activates. */
  activationDeadline: string | null;
  dataClock: DataClock | null;
  timings: OrderedMap<string, Timing>;
  organisations: OrderedMap<string, Organisation>;
  speeds: OrderedMap<string, Speed>;
  /** By organisation and data rate: `DDR4_8Gb_x8 2400`. */
  currents: OrderedMap<string, Currents>;
  /** By command, or by the name that others have for a part of theirs: `4 RD`, `cell + 0.5 pJ/bit`. Before currents. */
  energies: OrderedMap<string, string>;
  background: Background | null;
  /** What computes beside the banks, and what it keeps its numbers in; null where nothing computes. */
  units: Units | null;
  buffers: OrderedMap<string, Buffer>;
  /** What goes in which mode, that of the start first, and what leads to another one; empty where there are no modes. */
  modes: List<ModeRow>;
  modeChanges: List<ModeChange>;
  /** Row buffers of a bank besides the ordinary one. */
  rowBuffers: List<string>;
  /** By command that begins work: how long that takes at most, as an expression. */
  estimates: OrderedMap<string, string>;
}>(
  {
    name: '',
    about: '',
    source: '',
    levels: List(),
    prefetch: 1,
    width: 1,
    payload: null,
    buses: 1,
    ticks: 1,
    commands: List(),
    constraints: List(),
    readLatency: '0',
    writeLatency: '0',
    resultLatency: null,
    refresh: new RefreshRow(),
    activationDeadline: null,
    dataClock: null,
    timings: OrderedMap(),
    organisations: OrderedMap(),
    speeds: OrderedMap(),
    currents: OrderedMap(),
    energies: OrderedMap(),
    background: null,
    units: null,
    buffers: OrderedMap(),
    modes: List(),
    modeChanges: List(),
    rowBuffers: List(),
    estimates: OrderedMap(),
  },
  'DramStandard',
) {}

/** Key of the table of currents. */
export function currentsKey(organisation: string, rate: number): string {
  return `${organisation} ${rate}`;
}
