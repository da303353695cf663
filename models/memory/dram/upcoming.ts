/** Requests to come, decoded: from `from` up to `to`. */
export class Upcoming {
  readonly capacity: number;
  readonly write: Uint8Array;
  readonly channel: Int32Array;
  readonly bank: Int32Array;
  readonly row: Int32Array;
  readonly column: Int32Array;
  readonly block: Float64Array;
  from = 0;
  to = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.write = new Uint8Array(capacity);
    this.channel = new Int32Array(capacity);
    this.bank = new Int32Array(capacity);
    this.row = new Int32Array(capacity);
    this.column = new Int32Array(capacity);
    this.block = new Float64Array(capacity);
  }

  /** How many, from the next one on, go to its row with rising addresses. */
  get rowLength(): number {
    const { write, channel, bank, row, block, from, to } = this;
    let end = from + 1;
    while (
      end < to &&
      row[end] === row[from] &&
      bank[end] === bank[from] &&
      write[end] === write[from] &&
      channel[end] === channel[from] &&
      block[end]! > block[end - 1]!
    ) {
      end++;
    }
    return end - from;
  }
}
