/** The PIM commands of a channel, in their order: the one in hand, and what it needs before it may be sent. */
import { type DramDevice, needsRow } from '../../../arch/language/dram/device.ts';
import type { PimProgram } from '../../../workloads/language/pim-program.ts';
import type { CommandBus } from './bus.ts';
import { barrierCommand, ProgramCursor } from './cursor.ts';
import type { Estimate } from './estimate.ts';
import type { Tile } from './prepared.ts';
import { closed, type PimState } from './state.ts';
import type { Parts } from './targets.ts';

const none = -1;
const never = Number.POSITIVE_INFINITY;
/** Jobs that are done before they are taken out of the list. */
const enough = 32;

interface Job {
  readonly cursor: ProgramCursor;
  readonly tag: number;
  /** The command that it ends with; -1 where that is not known beforehand. */
  readonly last: number;
  /** Results that have come so far. */
  results: number;
  /** Whether a command was sent for it. */
  isBegun: boolean;
}

export class PimWork {
  /** The job of the command in hand; null when there is none. */
  job: Job | null = null;
  /** The address of the command in hand. */
  head: ProgramCursor | null = null;
  /** What may be sent next for it, and when: an opening or a closing of rows, or itself. */
  command = none;
  bank = 0;
  cycle = never;
  /** Whether the command in hand may be sent: what it begins ends before the next refresh. */
  isAccepted = false;
  /** Whether work that was prepared goes on, and the row that it is on. */
  isUnderWay = false;
  reserved = none;
  /** Whether nothing is begun before the next refresh. */
  isSkipped = false;
  /** Changes whenever requests may be held up that were not, or the other way round. */
  version = 0;
  /** Rows in the way of the command in hand, and activations that it needs. */
  #closes = 0;
  #opens = 0;
  readonly #state: PimState;
  readonly #bus: CommandBus;
  readonly #device: DramDevice;
  readonly #yields: boolean;
  readonly #needsRow: readonly boolean[];
  readonly #prepares: readonly boolean[];
  readonly #estimates: readonly (Estimate | null)[];
  readonly #jobs: Job[] = [];
  #first = 0;
  /** Commands and banks that come before the one in hand, and whether they are known. */
  readonly #pendingCommand: Int32Array;
  readonly #pendingBank: Int32Array;
  /** Those from the first one up to the end are left. */
  #next = 0;
  #pending = 0;
  #isKnown = false;
  #chosen = none;
  readonly #apart: (command: number, multiplications: number) => number;

  /** `yields`: it begins when no request waits, and none is sent until it ends, so that it never holds one up. */
  constructor(device: DramDevice, state: PimState, bus: CommandBus, yields: boolean) {
    this.#yields = yields;
    this.#apart = (command, multiplications) => bus.apart(command, state.tables, multiplications);
    this.#device = device;
    this.#state = state;
    this.#bus = bus;
    this.#needsRow = device.commands.map(needsRow);
    this.#prepares = device.commands.map(({ prepares = false }) => prepares);
    this.#estimates = state.tables.estimates;
    this.#pendingCommand = new Int32Array(state.openRow.length);
    this.#pendingBank = new Int32Array(state.openRow.length);
  }

  /** @throws InputError as `ProgramCursor` does, Error when there are no commands */
  push(program: PimProgram, tag: number, row: number): void {
    const cursor = new ProgramCursor(program, this.#device, row);
    const { last } = cursor;
    if (!nextCommand(cursor)) throw new Error('a job needs commands');
    this.#jobs.push({ cursor, tag, last, results: 0, isBegun: false });
    if (this.job === null) this.#take();
    this.version++;
  }

  /** Whether the command in hand is what begins work that has to end before a refresh. */
  get begins(): boolean {
    return this.#estimates[this.head!.command] !== null || this.prepares;
  }

  get prepares(): boolean {
    return this.#prepares[this.head!.command]!;
  }

  /** Longest time that the command in hand, and what it begins, takes from now on, in cycles. */
  get estimate(): number {
    const { command, multiplications, results } = this.head!;
    if (!this.#isKnown) this.#find();
    const ticks = this.#estimates[command]?.ticks(this.#closes, this.#opens, multiplications, results);
    return (ticks ?? 0) / this.#device.ticksPerClock;
  }

  /** A command opened or closed a row for others. */
  forget(command: number, row: number): void {
    if (this.head === null || !this.#isKnown) return;
    const { targets } = this.#state;
    if (targets[command]!.buffer === targets[this.head.command]!.buffer || row === this.head.row) this.#isKnown = false;
  }

  /** The command in hand may be sent, as far as the next refresh is concerned. */
  accept(): void {
    this.isAccepted = true;
    this.version++;
  }

  /** Nothing is begun before the next refresh. */
  skip(): void {
    this.isSkipped = true;
    this.isAccepted = false;
    this.version++;
  }

  resume(): void {
    this.isSkipped = false;
    this.version++;
  }

  /** Finds what may be sent next: of what comes before the command in hand the first that may go by then, else the soonest. */
  choose(): void {
    const { command, bank } = this.head!;
    if (!this.#isKnown) this.#find();
    const commands = this.#pendingCommand;
    const banks = this.#pendingBank;
    this.#chosen = none;
    this.command = command;
    this.bank = bank;
    if (this.#pending === this.#next) {
      this.cycle = this.#bus.cycle(command, this.#state.ready(command, bank));
      return;
    }
    this.cycle = never;
    for (let i = this.#next; i < this.#pending; i++) {
      const one = commands[i]!;
      const cycle = this.#bus.cycle(one, this.#state.ready(one, banks[i]!));
      if (cycle >= this.cycle) continue;
      this.#chosen = i;
      this.command = one;
      this.bank = banks[i]!;
      this.cycle = cycle;
      if (cycle === this.#bus.free(one)) return;
    }
  }

  /** Whether the row commands of requests to a bank would be in the way of the command in hand. */
  holds(bank: number): boolean {
    if (this.head === null || this.isSkipped || this.#yields) return false;
    const { command, bank: first } = this.head;
    const { scope, buffer } = this.#state.targets[command]!;
    if (buffer !== 0 || !(this.#needsRow[command] || this.prepares)) return false;
    return (this.isAccepted || !this.begins) && scope.banks(first).includes(bank);
  }

  /** The tile that the command in hand begins, if it has not been accepted. */
  get tile(): Tile | null {
    return this.head === null || this.isAccepted || this.isSkipped ? null : this.head.tile;
  }

  /** Whether the row of the tile in hand is open nowhere. */
  get isTileClosed(): boolean {
    return !this.#state.openRow.includes(this.head!.row);
  }

  /** Whether the row of the command in hand is open in all banks of its row buffer. */
  get isOpenInAll(): boolean {
    const { command, row } = this.head!;
    const { openRow, banks, targets } = this.#state;
    const offset = targets[command]!.buffer * banks;
    for (let i = 0; i < banks; i++) if (openRow[offset + i] !== row) return false;
    return true;
  }

  /** By bank of the row buffer of the command in hand: 1 where a row is open, 0 elsewhere. */
  readOpen(into: Int32Array, from: number): void {
    const { openRow, banks, targets } = this.#state;
    const offset = targets[this.head!.command]!.buffer * banks;
    for (let i = 0; i < banks; i++) into[from + i] = openRow[offset + i] === closed ? 0 : 1;
  }

  /** All of the tile in hand has been sent but its last command. */
  skipTile(): void {
    const { row, command } = this.head!;
    const { openRow, banks, targets } = this.#state;
    const { buffer } = targets[command]!;
    openRow.fill(row, buffer * banks, (buffer + 1) * banks);
    for (let left = this.head!.tile!.commands; left > 1; left--) nextCommand(this.head!);
    this.isUnderWay = true;
    this.reserved = row;
    this.job!.isBegun = true;
    this.#isKnown = false;
    this.version++;
  }

  /** Cycles at least from the last command of the tile in hand to the last one of its job. */
  get toEndAfterTile(): number {
    return this.head!.toEndAfterTile(this.#apart);
  }

  /** Whether what was chosen is the command in hand itself. */
  get isHead(): boolean {
    return this.#chosen === none;
  }

  /** What was chosen has been sent. Returns whether that was the command in hand itself. */
  sent(): boolean {
    if (this.#chosen === none) return true;
    for (let i = this.#chosen; i > this.#next; i--) {
      this.#pendingCommand[i] = this.#pendingCommand[i - 1]!;
      this.#pendingBank[i] = this.#pendingBank[i - 1]!;
    }
    this.#next++;
    const left = this.#pending - this.#next;
    // After closings come openings. What is in the way of an estimate becomes less, by one where it is a bank's row.
    if (left === 0) this.#isKnown = false;
    else if (this.#closes > left + 1) this.#isKnown = false;
    else this.#closes--;
    return false;
  }

  /** Commands after the one in hand that are like it and may follow it as soon as the bus and its own gap allow. */
  get alike(): number {
    const { command } = this.head!;
    if (this.#chosen !== none || this.begins || this.prepares || !this.#state.tables.repeats[command]) return 0;
    return this.head!.count - 1;
  }

  /** Cycles at least from the command in hand, or from what comes before it, to the last one of its job. */
  get toEnd(): number {
    return this.head!.toEnd(this.#apart);
  }

  /** Goes on to the next command; returns whether the job has ended. */
  next(): boolean {
    const { command, bank, row } = this.head!;
    const { isAccepted, prepares } = this;
    const isKnown = this.#isKnown;
    if (prepares) {
      this.isUnderWay = true;
      this.reserved = row;
    }
    this.isAccepted = false;
    this.#isKnown = false;
    const ends = !nextCommand(this.job!.cursor);
    if (ends) this.#take();
    if (this.head === null || this.begins) this.stop();
    const isSame = !ends && this.head!.command === command && this.head!.bank === bank;
    if (!isSame || isAccepted || prepares) this.version++;
    // Nothing came before the last one, so nothing comes before another on the same row.
    else this.#isKnown = isKnown && this.head!.row === row;
    return ends;
  }

  /** No work is under way any more. */
  stop(): void {
    this.isUnderWay = false;
    this.reserved = none;
  }

  #take(): void {
    this.job = this.#jobs[this.#first] ?? null;
    this.head = this.job?.cursor ?? null;
    this.#isKnown = false;
    if (this.job === null) return;
    if (++this.#first < enough) return;
    this.#jobs.splice(0, this.#first);
    this.#first = 0;
  }

  /** Finds what comes before the command in hand. */
  #find(): void {
    this.#isKnown = true;
    this.#pending = 0;
    this.#next = 0;
    this.#closes = 0;
    this.#opens = 0;
    const { command } = this.head!;
    if (this.prepares) this.#findForRow(false);
    else if (this.#needsRow[command]) this.#findForRow(true);
  }

  /** Each part has the row open in all banks, or all closed, and nothing has it open in another row buffer. */
  #findForRow(isOpened: boolean): void {
    const { command, bank, row } = this.head!;
    const { openRow, banks, targets } = this.#state;
    const { opens, closes, buffer, scope } = targets[command]!;
    for (let other = 0; other < closes.length; other++) {
      if (other !== buffer) this.#findElsewhere(closes[other]!, scope.banks(bank), other * banks, row);
    }
    if (opens.command === none) return;
    const offset = buffer * banks;
    const parts = opens.first[bank]!;
    for (let i = 0; i < parts.length; i++) {
      const inside = opens.banks[parts[i]!]!;
      if (this.#isOpen(inside, offset, row)) continue;
      this.#opens++;
      for (let j = 0; j < inside.length; j++) {
        if (openRow[offset + inside[j]!] === closed) continue;
        this.#closes++;
        this.#addOnce(closes[buffer]!.command, closes[buffer]!.banks[inside[j]!]![0]!);
      }
    }
    if (this.#pending > 0 || !isOpened) return;
    for (let i = 0; i < parts.length; i++) {
      if (openRow[offset + parts[i]!] === closed) this.#add(opens.command, parts[i]!);
    }
  }

  #isOpen(inside: Int32Array, offset: number, row: number): boolean {
    const { openRow } = this.#state;
    for (let j = 0; j < inside.length; j++) if (openRow[offset + inside[j]!] !== row) return false;
    return true;
  }

  /** Closes a row where it is open in another row buffer. */
  #findElsewhere({ command, banks }: Parts, inside: Int32Array, offset: number, row: number): void {
    const { openRow } = this.#state;
    for (let j = 0; j < inside.length; j++) {
      if (openRow[offset + inside[j]!] === row) this.#addOnce(command, banks[inside[j]!]![0]!);
    }
  }

  #addOnce(command: number, bank: number): void {
    const last = this.#pending - 1;
    if (last >= 0 && this.#pendingBank[last] === bank && this.#pendingCommand[last] === command) return;
    this.#add(command, bank);
  }

  #add(command: number, bank: number): void {
    this.#pendingCommand[this.#pending] = command;
    this.#pendingBank[this.#pending++] = bank;
  }
}

/** Goes on to a command that is no barrier: in a channel of its own, in order, there is nothing to keep back. */
function nextCommand(cursor: ProgramCursor): boolean {
  while (cursor.next()) if (cursor.command !== barrierCommand) return true;
  return false;
}
