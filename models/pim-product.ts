/** Where the matrices of a product lie in a memory that computes, and what its channels do for a tile of it. */
import { banksOf, type DramDevice } from '../arch/language/dram/device.ts';
import type { PimProgram } from '../workloads/language/pim-program.ts';
import type { Box } from '../workloads/language/region.ts';
import { attentionRows, contextJobs, logitJobs } from '../workloads/pim/attention.ts';
import { gemv } from '../workloads/pim/gemv.ts';
import type { Product, Tile } from './binding/program.ts';

/** Commands for one channel. */
export interface PimTask {
  readonly channel: number;
  readonly program: PimProgram;
  /** Of a vector that is written before: the row of the first bank, and bytes. Null where commands bring it. */
  readonly vector: { readonly row: number; readonly bytes: number } | null;
}

/** What a dialect multiplies with. */
export interface Dialect {
  /** The command, the numbers of a column, and the vectors that a column is multiplied by at once. */
  readonly multiply: string;
  readonly lanes: number;
  readonly vectors: number;
  /** Whether vectors are copied from a row of a bank, so that they have to be written there. */
  readonly fillsFromRow: boolean;
  /** Rows of a matrix that are worked on at once. */
  readonly units: number;
  /** Numbers in a row of a bank, and of a vector in the buffer of operands. */
  readonly inRow: number;
  readonly inBuffer: number;
}

/** Matrices of the same number of rows, one behind the other. */
interface Group {
  readonly count: number;
  readonly rows: number;
}

/** Null when the device has no command that multiplies. */
export function dialectOf(device: DramDevice): Dialect | null {
  const { commands, units, counts, burstBytes, bursts, buffers = [] } = device;
  const command = commands.find(({ pim }) => pim?.kind === 'multiplies');
  if (!command?.pim) return null;
  const fillsFromRow = commands.some(
    ({ pim }) => pim?.kind === 'moves' && pim.from === 'row' && pim.to !== 'host' && pim.whole,
  );
  const lanes = units?.lanes ?? burstBytes / 2;
  const entries = buffers.find(({ name }) => name === command.pim?.from)?.entries ?? 1;
  return {
    multiply: command.name,
    lanes,
    vectors: units?.vectors ?? 1,
    fillsFromRow,
    units: fillsFromRow ? banksOf(device) : counts.slice(0, command.pim.unit + 1).reduce((all, n) => all * n, 1),
    inRow: (bursts * burstBytes) / 2,
    inBuffer: entries * lanes,
  };
}

/**
 * Sums that are made for each result of a matrix of `rows` x `columns` in a channel.
 * @throws Error when the device lacks commands for it
 */
export function partsOf(
  device: DramDevice,
  dialect: Dialect,
  { rows, columns, packed }: { readonly rows: number; readonly columns: number; readonly packed: boolean },
): number {
  const { multiply, lanes, inRow, fillsFromRow } = dialect;
  if (!fillsFromRow) return gemv(device, multiply, { rows, columns, lanes }).partials;
  attentionRows(device, { heads: 1, headSize: 1, length: 1 });
  return packed ? 1 : Math.ceil(columns / inRow);
}

/** Columns that go into each part of a sum, but the last one, which has what is left. */
export function columnsInPart({ inRow, inBuffer, fillsFromRow }: Dialect): number {
  return fillsFromRow ? inRow : inBuffer;
}

/**
 * A product whose matrix is laid tile by tile: in each channel the tile's matrices one behind the other, each (or, where
 * they are packed, each few) from a row of its banks on.
 */
export class PlacedProduct {
  readonly #product: Product;
  readonly #device: DramDevice;
  readonly #dialect: Dialect;
  readonly #channels: number;
  readonly #tiles: ReadonlyMap<string, Tile>;
  readonly #columns: number;
  /** The first row of the banks, by tile and channel. */
  readonly #first: Int32Array;
  /** Rows of the banks after the last one that it takes, by channel. */
  readonly ends: readonly number[];
  /** Rows that vectors of a tile take in a channel, at most. */
  readonly vectorRows: number = 0;
  /** Name of the tensor that vectors are of. */
  readonly vector: string;
  /** Rows of the matrix, by channel, and places that units have for them, all channels together. */
  readonly work: readonly number[];
  readonly places: number = 0;

  /** `starts`: rows of the banks that are taken, by channel; `tiles` by rank variable. @throws Error as `partsOf` does */
  constructor(product: Product, tiles: ReadonlyMap<string, Tile>, device: DramDevice, starts: readonly number[]) {
    const dialect = dialectOf(device);
    if (dialect === null) throw new Error(`${device.name} multiplies nothing`);
    this.#product = product;
    this.vector = product.vector;
    this.#device = device;
    this.#dialect = dialect;
    this.#channels = starts.length;
    this.#tiles = tiles;
    this.#columns = product.columns.reduce((all, v) => all * this.#tile(v).extent, 1);
    const boxes = [...this.#boxes()];
    const ends = [...starts];
    const work = starts.map(() => 0);
    this.#first = new Int32Array(boxes.length * starts.length);
    for (const [tile, box] of boxes.entries()) {
      for (const [channel, groups] of this.#shares(box).entries()) {
        this.#first[tile * starts.length + channel] = ends[channel]!;
        ends[channel]! += groups.reduce((sum, group) => sum + this.#rowsOf(group), 0);
        if (dialect.fillsFromRow) {
          this.vectorRows = Math.max(this.vectorRows, this.#jobs(groups, 0, 0, this.#vectorsIn(box)).length);
        }
        for (const { count, rows } of groups) {
          work[channel]! += count * rows;
          this.places += count * Math.ceil(rows / dialect.units) * dialect.units;
        }
      }
    }
    this.ends = ends;
    this.work = work;
  }

  /** What channels do for a part of the iteration space that is a tile. */
  tasks(box: Box): PimTask[] {
    const tile = this.#tileAt(box);
    return this.#shares(box).flatMap((groups, channel) => {
      const first = this.#first[tile * this.#channels + channel]!;
      return this.#jobs(groups, first, this.#device.rows - 1, this.#vectorsIn(box)).map((job) => ({ channel, ...job }));
    });
  }

  #tile(variable: string): Tile {
    const tile = this.#tiles.get(variable);
    if (!tile) throw new Error(`no tile of ${variable}`);
    return tile;
  }

  get #matrixVariables(): string[] {
    return [...this.#product.batch, ...this.#product.rows];
  }

  /** All tiles of the matrix, the last variable's fastest, with the first ones of all vectors. */
  *#boxes(): Generator<Box> {
    const variables = this.#matrixVariables.map((v) => ({ v, ...this.#tile(v).toObject() }));
    const total = variables.reduce((all, { extent, tile }) => all * Math.ceil(extent / tile), 1);
    const vectors = this.#product.vectors.map((v): [string, [number, number]] => [v, [0, this.#tile(v).tile]]);
    for (let i = 0; i < total; i++) {
      let rest = i;
      const box = new Map<string, [number, number]>(vectors);
      for (const { v, extent, tile } of variables.toReversed()) {
        const count = Math.ceil(extent / tile);
        const from = (rest % count) * tile;
        box.set(v, [from, Math.min(extent, from + tile)]);
        rest = Math.floor(rest / count);
      }
      yield box;
    }
  }

  #tileAt(box: Box): number {
    return this.#matrixVariables.reduce((at, v) => {
      const { extent, tile } = this.#tile(v);
      return at * Math.ceil(extent / tile) + Math.floor(box.get(v)![0] / tile);
    }, 0);
  }

  #vectorsIn(box: Box): number {
    return this.#product.vectors.reduce((all, v) => all * sizeIn(box, v), 1);
  }

  /** What each channel has of a tile's matrices. */
  #shares(box: Box): Group[][] {
    const { batch, rows, over } = this.#product;
    const channels = this.#channels;
    const shares = Array.from({ length: channels }, (): { count: number; rows: number }[] => []);
    const add = (channel: number, rows: number): void => {
      const last = shares[channel]!.at(-1);
      if (last?.rows === rows) last.count++;
      else shares[channel]!.push({ count: 1, rows });
    };
    const strideOf = (variable: string): number =>
      over.includes(variable)
        ? over.slice(over.indexOf(variable) + 1).reduce((all, v) => all * this.#tile(v).extent, 1)
        : 0;
    const spread = rows.filter((v) => over.includes(v)).toArray();
    const rest = rows.filter((v) => !over.includes(v)).reduce((all, v) => all * sizeIn(box, v), 1);
    const inChannel = new Float64Array(channels);
    const offsets = sumsOf(spread, box, strideOf);
    for (const base of sumsOf(batch.toArray(), box, strideOf)) {
      if (spread.length === 0) {
        add(base % channels, rest);
        continue;
      }
      inChannel.fill(0);
      for (const offset of offsets) inChannel[(base + offset) % channels]! += rest;
      inChannel.forEach((count, channel) => {
        if (count > 0) add(channel, count);
      });
    }
    return shares;
  }

  /** Rows of the banks that matrices take. */
  #rowsOf({ count, rows }: Group): number {
    const { fillsFromRow } = this.#dialect;
    if (!fillsFromRow) return count * this.#gemv(rows, 0).memoryRows;
    const { packed } = this.#product;
    const [headSize, length] = packed ? [this.#columns, rows] : [rows, this.#columns];
    const taken = attentionRows(this.#device, { heads: count, headSize, length });
    return packed ? taken.keys : taken.values;
  }

  #gemv(rows: number, firstRow: number) {
    const { multiply, lanes, inBuffer } = this.#dialect;
    const isParted = this.#product.parts > 1 || this.#columns <= inBuffer;
    return gemv(this.#device, multiply, { rows, columns: this.#columns, lanes, firstRow, isParted });
  }

  /** In rows of the banks from `firstRow` on; vectors lie in rows up to `vectorRow`. */
  #jobs(groups: readonly Group[], firstRow: number, vectorRow: number, vectors: number): Omit<PimTask, 'channel'>[] {
    let row = firstRow;
    let written = 0;
    return groups.flatMap((group) => {
      const first = row;
      row += this.#rowsOf(group);
      const jobs = this.#dialect.fillsFromRow
        ? this.#copied(group, first, vectorRow - written, vectors)
        : this.#sent(group, first, vectors);
      written += jobs.length;
      return jobs;
    });
  }

  /** Commands that bring their vectors: all of a matrix together. */
  #sent({ count, rows }: Group, firstRow: number, vectors: number): Omit<PimTask, 'channel'>[] {
    const passes = Math.ceil(vectors / this.#dialect.vectors);
    const { memoryRows } = this.#gemv(rows, firstRow);
    return Array.from({ length: count }, (_, matrix) => {
      const { program } = this.#gemv(rows, firstRow + matrix * memoryRows);
      return { program: Array.from({ length: passes }, () => program).flat(), vector: null };
    });
  }

  /** Commands that copy their vectors from a row of the first bank, each from another one. */
  #copied({ count, rows }: Group, firstRow: number, vectorRow: number, queries: number): Omit<PimTask, 'channel'>[] {
    const { packed } = this.#product;
    const { inRow, lanes } = this.#dialect;
    const most = Math.ceil(this.#columns / inRow);
    const shape = { heads: count, queries, vectorRow, vectorRows: count * queries * most };
    const jobs = packed
      ? logitJobs(this.#device, { ...shape, headSize: this.#columns, length: rows, keyRow: firstRow })
      : contextJobs(this.#device, { ...shape, headSize: rows, length: this.#columns, valueRow: firstRow });
    return jobs.map(({ program, heads }, i) => {
      const numbers = packed
        ? heads.length * Math.ceil(this.#columns / lanes) * lanes
        : Math.min(inRow, this.#columns - (i % most) * inRow);
      return { program, vector: { row: vectorRow - i, bytes: 2 * numbers } };
    });
  }
}

/** Values of a variable in a box. */
function sizeIn(box: Box, variable: string): number {
  const [from, to] = box.get(variable)!;
  return to - from;
}

/** The sum of strides for all values of some variables in a box, the last variable's fastest. */
function sumsOf(variables: readonly string[], box: Box, strideOf: (variable: string) => number): number[] {
  return variables.reduce<number[]>(
    (sums, variable) => {
      const [from, to] = box.get(variable)!;
      const stride = strideOf(variable);
      return sums.flatMap((sum) => Array.from({ length: to - from }, (_, i) => sum + (from + i) * stride));
    },
    [0],
  );
}
