/** A channel under a dialect: which rows are open, when commands may start, and what a command needs before it may. */
import { banksOf, type DramDevice, needsRow } from '../../../arch/language/dram/device.ts';
import { Timing } from '../dram/timing.ts';
import { Displaced } from './displaced.ts';
import { Modes } from './modes.ts';
import { type Scope, widestPrecharge } from './scope.ts';

const closed = -1;
const none = -1;

export class PimRows {
  /** Row open in each bank; -1 for none. */
  readonly openRow: Int32Array;
  readonly modes: Modes;
  /** Change whenever a command starts, and whenever rows open or close: what is found out holds until then. */
  version = 0;
  states = 0;
  /** Commands sent, by index. */
  readonly sent: Float64Array;
  /** Of open banks: the command that opened the row. */
  readonly #openedBy: Int32Array;
  readonly #scopes: readonly Scope[];
  readonly #timing: Timing;
  readonly #displaced: Displaced;
  readonly #device: DramDevice;
  readonly #needsRow: readonly boolean[];
  readonly #widest: number;
  readonly #bankLevel: number;
  /** By command x banks + bank: what `ready` said last, and of which version that is. */
  readonly #known: Float64Array;
  readonly #knownOf: Float64Array;

  /**
   * `sent` tells of each command whether it may be sent, on its own or because another one needs it. `like` are rows of the
   * same, whose tables are taken over.
   */
  constructor(device: DramDevice, scopes: readonly Scope[], sent: readonly boolean[], like: PimRows | null = null) {
    this.#device = device;
    this.openRow = new Int32Array(banksOf(device)).fill(closed);
    this.#openedBy = new Int32Array(this.openRow.length);
    this.modes = new Modes(device);
    this.sent = new Float64Array(device.commands.length);
    this.#scopes = scopes;
    const constraints = device.constraints.filter(({ at }) => at === undefined);
    this.#timing = new Timing({ ...device, constraints }, sent, like === null ? null : like.#timing);
    this.#displaced = new Displaced(device);
    this.#needsRow = device.commands.map(needsRow);
    this.#widest = widestPrecharge(device);
    this.#bankLevel = device.levels.length - 1;
    this.#known = new Float64Array(this.openRow.length * device.commands.length);
    this.#knownOf = new Float64Array(this.#known.length).fill(-1);
  }

  /**
   * The command to send next for one at a bank: the one that changes the mode, or itself, or the one that opens its row, or
   * the one that closes what stands open instead.
   */
  needed(command: number, bank: number, row: number): number {
    const needed = this.#neededInMode(command, bank, row);
    const change = this.modes.goes(needed, bank) ? none : this.modes.changeFor(needed, bank);
    return change === none ? needed : change;
  }

  /** Rows of the banks that a command names are opened together, so all of them have to be closed before. */
  #neededInMode(command: number, bank: number, row: number): number {
    if (this.#device.commands[command]!.refreshes) return this.#neededRefresh(command, bank);
    if (!this.#needsRow[command]) return command;
    const { openRow } = this;
    const scope = this.#scopes[command]!;
    const banks = scope.banks(bank);
    let isClosed = true;
    let isOpen = true;
    for (let i = 0; i < banks.length; i++) {
      const open = openRow[banks[i]!]!;
      if (open !== closed) isClosed = false;
      if (open !== row) isOpen = false;
    }
    return isOpen ? command : isClosed ? scope.opens : this.#closes(scope, bank);
  }

  /** What closes the rows of a scope: what is for its banks, or for those that one of them was opened together with. */
  #closes(scope: Scope, bank: number): number {
    const banks = scope.banks(bank);
    for (let i = 0; i < banks.length; i++) {
      const one = banks[i]!;
      if (this.openRow[one] === closed || !this.#device.commands[this.#openedBy[one]!]!.together) continue;
      const bound = this.#scopes[this.#openedBy[one]!]!;
      if (bound.banks(one).length > banks.length) return bound.closes;
    }
    return scope.closes;
  }

  /** The command that closes the row of an open bank. */
  closer(bank: number): number {
    return this.#scopes[this.#openedBy[bank]!]!.closes;
  }

  /** Whether an open bank was opened together with one before it, with which it is closed. */
  follows(bank: number): boolean {
    const opener = this.#openedBy[bank]!;
    return this.#device.commands[opener]!.together === true && this.#scopes[opener]!.banks(bank)[0] !== bank;
  }

  /** Whether a command at a bank concerns another one. */
  concerns(command: number, bank: number, other: number): boolean {
    return bank === other || this.#scopes[command]!.banks(bank).includes(other);
  }

  #neededRefresh(command: number, bank: number): number {
    const scope = this.#scopes[command]!;
    const isClosed = scope.banks(bank).every((one) => this.openRow[one] === closed);
    if (isClosed) return command;
    return scope.level === this.#bankLevel ? scope.closes : this.#widest;
  }

  /** Whether a command needs an open row, so that it hits one when it may be sent. */
  hits(command: number): boolean {
    return this.#needsRow[command]!;
  }

  /**
   * Earliest tick at which what is needed for a command may start. The mode is not changed before what comes next could
   * start in the other one.
   */
  readyFor(needed: number, command: number, bank: number, row: number): number {
    const ready = this.ready(needed, bank);
    const next = this.#neededInMode(command, bank, row);
    return next === needed ? ready : Math.max(ready, this.#timed(next, bank));
  }

  /** Cycles apart at which a command may be sent again and again, right after it was sent, at `tick`; 0: not known. */
  interval(command: number, bank: number, tick: number): number {
    if (this.#timing.period(command) === 0 || this.#device.commands[command]!.banks !== 'none') return 0;
    if (this.modes.isChange(command)) return 0;
    const { ticksPerClock } = this.#device;
    return Math.max(1, Math.ceil((this.ready(command, bank) - tick) / ticksPerClock));
  }

  /** Earliest tick at which a command may start at a bank; infinite while it does not go in the mode that the channel is in. */
  ready(command: number, bank: number): number {
    const place = command * this.openRow.length + bank;
    if (this.#knownOf[place] !== this.version) {
      this.#known[place] = this.#ready(command, bank);
      this.#knownOf[place] = this.version;
    }
    return this.#known[place]!;
  }

  #ready(command: number, bank: number): number {
    return this.modes.goes(command, bank) ? this.#timed(command, bank) : Number.POSITIVE_INFINITY;
  }

  /** The earliest tick in whatever mode. */
  #timed(command: number, bank: number): number {
    const scope = this.#scopes[command]!;
    const nodes = scope.nodes(bank);
    const cls = this.#timing.classOf[command]!;
    let tick = 0;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      const isBank = scope.level === this.#bankLevel;
      const ready = isBank ? this.#timing.ready(cls, node) : this.#timing.readyBelow(command, node);
      const displaced = isBank ? this.#displaced.ready(command, node) : 0;
      tick = Math.max(tick, ready, displaced);
    }
    return tick;
  }

  /** Starts a command, which may be the last one of some that were sent `interval` apart; `row` is that of an opening. */
  start(command: number, bank: number, row: number, tick: number, count = 1): void {
    const scope = this.#scopes[command]!;
    const nodes = scope.nodes(bank);
    for (let i = 0; i < nodes.length; i++) {
      this.#timing.issue(command, nodes[i]!, tick);
      this.#displaced.start(command, nodes[i]!, tick);
    }
    this.sent[command]! += count;
    this.version++;
    const { banks: effect } = this.#device.commands[command]!;
    const banks = scope.banks(bank);
    const rowOf = (one: number): number => (effect === 'closes' ? this.openRow[one]! : row);
    if (this.#device.modes && this.modes.start(command, banks, rowOf)) this.states++;
    if (effect === 'none') return;
    this.states++;
    for (let i = 0; i < banks.length; i++) {
      this.openRow[banks[i]!] = effect === 'opens' ? row : closed;
      this.#openedBy[banks[i]!] = command;
    }
  }
}
