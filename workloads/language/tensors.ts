/** Dimensions of tensors, and which indices of an access stand for which dimension. */
import { Map as ImmutableMap, type List } from 'immutable';
import type { Diagnostic, Place } from '../../arch/language/diagnostics.ts';
import type { Extents } from './ranks.ts';
import { type AccessSyntax, accessText, type IndexSyntax, indexText } from './syntax.ts';
import { Index } from './workload.ts';

/** One dimension as it is declared or produced. */
export interface Dimension {
  /** NaN after a mistake. */
  readonly extent: number;
  /** How it is written: `m`, `m1+1`, `2*p+r`. */
  readonly index: IndexSyntax;
  /** Variable of the iterative rank whose iterates it holds. */
  readonly iterative: string | null;
}

/** A tensor where it is declared or produced. */
export interface Shaped {
  readonly name: string;
  readonly dimensions: readonly Dimension[];
  readonly at: Place;
  /** As written: `QK[b,h,m,p]`. */
  readonly text: string;
}

export const rankOf = (variable: string): string => variable.toUpperCase();

/** Extent of a rank variable; NaN when it has none. */
export function extentOf(variable: string, { ranks }: Extents): number {
  return ranks.get(rankOf(variable)) ?? Number.NaN;
}

/** Least and greatest value of an affine index. */
export function rangeOf(
  index: { readonly terms: Iterable<readonly [string, number]>; readonly constant: number },
  extents: Extents,
) {
  let least = index.constant;
  let greatest = index.constant;
  for (const [variable, factor] of index.terms) {
    const span = factor * (extentOf(variable, extents) - 1);
    if (factor < 0) least += span;
    else greatest += span;
  }
  return { least, greatest };
}

/** The variable of an index that is nothing but one: `m` of `m`. */
export function plainVariable(index: IndexSyntax): string | null {
  const [first, ...more] = index.terms;
  return first && more.length === 0 && first[1] === 1 && index.constant === 0 ? first[0] : null;
}

export function shapeOf(access: AccessSyntax, iterative: string | null, extents: Extents): Shaped {
  const dimensions = access.indices.map((index): Dimension => {
    const { greatest } = rangeOf(index, extents);
    const iterates = iterative !== null && index.terms.has(iterative);
    return { extent: greatest + 1, index, iterative: iterates ? iterative : null };
  });
  return { name: access.tensor, dimensions, at: access.whole, text: accessText(access) };
}

/**
 * The indices of an access by dimension: `K[b,m1,m0]` of a `K[b,m]` is [[b], [m1, m0]] when M is split into M1 and M0.
 * Null when the numbers of indices and dimensions do not match.
 */
export function align(
  indices: readonly IndexSyntax[],
  tensor: Shaped,
  split: Extents['split'],
): IndexSyntax[][] | null {
  const groups: IndexSyntax[][] = [];
  let next = 0;
  let excess = indices.length - tensor.dimensions.length;
  for (const { index } of tensor.dimensions) {
    const parts = excess > 0 ? partsAt(indices, next, split) : undefined;
    const own = plainVariable(index);
    const merged = parts !== undefined && parts.size - 1 <= excess && !(own !== null && parts.includes(rankOf(own)));
    const size = merged ? parts.size : 1;
    excess -= size - 1;
    groups.push(indices.slice(next, next + size));
    next += size;
  }
  return next === indices.length && groups.every((group) => group.length > 0) ? groups : null;
}

/** Parts of the split rank all of whose parts stand at a position, outer to inner. */
function partsAt(indices: readonly IndexSyntax[], position: number, split: Extents['split']): List<string> | undefined {
  return split.find((parts) =>
    parts.every((part, i) => {
      const index = indices[position + i];
      return index !== undefined && plainVariable(index) === part.toLowerCase();
    }),
  );
}

/** Whether a dimension declared on a split rank is read by the parts of that same rank. */
export function readsParts(group: readonly IndexSyntax[], dimension: Dimension, split: Extents['split']): boolean {
  const variable = plainVariable(dimension.index);
  const parts = variable === null ? undefined : split.get(rankOf(variable));
  return (
    parts !== undefined &&
    group.length === parts.size &&
    parts.every((part, i) => plainVariable(group[i]!) === part.toLowerCase())
  );
}

/** A dimension declared on a split rank as one dimension for each part of it. */
export function partDimensions(dimension: Dimension, extents: Extents): Dimension[] {
  const parts = extents.split.get(rankOf(plainVariable(dimension.index)!))!;
  return parts.toArray().map((part) => ({
    extent: extents.ranks.get(part)!,
    index: { ...dimension.index, terms: new Map([[part.toLowerCase(), 1]]) },
    iterative: null,
  }));
}

/** One index for all that stand for a dimension: `m1, m0` becomes `256*m1+m0`. */
export function mergeIndices(group: readonly IndexSyntax[], extents: Extents): Index {
  let stride = 1;
  let terms = ImmutableMap<string, number>();
  for (const index of [...group].reverse()) {
    for (const [variable, factor] of index.terms) terms = terms.set(variable, stride * factor);
    if (group.length > 1) stride *= extentOf(plainVariable(index)!, extents);
  }
  // Outer variables first, as they are written.
  const ordered = ImmutableMap<string, number>(
    group.flatMap((index) => [...index.terms.keys()]).map((v) => [v, terms.get(v)!]),
  );
  const [only] = group;
  return new Index({
    terms: ordered,
    constant: group.length === 1 ? only!.constant : 0,
    final: group.length === 1 ? only!.final : null,
  });
}

/** Why indices do not fit the dimension that they stand for, whose tensor may be padded; null when they do. */
export function misfit(
  group: readonly IndexSyntax[],
  dimension: Dimension,
  tensor: Shaped,
  padded: boolean,
  extents: Extents,
): Diagnostic | null {
  const [first] = group;
  const place = first!.at;
  const { name } = tensor;
  if (first!.final !== null) {
    if (dimension.iterative !== null && first!.final === rankOf(dimension.iterative)) return null;
    const message = `${first!.final} in upper case is the final iterate, but ${name} does not iterate over it here`;
    return { message, place, hint: `it is ${tensor.text}` };
  }
  const { least, greatest } = rangeOf(mergeIndices(group, extents), extents);
  const written = group.map(indexText).join(',');
  if (dimension.iterative === null && group.every((index) => plainVariable(index) !== null)) {
    // A window may read less than there is, a plain rank may not.
    if (!(Math.abs(greatest + 1 - dimension.extent) > 0)) return null;
    const message = `${written} has extent ${greatest + 1}, but ${name} has ${dimension.extent} there`;
    return { message, place, hint: `it is ${tensor.text}` };
  }
  if (padded && dimension.iterative === null) return outside(written, { least, greatest }, dimension, tensor, place);
  const remedy = dimension.iterative === null ? `; write "padded: ${name}" if zeros surround it` : '';
  if (least < 0)
    return { message: `${written} begins at ${least}`, place, hint: `indices of ${name} begin at 0${remedy}` };
  if (!(greatest > dimension.extent - 1)) return null;
  const message = `${written} reaches ${greatest}, but ${name} ends at ${dimension.extent - 1} there`;
  return { message, place, hint: `it is ${tensor.text}${remedy}` };
}

/** A padded tensor may be read beyond its edges, but some of it must be read. */
function outside(
  written: string,
  { least, greatest }: { readonly least: number; readonly greatest: number },
  { extent }: Dimension,
  { name, text }: Shaped,
  place: Place,
): Diagnostic | null {
  if (!(greatest < 0 || least >= extent)) return null;
  const message = `${written} reads nothing but the zeros around ${name}, which goes from 0 to ${extent - 1} there`;
  return { message, place, hint: `it is ${text}` };
}
