/** What happens in the channels of a memory that computes, for reports. Memory does not grow with the run. */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import { Bins } from '../kernel/bins.ts';
import { type ChannelWatcher, forAccess, forJob, forRefresh } from '../memory/pim/listener.ts';
import { type Target, targetsOf } from '../memory/pim/targets.ts';

/** Bins of what is told over time. */
const binCount = 128;
const kinds = 3;

export class PimWatch {
  /** Commands over time in cycles: by channel, and of each by for whom they are. */
  readonly #commands: Bins;
  /** Cycles with a row open: of each bank for accesses, then of each for jobs, channels added up. */
  readonly #open: Bins;
  /** Columns that accesses read and wrote, channels added up. */
  readonly #accesses = new Bins(1, binCount, 1);
  readonly #device: DramDevice;
  readonly #targets: readonly Target[];
  readonly #banks: number;
  readonly #channels: number;
  /** By channel: how many it stands for. */
  readonly #weights: Float64Array;
  /** By channel, then row buffer x banks + bank: since when a row is open, -1 when none is, and for whom. */
  readonly #since: readonly Float64Array[];
  readonly #for: readonly Uint8Array[];

  constructor(device: DramDevice, channels: number) {
    this.#device = device;
    this.#targets = targetsOf(device);
    this.#banks = banksOf(device);
    this.#channels = channels;
    // Behind the channels, what those had that they follow when they began to.
    this.#commands = new Bins(2 * kinds * channels, binCount, 1);
    this.#weights = new Float64Array(channels).fill(1);
    this.#open = new Bins(2 * this.#banks, binCount, 1);
    const places = (1 + (device.rowBuffers?.length ?? 0)) * this.#banks;
    this.#since = Array.from({ length: channels }, () => new Float64Array(places).fill(-1));
    this.#for = Array.from({ length: channels }, () => new Uint8Array(places));
  }

  of(channel: number): ChannelWatcher {
    const { commands } = this.#device;
    const isColumn = commands.map(({ access, pim }) => access !== 'none' && pim === undefined);
    const effects = commands.map(({ banks }) => banks);
    return (kind, command, bank, count, first, last) => {
      put(this.#commands, kinds * channel + kind, count, first, last);
      if (kind === forAccess && isColumn[command]) put(this.#accesses, 0, count, first, last, this.#weights[channel]!);
      const effect = effects[command];
      if (effect === 'opens' || effect === 'closes')
        this.#change(channel, kind, command, bank, effect === 'opens', first);
    };
  }

  #change(channel: number, kind: number, command: number, bank: number, opens: boolean, cycle: number): void {
    const { scope, buffer } = this.#targets[command]!;
    const banks = scope.banks(bank);
    const since = this.#since[channel]!;
    const owner = this.#for[channel]!;
    for (let i = 0; i < banks.length; i++) {
      const place = buffer * this.#banks + banks[i]!;
      if (since[place]! >= 0) this.#close(channel, place, cycle);
      if (!opens) continue;
      since[place] = cycle;
      owner[place] = kind;
    }
  }

  #close(channel: number, place: number, cycle: number): void {
    const since = this.#since[channel]!;
    const from = since[place]!;
    if (from < 0) return;
    since[place] = -1;
    const kind = this.#for[channel]![place]! === forJob ? 1 : 0;
    const series = kind * this.#banks + (place % this.#banks);
    const amount = (cycle - from) * this.#weights[channel]!;
    this.#open.cover(cycle);
    this.#open.spread(series, from, cycle, amount);
  }

  /** Whether rows are open for the same in two channels. */
  isAlike(one: number, other: number): boolean {
    const [own, its] = [this.#since[one]!, this.#since[other]!];
    return own.every((since, place) => {
      if (since < 0 || its[place]! < 0) return since < 0 === its[place]! < 0;
      return this.#for[one]![place] === this.#for[other]![place];
    });
  }

  /** From a cycle on, what a channel does is told of another one, which is alike. */
  follow(channel: number, leader: number, cycle: number): void {
    this.#cut(channel, cycle);
    this.#cut(leader, cycle);
    this.#weights[leader]! += this.#weights[channel]!;
    this.#weights[channel] = 0;
    for (let kind = 0; kind < kinds; kind++) this.#commands.copy(kinds * leader + kind, this.#mark(channel, kind));
  }

  /** The opposite: it has done what the other one has since then. */
  leave(channel: number, leader: number, cycle: number): void {
    this.#cut(leader, cycle);
    this.#weights[leader]!--;
    this.#weights[channel] = 1;
    this.#since[channel]!.set(this.#since[leader]!);
    this.#for[channel]!.set(this.#for[leader]!);
    for (let kind = 0; kind < kinds; kind++) {
      this.#commands.plus(kinds * channel + kind, kinds * leader + kind, 1);
      this.#commands.plus(kinds * channel + kind, this.#mark(channel, kind), -1);
    }
  }

  #mark(channel: number, kind: number): number {
    return kinds * (this.#channels + channel) + kind;
  }

  /** Counts the cycles up to one of the rows that are open. */
  #cut(channel: number, cycle: number): void {
    const since = this.#since[channel]!;
    for (let place = 0; place < since.length; place++) {
      if (since[place]! < 0) continue;
      this.#close(channel, place, cycle);
      since[place] = cycle;
    }
  }

  /** Ends with a cycle, the last of the run. */
  finish(cycle: number): void {
    for (let channel = 0; channel < this.#channels; channel++) {
      for (let place = 0; place < this.#since[channel]!.length; place++) this.#close(channel, place, cycle);
    }
    for (const bins of [this.#commands, this.#open, this.#accesses]) bins.cover(cycle + 1);
  }

  /** Cycles per bin, after `finish`. */
  get width(): number {
    return this.#commands.width;
  }

  /** Commands of a channel in each bin before a cycle. */
  commands(channel: number, end: number): { ordinary: number[]; pim: number[]; refresh: number[] } {
    const of = (kind: number): number[] => this.#commands.series(kinds * channel + kind, end);
    return { ordinary: of(forAccess), pim: of(forJob), refresh: of(forRefresh) };
  }

  /** By bank: the share of each bin in which it has a row open, the mean of the channels. */
  open(end: number): { ordinary: number[][]; pim: number[][] } {
    const of = (kind: number): number[][] =>
      Array.from({ length: this.#banks }, (_, bank) =>
        this.#open
          .series(kind * this.#banks + bank, end)
          .map((cycles, bin) => cycles / (this.#channels * Math.min(this.width, end - bin * this.width))),
      );
    return { ordinary: of(0), pim: of(1) };
  }

  /** Columns that accesses moved in each bin before a cycle. */
  accesses(end: number): number[] {
    return this.#accesses.series(0, end);
  }
}

/** Adds one, or more, in each of so many cycles, evenly apart: the same, in however many steps they are told of. */
function put(bins: Bins, kind: number, count: number, first: number, last: number, each = 1): void {
  bins.cover(last + 1);
  const { width } = bins;
  const apart = count === 1 ? 1 : (last - first) / (count - 1);
  let put = 0;
  for (let end = (Math.floor(first / width) + 1) * width; put < count; end += width) {
    const until = Math.min(count, Math.ceil((end - first) / apart));
    if (until > put) bins.put(kind, first + put * apart, (until - put) * each);
    put = until;
  }
}
