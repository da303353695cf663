/**
 * When commands may start: a device's constraint rows compiled into flat arrays, and the state that they keep.
 *
 * Every node of the tree of levels remembers, for each class of commands, the earliest tick at which one may start there.
 * Commands with the same constraints on their start (RD and RDA, mostly) are one class. A command that starts pushes the
 * times of the classes that it constrains; asking takes the maximum over the nodes on the way down to a bank.
 */
import { banksOf, type DramDevice } from '../../../arch/language/dram/device.ts';

/** A row's effect on one class of commands. */
interface Push {
  readonly level: number;
  readonly after: number;
  readonly before: number;
  readonly latency: number;
  readonly window: number;
  readonly sibling: boolean;
}

/** A row that looks back further than one command: a ring of the latest starts for each node of its level. */
class Windowed {
  /** By bank: the node that it lies in, and where that node's class is among the ready times. */
  readonly #nodeOf: Int32Array;
  readonly slotOf: Int32Array;
  readonly #latency: number;
  readonly #window: number;
  readonly #starts: number[];
  readonly #next: Int32Array;

  constructor({ latency, window }: Pick<Push, 'latency' | 'window'>, nodeOf: Int32Array, slotOf: Int32Array) {
    this.#nodeOf = nodeOf;
    this.slotOf = slotOf;
    this.#latency = latency;
    this.#window = window;
    const nodes = nodeOf.at(-1)! + 1;
    this.#starts = new Array<number>(nodes * window).fill(-latency);
    this.#next = new Int32Array(nodes);
  }

  /** The same row where nothing has started. */
  fresh(): Windowed {
    return new Windowed({ latency: this.#latency, window: this.#window }, this.#nodeOf, this.slotOf);
  }

  /** Takes over what another one of the same row has noted. */
  copyFrom(other: Windowed): void {
    for (let i = 0; i < other.#starts.length; i++) this.#starts[i] = other.#starts[i]!;
    this.#next.set(other.#next);
  }

  /** Whether another one of the same row leaves the same ticks, as far as they come after one. */
  isAlike(other: Windowed, tick: number): boolean {
    const window = this.#window;
    for (let node = 0; node < this.#next.length; node++) {
      for (let i = 0; i < window; i++) {
        const own = this.#starts[node * window + ((this.#next[node]! + i) % window)]!;
        const its = other.#starts[node * window + ((other.#next[node]! + i) % window)]!;
        if (own !== its && Math.max(own, its) + this.#latency > tick) return false;
      }
    }
    return true;
  }

  /** Numbers that `read` writes. */
  get size(): number {
    return this.#starts.length;
  }

  /** Writes how long after a tick its rows hold up what comes next, oldest first. */
  read(tick: number, into: Int32Array, at: number): void {
    const window = this.#window;
    for (let i = 0; i < this.#starts.length; i++) {
      const node = Math.floor(i / window);
      const start = this.#starts[node * window + ((this.#next[node]! + i) % window)]!;
      into[at + i] = Math.max(0, start + this.#latency - tick);
    }
  }

  /** Notes a start at a bank; returns the earliest tick that the row leaves for the next one. */
  push(bank: number, tick: number): number {
    const node = this.#nodeOf[bank]!;
    const base = node * this.#window;
    const at = this.#next[node]!;
    // A command for several banks counts once.
    const last = at === 0 ? this.#window - 1 : at - 1;
    if (this.#starts[base + last] === tick) return this.#starts[base + at]! + this.#latency;
    this.#starts[base + at] = tick;
    const oldest = at + 1 === this.#window ? 0 : at + 1;
    this.#next[node] = oldest;
    return this.#starts[base + oldest]! + this.#latency;
  }
}

export class Timing {
  /** Levels from the channel to the bank; those with one node below each parent are merged into the parent's. */
  readonly levels: number;
  readonly banks: number;
  /** Class of each command. */
  readonly classOf: Int32Array;
  readonly #classes: number;
  /**
   * Earliest tick by node and class. A plain array, as in all that holds ticks: its numbers are machine integers until they
   * no longer fit.
   */
  readonly earliest: number[];
  /** Nodes of each level, the number of the first, and banks below each. */
  readonly #nodes: Int32Array;
  readonly #base: Int32Array;
  readonly #banksBelow: Int32Array;
  /** By class: how many levels below the channel constrain it, and by bank the places in `earliest` of its nodes there. */
  readonly #checkCount: Int32Array;
  readonly #checks: readonly Int32Array[];
  readonly #checkLevels: readonly (readonly number[])[];
  /**
   * By command: latencies of the rows that look back one command, once for every node that they concern, and by bank the
   * places of those nodes' classes.
   */
  readonly #latencies: readonly Int32Array[];
  readonly #places: readonly Int32Array[];
  /** Latencies of those rows that constrain the command's own class. */
  readonly #ownLatencies: readonly (readonly number[])[];
  readonly #reaches: Uint8Array;
  /** By command x commands + command: the longest latency from one to the other. */
  readonly #gaps: Int32Array;
  readonly #windowed: readonly (readonly Windowed[])[];
  /** Merged level that each command names a node of. */
  readonly #levelOf: Int32Array;
  /** Of every level of the device. */
  readonly #merged: readonly number[];

  /**
   * `sent` tells of each command whether it is ever sent; rows of others are left out. `like` is one of the same, whose tables
   * are taken over.
   */
  constructor(device: DramDevice, sent: readonly boolean[], like: Timing | null = null) {
    if (like !== null) {
      this.levels = like.levels;
      this.banks = like.banks;
      this.classOf = like.classOf;
      this.#classes = like.#classes;
      this.earliest = new Array<number>(like.earliest.length).fill(0);
      this.#nodes = like.#nodes;
      this.#base = like.#base;
      this.#banksBelow = like.#banksBelow;
      this.#checkCount = like.#checkCount;
      this.#checks = like.#checks;
      this.#checkLevels = like.#checkLevels;
      this.#latencies = like.#latencies;
      this.#places = like.#places;
      this.#ownLatencies = like.#ownLatencies;
      this.#reaches = like.#reaches;
      this.#gaps = like.#gaps;
      this.#windowed = like.#windowed.map((rows) => rows.map((row) => row.fresh()));
      this.#levelOf = like.#levelOf;
      this.#merged = like.#merged;
      return;
    }
    const merged = mergedLevels(device.counts);
    this.#merged = merged;
    const counts = device.counts.filter((_, level) => level === 0 || merged[level] !== merged[level - 1]);
    this.levels = counts.length;
    this.banks = banksOf(device);
    this.#nodes = Int32Array.from(counts, (_, level) => counts.slice(0, level + 1).reduce((all, n) => all * n, 1));
    this.#base = Int32Array.from(counts, (_, level) => this.#nodes.subarray(0, level).reduce((all, n) => all + n, 0));
    this.#banksBelow = this.#nodes.map((nodes) => this.banks / nodes);
    this.#levelOf = Int32Array.from(device.commands, (command) => merged[command.level]!);

    const rows = rowsOf(device, merged).filter((row) => sent[row.after] && sent[row.before]);
    const { classOf, classes } = classify(device.commands.length, rows);
    this.classOf = classOf;
    this.#classes = classes;
    this.earliest = new Array<number>(this.#nodes.reduce((all, n) => all + n, 0) * classes).fill(0);
    const placesOf = (list: readonly { level: number; before: number }[]): Int32Array =>
      Int32Array.from({ length: this.banks * list.length }, (_, i) => {
        const { level, before } = list[i % list.length]!;
        return this.#node(level, Math.floor(i / list.length)) * classes + before;
      });
    const pushes = distinct(rows.map((row) => ({ ...row, before: classOf[row.before]! })));
    this.#checkLevels = Array.from({ length: classes }, (_, c) =>
      counts.flatMap((_, level) =>
        level > 0 && pushes.some((push) => push.before === c && push.level === level) ? [level] : [],
      ),
    );
    this.#checkCount = Int32Array.from(this.#checkLevels, (levels) => levels.length);
    this.#checks = this.#checkLevels.map((levels, before) => placesOf(levels.map((level) => ({ level, before }))));
    const perCommand = device.commands.map((_, c) => pushes.filter((push) => push.after === c));
    const single = perCommand.map((list) => list.filter((push) => push.window === 1));
    const nodes = single.map((list, c) =>
      list.map((push) => ({ ...push, nodesOf: this.#concerned(push, this.#levelOf[c]!) })),
    );
    this.#latencies = nodes.map((list) =>
      Int32Array.from(list.flatMap(({ latency, nodesOf }) => nodesOf(0).map(() => latency))),
    );
    this.#places = nodes.map((list) =>
      Int32Array.from(
        Array.from({ length: this.banks }, (_, bank) =>
          list.flatMap(({ before, nodesOf }) => nodesOf(bank).map((node) => node * classes + before)),
        ).flat(),
      ),
    );
    const same = single.map((list) => list.filter((push) => !push.sibling));
    this.#ownLatencies = same.map((list, command) =>
      list.filter((push) => push.before === classOf[command]).map((push) => push.latency),
    );
    const commands = device.commands.length;
    this.#reaches = new Uint8Array(commands * classes);
    for (const push of pushes) {
      const isOwn = push.level === this.levels - 1 && this.#levelOf[push.after] === push.level && !push.sibling;
      if (!isOwn) this.#reaches[push.after * classes + push.before] = 1;
    }
    this.#gaps = new Int32Array(commands * commands);
    same.forEach((list, after) => {
      for (let before = 0; before < commands; before++) {
        const own = list.filter((push) => push.before === classOf[before]).map((push) => push.latency);
        this.#gaps[after * commands + before] = Math.max(0, ...own);
      }
    });
    this.#windowed = perCommand.map((list) =>
      list
        .filter((push) => push.window > 1)
        .map((push) => {
          const nodeOf = Int32Array.from({ length: this.banks }, (_, bank) => this.#node(push.level, bank));
          const first = this.#base[push.level]!;
          return new Windowed(
            push,
            nodeOf.map((node) => node - first),
            placesOf([push]),
          );
        }),
    );
  }

  /** Takes over what has happened to another one of the same. */
  copyFrom(other: Timing): void {
    for (let i = 0; i < other.earliest.length; i++) this.earliest[i] = other.earliest[i]!;
    this.#eachWindowed(other, (own, its) => own.copyFrom(its));
  }

  /** Whether nothing that starts after a tick can tell this from another one of the same. */
  isAlike(other: Timing, tick: number): boolean {
    for (let i = 0; i < this.earliest.length; i++) {
      const own = this.earliest[i]!;
      const its = other.earliest[i]!;
      if (own !== its && (own > tick || its > tick)) return false;
    }
    let isAlike = true;
    this.#eachWindowed(other, (own, its) => {
      isAlike &&= own.isAlike(its, tick);
    });
    return isAlike;
  }

  /** Numbers that `readWaits` writes. */
  get waits(): number {
    return this.earliest.length + this.#windowed.flat().reduce((sum, { size }) => sum + size, 0);
  }

  /** Writes how many ticks after one all that may start later may: nothing else can be told then of what was before. */
  readWaits(tick: number, into: Int32Array, from: number): void {
    const { earliest } = this;
    for (let i = 0; i < earliest.length; i++) {
      const wait = earliest[i]! - tick;
      into[from + i] = wait > 0 ? wait : 0;
    }
    let at = from + earliest.length;
    for (const rows of this.#windowed) {
      for (const row of rows) {
        row.read(tick, into, at);
        at += row.size;
      }
    }
  }

  #eachWindowed(other: Timing, tell: (own: Windowed, its: Windowed) => void): void {
    this.#windowed.forEach((rows, command) => {
      rows.forEach((row, i) => {
        tell(row, other.#windowed[command]![i]!);
      });
    });
  }

  /** By bank: the places in `earliest` of the nodes below the channel that constrain a class; the channel's is the class. */
  nodesOf(cls: number): Int32Array {
    return this.#checks[cls]!;
  }

  /** Place in `earliest` of a command's class at the node of a level of the device that a bank lies in. */
  placeOf(level: number, bank: number, command: number): number {
    return this.#node(this.#merged[level]!, bank) * this.#classes + this.classOf[command]!;
  }

  /** Earliest tick at which commands of a class may start at a bank. */
  ready(cls: number, bank: number): number {
    const { earliest } = this;
    const checks = this.#checks[cls]!;
    const count = this.#checkCount[cls]!;
    const to = (bank + 1) * count;
    let tick = earliest[cls]!;
    for (let i = to - count; i < to; i++) {
      const t = earliest[checks[i]!]!;
      if (t > tick) tick = t;
    }
    return tick;
  }

  /** Earliest tick for a command that names the node above a bank, for every bank below it. */
  readyBelow(command: number, bank: number): number {
    const cls = this.classOf[command]!;
    const own = this.#levelOf[command]!;
    let tick = this.earliest[cls]!;
    for (const level of this.#checkLevels[cls]!) {
      if (level <= own) tick = Math.max(tick, this.#readyAt(this.#node(level, bank), cls));
      else for (const node of this.#nodesBelow(level, own, bank)) tick = Math.max(tick, this.#readyAt(node, cls));
    }
    return tick;
  }

  /** A command starts; it names the node above `bank` at its level. */
  issue(command: number, bank: number, tick: number): void {
    const { earliest } = this;
    const places = this.#places[command]!;
    const latencies = this.#latencies[command]!;
    const count = latencies.length;
    const from = bank * count;
    for (let i = 0; i < count; i++) {
      const place = places[from + i]!;
      const t = tick + latencies[i]!;
      if (t > earliest[place]!) earliest[place] = t;
    }
    this.note(command, bank, tick);
  }

  /** What of a command's start the rows keep that look back further than one command. */
  note(command: number, bank: number, tick: number): void {
    const { earliest } = this;
    const windowed = this.#windowed[command]!;
    for (let i = 0; i < windowed.length; i++) {
      const row = windowed[i]!;
      const place = row.slotOf[bank]!;
      const t = row.push(bank, tick);
      if (t > earliest[place]!) earliest[place] = t;
    }
  }

  /** What rows that look back one command push: places in `earliest`, and ticks after the start. */
  pushesOf(command: number, bank: number): { readonly places: Int32Array; readonly latencies: Int32Array } {
    const latencies = this.#latencies[command]!;
    const from = bank * latencies.length;
    return { places: this.#places[command]!.subarray(from, from + latencies.length), latencies };
  }

  /**
   * Ticks from a command to the next one of its class at the same bank when nothing else is sent; 0 where a row that looks
   * back further has a say.
   */
  period(command: number): number {
    return this.#windowed[command]!.length > 0 ? 0 : Math.max(1, ...this.#ownLatencies[command]!);
  }

  /** Whether a command delays commands of a class at other banks too. */
  reaches(command: number, cls: number): boolean {
    return this.#reaches[command * this.#classes + cls] === 1;
  }

  /** Ticks from one command to another at the same bank, by the rows that look back one command. */
  gap(after: number, before: number): number {
    return this.#gaps[after * this.classOf.length + before]!;
  }

  #node(level: number, bank: number): number {
    return this.#base[level]! + Math.floor(bank / this.#banksBelow[level]!);
  }

  #readyAt(node: number, cls: number): number {
    return this.earliest[node * this.#classes + cls]!;
  }

  /** Nodes that a row of a command concerns, by bank; `own` is the level that the command names a node of. */
  #concerned({ level, sibling }: Push, own: number): (bank: number) => number[] {
    if (sibling) {
      return (bank) => this.#nodesBelow(level, level - 1, bank).filter((node) => node !== this.#node(level, bank));
    }
    return (bank) => (level <= own ? [this.#node(level, bank)] : this.#nodesBelow(level, own, bank));
  }

  /** Nodes of a level below the node of a higher level that a bank lies in. */
  #nodesBelow(level: number, from: number, bank: number): number[] {
    const count = this.#banksBelow[from]! / this.#banksBelow[level]!;
    const first = this.#base[level]! + Math.floor(bank / this.#banksBelow[from]!) * count;
    return Array.from({ length: count }, (_, i) => first + i);
  }
}

/** New index of every level, where levels of one node per parent are their parent's. */
function mergedLevels(counts: readonly number[]): number[] {
  let index = 0;
  return counts.map((count, level) => (level > 0 && count > 1 ? ++index : index));
}

/** Rows pair by pair on merged levels, without those that constrain nothing. */
function rowsOf(device: DramDevice, merged: readonly number[]): Push[] {
  const rows = device.constraints
    .filter(({ latency, sibling, level }) => latency > 0 && !(sibling && device.counts[level] === 1))
    .flatMap(({ level, after, before, latency, window, sibling }) =>
      after.flatMap((a) =>
        before.map((b): Push => ({ level: merged[level]!, after: a, before: b, latency, window, sibling })),
      ),
    );
  return distinct(rows);
}

/** Of rows that differ in latency alone, the longest; and none that a row of a level above makes needless. */
function distinct(rows: readonly Push[]): Push[] {
  const longest = new Map<string, Push>();
  for (const row of rows) {
    const key = [row.level, row.after, row.before, row.window, row.sibling].join(' ');
    const known = longest.get(key);
    if (!known || known.latency < row.latency) longest.set(key, row);
  }
  const all = [...longest.values()];
  return all.filter((row) => !all.some((other) => other !== row && covers(other, row)));
}

function covers(above: Push, row: Push): boolean {
  return (
    above.after === row.after &&
    above.before === row.before &&
    above.window === 1 &&
    !above.sibling &&
    !row.sibling &&
    above.latency >= row.latency &&
    (above.level < row.level || (above.level === row.level && row.window > 1))
  );
}

/** Commands that the same rows constrain are of one class. */
function classify(commands: number, rows: readonly Push[]): { classOf: Int32Array; classes: number } {
  const known = new Map<string, number>();
  const classOf = Int32Array.from({ length: commands }, (_, command) => {
    const signature = rows
      .filter((row) => row.before === command)
      .map((row) => [row.level, row.after, row.latency, row.window, row.sibling].join(' '))
      .sort()
      .join(', ');
    const cls = known.get(signature) ?? known.size;
    known.set(signature, cls);
    return cls;
  });
  return { classOf, classes: known.size };
}
