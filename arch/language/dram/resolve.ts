/** A standard's tables in numbers, for one organisation at one speed. */
import type { OrderedMap } from 'immutable';
import { InputError, suggest } from '../diagnostics.ts';
import type {
  DramBuffer,
  DramCommand,
  DramConstraint,
  DramCurrents,
  DramDevice,
  DramModes,
  DramPimEffect,
  DramUnits,
} from './device.ts';
import { energiesOf } from './energies.ts';
import { multiplications, type PimEffect, type Units } from './pim.ts';
import { type CommandRow, type ConstraintRow, currentsKey, type DramStandard, type Organisation } from './standard.ts';
import { TimingProblem, Timings } from './timings.ts';

export interface DeviceChoice {
  readonly organisation?: string | undefined;
  readonly speed?: string | undefined;
  readonly ranks?: number | undefined;
}

/**
 * The device of an organisation (the file's first one by default), a speed (the first one) and a number of ranks (the
 * organisation's). Latencies are corrected for commands of several ticks: from the first tick of one to the first of the
 * other there are as many more as the first is longer than the second.
 * @throws InputError on names that the standard does not have.
 */
export function deviceOf(standard: DramStandard, choice: DeviceChoice = {}): DramDevice {
  const chosen = named(standard, 'organisation', standard.organisations, choice.organisation);
  const speed = named(standard, 'speed', standard.speeds, choice.speed);
  const organisation = choice.ranks === undefined ? chosen : withRanks(standard, chosen, choice.ranks);
  const timings = new Timings(standard.timings, organisation, speed);
  const ticks = (latency: string): number => Math.ceil(timings.cycles(latency) * standard.ticks);
  const commands = standard.commands.map((row) => commandOf(standard, row, timings)).toArray();
  const width = organisation.width ?? standard.width;
  const { readLatency, writeLatency, resultLatency, activationDeadline, dataClock } = standard;
  const counts = [1, ...organisation.counts.values()];
  const bursts = organisation.columns / standard.prefetch;
  const burstBytes = standard.payload ?? (standard.prefetch * width) / 8;
  return {
    name: [standard.name, organisation.name, speed.name].join('/'),
    standard: standard.name,
    organisation: organisation.name,
    speed: speed.name,
    levels: standard.levels.toArray(),
    counts,
    rows: organisation.rows,
    bursts,
    width,
    dq: organisation.dq,
    burstBytes,
    clockPs: speed.clockPs,
    ticksPerClock: standard.ticks,
    commands,
    constraints: [
      ...busConstraints(commands, standard),
      ...standard.constraints.flatMap((row) =>
        constraintsOf(row, latenciesOf(row, standard, timings), commands, standard),
      ),
    ],
    readLatency: ticks(readLatency),
    writeLatency: ticks(writeLatency),
    ...(resultLatency !== null && { resultLatency: resultLatencies(resultLatency, standard, timings) }),
    dualBus: standard.buses === 2,
    halfCycle: standard.ticks === 2,
    activationDeadline: activationDeadline === null ? 0 : ticks(activationDeadline),
    dataClock: dataClock && {
      read: ticks(dataClock.reads),
      write: ticks(dataClock.writes),
      guard: dataClock.guard * standard.ticks,
    },
    refresh: refreshOf(standard, ticks),
    timings: timingTicks(timings, standard.ticks),
    currents: currentsOf(standard, organisation.name, speed.rate),
    ...(standard.energies.size > 0 && { energies: energiesOf(standard, { commands, counts, bursts, burstBytes }) }),
    ...(standard.background && { background: standard.background.toObject() }),
    ...(standard.units && { units: unitsOf(standard.units), buffers: buffersOf(standard) }),
    ...(standard.rowBuffers.size > 0 && { rowBuffers: standard.rowBuffers.toArray() }),
    ...(standard.modes.size > 0 && { modes: modesOf(standard) }),
  };
}

function unitsOf({ type, sums, adds, lanes, vectors }: Units): DramUnits {
  return { type, sums, adds, vectors, ...(lanes !== null && { lanes }) };
}

function resultLatencies(text: string, { commands, ticks }: DramStandard, timings: Timings): number[] {
  const most = Math.max(...commands.map((command) => command.most));
  return Array.from({ length: most }, (_, i) =>
    Math.ceil(timings.cycles(text, new Map([[multiplications, i + 1]])) * ticks),
  );
}

/** Ticks of a constraint by the columns that the earlier command multiplies, which counts from 1. */
function latenciesOf(row: ConstraintRow, { commands, ticks }: DramStandard, timings: Timings): number[] {
  const most = Math.min(...row.after.map((name) => commands.find((command) => command.name === name)?.most ?? 1));
  return Array.from({ length: most }, (_, i) =>
    Math.ceil(timings.cycles(row.latency, new Map([[multiplications, i + 1]])) * ticks),
  );
}

function buffersOf({ buffers, levels }: DramStandard): DramBuffer[] {
  return [...buffers].map(([name, { of, capacity, column }]) => ({
    name,
    level: levels.indexOf(of),
    entries: capacity,
    ...(column !== null && { column }),
  }));
}

function modesOf({ modes, modeChanges, commands }: DramStandard): DramModes {
  const names = [...new Set(modes.map(({ mode }) => mode))];
  const indexOf = (name: string): number => commands.findIndex((command) => command.name === name);
  const listed = new Set(modes.flatMap((row) => row.commands));
  const goes = names.map((mode) =>
    commands.toArray().map(({ name }) => {
      const rows = modes.filter((row) => row.mode === mode && row.commands.includes(name));
      if (rows.isEmpty()) return !listed.has(name);
      return rows.some(({ banks }) => banks.isEmpty()) || rows.flatMap(({ banks }) => banks).toArray();
    }),
  );
  const changes = modeChanges.toArray().map(({ from, to, commands: named, row, banks }) => ({
    from: names.indexOf(from),
    to: names.indexOf(to),
    commands: named.map(indexOf).toArray(),
    row: row ?? -1,
    banks: banks.toArray(),
  }));
  return { names, goes, changes };
}

function named<T>(standard: DramStandard, what: string, entries: OrderedMap<string, T>, name: string | undefined): T {
  const found = name === undefined ? entries.first() : entries.get(name);
  if (found !== undefined) return found;
  const message = `${standard.name} has no ${what} "${name}"`;
  throw new InputError({ message, hint: suggest(name ?? '', entries.keys()) });
}

/** @throws InputError when the standard's chips are not in ranks. */
function withRanks(standard: DramStandard, organisation: Organisation, ranks: number): Organisation {
  if (organisation.counts.has('rank')) return organisation.setIn(['counts', 'rank'], ranks);
  throw new InputError({ message: `${standard.name} has no ranks`, hint: `it has ${standard.levels.join(', ')}` });
}

function commandOf(standard: DramStandard, row: CommandRow, timings: Timings): DramCommand {
  const { name, bus, banks, access, syncs, each, together, pim, second, most, rowBuffer, prepares, takes } = row;
  const estimate = standard.estimates.get(name);
  const level = standard.levels.indexOf(row.level);
  const refreshes = row.refreshes || row.manages;
  const ticks = row.cycles * standard.ticks;
  return {
    name,
    bus,
    ticks,
    level,
    banks,
    access,
    refreshes,
    syncs,
    ...(each.size > 0 && { each: each.map((above) => standard.levels.indexOf(above)).toArray() }),
    ...(together && { together }),
    ...(pim && { pim: effectOf(standard, pim) }),
    ...(second && { second: effectOf(standard, second) }),
    ...(most > 1 && { most }),
    ...(rowBuffer !== '' && { rowBuffer: standard.rowBuffers.indexOf(rowBuffer) + 1 }),
    ...(prepares && { prepares }),
    ...(estimate !== undefined && { estimate: timings.resolved(estimate, standard.ticks) }),
    ...(takes !== null && { takes: Math.ceil(timings.cycles(takes) * standard.ticks) }),
  };
}

function effectOf({ levels }: DramStandard, { kind, from, to, unit, whole }: PimEffect): DramPimEffect {
  return { kind, from, to, unit: levels.indexOf(unit), ...(whole && { whole }) };
}

/** While a command of several ticks is on its bus, no other one can start there. */
function busConstraints(commands: readonly DramCommand[], standard: DramStandard): DramConstraint[] {
  const buses = standard.buses === 2 ? (['row', 'column'] as const) : [null];
  return buses.flatMap((bus) => {
    const own = indicesOf(commands, (command) => bus === null || command.bus !== other(bus));
    const lengths = new Set(own.map((index) => commands[index].ticks).filter((ticks) => ticks > 1));
    return [...lengths].map((latency) => {
      const after = own.filter((index) => commands[index].ticks === latency);
      // What takes both buses keeps off this one in the cycle of another command: a matter of choice, not of time.
      const before = own.filter(
        (index) => commands[index].bus !== 'both' || bus !== 'column' || latency > standard.ticks,
      );
      const names = (indices: readonly number[]): string => indices.map((index) => commands[index].name).join(' ');
      const text = `${standard.levels.first()} ${names(after)} -> ${names(before)} ${latency} ticks of the bus`;
      return { level: 0, after, before, latency, window: 1, sibling: false, text };
    });
  });
}

function other(bus: 'row' | 'column'): 'row' | 'column' {
  return bus === 'row' ? 'column' : 'row';
}

function indicesOf(commands: readonly DramCommand[], which: (command: DramCommand) => boolean): number[] {
  return commands.flatMap((command, index) => (which(command) ? [index] : []));
}

/** A row as constraints, one for each pair of lengths of its commands. */
function constraintsOf(
  row: ConstraintRow,
  latencies: readonly number[],
  commands: readonly DramCommand[],
  standard: DramStandard,
): DramConstraint[] {
  const { window, sibling, text } = row;
  const level = standard.levels.indexOf(row.level);
  const at = [...row.at].map(([name, index]) => ({
    level: standard.levels.indexOf(name),
    index: typeof index === 'number' ? index : 0,
    like: typeof index === 'string' ? standard.levels.indexOf(index) : -1,
  }));
  const rest = { window, sibling, ...(at.length > 0 && { at }), text };
  return byLength(row.after, commands).flatMap(([long, after]) =>
    byLength(row.before, commands).map(([short, before]) => {
      const longer = latencies.map((latency) => latency + long - short);
      const varies = longer.some((latency) => latency !== longer[0]);
      return {
        level,
        after,
        before,
        latency: Math.max(...longer),
        ...(varies && { byMultiplications: longer }),
        ...rest,
      };
    }),
  );
}

/** Indices of commands by their ticks. */
function byLength(names: Iterable<string>, commands: readonly DramCommand[]): [number, number[]][] {
  const lengths = new Map<number, number[]>();
  for (const name of names) {
    const index = commands.findIndex((command) => command.name === name);
    const { ticks } = commands[index];
    lengths.set(ticks, [...(lengths.get(ticks) ?? []), index]);
  }
  return [...lengths];
}

/** Index of the command that refreshes one bank, or the level that is refreshed as a whole; -1 when there is none. */
export function refreshCommand(commands: Iterable<CommandRow>, scope: 'bank' | 'all'): number {
  return [...commands].findIndex(({ refreshes, level }) => refreshes && (level === 'bank') === (scope === 'bank'));
}

function refreshOf(standard: DramStandard, ticks: (latency: string) => number): DramDevice['refresh'] {
  const { allBank, staggered, perBank, lockstep, gap } = standard.refresh;
  const all = { command: refreshCommand(standard.commands, 'all'), ...(staggered && { staggered }) };
  return {
    allBank: allBank === null ? null : { ...all, interval: ticks(allBank) },
    perBank:
      perBank === null
        ? null
        : {
            command: refreshCommand(standard.commands, 'bank'),
            interval: ticks(perBank),
            lockstep: lockstep !== null,
            setGap: ticks(gap),
          },
  };
}

/** All parameters that have a value here; what needs one that has none was found when the file was loaded. */
function timingTicks(timings: Timings, ticksPerClock: number): Map<string, number> {
  const values = new Map<string, number>();
  for (const name of timings.names) {
    try {
      values.set(name, timings.valueOf(name) * ticksPerClock);
    } catch (error) {
      if (!(error instanceof TimingProblem)) throw error;
    }
  }
  return values.set('tCK_ps', timings.clockPs);
}

function currentsOf(standard: DramStandard, organisation: string, rate: number): DramCurrents | null {
  const found = standard.currents.get(currentsKey(organisation, rate));
  if (!found) return null;
  const { VDD, IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB, ...others } = found.toObject();
  const known = Object.entries(others).filter(([, value]) => value !== null);
  return { VDD, IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB, ...Object.fromEntries(known) };
}
