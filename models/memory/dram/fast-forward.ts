/** Several commands in one step of work, where nothing can come between them. The result is that of one tick after another. */
import { closed } from './banks.ts';
import { Controller } from './controller.ts';
import { reads, writes } from './requests.ts';
import type { Upcoming } from './upcoming.ts';

export abstract class FastController extends Controller {
  /**
   * A run of hits in one step: the queue is full, all that waits hits one open row, and so do the next `count` requests,
   * each of which is sent as soon as an access makes room for it. Executes ticks up to `limit` at most. Returns how many of
   * them it took; 0 when any other command could come between.
   */
  sendHits(next: Upcoming, count: number, limit: number, tag = 0): number {
    const queue = next.write[next.from]!;
    const bank = next.bank[next.from]!;
    if (!this.choice.isOneRow(queue) || this.choice.heldCount > 0) return 0;
    if (this.refreshDue <= this.clock + 1 || !this.priority.isEmpty) return 0;
    this.chooseQueue();
    if (!this.#isRunOf(queue, bank, next)) return 0;
    const { column } = this.choice;
    column.choose(this.clock + 1);
    const { command, tick: first } = column;
    const period = this.edge(command, bank, first + this.timing.period(command)) - first;
    const end = Math.min(limit, this.refreshDue - 1);
    if (first > end || !this.canRepeat(queue, first, period)) return 0;
    const accesses = Math.min(count, Math.floor((end - first) / period) + 1);
    this.#passThrough(queue, bank, next, accesses, first, period, tag);
    this.clock = first + (accesses - 1) * period;
    this.timing.issue(command, bank, this.clock);
    this.commands[command]! += accesses;
    this.repeated(queue);
    this.choice.changed(queue, bank, this.clock);
    this.choice.forget();
    this.activity?.accessed(bank, first, period, accesses);
    return accesses;
  }

  /**
   * A request that finds nothing waiting, in one step: its commands up to its access. False, and nothing has happened, when
   * that would end after `limit` or a refresh comes before.
   */
  serveAlone(write: boolean, bank: number, row: number, column: number, limit: number, tag = 0): boolean {
    if (!this.skipsIdle || !this.isOpenPage || this.waiting > 0 || !this.priority.isEmpty) return false;
    const { timing, set } = this;
    const queue = write ? writes : reads;
    const access = write ? set.write : set.read;
    const arrive = this.clock;
    const isOpen = this.rows.state[bank] !== closed;
    const isHit = this.rows.openRow[bank] === row;
    let tick = arrive + 1;
    let precharge = 0;
    let activate = 0;
    let ready = timing.ready(timing.classOf[access]!, bank);
    if (!isHit) {
      let opens = timing.ready(timing.classOf[set.activate]!, bank);
      if (isOpen) {
        precharge = this.edge(set.precharge, bank, Math.max(tick, this.prechargeReady(bank)));
        opens = Math.max(opens, precharge + timing.gap(set.precharge, set.activate));
        ready = Math.max(ready, precharge + timing.gap(set.precharge, access));
        tick = precharge + 1;
      }
      activate = this.edge(set.activate, bank, Math.max(tick, opens));
      ready = Math.max(ready, activate + timing.gap(set.activate, access));
      tick = this.opened(activate, bank) + 1;
    }
    tick = this.edge(access, bank, Math.max(tick, ready));
    const sync = this.needsSync(tick) ? tick : 0;
    if (sync > 0) tick = this.synced(sync, queue, bank);
    if (tick > limit || tick >= this.refreshDue) return false;
    if (precharge > 0) {
      this.clock = precharge;
      this.startRow(set.precharge, bank, row, column);
      this.rows.close(bank, precharge);
    }
    if (activate > 0) {
      this.clock = activate;
      this.startRow(set.activate, bank, row, column);
      this.clock = this.opened(activate, bank);
      if (this.clock > activate) this.startRow(set.activateSecond, bank, row, column);
      this.rows.open(bank, row, null, activate);
    }
    if (sync > 0) {
      this.clock = sync;
      this.start(write ? set.syncWrite : set.syncRead, bank, row, column);
    }
    if (isHit) this.rowHits++;
    else if (isOpen) this.rowConflicts++;
    else this.rowMisses++;
    this.clock = tick;
    this.start(access, bank, row, column);
    this.repeated(queue);
    this.activity?.accessed(bank, tick, 1, 1);
    this.done(queue, tag, arrive, tick);
    return true;
  }

  /** When the row is open that was begun to be opened at a tick: at once, or with a second command. */
  protected opened(activate: number, _bank: number): number {
    return activate;
  }

  /** Whether the data clock has to be synchronised before an access at a tick. */
  protected needsSync(_tick: number): boolean {
    return false;
  }

  /** When the access follows a sync. */
  protected synced(sync: number, _queue: number, _bank: number): number {
    return sync;
  }

  /** A row command starts now. */
  protected startRow(command: number, bank: number, row: number, column: number): void {
    this.start(command, bank, row, column);
  }

  /** Whether accesses may follow one another every `period` ticks from tick `first`. */
  protected canRepeat(_queue: number, _first: number, _period: number): boolean {
    return true;
  }

  /** The last of the accesses of a step starts now. */
  protected repeated(_queue: number): void {}

  /** Whether a full queue of hits to the row of the next requests waits, none of them to the same block. */
  #isRunOf(queue: number, bank: number, next: Upcoming): boolean {
    const { requests } = this;
    const capacity = queue === writes ? this.policy.writeQueue : this.policy.readQueue;
    if (
      !this.skipsIdle ||
      !this.isOpenPage ||
      queue !== this.choice.queue ||
      capacity < 2 ||
      requests.list(queue, bank).head === null ||
      requests.list(queue, bank).other !== null ||
      requests.size[queue] !== capacity ||
      this.rows.openRow[bank] !== next.row[next.from] ||
      this.timing.period(queue === writes ? this.set.write : this.set.read) === 0
    ) {
      return false;
    }
    // A read of a block that waits to be written is answered at once, and a write to it is merged.
    const { head } = requests.list(writes, bank);
    if (queue === reads) return head === null;
    let last = Number.NEGATIVE_INFINITY;
    for (let request = head; request !== null; request = request.next) {
      if (request.block <= last) return false;
      last = request.block;
    }
    return next.block[next.from]! > last;
  }

  /** Accesses of a run: the oldest requests leave, and as many come, each as one leaves. */
  #passThrough(
    queue: number,
    bank: number,
    next: Upcoming,
    count: number,
    first: number,
    period: number,
    tag: number,
  ): void {
    const { requests } = this;
    const waiting = requests.size[queue]!;
    const before = Math.min(count, waiting);
    if (this.log !== null) this.#logRun(queue, bank, next, count, first, period);
    const list = requests.list(queue, bank);
    for (let i = 0; i < before; i++) {
      if (list.head === null) break;
      const { isCounted, tag: own, arrive } = list.head;
      if (!isCounted) this.rowHits++;
      this.done(queue, own, arrive, first + i * period);
      const j = count - before + i;
      const at = next.from + j;
      requests.replaceOldest(list, next.column[at]!, next.block[at]!, first + j * period, tag);
    }
    this.rowHits += count - before;
    // Those that come and go within the run wait for a queue's length each.
    for (let i = before; i < count; i++) this.done(queue, tag, first + (i - waiting) * period, first + i * period);
  }

  #logRun(queue: number, bank: number, next: Upcoming, count: number, first: number, period: number): void {
    const { requests } = this;
    const command = queue === writes ? this.set.write : this.set.read;
    let { head: request } = requests.list(queue, bank);
    for (let i = 0; i < count; i++) {
      const column = request?.column ?? next.column[next.from + i - requests.size[queue]!]!;
      this.log?.(first + i * period, command, bank, this.rows.openRow[bank]!, column);
      request = request?.next ?? null;
    }
  }
}
