/** What the banks of a channel are like: which row is open, and for whom. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { none, type Request } from './requests.ts';

/** A bank's row is closed, half-open, or open. */
export const closed = 0;
export const activating = 1;
export const open = 2;

export class Banks {
  readonly count: number;
  readonly state: Uint8Array;
  /** Row open in each bank; `none` otherwise. */
  readonly openRow: Int32Array;
  /** The request that a bank's row was opened for, until it has had its access. */
  readonly holder: (Request | null)[];
  /** Openings by bank. */
  readonly activations: Float64Array;
  /** Banks below a node of the level that a refresh of all banks names, here a rank. */
  readonly rankBanks: number;
  /** Ticks with a row open in each rank, up to the last time that one closed or `settle` was called. */
  readonly activeTicks: Float64Array;
  readonly #rankOf: Int32Array;
  readonly #openInRank: Int32Array;
  readonly #activeSince: Float64Array;

  /** `level` is that of the ranks. */
  constructor(device: DramDevice, banks: number, level: number) {
    this.count = banks;
    this.state = new Uint8Array(banks);
    this.openRow = new Int32Array(banks).fill(none);
    this.holder = new Array<Request | null>(banks).fill(null);
    this.activations = new Float64Array(banks);
    this.rankBanks = device.counts.slice(level + 1).reduce((all, count) => all * count, 1);
    this.#rankOf = Int32Array.from({ length: banks }, (_, bank) => Math.floor(bank / this.rankBanks));
    this.#openInRank = new Int32Array(banks / this.rankBanks);
    this.activeTicks = new Float64Array(this.#openInRank.length);
    this.#activeSince = new Float64Array(this.#openInRank.length);
  }

  /** First bank of the rank that a bank is in. */
  rankStart(bank: number): number {
    return this.#rankOf[bank]! * this.rankBanks;
  }

  /** Whether a bank of a bank's rank is open or half-open. */
  isRankOpen(bank: number): boolean {
    return this.#openInRank[this.#rankOf[bank]!]! > 0;
  }

  halfOpen(bank: number, clock: number): void {
    this.#leaveClosed(bank, clock);
    this.state[bank] = activating;
  }

  open(bank: number, row: number, holder: Request | null, clock: number): void {
    if (this.state[bank] === closed) this.#leaveClosed(bank, clock);
    this.state[bank] = open;
    this.openRow[bank] = row;
    this.holder[bank] = holder;
    this.activations[bank]!++;
  }

  close(bank: number, clock: number): void {
    this.state[bank] = closed;
    this.openRow[bank] = none;
    const rank = this.#rankOf[bank]!;
    if (--this.#openInRank[rank]! === 0) this.activeTicks[rank]! += clock - this.#activeSince[rank]!;
  }

  /** Brings `activeTicks` up to the present. */
  settle(clock: number): void {
    this.#openInRank.forEach((openBanks, rank) => {
      if (openBanks === 0) return;
      this.activeTicks[rank]! += clock - this.#activeSince[rank]!;
      this.#activeSince[rank] = clock;
    });
  }

  #leaveClosed(bank: number, clock: number): void {
    const rank = this.#rankOf[bank]!;
    if (this.#openInRank[rank]!++ === 0) this.#activeSince[rank] = clock;
  }
}
