/**
 * What happens on a channel that computes, for reports: whose commands are sent when, who has rows open, and who waits for
 * whom. Memory does not grow with the run.
 */
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';
import { Bins } from '../../kernel/bins.ts';
import type { PimQueue } from './queue.ts';
import { PimRows } from './rows.ts';
import type { Scope } from './scope.ts';

/** For whom commands are sent: ordinary requests, PIM programs, refreshes. */
export const [ordinary, pim, refresh] = [0, 1, 2] as const;

/**
 * What a cycle of a queue in which something waits is: it sends a command, or it waits because of the other queue (which
 * takes the command bus; opened or closed rows of the banks; holds up the command by a constraint; has its turn in blocked
 * mode), because of a refresh, or because of nothing but its own commands.
 */
export const outcomes = ['sent', 'commandBus', 'rowBuffer', 'constraint', 'turn', 'refresh', 'own'] as const;
export type Outcome = (typeof outcomes)[number];

const [sent, commandBus, rowBuffer, constraint, turn, byRefresh, own] = outcomes.keys();
/** Beside outcomes: nothing waits; or it depends on the cycle. */
const [idle, timed] = [-1, -2];

/** Bins of what is told over time. */
const binCount = 128;

export class ChannelWatch {
  /** Commands over time in cycles, by for whom. */
  readonly commands = new Bins(3, binCount, 1);
  /** Ticks with a row open, over time in ticks: of each bank for ordinary requests, then of each for PIM. */
  readonly open: Bins;
  /** Cycles by outcome, of ordinary requests and of PIM commands. */
  readonly outcomes = [new Float64Array(outcomes.length), new Float64Array(outcomes.length)] as const;
  /** Ticks with some row open, by node of the level that a refresh of all banks acts on. */
  readonly activeTicks: Float64Array;
  readonly #device: DramDevice;
  readonly #scopes: readonly Scope[];
  readonly #banks: number;
  readonly #banksEach: number;
  /** By row buffer x banks + bank: since when a row is open, -1 when none is, and for whom. */
  readonly #openSince: Float64Array;
  readonly #openFor: Uint8Array;
  readonly #openRows: Int32Array;
  readonly #activeSince: Float64Array;
  /** By queue, then row buffer x banks + bank: 0, or 1 + who has opened or closed rows there since the queue last opened one. */
  readonly #taken: readonly Uint8Array[];
  /** By command: which row buffer it opens, closes or needs, times the banks. */
  readonly #buffer: readonly number[];
  /** When commands could start if only the queue had sent any, and if only it and refreshes had. */
  readonly #alone: readonly PimRows[];
  readonly #undisturbed: readonly PimRows[];
  /** How things have stood since a cycle, by queue: an outcome, `idle` or `timed`, then own until one and refresh until another. */
  #since = 0;
  readonly #state = Int32Array.of(idle, idle);
  readonly #ownUntil = new Float64Array(2);
  readonly #refreshUntil = new Float64Array(2);
  readonly #hasSent = Uint8Array.of(0, 0);
  /** Whether something took the bus in that cycle: for requests, for PIM, for a refresh. */
  readonly #hasBus = Uint8Array.of(0, 0, 0);

  /** As the channel's `PimRows`, which are `like`. */
  constructor(device: DramDevice, scopes: readonly Scope[], sentCommands: readonly boolean[], like: PimRows) {
    this.#device = device;
    this.#scopes = scopes;
    this.#banks = banksOf(device);
    const { allBank } = device.refresh;
    const level = allBank === null ? 0 : device.commands[allBank.command]!.level;
    this.#banksEach = device.counts.slice(level + 1).reduce((all, count) => all * count, 1);
    this.activeTicks = new Float64Array(this.#banks / this.#banksEach);
    this.#activeSince = new Float64Array(this.activeTicks.length);
    this.#openRows = new Int32Array(this.activeTicks.length);
    this.open = new Bins(2 * this.#banks, binCount, device.ticksPerClock);
    const buffers = 1 + (device.rowBuffers?.length ?? 0);
    this.#openSince = new Float64Array(buffers * this.#banks).fill(-1);
    this.#openFor = new Uint8Array(buffers * this.#banks);
    this.#taken = [0, 1].map(() => new Uint8Array(buffers * this.#banks));
    this.#buffer = device.commands.map(({ rowBuffer = 0 }) => rowBuffer * this.#banks);
    const rows = (): PimRows => new PimRows(device, scopes, sentCommands, like);
    this.#alone = [rows(), rows()];
    this.#undisturbed = [rows(), rows()];
  }

  /** A cycle in which something may be sent; `isRefreshing`: a refresh waits. `served` are the queues that may send. */
  look(
    cycle: number,
    tick: number,
    queues: readonly [requests: PimQueue, programs: PimQueue],
    served: readonly PimQueue[],
    isRefreshing: boolean,
  ): void {
    this.#settle(cycle);
    for (let kind = ordinary; kind <= pim; kind++) {
      this.#state[kind] = this.#stateOf(kind, queues[kind]!, tick, served, isRefreshing);
    }
  }

  #stateOf(kind: number, queue: PimQueue, tick: number, served: readonly PimQueue[], isRefreshing: boolean): number {
    const chosen = queue.peek(tick);
    if (chosen < 0) return idle;
    if (isRefreshing) return byRefresh!;
    if (!served.includes(queue)) return turn!;
    if (queue.isBarrier(chosen)) return own!;
    const { command, needed, bank, ready } = queue.at(chosen);
    if (needed !== command) {
      const by = this.#takenBy(kind, command, bank);
      if (by > 0) return by - 1 === refresh ? byRefresh! : rowBuffer!;
    }
    if (ready <= tick) return commandBus!;
    this.#ownUntil[kind] = this.#cycleOf(this.#alone[kind]!.ready(needed, bank));
    this.#refreshUntil[kind] = this.#cycleOf(this.#undisturbed[kind]!.ready(needed, bank));
    return timed;
  }

  #takenBy(kind: number, command: number, bank: number): number {
    const banks = this.#scopes[command]!.banks(bank);
    for (let i = 0; i < banks.length; i++) {
      const by = this.#taken[kind]![this.#buffer[command]! + banks[i]!]!;
      if (by > 0) return by;
    }
    return 0;
  }

  /** The cycle from which on a command that is ready at a tick may start. */
  #cycleOf(tick: number): number {
    return this.#device.halfCycle ? Math.ceil((tick - 1) / 2) : tick;
  }

  /** Counts the cycles from the last look to this one. */
  #settle(cycle: number): void {
    const from = this.#since;
    this.#since = cycle;
    for (let kind = ordinary; kind <= pim; kind++) {
      const counts = this.outcomes[kind]!;
      const state = this.#state[kind]!;
      if (this.#hasSent[kind] === 1) {
        this.#hasSent[kind] = 0;
        counts[sent!]!++;
      } else if (state === timed) {
        const ownEnd = Math.max(from, Math.min(cycle, this.#ownUntil[kind]!));
        const refreshEnd = Math.max(ownEnd, Math.min(cycle, this.#refreshUntil[kind]!));
        counts[own!]! += ownEnd - from;
        counts[byRefresh!]! += refreshEnd - ownEnd;
        counts[constraint!]! += cycle - refreshEnd;
      } else if (state === commandBus) {
        counts[this.#hasBus[1 - kind] === 1 ? commandBus : this.#hasBus[refresh] === 1 ? byRefresh! : own!]! +=
          cycle - from;
      } else if (state !== idle) counts[state]! += cycle - from;
    }
    this.#hasBus.fill(0);
  }

  /** Something takes the cycle, a command or a barrier. */
  takes(kind: number): void {
    this.#hasBus[kind] = 1;
  }

  /** A command starts. */
  start(kind: number, command: number, bank: number, row: number, cycle: number, tick: number): void {
    this.takes(kind);
    if (kind !== refresh) this.#hasSent[kind] = 1;
    this.commands.cover(cycle + 1);
    this.commands.put(kind, cycle, 1);
    for (let queue = ordinary; queue <= pim; queue++) {
      if (kind === queue) this.#alone[queue]!.start(command, bank, row, tick);
      if (kind === queue || kind === refresh) this.#undisturbed[queue]!.start(command, bank, row, tick);
    }
    const { banks: effect } = this.#device.commands[command]!;
    if (effect !== 'opens' && effect !== 'closes') return;
    const banks = this.#scopes[command]!.banks(bank);
    const buffer = this.#buffer[command]!;
    for (let i = 0; i < banks.length; i++) this.#change(kind, buffer + banks[i]!, effect === 'opens', tick);
  }

  /** `place` is that of a row buffer in a bank. */
  #change(kind: number, place: number, opens: boolean, tick: number): void {
    this.#close(place, tick);
    for (let queue = ordinary; queue <= pim; queue++) {
      if (queue !== kind) this.#taken[queue]![place] = kind + 1;
      else if (opens) this.#taken[queue]![place] = 0;
    }
    if (!opens) return;
    this.#openSince[place] = tick;
    this.#openFor[place] = kind;
    const node = this.#nodeOf(place);
    if (this.#openRows[node]!++ === 0) this.#activeSince[node] = tick;
  }

  #close(place: number, tick: number): void {
    const since = this.#openSince[place]!;
    if (since < 0) return;
    this.#openSince[place] = -1;
    this.open.add(this.#openFor[place]! * this.#banks + (place % this.#banks), since, tick, tick - since);
    const node = this.#nodeOf(place);
    if (--this.#openRows[node]! === 0) this.activeTicks[node]! += tick - this.#activeSince[node]!;
  }

  #nodeOf(place: number): number {
    return Math.floor((place % this.#banks) / this.#banksEach);
  }

  /** Ends with a cycle, the last of the run. */
  finish(cycle: number, tick: number): void {
    this.#settle(cycle + 1);
    for (let place = 0; place < this.#openSince.length; place++) this.#close(place, tick);
    this.commands.cover(cycle + 1);
    this.open.cover((cycle + 1) * this.#device.ticksPerClock);
  }
}
