/**
 * A contraction cut into folds of a systolic array: how many, how large, and what each needs. One fold is what the array
 * does with one tile of its stationary operand (of its results, output-stationary). Lists named "per variant" have an
 * entry for every set of loops in their last iteration, where tiles may be smaller: bits as in `lastBatch` and so on.
 */
import type { ArrayPart } from '../../arch/language/arch.ts';
import { keptAlong, metadataBits } from '../../workloads/language/sparsity.ts';
import { type FoldCycles, foldCycles } from '../compute/array.ts';
import { type Contraction, distinctElements, type Operand, type Side } from './contraction.ts';

export type Rank = 'm' | 'n' | 'k';

/** Which rank of the product lies over the array's rows, over its columns, and which one streams through. */
const layouts: Readonly<Record<ArrayPart['dataflow'], Readonly<Record<'rows' | 'columns' | 'time', Rank>>>> = {
  'output-stationary': { rows: 'm', columns: 'n', time: 'k' },
  'weight-stationary': { rows: 'k', columns: 'n', time: 'm' },
  'input-stationary': { rows: 'k', columns: 'm', time: 'n' },
};

/** Sides of a fold's space that an operand or the result lies along. */
export type Extent = 'rows' | 'columns' | 'time';

/** An extent in tiles: all `count` of them of `size`, but the last one of `last`. */
export interface Cut {
  readonly size: number;
  readonly last: number;
  readonly count: number;
}

export function cutOf(extent: number, size: number): Cut {
  const count = Math.ceil(extent / size);
  return { size: Math.min(size, extent), last: extent - (count - 1) * size, count };
}

/** Bits of a variant. */
export const lastBatch = 1;
export const lastRows = 2;
export const lastColumns = 4;
/** The last piece of a fold's stream, load or drain. */
export const lastPiece = 8;
export const variants = 16;

export class FoldGrid {
  readonly contraction: Contraction;
  readonly array: ArrayPart;
  readonly rank: Readonly<Record<Extent, Rank>>;
  /** Batches in turn, each of as many as the arrays take at once. */
  readonly batches: Cut;
  readonly rows: Cut;
  /** Of `arrays` side by side. */
  readonly columns: Cut;
  /** Steps that stream through in a fold. */
  readonly time: number;
  /** Folds of a single array, as in SCALE-Sim: row folds x column folds x batches. */
  readonly folds: number;
  readonly cycles: FoldCycles;
  readonly #distinct = new Map<Operand, Map<number, number>>();

  constructor(contraction: Contraction, array: ArrayPart, interval: number) {
    this.contraction = contraction;
    this.array = array;
    this.rank = layouts[array.dataflow];
    const size = (extent: Extent): number => this.#size(this.rank[extent]);
    const columnFolds = Math.ceil(size('columns') / array.columns);
    const sideBySide = Math.min(array.count, columnFolds);
    this.batches = cutOf(contraction.batch.size, Math.max(1, Math.floor(array.count / sideBySide)));
    this.rows = cutOf(size('rows'), array.rows);
    this.columns = cutOf(size('columns'), array.columns * sideBySide);
    this.time = size('time');
    this.folds = this.rows.count * columnFolds * contraction.batch.size;
    this.cycles = foldCycles(array, this.time * interval);
  }

  /** The sparse operand, when the array passes over its zeros. */
  get sparse(): Operand | null {
    const { inputs, weights, k } = this.contraction;
    const skipped = [weights, inputs].find(
      ({ sparsity }) =>
        sparsity !== null && k.variables.includes(sparsity.along) && sparsity.pattern.kept < sparsity.pattern.of,
    );
    return this.array.sparsity === 'structured' && skipped ? skipped : null;
  }

  /** Extent of a rank of the product as the array sees it: without the values of k that a sparse operand leaves out. */
  #size(rank: Rank): number {
    const { size } = this.contraction[rank];
    const { sparse } = this;
    if (rank !== 'k' || sparse === null) return size;
    const { pattern, along } = sparse.sparsity!;
    const extent = this.contraction.extents.get(along)!;
    return (size / extent) * keptAlong(extent, pattern);
  }

  /** Steps of k that the array takes: without those that a sparse operand leaves out. */
  get depth(): number {
    return this.#size('k');
  }

  /** Share of the PEs that have work, on average over the folds. */
  get mappingEfficiency(): number {
    const work = this.#size(this.rank.rows) * this.#size(this.rank.columns) * this.contraction.batch.size;
    return work / (this.folds * this.array.rows * this.array.columns);
  }

  tile(extent: 'rows' | 'columns', variant: number): number {
    const cut = this[extent];
    return variant & (extent === 'rows' ? lastRows : lastColumns) ? cut.last : cut.size;
  }

  batchesIn(variant: number): number {
    return variant & lastBatch ? this.batches.last : this.batches.size;
  }

  extentsOf(operand: Operand | null): Extent[] {
    const { inputs } = this.contraction;
    const ranks: readonly Rank[] = operand === null ? ['m', 'n'] : operand === inputs ? ['m', 'k'] : ['k', 'n'];
    return (['rows', 'columns', 'time'] as const).filter((extent) => ranks.includes(this.rank[extent]));
  }

  /**
   * Elements of an operand that one batch of a fold sends into the array, in one of the pieces that its time is cut into
   * or in all of it. What a dense operand has at places that the sparse one leaves out is sent too: PEs choose from it.
   */
  elements(operand: Operand, variant: number, piece: Cut | null): number {
    return this.extentsOf(operand).reduce((n, extent) => n * this.#span(operand, extent, variant, piece), 1);
  }

  /** Distinct elements of an operand in a whole fold: what has to be fetched for it, once per batch. */
  distinct(operand: Operand, variant: number): number {
    const known = this.#distinct.get(operand) ?? new Map<number, number>();
    this.#distinct.set(operand, known);
    // The only extents of a whole fold that vary.
    const kind = variant & (lastRows | lastColumns);
    const count = known.get(kind) ?? this.#countDistinct(operand, variant);
    known.set(kind, count);
    return count;
  }

  #countDistinct(operand: Operand, variant: number): number {
    if (operand === this.sparse) return this.elements(operand, variant, null);
    const blocks = this.extentsOf(operand).map((extent): [Side, number] => [
      this.contraction[this.rank[extent]],
      this.#span(operand, extent, variant, null),
    ]);
    return distinctElements(this.contraction, operand, blocks);
  }

  /** Distinct elements of all folds of a batch together. */
  wholeElements(operand: Operand): number {
    const sides = this.extentsOf(operand).map((extent) => this.rank[extent]);
    if (operand === this.sparse) return sides.reduce((n, rank) => n * this.#size(rank), 1);
    return distinctElements(
      this.contraction,
      operand,
      sides.map((rank) => [this.contraction[rank], this.contraction[rank].size]),
    );
  }

  #span(operand: Operand, extent: Extent, variant: number, piece: Cut | null): number {
    const isLastPiece = (variant & lastPiece) !== 0;
    const own = extent !== 'time' ? this.tile(extent, variant) : piece ? pieceOf(piece, isLastPiece) : this.time;
    const { sparse } = this;
    if (this.rank[extent] !== 'k' || sparse === null || operand === sparse) return own;
    const dense = this.contraction.k.size;
    const cut = extent === 'time' ? piece : this.rows;
    if (cut === null) return dense;
    const share = this.denseSteps(extent, cut);
    const isLast = extent === 'time' ? isLastPiece : (variant & lastRows) !== 0;
    return isLast ? dense - (cut.count - 1) * share : share;
  }

  /** Values of an extent's rank that each tile but the last stands for: more than its size where k is compressed. */
  denseSteps(extent: Extent, cut: Cut): number {
    const { sparse } = this;
    if (this.rank[extent] !== 'k' || sparse === null) return cut.size;
    const { kept, of } = sparse.sparsity!.pattern;
    return Math.floor((cut.size * of) / kept);
  }

  /** Bits that say where one element of an operand lies in its block; 0 when it is not compressed. */
  metadataBits(operand: Operand): number {
    return operand === this.sparse ? metadataBits(operand.sparsity!.pattern) : 0;
  }
}

export function pieceOf(cut: Cut, isLast: boolean): number {
  return isLast ? cut.last : cut.size;
}

/** A whole number shared out to pieces in proportion to their size, the last one taking what is left. */
export function shareOf(total: number, cut: Cut, isLast: boolean): number {
  const extent = (cut.count - 1) * cut.size + cut.last;
  const share = Math.floor((total * cut.size) / extent);
  return isLast ? total - (cut.count - 1) * share : share;
}
