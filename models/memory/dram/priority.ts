/** Commands that go before all requests but those whose row was opened for them: refreshes, and precharges of the page policy. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { type Banks, closed } from './banks.ts';
import type { CommandSet } from './commands.ts';
import { none } from './requests.ts';
import type { Timing } from './timing.ts';

/** First in, first out; only the head is ever tried. */
export class PriorityQueue {
  readonly #device: DramDevice;
  readonly #set: CommandSet;
  readonly #timing: Timing;
  readonly #banks: Banks;
  /** Commands and banks in turn, from `#head` on. */
  readonly #entries: number[] = [];
  #head = 0;

  constructor(device: DramDevice, set: CommandSet, timing: Timing, banks: Banks) {
    this.#device = device;
    this.#set = set;
    this.#timing = timing;
    this.#banks = banks;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** A command, and the first bank of the node that it names. */
  push(command: number, bank: number): void {
    this.#entries.push(command, bank);
  }

  /** The bank, or the first bank of the node, that the head is for. */
  get bank(): number {
    return this.#entries[this.#head + 1]!;
  }

  /** The bank, or the first bank of the node, that the head's next command is for. */
  get target(): number {
    const { bank } = this;
    if (this.#isForBank || this.#set.prechargeAll !== none || !this.#banks.isRankOpen(bank)) return bank;
    return this.#banks.state.findIndex((state, b) => b >= bank && state !== closed);
  }

  /** Banks that the head is for, from `bank` on. */
  get bankCount(): number {
    return this.#isForBank ? 1 : this.#banks.rankBanks;
  }

  /** The command that the head needs next; `none` while it would close a row that a request has yet to use. */
  get command(): number {
    const command = this.#entries[this.#head]!;
    const { bank } = this;
    const { state, holder, rankBanks } = this.#banks;
    if (this.#isForBank) {
      const isRefresh = this.#device.commands[command]!.banks !== 'closes';
      const next = isRefresh && state[bank] !== closed ? this.#set.precharge : command;
      return next === this.#set.precharge && holder[bank] !== null ? none : next;
    }
    if (!this.#banks.isRankOpen(bank)) return command;
    // Where no command closes a rank, its banks are closed one after the other.
    if (this.#set.prechargeAll === none) return holder[this.target] === null ? this.#set.precharge : none;
    for (let b = bank; b < bank + rankBanks; b++) if (holder[b] !== null) return none;
    return this.#set.prechargeAll;
  }

  /** Earliest tick for the head's next command. */
  ready(command: number): number {
    return this.#timing.readyBelow(command, this.target);
  }

  /** A command was sent for the head, which leaves when it was its own. */
  sent(command: number): void {
    if (command !== this.#entries[this.#head]) return;
    this.#head += 2;
    if (this.#head < this.#entries.length) return;
    this.#entries.length = 0;
    this.#head = 0;
  }

  get #isForBank(): boolean {
    return this.#device.commands[this.#entries[this.#head]!]!.level === this.#device.levels.length - 1;
  }
}
