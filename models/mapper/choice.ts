/** One way to lay a section: everything that the mapping language says of it, in the form that a search changes. */
import { Map as ImmutableMap, List, OrderedMap } from 'immutable';
import { Placement, RankPart, SectionMapping } from '../../workloads/language/mapping.ts';
import { accessesOf, type Einsum } from '../../workloads/language/workload.ts';

/** Rank variables over the rows and the columns of an array; none of both: the binder's. */
export interface Sides {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

export interface Choice {
  /** Path of the engine by position of the einsum. */
  readonly engines: readonly string[];
  /** By path of an array. */
  readonly sides: ReadonlyMap<string, Sides>;
  /** Extent of a tile by rank variable. */
  readonly tiles: ReadonlyMap<string, number>;
  /** Trips of a variable's inner loop, where its tiles are cut into two loops; they divide the number of its tiles. */
  readonly inner: ReadonlyMap<string, number>;
  /** Places of loops, outer to inner: `p` is the outer loop over the tiles of p, `p'` the inner one. Both of each variable. */
  readonly order: readonly string[];
  readonly hold: ReadonlySet<string>;
  readonly keep: ReadonlySet<string>;
  /** Tiles in flight, where they are not two. */
  readonly stream: ReadonlyMap<string, number>;
  readonly interleave: number | null;
  /** Rank variable that the cores of a group split, by group. */
  readonly cores: ReadonlyMap<string, string>;
}

export type Extents = ReadonlyMap<string, number>;

/** Tiles of a variable. */
export function tilesOf(choice: Choice, extents: Extents, variable: string): number {
  return Math.ceil(extents.get(variable)! / choice.tiles.get(variable)!);
}

/** A loop of a choice; `token` is its place in the order. */
export interface ChosenLoop {
  readonly token: string;
  readonly variable: string;
  readonly trips: number;
}

/** The loops that there are, outer to inner. */
export function loopsOf(choice: Choice, extents: Extents): ChosenLoop[] {
  return choice.order.flatMap((token) => {
    const isInner = token.endsWith("'");
    const variable = isInner ? token.slice(0, -1) : token;
    const inside = choice.inner.get(variable) ?? 1;
    const trips = isInner ? inside : tilesOf(choice, extents, variable) / inside;
    return trips > 1 ? [{ token, variable, trips }] : [];
  });
}

/** Tells choices apart that lay a section differently. */
export function keyOf(choice: Choice, extents: Extents): string {
  const sides = [...choice.sides].map(([path, { rows, columns }]) => `${path} ${rows}/${columns}`);
  const loops = loopsOf(choice, extents).map(({ token, trips }) => `${token}${trips}`);
  const tiles = [...choice.tiles].map(([variable, tile]) => `${variable}${tile}`);
  const sets = [choice.hold, choice.keep].map((set) => [...set].sort().join(' '));
  const streams = [...choice.stream].map(([tensor, n]) => `${tensor}${n}`).sort();
  return [choice.engines, sides.sort(), loops, tiles, ...sets, streams, choice.interleave, ...choice.cores].join(';');
}

/** Tensors made by one of the einsums that another one reads on the same engine: registers may keep them. */
export function keepable(einsums: readonly Einsum[], engines: readonly string[]): Set<string> {
  const maker = new Map(einsums.map((einsum, i) => [einsum.output.tensor, i]));
  return new Set(
    einsums.flatMap((einsum, reader) =>
      accessesOf(einsum.expression)
        .map(({ tensor }) => tensor)
        .filter((tensor) => maker.has(tensor) && maker.get(tensor) !== reader)
        .filter((tensor) => engines[maker.get(tensor)!] === engines[reader]),
    ),
  );
}

/** Tensors that none of the einsums makes. */
export function loadedBy(einsums: readonly Einsum[]): Set<string> {
  const made = new Set(einsums.map(({ output }) => output.tensor));
  return new Set(
    einsums.flatMap(({ expression }) =>
      accessesOf(expression)
        .map(({ tensor }) => tensor)
        .filter((tensor) => !made.has(tensor)),
    ),
  );
}

/** The section of a mapping that says a choice. `ranks` are the workload's, whose names parts of ranks must not take. */
export function sectionOf(
  choice: Choice,
  einsums: readonly Einsum[],
  extents: Extents,
  ranks: Iterable<string>,
): SectionMapping {
  const taken = new Set(ranks);
  const loops = loopsOf(choice, extents);
  const parts = new Map<string, RankPart[]>();
  const names = new Map<string, string>();
  for (const [variable, tile] of choice.tiles) {
    const own = loops.filter((loop) => loop.variable === variable);
    if (own.length === 0) continue;
    const [first] = own;
    if (own.length === 1 && tile === 1) {
      names.set(first!.token, variable);
      continue;
    }
    const rank = variable.toUpperCase();
    const name = nameParts(rank, own.length, taken);
    own.forEach(({ token }, i) => {
      names.set(token, name(own.length - i).toLowerCase());
    });
    parts.set(rank, [
      ...own.map(({ trips }, i) => new RankPart({ name: name(own.length - i), size: i === 0 ? null : trips })),
      new RankPart({ name: name(0), size: tile }),
    ]);
  }
  const nameOf = (variable: string): string =>
    parts.get(variable.toUpperCase())?.at(-1)?.name.toLowerCase() ?? variable;
  return new SectionMapping({
    einsums: List(einsums.map(({ name }) => name)),
    partition: ImmutableMap([...parts].map(([rank, split]) => [rank, List(split)])),
    loops: List(loops.map(({ token }) => names.get(token)!)),
    place: placements(choice, einsums, nameOf),
    hold: choice.hold.size > 0 ? OrderedMap([['', List(choice.hold)]]) : OrderedMap(),
    stream: ImmutableMap(choice.stream),
    interleave: choice.interleave,
    cores: ImmutableMap(choice.cores),
  });
}

/** Names of the parts of a rank, `P2`, `P1`, `P0`, or `M_1`, `M_0` where the workload has ranks of such names. */
function nameParts(rank: string, loops: number, taken: ReadonlySet<string>): (part: number) => string {
  const plain = Array.from({ length: loops + 1 }, (_, part) => `${rank}${part}`);
  const infix = plain.some((name) => taken.has(name)) ? '_' : '';
  return (part) => `${rank}${infix}${part}`;
}

function placements(
  { engines, sides, keep }: Choice,
  einsums: readonly Einsum[],
  nameOf: (variable: string) => string,
): OrderedMap<string, Placement> {
  const mayKeep = keepable(einsums, engines);
  return OrderedMap(
    [...new Set(engines)].map((path) => {
      const mine = einsums.filter((_, i) => engines[i] === path);
      const made = mine.map(({ output }) => output.tensor);
      return [
        path,
        new Placement({
          einsums: List(mine.map(({ name }) => name)),
          rows: List(sides.get(path)?.rows ?? []).map(nameOf),
          columns: List(sides.get(path)?.columns ?? []).map(nameOf),
          keep: List(made.filter((tensor) => keep.has(tensor) && mayKeep.has(tensor))),
        }),
      ];
    }),
  );
}
