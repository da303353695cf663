import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { ControllerOptions } from './controller.ts';
import { FastController } from './fast-forward.ts';
import type { ControllerPolicy } from './policy.ts';
import { none, type Request, writes } from './requests.ts';

/**
 * LPDDR5 and LPDDR6: one bus; a row is opened by two commands, the second within a deadline of the first; and the data
 * clock stops when nothing is accessed, so that a sync command must precede the next access by a tick.
 */
export class SplitActivationController extends FastController {
  readonly #deadlineAfter: number;
  readonly #goesOn: Float64Array;
  readonly #guard: number;
  /** Requests between their two openings, and until when the second must be sent. */
  readonly #opening: Request[] = [];
  readonly #deadlines: number[] = [];
  /** The data clock runs before this tick. */
  #stops = 0;
  /** The access that a sync was sent for, until it follows. */
  #synced: Request | null = null;

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
    return this.#opening.length > 0 || this.#synced !== null ? this.clock + 1 : super.nextTick();
  }

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    if (this.#synced !== null) return this.#follow(this.#synced, clock);
    const urgent = this.#second(clock);
    if (urgent !== none) return this.#open(urgent);
    return this.#normal(clock) || this.#openEarliest();
  }

  /** Sends the access that a sync was for as soon as it may start; until then the bus waits. */
  #follow(request: Request, clock: number): boolean {
    if (this.#accessReady(request) > clock) return false;
    this.#synced = null;
    this.#run(request, clock);
    this.access(request, false);
    return true;
  }

  /** Whether a command starts, or a tick is lost to a sync that may not start yet. */
  #normal(clock: number): boolean {
    const { choice } = this;
    const held = choice.chooseHeld(clock);
    const opened = held.startingBy(clock);
    if (opened !== null) return this.#accessSynced(opened, clock);
    if (!this.priority.isEmpty) {
      const { command } = this.priority;
      if (command === none || this.#isHalfOpen() || this.priority.ready(command) > clock) return false;
      this.sendPriority(command);
      return true;
    }
    this.chooseQueue();
    choice.choose(clock);
    const first = choice.columnGoesFirst ? choice.column : choice.row;
    const request = first.startingBy(clock);
    if (request === null) return false;
    if (first === choice.column) return this.#accessSynced(request, clock);
    this.row(request, first.command);
    return true;
  }

  #accessSynced(request: Request, clock: number): boolean {
    if (clock < this.#stops) {
      this.#run(request, clock);
      this.access(request);
      return true;
    }
    if (this.#deadlines.some((deadline) => deadline <= clock + this.#guard)) return this.#openEarliest();
    const { queue, bank, row, column } = request;
    const sync = queue === writes ? this.set.syncWrite : this.set.syncRead;
    if (this.timing.ready(this.timing.classOf[sync]!, bank) <= clock) {
      this.start(sync, bank, row, column);
      this.#synced = request;
    }
    return true;
  }

  /** An access starts: the data clock goes on. */
  #run({ queue }: Request, clock: number): void {
    this.#stops = Math.max(this.#stops, clock + this.#goesOn[queue]!);
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
    if (this.#opening.length > 0 || this.#synced !== null) return false;
    return first < this.#stops && period <= this.#goesOn[queue]!;
  }

  protected override repeated(queue: number): void {
    this.#stops = Math.max(this.#stops, this.clock + this.#goesOn[queue]!);
  }

  #accessReady({ queue, bank }: Request): number {
    const command = queue === writes ? this.set.write : this.set.read;
    return this.timing.ready(this.timing.classOf[command]!, bank);
  }

  /** Whether a bank that the head of the priority queue is for is half open. */
  #isHalfOpen(): boolean {
    const { bank, bankCount } = this.priority;
    return this.#opening.some(({ bank: own }) => own >= bank && own < bank + bankCount);
  }

  protected override opening(request: Request): void {
    const { bank } = request;
    this.requests.remove(request, none);
    this.rows.halfOpen(bank, this.clock);
    this.choice.bankChanged(bank, this.clock);
    this.#opening.push(request);
    this.#deadlines.push(this.clock + this.#deadlineAfter);
    this.choice.mayOpen = false;
  }

  /** Position of the half-open row whose second command may start and has the earliest deadline, up to `deadline`. */
  #second(deadline: number): number {
    let best = none;
    for (let i = 0; i < this.#opening.length; i++) {
      const { bank } = this.#opening[i]!;
      if (this.#deadlines[i]! > deadline) continue;
      const ready = this.timing.ready(this.timing.classOf[this.set.activateSecond]!, bank);
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
    const [request] = this.#opening.splice(position, 1) as [Request];
    this.#deadlines.splice(position, 1);
    this.choice.mayOpen = this.#opening.length === 0;
    this.start(this.set.activateSecond, request.bank, request.row, request.column);
    this.openFor(request);
    return true;
  }
}
