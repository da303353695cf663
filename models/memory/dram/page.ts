/** When rows are closed that nothing else needs closed. */
import type { PagePolicy } from './policy.ts';
import type { Request } from './requests.ts';

/** What a page policy asks of the controller that it works for. */
export interface PageView {
  readonly banks: number;
  /** Whether a row is open in a bank. */
  isOpen(bank: number): boolean;
  /** Earliest tick at which a precharge of a bank may start. */
  prechargeReady(bank: number): number;
  /** Whether a request other than one waits for the row that is open in a bank. */
  isWanted(bank: number, except: Request | null): boolean;
  /** Queues a precharge of a bank ahead of all requests. */
  queuePrecharge(bank: number): void;
}

export interface Pages {
  /** Whether an access is to close its row behind it. */
  closesBehind(bank: number, request: Request): boolean;
  /** The next tick from `from` at which `tick` may queue a precharge, as things are. */
  due(from: number): number;
  tick(clock: number): void;
  /** An access that leaves its row open. */
  accessed(bank: number, clock: number): void;
  opened(bank: number, clock: number): void;
  closed(bank: number): void;
}

export function pagesFor(policy: PagePolicy, view: PageView): Pages {
  switch (policy.kind) {
    case 'open':
      return new Open();
    case 'closed':
      return new Closed(view);
    case 'capped':
      return new Capped(view, policy.cap);
    case 'timeout':
      return new Timeout(view, policy.ticks);
  }
}

class Open implements Pages {
  closesBehind(_bank: number, _request: Request): boolean {
    return false;
  }
  due(_from: number): number {
    return Number.POSITIVE_INFINITY;
  }
  tick(_clock: number): void {}
  accessed(_bank: number, _clock: number): void {}
  opened(_bank: number, _clock: number): void {}
  closed(_bank: number): void {}
}

class Closed extends Open {
  readonly #view: PageView;

  constructor(view: PageView) {
    super();
    this.#view = view;
  }

  override closesBehind(bank: number, request: Request): boolean {
    return !this.#view.isWanted(bank, request);
  }
}

/** Queues a precharge, once per opening, for banks whose time has come. */
abstract class Precharging extends Open {
  protected readonly view: PageView;
  /** Whether a bank's precharge is queued. */
  readonly #queued: Uint8Array;

  constructor(view: PageView) {
    super();
    this.view = view;
    this.#queued = new Uint8Array(view.banks);
  }

  /** The tick from which a bank's row is to be closed; infinite for none. */
  protected abstract closeFrom(bank: number): number;

  override due(from: number): number {
    let tick = Number.POSITIVE_INFINITY;
    for (let bank = 0; bank < this.view.banks; bank++) {
      const t = this.#queued[bank] ? tick : this.closeFrom(bank);
      if (t < tick) tick = Math.min(tick, Math.max(from, t, this.view.prechargeReady(bank)));
    }
    return tick;
  }

  override tick(clock: number): void {
    for (let bank = 0; bank < this.view.banks; bank++) {
      if (this.#queued[bank] || this.closeFrom(bank) > clock || this.view.prechargeReady(bank) > clock) continue;
      this.view.queuePrecharge(bank);
      this.#queued[bank] = 1;
    }
  }

  override closed(bank: number): void {
    this.#queued[bank] = 0;
  }
}

class Capped extends Precharging {
  readonly #cap: number;
  readonly #accesses: Int32Array;

  constructor(view: PageView, cap: number) {
    super(view);
    this.#cap = cap;
    this.#accesses = new Int32Array(view.banks);
  }

  override closesBehind(bank: number): boolean {
    return this.#accesses[bank]! >= this.#cap;
  }

  protected override closeFrom(bank: number): number {
    return this.closesBehind(bank) ? 0 : Number.POSITIVE_INFINITY;
  }

  override accessed(bank: number): void {
    this.#accesses[bank]!++;
  }

  override closed(bank: number): void {
    super.closed(bank);
    this.#accesses[bank] = 0;
  }
}

class Timeout extends Precharging {
  readonly #ticks: number;
  readonly #used: Float64Array;

  constructor(view: PageView, ticks: number) {
    super(view);
    this.#ticks = ticks;
    this.#used = new Float64Array(view.banks);
  }

  protected override closeFrom(bank: number): number {
    if (!this.view.isOpen(bank) || this.view.isWanted(bank, null)) return Number.POSITIVE_INFINITY;
    return this.#used[bank]! + this.#ticks;
  }

  override accessed(bank: number, clock: number): void {
    this.#used[bank] = clock;
  }

  override opened(bank: number, clock: number): void {
    this.#used[bank] = clock;
  }
}
