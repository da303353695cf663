import { FastController } from './fast-forward.ts';
import { none } from './requests.ts';

const never = Number.POSITIVE_INFINITY;

/** One command in a tick, whatever it is: DDR3 to DDR5, GDDR6. */
export class OneBusController extends FastController {
  /** As the base does it, but a choice that nothing can come before is sent at once. */
  override step(limit: number): boolean {
    const { choice } = this;
    while (this.skipsIdle && this.clock < limit) {
      const from = this.clock + 1;
      const maintenance = this.maintenanceDue(from);
      if (maintenance <= from || !this.priority.isEmpty) break;
      let active = never;
      if (this.activeCount > 0) {
        if (!this.isActiveChosen) this.chooseActive(from);
        active = this.activeTick;
      }
      let waiting = never;
      if (active > from) {
        this.chooseQueue();
        choice.choose(from, from);
        waiting = choice.columnTick < choice.rowTick ? choice.columnTick : choice.rowTick;
      }
      const next = active <= waiting ? active : waiting;
      if (next >= maintenance) break;
      if (next > limit) {
        this.clock = limit;
        return false;
      }
      this.clock = next;
      if (active <= waiting) this.access(this.activeSlot);
      else if (choice.columnGoesFirst) this.access(choice.columnSlot);
      else this.row(choice.rowSlot, choice.rowCommand);
      return true;
    }
    return super.step(limit);
  }

  protected override tick(clock: number): boolean {
    this.maintain(clock);
    if (this.activeCount > 0) {
      if (!this.isActiveChosen) this.chooseActive(clock);
      if (this.activeTick <= clock) {
        this.access(this.activeSlot);
        return true;
      }
    }
    if (!this.priority.isEmpty) {
      const { command } = this.priority;
      if (command === none || this.priority.ready(command) > clock) return false;
      this.sendPriority(command);
      return true;
    }
    this.chooseQueue();
    const { choice } = this;
    choice.choose(clock, clock);
    if (choice.columnGoesFirst) {
      if (choice.columnTick > clock) return false;
      this.access(choice.columnSlot);
    } else {
      if (choice.rowTick > clock) return false;
      this.row(choice.rowSlot, choice.rowCommand);
    }
    return true;
  }
}
