/** The flash chips on their buses: which command goes when, and how data come and go. */
import { arrayDone, commandSent, dataOut } from './codes.ts';
import type { EventQueue } from './events.ts';
import { erase, type FlashTiming, program, read } from './timing.ts';
import { eraseBlock, type Transactions } from './transactions.ts';

/** Told of every transaction that is done. */
export interface FlashListener {
  flashDone(tx: number): void;
}

/** Queues of a unit, in the order in which they are looked at; their numbers are bits of `#pending`. */
const tableReads = 0;
const moveReads = 1;
const userReads = 2;
const tableWrites = 3;
const moveWrites = 4;
const userWrites = 5;
const erases = 6;
const queues = 7;
const none = -1;

const anyRead = (1 << tableReads) | (1 << moveReads) | (1 << userReads);
const anyWrite = (1 << tableWrites) | (1 << moveWrites) | (1 << userWrites);

/** Queue of every purpose of `transactions.ts`. */
const queueOf = Uint8Array.of(userReads, userReads, tableReads, moveReads, userWrites, tableWrites, moveWrites, erases);
/** What waits for the bus behind the array: the table first, then users, then moves. */
const outRank = Uint8Array.of(1, 1, 0, 2);
const outRanks = 3;

/**
 * A unit (a chip, or a die) runs one command at a time: on several planes of a die where pages of equal number wait
 * there. Reads go before writes, writes before erases; within them the mapping table first, then what collection moves,
 * then users, who also wait while collection wants to write or erase. A bus is given to data that are ready, else to
 * units in turn.
 */
export class Flash {
  /** Commands by kind (read, program, erase): of one plane, of several. */
  readonly single = new Float64Array(3);
  readonly multiplane = new Float64Array(3);
  /** Pages or blocks that commands were on, by kind. */
  readonly operations = new Float64Array(3);
  /** ps in which buses were taken, over all channels. */
  busBusy = 0;
  /** ps in which arrays worked, over all units. */
  arrayBusy = 0;
  readonly #timing: FlashTiming;
  readonly #events: EventQueue;
  readonly #txs: Transactions;
  readonly #listener: FlashListener;
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  /** Which queues of a unit hold something. */
  readonly #pending: Uint8Array;
  readonly #unitBusy: Uint8Array;
  /** Of the command that a unit runs: its kind, its transactions, their number, and how many are not done. */
  readonly #kind: Uint8Array;
  readonly #group: Int32Array;
  readonly #groupSize: Uint8Array;
  readonly #left: Uint8Array;
  readonly #busBusy: Uint8Array;
  /** Unit that is looked at first, by channel. */
  readonly #turn: Int32Array;
  /** Transactions whose data wait for the bus, by channel and rank. */
  readonly #outHeads: Int32Array;
  readonly #outTails: Int32Array;
  /** Transaction whose data go out, by channel. */
  readonly #moving: Int32Array;
  /** Channels that got something to do. */
  readonly #touched: Uint8Array;

  constructor(timing: FlashTiming, events: EventQueue, txs: Transactions, listener: FlashListener) {
    const { channels, units } = timing;
    this.#timing = timing;
    this.#events = events;
    this.#txs = txs;
    this.#listener = listener;
    this.#heads = new Int32Array(units * queues).fill(none);
    this.#tails = new Int32Array(units * queues);
    this.#pending = new Uint8Array(units);
    this.#unitBusy = new Uint8Array(units);
    this.#kind = new Uint8Array(units);
    this.#group = new Int32Array(units);
    this.#groupSize = new Uint8Array(units);
    this.#left = new Uint8Array(units);
    this.#busBusy = new Uint8Array(channels);
    this.#turn = new Int32Array(channels);
    this.#outHeads = new Int32Array(channels * outRanks).fill(none);
    this.#outTails = new Int32Array(channels * outRanks);
    this.#moving = new Int32Array(channels);
    this.#touched = new Uint8Array(channels);
  }

  /** A transaction for a physical page; it goes when `schedule` is called. */
  enqueue(tx: number, place: number): void {
    const txs = this.#txs;
    const { pagesOfPlane, pages, planesOfUnit, unitsOnChannel } = this.#timing;
    const plane = Math.floor(place / pagesOfPlane);
    const unit = Math.floor(plane / planesOfUnit);
    txs.place[tx] = place;
    txs.plane[tx] = plane;
    txs.row[tx] = txs.purpose[tx] === eraseBlock ? 0 : place % pages;
    txs.next[tx] = none;
    const queue = queueOf[txs.purpose[tx]!]!;
    const at = unit * queues + queue;
    if (this.#heads[at] === none) {
      this.#heads[at] = tx;
      this.#pending[unit]! |= 1 << queue;
    } else txs.next[this.#tails[at]!] = tx;
    this.#tails[at] = tx;
    this.#touched[Math.floor(unit / unitsOnChannel)] = 1;
  }

  /** Gives free buses to what was put into queues. */
  schedule(): void {
    const touched = this.#touched;
    for (let channel = 0; channel < touched.length; channel++) {
      if (touched[channel] === 0) continue;
      touched[channel] = 0;
      if (this.#busBusy[channel] === 0) this.#offerBus(channel);
    }
  }

  /** The command, and the data of a write, are in the chip: its array begins. */
  commandSent(unit: number): void {
    const timing = this.#timing;
    const tx = this.#group[unit]!;
    const time = timing.array(this.#kind[unit]!, this.#txs.row[tx]!);
    this.arrayBusy += time;
    this.#events.put(this.#events.now + time, arrayDone | unit);
    this.#releaseBus(Math.floor(unit / timing.unitsOnChannel));
  }

  /** The array of a unit is done. */
  arrayDone(unit: number): void {
    const channel = Math.floor(unit / this.#timing.unitsOnChannel);
    if (this.#kind[unit] === read) this.#offerData(unit, channel);
    else {
      for (let tx = this.#group[unit]!, next: number; tx !== none; tx = next) {
        next = this.#txs.next[tx]!;
        this.#listener.flashDone(tx);
      }
      this.#unitBusy[unit] = 0;
    }
    if (this.#busBusy[channel] === 0) this.#offerBus(channel);
  }

  /** The data of a page are out of the chip. */
  dataOut(channel: number): void {
    const tx = this.#moving[channel]!;
    const unit = Math.floor(this.#txs.plane[tx]! / this.#timing.planesOfUnit);
    this.#listener.flashDone(tx);
    if (--this.#left[unit]! === 0) this.#unitBusy[unit] = 0;
    this.#releaseBus(channel);
  }

  /** Pages that were read wait for the bus, or take it. */
  #offerData(unit: number, channel: number): void {
    const txs = this.#txs;
    this.#left[unit] = this.#groupSize[unit]!;
    const rank = outRank[txs.purpose[this.#group[unit]!]!]!;
    for (let tx = this.#group[unit]!, next: number; tx !== none; tx = next) {
      next = txs.next[tx]!;
      txs.next[tx] = none;
      if (this.#busBusy[channel] === 0) {
        this.#sendOut(channel, tx);
        continue;
      }
      const at = channel * outRanks + rank;
      if (this.#outHeads[at] === none) this.#outHeads[at] = tx;
      else txs.next[this.#outTails[at]!] = tx;
      this.#outTails[at] = tx;
    }
  }

  #sendOut(channel: number, tx: number): void {
    const time = this.#timing.dataOut(this.#txs.bytes[tx]!);
    this.#busBusy[channel] = 1;
    this.busBusy += time;
    this.#moving[channel] = tx;
    this.#events.put(this.#events.now + time, dataOut | channel);
  }

  /** The bus is free again: data that wait have it before new commands. */
  #releaseBus(channel: number): void {
    this.#busBusy[channel] = 0;
    for (let rank = 0; rank < outRanks; rank++) {
      const at = channel * outRanks + rank;
      const tx = this.#outHeads[at]!;
      if (tx === none) continue;
      this.#outHeads[at] = this.#txs.next[tx]!;
      this.#sendOut(channel, tx);
      return;
    }
    this.#offerBus(channel);
  }

  /** Looks at the units of a channel in turn until one takes the bus. */
  #offerBus(channel: number): void {
    const units = this.#timing.unitsOnChannel;
    for (let i = 0; i < units; i++) {
      const turn = this.#turn[channel]!;
      this.#turn[channel] = turn + 1 === units ? 0 : turn + 1;
      const unit = channel * units + turn;
      if (this.#pending[unit] !== 0 && this.#unitBusy[unit] === 0) this.#serve(unit, channel);
      if (this.#busBusy[channel] === 1) return;
    }
  }

  #serve(unit: number, channel: number): void {
    const has = this.#pending[unit]!;
    const wantsMove = has & ((1 << moveWrites) | (1 << erases));
    if (has & anyRead) {
      const first = has & (1 << tableReads) ? tableReads : has & (1 << moveReads) ? moveReads : userReads;
      if (first !== userReads || !wantsMove) {
        const second = first === tableReads && has & (1 << moveReads) ? moveReads : userReads;
        this.#issue(read, unit, channel, first, second);
        return;
      }
    }
    if (has & anyWrite) {
      const first = has & (1 << tableWrites) ? tableWrites : has & (1 << moveWrites) ? moveWrites : userWrites;
      if (first !== userWrites || !(has & (1 << erases))) {
        const second = first === tableWrites && has & (1 << moveWrites) ? moveWrites : userWrites;
        if (this.#issue(program, unit, channel, first, second)) return;
      }
    }
    if (has & (1 << erases)) this.#issue(erase, unit, channel, erases, erases);
  }

  /** Sends a command for the first transaction that can go, and those of other planes that fit. False when none can. */
  #issue(kind: number, unit: number, channel: number, first: number, second: number): boolean {
    const txs = this.#txs;
    let lead = this.#firstReady(unit, first);
    if (lead === none && second !== first) lead = this.#firstReady(unit, second);
    if (lead === none) return false;
    this.#group[unit] = none;
    this.#groupSize[unit] = 0;
    const last = this.#gather(unit, first, lead, none);
    if (second !== first && this.#groupSize[unit]! < this.#timing.planesOfDie) this.#gather(unit, second, lead, last);
    const size = this.#groupSize[unit]!;
    let time = this.#timing.command(kind, size);
    if (kind === program)
      for (let tx = this.#group[unit]!; tx !== none; tx = txs.next[tx]!) time += this.#timing.dataIn(txs.bytes[tx]!);
    this.#kind[unit] = kind;
    this.#unitBusy[unit] = 1;
    this.#busBusy[channel] = 1;
    this.busBusy += time;
    this.operations[kind]! += size;
    if (size === 1) this.single[kind]!++;
    else this.multiplane[kind]!++;
    this.#events.put(this.#events.now + time, commandSent | unit);
    return true;
  }

  #firstReady(unit: number, queue: number): number {
    const { next, waits } = this.#txs;
    let tx = this.#heads[unit * queues + queue]!;
    while (tx !== none && waits[tx] !== 0) tx = next[tx]!;
    return tx;
  }

  /**
   * Takes from a queue, for the command that `lead` leads, one transaction for each plane of its die that has none, on
   * pages of the same number. `last` is the last one gathered; gives the new last.
   */
  #gather(unit: number, queue: number, lead: number, last: number): number {
    const { next, plane, row, waits } = this.#txs;
    const { planesOfDie } = this.#timing;
    const at = unit * queues + queue;
    const firstPlane = plane[lead]! - (plane[lead]! % planesOfDie);
    let taken = this.#planesTaken(unit);
    let before = none;
    for (let tx = this.#heads[at]!, after: number; tx !== none; tx = after) {
      after = next[tx]!;
      const bit = plane[tx]! - firstPlane;
      const isLead = tx === lead;
      const fits =
        bit >= 0 && bit < planesOfDie && (taken & (1 << bit)) === 0 && row[tx] === row[lead] && waits[tx] === 0;
      // What stands before the lead waits for a read; what could go in its plane comes behind it.
      if (!fits || (!isLead && plane[tx] === plane[lead])) {
        before = tx;
        continue;
      }
      taken |= 1 << bit;
      if (before === none) this.#heads[at] = after;
      else next[before] = after;
      if (after === none) this.#tails[at] = before;
      next[tx] = none;
      if (last === none) this.#group[unit] = tx;
      else next[last] = tx;
      last = tx;
      this.#groupSize[unit]!++;
      if (this.#groupSize[unit] === planesOfDie) break;
    }
    if (this.#heads[at] === none) this.#pending[unit]! &= ~(1 << queue);
    return last;
  }

  /** Planes of a die, a bit for each, that the command being made is on. */
  #planesTaken(unit: number): number {
    const { next, plane } = this.#txs;
    const { planesOfDie } = this.#timing;
    let taken = 0;
    for (let tx = this.#group[unit]!; tx !== none; tx = next[tx]!) taken |= 1 << (plane[tx]! % planesOfDie);
    return taken;
  }
}
