import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { ControllerOptions } from './controller.ts';
import { FastController } from './fast-forward.ts';
import type { ControllerPolicy } from './policy.ts';
import { none, writes } from './requests.ts';

/**
 * LPDDR5 and LPDDR6: one bus; a row is opened by two commands, the second within a deadline of the first; and the data
 * clock stops when nothing is accessed, so that a sync command must precede the next access by a tick.
 */
export class SplitActivationController extends FastController {
  readonly #deadlineAfter: number;
  readonly #goesOn: Float64Array;
  readonly #guard: number;
  /** Requests between their two openings, and until when the second must be sent. */
  readonly #opening: number[] = [];
  readonly #deadlines: number[] = [];
  /** The data clock runs before this tick. */
  #stops = 0;
  /** The access that a sync was sent for, until it follows. */
  #synced = none;

  constructor(device: DramDevice, policy: ControllerPolicy, options?: ControllerOptions) {
    super(device, policy, options);
    const clock = device.dataClock;
    if (!clock) throw new Error(`${device.name} does not say how long its data clock runs`);
    this.#deadlineAfter = device.activationDeadline;
    this.#goesOn = Float64Array.of(clock.read, clock.write);
    this.#guard = clock.guard;
  }

  override get waiting(): number {
    return super.waiting + this.#opening.length;
  }

  protected override nextTick(): number {
    return this.#opening.length > 0 || this.#synced !== none ? this.clock + 1 : super.nextTick();
  }

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    if (this.#synced !== none) return this.#follow(clock);
    const urgent = this.#second(clock);
    if (urgent !== none) return this.#open(urgent);
    return this.#normal(clock) || this.#openEarliest();
  }

  /** Sends the access that a sync was for as soon as it may start; until then the bus waits. */
  #follow(clock: number): boolean {
    const slot = this.#synced;
    if (this.#accessReady(slot) > clock) return false;
    this.#synced = none;
    this.#run(slot, clock);
    this.access(slot, false);
    return true;
  }

  /** Whether a command starts, or a tick is lost to a sync that may not start yet. */
  #normal(clock: number): boolean {
    const { choice } = this;
    const held = choice.chooseHeld(clock);
    if (held.startsBy(clock)) return this.#accessSynced(held.slot, clock);
    if (!this.priority.isEmpty) {
      const { command } = this.priority;
      if (command === none || this.#isHalfOpen() || this.priority.ready(command) > clock) return false;
      this.sendPriority(command);
      return true;
    }
    this.chooseQueue();
    choice.choose(clock);
    if (choice.columnGoesFirst) return choice.column.startsBy(clock) && this.#accessSynced(choice.column.slot, clock);
    if (!choice.row.startsBy(clock)) return false;
    this.row(choice.row.slot, choice.row.command);
    return true;
  }

  #accessSynced(slot: number, clock: number): boolean {
    if (clock < this.#stops) {
      this.#run(slot, clock);
      this.access(slot);
      return true;
    }
    if (this.#deadlines.some((deadline) => deadline <= clock + this.#guard)) return this.#openEarliest();
    const { bank, isWrite, row, column } = this.requests;
    const sync = isWrite[slot] ? this.set.syncWrite : this.set.syncRead;
    if (this.timing.ready(this.timing.classOf[sync]!, bank[slot]!) <= clock) {
      this.start(sync, bank[slot]!, row[slot]!, column[slot]!);
      this.#synced = slot;
    }
    return true;
  }

  /** An access starts: the data clock goes on. */
  #run(slot: number, clock: number): void {
    this.#stops = Math.max(this.#stops, clock + this.#goesOn[this.requests.isWrite[slot]!]!);
  }

  /** With nothing else to send, the second command follows in the next tick. */
  protected override opened(activate: number, bank: number): number {
    const { activate: first, activateSecond: second } = this.set;
    const ready = this.timing.ready(this.timing.classOf[second]!, bank);
    return Math.max(activate + 1, ready, activate + this.timing.gap(first, second));
  }

  protected override needsSync(tick: number): boolean {
    return tick >= this.#stops;
  }

  protected override synced(sync: number, queue: number, bank: number): number {
    const [command, access] =
      queue === writes ? [this.set.syncWrite, this.set.write] : [this.set.syncRead, this.set.read];
    const ready = this.timing.ready(this.timing.classOf[access]!, bank);
    return Math.max(sync + 1, ready, sync + this.timing.gap(command, access));
  }

  protected override canRepeat(queue: number, first: number, period: number): boolean {
    if (this.#opening.length > 0 || this.#synced !== none) return false;
    return first < this.#stops && period <= this.#goesOn[queue]!;
  }

  protected override repeated(queue: number): void {
    this.#stops = Math.max(this.#stops, this.clock + this.#goesOn[queue]!);
  }

  #accessReady(slot: number): number {
    const { bank, isWrite } = this.requests;
    const command = isWrite[slot] ? this.set.write : this.set.read;
    return this.timing.ready(this.timing.classOf[command]!, bank[slot]!);
  }

  /** Whether a bank that the head of the priority queue is for is half open. */
  #isHalfOpen(): boolean {
    const { bank, bankCount } = this.priority;
    return this.#opening.some((slot) => {
      const own = this.requests.bank[slot]!;
      return own >= bank && own < bank + bankCount;
    });
  }

  protected override opening(slot: number, bank: number): void {
    this.requests.remove(slot, none);
    this.rows.halfOpen(bank, this.clock);
    this.choice.bankChanged(bank, this.clock);
    this.#opening.push(slot);
    this.#deadlines.push(this.clock + this.#deadlineAfter);
    this.choice.mayOpen = false;
  }

  /** Position of the half-open row whose second command may start and has the earliest deadline, up to `deadline`. */
  #second(deadline: number): number {
    let best = none;
    for (let i = 0; i < this.#opening.length; i++) {
      const slot = this.#opening[i]!;
      if (this.#deadlines[i]! > deadline) continue;
      const ready = this.timing.ready(this.timing.classOf[this.set.activateSecond]!, this.requests.bank[slot]!);
      if (ready > this.clock || (best !== none && this.#deadlines[i]! >= this.#deadlines[best]!)) continue;
      best = i;
    }
    return best;
  }

  #openEarliest(): boolean {
    const best = this.#second(Number.POSITIVE_INFINITY);
    return best !== none && this.#open(best);
  }

  #open(position: number): boolean {
    const [slot] = this.#opening.splice(position, 1) as [number];
    this.#deadlines.splice(position, 1);
    this.choice.mayOpen = this.#opening.length === 0;
    const { bank, row, column } = this.requests;
    this.start(this.set.activateSecond, bank[slot]!, row[slot]!, column[slot]!);
    this.openFor(slot, bank[slot]!);
    return true;
  }
}
