/** Constraint rows that hold up another bank than that of the earlier command: `bank  MACPB -> PREPB  nRTPL  at bankGroup 0`. */
import { banksOf, type DramConstraint, type DramDevice } from '../../../arch/language/dram/device.ts';

/** A row, by bank of the earlier command the bank that waits. */
interface Row {
  readonly latency: number;
  readonly before: readonly number[];
  readonly waiting: Int32Array;
}

export class Displaced {
  /** By command: the rows that it is the earlier command of; by command x banks + bank: the earliest tick. */
  readonly #after: readonly (readonly Row[])[];
  readonly #ready: Float64Array;
  readonly #banks: number;
  /** By command: whether a row holds it up. */
  readonly #waits: readonly boolean[];

  constructor(device: DramDevice) {
    const rows = device.constraints.filter(({ at }) => at !== undefined);
    this.#banks = banksOf(device);
    this.#ready = new Float64Array(rows.length > 0 ? device.commands.length * this.#banks : 0);
    this.#waits = device.commands.map((_, command) => rows.some(({ before }) => before.includes(command)));
    const prepared = rows.map((row) => ({ ...row, waiting: waitingBanks(device, row) }));
    this.#after = device.commands.map((_, command) => prepared.filter(({ after }) => after.includes(command)));
  }

  ready(command: number, bank: number): number {
    return this.#waits[command] ? this.#ready[command * this.#banks + bank]! : 0;
  }

  /** Takes over what has happened to another one of the same. */
  copyFrom(other: Displaced): void {
    this.#ready.set(other.#ready);
  }

  /** Whether nothing that starts after a tick can tell this from another one of the same. */
  isAlike(other: Displaced, tick: number): boolean {
    return this.#ready.every((own, i) => own === other.#ready[i] || Math.max(own, other.#ready[i]!) <= tick);
  }

  /** Ticks from a command at a bank to the same one at another. */
  gap(command: number, bank: number, other: number): number {
    const rows = this.#after[command]!.filter(
      ({ before, waiting }) => before.includes(command) && waiting[bank] === other,
    );
    return Math.max(0, ...rows.map(({ latency }) => latency));
  }

  start(command: number, bank: number, tick: number): void {
    const rows = this.#after[command]!;
    for (let i = 0; i < rows.length; i++) {
      const { latency, before, waiting } = rows[i]!;
      for (let j = 0; j < before.length; j++) {
        const place = before[j]! * this.#banks + waiting[bank]!;
        if (tick + latency > this.#ready[place]!) this.#ready[place] = tick + latency;
      }
    }
  }
}

/** By bank: the bank that a row holds up. */
function waitingBanks(device: DramDevice, { at = [] }: DramConstraint): Int32Array {
  return Int32Array.from({ length: banksOf(device) }, (_, bank) => {
    const path = pathOf(device, bank);
    const moved = [...path];
    for (const { level, index, like } of at) moved[level] = like < 0 ? index : path[like]!;
    return moved.reduce((all, index, level) => all * device.counts[level]! + index, 0);
  });
}

/** Index of a bank at every level. */
function pathOf(device: DramDevice, bank: number): number[] {
  const path: number[] = [];
  let rest = bank;
  for (let level = device.levels.length - 1; level >= 0; level--) {
    path.unshift(rest % device.counts[level]!);
    rest = Math.floor(rest / device.counts[level]!);
  }
  return path;
}
