/**
 * How many times a cascade must go over a rank. An einsum that iterates over the rank needs a new pass when it reads,
 * directly or not, what is complete only after all of the rank was seen (FuseMax, MICRO 2024, section 3). The iterates
 * of an iterative rank depend on what came before only, so they open no pass.
 */
import { InputError, suggest } from '../../arch/language/diagnostics.ts';
import { groupsOf } from './order.ts';
import { type Access, accessesOf, type Einsum, einsumsOf, variablesOf, type Workload } from './workload.ts';

export interface Passes {
  /** 0 when nothing iterates over the rank. */
  readonly count: number;
  /**
   * By einsum, the pass during which it runs, from 1; null for one that runs outside of them. An einsum over the
   * outermost part of a split rank alone streams along with a pass but makes none.
   */
  readonly passOf: ReadonlyMap<string, number | null>;
  /** Why each pass after the first is needed. */
  readonly reasons: readonly string[];
}

/** When a tensor's values are there. */
interface Availability {
  /** The pass during which they come, part by part; null when they do not. */
  readonly streams: number | null;
  /** The first pass that finds all of them. */
  readonly complete: number;
  /** The einsum whose completion that waits for; null for an input. */
  readonly after: string | null;
}

/**
 * Passes over a rank (`M`), or over a part of one as if it were a rank of its own (`M1`).
 * @throws InputError when there is no such rank.
 */
export function passes(workload: Workload, rank: string): Passes {
  if (!workload.ranks.has(rank)) {
    throw new InputError({ message: `there is no rank "${rank}"`, hint: suggest(rank, workload.ranks.keys()) });
  }
  return new Analysis(workload, rank).run();
}

class Analysis {
  readonly #workload: Workload;
  readonly #rank: string;
  /** Variables of the rank's parts, outer to inner; none when it is not split. */
  readonly #parts: readonly string[];
  readonly #available = new Map<string, Availability>();
  readonly #passOf = new Map<string, number | null>();
  readonly #reasons: string[] = [];
  #count = 0;

  constructor(workload: Workload, rank: string) {
    this.#workload = workload;
    this.#rank = rank;
    this.#parts = (workload.split.get(rank)?.toArray() ?? []).map((part) => part.toLowerCase());
  }

  run(): Passes {
    const groups = groupsOf(einsumsOf(this.#workload));
    for (const { einsums } of groups) this.#place(einsums);
    const names = einsumsOf(this.#workload).map((einsum) => einsum.name);
    const passOf = new Map(names.map((name) => [name, this.#passOf.get(name)!]));
    return { count: this.#count, passOf, reasons: this.#reasons };
  }

  /** Finds the pass of an einsum, or of those of a recurrence, which run together. */
  #place(einsums: readonly Einsum[]): void {
    const own = new Set(einsums.map((einsum) => einsum.output.tensor));
    const reads = einsums
      .flatMap((einsum) => accessesOf(einsum.expression))
      .filter(({ tensor }) => !own.has(tensor))
      .map((access) => this.#read(access));
    const streams = reads.filter((read) => read.streams !== null).map((read) => read.streams!);
    const waits = reads.filter((read) => read.streams === null);
    const streamed = Math.max(0, ...streams);
    const waited = Math.max(1, ...waits.map((read) => read.complete));
    const latest = waits.find((read) => read.complete === waited && waited > 1);
    if (einsums.some((einsum) => this.#iterates(variablesOf(einsum)))) {
      const pass = Math.max(streamed, waited);
      if (pass > this.#count) {
        if (latest && waited === pass) this.#reasons.push(this.#reason(einsums[0]!.name, pass, latest));
        this.#count = pass;
      }
      for (const { name, output } of einsums) {
        this.#passOf.set(name, pass);
        const kept = this.#keepsOrder(output) ? pass : null;
        this.#available.set(output.tensor, { streams: kept, complete: pass + 1, after: name });
      }
    } else if (streamed >= waited && einsums.every(({ output }) => this.#keepsOrder(output))) {
      for (const { name, output } of einsums) {
        this.#passOf.set(name, streamed);
        this.#available.set(output.tensor, { streams: streamed, complete: streamed + 1, after: name });
      }
    } else {
      const complete = Math.max(streamed + 1, waited);
      for (const { name, output } of einsums) {
        const after = latest && waited === complete ? latest.after : streams.length > 0 ? name : null;
        this.#passOf.set(name, null);
        this.#available.set(output.tensor, { streams: null, complete, after });
      }
    }
  }

  #read(access: Access): Availability & { readonly tensor: string } {
    const found = this.#available.get(access.tensor) ?? { streams: 1, complete: 1, after: null };
    return { ...found, tensor: access.tensor, streams: this.#keepsOrder(access) ? found.streams : null };
  }

  /** Whether these variables traverse the whole rank: itself, or all of its parts. */
  #iterates(variables: readonly string[]): boolean {
    const whole = variables.includes(this.#rank.toLowerCase());
    return whole || (this.#parts.length > 0 && this.#parts.every((part) => variables.includes(part)));
  }

  /** Whether values come in the order of the rank: they are indexed by it, or by its outermost part. */
  #keepsOrder({ indices }: Access): boolean {
    const outer = this.#parts[0];
    return indices.some(
      ({ terms }) => terms.has(this.#rank.toLowerCase()) || (outer !== undefined && terms.has(outer)),
    );
  }

  #reason(
    einsum: string,
    pass: number,
    { tensor, after }: { readonly tensor: string; readonly after: string | null },
  ): string {
    const via = after === tensor || after === null ? '' : `${tensor}, which needs `;
    return `${einsum} opens pass ${pass} over ${this.#rank}: it needs ${via}${after ?? tensor}, complete only after pass ${pass - 1}`;
  }
}
