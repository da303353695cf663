/** What one piece of a fold costs the array: cycles, latency, and what it reads and writes in its scratchpads. */
import { List } from 'immutable';
import type { ArrayPart } from '../../arch/language/arch.ts';
import { hidesDrain, hidesLoad } from '../compute/array.ts';
import { affineConflictCycles, banksOf } from '../memory/banks.ts';
import type { Operand } from './contraction.ts';
import type { FoldFlow, FoldPlan, Phase } from './fold-plan.ts';
import { type Cut, lastPiece, shareOf, variants } from './folds.ts';
import { slowestLink } from './link-time.ts';
import { Access, Arrival, Op } from './program.ts';
import type { Site, Topology } from './topology.ts';

export interface FoldEngine {
  readonly site: Site<ArrayPart>;
  readonly topology: Topology;
  /** Cycles per step of a fold, and from a step's start to its result. */
  readonly cost: { readonly interval: number; readonly depth: number };
  /** Bits of an element by tensor. */
  readonly bits: (tensor: string) => number;
  /** Whether a fold streams all of its time, whatever that costs the memory. */
  readonly wholeFolds: boolean;
}

export class FoldCosts {
  readonly #plan: FoldPlan;
  readonly #engine: FoldEngine;

  constructor(plan: FoldPlan, engine: FoldEngine) {
    this.#plan = plan;
    this.#engine = engine;
  }

  /**
   * One phase of a fold, without its tokens; `rereads` partial sums that an earlier row fold left.
   * @throws BindError when a link is missing.
   */
  op(phase: Phase, rereads: boolean): Op {
    const { grid, pieces } = this.#plan;
    const cut = pieces[phase];
    const cycles = perVariant((variant) => this.#cycles(phase, cut, variant));
    const accesses = this.#accesses(phase, rereads);
    return new Op({
      name: grid.contraction.einsum.name,
      inner: cut.count,
      busy: cycles,
      cycles: cycles.map((n, variant) => Math.max(n, this.#slowestLink(accesses, variant).cycles)),
      link: this.#slowestLink(accesses, 0).name,
      latency: perVariant((variant) => this.latency(phase, variant)),
      points: perVariant((variant) => (phase === 'stream' ? this.#points(cut, variant) : 0)),
      accesses: List(accesses),
      arrivals: List(this.#arrivals(phase)),
    });
  }

  #points(cut: Cut, variant: number): number {
    const { grid } = this.#plan;
    const atOnce = grid.batchesIn(variant) * grid.tile('rows', variant) * grid.tile('columns', variant);
    return atOnce * grid.pieceSteps(variant, cut);
  }

  /**
   * Cycles of a piece. A fold takes its period in all: a load that another fold hides takes none of it, and a drain that
   * another fold hides is only what is left of the period. Banks may take longer: what is hidden then holds up the end of
   * the fold that hides it.
   */
  #cycles(phase: Phase, cut: Cut, variant: number): number {
    const { grid } = this.#plan;
    const { overlap } = grid.array;
    const cycles = grid.cyclesIn(variant);
    const banks = (of: Phase): number => this.#bankCycles(of, variant);
    const stream = Math.max(cycles.stream, banks('stream'));
    const drain = {
      none: () => Math.max(cycles.drain, banks('drain')),
      preload: () => Math.max(cycles.drain, banks('drain'), banks('load') - stream),
      drain: () => Math.max(cycles.period - cycles.load, banks('drain')) - stream,
      full: () => Math.max(cycles.period, banks('drain'), banks('load')) - stream,
    }[overlap];
    const whole = {
      load: () => (hidesLoad(overlap) ? 0 : Math.max(cycles.load, banks('load'))),
      stream: () => stream,
      drain: () => Math.max(0, drain()),
    }[phase]();
    return shareOf(whole, cut, isLast(variant));
  }

  /** Cycles from the end of a piece until its results have left the array. */
  latency(phase: Phase, variant: number): number {
    const { array } = this.#plan.grid;
    const cycles = this.#plan.grid.cyclesIn(variant);
    const { depth, interval } = this.#engine.cost;
    const inArray = {
      load: 0,
      stream: cycles.drain + (hidesLoad(array.overlap) ? cycles.load : 0),
      drain: cycles.length - cycles.period,
    }[phase];
    return inArray + depth - interval;
  }

  /** What the array reads and writes in a phase: its operands, of a result its sums, and those of the fold before. */
  #accesses(phase: Phase, rereads: boolean): Access[] {
    return this.#plan.flows.flatMap((flow) => {
      const { operand, pad, tensor } = flow;
      if (this.#goesOnDuring(flow.phase) !== phase) return [];
      if (operand === null) {
        const bytes = perVariant((variant) => this.#resultBytes(flow, phase, variant));
        const written = new Access({ memory: pad, tensor, write: true, bytes });
        return rereads ? [written, written.set('write', false)] : [written];
      }
      const read = (name: string, elementBits: number): Access => {
        const bytes = perVariant((variant) => {
          const elements = this.#elementsRead(operand, flow.phase, phase, variant);
          return Math.ceil((elements * this.#plan.grid.batchesIn(variant) * elementBits) / 8);
        });
        return new Access({ memory: pad, tensor: name, bytes });
      };
      return withMetadata(
        read(tensor, this.#engine.bits(tensor)),
        read(metadataOf(tensor), this.#plan.grid.metadataBits(operand)),
      );
    });
  }

  /** An element of an operand comes to every PE of the row or column that it enters; of a stationary one, to one PE. */
  #arrivals(phase: Phase): Arrival[] {
    const { grid, flows } = this.#plan;
    return flows.flatMap(({ operand, tensor, phase: own }) => {
      if (operand === null || this.#goesOnDuring(own) !== phase) return [];
      const across = (['rows', 'columns'] as const).filter((side) => !grid.extentsOf(operand).includes(side));
      const words = perVariant((variant) => {
        const elements = this.#elementsRead(operand, own, phase, variant) * grid.batchesIn(variant);
        return across.reduce((n, side) => n * grid.tile(side, variant), elements);
      });
      return [new Arrival({ tensor, words })];
    });
  }

  /** The phase of a fold during which another fold's load, or drain, goes on, where folds overlap; else the phase itself. */
  #goesOnDuring(phase: Phase): Phase {
    const { overlap } = this.#plan.grid.array;
    const hidden = phase === 'load' ? hidesLoad(overlap) : phase === 'drain' && hidesDrain(overlap);
    return hidden ? 'stream' : phase;
  }

  /** Whole bytes of results that leave in one piece of a phase. */
  #resultBytes({ phase: own, values, pieces }: FoldFlow, phase: Phase, variant: number): number {
    if (own === phase) return values(variant);
    const last = values(variant | lastPiece);
    const all = (pieces.count - 1) * values(variant & ~lastPiece) + last;
    return shareOf(all, this.#plan.pieces[phase], isLast(variant));
  }

  /** Elements of an operand that enter the array in one piece of a phase, for one batch. */
  #elementsRead(operand: Operand, own: Phase, phase: Phase, variant: number): number {
    const { grid, pieces } = this.#plan;
    const cut = pieces[phase];
    if (own === 'stream') return grid.elements(operand, variant, cut);
    return shareOf(grid.elements(operand, variant, null), cut, isLast(variant));
  }

  /**
   * Cycles that the banks of scratchpads with a layout need for a whole fold: what it takes of a tensor lies there as a
   * matrix of its steps and of the words that each of them needs at once.
   */
  #bankCycles(phase: Phase, variant: number): number {
    const { grid, flows } = this.#plan;
    const steps = phase === 'stream' ? grid.stepsIn(variant) : grid.tile('rows', variant);
    const perFlow = flows
      .filter((flow) => flow.phase === phase)
      .map(({ pad, operand, tensor }) => {
        const { part } = this.#engine.topology.pad(pad)!;
        if (part.layout === null) return 0;
        const across = this.#across(operand, phase);
        const words = grid.tile(across, variant);
        const alongWords = this.#isContiguous(operand, grid.rank[across]) === (part.layout === 'row-major');
        const [stepStride, wordStride] = alongWords ? ([words, 1] as const) : ([1, steps] as const);
        const banks = banksOf(part, this.#engine.bits(tensor));
        return affineConflictCycles(banks, steps, words, stepStride, wordStride);
      });
    return Math.max(0, ...perFlow);
  }

  /** Which side of the array an operand enters, or a result leaves, a row or a column of PEs each. */
  #across(operand: Operand | null, phase: Phase): 'rows' | 'columns' {
    if (phase !== 'stream') return 'columns';
    return this.#plan.grid.extentsOf(operand).includes('rows') ? 'rows' : 'columns';
  }

  /** Whether a tensor's last index belongs to a rank of the product. */
  #isContiguous(operand: Operand | null, rank: 'm' | 'n' | 'k'): boolean {
    const { contraction } = this.#plan.grid;
    const last = (operand?.access ?? contraction.einsum.output).indices.last();
    return last !== undefined && contraction[rank].variables.some((v) => last.terms.has(v));
  }

  /** The slowest of the array's links for a piece. */
  #slowestLink(accesses: readonly Access[], variant: number): ReturnType<typeof slowestLink> {
    const engine = this.#engine.site.path;
    const loads = accesses.map(({ memory, write, bytes }) => {
      const [from, to] = write ? [engine, memory] : [memory, engine];
      return { from, to, bytes: bytes.get(variant)! };
    });
    return slowestLink(loads, this.#engine.topology, this.#plan.grid.contraction.einsum.name);
  }
}

export function perVariant(of: (variant: number) => number): List<number> {
  return List(Array.from({ length: variants }, (_, variant) => of(variant)));
}

/** Name under which the places of a compressed tensor's values are counted. */
export function metadataOf(tensor: string): string {
  return `${tensor}.metadata`;
}

export function withMetadata(values: Access, places: Access): Access[] {
  return places.bytes.some((bytes) => bytes > 0) ? [values, places] : [values];
}

function isLast(variant: number): boolean {
  return (variant & lastPiece) !== 0;
}
