/** Devices and runs of Ramulator, from the compact fixtures, so that twins can be tested without the standards' files. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DramCommand, DramConstraint, DramDevice } from '../../arch/language/dram/device.ts';
import type { ControllerPolicy, PagePolicy, Refresh, Scheduler } from '../../models/memory/dram/policy.ts';
import { defaultPolicy } from '../../models/memory/dram/policy.ts';
import type { AddressMapping, TraceName } from './dram-controller-replay.ts';

/** One of configurations.json: what `DramDevice` has under the same name, and commands and constraints as texts. */
interface Configuration
  extends Pick<
    DramDevice,
    | 'standard'
    | 'levels'
    | 'counts'
    | 'rows'
    | 'bursts'
    | 'width'
    | 'dq'
    | 'burstBytes'
    | 'clockPs'
    | 'ticksPerClock'
    | 'readLatency'
    | 'writeLatency'
    | 'dualBus'
    | 'halfCycle'
    | 'activationDeadline'
    | 'dataClock'
  > {
  /** Interval of `REFab`, in ticks. */
  readonly allBank: number;
  /** Of `REFpb`. */
  readonly perBank: { readonly interval: number; readonly lockstep: boolean; readonly setGap: number } | null;
  /** `RDA column 1 bank: reads, closes`: bus, ticks, level and effects. */
  readonly commands: readonly string[];
  /** `rank ACT -> ACT >= 26 window 4`, in ticks. */
  readonly constraints: readonly string[];
  readonly timings: { readonly [name: string]: number };
}

/** A recorded run: requests of a reference trace under a policy, and what came of it. */
export interface RecordedRun {
  readonly name: string;
  readonly configuration: string;
  readonly trace: TraceName;
  readonly requests: number;
  readonly gap: number;
  /** Null for any number. */
  readonly outstanding: number | null;
  readonly scheduler: Scheduler;
  readonly page: string;
  readonly refresh: Refresh;
  /** Blocks between rows of one bank. */
  readonly rowStride: number;
  readonly mapping: string;
  readonly ticks: number;
  readonly latencySum: number;
  readonly hits: number;
  readonly misses: number;
  readonly conflicts: number;
  /** How many of each command; without those never sent. */
  readonly commands: { readonly [name: string]: number };
  /** Of the recorded commands; see `digest`. Absent where only totals were recorded. */
  readonly sha256?: string;
}

/** A command as the tool recorded it. `row` and `column` are -1 where the command has none. */
export interface RecordedCommand {
  readonly tick: number;
  readonly command: number;
  readonly path: readonly number[];
  readonly row: number;
  readonly column: number;
}

const folder = new URL('../fixtures/dram/', import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const { configurations }: { configurations: { readonly [name: string]: Configuration } } = read('configurations.json');

export const recordedRuns: readonly RecordedRun[] = read('runs.json').runs;
export const deviceNames: readonly string[] = Object.keys(configurations);

/** `DDR4/DDR4_8Gb_x8/DDR4_2400R`; one of `deviceNames`. */
export function fixtureDevice(name: string): DramDevice {
  const { allBank, perBank, commands: lines, constraints, timings, ...same } = configurations[name];
  const [, organisation, speed] = name.split('/');
  const commands = lines.map((line) => parseCommand(line, same.levels));
  const called = (wanted: string) => commands.findIndex((command) => command.name === wanted);
  return {
    ...same,
    name,
    organisation,
    speed,
    commands,
    constraints: constraints.map((line) => parseConstraint(line, same.levels, commands)),
    refresh: {
      allBank: { command: called('REFab'), interval: allBank },
      perBank: perBank === null ? null : { command: called('REFpb'), ...perBank },
    },
    timings: new Map(Object.entries(timings)),
    currents: null,
  };
}

function parseCommand(line: string, levels: readonly string[]): DramCommand {
  const [head, does = ''] = line.split(': ');
  const [name, bus, ticks, level] = head.split(' ');
  const effects = does.split(', ');
  const either = <T extends string>(texts: readonly string[], values: readonly T[]) =>
    values[texts.findIndex((text) => effects.includes(text))] ?? 'none';
  return {
    name,
    bus: bus === 'row' ? 'row' : 'column',
    ticks: Number(ticks),
    level: levels.indexOf(level),
    banks: either(['activates', 'opens', 'closes'], ['activates', 'opens', 'closes']),
    access: either(['reads', 'writes'], ['read', 'write']),
    refreshes: effects.includes('refreshes'),
    syncs: either(['syncs read', 'syncs write', 'syncs any'], ['read', 'write', 'any']),
  };
}

function parseConstraint(text: string, levels: readonly string[], commands: readonly DramCommand[]): DramConstraint {
  const [level, after, before, latency, window = '1', sibling] =
    /^(\w+) (.+) -> (.+) >= (-?\d+)(?: window (\d+))?( sibling)?$/.exec(text)?.slice(1) ?? [];
  const named = (names: string) => names.split(' ').map((name) => commands.findIndex((c) => c.name === name));
  return {
    level: levels.indexOf(level),
    after: named(after),
    before: named(before),
    latency: Number(latency),
    window: Number(window),
    sibling: sibling !== undefined,
    text,
  };
}

export function policyOf({ scheduler, page, refresh }: RecordedRun): ControllerPolicy {
  const [kind, cap] = page.split(' ');
  const pagePolicy: PagePolicy = kind === 'capped' ? { kind, cap: Number(cap) } : { kind: 'open' };
  return { ...defaultPolicy, scheduler, page: pagePolicy, refresh };
}

export function mappingOf({ mapping }: RecordedRun): AddressMapping {
  return mapping.split(' ').map((field) => {
    const [name, bits] = field.split(':');
    return [name, Number(bits)];
  });
}

/** The commands of a run whose trace is among the fixtures. */
export function recordedCommands(device: DramDevice, run: string): RecordedCommand[] {
  const text = gunzipSync(readFileSync(new URL(`commands/${run}.csv.gz`, folder))).toString();
  const [, ...lines] = text.trim().split('\n');
  return lines.map((line) => {
    const [tick, name, ...address] = line.split(',');
    const command = device.commands.findIndex((candidate) => candidate.name === name);
    const { level, banks, access } = device.commands[command];
    const [row, column] = address.slice(device.levels.length).map(Number);
    const accesses = access !== 'none';
    return {
      tick: Number(tick),
      command,
      path: address.slice(0, level + 1).map(Number),
      row: accesses || banks === 'opens' || banks === 'activates' ? row : -1,
      column: accesses ? column : -1,
    };
  });
}

/** SHA-256 of commands, a line `tick name path row column` for each. */
export function digest(device: DramDevice, commands: readonly RecordedCommand[]): string {
  const lines = commands.map(
    ({ tick, command, path, row, column }) => `${tick} ${device.commands[command].name} ${path} ${row} ${column}\n`,
  );
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** Whether the commands of a run are among the fixtures. */
export function recordsOf({ name }: RecordedRun): boolean {
  return existsSync(new URL(`commands/${name}.csv.gz`, folder));
}
