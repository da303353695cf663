/**
 * Energy of DRAM by the currents of its data sheet: what each command draws beyond standby, and standby over time. After
 * Micron TN-41-01, "Calculating Memory System Power for DDR3", in the form of DRAMsim3 (Li et al., CAL 2020), with the
 * clock period that DRAMsim3's own totals leave out.
 *
 * Not modelled: power of the data pins and of termination, of the VPP supply (IPP currents), of clocks and the controller,
 * and mode-register or data-clock commands. A precharge is part of the activation that it ends, automatic ones too.
 */
import { type DramCurrents, type DramDevice, tickPs } from '../../arch/language/dram/device.ts';

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

/** Joules; a power-down state is there only when some rank was in it. */
export interface DramEnergyBy {
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
 * Joules of an activity, with all chips of a rank (width / dq) drawing the same. With times in ticks, a command costs
 * - activation (the opening one of two): IDD0 tRC - (IDD3N tRAS + IDD2N tRP);
 * - read, write: (IDD4R - IDD3N) and (IDD4W - IDD3N), for as long as the data of one access take;
 * - refresh of a rank: (IDD5AB - IDD3N) tRFC; of a bank: (IDD5PB - IDD3N) tRFCpb;
 * times VDD x chips x tick. Standby costs IDD3N with a row open and IDD2N without. What is not known counts as nothing, and a
 * note says so. Null for a device without currents.
 */
export function dramEnergy(device: DramDevice, activity: DramActivity): DramEnergy | null {
  if (device.currents === null) return null;
  const meter = new Meter(device, device.currents, activity);
  meter.readCommands();
  meter.readStandby();
  meter.readPowerDown();
  return { total: Object.values(meter.by).reduce((sum, joules) => sum + joules, 0), by: meter.by, notes: meter.notes };
}

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
  readonly #currents: DramCurrents;
  readonly #activity: DramActivity;
  /** Joules of a milliampere in every chip of a rank over a tick. */
  readonly #milliampereTick: number;

  constructor(device: DramDevice, currents: DramCurrents, activity: DramActivity) {
    this.#device = device;
    this.#currents = currents;
    this.#activity = activity;
    const chips = device.width / device.dq;
    this.#milliampereTick = currents.VDD * chips * tickPs(device) * voltMilliamperePs;
  }

  readCommands(): void {
    const { commands, refresh } = this.#device;
    const { IDD3N, IDD4R, IDD4W } = this.#currents;
    const burst = this.#ticks('nBL') ?? this.#ticks('nBL_min');
    for (const [index, { banks, access }] of commands.entries()) {
      const count = this.#activity.commands[index] ?? 0;
      if (count === 0) continue;
      if (banks === 'opens') this.#command('activate', count, this.#activation(), 'nRAS or nRP');
      if (access === 'read') this.#command('read', count, times(IDD4R - IDD3N, burst), 'nBL');
      if (access === 'write') this.#command('write', count, times(IDD4W - IDD3N, burst), 'nBL');
      if (index === refresh.allBank?.command) this.#command('refresh', count, this.#refresh(), 'nRFC');
      if (index === refresh.perBank?.command) this.#bankRefreshes(count);
    }
  }

  readStandby(): void {
    const { IDD2N, IDD3N } = this.#currents;
    this.by['background active'] = this.#joules(this.#sum('activeTicks'), IDD3N);
    this.by['background precharged'] = this.#joules(this.#sum('idleTicks'), IDD2N);
  }

  readPowerDown(): void {
    this.#powerDown('power-down active', this.#sum('activePowerDownTicks'), 'IDD3P', 'IDD3N');
    this.#powerDown('power-down precharged', this.#sum('idlePowerDownTicks'), 'IDD2P', 'IDD2N');
    this.#powerDown('self-refresh', this.#sum('selfRefreshTicks'), 'IDD6', 'IDD2N');
  }

  /** Milliamperes x ticks of one activation and its precharge; standby of the same time is counted elsewhere. */
  #activation(): number | undefined {
    const { IDD0, IDD2N, IDD3N } = this.#currents;
    const tRAS = this.#ticks('nRAS');
    const tRP = this.#ticks('nRP');
    if (tRAS === undefined || tRP === undefined) return undefined;
    const tRC = this.#ticks('nRC') ?? tRAS + tRP;
    return IDD0 * tRC - (IDD3N * tRAS + IDD2N * tRP);
  }

  #refresh(): number | undefined {
    const { IDD3N, IDD5AB } = this.#currents;
    return times(IDD5AB - IDD3N, this.#ticks('nRFC') ?? this.#ticks('nRFCab'));
  }

  /** Published tables hold placeholders below standby, which would make a refresh give energy back. */
  #bankRefreshes(count: number): void {
    const { IDD3N, IDD5PB } = this.#currents;
    if (IDD5PB !== undefined && IDD5PB > IDD3N) {
      this.#command('refresh bank', count, times(IDD5PB - IDD3N, this.#ticks('nRFCpb')), 'nRFCpb');
    } else {
      const why =
        IDD5PB === undefined ? 'IDD5PB is not known' : `IDD5PB of ${IDD5PB} mA is not above IDD3N of ${IDD3N} mA`;
      this.notes.push(`${this.#device.name}: ${why}; refreshes of a bank counted as 0 J`);
    }
  }

  #command(action: keyof DramEnergyBy, count: number, milliampereTicks: number | undefined, parameter: string): void {
    if (milliampereTicks !== undefined) {
      this.by[action] = (this.by[action] ?? 0) + this.#joules(count, milliampereTicks);
      return;
    }
    const note = `${this.#device.name}: has no timing ${parameter}; ${action} counted as 0 J`;
    if (!this.notes.includes(note)) this.notes.push(note);
  }

  #powerDown(
    action: keyof DramEnergyBy,
    ticks: number,
    current: 'IDD2P' | 'IDD3P' | 'IDD6',
    standby: 'IDD2N' | 'IDD3N',
  ): void {
    if (ticks === 0) return;
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

function times(milliamperes: number, ticks: number | undefined): number | undefined {
  return ticks === undefined ? undefined : milliamperes * ticks;
}
