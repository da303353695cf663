/**
 * Which waiting request goes first. Of each queue and bank at most two requests matter: the oldest that hits the open row,
 * and the oldest that needs another row. By the command that they need next they stand in lists, each of which knows its best.
 */
import { type Banks, closed, open } from './banks.ts';
import { Candidates, type Edges } from './candidates.ts';
import type { CommandSet } from './commands.ts';
import { type Request, type Requests, reads, writes } from './requests.ts';
import type { Timing } from './timing.ts';

/** One queue's candidates: for its access, and for row commands. */
interface Lists {
  readonly hits: Candidates;
  readonly opens: Candidates;
  readonly closes: Candidates;
}

export class Choice {
  /** The queue in service, from which is chosen. */
  queue = reads;
  /** Its best column command and its best row command, each valid after it was chosen. */
  column: Candidates;
  row: Candidates;
  /** Whether rows may be opened. */
  mayOpen = true;
  #opens: Candidates;
  #closes: Candidates;
  readonly #lists: readonly [Lists, Lists];
  /** Requests whose row was opened for them, which go before all others: reads and writes. */
  readonly #heldReads: Candidates;
  readonly #heldWrites: Candidates;
  readonly #requests: Requests;
  readonly #banks: Banks;
  readonly #protectsHits: boolean;

  /**
   * With `protectsHits` no row is closed while an older request of the queue hits it. `edges` is null where commands may
   * start in any tick that timing allows.
   */
  constructor(
    set: CommandSet,
    timing: Timing,
    requests: Requests,
    banks: Banks,
    edges: Edges | null,
    protectsHits: boolean,
  ) {
    this.#requests = requests;
    this.#banks = banks;
    this.#protectsHits = protectsHits;
    const list = (command: number): Candidates => new Candidates(command, timing, edges);
    const lists = (access: number): Lists => ({
      hits: list(access),
      opens: list(set.activate),
      closes: list(set.precharge),
    });
    this.#lists = [lists(set.read), lists(set.write)];
    const { hits, opens, closes } = this.#lists[reads];
    this.column = hits;
    this.row = opens;
    this.#opens = opens;
    this.#closes = closes;
    this.#heldReads = list(set.read);
    this.#heldWrites = list(set.write);
  }

  /** Chooses from another queue. */
  serve(queue: number): void {
    this.queue = queue;
    const { hits, opens, closes } = this.#lists[queue as 0 | 1];
    this.column = hits;
    this.row = opens;
    this.#opens = opens;
    this.#closes = closes;
    this.forget();
  }

  /** Whatever was chosen of the queue may not be the best any more. */
  forget(): void {
    this.column.forget();
    this.#opens.forget();
    this.#closes.forget();
  }

  /** A command was sent to a bank, or to the node above it: what it delays is chosen anew. */
  sent(command: number, bank: number): void {
    const { column } = this;
    const opens = this.#opens;
    const closes = this.#closes;
    const heldReads = this.#heldReads;
    const heldWrites = this.#heldWrites;
    if (column.count > 0) column.sent(command, bank);
    if (opens.count > 0) opens.sent(command, bank);
    if (closes.count > 0) closes.sent(command, bank);
    if (heldReads.count > 0) heldReads.sent(command, bank);
    if (heldWrites.count > 0) heldWrites.sent(command, bank);
  }

  /** Requests whose row was opened for them. */
  get heldCount(): number {
    return this.#heldReads.count + this.#heldWrites.count;
  }

  /** A bank's row was opened for a request, or is open for none any more. */
  hold(queue: number, bank: number, request: Request | null, from: number): void {
    (queue === writes ? this.#heldWrites : this.#heldReads).set(bank, request, from);
  }

  /** The list whose best goes first of the requests whose row was opened for them. */
  chooseHeld(from: number): Candidates {
    const reading = this.#heldReads;
    const writing = this.#heldWrites;
    reading.choose(from);
    if (writing.count === 0) return reading;
    writing.choose(from);
    return writing.goesBefore(reading) ? writing : reading;
  }

  /** Something about a bank changed that may change both queues' candidates. */
  bankChanged(bank: number, from: number): void {
    if (this.#mayHave(reads)) this.changed(reads, bank, from);
    if (this.#mayHave(writes)) this.changed(writes, bank, from);
  }

  /** The requests of a queue to a bank changed, or what they need next, which may start from tick `from` on. */
  changed(queue: number, bank: number, from: number): void {
    const { hit, other } = this.#requests.list(queue, bank);
    const { hits, opens, closes } = this.#lists[queue as 0 | 1];
    const state = this.#banks.state[bank]!;
    const mayClose =
      other !== null &&
      state === open &&
      this.#banks.holder[bank] === null &&
      !(this.#protectsHits && hit !== null && hit.order < other.order);
    hits.set(bank, hit, from);
    opens.set(bank, state === closed ? other : null, from);
    closes.set(bank, mayClose ? other : null, from);
  }

  /** Whether a queue has candidates, or had until a moment ago. */
  #mayHave(queue: 0 | 1): boolean {
    const { hits, opens, closes } = this.#lists[queue];
    return this.#requests.size[queue]! > 0 || hits.count + opens.count + closes.count > 0;
  }

  /** Finds the best column command and the best row command that may start from a tick on. */
  choose(from: number): void {
    this.column.choose(from);
    this.chooseRow(from);
  }

  /** The same for a row command alone. */
  chooseRow(from: number): void {
    const opens = this.#opens;
    const closes = this.#closes;
    opens.choose(from);
    closes.choose(from);
    this.row = !this.mayOpen || closes.goesBefore(opens) ? closes : opens;
  }

  /** Whether, of the two choices, the column command goes before the row command on one bus. */
  get columnGoesFirst(): boolean {
    return this.column.goesBefore(this.row);
  }

  /** Whether all that waits in a queue hits the open row of one bank. */
  isOneRow(queue: number): boolean {
    const { hits, opens, closes } = this.#lists[queue as 0 | 1];
    return hits.count === 1 && opens.count === 0 && closes.count === 0;
  }
}
