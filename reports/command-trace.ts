/** Every command that a DRAM's controllers sent, as a table: the columns are those of Ramulator's command traces. */
import { banksOf, type DramDevice } from '../arch/language/dram/device.ts';
import type { CommandLog } from '../models/memory/dram/controller.ts';

interface Sent {
  readonly tick: number;
  readonly command: number;
  readonly channel: number;
  readonly bank: number;
  readonly row: number;
  readonly column: number;
}

/** What stands where a command names nothing. */
const nothing = -1;

/** Ramulator has names of its own for some levels. */
const columnNames: { readonly [level: string]: string } = { stackId: 'Sid' };

const columnOf = (level: string): string => columnNames[level] ?? level.charAt(0).toUpperCase() + level.slice(1);

export class CommandTrace {
  readonly #device: DramDevice;
  readonly #sent: Sent[] = [];

  constructor(device: DramDevice) {
    this.#device = device;
  }

  /** What a channel's controller tells its commands to. */
  readonly log =
    (channel: number): CommandLog =>
    (tick, command, bank, row, column) => {
      this.#sent.push({ tick, command, channel, bank, row, column });
    };

  /**
   * One line for each command in order of time: tick, name, and the place it names from the channel to the column, with -1
   * below. Commands that a request asked for name its place, also those that act on a whole rank.
   */
  csv(): string {
    const { levels } = this.#device;
    const header = ['clock', 'command', ...levels.map(columnOf), 'Row', 'Column'].join(',');
    const sent = this.#sent.toSorted((a, b) => a.tick - b.tick || a.channel - b.channel);
    return `${[header, ...sent.map((command) => this.#line(command))].join('\n')}\n`;
  }

  #line({ tick, command, channel, bank, row, column }: Sent): string {
    const { commands, levels } = this.#device;
    const { name, level } = commands[command]!;
    const named = row === nothing ? level : levels.length - 1;
    const path = this.#path(bank).map((index, i) => (i > named ? nothing : index));
    return [tick, name, channel, ...path.slice(1), row, row === nothing ? nothing : column].join(',');
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
