/** The worked example of the three attention cascades, from FuseMax (see the fixture for its source). */
import { readFileSync } from 'node:fs';

export interface GoldenTensor {
  readonly ranks: readonly string[];
  readonly values: readonly (number | string)[];
}

interface Cascade {
  readonly passes: number;
  readonly passOf: { readonly [einsum: string]: number | null };
}

interface Golden {
  readonly shape: { readonly [rank: string]: number };
  readonly inputs: { readonly [tensor: string]: GoldenTensor };
  readonly cascades: {
    readonly [name: string]: Cascade & { readonly tensors: { readonly [tensor: string]: GoldenTensor } };
  };
  readonly deferred: Cascade;
}

export const golden: Golden = JSON.parse(
  readFileSync(new URL('../fixtures/attention-golden.json', import.meta.url), 'utf8'),
);

/** A row-major array with its dimensions in another order. */
export function transpose(
  values: ArrayLike<number>,
  ranks: readonly string[],
  extents: ReadonlyMap<string, number>,
  to: readonly string[],
): Float64Array {
  const stride = new Map<string, number>();
  ranks.reduceRight((size, rank) => {
    stride.set(rank, size);
    return size * extents.get(rank)!;
  }, 1);
  return Float64Array.from({ length: values.length }, (_, position) => {
    let rest = position;
    let from = 0;
    for (const rank of [...to].reverse()) {
      from += (rest % extents.get(rank)!) * stride.get(rank)!;
      rest = Math.floor(rest / extents.get(rank)!);
    }
    return values[from]!;
  });
}
