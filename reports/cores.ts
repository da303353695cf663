/** Machines with cores: `core[0].array` and `core[3].array` are of one kind, `core.array`, and share a line of a report. */
import type { EngineResult } from '../models/result.ts';
import { fraction } from './format.ts';

/** The part's name without the numbers of its cores: `core.array` of `core[3].array`. */
export const kindOf = (name: string): string => name.replaceAll(/\[\d+\]/g, '');

/** What one line tells of: a part by itself, or the parts of one kind. */
export interface Alike<T> {
  /** A lone part keeps its own name. */
  name: string;
  /** `4 cores`; empty for a lone part. */
  cores: string;
  /** At least one. */
  members: readonly T[];
}

export const alone = <T>(name: string, member: T): Alike<T> => ({ name, cores: '', members: [member] });

/**
 * Items of several cores put together where their `keys` agree, which may be part of their parts' kinds. What no core owns
 * stays alone. In the order of their first members.
 */
export function alike<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  keys: (item: T) => readonly (string | number)[] = () => [],
): Alike<T>[] {
  const groups = new Map<string, T[]>();
  for (const [index, item] of items.entries()) {
    const name = nameOf(item);
    const kind = kindOf(name);
    const key = kind === name ? String(index) : JSON.stringify([kind, ...keys(item)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()].map((members): Alike<T> => {
    const name = nameOf(members[0]!);
    const owners = new Set(members.map(nameOf)).size;
    return owners > 1 ? { name: kindOf(name), cores: `${owners} cores`, members } : { name, cores: '', members };
  });
}

export const mean = (values: readonly number[]): number =>
  fraction(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );

const unitOf = (text: string): string => /[^\d.,]*$/.exec(text)![0];

/** `69.9 to 70.3`, without the unit where the mean is written in the same one; undefined where all are written alike. */
export function range(values: readonly number[], write: (value: number) => string): string | undefined {
  const [least, most] = [write(Math.min(...values)), write(Math.max(...values))];
  if (least === most) return undefined;
  const unit = unitOf(write(mean(values)));
  if (unitOf(least) !== unit || unitOf(most) !== unit) return `${least} to ${most}`;
  const bare = (text: string) => text.slice(0, text.length - unit.length);
  return `${bare(least)} to ${bare(most)}`;
}

type Wait = EngineResult['waits'][number];

/** Waits of several engines as those of one: for the same tensor of the same kind of part, cycles over all engines. */
function meanWaits(engines: readonly EngineResult[]): Wait[] {
  const waits = new Map<string, Wait>();
  for (const { reason, tensor, part, cycles } of engines.flatMap((engine) => engine.waits)) {
    const key = JSON.stringify([reason, tensor, kindOf(part)]);
    const before = waits.get(key)?.cycles ?? 0;
    waits.set(key, { reason, tensor, part: kindOf(part), cycles: before + cycles / engines.length });
  }
  return [...waits.values()].toSorted((a, b) => b.cycles - a.cycles);
}

/** What the engines of one kind do on average: an engine as any of them. A lone engine is itself. */
export function meanEngine({ name, members }: Alike<EngineResult>): EngineResult {
  const first = members[0]!;
  if (members.length === 1) return first;
  const of = (figure: (engine: EngineResult) => number) => mean(members.map(figure));
  return {
    name,
    kind: first.kind,
    clock: first.clock,
    cycles: of((engine) => engine.cycles),
    busy: of((engine) => engine.busy),
    waitInput: of((engine) => engine.waitInput),
    waitOutput: of((engine) => engine.waitOutput),
    waitMemory: of((engine) => engine.waitMemory),
    idle: of((engine) => engine.idle),
    utilization: of((engine) => engine.utilization),
    ops: of((engine) => engine.ops),
    peakOps: of((engine) => engine.peakOps),
    waits: meanWaits(members),
  };
}

/** The mean of several quantities over time, bin by bin. */
export function meanOverTime(series: readonly (readonly number[])[]): number[] {
  if (series.length === 1) return [...series[0]!];
  const bins = Math.max(...series.map((values) => values.length));
  return [...Array(bins).keys()].map((bin) => mean(series.map((values) => values[bin] ?? 0)));
}
