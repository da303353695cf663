/** A channel with its row buffers: which rows are open in which, and when commands may start. In ticks; nothing is allocated. */
import { banksOf, type DramConstraint, type DramDevice } from '../../../arch/language/dram/device.ts';
import { Timing } from '../dram/timing.ts';
import { Displaced } from './displaced.ts';
import { type Target, targetsOf } from './targets.ts';

export const closed = -1;

/** A row whose latency depends on the columns that its earlier command multiplies. */
interface Varying {
  readonly latencies: Float64Array;
  /** By bank of the earlier command: places of what it holds up. */
  readonly places: readonly Int32Array[];
}

export class PimState {
  readonly targets: readonly Target[];
  readonly banks: number;
  /** Row open by row buffer x banks + bank; -1 for none. */
  readonly openRow: Int32Array;
  /** Commands sent, by index. */
  readonly sent: Float64Array;
  /** By command: whether a batch of it leaves the state that its last one does, so that those between need no trace. */
  readonly repeats: readonly boolean[];
  readonly #timing: Timing;
  readonly #displaced: Displaced;
  readonly #isDisplaced: boolean;
  readonly #varying: readonly (readonly Varying[])[];
  /** By command and bank: places of the nodes below the channel that hold it up. */
  readonly #places: readonly (readonly Int32Array[])[];
  /** By command: 1 opens, -1 closes, 0 neither, and where its row buffer begins. */
  readonly #effect: Int8Array;
  readonly #offset: Int32Array;

  constructor(device: DramDevice) {
    this.targets = targetsOf(device);
    this.banks = banksOf(device);
    const buffers = 1 + (device.rowBuffers?.length ?? 0);
    this.openRow = new Int32Array(buffers * this.banks).fill(closed);
    this.sent = new Float64Array(device.commands.length);
    const constraints = device.constraints
      .filter(({ at }) => at === undefined)
      // The rest of a latency that varies is added when the command starts.
      .map((row) => (row.byMultiplications ? { ...row, latency: 1 } : row));
    this.#timing = new Timing(
      { ...device, constraints },
      device.commands.map(() => true),
    );
    this.#displaced = new Displaced(device);
    this.#isDisplaced = device.constraints.some(({ at }) => at !== undefined);
    this.#varying = device.commands.map((_, command) =>
      device.constraints
        .filter((row) => row.byMultiplications !== undefined && row.after.includes(command))
        .map((row) => this.#varyingOf(row, command)),
    );
    this.#places = device.commands.map((_, command) => this.#placesOf(command));
    this.#effect = Int8Array.from(device.commands, ({ banks }) => ({ opens: 1, closes: -1 })[banks as string] ?? 0);
    this.#offset = Int32Array.from(device.commands, ({ rowBuffer = 0 }) => rowBuffer * this.banks);
    this.repeats = device.commands.map(
      (_, command) => !device.constraints.some(({ after, window }) => window > 1 && after.includes(command)),
    );
  }

  #placesOf(command: number): Int32Array[] {
    const checks = this.#timing.nodesOf(this.#timing.classOf[command]!);
    const each = checks.length / this.banks;
    return Array.from({ length: this.banks }, (_, bank) =>
      Int32Array.from(
        new Set(
          [...this.targets[command]!.scope.banks(bank)].flatMap((one) => [
            ...checks.subarray(one * each, (one + 1) * each),
          ]),
        ),
      ),
    );
  }

  #varyingOf({ level, before, byMultiplications = [] }: DramConstraint, command: number): Varying {
    const { scope } = this.targets[command]!;
    const places = Array.from({ length: this.banks }, (_, bank) =>
      Int32Array.from(
        new Set(before.flatMap((one) => [...scope.banks(bank)].map((at) => this.#timing.placeOf(level, at, one)))),
      ),
    );
    return { latencies: Float64Array.from(byMultiplications), places };
  }

  /** Earliest tick at which a command may start at a bank. */
  ready(command: number, bank: number): number {
    const { earliest } = this.#timing;
    const places = this.#places[command]![bank]!;
    let tick = earliest[this.#timing.classOf[command]!]!;
    for (let i = 0; i < places.length; i++) {
      const t = earliest[places[i]!]!;
      if (t > tick) tick = t;
    }
    return this.#isDisplaced ? Math.max(tick, this.#displaced.ready(command, bank)) : tick;
  }

  /** A command starts; `row` is that of an opening, `multiplications` how many columns it multiplies. */
  start(command: number, bank: number, row: number, multiplications: number, tick: number): void {
    const { scope } = this.targets[command]!;
    const nodes = scope.nodes(bank);
    for (let i = 0; i < nodes.length; i++) {
      this.#timing.issue(command, nodes[i]!, tick);
      if (this.#isDisplaced) this.#displaced.start(command, nodes[i]!, tick);
    }
    const varying = this.#varying[command]!;
    for (let i = 0; i < varying.length; i++) {
      const { latencies, places } = varying[i]!;
      this.#push(places[bank]!, tick + latencies[multiplications - 1]!);
    }
    this.sent[command]!++;
    const effect = this.#effect[command]!;
    if (effect === 0) return;
    const banks = scope.banks(bank);
    const offset = this.#offset[command]!;
    for (let i = 0; i < banks.length; i++) this.openRow[offset + banks[i]!] = effect > 0 ? row : closed;
  }

  #push(places: Int32Array, tick: number): void {
    const { earliest } = this.#timing;
    for (let i = 0; i < places.length; i++) if (tick > earliest[places[i]!]!) earliest[places[i]!] = tick;
  }
}
