/** A composition of experts on a machine, batch by batch: the router, copies of experts that are missing, answers. */
import { chosenExperts, type ExpertComposition } from '../../workloads/llm/composition.ts';
import { TierCache } from '../tiers/cache.ts';
import { Copies } from '../tiers/copies.ts';
import type { MachineTiers } from './machine.ts';
import type { ExpertPlacement } from './placement.ts';
import { type ModelTimes, noWork, plus, type Work } from './times.ts';

/** Picoseconds. */
export interface BatchRecord {
  readonly start: number;
  readonly requests: number;
  readonly router: number;
  readonly switching: number;
  readonly execution: number;
  readonly hits: number;
  readonly misses: number;
}

export interface CompositionRecord {
  readonly batches: readonly BatchRecord[];
  readonly copies: Copies;
  /** Of the near tier, by what computes from it. */
  readonly work: { readonly router: Work; readonly expert: Work };
  /** Picoseconds. */
  readonly end: number;
  /** Bytes of experts that were copied. */
  readonly copied: number;
}

export interface Setup {
  readonly composition: ExpertComposition;
  readonly machine: MachineTiers;
  readonly placement: ExpertPlacement;
  readonly times: ModelTimes;
  /** Told the fraction that is done. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * For each batch the router reads all prompts; then the experts that are missing are copied, in the order of the requests; then
 * one request after the other is answered. A batch that needs more experts than the near tier has room for is cut into turns
 * of copies and answers. Nothing is copied ahead. Experts are only read: those that leave are not written back. What is
 * spilled to a far tier streams while its model runs, which ends no sooner than that.
 */
export function runComposition(setup: Setup): CompositionRecord {
  const run = new Run(setup);
  let done = 0;
  for (const chosen of chosenExperts(setup.composition)) {
    run.batch(chosen);
    setup.onProgress?.(++done / setup.composition.batches);
  }
  return run.record();
}

class Run {
  readonly #setup: Setup;
  readonly #copies = new Copies();
  /** Null where all experts are in the near tier for good. */
  readonly #cache: TierCache | null;
  readonly #batches: BatchRecord[] = [];
  /** Of one request. */
  readonly #answer: Work;
  readonly #router = new Map<number, Work>();
  #work: { router: Work; expert: Work } = { router: noWork, expert: noWork };
  #copied = 0;
  #now = 0;

  constructor(setup: Setup) {
    const { composition, placement, times } = setup;
    const { experts, expert, prompt, output, replacement } = composition;
    this.#setup = setup;
    this.#cache = placement.homes.length > 0 ? new TierCache(experts, placement.rooms, replacement) : null;
    const first = times.prompt(expert, 1, prompt);
    this.#answer = output > 1 ? plus(first, times.tokens(expert, prompt + 1, output - 1)) : first;
  }

  batch(chosen: readonly number[]): void {
    const { spilled, rooms } = this.#setup.placement;
    const start = this.#now;
    const [hits, misses] = [this.#cache?.hits ?? 0, this.#cache?.misses ?? 0];
    const routing = this.#routing(chosen.length);
    this.#compute('router', routing, spilled.router);
    const router = this.#now - start;
    let switching = 0;
    for (let done = 0; done < chosen.length; ) {
      const turn = turnOf(chosen, done, rooms);
      switching += this.#switch(turn);
      for (let i = 0; i < turn.length; i++) this.#compute('expert', this.#answer, spilled.expert);
      done += turn.length;
    }
    this.#batches.push({
      start,
      requests: chosen.length,
      router,
      switching,
      execution: this.#now - start - router - switching,
      hits: this.#cache ? this.#cache.hits - hits : chosen.length,
      misses: (this.#cache?.misses ?? 0) - misses,
    });
  }

  record(): CompositionRecord {
    return { batches: this.#batches, copies: this.#copies, work: this.#work, end: this.#now, copied: this.#copied };
  }

  #routing(requests: number): Work {
    const { composition, times } = this.#setup;
    const known = this.#router.get(requests) ?? times.prompt(composition.router, requests, composition.prompt);
    this.#router.set(requests, known);
    return known;
  }

  /** Copies the experts of a turn that are missing, all asked for at a time; gives the picoseconds until the last is there. */
  #switch(turn: readonly number[]): number {
    const { placement, machine } = this.#setup;
    const start = this.#now;
    const needed = new Set(turn);
    for (const expert of turn) {
      if (this.#cache?.use(expert, needed) ?? true) continue;
      const path = machine.paths[placement.homes[expert] ?? 0];
      if (path === undefined) throw new Error(`expert ${expert} has no home`);
      this.#now = Math.max(this.#now, this.#copies.copy(start, placement.expertBytes, path));
      this.#copied += placement.expertBytes;
    }
    return this.#now - start;
  }

  /** A model runs, while what is spilled to each far tier streams. */
  #compute(model: 'router' | 'expert', work: Work, spilled: readonly number[]): void {
    const start = this.#now;
    this.#work[model] = plus(this.#work[model], work);
    this.#now += work.ps;
    spilled.forEach((bytes, tier) => {
      const path = this.#setup.machine.paths[tier];
      if (bytes > 0 && path) this.#now = Math.max(this.#now, this.#copies.copy(start, bytes, path));
    });
  }
}

/** Requests from one on that need at most so many different experts. */
function turnOf(chosen: readonly number[], from: number, rooms: number): readonly number[] {
  const needed = new Set<number>();
  for (let i = from; i < chosen.length; i++) {
    needed.add(chosen[i] ?? 0);
    if (needed.size > rooms) return chosen.slice(from, i);
  }
  return chosen.slice(from);
}
