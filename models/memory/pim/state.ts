/** A channel with its row buffers: which rows are open in which, and when commands may start. In ticks; nothing is allocated. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { Timing } from '../dram/timing.ts';
import { Displaced } from './displaced.ts';
import { type PimTables, tablesOf } from './tables.ts';
import type { Target } from './targets.ts';

export const closed = -1;

export class PimState {
  readonly tables: PimTables;
  readonly targets: readonly Target[];
  readonly banks: number;
  /** Row open by row buffer x banks + bank; -1 for none. */
  readonly openRow: Int32Array;
  /** Commands sent, by index. */
  readonly sent: Float64Array;
  /** Columns that they multiplied beyond one each, by index. */
  readonly further: Float64Array;
  readonly #timing: Timing;
  readonly #displaced: Displaced;

  constructor(device: DramDevice) {
    this.tables = tablesOf(device);
    const { targets, banks, buffers, timing } = this.tables;
    this.targets = targets;
    this.banks = banks;
    this.openRow = new Int32Array(buffers * banks).fill(closed);
    this.sent = new Float64Array(device.commands.length);
    this.further = new Float64Array(this.sent.length);
    this.#timing = new Timing(
      device,
      device.commands.map(() => true),
      timing,
    );
    this.#displaced = new Displaced(device);
  }

  /** Takes over what has happened to another one of the same device; what has been counted stays. */
  copyFrom(other: PimState): void {
    this.openRow.set(other.openRow);
    this.#timing.copyFrom(other.#timing);
    this.#displaced.copyFrom(other.#displaced);
  }

  /** Whether nothing that starts after a tick can tell this from another one of the same device. */
  isAlike(other: PimState, tick: number): boolean {
    for (let i = 0; i < this.openRow.length; i++) if (this.openRow[i] !== other.openRow[i]) return false;
    return this.#timing.isAlike(other.#timing, tick) && this.#displaced.isAlike(other.#displaced, tick);
  }

  /** Counts beside its own what another one counts from now on; or, with a sign of 1, has counted. */
  count(other: PimState, sign: 1 | -1): void {
    for (let i = 0; i < this.sent.length; i++) {
      this.sent[i]! += sign * other.sent[i]!;
      this.further[i]! += sign * other.further[i]!;
    }
  }

  /** Earliest tick by node and class of commands. */
  get earliest(): number[] {
    return this.#timing.earliest;
  }

  get waits(): number {
    return this.#timing.waits;
  }

  /** As `Timing` has it. */
  readWaits(tick: number, into: Int32Array, from: number): void {
    this.#timing.readWaits(tick, into, from);
  }

  /** Earliest tick at which a command may start at a bank. */
  ready(command: number, bank: number): number {
    const { earliest } = this.#timing;
    const places = this.tables.places[command]![bank]!;
    let tick = 0;
    for (let i = 0; i < places.length; i++) {
      const t = earliest[places[i]!]!;
      if (t > tick) tick = t;
    }
    return this.tables.isDisplaced ? Math.max(tick, this.#displaced.ready(command, bank)) : tick;
  }

  /** A command starts; `row` is that of an opening, `multiplications` how many columns it multiplies. */
  start(command: number, bank: number, row: number, multiplications: number, tick: number): void {
    const { tables } = this;
    const { earliest } = this.#timing;
    const { places, latencies } = tables.pushes[command]![bank]!;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const t = tick + latencies[i]!;
      if (t > earliest[place]!) earliest[place] = t;
    }
    if (tables.isWindowed[command]) this.note(command, bank, tick);
    if (tables.isDisplaced) this.#displace(command, bank, tick);
    const varying = tables.varying[command]!;
    for (let i = 0; i < varying.length; i++) {
      const { latencies, places } = varying[i]!;
      this.#push(places[bank]!, tick + latencies[multiplications - 1]!);
    }
    this.sent[command]!++;
    this.further[command]! += multiplications - 1;
    if (tables.effect[command] !== 0) this.#open(command, bank, row);
  }

  /** Of a start, what rows keep that look back further than one command. */
  note(command: number, bank: number, tick: number): void {
    const nodes = this.targets[command]!.scope.nodes(bank);
    for (let i = 0; i < nodes.length; i++) this.#timing.note(command, nodes[i]!, tick);
  }

  #displace(command: number, bank: number, tick: number): void {
    const nodes = this.targets[command]!.scope.nodes(bank);
    for (let i = 0; i < nodes.length; i++) this.#displaced.start(command, nodes[i]!, tick);
  }

  #open(command: number, bank: number, row: number): void {
    const banks = this.targets[command]!.scope.banks(bank);
    const offset = this.tables.offset[command]!;
    const opened = this.tables.effect[command]! > 0 ? row : closed;
    for (let i = 0; i < banks.length; i++) this.openRow[offset + banks[i]!] = opened;
  }

  #push(places: Int32Array, tick: number): void {
    const { earliest } = this.#timing;
    for (let i = 0; i < places.length; i++) if (tick > earliest[places[i]!]!) earliest[places[i]!] = tick;
  }
}
