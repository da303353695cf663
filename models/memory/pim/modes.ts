/** The mode that a channel is in: which commands go in it, and what leads to another one. */
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';

export class Modes {
  readonly #device: DramDevice;
  /** By mode: 1 at command x banks + bank where the command goes. */
  readonly #goes: readonly Uint8Array[];
  readonly #banks: number;
  /** By change, from the mode in hand: banks that its commands have been sent to. */
  readonly #seen: readonly Set<number>[];
  #mode = 0;

  constructor(device: DramDevice) {
    this.#device = device;
    this.#banks = banksOf(device);
    const { goes = [], changes = [] } = device.modes ?? {};
    this.#goes = goes.map((commands) =>
      Uint8Array.from({ length: commands.length * this.#banks }, (_, i) => {
        const where = commands[Math.floor(i / this.#banks)]!;
        return typeof where === 'boolean' ? Number(where) : Number(where.includes(i % this.#banks));
      }),
    );
    this.#seen = changes.map(() => new Set());
  }

  goes(command: number, bank: number): boolean {
    return this.#goes.length === 0 || this.#goes[this.#mode]![command * this.#banks + bank] === 1;
  }

  /**
   * A command that leads from here to a mode in which a command goes, whatever bank and row it is for; -1 where there is none,
   * so that a program has to see to that.
   */
  changeFor(command: number, bank: number): number {
    for (const { from, to, commands, row, banks } of this.#device.modes?.changes ?? []) {
      if (from !== this.#mode || row >= 0 || banks.length > 0) continue;
      if (this.#goes[to]![command * this.#banks + bank] !== 1) continue;
      const change = commands.find((one) => this.#device.commands[one]!.level === 0);
      if (change !== undefined) return change;
    }
    return -1;
  }

  /** Whether some mode is left by a command. */
  isChange(command: number): boolean {
    return this.#device.modes?.changes.some(({ commands }) => commands.includes(command)) ?? false;
  }

  /**
   * A command starts at some banks; `rowOf` gives the row of each that it is for, or that it closes. Returns whether it
   * changes the mode.
   */
  start(command: number, banks: Iterable<number>, rowOf: (bank: number) => number): boolean {
    const changes = this.#device.modes?.changes ?? [];
    for (let i = 0; i < changes.length; i++) {
      const change = changes[i]!;
      if (change.from !== this.#mode || !change.commands.includes(command)) continue;
      const seen = this.#seen[i]!;
      for (const bank of banks) if (change.row < 0 || change.row === rowOf(bank)) seen.add(bank);
      if (seen.size === 0 || !change.banks.every((one) => seen.has(one))) continue;
      this.#mode = change.to;
      for (const others of this.#seen) others.clear();
      return true;
    }
    return false;
  }

  /** What is wrong with a program of which a command waits for ever. */
  stuck(command: number): InputError {
    const { modes, commands, name } = this.#device;
    const { names = [], goes = [] } = modes ?? {};
    const fitting = names.filter((_, mode) => goes[mode]![command] !== false);
    const message = `${commands[command]!.name} does not go in mode ${names[this.#mode]} of ${name}`;
    const diagnostic: Diagnostic = { message, hint: `send what leads to ${fitting.join(' or ')} before it` };
    return new InputError(diagnostic);
  }
}
