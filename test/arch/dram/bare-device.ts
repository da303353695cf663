/** A device that has a geometry and nothing else: no commands, no timing. */
import type { DramDevice } from '../../../arch/language/dram/device.ts';

/** `levels` with their counts, from the channel to the bank. */
export function bareDevice(levels: { readonly [level: string]: number }, rows: number, bursts: number): DramDevice {
  return {
    name: 'bare',
    standard: 'bare',
    organisation: 'bare',
    speed: 'bare',
    levels: Object.keys(levels),
    counts: Object.values(levels),
    rows,
    bursts,
    width: 64,
    dq: 8,
    burstBytes: 64,
    clockPs: 1000,
    ticksPerClock: 1,
    commands: [],
    constraints: [],
    readLatency: 0,
    writeLatency: 0,
    dualBus: false,
    halfCycle: false,
    activationDeadline: 0,
    dataClock: null,
    refresh: { allBank: null, perBank: null },
    timings: new Map(),
    currents: null,
  };
}
