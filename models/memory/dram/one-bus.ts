import { FastController } from './fast-forward.ts';
import { none } from './requests.ts';

/** One command in a tick, whatever it is: DDR3 to DDR5, GDDR6. */
export class OneBusController extends FastController {
  /** As the base does it, but a choice that nothing can come before is sent at once. */
  override step(limit: number): boolean {
    const { choice } = this;
    const from = this.clock + 1;
    if (!this.skipsIdle || from > limit) return super.step(limit);
    const maintenance = this.maintenanceDue(from);
    if (maintenance <= from || !this.priority.isEmpty) return super.step(limit);
    let first = choice.chooseHeld(from);
    if (!first.startsBy(from)) {
      this.chooseQueue();
      choice.choose(from);
      const waiting = choice.columnGoesFirst ? choice.column : choice.row;
      if (waiting.best !== null && !first.startsBy(waiting.tick)) first = waiting;
    }
    const next = first.startsBy(maintenance) ? first.tick : maintenance;
    if (next > limit) {
      this.clock = limit;
      return false;
    }
    if (first.best === null || next >= maintenance) return super.step(limit);
    this.clock = first.tick;
    if (first === choice.row) this.row(first.best, first.command);
    else this.access(first.best);
    return true;
  }

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    const { choice } = this;
    const held = choice.chooseHeld(clock);
    const opened = held.startingBy(clock);
    if (opened !== null) {
      this.access(opened);
      return true;
    }
    if (!this.priority.isEmpty) {
      const { command } = this.priority;
      if (command === none || this.priority.ready(command) > clock) return false;
      this.sendPriority(command);
      return true;
    }
    this.chooseQueue();
    choice.choose(clock);
    const first = choice.columnGoesFirst ? choice.column : choice.row;
    const request = first.startingBy(clock);
    if (request === null) return false;
    if (first === choice.row) this.row(request, first.command);
    else this.access(request);
    return true;
  }
}
