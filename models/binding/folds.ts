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
  /** Batches in turn, each of as many as the arrays take at once; or, where there is one batch, blocks of time. */
  readonly batches: Cut;
  /** Rows and columns of all arrays that work side by side. */
  readonly rows: Cut;
  readonly columns: Cut;
  /** What streams through, in blocks: each of them passes through all folds before the next one does. */
  readonly blocks: Cut;
  /** Folds of a single array, as in SCALE-Sim: row folds x column folds x batches, for each block. */
  readonly folds: number;
  /** Those of a fold of a whole block. */
  readonly cycles: FoldCycles;
  readonly #interval: number;
  /** Arrays that share the steps of a fold. */
  readonly #sharers: number;
  readonly #distinct = new Map<Operand, Map<number, number>>();

  /**
   * `interval` is in cycles per step; time is cut into about `blocks` blocks. Equal arrays work side by side on folds over
   * columns, then on batches; what is left of them shares the steps of a fold, or folds over rows, output-stationary.
   */
  constructor(contraction: Contraction, array: ArrayPart, interval: number, blocks = 1) {
    this.contraction = contraction;
    this.array = array;
    this.rank = layouts[array.dataflow];
    this.#interval = interval;
    const size = (extent: Extent): number => this.#size(this.rank[extent]);
    const [rowFolds, columnFolds] = [Math.ceil(size('rows') / array.rows), Math.ceil(size('columns') / array.columns)];
    const onColumns = Math.min(array.count, columnFolds);
    const onBatches = Math.min(Math.floor(array.count / onColumns), contraction.batch.size);
    const left = Math.floor(array.count / onColumns / onBatches);
    const onRows = this.rank.time === 'k' ? Math.min(left, rowFolds) : 1;
    this.#sharers = this.rank.time === 'k' ? 1 : Math.min(left, size('time'));
    this.rows = cutOf(size('rows'), array.rows * onRows);
    this.columns = cutOf(size('columns'), array.columns * onColumns);
    this.blocks = cutOf(size('time'), Math.ceil(size('time') / blocks));
    this.batches = blocks === 1 ? cutOf(contraction.batch.size, onBatches) : cutOf(this.blocks.count, 1);
    this.folds = rowFolds * columnFolds * contraction.batch.size * this.blocks.count;
    this.cycles = this.cyclesIn(0);
  }

  /** Whether another number of blocks is possible: only where each can be taken for a batch, and results are not split. */
  get canBlock(): boolean {
    return this.contraction.batch.size === 1 && this.rank.time !== 'k';
  }

  /** Steps of k or of a block of time. */
  stepsIn(variant: number): number {
    return variant & lastBatch ? this.blocks.last : this.blocks.size;
  }

  cyclesIn(variant: number): FoldCycles {
    return foldCycles(this.array, Math.ceil(this.stepsIn(variant) / this.#sharers) * this.#interval);
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
    const kind = variant & (lastBatch | lastRows | lastColumns);
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

  /** Distinct elements of all folds of a batch, or of a block, together. */
  wholeElements(operand: Operand, variant: number): number {
    const sizeOf = (extent: Extent, size: number): number =>
      extent === 'time' && this.blocks.count > 1 ? this.stepsIn(variant) : size;
    const extents = this.extentsOf(operand);
    if (operand === this.sparse) {
      return extents.reduce((n, extent) => n * sizeOf(extent, this.#size(this.rank[extent])), 1);
    }
    const sides = extents.map((extent): [Side, number] => {
      const side = this.contraction[this.rank[extent]];
      return [side, sizeOf(extent, side.size)];
    });
    return distinctElements(this.contraction, operand, sides);
  }

  #span(operand: Operand, extent: Extent, variant: number, piece: Cut | null): number {
    const isLastPiece = (variant & lastPiece) !== 0;
    const own =
      extent !== 'time' ? this.tile(extent, variant) : piece ? this.pieceSteps(variant, piece) : this.stepsIn(variant);
    const { sparse } = this;
    if (this.rank[extent] !== 'k' || sparse === null || operand === sparse) return own;
    const dense = this.contraction.k.size;
    const cut = extent === 'time' ? piece : this.rows;
    if (cut === null) return dense;
    const share = this.denseSteps(extent, cut);
    const isLast = extent === 'time' ? isLastPiece : (variant & lastRows) !== 0;
    return isLast ? dense - (cut.count - 1) * share : share;
  }

  /** Steps of one of the pieces that a block is cut into: those of the last block are as many, and smaller. */
  pieceSteps(variant: number, piece: Cut): number {
    return shareOf(this.stepsIn(variant), piece, (variant & lastPiece) !== 0);
  }

  /**
   * Values of an extent's rank that each tile but the last stands for: where k is compressed, its share of all of k, of
   * which a sparse operand keeps `depth`.
   */
  denseSteps(extent: Extent, cut: Cut): number {
    if (this.rank[extent] !== 'k' || this.sparse === null) return cut.size;
    return Math.floor((cut.size * this.contraction.k.size) / this.depth);
  }

  /** Bits that say where one element of an operand lies in its block; 0 when it is not compressed. */
  metadataBits(operand: Operand): number {
    return operand === this.sparse ? metadataBits(operand.sparsity!.pattern) : 0;
  }
}

/** A whole number shared out to pieces in proportion to their size, the last one taking what is left. */
export function shareOf(total: number, cut: Cut, isLast: boolean): number {
  const extent = (cut.count - 1) * cut.size + cut.last;
  const share = Math.floor((total * cut.size) / extent);
  return isLast ? total - (cut.count - 1) * share : share;
}
