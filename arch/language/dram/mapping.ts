/** From the number of a block to where it lies in DRAM, and back. */
import { bits as bitLists } from 'bitwise';
import type { Bits } from 'bitwise/types.js';
import { type BitMatrix, inverseOf, placesIn, unitRow, WordMap } from './bit-matrix.ts';
import type { DramDevice } from './device.ts';
import {
  type AddressField,
  type AddressFields,
  addressFields,
  describeMapping,
  type MappingDescription,
  MappingError,
} from './mapping-text.ts';

export { MappingError } from './mapping-text.ts';

/** Bits of a whole number that a double holds exactly. */
const mostBits = 53;
/** Most bits of a channel, bank, row or column: they are kept as positive 32-bit integers. */
const mostFieldBits = 31;

/**
 * The mapping that a text describes: a name (`interleaved`, `RoBaRaCoCh`, `ChRaBaRoCo`, `MOP4CLXOR`), the fields from the most significant
 * (`row-rank-bank-column-bankGroup`), or a letter for each bit; each with hashes behind it (`, bank ^= row`). Channels that
 * are no power of two are the remainder of a block's number, where a mapping has them lowest.
 * @throws MappingError
 */
export function compileMapping(text: string, device: DramDevice, channels: number): AddressMapping {
  const power = 2 ** Math.ceil(Math.log2(channels));
  const fields = addressFields(device, power);
  const description = describeMapping(text, fields);
  if (power === channels) return mappingOf(text, description, fields, 1);
  const { channel } = fields;
  const { layout, hashes } = description;
  const isLowest = layout.slice(0, channel.bits).every((field) => field === channel);
  if (!isLowest || hashes.some(({ field, by }) => field === channel || by === channel)) {
    throw new MappingError(
      `${channels} channels cannot be addressed by bits`,
      `${power / 2} or ${power} can, or any number of channels in the lowest bits alone, as in interleaved`,
    );
  }
  const within = { layout: layout.slice(channel.bits), hashes };
  return mappingOf(text, within, { ...fields, channel: { ...channel, bits: 0 } }, channels);
}

/** `divisor`: channels, where they are the remainder of a block's number; 1 where bits are the channel. */
function mappingOf(
  text: string,
  description: MappingDescription,
  fields: AddressFields,
  divisor: number,
): AddressMapping {
  const words = [[fields.channel], fields.levels.toReversed(), [fields.row], [fields.column]];
  const sizes = words.map((word) => word.reduce((sum, { bits }) => sum + bits, 0));
  const bits = sizes.reduce((sum, size) => sum + size, 0);
  if (bits + Math.ceil(Math.log2(divisor)) > mostBits || sizes.some((size) => size > mostFieldBits)) {
    throw new MappingError(
      `addresses have ${bits} bits`,
      `at most ${mostBits} can be, and ${mostFieldBits} of a field`,
    );
  }
  const rows = rowsOf(description, fields.all);
  const matrix = words.flat().flatMap((field) => rows.get(field) ?? []);
  const rowStride = 2 ** (fields.row.bits > 0 ? description.layout.indexOf(fields.row) : bits);
  const inverse = inverseOf(matrix);
  if (inverse === null) {
    throw new MappingError(
      `the hashes of "${text}" map different addresses to one place`,
      'hash a field by another one',
    );
  }
  return new AddressMapping(matrix, inverse, sizes, rowStride, divisor);
}

/** The address bits of every bit of every field, the least significant first. */
function rowsOf({ layout, hashes }: MappingDescription, fields: readonly AddressField[]): Map<AddressField, Bits[]> {
  const rows = new Map<AddressField, Bits[]>(fields.map((field) => [field, []]));
  layout.forEach((field, bit) => {
    rows.get(field)?.push(unitRow(bit, layout.length));
  });
  for (const { field, by, from } of hashes) {
    const others = rows.get(by)?.slice(from) ?? [];
    const hashed = rows.get(field)?.map((row, i) => (others[i] ? bitLists.xor(row, others[i]) : row));
    rows.set(field, hashed ?? []);
  }
  return rows;
}

/**
 * Where blocks lie. A block is as large as one access of the device; blocks beyond the capacity begin again at its start,
 * as in the tools that name these mappings.
 */
export class AddressMapping {
  /** Of the block decoded last. */
  channel = 0;
  /** Among the banks of the channel in tree order: the bank counts fastest, the first level below the channel slowest. */
  bank = 0;
  row = 0;
  /** In accesses from the start of the row. */
  column = 0;
  /** Blocks from one row of a bank to the next where requests name rows: that of the lowest address bit of the row. */
  readonly rowStride: number;
  /** Bits of a block's number, or of what a division by the number of channels leaves of it. */
  readonly bits: number;
  readonly #address = new Int32Array(2);
  readonly #place = new Int32Array(4);
  readonly #decode: WordMap;
  readonly #encode: WordMap;
  readonly #channels: number;
  /** Channels that are the remainder of a block's number; 1 where bits are the channel. */
  readonly #divisor: number;
  /**
   * Blocks that follow each other in one channel, where as many in each other channel come before and behind them; 0 for
   * mappings that are not so. Which of these channels is first may depend on higher address bits.
   */
  readonly #blocksInRow: number;
  readonly #isHashed: boolean;
  /** Blocks that differ in the lowest bits alone lie side by side in a row: 2^n of them, 1 where the mapping has no such bits. */
  readonly #neighbours: number;
  /** The group of neighbours decoded last, and the column of its first block. */
  #group = -1;
  #firstColumn = 0;

  /** `sizes` are the bits of channel, bank, row and column, in which order the rows of `matrix` are; see `mappingOf`. */
  constructor(matrix: BitMatrix, inverse: BitMatrix, sizes: readonly number[], rowStride: number, divisor: number) {
    this.rowStride = rowStride * divisor;
    this.#divisor = divisor;
    this.bits = matrix.length;
    this.#channels = divisor * 2 ** (sizes[0] ?? 0);
    const channelRows = matrix.slice(0, sizes[0]);
    this.#blocksInRow = neighboursIn(channelRows);
    this.#isHashed = channelRows.some((row) => row.filter((bit) => bit === 1).length > 1);
    const addresses = placesIn([Math.min(32, this.bits), Math.max(0, this.bits - 32)]);
    const places = placesIn(sizes);
    this.#decode = new WordMap(matrix, addresses, places);
    this.#encode = new WordMap(inverse, places, addresses);
    this.#neighbours = 2 ** plainLowBits(matrix, sizes);
  }

  /** Sets channel, bank, row and column to those of a block. */
  decode(block: number): void {
    const divisor = this.#divisor;
    if (divisor === 1) {
      this.#decodeBits(block);
      return;
    }
    const within = Math.floor(block / divisor);
    this.#decodeBits(within);
    this.channel = block - within * divisor;
  }

  #decodeBits(block: number): void {
    const group = Math.floor(block / this.#neighbours);
    const within = block - group * this.#neighbours;
    if (group === this.#group) {
      this.column = this.#firstColumn + within;
      return;
    }
    const [address, place] = [this.#address, this.#place];
    address[0] = block | 0;
    address[1] = (block / 2 ** 32) | 0;
    this.#decode.apply(address, place);
    this.channel = place[0]!;
    this.bank = place[1]!;
    this.row = place[2]!;
    this.column = place[3]!;
    this.#group = group;
    this.#firstColumn = place[3]! - within;
  }

  /** The first block of a channel from `block` to `last`, or a number above `last` when there is none. */
  nextInChannel(channel: number, block: number, last: number): number {
    const run = this.#blocksInRow;
    if (run === 0) return this.#search(channel, block, last);
    const group = Math.floor(block / run);
    const within = group % this.#channels;
    const first = group - within;
    const own = this.#positionOf(channel, first * run);
    if (own === within) return block;
    if (own > within) return (first + own) * run;
    const next = first + this.#channels;
    return (next + this.#positionOf(channel, next * run)) * run;
  }

  /**
   * Blocks after which all channels have had equally many at equal places of theirs, from any multiple of it on; 0 where that
   * is not so.
   */
  get period(): number {
    return this.#isHashed ? 0 : this.#blocksInRow * this.#channels;
  }

  /** Which of the runs of all channels from `block` on is a channel's. */
  #positionOf(channel: number, block: number): number {
    if (!this.#isHashed) return channel;
    this.decode(block);
    return channel ^ this.channel;
  }

  #search(channel: number, block: number, last: number): number {
    for (let at = block; at <= last; at++) {
      this.decode(at);
      if (this.channel === channel) return at;
    }
    return last + 1;
  }

  /** The block at a place. */
  encode(channel: number, bank: number, row: number, column: number): number {
    const [address, place] = [this.#address, this.#place];
    const divisor = this.#divisor;
    place[0] = divisor === 1 ? channel : 0;
    place[1] = bank;
    place[2] = row;
    place[3] = column;
    this.#encode.apply(place, address);
    const block = (address[0]! >>> 0) + address[1]! * 2 ** 32;
    return divisor === 1 ? block : block * divisor + channel;
  }
}

/** How many of the lowest address bits are the column's lowest bits, in order, and nothing else. */
function plainLowBits(matrix: BitMatrix, sizes: readonly number[]): number {
  const firstOfColumn = matrix.length - sizes.at(-1)!;
  let low = 0;
  while (
    low < Math.min(sizes.at(-1)!, 31) &&
    matrix.every((row, i) => (row[low] === 1) === (i === firstOfColumn + low))
  ) {
    // The column's bit must be this address bit alone.
    if (matrix[firstOfColumn + low]!.some((used, j) => used === 1 && j !== low)) break;
    low++;
  }
  return low;
}

/**
 * Blocks that have the same channel side by side, where bits of the channel are address bits side by side, each perhaps with
 * higher ones hashed in; 0 when they are not.
 */
function neighboursIn(rows: BitMatrix): number {
  const first = rows[0]?.indexOf(1) ?? 0;
  const isOwn = rows.every((row, i) =>
    row.slice(0, first + rows.length).every((bit, j) => (bit === 1) === (j === first + i)),
  );
  return isOwn ? 2 ** first : 0;
}
