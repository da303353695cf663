/** Buckets of an octave: a percentile is told to a thousandth. */
const bucketBits = 10;
const octaves = 54;

/** Latencies, in memory that does not grow with their number. */
export class Latencies {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;
  readonly #buckets = new Float64Array(octaves << bucketBits);

  add(ps: number): void {
    this.count++;
    this.sum += ps;
    if (ps < this.min) this.min = ps;
    if (ps > this.max) this.max = ps;
    this.#buckets[bucketOf(ps)]!++;
  }

  /** Those of both. */
  with(other: Latencies): Latencies {
    const all = new Latencies();
    all.count = this.count + other.count;
    all.sum = this.sum + other.sum;
    all.min = Math.min(this.min, other.min);
    all.max = Math.max(this.max, other.max);
    for (let i = 0; i < all.#buckets.length; i++) all.#buckets[i] = this.#buckets[i]! + other.#buckets[i]!;
    return all;
  }

  get mean(): number {
    return this.sum / this.count;
  }

  /** The least latency that a share of all do not exceed, to a thousandth; NaN where there is none. */
  percentile(share: number): number {
    if (this.count === 0) return Number.NaN;
    let rest = Math.ceil(share * this.count);
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      rest -= this.#buckets[bucket]!;
      if (rest <= 0) return Math.max(this.min, Math.min(this.max, startOf(bucket)));
    }
    return this.max;
  }
}

/** Whole numbers below 2^10 have a bucket each, every octave above as many. */
function bucketOf(ps: number): number {
  const octave = Math.max(0, Math.floor(Math.log2(Math.max(1, ps))) - bucketBits + 1);
  return (octave << (bucketBits - 1)) + Math.floor(ps / 2 ** octave);
}

function startOf(bucket: number): number {
  const half = 1 << (bucketBits - 1);
  const octave = Math.max(0, Math.floor(bucket / half) - 1);
  return (bucket - octave * half) * 2 ** octave;
}
