/**
 * Energy of DRAM: what its file says that a command takes, else by the currents of its data sheet: what each command draws
 * beyond standby, and standby over time. After Micron TN-41-01, "Calculating Memory System Power for DDR3", in the form of
 * DRAMsim3 (Li et al., CAL 2020), with the clock period that DRAMsim3's own totals leave out.
 *
 * Not modelled: power of the data pins and of termination, of the VPP supply (IPP currents), of clocks and the controller,
 * and mode-register or data-clock commands. A precharge is part of the activation that it ends, automatic ones too.
 */
import {
  banksNamed,
  type DramCommandEnergy,
  type DramCurrents,
  type DramDevice,
  tickPs,
} from '../../arch/language/dram/device.ts';
import { hasCurrents } from '../../arch/language/dram/energies.ts';

/**
 * Ticks of one rank by state; they add up to all of its ticks. A rank stands here for what an all-bank refresh acts on: a
 * pseudo-channel or a channel where the standard has no ranks.
 */
export interface DramRankTicks {
  /** Some row open. */
  readonly activeTicks: number;
  /** All banks closed, refreshes included. */
  readonly idleTicks: number;
  readonly activePowerDownTicks?: number;
  readonly idlePowerDownTicks?: number;
  readonly selfRefreshTicks?: number;
}

/** What happened on one channel, or on several together. */
export interface DramActivity {
  /** Commands sent, by index of the device's commands. */
  readonly commands: ArrayLike<number>;
  /** Every rank of every channel. */
  readonly ranks: readonly DramRankTicks[];
}

/**
 * Joules: ordinary commands by what they do, those of a dialect by name; these and power-down states are there only when they
 * happened.
 */
export interface DramEnergyBy {
  [command: string]: number;
  activate: number;
  read: number;
  write: number;
  refresh: number;
  'refresh bank': number;
  'background active': number;
  'background precharged': number;
  'power-down active'?: number;
  'power-down precharged'?: number;
  'self-refresh'?: number;
}

export interface DramEnergy {
  /** Joules. */
  readonly total: number;
  readonly by: DramEnergyBy;
  /** What the data sheet or the timings do not say, and what was done about it. */
  readonly notes: readonly string[];
}

/** Joules of a volt times a milliampere times a picosecond. */
const voltMilliamperePs = 1e-15;

/**
 * Joules of an activity. A command that the device's file gives an energy takes that. Of the others, with all chips of a rank
 * (width / dq) drawing the same and times in ticks, a command costs
 * - activation of a bank (the opening one of two commands): IDD0 tRC - (IDD3N tRAS + IDD2N tRP);
 * - read, write: (IDD4R - IDD3N) and (IDD4W - IDD3N), for as long as the data of one access take;
 * - refresh of a rank: (IDD5AB - IDD3N) tRFC; of a bank: (IDD5PB - IDD3N) tRFCpb;
 * times VDD x chips x tick. Standby costs the background power that the file gives, else IDD3N with a row open and IDD2N
 * without. What is not known counts as nothing, and a note says so. Null for a device of which neither is known.
 */
export function dramEnergy(device: DramDevice, activity: DramActivity): DramEnergy | null {
  if (!device.currents && !device.energies && !device.background) return null;
  const meter = new Meter(device, activity);
  meter.readCommands();
  meter.readStandby();
  meter.readPowerDown();
  return { total: Object.values(meter.by).reduce((sum, joules) => sum + joules, 0), by: meter.by, notes: meter.notes };
}

/** What the table of currents says of one command: milliamperes x ticks, or why it does not. */
type Drawn = { readonly milliampereTicks: number } | { readonly problem: string };

class Meter {
  readonly by: DramEnergyBy = {
    activate: 0,
    read: 0,
    write: 0,
    refresh: 0,
    'refresh bank': 0,
    'background active': 0,
    'background precharged': 0,
  };
  readonly notes: string[] = [];
  readonly #device: DramDevice;
  readonly #currents: DramCurrents | null;
  readonly #activity: DramActivity;
  /** Joules of a milliampere in every chip of a rank over a tick. */
  readonly #milliampereTick: number;

  constructor(device: DramDevice, activity: DramActivity) {
    this.#device = device;
    this.#currents = device.currents;
    this.#activity = activity;
    const chips = device.width / device.dq;
    this.#milliampereTick = (device.currents?.VDD ?? 0) * chips * tickPs(device) * voltMilliamperePs;
  }

  readCommands(): void {
    const { commands, energies, name } = this.#device;
    const unknown: string[] = [];
    for (const [index, command] of commands.entries()) {
      const count = this.#activity.commands[index] ?? 0;
      const action = this.#actionOf(index);
      if (count === 0 || action === null) continue;
      const given = energies?.[index];
      if (given) this.#add(action, count * this.#given(given, action));
      else if (this.#currents !== null && hasCurrents(command)) this.#drawn(action, count, index, this.#currents);
      else unknown.push(command.name);
    }
    if (unknown.length > 0) this.notes.push(`${name}: no energy of ${unknown.join(', ')} is given, counted as 0 J`);
  }

  /** Under which the energy of a command is counted; null for one that has none of its own. */
  #actionOf(index: number): string | null {
    const { commands, refresh, energies } = this.#device;
    const command = commands[index]!;
    const { name, banks, access, pim } = command;
    if (pim) return name;
    if (access !== 'none') return access;
    if (index === refresh.allBank?.command) return 'refresh';
    if (index === refresh.perBank?.command) return 'refresh bank';
    if (banks === 'opens') return banksNamed(this.#device, command) === 1 ? 'activate' : name;
    return energies?.[index] ? name : null;
  }

  /** Joules of a command whose energy the file gives. */
  #given({ joules, times }: DramCommandEnergy, action: string): number {
    return times.reduce((sum, [command, factor]) => {
      const drawn = this.#currents === null ? null : this.#byCurrents(command, this.#currents);
      if (drawn !== null && 'milliampereTicks' in drawn) return sum + factor * this.#joules(1, drawn.milliampereTicks);
      const { name } = this.#device.commands[command]!;
      this.#unknown(drawn?.problem ?? `the energy of ${name} is not known`, action);
      return sum;
    }, joules);
  }

  #drawn(action: string, count: number, index: number, currents: DramCurrents): void {
    const drawn = this.#byCurrents(index, currents);
    if ('problem' in drawn) this.#unknown(drawn.problem, action);
    else this.#add(action, this.#joules(count, drawn.milliampereTicks));
  }

  #add(action: string, joules: number): void {
    this.by[action] = (this.by[action] ?? 0) + joules;
  }

  /** Milliamperes x ticks of one command beyond standby. */
  #byCurrents(index: number, currents: DramCurrents): Drawn {
    const { commands, refresh } = this.#device;
    const { IDD3N, IDD4R, IDD4W, IDD5AB } = currents;
    const command = commands[index]!;
    const burst = this.#ticks('nBL') ?? this.#ticks('nBL_min');
    if (index === refresh.allBank?.command) {
      return product(IDD5AB - IDD3N, this.#ticks('nRFC') ?? this.#ticks('nRFCab'), 'nRFC');
    }
    if (index === refresh.perBank?.command) return this.#bankRefresh(currents);
    if (command.access === 'read') return product(IDD4R - IDD3N, burst, 'nBL');
    if (command.access === 'write') return product(IDD4W - IDD3N, burst, 'nBL');
    return product(banksNamed(this.#device, command), this.#activation(currents), 'nRAS or nRP');
  }

  readStandby(): void {
    const active = this.#sum('activeTicks');
    const idle = this.#sum('idleTicks');
    const { background, name } = this.#device;
    if (background) {
      const tickSeconds = tickPs(this.#device) * 1e-12;
      this.by['background active'] = active * tickSeconds * background.active;
      this.by['background precharged'] = idle * tickSeconds * background.precharged;
    } else if (this.#currents !== null) {
      this.by['background active'] = this.#joules(active, this.#currents.IDD3N);
      this.by['background precharged'] = this.#joules(idle, this.#currents.IDD2N);
    } else if (active + idle > 0) this.notes.push(`${name}: no background power is given, counted as 0 J`);
  }

  readPowerDown(): void {
    this.#powerDown('power-down active', this.#sum('activePowerDownTicks'), 'IDD3P', 'IDD3N');
    this.#powerDown('power-down precharged', this.#sum('idlePowerDownTicks'), 'IDD2P', 'IDD2N');
    this.#powerDown('self-refresh', this.#sum('selfRefreshTicks'), 'IDD6', 'IDD2N');
  }

  /** Milliamperes x ticks of one activation and its precharge; standby of the same time is counted elsewhere. */
  #activation({ IDD0, IDD2N, IDD3N }: DramCurrents): number | undefined {
    const tRAS = this.#ticks('nRAS');
    const tRP = this.#ticks('nRP');
    if (tRAS === undefined || tRP === undefined) return undefined;
    const tRC = this.#ticks('nRC') ?? tRAS + tRP;
    return IDD0 * tRC - (IDD3N * tRAS + IDD2N * tRP);
  }

  /** Published tables hold placeholders below standby, which would make a refresh give energy back. */
  #bankRefresh({ IDD3N, IDD5PB }: DramCurrents): Drawn {
    if (IDD5PB !== undefined && IDD5PB > IDD3N) return product(IDD5PB - IDD3N, this.#ticks('nRFCpb'), 'nRFCpb');
    const why =
      IDD5PB === undefined ? 'IDD5PB is not known' : `IDD5PB of ${IDD5PB} mA is not above IDD3N of ${IDD3N} mA`;
    return { problem: why };
  }

  #unknown(problem: string, action: string): void {
    const note = `${this.#device.name}: ${problem}; ${action === 'refresh bank' ? 'refreshes of a bank' : action} counted as 0 J`;
    if (!this.notes.includes(note)) this.notes.push(note);
  }

  #powerDown(action: string, ticks: number, current: 'IDD2P' | 'IDD3P' | 'IDD6', standby: 'IDD2N' | 'IDD3N'): void {
    if (ticks === 0 || this.#currents === null) return;
    const milliamperes = this.#currents[current];
    this.by[action] = this.#joules(ticks, milliamperes ?? this.#currents[standby]);
    if (milliamperes === undefined)
      this.notes.push(`${this.#device.name}: ${current} is not known; ${action} counted with ${standby}`);
  }

  #sum(state: keyof DramRankTicks): number {
    return this.#activity.ranks.reduce((sum, rank) => sum + (rank[state] ?? 0), 0);
  }

  #joules(count: number, milliampereTicks: number): number {
    return count * milliampereTicks * this.#milliampereTick;
  }

  #ticks(parameter: string): number | undefined {
    return this.#device.timings.get(parameter);
  }
}

function product(factor: number, ticks: number | undefined, parameter: string): Drawn {
  return ticks === undefined ? { problem: `has no timing ${parameter}` } : { milliampereTicks: factor * ticks };
}
