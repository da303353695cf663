/**
 * A channel of a memory that computes, with real numbers: banks that hold them, row buffers, units and their buffers. It
 * takes the commands that a controller sent, in their order, and knows nothing of time. What a command finds is what those
 * before it left, so that a command sent too early, or to a row that is not open, gives a wrong result.
 */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import type { IssuedCommand } from './dram-checker.ts';
import { execute, InstructionFile } from './pim-instructions.ts';

/** A command, with the places in banks and buffers that it means. */
export interface ValueCommand extends IssuedCommand {
  readonly address: {
    readonly bank: number;
    readonly row: number;
    readonly column: number;
    readonly entry: number;
    readonly sum: number;
  };
}

type Lanes = readonly number[];

export class PimValues {
  /** By bank, row and column. */
  readonly #cells = new Map<string, Lanes>();
  /** By row buffer x banks + bank. */
  readonly #open = new Map<number, number>();
  readonly #instructions = new InstructionFile();
  /** By name of a buffer, node and entry. */
  readonly #buffers = new Map<string, Lanes>();
  readonly #device: DramDevice;
  /** Numbers in a column, and the level of the units that multiply. */
  readonly #lanes: number;
  readonly #unit: number;
  readonly #host: (address: ValueCommand['address'], buffer: string) => Lanes;
  readonly #fetched: (address: ValueCommand['address'], values: Lanes) => void;

  /**
   * `host` gives what commands move from the host to a buffer: where they name several banks, a number for each. `fetched`
   * takes what they move out of the sums, again a number for each bank that is named.
   */
  constructor(
    device: DramDevice,
    { lanes, unit }: { readonly lanes: number; readonly unit: number },
    host: (address: ValueCommand['address'], buffer: string) => Lanes,
    fetched: (address: ValueCommand['address'], values: Lanes) => void,
  ) {
    this.#device = device;
    this.#lanes = lanes;
    this.#unit = unit;
    this.#host = host;
    this.#fetched = fetched;
  }

  store(bank: number, row: number, column: number, values: Lanes): void {
    this.#cells.set(
      [bank, row, column].join(' '),
      values.map((value) => rounded(value, this.#type)),
    );
  }

  /** What a bank holds. */
  load(bank: number, row: number, column: number): Lanes {
    return this.#cells.get([bank, row, column].join(' ')) ?? Array<number>(this.#lanes).fill(0);
  }

  execute(issued: ValueCommand): void {
    const { banks, pim, second, rowBuffer = 0 } = this.#device.commands[issued.command];
    const { address } = issued;
    if (this.#starts(issued.command)) this.#instructions.reset();
    if (pim?.kind === 'executes') this.#step(issued);
    if (pim?.kind === 'applies' && pim.from === 'zero') this.#clear(pim.to);
    for (const bank of this.#named(issued)) {
      const place = rowBuffer * banksOf(this.#device) + bank;
      if (banks === 'opens') this.#open.set(place, address.row);
      if (banks === 'closes') this.#open.delete(place);
      for (let i = 0; pim?.kind === 'multiplies' && i < (issued.multiplications ?? 1); i++) {
        const { column, entry } = address;
        const row = this.#rowAt(bank, rowBuffer, column + i);
        this.#multiply(bank, pim, { ...address, column: column + i, entry: entry + i }, row);
      }
    }
    for (const effect of [pim, second]) if (effect?.kind === 'moves') this.#move(effect, issued);
  }

  #move({ from, to, whole }: { from: string; to: string; whole?: true }, issued: ValueCommand): void {
    const { address } = issued;
    const units = this.#isOfMany(issued) ? this.#named(issued).map((bank) => this.#node(bank, this.#unit)) : [];
    if (from === 'host') this.#fill(to, address, units);
    else if (from === 'row' && whole) this.#copy(to, address.bank);
    else this.#take(from, address, units);
  }

  /** What stands in a column of the row that is open in a row buffer of a bank. */
  #rowAt(bank: number, rowBuffer: number, column: number): Lanes | undefined {
    const row = this.#open.get(rowBuffer * banksOf(this.#device) + bank);
    return this.#cells.get([bank, row, column].join(' '));
  }

  /** Copies all columns of the row that is open in a bank to the entries of a buffer. */
  #copy(name: string, bank: number): void {
    const entries = this.#device.buffers?.find((buffer) => buffer.name === name)?.entries ?? 0;
    for (let entry = 0; entry < entries; entry++) {
      const values = this.#rowAt(bank, 0, entry) ?? Array(this.#lanes).fill(0);
      this.#buffers.set([name, this.#node(bank, this.#levelOf(name)), entry].join(' '), values);
    }
  }

  get #type(): string {
    return this.#device.units?.type ?? '';
  }

  /** Products and their sums are rounded one by one: of neighbours, of pairs of them, and so on, then to what was there. */
  #multiply(
    bank: number,
    { from, to, unit }: { from: string; to: string; unit: number },
    { entry, sum }: ValueCommand['address'],
    row: Lanes = Array(this.#lanes).fill(0),
  ): void {
    const type = this.#device.units?.sums ?? '';
    const at = this.#node(bank, unit);
    const by =
      this.#buffers.get([from, this.#node(bank, this.#levelOf(from)), entry].join(' ')) ??
      Array(this.#lanes).fill(Number.NaN);
    const add = (values: Lanes): number => {
      if (values.length === 1) return values[0];
      const pairs = Array.from({ length: values.length / 2 }, (_, i) =>
        rounded(values[2 * i] + values[2 * i + 1], type),
      );
      return add(pairs);
    };
    const products = row.map((value, lane) => rounded(value * by[lane], type));
    const place = [to, at, sum].join(' ');
    const [before = 0] = this.#buffers.get(place) ?? [];
    this.#buffers.set(place, [rounded(before + add(products), type)]);
  }

  #isOfMany({ command }: ValueCommand): boolean {
    const { level, each = [] } = this.#device.commands[command];
    return level < this.#device.levels.length - 1 || each.length > 0;
  }

  /** What comes from the host goes to all of a buffer's nodes, or a number to each of some units. */
  #fill(name: string, address: ValueCommand['address'], units: readonly number[]): void {
    const entry = address.column - (this.#buffer(name)?.column ?? address.column - address.entry);
    const isCode = this.#device.commands.some(({ pim }) => pim?.kind === 'executes' && pim.from === name);
    const sent = this.#host(address, name);
    if (isCode) {
      this.#instructions.load(entry, sent);
      return;
    }
    const values = sent.map((value) => rounded(value, this.#type));
    if (units.length > 0) {
      for (const [i, unit] of units.entries()) this.#buffers.set([name, unit, address.sum].join(' '), [values[i]]);
      return;
    }
    for (let node = 0; node < banksOf(this.#device); node++) this.#buffers.set([name, node, entry].join(' '), values);
  }

  /** Whether a command leads to a mode in which instructions are executed. */
  #starts(command: number): boolean {
    const { modes, commands } = this.#device;
    const executing = commands.findIndex(({ pim }) => pim?.kind === 'executes');
    return (
      modes?.changes.some(({ to, commands: led }) => led.includes(command) && modes.goes[to][executing] === true) ??
      false
    );
  }

  #clear(name: string): void {
    for (const place of [...this.#buffers.keys()]) if (place.startsWith(`${name} `)) this.#buffers.delete(place);
  }

  /** The next instruction, in every unit; the column is that of the row that stands open in the bank that is named. */
  #step(issued: ValueCommand): void {
    const instruction = this.#instructions.next();
    if (!instruction) return;
    const { column } = issued.address;
    const isWrite = this.#device.commands[issued.command].access === 'write';
    for (const named of this.#named(issued)) {
      const unit = this.#node(named, this.#unit);
      const parity = named % 2;
      const row = this.#open.get(named) ?? Number.NaN;
      const bankOf = (of: number): number => named - parity + of;
      const read = (place: string): Lanes => this.#buffers.get(place) ?? Array<number>(this.#lanes).fill(0);
      execute(
        instruction,
        {
          bank: (of) => this.load(bankOf(of), this.#open.get(bankOf(of)) ?? Number.NaN, column),
          store: (of, values) => this.store(bankOf(of), this.#open.get(bankOf(of)) ?? Number.NaN, column, values),
          register: (file, index) => read([file, unit, index].join(' ')),
          setRegister: (file, index, values) => this.#buffers.set([file, unit, index].join(' '), values),
        },
        { row, column, parity, isWrite },
      );
    }
  }

  #buffer(name: string) {
    return this.#device.buffers?.find((one) => one.name === name);
  }

  /** A sum that is moved away leaves 0, or stays, where the host can write another one. */
  #take(name: string, address: ValueCommand['address'], units: readonly number[]): void {
    const nodes = units.length > 0 ? units : [this.#node(address.bank, this.#levelOf(name))];
    const places = nodes.map((node) => [name, node, address.sum].join(' '));
    this.#fetched(
      address,
      places.map((place) => this.#buffers.get(place)?.[0] ?? 0),
    );
    const isWritten = this.#device.commands.some(({ pim }) => pim?.from === 'host' && pim.to === name);
    if (!isWritten) for (const place of places) this.#buffers.delete(place);
  }

  /** Level of a buffer's nodes. */
  #levelOf(name: string): number {
    const buffer = this.#buffer(name);
    return buffer && buffer.level >= 0 ? buffer.level : this.#unit;
  }

  #node(bank: number, level: number): number {
    return Math.floor(bank / this.#device.counts.slice(level + 1).reduce((all, count) => all * count, 1));
  }

  /** Banks that a command names. */
  #named({ command, path }: ValueCommand): number[] {
    const { level, each = [] } = this.#device.commands[command];
    const { counts } = this.#device;
    return Array.from({ length: banksOf(this.#device) }, (_, bank) => bank).filter((bank) =>
      path.every((index, at) => {
        const own = this.#node(bank, at) % counts[at];
        return at > level || each.includes(at) || own === index;
      }),
    );
  }
}

/** The nearest number of a type, to even when two are as near. */
export function rounded(value: number, type: string): number {
  if (type === 'fp32' || !Number.isFinite(value) || value === 0) return Math.fround(value);
  const [bits, least, most] = type === 'bf16' ? [7, -126, 127] : [10, -14, 15];
  const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(value))));
  const step = 2 ** (exponent - bits);
  const whole = value / step;
  const down = Math.floor(whole);
  const up = whole - down > 0.5 || (whole - down === 0.5 && down % 2 !== 0);
  const result = (up ? down + 1 : down) * step;
  return Math.abs(result) >= 2 ** (most + 1) ? Math.sign(value) * Number.POSITIVE_INFINITY : result;
}
