/**
 * Random numbers: L'Ecuyer's combined multiple recursive generator MRG32k3a (Operations Research 47(1), 1999), of period
 * 2^191, with far-off parts of its sequence as streams.
 */
const m1 = 4294967087;
const m2 = 4294944443;
const a12 = 1403580;
const a13 = 810728;
const a21 = 527612;
const a23 = 1370589;
/** 1 / (m1 + 1). */
const norm = 2.328306549295728e-10;

type Matrix = readonly (readonly bigint[])[];

const steps: readonly (readonly [Matrix, bigint])[] = [
  [
    [
      [0n, 1n, 0n],
      [0n, 0n, 1n],
      [BigInt(m1 - a13), BigInt(a12), 0n],
    ],
    BigInt(m1),
  ],
  [
    [
      [0n, 1n, 0n],
      [0n, 0n, 1n],
      [BigInt(m2 - a23), 0n, BigInt(a21)],
    ],
    BigInt(m2),
  ],
];

export class RandomNumbers {
  readonly #s = new Float64Array(6);

  /**
   * Equal seeds give equal sequences, and the same as in MQSim: a state of ones is moved on by (seed / 200 + 1) x
   * 2^(seed mod 200) steps, in products that wrap at 64 bits, so that it ends elsewhere; any state will do.
   */
  constructor(seed: number) {
    steps.forEach(([step, modulus], i) => {
      let matrix = step;
      for (let e = seed % 200; e > 0; e--) matrix = product(matrix, matrix, modulus);
      let state: readonly bigint[] = [1n, 1n, 1n];
      for (let n = Math.floor(seed / 200) + 1; n > 0; n >>= 1) {
        if (n & 1) state = matrix.map((row) => scalar(row, state, modulus));
        matrix = product(matrix, matrix, modulus);
      }
      state.forEach((value, j) => {
        this.#s[3 * i + j] = Number(value);
      });
    });
  }

  /** Above 0, and 1 at most. */
  next(): number {
    const s = this.#s;
    // Products stay below 2^53.
    const p1 = remainder(a12 * s[1]! - a13 * s[0]!, m1);
    s[0] = s[1]!;
    s[1] = s[2]!;
    s[2] = p1;
    const p2 = remainder(a21 * s[5]! - a23 * s[3]!, m2);
    s[3] = s[4]!;
    s[4] = s[5]!;
    s[5] = p2;
    const p = p1 - p2;
    return ((p < 0 ? p + m1 : p) + 1) * norm;
  }
}

/** From 0 to the modulus, exactly; quicker than `%`. */
function remainder(value: number, modulus: number): number {
  const rest = value - Math.floor(value / modulus) * modulus;
  return rest < 0 ? rest + modulus : rest >= modulus ? rest - modulus : rest;
}

function product(a: Matrix, b: Matrix, modulus: bigint): Matrix {
  return a.map((row) =>
    [0, 1, 2].map((column) =>
      scalar(
        row,
        b.map((other) => other[column]!),
        modulus,
      ),
    ),
  );
}

function scalar(row: readonly bigint[], column: readonly bigint[], modulus: bigint): bigint {
  return row.reduce((sum, value, k) => BigInt.asIntN(64, value * column[k]! + sum) % modulus, 0n);
}
