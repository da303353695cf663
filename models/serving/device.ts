/** One device as it runs operators: its units, its memory, and what happens when. */
import type { Arch } from '../../arch/language/arch.ts';
import { banksOf } from '../../arch/language/dram/device.ts';
import { memoryDevice } from '../../arch/language/dram/memory.ts';
import type { Collective } from '../../workloads/llm/operator.ts';
import { type EngineSite, memoryBandwidth } from '../binding/topology.ts';
import { Clock, picosecondsPerSecond, Ratio } from '../kernel/clock.ts';
import { buildDram } from '../memory/dram/build.ts';
import type { Dram } from '../memory/dram/memory.ts';
import { DramMemory } from './dram-memory.ts';
import { Events } from './events.ts';
import { arrayPeak, pimPeak, type SidePeak } from './experts.ts';
import type { DeviceMemory } from './memory.ts';
import { type DeviceParts, devicePartsOf } from './parts.ts';
import { PimMemory } from './pim-memory.ts';
import { vectorCycles } from './steps.ts';
import { Unit } from './unit.ts';

export class Device {
  readonly arch: Arch;
  readonly parts: DeviceParts;
  readonly events = new Events();
  readonly memory: DeviceMemory;
  /** The same, if that is what it is. */
  readonly dram: Dram | null = null;
  readonly pim: PimMemory | null = null;
  readonly array: Unit | null;
  readonly vector: Unit | null;
  readonly link: Unit;
  /** Bytes that tensors begin at multiples of, so that every channel has the same of them. */
  readonly grain: number;
  /** Of the memory: its clock, its peak, its channels. */
  readonly memoryClock: Clock;
  readonly bytesPerSecond: number;
  readonly channels: number;
  readonly banks: number;
  readonly rows: number;
  /** Picoseconds. */
  now = 0;

  /** `alike`: no channel of the memory gets anything else than the others. @throws InputError as `devicePartsOf` does */
  constructor(arch: Arch, alike: boolean) {
    this.arch = arch;
    this.parts = devicePartsOf(arch);
    const { array, vector, memory, dram } = this.parts;
    this.array = array && new Unit(array.path, 'array', clockOf(array));
    this.vector = vector && new Unit(vector.path, 'vector', clockOf(vector));
    this.bytesPerSecond = memoryBandwidth(memory);
    this.link = new Unit('link', 'link', new Clock('picoseconds', picosecondsPerSecond));
    const device = memoryDevice(dram);
    this.memoryClock = Clock.ofPeriod(memory.path, new Ratio(device.clockPs, 1));
    this.channels = dram.channels * memory.part.count;
    this.banks = banksOf(device);
    this.rows = device.rows;
    this.grain = this.channels * device.bursts * device.burstBytes;
    if (dram.pim === null) {
      this.dram = buildDram(memory.path, memory.part, dram, this.bytesPerSecond);
      this.memory = new DramMemory(this.dram);
    } else {
      this.pim = new PimMemory(device, this.memoryClock, this.channels, alike, { mode: dram.pim, issue: dram.issue });
      this.memory = this.pim;
    }
  }

  /** Lets happen what has been asked for, until nothing is left. */
  run(): void {
    const { events, memory } = this;
    for (;;) {
      const { first } = events;
      if (memory.bound <= first && memory.bound < Number.POSITIVE_INFINITY) {
        memory.advance(first);
        continue;
      }
      if (first === Number.POSITIVE_INFINITY) return;
      this.now = first;
      events.step();
    }
  }

  /** Adds up numbers on the vector unit, where there is one and anything to add; returns when that is done. */
  add(additions: number, ps: number): number {
    const { vector, parts } = this;
    if (additions === 0 || vector === null || parts.vector === null) return ps;
    const shape = { elements: additions, rows: 1, operations: { add: 1 }, reductions: 0, perRow: {} };
    return vector.occupy(ps, vectorCycles(parts.vector.part, shape));
  }

  get memoryName(): string {
    return this.parts.memory.path;
  }

  /** What the array, with the memory's bandwidth, and the memory's units can do. @throws Error when it lacks one of them */
  get peaks(): { readonly array: SidePeak; readonly pim: SidePeak } {
    const { array } = this.parts;
    if (array === null || this.pim === null)
      throw new Error(`${this.arch.name} has not both an array and a memory that computes`);
    return {
      array: arrayPeak(this.arch, array.part, this.bytesPerSecond),
      pim: pimPeak(this.pim.device, this.channels),
    };
  }

  /** What the memory has moved. */
  get traffic(): { readonly bytesRead: number; readonly bytesWritten: number } {
    const { bytesRead, bytesWritten } = this.dram ?? this.pim ?? { bytesRead: 0, bytesWritten: 0 };
    return { bytesRead, bytesWritten };
  }

  /** Ends the run at a time at which nothing is under way. */
  finish(ps: number): void {
    this.dram?.finish(ps);
    this.pim?.finish(ps);
    for (const unit of [this.array, this.vector]) unit?.account.bins.cover(unit.clock.cycleAtOrAfter(ps));
  }

  /** Picoseconds that a collective takes between devices of this kind: around a ring, all at a time. */
  collectiveTime({ pattern, bytes, devices }: Collective): number {
    const { link } = this.arch;
    if (link === null || devices < 2) return 0;
    const rounds = { 'all-reduce': 2 * (devices - 1), 'all-gather': devices - 1, 'all-to-all': devices - 1, send: 1 };
    const share = pattern === 'send' ? bytes : bytes / devices;
    const round = Math.ceil((share / link.bandwidth) * picosecondsPerSecond) + link.latency;
    return rounds[pattern] * round;
  }
}

function clockOf({ clock, hertz }: Pick<EngineSite, 'clock' | 'hertz'>): Clock {
  return new Clock(clock, hertz);
}
