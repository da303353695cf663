/**
 * The folds of a plan written down for their slow twin (scratchpads.ts): every step of the array in order, the pieces that
 * each needs, and which of them are the same piece. There is no formula for what is used when: it is looked up in the list.
 */
import type { ArrayPart } from '../../arch/language/arch.ts';
import { batchLoop, type FoldFlow, type FoldPlan, outerLoop, type Phase } from '../../models/binding/fold-plan.ts';
import { type Cut, lastBatch, lastColumns, lastPiece, lastRows } from '../../models/binding/folds.ts';
import type { Mask } from '../../models/binding/nest.ts';
import type { FoldCycles } from '../../models/compute/array.ts';

/** What is in a scratchpad until the step that uses it last; several pieces may have the same. */
export interface Content {
  readonly bytes: number;
  lastStep: number;
}

export interface Piece {
  readonly content: Content;
  /** Whether it brings its content; for what has come with an earlier piece its DMA makes no request. */
  readonly isNew: boolean;
  readonly firstStep: number;
  lastStep: number;
  /** The cycle from which the part that it is for sees it. */
  visible: number;
}

export interface Words {
  readonly pad: string;
  readonly tensor: string;
  readonly bytes: number;
  readonly write: boolean;
}

export interface Need {
  readonly cause: 'inputs' | 'weights' | 'sums';
  readonly piece: Piece;
  readonly pad: string;
}

/** A stretch of the array's work that begins when all pieces are there. */
export interface Step {
  readonly cycles: number;
  readonly needs: readonly Need[];
  readonly result: Piece | null;
  readonly words: readonly Words[];
}

/** Where a step stands: its fold in the three loops, and its piece within the fold. */
interface Place {
  readonly batches: number;
  readonly rows: number;
  readonly columns: number;
  readonly piece: number;
}

const phases: readonly Phase[] = ['load', 'stream', 'drain'];

/** The phases of a fold that go on while another fold streams, or loads and streams. */
export const hiddenPhases: Readonly<Record<ArrayPart['overlap'], readonly Phase[]>> = {
  none: [],
  preload: ['load'],
  drain: ['drain'],
  full: ['load', 'drain'],
};

/** Sides of a fold's space that the operands lie along. */
const sides = {
  'output-stationary': { inputs: ['rows', 'time'], weights: ['columns', 'time'] },
  'weight-stationary': { inputs: ['rows', 'time'], weights: ['rows', 'columns'] },
  'input-stationary': { inputs: ['rows', 'columns'], weights: ['rows', 'time'] },
} as const;

/** The folds in order, written down. */
export class Schedule {
  readonly steps: Step[] = [];
  /** Pieces of operands and results in the order in which they are first needed. */
  readonly pieces: ReadonlyMap<FoldFlow, Piece[]>;
  /** Partial sums that come back, and what was stored that each is. */
  readonly sums: { readonly piece: Piece; readonly stored: Piece }[] = [];
  readonly #plan: FoldPlan;
  readonly #elementBits: number;
  readonly #known = new Map<string, Piece>();
  readonly #contents = new Map<string, Content>();

  constructor(plan: FoldPlan, elementBits: number) {
    this.#plan = plan;
    this.#elementBits = elementBits;
    this.pieces = new Map(plan.flows.map((flow) => [flow, []]));
    for (const fold of foldsInOrder(plan)) {
      for (const phase of phases) {
        for (let piece = 0; piece < plan.pieces[phase].count; piece++) this.#addStep(phase, { ...fold, piece });
      }
    }
  }

  #addStep(phase: Phase, at: Place): void {
    const { flows, pieces } = this.#plan;
    const needs: Need[] = [];
    let result: Piece | null = null;
    for (const flow of flows.filter((own) => own.phase === phase)) {
      const piece = this.#piece(flow, at);
      if (flow.role !== 'results') needs.push({ cause: flow.role, piece, pad: flow.pad });
      else result = piece;
      if (flow.role === 'results' && this.#plan.spills && at.rows > 0) {
        needs.push({ cause: 'sums', piece: this.#sum(flow, at), pad: flow.pad });
      }
    }
    const cycles = shareAt(this.#wholeCycles(phase, at), pieces[phase], at.piece);
    const words = flows.flatMap((flow) => this.#words(flow, phase, at));
    this.steps.push({ cycles, needs, result, words });
  }

  /** Results leave an output-stationary array one by one while the next fold streams, and may take longer than that. */
  #wholeCycles(phase: Phase, { batches }: Place): number {
    const { grid } = this.#plan;
    const { load, stream, drain, period }: FoldCycles = grid.cyclesIn(
      batches === grid.batches.count - 1 ? lastBatch : 0,
    );
    const hidden = hiddenPhases[grid.array.overlap];
    const ownLoad = hidden.includes('load') ? 0 : load;
    const left = hidden.includes('drain') ? period - ownLoad - stream : drain;
    return { load: ownLoad, stream, drain: left }[phase];
  }

  #piece(flow: FoldFlow, at: Place): Piece {
    const own = flow.kept || (flow.role === 'results' && !this.#plan.spills) ? flow.loops : flow.loops | flow.reuse;
    const name = `${flow.role} ${this.#nameOf(own, at)}`;
    const lastStep = this.steps.length;
    const known = this.#known.get(name);
    if (known) {
      known.lastStep = lastStep;
      known.content.lastStep = lastStep;
      return known;
    }
    const contentName = `${flow.role} ${this.#nameOf(own & ~flow.atFirst, at)}`;
    const earlier = this.#contents.get(contentName);
    const content = earlier ?? { bytes: flow.values(this.#variant(flow, at)), lastStep };
    content.lastStep = lastStep;
    this.#contents.set(contentName, content);
    const piece = { content, isNew: !earlier, firstStep: lastStep, lastStep, visible: Infinity };
    this.#known.set(name, piece);
    this.pieces.get(flow)!.push(piece);
    return piece;
  }

  #sum(flow: FoldFlow, at: Place): Piece {
    const stored = this.#known.get(`results ${this.#nameOf(flow.loops | flow.reuse, { ...at, rows: at.rows - 1 })}`)!;
    const lastStep = this.steps.length;
    const content = { bytes: stored.content.bytes, lastStep };
    const piece = { content, isNew: true, firstStep: lastStep, lastStep, visible: Infinity };
    this.sums.push({ piece, stored });
    return piece;
  }

  #nameOf(loops: Mask, { batches, rows, columns, piece }: Place): string {
    const { rowLoop, columnLoop } = this.#plan;
    const inLoop = (loop: Mask, i: number): number => (loops & loop ? i : 0);
    return [inLoop(batchLoop, batches), inLoop(rowLoop, rows), inLoop(columnLoop, columns), piece].join(' ');
  }

  #variant({ pieces }: FoldFlow, { batches, rows, columns, piece }: Place): number {
    const { grid } = this.#plan;
    return (
      (batches === grid.batches.count - 1 ? lastBatch : 0) |
      (rows === grid.rows.count - 1 ? lastRows : 0) |
      (columns === grid.columns.count - 1 ? lastColumns : 0) |
      (piece === pieces.count - 1 ? lastPiece : 0)
    );
  }

  /** What the array reads from a scratchpad and writes to it in a step. */
  #words(flow: FoldFlow, phase: Phase, at: Place): Words[] {
    const { grid, pieces } = this.#plan;
    // A load that another fold hides, and a drain that the next one does, go on while a fold streams.
    const isHidden = hiddenPhases[grid.array.overlap].includes(flow.phase);
    if (phase !== (isHidden ? 'stream' : flow.phase)) return [];
    const { pad, tensor, role } = flow;
    if (role === 'results' && isHidden) {
      const tile = sizeAt(grid.rows, at.rows) * sizeAt(grid.columns, at.columns) * sizeAt(grid.batches, at.batches);
      const bytes = shareAt(Math.ceil((tile * this.#elementBits) / 8), pieces.stream, at.piece);
      return [{ pad, tensor, bytes, write: true }];
    }
    if (role === 'results') {
      const write = { pad, tensor, bytes: flow.values(this.#variant(flow, at)), write: true };
      const adds = grid.array.dataflow !== 'output-stationary' && at.rows > 0;
      return adds ? [write, { ...write, write: false }] : [write];
    }
    const tile = { rows: sizeAt(grid.rows, at.rows), columns: sizeAt(grid.columns, at.columns) };
    const time = shareAt(sizeAt(grid.blocks, grid.blocks.count === 1 ? 0 : at.batches), pieces.stream, at.piece);
    const [side, other] = sides[grid.array.dataflow][role];
    const elements = other === 'time' ? tile[side] * time : shareAt(tile.rows * tile.columns, pieces[phase], at.piece);
    const bytes = Math.ceil((elements * sizeAt(grid.batches, at.batches) * this.#elementBits) / 8);
    return [{ pad, tensor, bytes, write: false }];
  }
}

function foldsInOrder({ grid, rowLoop }: FoldPlan): Omit<Place, 'piece'>[] {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  return upTo(grid.batches.count).flatMap((batches) =>
    rowLoop === outerLoop
      ? upTo(grid.rows.count).flatMap((rows) => upTo(grid.columns.count).map((columns) => ({ batches, rows, columns })))
      : upTo(grid.columns.count).flatMap((columns) =>
          upTo(grid.rows.count).map((rows) => ({ batches, rows, columns })),
        ),
  );
}

function sizeAt({ size, last, count }: Cut, index: number): number {
  return index === count - 1 ? last : size;
}

/** Part `index` of a whole number, cut in proportion to the sizes of `cut`; what does not divide is in the last part. */
function shareAt(total: number, cut: Cut, index: number): number {
  const share = Math.floor((total * cut.size) / ((cut.count - 1) * cut.size + cut.last));
  return index === cut.count - 1 ? total - index * share : share;
}
