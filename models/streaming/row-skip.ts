/**
 * Skips rows of a streaming graph that repeat earlier ones. Between rows no token is under way, so that a graph's state is
 * the local time of each operator and the times at which slots of its channels become free. When both are what they were
 * some rows ago, each operator later by a shift of its own, the rows in between will pass again just so: where a channel's
 * ends have shifts that differ, its receiver falls behind and never had to wait for it, and no slot holds its sender back.
 */
import type { Channel } from '../kernel/channel.ts';
import type { Skipping } from '../kernel/kernel.ts';
import type { StreamOperator } from './operator.ts';

export interface StreamChannel {
  readonly channel: Channel;
  readonly sender: StreamOperator;
  readonly receiver: StreamOperator;
  readonly isUnbounded: boolean;
  readonly tokensPerRow: number;
}

export class RowSkip implements Skipping {
  readonly #operators: readonly StreamOperator[];
  readonly #sources: readonly StreamOperator[];
  readonly #channels: readonly StreamChannel[];
  readonly #rows: number;
  /** Where the state of each channel begins in `#saved`. */
  readonly #offsets: readonly number[];
  readonly #saved: Float64Array;
  readonly #times = new Map<StreamOperator, number>();
  #savedRow = -1;
  #nextSave = 1;
  #seen = 0;
  #isOver = false;
  /** Rows that were not run. */
  skipped = 0;

  constructor(operators: readonly StreamOperator[], channels: readonly StreamChannel[], rows: number) {
    this.#operators = operators;
    this.#sources = operators.filter(({ isSource }) => isSource);
    this.#channels = channels;
    this.#rows = rows;
    let size = 0;
    this.#offsets = channels.map(({ channel }) => {
      const at = size;
      size += channel.size;
      return at;
    });
    this.#saved = new Float64Array(size);
  }

  /** Whether every source is about to begin a row that has not been looked at. */
  get hasMoved(): boolean {
    const row = this.#sources[0]?.row ?? 0;
    return !this.#isOver && row > this.#seen && this.#sources.every((source) => source.row === row);
  }

  look(): number {
    const row = this.#sources[0]!.row;
    this.#seen = row;
    // A graph whose rows are not done with before the next is one that will deadlock.
    if (this.#operators.some((operator) => operator.row !== row)) return 0;
    if (this.#savedRow >= 0 && this.#repeats()) return this.#skip(row);
    if (row >= this.#nextSave) this.#save(row);
    return 0;
  }

  finish(): void {}

  #save(row: number): void {
    this.#channels.forEach(({ channel }, i) => {
      channel.save(this.#saved, this.#offsets[i]!);
    });
    for (const operator of this.#operators) {
      this.#times.set(operator, operator.time);
      operator.forgetWaits();
    }
    this.#savedRow = row;
    this.#nextSave = 2 * row;
  }

  #repeats(): boolean {
    return this.#channels.every((stream, i) => this.#channelRepeats(stream, this.#offsets[i]!));
  }

  #channelRepeats({ channel, sender, receiver, isUnbounded }: StreamChannel, at: number): boolean {
    const [ahead, behind] = [this.#shift(sender), this.#shift(receiver)];
    if (ahead !== behind && !(isUnbounded && ahead < behind && receiver.isAheadOf(channel))) return false;
    return isUnbounded || channel.repeats(this.#saved, at, { start: this.#timeBefore(sender), end: sender.time });
  }

  #timeBefore(operator: StreamOperator): number {
    return this.#times.get(operator) ?? 0;
  }

  #shift(operator: StreamOperator): number {
    return operator.time - this.#timeBefore(operator);
  }

  /** All periods but the last, which shows in the end that what comes is what was foreseen. */
  #skip(row: number): number {
    this.#isOver = true;
    const period = row - this.#savedRow;
    const times = Math.floor((this.#rows - row) / period) - 1;
    if (times <= 0) return 0;
    this.#channels.forEach(({ channel, sender }, i) => {
      channel.skip(this.#saved, this.#offsets[i]!, { start: this.#timeBefore(sender), end: sender.time }, times);
    });
    for (const operator of this.#operators) operator.skip(times * period, times * this.#shift(operator));
    this.skipped = times * period;
    return this.skipped;
  }
}
