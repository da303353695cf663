/** Every command that a DRAM's controllers sent, as a table: the columns are those of Ramulator's command traces. */
import { banksOf, type DramDevice } from '../arch/language/dram/device.ts';
import type { CommandLog } from '../models/memory/dram/controller.ts';

/** What stands where a command names nothing. */
const nothing = -1;

/** Lines of a piece of the text. */
const linesPerPiece = 4096;

/** Ramulator has names of its own for some levels. */
const columnNames: { readonly [level: string]: string } = { stackId: 'Sid' };

const columnOf = (level: string): string => columnNames[level] ?? level.charAt(0).toUpperCase() + level.slice(1);

export class CommandTrace {
  readonly #device: DramDevice;
  /** By channel. */
  readonly #sent: Sent[] = [];

  constructor(device: DramDevice) {
    this.#device = device;
  }

  /** What a channel's controller tells its commands to, none earlier than the one before. */
  readonly log = (channel: number): CommandLog => {
    const sent = new Sent();
    this.#sent[channel] = sent;
    return (tick, command, bank, row, column) => sent.add(tick, command, bank, row, column);
  };

  /**
   * One line for each command in order of time: tick, name, and the place it names from the channel to the column, with -1
   * below. Commands that a request asked for name its place, also those that act on a whole rank. In pieces, as the whole
   * may be longer than a string can be.
   */
  *csv(): Generator<string> {
    const { levels } = this.#device;
    let lines = [['clock', 'command', ...levels.map(columnOf), 'Row', 'Column'].join(',')];
    for (const [channel, i] of inOrder(this.#sent)) {
      lines.push(this.#line(channel, i));
      if (lines.length < linesPerPiece) continue;
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
    if (lines.length > 0) yield `${lines.join('\n')}\n`;
  }

  /** Command `i` of a channel. */
  #line(channel: number, i: number): string {
    const { commands, levels } = this.#device;
    const sent = this.#sent[channel]!;
    const { name, level } = commands[sent.command[i]!]!;
    const row = sent.row[i]!;
    const named = row === nothing ? level : levels.length - 1;
    const path = this.#path(sent.bank[i]!).map((index, depth) => (depth > named ? nothing : index));
    return [sent.tick[i], name, channel, ...path.slice(1), row, row === nothing ? nothing : sent.column[i]].join(',');
  }

  /** Index of a bank, and of all that it is part of, below the next higher one. */
  #path(bank: number): number[] {
    let size = banksOf(this.#device);
    let rest = bank;
    return this.#device.counts.map((count) => {
      size /= count;
      const index = Math.floor(rest / size);
      rest -= index * size;
      return index;
    });
  }
}

/** Commands of one channel: the first `count` places of the arrays. */
class Sent {
  count = 0;
  tick = new Float64Array(1024);
  command = new Int32Array(1024);
  bank = new Int32Array(1024);
  row = new Int32Array(1024);
  column = new Int32Array(1024);

  add(tick: number, command: number, bank: number, row: number, column: number): void {
    if (this.count === this.tick.length) this.#grow();
    const i = this.count++;
    this.tick[i] = tick;
    this.command[i] = command;
    this.bank[i] = bank;
    this.row[i] = row;
    this.column[i] = column;
  }

  #grow(): void {
    this.tick = twice(this.tick, new Float64Array(2 * this.count));
    this.command = twice(this.command, new Int32Array(2 * this.count));
    this.bank = twice(this.bank, new Int32Array(2 * this.count));
    this.row = twice(this.row, new Int32Array(2 * this.count));
    this.column = twice(this.column, new Int32Array(2 * this.count));
  }
}

function twice<T extends Float64Array | Int32Array>(values: T, longer: T): T {
  longer.set(values);
  return longer;
}

/** The channel and the position there of every command in order of time; of those in one tick, the lowest channel first. */
function* inOrder(sent: readonly Sent[]): Generator<readonly [channel: number, i: number]> {
  const next = new Int32Array(sent.length);
  for (;;) {
    let first = -1;
    let tick = Number.POSITIVE_INFINITY;
    for (const [channel, { count, tick: ticks }] of sent.entries()) {
      const i = next[channel]!;
      if (i === count || ticks[i]! >= tick) continue;
      first = channel;
      tick = ticks[i]!;
    }
    if (first < 0) return;
    yield [first, next[first]!++];
  }
}
