/** Tells of the commands of a channel one by one, each with the address that it is sent for. */
import type { CommandBus } from './bus.ts';
import type { ChannelLog } from './listener.ts';
import type { Ordinary } from './ordinary.ts';
import type { PimWork } from './work.ts';

const nowhere = -1;

export class CommandLog {
  readonly #log: ChannelLog;
  readonly #bus: CommandBus;
  readonly #work: PimWork;
  readonly #ordinary: Ordinary;

  constructor(log: ChannelLog, bus: CommandBus, work: PimWork, ordinary: Ordinary) {
    this.#log = log;
    this.#bus = bus;
    this.#work = work;
    this.#ordinary = ordinary;
  }

  /** What was chosen for the PIM work. */
  work(cycle: number): void {
    const { command, bank, head } = this.#work;
    const { row, column, entry, sum, multiplications } = head!;
    const address = { command: head!.command, bank, row, column, entry, sum };
    this.#log(this.#bus.tick(cycle), command, address, multiplications);
  }

  /** What a refresh needs, or itself. */
  refresh(command: number, bank: number, refresh: number, cycle: number): void {
    const address = { command: refresh, bank, row: nowhere, column: nowhere, entry: nowhere, sum: nowhere };
    this.#log(this.#bus.tick(cycle), command, address, 1);
  }

  access(command: number, bank: number, row: number, column: number, cycle: number): void {
    const address = { command, bank, row, column, entry: nowhere, sum: nowhere };
    this.#log(this.#bus.tick(cycle), command, address, 1);
  }

  /** A column of a run, as `ColumnLog` has it. */
  readonly column = (slot: number, sent: number, cycle: number): void => {
    const { reads, writes, command, isWriting } = this.#ordinary;
    const { bank, row, column } = isWriting ? writes : reads;
    this.access(command, bank[slot]!, row[slot]!, column[slot]! + sent, cycle);
  };
}
