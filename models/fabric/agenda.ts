/** Who acts next: one time for each actor, in a tree of winners. Nothing is allocated while it runs. */

export interface Actor {
  /** Acts at its time, which is over then; it may set another. Nothing may be set before `now`. */
  act(now: number): void;
}

/** The next time of an actor. */
export class Alarm {
  readonly actor: Actor;
  /** Of alarms of the same time, those of phase 0 go first: at any moment what arrives is seen by those who grant. */
  readonly phase: 0 | 1;
  readonly #agenda: Agenda;
  /** Position in the tree, once there is one. */
  leaf = -1;

  constructor(agenda: Agenda, actor: Actor, phase: 0 | 1) {
    this.#agenda = agenda;
    this.actor = actor;
    this.phase = phase;
  }

  set(time: number): void {
    this.#agenda.set(this.leaf, time);
  }

  /** Sets it to an earlier time; leaves it where it is otherwise. */
  lower(time: number): void {
    if (time < this.#agenda.timeOf(this.leaf)) this.#agenda.set(this.leaf, time);
  }
}

export class Agenda {
  /** Time of the latest act. */
  now = 0;
  /** Set by an actor to be looked at by the owner of the run before anybody acts again. */
  marked = false;
  #alarms: Alarm[] = [];
  #times = new Float64Array(0);
  /** The leaf with the earliest time below each node; node 1 is the root. Of equal times the leftmost. */
  #winners = new Int32Array(0);

  alarm(actor: Actor, phase: 0 | 1): Alarm {
    const alarm = new Alarm(this, actor, phase);
    this.#alarms.push(alarm);
    return alarm;
  }

  /** To be called once, when all alarms are there and before any is set. */
  start(): void {
    this.#alarms = this.#alarms
      .filter(({ phase }) => phase === 0)
      .concat(this.#alarms.filter(({ phase }) => phase === 1));
    let size = 1;
    while (size < this.#alarms.length) size *= 2;
    this.#times = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.#winners = new Int32Array(2 * size);
    this.#alarms.forEach((alarm, leaf) => {
      alarm.leaf = leaf;
    });
    for (let leaf = 0; leaf < size; leaf++) this.#winners[size + leaf] = leaf;
    for (let node = size - 1; node > 0; node--) this.#winners[node] = this.#winners[2 * node]!;
  }

  timeOf(leaf: number): number {
    return this.#times[leaf]!;
  }

  set(leaf: number, time: number): void {
    const times = this.#times;
    const winners = this.#winners;
    times[leaf] = time;
    for (let node = (times.length + leaf) >> 1; node > 0; node >>= 1) {
      const left = winners[2 * node]!;
      const right = winners[2 * node + 1]!;
      winners[node] = times[left]! <= times[right]! ? left : right;
    }
  }

  /** Lets actors act in order of time until none is left or one has set `marked`. Whether any is left. */
  run(): boolean {
    const times = this.#times;
    for (;;) {
      const leaf = this.#winners[1]!;
      const time = times[leaf]!;
      if (time === Number.POSITIVE_INFINITY) return false;
      this.now = time;
      this.set(leaf, Number.POSITIVE_INFINITY);
      this.#alarms[leaf]!.actor.act(time);
      if (this.marked) {
        this.marked = false;
        return true;
      }
    }
  }

  /** Appends all times, from now on. */
  save(into: number[]): void {
    for (const time of this.#times) into.push(time - this.now);
  }

  /** Everything is later by this. */
  shift(by: number): void {
    this.now += by;
    for (let leaf = 0; leaf < this.#times.length; leaf++) this.#times[leaf]! += by;
  }
}
