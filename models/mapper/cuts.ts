/**
 * Where a run of einsums is cut into sections: the shortest path over the places for a cut, each section as long as the
 * best way to lay it that is known, or as its lower bound until it has been searched. A section is searched only when it
 * lies on such a path, so that what the bounds rule out costs nothing (the lazy shortest path of Dellin and Srinivasa,
 * ICAPS 2016).
 */
import { type Einsum, variablesOf } from '../../workloads/language/workload.ts';
import { needsSecondPass } from '../binding/search.ts';
import type { SectionSearch } from './section-search.ts';

/** Most atoms that one section may have. */
const mostAtoms = 16;

/** A section that there may be, of the atoms from `from` up to, not including, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly einsums: readonly Einsum[];
  readonly search: SectionSearch;
  /** Whether it has had its first share of candidates. */
  searched: boolean;
}

export class Cuts {
  /** By the atom that they begin with. */
  readonly #spans: readonly (readonly Span[])[];

  /** `atoms` are runs of einsums that cannot be cut. */
  constructor(
    atoms: readonly (readonly Einsum[])[],
    extents: ReadonlyMap<string, number>,
    search: (einsums: readonly Einsum[]) => SectionSearch,
  ) {
    this.#spans = atoms.map((_, from) => {
      const spans: Span[] = [];
      for (let to = from + 1; to <= Math.min(atoms.length, from + mostAtoms); to++) {
        const einsums = atoms.slice(from, to).flat();
        if (to > from + 1 && !canShareLoops(einsums, extents)) break;
        spans.push({ from, to, einsums, search: search(einsums), searched: false });
      }
      return spans;
    });
  }

  /** The span of exactly these einsums; null where it is not among those that may be. */
  spanOf(einsums: readonly Einsum[]): Span | null {
    const all = this.#spans.flat();
    return all.find((span) => span.einsums.length === einsums.length && span.einsums[0] === einsums[0]) ?? null;
  }

  /** The cheapest cover: sections that are not searched yet count as their bounds. */
  promising(): readonly Span[] {
    return this.#cheapest((span) =>
      span.searched ? span.search.score : Math.min(span.search.score, span.search.subject.bound),
    );
  }

  /** The cheapest cover of sections that can be laid; empty when there is none. */
  best(): readonly Span[] {
    return this.#cheapest(({ search }) => search.score);
  }

  /** Searched spans that the best cover could be better with, and by how much, if they were as good as their bounds. */
  worthwhile(): { readonly span: Span; readonly gain: number }[] {
    const score = ({ search }: Span): number => search.score;
    const after = this.#leastFrom(score).least;
    const before = new Array<number>(this.#spans.length + 1).fill(Number.POSITIVE_INFINITY);
    before[0] = 0;
    for (const span of this.#spans.flat()) {
      before[span.to] = Math.min(before[span.to]!, before[span.from]! + score(span));
    }
    return this.#spans.flat().flatMap((span) => {
      const gain = after[0]! - before[span.from]! - span.search.subject.bound - after[span.to]!;
      return span.searched && !span.search.isDone && gain > 0 ? [{ span, gain }] : [];
    });
  }

  #cheapest(cost: (span: Span) => number): readonly Span[] {
    const { chosen } = this.#leastFrom(cost);
    const path: Span[] = [];
    for (let at = 0; at < chosen.length; ) {
      const span = chosen[at];
      if (!span) return [];
      path.push(span);
      at = span.to;
    }
    return path;
  }

  /** By atom: the least cost of what begins there, and the span that it begins with. */
  #leastFrom(cost: (span: Span) => number): { least: readonly number[]; chosen: readonly (Span | null)[] } {
    const { length } = this.#spans;
    const least = new Array<number>(length + 1).fill(Number.POSITIVE_INFINITY);
    const chosen = new Array<Span | null>(length).fill(null);
    least[length] = 0;
    for (let from = length - 1; from >= 0; from--) {
      for (const span of this.#spans[from]!) {
        const total = cost(span) + least[span.to]!;
        if (total >= least[from]!) continue;
        least[from] = total;
        chosen[from] = span;
      }
    }
    return { least, chosen };
  }
}

/** Whether there is a loop that all einsums could be under; else fusing them would mean to hold everything. */
function canShareLoops(einsums: readonly Einsum[], extents: ReadonlyMap<string, number>): boolean {
  const variables = [...new Set(einsums.flatMap(variablesOf))].filter((v) => extents.get(v)! > 1);
  if (variables.length === 0) return true;
  const steps = new Set(einsums.flatMap(({ iterative }) => iterative ?? []));
  return variables.some((v) => steps.has(v) || !needsSecondPass(einsums, v, extents.get(v)!));
}
