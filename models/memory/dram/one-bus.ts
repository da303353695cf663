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
      if (waiting.slot !== none && !first.startsBy(waiting.tick)) first = waiting;
    }
    if (!first.startsBy(maintenance - 1)) return super.step(limit);
    if (first.tick > limit) {
      this.clock = limit;
      return false;
    }
    this.clock = first.tick;
    if (first === choice.row) this.row(first.slot, first.command);
    else this.access(first.slot);
    return true;
  }

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    const { choice } = this;
    const held = choice.chooseHeld(clock);
    if (held.startsBy(clock)) {
      this.access(held.slot);
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
    if (choice.columnGoesFirst) {
      if (!choice.column.startsBy(clock)) return false;
      this.access(choice.column.slot);
    } else {
      if (!choice.row.startsBy(clock)) return false;
      this.row(choice.row.slot, choice.row.command);
    }
    return true;
  }
}
