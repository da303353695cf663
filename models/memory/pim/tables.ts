/** What the channels of a device share: whom commands act on and hold up, for how long. Nothing of it changes. */
import { banksOf, type DramConstraint, type DramDevice } from '../../../arch/language/dram/device.ts';
import { Timing } from '../dram/timing.ts';
import { Displaced } from './displaced.ts';
import { Estimate } from './estimate.ts';
import { type Target, targetsOf } from './targets.ts';

/** More than any command multiplies. */
const mostColumns = 1024;

/** A row whose latency depends on the columns that its earlier command multiplies. */
interface Varying {
  readonly latencies: Float64Array;
  /** By bank of the earlier command: places of what it holds up. */
  readonly places: readonly Int32Array[];
}

/** What a command holds up: places in `earliest`, each once, and the ticks until then. */
interface Pushes {
  readonly places: Int32Array;
  readonly latencies: Int32Array;
}

export class PimTables {
  readonly banks: number;
  /** Row buffers of a bank. */
  readonly buffers: number;
  readonly targets: readonly Target[];
  /** One that nothing was sent to. */
  readonly timing: Timing;
  readonly displaced: Displaced;
  readonly isDisplaced: boolean;
  /** By command: the rows that vary. */
  readonly varying: readonly (readonly Varying[])[];
  /** By command and bank: places of the nodes that hold it up, the channel's first. */
  readonly places: readonly (readonly Int32Array[])[];
  /** By command and bank: what rows that look back one command have it hold up; and whether others do. */
  readonly pushes: readonly (readonly Pushes[])[];
  readonly isWindowed: readonly boolean[];
  /** By command: 1 opens, -1 closes, 0 neither, and where its row buffer begins. */
  readonly effect: Int8Array;
  readonly offset: Int32Array;
  /** By command: whether a batch of it leaves the state that its last ones of each bank do, so that the others need no trace. */
  readonly repeats: readonly boolean[];
  /** By command: how long the work takes that it begins; null where it begins none. */
  readonly estimates: readonly (Estimate | null)[];
  readonly #apart = new Map<number, number>();
  readonly #gaps = new Map<number, Int32Array>();

  constructor(device: DramDevice) {
    this.targets = targetsOf(device);
    this.banks = banksOf(device);
    this.buffers = 1 + (device.rowBuffers?.length ?? 0);
    const constraints = device.constraints
      .filter(({ at }) => at === undefined)
      // The rest of a latency that varies is added when the command starts.
      .map((row) => (row.byMultiplications ? { ...row, latency: 1 } : row));
    this.timing = new Timing(
      { ...device, constraints },
      device.commands.map(() => true),
    );
    this.displaced = new Displaced(device);
    this.isDisplaced = device.constraints.some(({ at }) => at !== undefined);
    this.varying = device.commands.map((_, command) =>
      device.constraints
        .filter((row) => row.byMultiplications !== undefined && row.after.includes(command))
        .map((row) => this.#varyingOf(row, command)),
    );
    this.places = device.commands.map((_, command) => this.#placesOf(command));
    this.pushes = device.commands.map((_, command) =>
      Array.from({ length: this.banks }, (_, bank) => this.#pushesOf(command, bank)),
    );
    this.isWindowed = device.commands.map((_, command) =>
      device.constraints.some(({ after, window }) => window > 1 && after.includes(command)),
    );
    this.estimates = device.commands.map(({ estimate }) => (estimate ? new Estimate(estimate) : null));
    this.effect = Int8Array.from(device.commands, ({ banks }) => ({ opens: 1, closes: -1 })[banks as string] ?? 0);
    this.offset = Int32Array.from(device.commands, ({ rowBuffer = 0 }) => rowBuffer * this.banks);
    this.repeats = device.commands.map(
      (_, command) => this.effect[command] === 0 && this.varying[command]!.length === 0 && !this.isWindowed[command],
    );
  }

  #placesOf(command: number): Int32Array[] {
    const cls = this.timing.classOf[command]!;
    const checks = this.timing.nodesOf(cls);
    const each = checks.length / this.banks;
    return Array.from({ length: this.banks }, (_, bank) =>
      Int32Array.from(
        new Set([
          cls,
          ...[...this.targets[command]!.scope.banks(bank)].flatMap((one) => [
            ...checks.subarray(one * each, (one + 1) * each),
          ]),
        ]),
      ),
    );
  }

  #varyingOf({ level, before, byMultiplications = [] }: DramConstraint, command: number): Varying {
    const { scope } = this.targets[command]!;
    const places = Array.from({ length: this.banks }, (_, bank) =>
      Int32Array.from(
        new Set(before.flatMap((one) => [...scope.banks(bank)].map((at) => this.timing.placeOf(level, at, one)))),
      ),
    );
    return { latencies: Float64Array.from(byMultiplications), places };
  }

  #pushesOf(command: number, bank: number): Pushes {
    const longest = new Map<number, number>();
    for (const node of this.targets[command]!.scope.nodes(bank)) {
      const { places, latencies } = this.timing.pushesOf(command, node);
      places.forEach((place, i) => {
        longest.set(place, Math.max(latencies[i]!, longest.get(place) ?? 0));
      });
    }
    return { places: Int32Array.from(longest.keys()), latencies: Int32Array.from(longest.values()) };
  }

  /** Ticks at least from a command that multiplies so many columns to the next of it, whatever the banks. */
  apart(command: number, multiplications: number): number {
    const key = command * mostColumns + multiplications;
    let apart = this.#apart.get(key);
    if (apart === undefined) {
      const others = Array.from({ length: this.banks }, (_, other) => this.#apartOf(command, multiplications, other));
      apart = Math.max(1, Math.min(...others));
      this.#apart.set(key, apart);
    }
    return apart;
  }

  /** From the first bank; all are alike, but for rows of displaced banks, which can only add to it. */
  #apartOf(command: number, multiplications: number, other: number): number {
    const waits = new Set(this.places[command]![other]!);
    const varying = this.varying[command]!.map(({ latencies, places }) =>
      places[0]!.some((place) => waits.has(place)) ? latencies[multiplications - 1]! : 0,
    );
    return Math.max(this.#gap(command, 0, other), ...varying);
  }

  /**
   * Cycles, of so many ticks, from a command at a bank to the same one at another, by banks x bank + other; at least one.
   * Of commands that repeat.
   */
  gaps(command: number, ticks: number): Int32Array {
    let gaps = this.#gaps.get(command);
    if (!gaps) {
      gaps = Int32Array.from({ length: this.banks * this.banks }, (_, i) =>
        Math.max(1, Math.ceil(this.#gap(command, Math.floor(i / this.banks), i % this.banks) / ticks)),
      );
      this.#gaps.set(command, gaps);
    }
    return gaps;
  }

  #gap(command: number, bank: number, other: number): number {
    const { places, latencies } = this.pushes[command]![bank]!;
    const waits = new Set(this.places[command]![other]!);
    let gap = 0;
    places.forEach((place, i) => {
      if (waits.has(place)) gap = Math.max(gap, latencies[i]!);
    });
    return this.isDisplaced ? Math.max(gap, this.#displacedGap(command, bank, other)) : gap;
  }

  #displacedGap(command: number, bank: number, other: number): number {
    const nodes = [...this.targets[command]!.scope.nodes(bank)];
    return Math.max(...nodes.map((node) => this.displaced.gap(command, node, other)));
  }
}

const known = new WeakMap<DramDevice, PimTables>();

/** The tables of a device. @throws Error as `targetsOf` does */
export function tablesOf(device: DramDevice): PimTables {
  const tables = known.get(device) ?? new PimTables(device);
  known.set(device, tables);
  return tables;
}
