/** The registers, edges and memories of the systolic arrays that systolic-array.ts defines. */

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Something enters or leaves the array. */
export interface Crossing {
  readonly cycle: number;
  readonly port: 'weight' | 'left' | 'top' | 'result';
  /** Column, or row at the left. */
  readonly lane: number;
  readonly fold: number;
  /** Step; the row of a weight, and of an output-stationary result. */
  readonly index: number;
}

/** Two numbers in one place, or none where one is needed: something was started too early. */
export class Hazard extends Error {}

/** What the two kinds of array have in common: operands that enter at the left, and results that leave. */
export abstract class Hardware {
  readonly size: Size;
  /** First row and column of every fold of the matrix that lies over the array, row folds fastest. */
  readonly folds: readonly { readonly row: number; readonly column: number }[];
  /** The cycle that the next tick plays. */
  now = 0;
  /** In the order in which they happened, since this array or copy was made. */
  readonly crossings: Crossing[] = [];
  protected left: Side<Operand>;
  /** Results of folds that began to stream which are still to come. */
  protected due = 0;

  /** The matrix that lies over the array is `rows` x `columns`. */
  constructor(size: Size, rows: number, columns: number) {
    this.size = size;
    const folds: { row: number; column: number }[] = [];
    for (let column = 0; column < columns; column += size.columns) {
      for (let row = 0; row < rows; row += size.rows) folds.push({ row, column });
    }
    this.folds = folds;
    this.left = new Side(size.rows);
  }

  abstract readonly product: Matrix;
  /** Begins to send a fold's weights in. */
  abstract load(fold: number): void;
  /** Begins to send a fold's moving operands in. */
  abstract stream(fold: number): void;
  /** Plays a cycle. @throws Hazard */
  abstract tick(): void;
  /** As it stands, with no crossings noted. */
  abstract copy(): Hardware;

  /** Every result that is due has left. */
  get isDrained(): boolean {
    return this.due === 0;
  }

  /** Nothing is on its way. */
  get isSettled(): boolean {
    return this.isDrained;
  }

  /** What enters a lane of one side in this cycle. */
  protected enter<T extends Token>(port: 'weight' | 'left' | 'top', side: Side<T>, lane: number): T | null {
    const token = side.take(lane, this.now);
    if (token) this.note(port, lane, token);
    return token;
  }

  protected note(port: Crossing['port'], lane: number, { fold, index }: Token): void {
    this.crossings.push({ cycle: this.now, port, lane, fold, index });
  }

  protected copyTo(copy: Hardware): void {
    copy.left = this.left.copy();
    copy.due = this.due;
    copy.now = this.now;
  }
}

/** A number on its way, of which fold, and of which step or row of the fold. */
interface Token {
  readonly value: number;
  readonly fold: number;
  readonly index: number;
}

/** An operand; PEs obey its marks, its fold and step are there to be checked. */
interface Operand extends Token {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** What enters the lanes of one side of the array, by cycle; a lane takes one number per cycle. */
class Side<T> {
  #lanes: readonly Map<number, T>[];

  constructor(lanes: number) {
    this.#lanes = Array.from({ length: lanes }, () => new Map<number, T>());
  }

  get isEmpty(): boolean {
    return this.#lanes.every((lane) => lane.size === 0);
  }

  put(lane: number, cycle: number, token: T): void {
    if (this.#lanes[lane]!.has(cycle)) throw new Hazard(`two numbers enter lane ${lane} in cycle ${cycle}`);
    this.#lanes[lane]!.set(cycle, token);
  }

  /** Skewed: what belongs to one step enters each lane a cycle after the lane before. */
  putSkewed(start: number, steps: number, token: (lane: number, step: number) => T): void {
    this.#lanes.forEach((_, lane) => {
      for (let step = 0; step < steps; step++) this.put(lane, start + step + lane, token(lane, step));
    });
  }

  take(lane: number, cycle: number): T | null {
    const token = this.#lanes[lane]!.get(cycle) ?? null;
    this.#lanes[lane]!.delete(cycle);
    return token;
  }

  copy(): Side<T> {
    const copy = new Side<T>(0);
    copy.#lanes = this.#lanes.map((lane) => new Map(lane));
    return copy;
  }
}

/** Registers of a PE that keeps a weight; what each kind of PE has of them is at its kind. */
interface WeightPE {
  readonly loading: Token | null;
  readonly inUse: Token | null;
  readonly moving: Operand | null;
  readonly sum: Token | null;
}

/** What comes to a PE in a cycle: from above a weight, from the left an operand, from above a sum. */
type WeightInputs = Readonly<Record<'weight' | 'sum', Token | null> & { moving: Operand | null }>;

/** A PE's registers after a cycle with these inputs. @throws Hazard */
export type WeightPEKind = (pe: WeightPE, row: number, inputs: WeightInputs) => WeightPE;

/** P[T,N] = X[T,K] W[K,N] with W in the PEs. The index of a weight is the row of the array in which it stays. */
export class WeightStationary extends Hardware {
  readonly #x: Matrix;
  readonly #w: Matrix;
  readonly #clock: WeightPEKind;
  #weights: Side<Token>;
  #sums: Side<Token>;
  #pes: readonly (readonly WeightPE[])[];
  /** Accumulators, by step and column of P: the sum so far, and at which row of W it goes on. */
  #memory: { readonly value: number; readonly nextRow: number }[][];

  constructor(size: Size, x: Matrix, w: Matrix, clock: WeightPEKind) {
    super(size, w.length, w[0]!.length);
    this.#x = x;
    this.#w = w;
    this.#clock = clock;
    this.#weights = new Side(size.columns);
    this.#sums = new Side(size.columns);
    this.#pes = gridOf<WeightPE>(size, { loading: null, inUse: null, moving: null, sum: null });
    const columns = this.folds.at(-1)!.column + size.columns;
    this.#memory = x.map(() => Array(columns).fill({ value: 0, nextRow: 0 }));
  }

  get product(): Matrix {
    return this.#memory.map((sums) => this.#w[0]!.map((_, column) => sums[column]!.value));
  }

  override get isSettled(): boolean {
    const inPlace = this.#pes.every((pes, row) =>
      pes.every(({ loading }) => loading === null || loading.index === row),
    );
    return this.isDrained && this.#weights.isEmpty && inPlace;
  }

  load(fold: number): void {
    const first = this.folds[fold]!;
    const { rows } = this.size;
    this.#weights.putSkewed(this.now, rows, (lane, step) => {
      const index = rows - 1 - step;
      return { value: element(this.#w, first.row + index, first.column + lane), fold, index };
    });
  }

  stream(fold: number): void {
    const { row } = this.folds[fold]!;
    const steps = this.#x.length;
    this.left.putSkewed(this.now, steps, (lane, step) =>
      operand(fold, step, steps, element(this.#x, step, row + lane)),
    );
    this.#sums.putSkewed(this.now, steps, (_, index) => ({ value: Number.NaN, fold, index }));
    this.due += steps * this.size.columns;
  }

  tick(): void {
    const before = this.#pes;
    const left = before.map((_, row) => this.enter('left', this.left, row));
    const weights = before[0]!.map((_, column) => this.enter('weight', this.#weights, column));
    const sums = before[0]!.map((_, column) => this.#readSum(column));
    this.#pes = before.map((pes, row) =>
      pes.map((pe, column) => {
        const above = row === 0 ? null : before[row - 1]![column]!;
        return this.#clock(pe, row, {
          weight: above ? passedDown(above, row - 1) : weights[column]!,
          moving: column === 0 ? left[row]! : pes[column - 1]!.moving,
          sum: above ? above.sum : sums[column]!,
        });
      }),
    );
    this.#pes.at(-1)!.forEach(({ sum }, column) => {
      if (sum) this.#writeSum(sum, column);
    });
    this.now++;
  }

  copy(): WeightStationary {
    const copy = new WeightStationary(this.size, this.#x, this.#w, this.#clock);
    this.copyTo(copy);
    copy.#weights = this.#weights.copy();
    copy.#sums = this.#sums.copy();
    copy.#pes = this.#pes;
    copy.#memory = this.#memory.map((sums) => [...sums]);
    return copy;
  }

  /** A sum that enters at the top, as the accumulators hold it in this cycle. */
  #readSum(lane: number): Token | null {
    const sum = this.enter('top', this.#sums, lane);
    if (!sum) return null;
    const { row, column } = this.folds[sum.fold]!;
    const { value, nextRow } = this.#memory[sum.index]![column + lane]!;
    if (nextRow !== row) throw new Hazard(`fold ${sum.fold} reads a sum in cycle ${this.now} that is not there yet`);
    return { ...sum, value };
  }

  /** A sum that leaves below; it can be read in the next cycle. */
  #writeSum(sum: Token, lane: number): void {
    const { row, column } = this.folds[sum.fold]!;
    this.#memory[sum.index]![column + lane] = { value: sum.value, nextRow: row + this.size.rows };
    this.due--;
    this.note('result', lane, sum);
  }
}

/** What the loading register of a PE gives to the PE below: a weight that is not for its own row. */
function passedDown({ loading }: WeightPE, row: number): Token | null {
  return loading?.index === row ? null : loading;
}

/** A register for the weight in use and one for that which is loaded meanwhile, by a way of its own down the column. */
export const twoWeightPE: WeightPEKind = (pe, row, { weight, moving, sum }) => {
  let { loading, inUse } = pe;
  if (passedDown(pe, row)) loading = null;
  if (moving?.isFirst) {
    if (!loading) throw new Hazard(`fold ${moving.fold} begins in row ${row} before its weight is there`);
    inUse = loading;
    loading = null;
  }
  if (weight && loading) throw new Hazard(`fold ${weight.fold} overwrites a weight of fold ${loading.fold}`);
  loading = weight ?? loading;
  return { loading, inUse, moving, sum: multiplyAdd(row, inUse, moving, sum) };
};

/**
 * One register for a weight, and one down the column for a sum or for a weight on its way to a row below: `loading` and
 * `sum` are that register, which holds one of them. A weight can be used in the cycle at whose end the next one replaces
 * it, and not in that at whose end it comes.
 */
export const oneWeightPE: WeightPEKind = (pe, row, { weight, moving, sum }) => {
  if (weight && sum) throw new Hazard(`a weight of fold ${weight.fold} and a sum of fold ${sum.fold} come at once`);
  const isOwn = weight?.index === row;
  return {
    loading: isOwn ? null : weight,
    inUse: isOwn ? weight : pe.inUse,
    moving,
    sum: multiplyAdd(row, pe.inUse, moving, sum),
  };
};

/** The sum that leaves a PE of this row. */
function multiplyAdd(row: number, inUse: Token | null, moving: Operand | null, sum: Token | null): Token | null {
  if (!moving && !sum) return null;
  if (!belongTogether(moving, sum) || moving?.fold !== inUse?.fold) {
    throw new Hazard(`an operand, a sum and a weight meet in row ${row} that do not belong together`);
  }
  return { ...sum!, value: sum!.value + moving!.value * inUse!.value };
}

/** Registers of a PE that keeps a sum. */
interface OutputPE {
  readonly left: Operand | null;
  readonly top: Operand | null;
  readonly sum: number;
}

/** Z[M,N] = A[M,K] B[K,N] with Z in the PEs. */
export class OutputStationary extends Hardware {
  readonly #a: Matrix;
  readonly #b: Matrix;
  #top: Side<Operand>;
  #pes: readonly (readonly OutputPE[])[];
  readonly product: number[][];

  constructor(size: Size, a: Matrix, b: Matrix) {
    super(size, a.length, b[0]!.length);
    this.#a = a;
    this.#b = b;
    this.#top = new Side(size.columns);
    this.#pes = gridOf<OutputPE>(size, { left: null, top: null, sum: Number.NaN });
    this.product = a.map(() => b[0]!.map(() => Number.NaN));
  }

  /** There is nothing to load. */
  load(): void {}

  stream(fold: number): void {
    const { row, column } = this.folds[fold]!;
    const steps = this.#b.length;
    this.left.putSkewed(this.now, steps, (lane, step) =>
      operand(fold, step, steps, element(this.#a, row + lane, step)),
    );
    this.#top.putSkewed(this.now, steps, (lane, step) =>
      operand(fold, step, steps, element(this.#b, step, column + lane)),
    );
    this.due += this.size.rows * this.size.columns;
  }

  tick(): void {
    const before = this.#pes;
    const left = before.map((_, row) => this.enter('left', this.left, row));
    const top = before[0]!.map((_, column) => this.enter('top', this.#top, column));
    this.#pes = before.map((pes, row) =>
      pes.map((pe, column) =>
        clockOutputPE(pe, {
          left: column === 0 ? left[row]! : pes[column - 1]!.left,
          top: row === 0 ? top[column]! : before[row - 1]![column]!.top,
        }),
      ),
    );
    for (let column = 0; column < this.size.columns; column++) this.#leave(column);
    this.now++;
  }

  copy(): OutputStationary {
    const copy = new OutputStationary(this.size, this.#a, this.#b);
    this.copyTo(copy);
    copy.#top = this.#top.copy();
    copy.#pes = this.#pes;
    return copy;
  }

  /** What the PEs of a column put on its result wire in this cycle. */
  #leave(lane: number): void {
    const done = [...this.#pes.keys()].filter((row) => this.#pes[row]![lane]!.left?.isLast);
    if (done.length > 1) throw new Hazard(`two results on the wire of column ${lane} in cycle ${this.now}`);
    for (const index of done) {
      const { left, sum } = this.#pes[index]![lane]!;
      const first = this.folds[left!.fold]!;
      const results = this.product[first.row + index];
      if (results && first.column + lane < results.length) results[first.column + lane] = sum;
      this.due--;
      this.note('result', lane, { value: sum, fold: left!.fold, index });
    }
  }
}

/** A PE's registers after a cycle with these inputs. */
function clockOutputPE({ sum }: OutputPE, { left, top }: { left: Operand | null; top: Operand | null }): OutputPE {
  if (!left && !top) return { left, top, sum };
  if (!belongTogether(left, top)) throw new Hazard('two operands meet that do not belong together');
  return { left, top, sum: (left!.isFirst ? 0 : sum) + left!.value * top!.value };
}

function gridOf<PE>({ rows, columns }: Size, empty: PE): PE[][] {
  return Array.from({ length: rows }, () => Array<PE>(columns).fill(empty));
}

function operand(fold: number, step: number, steps: number, value: number): Operand {
  return { value, fold, index: step, isFirst: step === 0, isLast: step === steps - 1 };
}

function belongTogether(one: Token | null, other: Token | null): boolean {
  return one?.fold === other?.fold && one?.index === other?.index;
}

/** Zero beyond the edges. */
function element(matrix: Matrix, row: number, column: number): number {
  return matrix[row]?.[column] ?? 0;
}
