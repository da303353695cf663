/** The loop nest that a mapping's `partition` and `loops` describe. */
import type { RankPart, SectionMapping } from '../../workloads/language/mapping.ts';
import { BindError } from './dependencies.ts';
import { type LoopSpec, Nest, passLoop } from './nest.ts';

/**
 * Nests to try in turn, largest tiles in flight first: a part without a size, such as the P1 of [P2, P1, P0 256], is as
 * large as fits, and divides what is there.
 * The names are those of a mapping that was checked. @throws BindError on sizes that do not divide.
 */
export function* nestOf(
  section: SectionMapping,
  variables: readonly string[],
  extents: ReadonlyMap<string, number>,
): Generator<Nest> {
  const ownExtents = new Map(variables.map((v) => [v, extents.get(v)!]));
  if (!section.passes.isEmpty()) ownExtents.set(passLoop, section.passes.size);
  const tiles = new Map<string, number>();
  const choices: LoopSpec[][][] = [];
  for (const [rank, parts] of section.partition) {
    const variable = rank.toLowerCase();
    const tile = parts.last()!.size!;
    tiles.set(variable, tile);
    choices.push(tripCounts(variable, parts.toArray(), Math.ceil(ownExtents.get(variable)! / tile)));
  }
  for (const combination of product(choices)) {
    const partLoops = new Map(combination.flat().map((loop) => [loop.name, loop]));
    const loops = (section.loops?.toArray() ?? [...partLoops.keys()]).map((name): LoopSpec => {
      return partLoops.get(name) ?? { name, variable: name, trips: ownExtents.get(name)! };
    });
    const whole = new Map(tiles);
    for (const loop of loops) if (!partLoops.has(loop.name)) whole.set(loop.variable, 1);
    yield new Nest(ownExtents, whole, loops);
  }
}

/** Loops of one rank's outer parts for every way to fill in the sizes left open, largest inner parts first. */
function tripCounts(variable: string, parts: readonly RankPart[], total: number): LoopSpec[][] {
  const outer = parts.slice(0, -1);
  const fill = (index: number, left: number): number[][] => {
    if (index < 0) return left === 1 ? [[]] : [];
    const { size, name } = outer[index]!;
    const most = size === null ? null : Math.min(size, left);
    const options = index === 0 ? [left] : most === null ? divisors(left) : [most];
    if (most !== null && (index === 0 ? size !== left : left % most !== 0)) {
      throw new BindError(`${name} ${size} does not divide ${variable.toUpperCase()}'s ${left} tiles`, 'partition');
    }
    return options.flatMap((option) => fill(index - 1, left / option).map((counts) => [...counts, option]));
  };
  return fill(outer.length - 1, total).map((counts) =>
    counts.map((trips, i) => ({ name: outer[i]!.name.toLowerCase(), variable, trips })),
  );
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => n - i).filter((d) => n % d === 0);
}

function* product<T>(lists: readonly T[][]): Generator<T[]> {
  if (lists.length === 0) {
    yield [];
    return;
  }
  for (const first of lists[0]!) for (const rest of product(lists.slice(1))) yield [first, ...rest];
}
