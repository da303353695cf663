/** Several results side by side: what they have in common, and what tells them apart. */
import type { Result } from '../../models/result.ts';
import { count } from '../format.ts';

/** A result and the file that it comes from. */
export interface Saved {
  readonly file: string;
  readonly result: Result;
}

export interface Compared {
  /** What tells it from the others. */
  readonly name: string;
  readonly result: Result;
}

export interface Comparison {
  /** What all have in common, a phrase each: `gemm`, `M 4,096`, `on fusemax`. */
  readonly common: readonly string[];
  /** In the order given; figures are against those of the first. */
  readonly all: readonly [Compared, ...Compared[]];
}

/** What a result is of, by aspect; aspects that it lacks are not there. */
function aspects({ workload, arch, mapping }: Result): Map<string, string> {
  return new Map([
    ['workload', workload.name],
    ...Object.entries(workload.ranks).map(([rank, size]): [string, string] => [
      `rank ${rank}`,
      `${rank} ${count(size)}`,
    ]),
    ['machine', `on ${arch.name}`],
    ...arch.overrides.map((override): [string, string] => [`set ${override.split('=')[0]}`, override]),
    ...(mapping.name === '' ? [] : [['mapping', `mapped as ${mapping.name}`] as [string, string]]),
  ]);
}

/** Results that nothing else tells apart have the names of their files. */
export function compare(saved: readonly [Saved, ...Saved[]]): Comparison {
  const found = saved.map(({ result }) => aspects(result));
  const keys = [...new Set(found.flatMap((own) => [...own.keys()]))];
  const isCommon = (key: string): boolean => found.every((own) => own.get(key) === found[0]?.get(key));
  // Ranks of other workloads tell nothing.
  const isOfAll = (key: string): boolean => !key.startsWith('rank ') || found.every((own) => own.has(key));
  const differing = keys.filter((key) => !isCommon(key) && isOfAll(key));
  const names = found.map((own) => differing.flatMap((key) => own.get(key) ?? []).join(', '));
  const nameOf = (index: number): string => {
    const name = names[index] ?? '';
    const isAlone = name !== '' && names.filter((other) => other === name).length === 1;
    const file = saved[index]?.file ?? '';
    return isAlone ? name.replace(/^(on|mapped as) /, '') : name === '' ? file : `${name} (${file})`;
  };
  const [first, ...others] = saved.map(({ result }, index): Compared => ({ name: nameOf(index), result }));
  return {
    common: keys.filter(isCommon).flatMap((key) => found[0]?.get(key) ?? []),
    all: [first as Compared, ...others],
  };
}

/** How many times as fast as the first; 1 for that. */
export const timesAsFast = (result: Result, first: Result): number => first.seconds / result.seconds;

/** How many times the energy of the first; NaN where that has none. */
export const energyRatio = (result: Result, first: Result): number =>
  first.energy.total > 0 && result.energy.total > 0 ? result.energy.total / first.energy.total : Number.NaN;

/** `vector (99.8 % busy)` without its percentage: the part, or that it is dependencies. */
export const boundBy = ({ bottleneck }: Result): string =>
  bottleneck.kind === 'dependencies' ? 'dependencies' : bottleneck.part;
