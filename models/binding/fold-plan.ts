/**
 * How the folds of a contraction pass through the scratchpads: which loop runs outside, which operands stay on the chip for
 * their next use, and in which pieces a fold's operands and results come and go. The loops are batches, then folds over
 * columns and over rows in either order; the pieces of a fold are a loop inside them.
 */
import { bytes as bytesText } from '../../arch/language/describe.ts';
import type { Operand } from './contraction.ts';
import { BindError } from './dependencies.ts';
import { type Cut, cutOf, type FoldGrid, lastColumns, lastPiece, lastRows, shareOf } from './folds.ts';
import type { Mask } from './nest.ts';

export type Role = 'inputs' | 'weights' | 'results';
const roles: readonly Role[] = ['inputs', 'weights', 'results'];

/** Loops of the nest as masks. */
export const batchLoop: Mask = 1;
export const outerLoop: Mask = 2;
export const innerLoop: Mask = 4;

/** When a fold takes an operand's pieces or gives those of its result. */
export type Phase = 'load' | 'stream' | 'drain';

/** What goes through one scratchpad for the folds. */
export interface FoldFlow {
  readonly role: Role;
  /** Null for results. */
  readonly operand: Operand | null;
  readonly tensor: string;
  readonly pad: string;
  readonly phase: Phase;
  /** Loops that tell its tiles apart: those that its transfers run over, unless it is fetched anew for each fold. */
  readonly loops: Mask;
  /** Loops that it stays on the chip for, or is fetched anew for. */
  readonly reuse: Mask;
  readonly kept: boolean;
  /** Whether it is kept as the image that it is, of which pieces are views and take no space of their own. */
  readonly isImage: boolean;
  readonly pieces: Cut;
  /** Loops in whose first iteration alone bytes move, for a window whose elements then stay. */
  readonly atFirst: Mask;
  /** Whole bytes that one transfer of a piece moves, by variant: of its values, and of their places when compressed. */
  readonly values: (variant: number) => number;
  readonly metadata: (variant: number) => number;
  /** Bytes on the chip for what is kept, and how many pieces those are. */
  readonly held: { readonly bytes: number; readonly pieces: number };
  /** Pieces on the chip at most. */
  readonly slots: number;
  /** Bytes on the chip. */
  readonly space: number;
}

export interface FoldPlan {
  readonly grid: FoldGrid;
  readonly rowLoop: Mask;
  readonly columnLoop: Mask;
  /** Pieces of a fold's stream, of its stationary operand, and of its results when they come at its end. */
  readonly pieces: Readonly<Record<Phase, Cut>>;
  readonly flows: readonly FoldFlow[];
  /** Whether partial sums go to memory and come back for the next row fold. */
  readonly spills: boolean;
  /** Bytes from and to memory, about. */
  readonly traffic: number;
  /** Bytes that must be there before the first fold can begin. */
  readonly first: number;
}

export interface FoldBuffers {
  readonly pads: Readonly<Record<Role, string>>;
  /** Bytes by scratchpad. */
  readonly capacity: ReadonlyMap<string, number>;
  /** Bits of an element by tensor. */
  readonly bits: (tensor: string) => number;
  /** Cycles of the array from a request to memory until the data is there, at most. */
  readonly latency: number;
}

/** The most pieces that a fold's time is cut into where the buffers would hold larger ones. */
const finest = 8;

/** Trips of the loops of a mask. */
export function tripsOf(
  { grid, rowLoop, columnLoop }: Pick<FoldPlan, 'grid' | 'rowLoop' | 'columnLoop'>,
  mask: Mask,
): number {
  return (
    (mask & batchLoop ? grid.batches.count : 1) *
    (mask & rowLoop ? grid.rows.count : 1) *
    (mask & columnLoop ? grid.columns.count : 1)
  );
}

/** Bytes that a flow moves from and to memory, about. */
export function trafficOf(plan: Pick<FoldPlan, 'grid' | 'rowLoop' | 'columnLoop' | 'spills'>, flow: FoldFlow): number {
  const { kept, loops, reuse, atFirst, pieces, operand } = flow;
  const again = kept ? 1 : tripsOf(plan, reuse);
  const times = operand === null ? (plan.spills ? 2 * again - 1 : 1) : again;
  return tripsOf(plan, loops & ~atFirst) * times * pieces.count * bytesOf(flow, 0);
}

/** Every plan that fits, those with column folds outside first. @throws BindError when none does. */
export function foldPlans(grid: FoldGrid, buffers: FoldBuffers): FoldPlan[] {
  let failure: BindError | null = null;
  const plans = (['columns', 'rows'] as const).flatMap((outer) => {
    const draft = new Draft(grid, buffers, outer);
    return subsetsOf(draft.keepable()).flatMap((keep) => {
      try {
        return [draft.plan(keep)];
      } catch (error) {
        if (!(error instanceof BindError)) throw error;
        if (failure === null || error.excess < failure.excess) failure = error;
        return [];
      }
    });
  });
  if (plans.length === 0) throw failure;
  return plans;
}

function subsetsOf(items: readonly Role[]): ReadonlySet<Role>[] {
  return Array.from({ length: 2 ** items.length }, (_, set) => new Set(items.filter((_role, i) => set & (1 << i))));
}

/** One order of the loops. */
class Draft {
  readonly #grid: FoldGrid;
  readonly #buffers: FoldBuffers;
  readonly #rowLoop: Mask;
  readonly #columnLoop: Mask;

  constructor(grid: FoldGrid, buffers: FoldBuffers, outer: 'columns' | 'rows') {
    this.#grid = grid;
    this.#buffers = buffers;
    this.#rowLoop = outer === 'rows' ? outerLoop : innerLoop;
    this.#columnLoop = outer === 'rows' ? innerLoop : outerLoop;
  }

  /** What is used again after another fold, so that it may be worth its space. */
  keepable(): Role[] {
    return roles.filter((role) => {
      const operand = this.#operand(role);
      if (operand === null) return this.#accumulates;
      return this.#trips(this.#reuse(operand)) > 1 || this.#isWindow(operand);
    });
  }

  /** With the largest pieces that fit, but not fewer than a fold's time should have. @throws BindError */
  plan(keep: ReadonlySet<Role>): FoldPlan {
    const { rows, blocks } = this.#grid;
    const wanted = Math.ceil(blocks.size / finest);
    let best: { steps: number; tile: number } | null = null;
    let failure: BindError | null = null;
    for (let tile = rows.size; tile >= 1; tile = tile === 1 ? 0 : Math.ceil(tile / 2)) {
      const excess = (steps: number): BindError | null => this.#excess(this.#flows(keep, steps, tile, false));
      const fits = (steps: number): boolean => excess(steps) === null;
      const steps = fits(wanted) ? wanted : largest(wanted - 1, fits);
      if (steps === 0) failure = excess(1);
      else if (best === null || steps > best.steps) best = { steps, tile };
      if (steps === wanted) break;
    }
    if (best === null) throw failure;
    const { steps } = best;
    const flows = this.#flows(keep, steps, best.tile, true);
    const spills = this.#accumulates && !keep.has('results');
    const loops = { grid: this.#grid, rowLoop: this.#rowLoop, columnLoop: this.#columnLoop };
    return {
      ...loops,
      pieces: this.#pieces(steps, best.tile),
      flows,
      spills,
      traffic: flows.reduce((sum, flow) => sum + trafficOf({ ...loops, spills }, flow), 0),
      first: flows.reduce((sum, flow) => sum + this.#firstBytes(flow), 0),
    };
  }

  #operand(role: Role): Operand | null {
    return role === 'results' ? null : this.#grid.contraction[role];
  }

  #trips(mask: Mask): number {
    return tripsOf({ grid: this.#grid, rowLoop: this.#rowLoop, columnLoop: this.#columnLoop }, mask);
  }

  /** Whether results need the sums of several folds. */
  get #accumulates(): boolean {
    return this.#grid.rank.rows === 'k' && this.#grid.rows.count > 1;
  }

  #loops(operand: Operand | null): Mask {
    const extents = this.#grid.extentsOf(operand);
    return (
      batchLoop | (extents.includes('rows') ? this.#rowLoop : 0) | (extents.includes('columns') ? this.#columnLoop : 0)
    );
  }

  #reuse(operand: Operand | null): Mask {
    return (this.#rowLoop | this.#columnLoop) & ~this.#loops(operand);
  }

  /** Whether its folds share elements, so that all of them together are fewer than what the folds fetch. */
  #isWindow(operand: Operand): boolean {
    const perFold = this.#grid.distinct(operand, 0) * this.#trips(this.#loops(operand) & ~batchLoop);
    return (
      operand.access.indices.some((index) => index.terms.size > 1) && this.#grid.wholeElements(operand, 0) < perFold
    );
  }

  #phase(operand: Operand | null): Phase {
    const inTime = this.#grid.extentsOf(operand).includes('time');
    return inTime ? 'stream' : operand === null ? 'drain' : 'load';
  }

  #pieces(steps: number, tile: number): Readonly<Record<Phase, Cut>> {
    const ofTile = cutOf(this.#grid.rows.size, tile);
    return { stream: cutOf(this.#grid.blocks.size, steps), load: ofTile, drain: ofTile };
  }

  #flows(keep: ReadonlySet<Role>, steps: number, tile: number, fill: boolean): FoldFlow[] {
    const pieces = this.#pieces(steps, tile);
    const flows = roles.map((role) => {
      const operand = this.#operand(role);
      return operand === null
        ? this.#results(keep.has(role), pieces)
        : this.#operandFlow(role, operand, keep.has(role), pieces);
    });
    return fill ? flows.map((flow) => this.#deepened(flow, flows)) : flows;
  }

  #operandFlow(role: Role, operand: Operand, kept: boolean, pieces: FoldPlan['pieces']): FoldFlow {
    const grid = this.#grid;
    const phase = this.#phase(operand);
    const cut = pieces[phase];
    const loops = this.#loops(operand);
    const reuse = this.#reuse(operand);
    const valueBits = this.#buffers.bits(operand.tensor);
    const metadataBits = grid.metadataBits(operand);
    const inBytes = (elements: number, variant: number, bits: number): number =>
      Math.ceil((elements * grid.batchesIn(variant) * bits) / 8);
    const isImage = kept && this.#isWindow(operand);
    const whole = grid.wholeElements(operand, 0);
    const ofFold = (variant: number): number =>
      isImage ? this.#imageShare(operand, variant) : grid.distinct(operand, variant);
    const ofPiece = (variant: number): number => shareOf(ofFold(variant), cut, (variant & lastPiece) !== 0);
    // What a loop outside comes back to stays for all iterations of the loops inside it.
    const heldLoops = kept && reuse === outerLoop ? loops & innerLoop : 0;
    const inUse = reuse === 0 ? 1 : this.#trips(heldLoops) * cut.count;
    const stays = (elements: number): number => inBytes(elements, 0, valueBits + metadataBits);
    // The next batch's image comes while this one is in use.
    const images = Math.min(2, grid.batches.count);
    const held = isImage
      ? { bytes: images * stays(whole), pieces: inUse + cut.count }
      : kept
        ? { bytes: stays(reuse === outerLoop ? whole : grid.distinct(operand, 0)), pieces: inUse }
        : { bytes: 0, pieces: 0 };
    const byRows = grid.rank.rows === 'k';
    const atFirst = isImage && byRows && grid.extentsOf(operand).includes('rows') ? this.#rowLoop : 0;
    return this.#sized({
      role,
      operand,
      tensor: operand.tensor,
      pad: this.#buffers.pads[role],
      phase,
      loops,
      reuse,
      kept,
      isImage,
      pieces: cut,
      atFirst,
      held,
      values: (variant) => inBytes(ofPiece(variant), variant, valueBits),
      metadata: (variant) => inBytes(ofPiece(variant), variant, metadataBits),
    });
  }

  /** The part of an image that comes with one fold: all of it is shared out among the tiles of its rank beside k. */
  #imageShare(operand: Operand, variant: number): number {
    const { rank, rows, columns } = this.#grid;
    const whole = this.#grid.wholeElements(operand, variant);
    const extents = this.#grid.extentsOf(operand);
    if (extents.includes('rows') && rank.rows !== 'k') return shareOf(whole, rows, (variant & lastRows) !== 0);
    if (extents.includes('columns') && rank.columns !== 'k')
      return shareOf(whole, columns, (variant & lastColumns) !== 0);
    return whole;
  }

  #results(kept: boolean, pieces: FoldPlan['pieces']): FoldFlow {
    const grid = this.#grid;
    const tensor = grid.contraction.einsum.output.tensor;
    const phase = this.#phase(null);
    const cut = pieces[phase];
    const elementBits = this.#buffers.bits(tensor);
    const inBytes = (elements: number, variant: number): number =>
      Math.ceil((elements * grid.batchesIn(variant) * elementBits) / 8);
    const ofFold = (variant: number): number =>
      grid.tile('columns', variant) * (phase === 'stream' ? grid.stepsIn(variant) : grid.tile('rows', variant));
    const values = (variant: number): number =>
      inBytes(shareOf(ofFold(variant), cut, (variant & lastPiece) !== 0), variant);
    const loops = this.#loops(null);
    const reuse = this.#reuse(null);
    const sums = kept ? reuse : 0;
    const heldLoops = sums === outerLoop ? loops & innerLoop : 0;
    const held = kept
      ? { bytes: inBytes(ofFold(0), 0) * this.#trips(heldLoops), pieces: this.#trips(heldLoops) * cut.count }
      : { bytes: 0, pieces: 0 };
    return this.#sized({
      role: 'results',
      operand: null,
      tensor,
      pad: this.#buffers.pads.results,
      phase,
      loops,
      reuse,
      kept,
      isImage: false,
      pieces: cut,
      atFirst: 0,
      held,
      values,
      metadata: () => 0,
    });
  }

  #sized(flow: Omit<FoldFlow, 'slots' | 'space'>): FoldFlow {
    const { total, least } = this.#slotRange(flow);
    return withSlots(flow, Math.min(total, least));
  }

  #slotRange(flow: Omit<FoldFlow, 'slots' | 'space'>): { total: number; least: number } {
    const total = this.#trips(flow.loops) * flow.pieces.count;
    // Sums that go to memory and come back need buffers both ways.
    const ways = flow.role === 'results' && this.#accumulates && !flow.kept ? 2 : 1;
    const fetched = flow.kept ? total : total * this.#trips(flow.reuse);
    const inFlight = flow.isImage ? 0 : 1;
    return { total: fetched * ways, least: flow.kept ? flow.held.pieces + inFlight : 2 * ways };
  }

  /**
   * Uses what its scratchpad has left for more pieces in flight: those of the next fold and what covers the memory's latency.
   * More would take the memory from what is needed sooner.
   */
  #deepened(flow: FoldFlow, flows: readonly FoldFlow[]): FoldFlow {
    const together = flows.filter(({ pad }) => pad === flow.pad);
    const left = this.#buffers.capacity.get(flow.pad)! - together.reduce((sum, { space }) => sum + space, 0);
    const more = Math.floor(left / together.length / largestPiece(flow));
    if (flow.isImage) return flow;
    const ahead = (2 + Math.ceil(this.#buffers.latency / this.#grid.cycles.period)) * flow.pieces.count;
    const useful = Math.min(this.#slotRange(flow).total, flow.held.pieces + ahead);
    return withSlots(flow, Math.max(flow.slots, Math.min(useful, flow.slots + more)));
  }

  #excess(flows: readonly FoldFlow[]): BindError | null {
    for (const [pad, capacity] of this.#buffers.capacity) {
      const mine = flows.filter((flow) => flow.pad === pad);
      const needed = mine.reduce((sum, { space }) => sum + space, 0);
      if (needed <= capacity) continue;
      const list = mine.map(
        ({ tensor, slots, space }) => `${tensor} ${slots} x ${bytesText(Math.ceil(space / slots))}`,
      );
      return new BindError(
        `${pad} is too small by ${bytesText(needed - capacity)}: it holds ${bytesText(capacity)}, and ${bytesText(needed)} are needed; largest: ${list.join(', ')}`,
        'partition',
        undefined,
        needed - capacity,
      );
    }
    return null;
  }

  #firstBytes(flow: FoldFlow): number {
    return flow.operand === null ? 0 : bytesOf(flow, 0) * (flow.phase === 'load' ? flow.pieces.count : 1);
  }
}

function withSlots(flow: Omit<FoldFlow, 'slots' | 'space'>, slots: number): FoldFlow {
  return { ...flow, slots, space: flow.held.bytes + Math.max(0, slots - flow.held.pieces) * largestPiece(flow) };
}

function largestPiece(flow: Pick<FoldFlow, 'values' | 'metadata'>): number {
  return Math.max(1, bytesOf(flow, 0), bytesOf(flow, lastPiece));
}

export function bytesOf({ values, metadata }: Pick<FoldFlow, 'values' | 'metadata'>, variant: number): number {
  return values(variant) + metadata(variant);
}

/** The largest of 1 to `most` that passes, when all smaller ones pass too; 0 when none does. */
function largest(most: number, passes: (n: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
