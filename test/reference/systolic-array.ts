/**
 * The slow twin of the systolic timing in models/compute/array.ts: R x C PEs with registers, ticked every cycle, through
 * which the numbers of a matrix product move. It has no formula for cycles: what enters and what leaves is observed.
 *
 * All registers are written at the end of a cycle, so what enters a PE in a cycle is at its neighbour's input in the next
 * one. A result leaves in the cycle in which its last product is added. Rows and columns that a fold does not use carry
 * zeros, so that a fold always takes the whole array. Column folds are the outer loop, row folds the inner one.
 *
 * Weight-stationary. A fold that starts in cycle L sends the weights of its bottom row into the top edge of column c in
 * cycle L + c, those of the row above in the next cycle, and so on. Weights move down one PE per cycle through a chain
 * of loading registers, and each stays in its own row. The moving operands of step t enter row r at the left in cycle
 * S + t + r, S being when the fold begins to stream, and move right; a mark on step 0 makes each PE take over the weight
 * in its loading register. A sum enters column c at the top in cycle S + t + c, either 0 or what the row fold before
 * left in the accumulator memory, moves down, and leaves below the bottom row. Input-stationary is the same for
 * transposed matrices: inputs stay, weights move.
 *
 * With overlap drain a PE has one weight register, and no chain of loading registers: weights take the way of the sums
 * down a column, and each goes into the weight register of its own row, over what is there.
 *
 * Output-stationary. A[r,k] enters row r at the left in cycle S + k + r and moves right, B[k,c] enters column c at the
 * top in cycle S + k + c and moves down. A PE adds up its K products; the last one carries a mark, on which the sum
 * leaves over the column's result wire, which carries one result per cycle.
 *
 * With no overlap a fold starts when the last result of the one before has left. With preload its weights are loaded as
 * early as the registers allow, and it begins to stream when that result has left; output-stationary, there is nothing
 * to load. With overlap drain and full it does everything as early as its hardware allows. What the hardware allows is tried out
 * on a copy: a start is too early when a weight is used before it is in its place or overwritten before it is used,
 * when a sum is read before it is written, or when two numbers are in one place.
 */
import type { ArrayPart } from '../../arch/language/arch.ts';
import {
  type Crossing,
  type Hardware,
  Hazard,
  type Matrix,
  OutputStationary,
  oneWeightPE,
  twoWeightPE,
  type WeightPEKind,
  WeightStationary,
} from './systolic-pes.ts';

export type SystolicArray = Pick<ArrayPart, 'rows' | 'columns' | 'dataflow' | 'overlap'>;

/** The cycle in which the first weight of a fold enters, and that of its first moving operand; equal without weights. */
export interface FoldStart {
  readonly load: number;
  readonly stream: number;
}

export interface Run {
  readonly product: Matrix;
  /** From the first thing that enters to the last result that leaves. */
  readonly cycles: number;
  readonly folds: readonly (FoldStart & { readonly lastResult: number })[];
  /** All that entered and left, in order of time. */
  readonly crossings: readonly Crossing[];
}

/** Z[M,N] = A[M,K] B[K,N], every fold started as early as the overlap and the hardware allow. */
export function multiply(array: SystolicArray, a: Matrix, b: Matrix): Run {
  const hardware = build(array, a, b);
  const count = hardware.folds.length;
  let loaded = 0;
  let streamed = 0;
  const start = (): boolean => {
    const isDrained = hardware.isDrained;
    if (streamed < loaded) {
      const isAllowed = isDrained || array.overlap === 'drain' || array.overlap === 'full';
      if (!isAllowed || !works(hardware, (copy) => copy.stream(streamed))) return false;
      hardware.stream(streamed++);
    } else {
      const isAllowed = loaded < count && (isDrained || array.overlap !== 'none');
      if (!isAllowed || !works(hardware, (copy) => copy.load(loaded))) return false;
      hardware.load(loaded++);
    }
    return true;
  };
  while (streamed < count || !hardware.isSettled) {
    while (start());
    if (streamed < count && hardware.isSettled) throw new Hazard(`fold ${streamed} can never start`);
    hardware.tick();
  }
  return runOf(hardware, array);
}

/** The same with every fold started when told. @throws Hazard when the hardware cannot do that. */
export function multiplyAt(array: SystolicArray, a: Matrix, b: Matrix, starts: readonly FoldStart[]): Run {
  const hardware = build(array, a, b);
  const last = Math.max(...starts.map(({ stream }) => stream));
  while (hardware.now <= last || !hardware.isSettled) {
    starts.forEach(({ load, stream }, fold) => {
      if (load === hardware.now) hardware.load(fold);
      if (stream === hardware.now) hardware.stream(fold);
    });
    hardware.tick();
  }
  return runOf(hardware, array);
}

function build(array: SystolicArray, a: Matrix, b: Matrix): Hardware {
  switch (array.dataflow) {
    case 'output-stationary':
      return new OutputStationary(array, a, b);
    case 'weight-stationary':
      return new WeightStationary(array, a, b, kindOfPE(array));
    case 'input-stationary':
      return new WeightStationary(array, transposed(b), transposed(a), kindOfPE(array));
  }
}

function kindOfPE({ overlap }: SystolicArray): WeightPEKind {
  return overlap === 'drain' ? oneWeightPE : twoWeightPE;
}

/** Whether the hardware comes to rest without a hazard if this is begun now, and nothing after it. */
function works(hardware: Hardware, begin: (copy: Hardware) => void): boolean {
  const copy = hardware.copy();
  try {
    begin(copy);
    while (!copy.isSettled) copy.tick();
  } catch (error) {
    if (error instanceof Hazard) return false;
    throw error;
  }
  return true;
}

function runOf({ crossings, folds, product }: Hardware, { dataflow }: SystolicArray): Run {
  const ofFolds = folds.map((): Crossing[] => []);
  for (const crossing of crossings) ofFolds[crossing.fold]!.push(crossing);
  return {
    product: dataflow === 'input-stationary' ? transposed(product) : product,
    cycles: crossings.at(-1)!.cycle - crossings[0]!.cycle + 1,
    folds: ofFolds.map((own) => ({
      load: own[0]!.cycle,
      stream: own.find(({ port }) => port === 'left')!.cycle,
      lastResult: own.at(-1)!.cycle,
    })),
    crossings,
  };
}

function transposed(matrix: Matrix): Matrix {
  return matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));
}
