/** How far a sampled time may be from the true one. */

/** Variance of a sum of estimates, the degrees of freedom with which it is known, and what all may be wrong by alike. */
export interface Spread {
  readonly variance: number;
  readonly freedom: number;
  readonly bias: number;
}

export const certain: Spread = { variance: 0, freedom: Number.POSITIVE_INFINITY, bias: 0 };

/** Of independent estimates together, whose biases may all have one direction; degrees of freedom after Welch and Satterthwaite. */
export function together(spreads: readonly Spread[]): Spread {
  const variance = spreads.reduce((sum, spread) => sum + spread.variance, 0);
  const bias = spreads.reduce((sum, spread) => sum + spread.bias, 0);
  if (variance === 0) return { ...certain, bias };
  const share = spreads.reduce((sum, spread) => sum + spread.variance ** 2 / spread.freedom, 0);
  return { variance, freedom: variance ** 2 / share, bias };
}

/** Half the width of the 95 % confidence interval, and the bias. */
export function halfWidth({ variance, freedom, bias }: Spread): number {
  return bias + (variance === 0 ? 0 : Math.sqrt(variance) * quantile(freedom));
}

/** The 97.5 % quantile of Student's t from 4 degrees of freedom on (Abramowitz and Stegun, 26.7.5). */
function quantile(freedom: number): number {
  const z = 1.959963984540054;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return terms.reduce((sum, term, i) => sum + term / freedom ** (i + 1), z);
}

/** Splits a whole number in proportion to `parts`, into whole numbers that add up to it; all 0 where no part has anything. */
export function apportion(whole: number, parts: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(parts.length);
  let sum = 0;
  for (let i = 0; i < parts.length; i++) sum += parts[i]!;
  if (sum <= 0) return shares;
  let before = 0;
  let until = 0;
  for (let i = 0; i < parts.length; i++) {
    until += parts[i]!;
    const rounded = until === sum ? whole : Math.floor((whole * until) / sum + 0.5);
    shares[i] = rounded - before;
    before = rounded;
  }
  return shares;
}
