import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { ControllerOptions } from './controller.ts';
import { FastController } from './fast-forward.ts';
import type { ControllerPolicy } from './policy.ts';
import { none } from './requests.ts';

/**
 * A command on each of two buses in a tick, the column command first: HBM, GDDR7. Where a tick is half a cycle (HBM3, HBM4),
 * commands start on rising edges, which are odd ticks, but precharges on falling edges too: there only beside the row
 * command before, which must be for another pseudo-channel, or for another bank when neither is for all banks.
 */
export class TwoBusController extends FastController {
  readonly #isHalfCycle: boolean;
  readonly #banksPerPseudoChannel: number;
  /** The falling edge that the latest row command reaches to, its pseudo-channel, and its bank; `none` for all banks. */
  #pairedEdge = none;
  #pairedPseudoChannel = none;
  #pairedBank = none;

  constructor(device: DramDevice, policy: ControllerPolicy, options?: ControllerOptions) {
    super(device, policy, options);
    this.#isHalfCycle = device.halfCycle;
    this.#banksPerPseudoChannel = this.banks / (device.counts[1] ?? 1);
  }

  /** As the base does it, but choices that nothing can come before are sent at once. */
  override step(limit: number): boolean {
    const { choice } = this;
    if (!this.skipsIdle || this.clock >= limit) return super.step(limit);
    const from = this.clock + 1;
    const maintenance = this.maintenanceDue(from);
    if (maintenance <= from || !this.priority.isEmpty) return super.step(limit);
    const held = choice.chooseHeld(from);
    this.chooseQueue();
    choice.choose(from);
    const { column } = choice;
    const first = column.best !== null && !held.startsBy(column.tick) ? column : held;
    let next = first.startsBy(maintenance) ? first.tick : maintenance;
    if (choice.row.startsBy(next)) next = choice.row.tick;
    if (next > limit) {
      this.clock = limit;
      return false;
    }
    if (next >= maintenance) return super.step(limit);
    this.clock = next;
    if (first.best !== null && first.tick <= next) {
      this.access(first.best);
      this.chooseQueue();
      choice.chooseRow(next);
    }
    this.#sendRow(next);
    return true;
  }

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    const isRising = !this.#isHalfCycle || (clock & 1) === 1;
    const column = isRising && this.#columnSlot(clock);
    return this.#rowSlot(clock) || column;
  }

  #columnSlot(clock: number): boolean {
    const { choice } = this;
    const held = choice.chooseHeld(clock);
    const opened = held.startingBy(clock);
    if (opened !== null) {
      this.access(opened);
      return true;
    }
    // The priority queue has row commands only.
    if (!this.priority.isEmpty) return false;
    this.chooseQueue();
    choice.column.choose(clock);
    const request = choice.column.startingBy(clock);
    if (request !== null) this.access(request);
    return request !== null;
  }

  #rowSlot(clock: number): boolean {
    if (!this.priority.isEmpty) {
      if (this.priorityStart(clock) > clock) return false;
      const { command, target } = this.priority;
      this.#pair(command, target);
      this.sendPriority(command);
      return true;
    }
    this.chooseQueue();
    this.choice.chooseRow(clock);
    return this.#sendRow(clock);
  }

  /** Sends the row command that was chosen, if it may start by now. */
  #sendRow(clock: number): boolean {
    const { command } = this.choice.row;
    const request = this.choice.row.startingBy(clock);
    if (request === null) return false;
    this.#pair(command, request.bank);
    this.row(request, command);
    return true;
  }

  override edge(command: number, bank: number, tick: number): number {
    if (!this.#isHalfCycle || (tick & 1) === 1) return tick;
    const isAll = command === this.set.prechargeAll;
    if (command !== this.set.precharge && !isAll) return tick + 1;
    if (tick !== this.#pairedEdge || Math.floor(bank / this.#banksPerPseudoChannel) !== this.#pairedPseudoChannel) {
      return tick;
    }
    return isAll || this.#pairedBank === none || this.#pairedBank === bank ? tick + 1 : tick;
  }

  protected override startRow(command: number, bank: number, row: number, column: number): void {
    this.#pair(command, bank);
    super.startRow(command, bank, row, column);
  }

  /** Remembers the row command of a rising edge. */
  #pair(command: number, bank: number): void {
    if (!this.#isHalfCycle || (this.clock & 1) === 0) return;
    const { ticks, level } = this.device.commands[command]!;
    this.choice.forget();
    this.#pairedEdge = this.clock + ticks;
    this.#pairedPseudoChannel = Math.floor(bank / this.#banksPerPseudoChannel);
    this.#pairedBank = level < this.device.levels.length - 1 ? none : bank;
  }
}
