/**
 * The slow twin of the DRAM controller: one channel, executed tick by tick with plain objects and arrays. It knows no
 * wake-ups and skips no idle time: at each tick every waiting request says which command it needs next, and the policy picks.
 */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import type { ControllerPolicy } from '../../models/memory/dram/policy.ts';
import { agree, type Bank, TickingBanks } from './dram-controller-banks.ts';
import { controllerCommands } from './dram-controller-commands.ts';
import { type RefreshManager, refreshManager } from './dram-controller-refresh.ts';

/** Told of every command: row and column are -1 where the command has none. */
export type CommandLog = (tick: number, command: number, path: readonly number[], row: number, column: number) => void;

/** A read or a write from its arrival on. */
interface Request {
  readonly write: boolean;
  readonly bank: Bank;
  readonly row: number;
  readonly column: number;
  readonly block: number;
  readonly arrival: number;
  /** Place in the order of sending. */
  readonly sequence: number;
  counted: boolean;
}

/** A refresh, or a precharge that a page policy asks for. */
interface Chore {
  readonly command: number;
  readonly path: readonly number[];
}

/** What could be sent in this tick, for whom. */
interface Candidate {
  readonly command: number;
  readonly path: readonly number[];
  /** Null for a chore. */
  readonly request: Request | null;
}

type Filter = (command: number, path: readonly number[]) => boolean;

const everything: Filter = () => true;

export class TickingController {
  /** Ticks executed. */
  clock = 0;
  /** Reads answered plus writes sent to the device or merged. */
  completed = 0;
  /** Latencies are of reads, in ticks from arrival to the last data; row counts are taken at a request's first command. */
  readonly stats = {
    reads: 0,
    writes: 0,
    latencySum: 0,
    rowHits: 0,
    rowMisses: 0,
    rowConflicts: 0,
    commands: [] as number[],
    forwarded: 0,
    coalesced: 0,
  };
  private readonly device: DramDevice;
  private readonly policy: ControllerPolicy;
  private readonly log: CommandLog;
  private readonly commands;
  private readonly banks: TickingBanks;
  private readonly dueRefreshes: RefreshManager;
  private readonly readQueue: Request[] = [];
  private readonly writeQueue: Request[] = [];
  /** Requests whose bank was opened for them. */
  private readonly active: Request[] = [];
  private readonly chores: Chore[] = [];
  /** The request whose bank is half open, with the last tick for the second command: there is one at most. */
  private halfOpen: { readonly request: Request; readonly deadline: number } | null = null;
  /** Reads on their way back, answered in this order. */
  private readonly returning: { readonly at: number; readonly arrival: number }[] = [];
  private writing = false;
  private sent = 0;
  /** The data clock runs in ticks before this one. */
  private clockRunsUntil = 0;
  /** The request that the data clock was synchronised for, until its access is sent. */
  private synced: Request | null = null;
  /** With half cycles: the last row command of a rising edge, and the falling edge it shares its bus slot with. */
  private risingRowCommand: { command: number; path: readonly number[]; fallingEdge: number } | null = null;

  constructor(device: DramDevice, policy: ControllerPolicy, log: CommandLog = () => {}) {
    this.device = device;
    this.policy = policy;
    this.log = log;
    this.commands = controllerCommands(device);
    this.banks = new TickingBanks(device);
    this.dueRefreshes = refreshManager(device, policy.refresh, this.banks);
    this.stats.commands = device.commands.map(() => 0);
  }

  /**
   * Offers a request before the next tick; false if its queue is full. `bank` counts in tree order. Requests with the same
   * `block` are for the same data: a read is answered by a waiting write, and a write replaces it.
   */
  send(write: boolean, bank: number, row: number, column: number, block: number): boolean {
    const merges = this.writeQueue.some((waiting) => waiting.block === block);
    if (merges && write) {
      this.stats.coalesced++;
      this.completeWrite();
    } else if (merges) {
      this.stats.forwarded++;
      this.returning.push({ at: this.clock + 1, arrival: this.clock });
    } else {
      const [queue, capacity] = write
        ? [this.writeQueue, this.policy.writeQueue]
        : [this.readQueue, this.policy.readQueue];
      if (queue.length >= capacity) return false;
      const [arrival, sequence] = [this.clock, this.sent++];
      queue.push({ write, bank: this.banks.all[bank], row, column, block, arrival, sequence, counted: false });
    }
    return true;
  }

  tick(): void {
    this.clock++;
    this.answerReads();
    this.chores.push(...this.dueRefreshes(this.clock));
    this.queuePrecharges();
    if (this.device.halfCycle) this.halfCycle();
    else if (this.device.dualBus) this.twoBuses();
    else this.oneBus();
  }

  private answerReads(): void {
    while (this.returning.length > 0 && this.returning[0].at <= this.clock) {
      const [{ at, arrival }] = this.returning.splice(0, 1);
      this.stats.latencySum += at - arrival;
      this.stats.reads++;
      this.completed++;
    }
  }

  private completeWrite(): void {
    this.stats.writes++;
    this.completed++;
  }

  // Page policies

  /** Precharges that the page policy asks for on its own. */
  private queuePrecharges(): void {
    const { precharge } = this.commands;
    if (this.policy.page.kind === 'open' || this.policy.page.kind === 'closed') return;
    for (const bank of this.banks.all) {
      if (bank.prechargeQueued || !this.isWornOut(bank) || !this.banks.isReady(precharge, bank, this.clock)) continue;
      bank.prechargeQueued = true;
      this.chores.push({ command: precharge, path: bank.path });
    }
  }

  private isWornOut(bank: Bank): boolean {
    const { page } = this.policy;
    if (page.kind === 'capped') return bank.accesses >= page.cap;
    if (page.kind !== 'timeout' || bank.state !== 'open') return false;
    return this.clock - bank.lastUse >= page.ticks && !this.isWanted(bank, bank.row, null);
  }

  /** The command that closes the bank with an access, where the page policy wants that and it can start; else the access. */
  private withPrecharge(access: number, request: Request): number {
    const closing = request.write ? this.commands.writeClosing : this.commands.readClosing;
    const { page } = this.policy;
    // A row that was opened for another request stays open until that one has had it.
    if (this.active.some((other) => other !== request && other.bank === request.bank)) return access;
    const closes =
      (page.kind === 'capped' && request.bank.accesses >= page.cap) ||
      (page.kind === 'closed' && !this.isWanted(request.bank, request.row, request));
    return closes && this.banks.isReady(closing, request.bank, this.clock) ? closing : access;
  }

  private isWanted(bank: Bank, row: number, except: Request | null): boolean {
    return [...this.readQueue, ...this.writeQueue, ...this.active].some(
      (request) => request !== except && request.bank === bank && request.row === row,
    );
  }

  // Command buses

  /** One command a tick, with what two-step activation and a data clock that stops ask for. */
  private oneBus(): void {
    if (this.synced !== null) {
      this.accessAfterSync(this.synced);
      return;
    }
    if (this.halfOpen !== null && this.halfOpen.deadline <= this.clock && this.issueSecondActivation()) return;
    const candidate = this.choose((command, path) => this.keepsHalfOpenBanks(command, path), true);
    if (candidate === null) this.issueSecondActivation();
    else if (candidate.request !== null && this.needsSync(candidate.command)) this.synchronise(candidate.request);
    else this.issueUpgraded(candidate);
  }

  /** A command on each bus a tick: first the column bus, then the row bus. */
  private twoBuses(): void {
    this.columnBus();
    this.rowBus(everything);
  }

  /** Rising edges (odd ticks) carry everything, falling ones only precharges that the command before leaves room for. */
  private halfCycle(): void {
    if (this.clock % 2 === 0) {
      this.rowBus((command, path) => this.fitsFallingEdge(command, path));
      return;
    }
    this.columnBus();
    const row = this.rowBus(everything);
    if (row === null) return;
    const fallingEdge = this.clock + this.device.commands[row.command].ticks;
    this.risingRowCommand = { command: row.command, path: row.path, fallingEdge };
  }

  private columnBus(): void {
    const candidate = this.choose((command) => this.device.commands[command].bus === 'column', true);
    if (candidate !== null) this.issueUpgraded(candidate);
  }

  private rowBus(filter: Filter): Candidate | null {
    const onRowBus: Filter = (command, path) => this.device.commands[command].bus === 'row' && filter(command, path);
    const candidate = this.choose(onRowBus, false);
    if (candidate !== null) this.issue(candidate);
    return candidate;
  }

  /**
   * At the falling edge that belongs to a row command, a precharge goes to another pseudo-channel, or to another bank of the
   * same one if both commands are for one bank.
   */
  private fitsFallingEdge(command: number, path: readonly number[]): boolean {
    if (this.device.commands[command].banks !== 'closes') return false;
    const before = this.risingRowCommand;
    const channel = this.device.levels.indexOf('pseudoChannel');
    if (before === null || before.fallingEdge !== this.clock || before.path[channel] !== path[channel]) return true;
    return this.namesOneBank(before.path) && this.namesOneBank(path) && !agree(before.path, path);
  }

  private namesOneBank(path: readonly number[]): boolean {
    return path.length === this.device.levels.length;
  }

  // Two-step activation

  /** While a bank is half open: no other activation, and nothing that closes or refreshes that bank. */
  private keepsHalfOpenBanks(command: number, path: readonly number[]): boolean {
    if (command === this.commands.second) return false;
    if (this.halfOpen === null) return true;
    const { banks, access, refreshes } = this.device.commands[command];
    if (access !== 'none') return true;
    if (banks !== 'closes' && !refreshes) return false;
    return !agree(path, this.halfOpen.request.bank.path);
  }

  /** Opens the half-open bank if its second activation can start; says whether it did. */
  private issueSecondActivation(): boolean {
    const { second } = this.commands;
    if (this.halfOpen === null || !this.banks.isReady(second, this.halfOpen.request.bank, this.clock)) return false;
    const { request } = this.halfOpen;
    this.issue({ command: second, path: request.bank.path, request });
    return true;
  }

  // Data clock

  private needsSync(command: number): boolean {
    const isAccess = this.device.commands[command].access !== 'none';
    return this.device.dataClock !== null && isAccess && this.clock >= this.clockRunsUntil;
  }

  /** Starts the data clock for a request, unless a second activation could then come too late: it goes first. */
  private synchronise(request: Request): void {
    const guard = this.clock + (this.device.dataClock?.guard ?? 0);
    if (this.halfOpen !== null && this.halfOpen.deadline <= guard) {
      this.issueSecondActivation();
      return;
    }
    const command = request.write ? this.commands.syncWrite : this.commands.syncRead;
    if (!this.banks.isReady(command, request.bank, this.clock)) return;
    this.issue({ command, path: request.bank.path, request });
    this.synced = request;
  }

  private accessAfterSync(request: Request): void {
    const command = request.write ? this.commands.write : this.commands.read;
    if (!this.banks.isReady(command, request.bank, this.clock)) return;
    this.synced = null;
    this.issue({ command, path: request.bank.path, request });
  }

  // Choosing

  /** What goes next: a request whose bank was opened for it, else the first chore, else, without chores, a waiting request. */
  private choose(filter: Filter, withActive: boolean): Candidate | null {
    const active = withActive ? this.schedule(this.active, filter) : null;
    if (active !== null) return active;
    const waiting: Filter = (command, path) => filter(command, path) && !this.closesActive(command, path);
    if (this.chores.length > 0) return this.firstChore(waiting);
    this.switchDirection();
    return this.schedule(this.writing ? this.writeQueue : this.readQueue, waiting);
  }

  private closesActive(command: number, path: readonly number[]): boolean {
    return (
      this.device.commands[command].banks === 'closes' && this.active.some((request) => agree(path, request.bank.path))
    );
  }

  private switchDirection(): void {
    const { writeHigh, writeLow, writeQueue } = this.policy;
    const [writes, noReads] = [this.writeQueue.length, this.readQueue.length === 0];
    // The tools keep watermarks in single precision.
    if (!this.writing) this.writing = writes > Math.fround(writeHigh) * writeQueue || noReads;
    else this.writing = !(writes < Math.fround(writeLow) * writeQueue && !noReads);
  }

  private firstChore(filter: Filter): Candidate | null {
    const { command, path } = this.stepOfChore(this.chores[0]);
    if (!filter(command, path) || !this.banks.isReadyAt(command, path, this.clock)) return null;
    return { command, path, request: null };
  }

  /** The oldest request of a queue whose next command can start now. */
  private schedule(queue: readonly Request[], filter: Filter): Candidate | null {
    let oldest: Candidate | null = null;
    for (const request of queue) {
      if (oldest?.request && oldest.request.sequence < request.sequence) continue;
      const command = this.commandForRequest(request);
      const { path } = request.bank;
      if (!filter(command, path) || !this.banks.isReady(command, request.bank, this.clock)) continue;
      if (command === this.commands.precharge && this.keepsRow(queue, request)) continue;
      oldest = { command, path, request };
    }
    return oldest;
  }

  /** Whether an older request of the queue hits the row that this one would close. */
  private keepsRow(queue: readonly Request[], { bank, sequence }: Request): boolean {
    return (
      this.policy.scheduler === 'frfcfs-row-hit' &&
      queue.some((other) => other.sequence < sequence && other.bank === bank && other.row === bank.row)
    );
  }

  private commandForRequest({ write, bank, row }: Request): number {
    if (bank.state === 'closed') return this.commands.open;
    if (bank.state === 'activated') return this.commands.second;
    if (bank.row !== row) return this.commands.precharge;
    return write ? this.commands.write : this.commands.read;
  }

  /** What a chore needs next: itself, a precharge of all that it names or, where none does that, of the first open bank. */
  private stepOfChore({ command, path }: Chore): Chore {
    const { refreshes } = this.device.commands[command];
    const open = this.banks.named(path).find((bank) => bank.state !== 'closed');
    if (!refreshes || open === undefined) return { command, path };
    const { precharge, prechargeAll } = this.commands;
    if (this.namesOneBank(path)) return { command: precharge, path };
    return prechargeAll === -1 ? { command: precharge, path: open.path } : { command: prechargeAll, path };
  }

  // Sending

  private issueUpgraded(candidate: Candidate): void {
    const { command, path, request } = candidate;
    const isAccess = this.device.commands[command].access !== 'none';
    if (request === null || !isAccess) this.issue(candidate);
    else this.issue({ command: this.withPrecharge(command, request), path, request });
  }

  private issue({ command, path, request }: Candidate): void {
    if (request !== null) this.countRow(request);
    const { banks, access } = this.device.commands[command];
    const row =
      request !== null && (banks === 'opens' || banks === 'activates' || access !== 'none') ? request.row : -1;
    const column = request !== null && access !== 'none' ? request.column : -1;
    this.banks.start(command, path, row, this.clock);
    this.stats.commands[command]++;
    this.log(this.clock, command, path, row, column);
    if (request !== null) this.advance(request, command);
    else if (command === this.chores[0].command) this.chores.shift();
  }

  /** Counts a request by the state of its bank before its first command. */
  private countRow(request: Request): void {
    if (request.counted) return;
    request.counted = true;
    if (request.bank.state !== 'open') this.stats.rowMisses++;
    else if (request.bank.row === request.row) this.stats.rowHits++;
    else this.stats.rowConflicts++;
  }

  /** Moves a request on after a command that was sent for it. */
  private advance(request: Request, command: number): void {
    const { banks, access } = this.device.commands[command];
    if (access === 'none' && banks !== 'opens' && banks !== 'activates') return;
    this.remove(request);
    if (access !== 'none') this.finish(request);
    else if (banks === 'opens') this.active.push(request);
    else this.halfOpen = { request, deadline: this.clock + this.device.activationDeadline };
  }

  private remove(request: Request): void {
    for (const queue of [this.readQueue, this.writeQueue, this.active])
      if (queue.includes(request)) queue.splice(queue.indexOf(request), 1);
    if (this.halfOpen?.request === request) this.halfOpen = null;
  }

  private finish(request: Request): void {
    const { dataClock, readLatency } = this.device;
    if (dataClock !== null) {
      const running = this.clock + (request.write ? dataClock.write : dataClock.read);
      this.clockRunsUntil = Math.max(this.clockRunsUntil, running);
    }
    if (request.write) this.completeWrite();
    else this.returning.push({ at: this.clock + readLatency, arrival: request.arrival });
  }
}
