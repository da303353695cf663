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

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    const isRising = !this.#isHalfCycle || clock % 2 === 1;
    const column = isRising && this.#columnSlot(clock);
    return this.#rowSlot(clock, column ? clock + 1 : clock) || column;
  }

  #columnSlot(clock: number): boolean {
    if (this.activeCount > 0) {
      if (!this.isActiveChosen) this.chooseActive(clock);
      if (this.activeTick <= clock) {
        this.access(this.activeSlot);
        return true;
      }
    }
    // The priority queue has row commands only.
    if (!this.priority.isEmpty) return false;
    this.chooseQueue();
    this.choice.choose(clock, clock);
    if (this.choice.columnTick > clock) return false;
    this.access(this.choice.columnSlot);
    return true;
  }

  #rowSlot(clock: number, columnFrom: number): boolean {
    if (!this.priority.isEmpty) {
      if (this.priorityStart(clock) > clock) return false;
      const { command, bank } = this.priority;
      this.#pair(command, bank);
      this.sendPriority(command);
      return true;
    }
    this.chooseQueue();
    this.choice.choose(columnFrom, clock);
    const { rowTick, rowSlot, rowCommand } = this.choice;
    if (rowTick > clock) return false;
    this.#pair(rowCommand, this.requests.bank[rowSlot]!);
    this.row(rowSlot, rowCommand);
    return true;
  }

  override columnStart(tick: number): number {
    return this.#isHalfCycle && tick % 2 === 0 ? tick + 1 : tick;
  }

  override rowStart(command: number, bank: number, tick: number): number {
    if (!this.#isHalfCycle || tick % 2 === 1) return tick;
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
    if (!this.#isHalfCycle || this.clock % 2 === 0) return;
    const { ticks, level } = this.device.commands[command]!;
    this.choice.forget();
    this.#pairedEdge = this.clock + ticks;
    this.#pairedPseudoChannel = Math.floor(bank / this.#banksPerPseudoChannel);
    this.#pairedBank = level < this.device.levels.length - 1 ? none : bank;
  }
}
