import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DramDevice, tickPs } from '../../../arch/language/dram/device.ts';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { loadStandard } from '../../../arch/language/dram/load.ts';
import { peakBandwidth } from '../../../arch/language/dram/memory.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import type { DramStandard } from '../../../arch/language/dram/standard.ts';
import { packageRoot } from '../../../arch/language/library.ts';

const folder = join(packageRoot, 'arch/parts/dram');

function fixture(name: string) {
  return JSON.parse(readFileSync(join(packageRoot, 'test/fixtures/dram', name), 'utf8'));
}

/** Names and values of timing parameters, each as one text. */
interface TimingTable {
  readonly parameters: string;
  readonly values: { readonly [organisation: string]: { readonly [speed: string]: string } };
}

const tables: { readonly [standard: string]: TimingTable } = fixture('timings.json').standards;

describe.each(Object.entries(tables))('%s', (name, { parameters, values }) => {
  const { standard } = findStandard(name);

  it('has the organisations and speeds of Ramulator', () => {
    expect([...standard.organisations.keys()].sort()).toEqual(Object.keys(values).sort());
    const speeds = Object.values(values).flatMap((bySpeed) => Object.keys(bySpeed));
    expect([...standard.speeds.keys()].sort()).toEqual([...new Set(speeds)].sort());
  });

  it('has its timings for each organisation at each speed', () => {
    for (const [organisation, bySpeed] of Object.entries(values)) {
      for (const [speed, numbers] of Object.entries(bySpeed)) {
        const device = deviceOf(standard, { organisation, speed });
        const found = parameters.split(' ').map((parameter) => timingOf(standard, device, parameter));
        expect([organisation, speed, found.join(' ')]).toEqual([organisation, speed, numbers]);
      }
    }
  });
});

/** In clock cycles. */
function timingOf(standard: DramStandard, device: DramDevice, parameter: string): number | undefined {
  if (parameter === 'rate') return standard.speeds.get(device.speed)?.rate;
  const ticks = device.timings.get(parameter);
  return parameter.endsWith('_ps') || ticks === undefined ? ticks : ticks / device.ticksPerClock;
}

interface Configuration
  extends Pick<
    DramDevice,
    'levels' | 'counts' | 'rows' | 'bursts' | 'width' | 'dq' | 'burstBytes' | 'readLatency' | 'writeLatency'
  > {
  readonly clockPs: number;
  readonly ticksPerClock: number;
  readonly dualBus: boolean;
  readonly halfCycle: boolean;
  readonly activationDeadline: number;
  readonly dataClock: DramDevice['dataClock'];
  readonly allBank: number;
  readonly perBank: { readonly interval: number; readonly lockstep: boolean; readonly setGap: number } | null;
  readonly commands: readonly string[];
  readonly constraints: readonly string[];
}

const configurations: { readonly [name: string]: Configuration } = fixture('configurations.json').configurations;

/** The device of `DDR4/DDR4_8Gb_x8/DDR4_2400R/rank2`. */
function preset(name: string): DramDevice {
  const [standard, organisation, speed, ranks] = name.split('/');
  const found = findStandard([standard, organisation, speed].join('/'));
  return deviceOf(found.standard, { ...found, ranks: ranks === undefined ? undefined : Number(ranks.slice(4)) });
}

/** Every pair of commands that a row is for: `rank ACT -> ACT >= 26 window 4`. */
function pairs(row: string): string[] {
  const [, level, after, before, rest] = /^(\S+) (.*) -> (.*) (>= .*)$/.exec(row)!;
  return after.split(' ').flatMap((p) => before.split(' ').map((f) => `${level} ${p} -> ${f} ${rest}`));
}

function pairsOf({ levels, commands, constraints }: DramDevice): string[] {
  const names = (indices: readonly number[]) => indices.map((index) => commands[index].name).join(' ');
  return constraints.flatMap(({ level, after, before, latency, window, sibling }) => {
    const scope = `${window > 1 ? ` window ${window}` : ''}${sibling ? ' sibling' : ''}`;
    return pairs(`${levels[level]} ${names(after)} -> ${names(before)} >= ${latency}${scope}`);
  });
}

describe.each(Object.entries(configurations))('%s in ticks', (name, expected) => {
  const device = preset(name);

  it('has the constraints that Ramulator resolves', () => {
    expect([...new Set(pairsOf(device))].sort()).toEqual([...new Set(expected.constraints.flatMap(pairs))].sort());
  });

  it('has its commands', () => {
    const commands = device.commands.map((command) => `${command.name} ${command.bus} ${command.ticks}`);
    expect(commands).toEqual(expected.commands.map((text) => text.split(' ').slice(0, 3).join(' ')));
    const levels = device.commands.map(({ level }) => device.levels[level]);
    expect(levels).toEqual(expected.commands.map((text) => text.split(' ')[3].replace(':', '')));
  });

  it.each([
    'levels',
    'counts',
    'rows',
    'bursts',
    'width',
    'dq',
    'burstBytes',
    'readLatency',
    'writeLatency',
    'ticksPerClock',
    'dualBus',
    'halfCycle',
    'activationDeadline',
    'dataClock',
  ] as const)('has its %s', (key) => expect(device[key]).toEqual(expected[key]));

  it('refreshes as often', () => {
    expect(device.refresh.allBank?.interval).toBe(expected.allBank);
    const { interval, lockstep, setGap } = device.refresh.perBank ?? {};
    expect(interval === undefined ? null : { interval, lockstep, setGap }).toEqual(expected.perBank);
  });
});

describe('the library', () => {
  const names = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

  it.each(names)('%s says where its numbers come from', (name) => {
    expect(loadStandard(join(folder, name)).source).toMatch(/Ramulator|JEDEC|NewtonSim/);
  });

  it('has every standard that it has as Ramulator has it', () => {
    const variants = names.filter((name) => name.endsWith('-ramulator.yaml'));
    for (const name of variants) {
      expect(existsSync(join(folder, name.replace('-ramulator', '')))).toBe(true);
    }
  });

  it.each([
    ['ddr4', 'DDR4_8Gb_x8', 'DDR4_2400R', 19.2e9],
    ['hbm2', 'HBM2_8Gb', 'HBM2_2000Mbps', 32e9],
    ['hbm3', 'HBM3_16Gb_8hi', 'HBM3_6400Mbps', 51.2e9],
    ['lpddr5', 'LPDDR5_8Gb_x16', 'LPDDR5_6400', 12.8e9],
    // 32 of the 36 bytes of a burst of 24 beats are data, in 6 cycles of 375 ps.
    ['lpddr6', 'LPDDR6_16Gb_x12', 'LPDDR6_10667_BL24', 32 / 2.25e-9],
  ])('%s %s at %s moves its peak', (name, organisation, speed, bandwidth) => {
    const { standard } = findStandard(name);
    const device = deviceOf(standard, { organisation, speed });
    expect(peakBandwidth(standard, device, 1)).toBeCloseTo(bandwidth, -1);
  });

  it('has half cycles of the clock as ticks where commands start on either edge', () => {
    expect(tickPs(preset('HBM3/HBM3_16Gb_8hi/HBM3_6400Mbps'))).toBe(312.5);
  });
});
